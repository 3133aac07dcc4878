"""The rules of major investment, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| time.completion | not completed by its day | 政府投资条例 §24 |
| time.milestone | a milestone of the works near (blue), behind (yellow), or 30 days behind (red) | practice; choice of thirty |
| time.start | not begun within a year of the approved budget | choice |
| time.record | the acceptance not put on record within 15 days | 建设工程质量管理条例 §49 |
| time.accounts | no final accounts three months (92 days at the longest) after acceptance | 财建〔2016〕503号 §2; 政府投资条例 §25 |
| procedure.feasibility | a budget approved without a feasibility study before, where none of its papers may be left out | 政府投资条例 §9, §13 |
| procedure.permit | begun without a construction permit that it needs | 建筑法 §7 |
| procedure.acceptance | handed over without acceptance | 建筑法 §61; 建设工程质量管理条例 §16 |
| procedure.order | begun before its budget was approved | 政府投资条例 §9, §20 |
| amount.estimate | a budget more than a tenth above the estimate | 政府投资条例 §12 |
| amount.budget | paid more than the budget in force | 政府投资条例 §23 |
| amount.accounts | final accounts above the budget in force | 政府投资条例 §23, §25 |
| change.approver | a change of design that nobody approved | 政府投资条例 §21 |
| change.total | changes of more than a tenth of the budget without its adjustment | 政府投资条例 §23; choice of a tenth |
| duty.same_person | one person handled and approved a payment | 行政事业单位内部控制规范 |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.investment import facts
from node.supervision.domains.investment.events import DOMAIN, KINDS
from node.supervision.domains.investment.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, earlier, empty, known, same
from node.supervision.staged import Staged
from node.supervision.statutes import CHOICE, PRACTICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit(
        "time.completion", "政府投资条例 §24", (NOTICE, -22), (YELLOW, 1), (RED, 44),
        start="designed_at", stop="completed_at", stated_due_day="due_day", applies=known("due_day"),
    ),
    _BOOK.limit(
        "time.milestone", f"{PRACTICE}; {CHOICE}", (NOTICE, -5), (YELLOW, 1), (RED, 30), frame="milestones", subject="milestone",
        start="at_us", stop="closed_at", stated_due_day="due_day", unit=NATURAL, by="actor",
    ),
    _BOOK.limit("time.start", CHOICE, (YELLOW, 1), start="designed_at", stop="started_at", days=365, unit=NATURAL),
    _BOOK.limit("time.record", "建设工程质量管理条例 §49", (YELLOW, 1), start="accepted_at", stop="recorded_at", days=15, unit=NATURAL),
    _BOOK.limit("time.accounts", "财建〔2016〕503号 §2; 政府投资条例 §25", (NOTICE, -10), (YELLOW, 1), start="accepted_at", stop="accounted_at", days=92, unit=NATURAL),
    _BOOK.check(
        "procedure.feasibility", "政府投资条例 §9, §13", YELLOW, absent("feasible_at") | earlier("designed_at", "feasible_at"), "designed_at",
        applies=known("designed_at") & ~pl.col("simplified"),
    ),
    _BOOK.check(
        "procedure.permit", "建筑法 §7", RED, absent("permitted_at") | earlier("started_at", "permitted_at"), "started_at",
        applies=known("started_at") & ~pl.col("permit_exempt"), by="started_by",
    ),
    _BOOK.check(
        "procedure.acceptance", "建筑法 §61; 建设工程质量管理条例 §16", RED, absent("accepted_at") | earlier("transferred_at", "accepted_at"), "transferred_at",
        applies=known("transferred_at"), by="transferred_by",
    ),
    _BOOK.check(
        "procedure.order", "政府投资条例 §9, §20", YELLOW, absent("designed_at") | earlier("started_at", "designed_at"), "started_at",
        applies=known("started_at"), by="started_by",
    ),
    _BOOK.check("amount.estimate", "政府投资条例 §12", YELLOW, pl.col("budget_first") * 10 > pl.col("estimated") * 11, "designed_at", applies=known("budget_first")),
    _BOOK.check("amount.budget", "政府投资条例 §23", RED, pl.col("paid") > pl.col("budget"), "paid_at", applies=known("paid_at"), by="paid_by"),
    _BOOK.check("amount.accounts", "政府投资条例 §23, §25", RED, pl.col("accounted") > pl.col("budget"), "accounted_at", applies=known("accounted")),
    _BOOK.check("change.approver", "政府投资条例 §21", YELLOW, empty("approver"), "at_us", frame="changes", subject="change", by="actor"),
    _BOOK.check(
        "change.total", f"政府投资条例 §23; {CHOICE}", YELLOW, pl.col("changed") * 10 > pl.col("budget_first"), "changed_at",
        applies=known("changed_at") & absent("budget_adjusted"),
    ),
    _BOOK.check(
        "duty.same_person", "行政事业单位内部控制规范", YELLOW, same("actor", "approver"), "at_us", frame="payments", subject="payment", by="actor"
    ),
    _BOOK.entered_late(),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.MILESTONES, facts.CHANGES, facts.PAYMENTS),
).domain()
"""The domain, for `fold.installed`."""
