"""The rules of public money, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| time.pass_on | money from above not passed on within 30 days | 预算法 §52 (of provinces); choice for the tiers below |
| time.payment | not paid 30 days after it was accepted, or the days agreed on, 60 at the longest | 保障中小企业款项支付条例 §9, §10 |
| time.resend | a payment that came back not sent again within 15 working days | practice; choice of days |
| time.rectify | an issue of the audit not put right within 90 days | 审计法 §52; choice of days |
| amount.budget | paid more than the budget, or without one | 预算法 §13, §57 |
| amount.contract | paid more than the contract and a tenth | 政府采购法 §49; choice for other contracts |
| amount.passed_on | passed on more than was received or budgeted | 预算法 §13 |
| procedure.acceptance | closed without acceptance | 政府采购法 §41 |
| procedure.paid_first | nine tenths of a contract paid before its acceptance | 政府采购法 §41; choice of nine tenths |
| procedure.listing | a subsidy paid without seven working days of listing before | practice (耕地地力补贴) |
| procedure.audit | closed without an audit | choice |
| procedure.purpose | used otherwise than planned | 预算法 §63 |
| duty.same_person | one person handled and approved a payment | 行政事业单位内部控制规范 |
| payee.twice | one payee twice in one batch | 预算法 §57; 财政违法行为处罚处分条例 §6 |
| payee_month.split | payments to one payee in a month each below the published limit and together above it | 政府采购法实施条例 §28 (in a year); choice of the month |
| entered_late | an event entered more than a working day after it happened | practice |

The limit of `split` is the row of library `payment_limits` for the payment's category; without the library nobody is accused.
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.funds import facts
from node.supervision.domains.funds.events import (
    ACCEPTANCE,
    AUDIT,
    BUDGET,
    DOMAIN,
    KINDS,
    LISTED,
    PASSED_ON,
    PAYMENT,
    USE,
)
from node.supervision.domains.funds.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, known, same
from node.supervision.staged import Staged
from node.supervision.statutes import CHOICE, PRACTICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit(
        "time.pass_on", f"预算法 §52; {CHOICE}", (NOTICE, -5), (YELLOW, 1), (RED, 31),
        start="received_from_above_at", stop="passed_on_at", days=30, unit=NATURAL, applies=absent("paid_first_at"),
    ),
    _BOOK.limit(
        "time.payment", "保障中小企业款项支付条例 §9, §10", (NOTICE, -5), (YELLOW, 1), (RED, 31),
        start="accepted_at", stop="paid_after_acceptance_at", days=30, stated_days="agreed_days", unit=NATURAL,
        applies=known("contracted_at") & pl.col("small").fill_null(True),
    ),
    _BOOK.limit(
        "time.resend", f"{PRACTICE}; {CHOICE}", (YELLOW, 1),
        frame="bounces", subject="bounce", start="at_us", stop="closed_at", days=15, by="actor",
    ),
    _BOOK.limit(
        "time.rectify", f"审计法 §52; {CHOICE}", (NOTICE, -10), (YELLOW, 1), (RED, 31),
        frame="issues", subject="issue", start="at_us", stop="closed_at", days=90, unit=NATURAL,
    ),
    _BOOK.check(
        "amount.budget", "预算法 §13, §57", RED,
        pl.when("has_budget").then(pl.col("paid") > pl.col("budget")), "paid_at", applies=known("paid_at"), by="paid_by",
    ),
    _BOOK.check(
        "amount.contract", f"政府采购法 §49; {CHOICE}", RED,
        pl.col("paid") * 10 > pl.col("contract") * 11, "paid_at", applies=known("contract"), by="paid_by",
    ),
    _BOOK.check(
        "amount.passed_on", "预算法 §13", RED,
        pl.when("has_budget").then(pl.col("passed_on") > pl.col("budget")), "passed_on_at", applies=known("passed_on_at"),
    ),
    _BOOK.check(
        "procedure.acceptance", "政府采购法 §41", YELLOW, absent("accepted_at"), "closed_at",
        applies=known("closed_at") & known("contracted_at"), by="closed_by",
    ),
    _BOOK.check(
        "procedure.paid_first", f"政府采购法 §41; {CHOICE}", NOTICE,
        (pl.col("paid") * 10 >= pl.col("contract") * 9) & (absent("accepted_at") | (pl.col("paid_at") < pl.col("accepted_at"))),
        "paid_at", applies=known("contract") & known("paid_at"), by="paid_by",
    ),
    _BOOK.check(
        "procedure.listing", PRACTICE, YELLOW,
        absent("listed_at") | (pl.col("listed_before_days") < 7) | (pl.col("listed_days").fill_null(7) < 7),
        "paid_first_at", applies=(pl.col("subsidies") > 0) & known("paid_first_at"), by="paid_by",
    ),
    _BOOK.check("procedure.audit", CHOICE, NOTICE, absent("audited_at"), "closed_at", applies=known("closed_at"), by="closed_by"),
    _BOOK.check("procedure.purpose", "预算法 §63", RED, pl.col("misused"), "misused_at", applies=pl.col("used") > 0),
    _BOOK.check(
        "duty.same_person", "行政事业单位内部控制规范", YELLOW, same("actor", "approver"), "at_us",
        frame="payments", subject="payment", by="actor",
    ),
    _BOOK.entered_late(),
)  # fmt: skip

PAYEE_RULES: Final = (
    _BOOK.check(
        "payee.twice", "预算法 §57; 财政违法行为处罚处分条例 §6", RED, pl.col("payments"), "paid_at",
        subject="payee", at_least=2, by="paid_by",
    ),
)  # fmt: skip

PAYEE_MONTH_RULES: Final = (
    _BOOK.check(
        "payee_month.split", f"政府采购法实施条例 §28; {CHOICE}", YELLOW,
        (pl.col("payments") > 1) & (pl.col("largest") < pl.col("limit_high")) & (pl.col("paid") >= pl.col("limit_high")),
        "paid_at", subject="payee_month", applies=pl.col("limit_found"), by="paid_by",
    ),
)  # fmt: skip

STAGES: Final = {
    f"{DOMAIN}.{rule}": stage
    for stage, rules in (
        (BUDGET, ("amount.budget",)),
        (PASSED_ON, ("time.pass_on", "amount.passed_on")),
        (LISTED, ("procedure.listing",)),
        (ACCEPTANCE, ("procedure.acceptance",)),
        (
            PAYMENT,
            ("time.payment", "time.resend", "amount.contract", "procedure.paid_first", "duty.same_person"),
        ),
        (USE, ("procedure.purpose",)),
        (AUDIT, ("time.rectify", "procedure.audit")),
    )
    for rule in rules
}
"""A funds item's steps are named like its events (拨付 is `passed_on`), so that each has its risk points."""

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.PAYMENTS, facts.BOUNCES, facts.ISSUES),
).domain(
    gatherings=(
        Staged(DOMAIN, KINDS, facts=facts.PAYEE, rules=PAYEE_RULES, name="payee"),
        Staged(
            DOMAIN,
            KINDS,
            facts=facts.PAYEE_MONTH,
            rules=PAYEE_MONTH_RULES,
            standards=facts.LIMITS,
            name="payee_month",
        ),
    ),
    stages=STAGES,
)
"""The domain, for `fold.installed`."""
