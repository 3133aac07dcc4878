"""The rules of major investment, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| time.completion | not completed by its day | 政府投资条例 §22 |
| time.milestone | a milestone of the works near (blue), behind (yellow), or 30 days behind (red) | DOMAIN §2; choice of thirty |
| time.start | not begun within a year of the approved budget | choice |
| time.record | the acceptance not put on record within 15 days | 建设工程质量管理条例 §49 |
| time.accounts | no final accounts three months after acceptance | 基本建设财务规则 §35 |
| procedure.feasibility | a budget approved without a feasibility study before | 政府投资条例 §9 |
| procedure.permit | begun without a construction permit | 建筑法 §7; 建设工程质量管理条例 §13 |
| procedure.acceptance | handed over without acceptance | 建设工程质量管理条例 §16 |
| procedure.order | begun before its budget was approved | 政府投资条例 §9 |
| amount.estimate | a budget more than a tenth above the estimate | 政府投资条例 §12 |
| amount.budget | paid more than the budget in force | 政府投资条例 §23 |
| amount.accounts | final accounts above the budget in force | 政府投资条例 §23, §26 |
| change.approver | a change of design that nobody approved | 政府投资条例 §23 |
| change.total | changes of more than a tenth of the budget without its adjustment | 政府投资条例 §23 |
| duty.same_person | one person handled and approved a payment | 行政事业单位内部控制规范 §12 |
| entered_late | an event entered more than a working day after it happened | DOMAIN §4 |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.investment import facts
from node.supervision.domains.investment.events import DOMAIN, KINDS
from node.supervision.domains.investment.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, earlier, empty, known, same
from node.supervision.staged import Staged

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit(
        "time.completion", "政府投资条例 §22", (NOTICE, -22), (YELLOW, 1), (RED, 44),
        start="designed_at", stop="completed_at", stated_due_day="due_day", applies=known("due_day"),
    ),
    _BOOK.limit(
        "time.milestone", "DOMAIN §2", (NOTICE, -5), (YELLOW, 1), (RED, 30), frame="milestones", subject="milestone",
        start="at_us", stop="closed_at", stated_due_day="due_day", unit=NATURAL, by="actor",
    ),
    _BOOK.limit("time.start", "choice", (YELLOW, 1), start="designed_at", stop="started_at", days=365, unit=NATURAL),
    _BOOK.limit("time.record", "建设工程质量管理条例 §49", (YELLOW, 1), start="accepted_at", stop="recorded_at", days=15, unit=NATURAL),
    _BOOK.limit("time.accounts", "基本建设财务规则 §35", (NOTICE, -10), (YELLOW, 1), start="accepted_at", stop="accounted_at", days=90, unit=NATURAL),
    _BOOK.check(
        "procedure.feasibility", "政府投资条例 §9", YELLOW, absent("feasible_at") | earlier("designed_at", "feasible_at"), "designed_at",
        applies=known("designed_at"),
    ),
    _BOOK.check(
        "procedure.permit", "建筑法 §7", RED, absent("permitted_at") | earlier("started_at", "permitted_at"), "started_at",
        applies=known("started_at"), by="started_by",
    ),
    _BOOK.check(
        "procedure.acceptance", "建设工程质量管理条例 §16", RED, absent("accepted_at") | earlier("transferred_at", "accepted_at"), "transferred_at",
        applies=known("transferred_at"), by="transferred_by",
    ),
    _BOOK.check(
        "procedure.order", "政府投资条例 §9", YELLOW, absent("designed_at") | earlier("started_at", "designed_at"), "started_at",
        applies=known("started_at"), by="started_by",
    ),
    _BOOK.check("amount.estimate", "政府投资条例 §12", YELLOW, pl.col("budget_first") * 10 > pl.col("estimated") * 11, "designed_at", applies=known("budget_first")),
    _BOOK.check("amount.budget", "政府投资条例 §23", RED, pl.col("paid") > pl.col("budget"), "paid_at", applies=known("paid_at"), by="paid_by"),
    _BOOK.check("amount.accounts", "政府投资条例 §23, §26", RED, pl.col("accounted") > pl.col("budget"), "accounted_at", applies=known("accounted")),
    _BOOK.check("change.approver", "政府投资条例 §23", YELLOW, empty("approver"), "at_us", frame="changes", subject="change", by="actor"),
    _BOOK.check(
        "change.total", "政府投资条例 §23", YELLOW, pl.col("changed") * 10 > pl.col("budget_first"), "changed_at",
        applies=known("changed_at") & absent("budget_adjusted"),
    ),
    _BOOK.check(
        "duty.same_person", "行政事业单位内部控制规范 §12", YELLOW, same("actor", "approver"), "at_us", frame="payments", subject="payment", by="actor"
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
