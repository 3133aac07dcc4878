"""The rules of the other kinds of acts, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| time.statutory | not decided within the item's statutory limit | the item's own law (catalogue) |
| time.promised | not decided within the promised limit | the catalogue; 优化营商环境条例 §36 |
| time.payment | a payment or reward not paid 30 days after it was decided | choice |
| time.result | the result of an inspection not told within ten working days | choice |
| refusal.reason | refused, or decided against, without a reason | choice (as 行政许可法 §38) |
| visit.officers | an inspection by one officer | 行政处罚法 §42; 国办发〔2024〕54号 |
| visit.certificates | certificates not shown | 行政处罚法 §55; 国办发〔2024〕54号 |
| visit.unplanned | an inspection outside the plan | 国办发〔2024〕54号 |
| procedure.listing | a payment or reward decided without seven working days of listing | practice |
| procedure.heard | an adjudication without hearing the parties | choice (as 行政复议法 §49) |
| amount.standard | an amount outside its standard | the library `payment_standards`, which names the law |
| amount.paid | paid otherwise than decided | 预算法 §57 |
| duty.same_person | one person decided and approved | practice |
| object_month.often | one object inspected three times and more in a month | 国办发〔2024〕54号; choice of number |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.acts import facts
from node.supervision.domains.acts.events import DOMAIN, KINDS
from node.supervision.domains.acts.words import WORDS
from node.supervision.rulebook import (
    NOTICE,
    RED,
    YELLOW,
    Rulebook,
    absent,
    earlier,
    empty,
    known,
    outside,
    same,
)
from node.supervision.staged import Staged
from node.supervision.statutes import CATALOGUE, CHOICE, LIBRARY, PRACTICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit("time.statutory", CATALOGUE, (RED, 1), start="accepted_at", stop="over_at", published="statutory", by="decided_by"),
    _BOOK.limit("time.promised", f"{CATALOGUE}; 优化营商环境条例 §36", (NOTICE, -2), (YELLOW, 1), start="accepted_at", stop="over_at", published="promised", by="decided_by"),
    _BOOK.limit(
        "time.payment", CHOICE, (NOTICE, -5), (YELLOW, 1),
        start="decided_at", stop="paid_at", days=30, unit=NATURAL, applies=pl.col("money") & (pl.col("amount") > 0),
    ),
    _BOOK.limit("time.result", CHOICE, (YELLOW, 1), frame="visits", subject="visit", start="at_us", stop="closed_at", days=10, by="actor"),
    _BOOK.check(
        "refusal.reason", CHOICE, YELLOW,
        pl.when(known("refused_at")).then(empty("refusal_reason")).otherwise(empty("decision_reason")),
        pl.coalesce("refused_at", "decided_at"), applies=known("refused_at") | (pl.col("outcome") == "refused"), by="refused_by",
    ),
    _BOOK.check("visit.officers", "行政处罚法 §42; 国办发〔2024〕54号", YELLOW, empty("second_officer"), "at_us", frame="visits", subject="visit", by="actor"),
    _BOOK.check("visit.certificates", "行政处罚法 §55; 国办发〔2024〕54号", YELLOW, ~pl.col("certificates_shown"), "at_us", frame="visits", subject="visit", by="actor"),
    _BOOK.check("visit.unplanned", "国办发〔2024〕54号", YELLOW, ~pl.col("planned"), "at_us", frame="visits", subject="visit", by="actor"),
    _BOOK.check(
        "procedure.listing", PRACTICE, YELLOW, absent("listed_at") | (pl.col("listed_days") < 7), "decided_at",
        applies=pl.col("money") & known("decided_at") & (pl.col("amount") > 0), by="decided_by",
    ),
    _BOOK.check(
        "procedure.heard", CHOICE, YELLOW, absent("heard_at") | earlier("decided_at", "heard_at"), "decided_at",
        applies=(pl.col("act") == "adjudication") & known("decided_at"), by="decided_by",
    ),
    _BOOK.check("amount.standard", LIBRARY, RED, outside("amount", "lawful_low", "lawful_high"), "decided_at", applies=pl.col("lawful_found"), by="decided_by"),
    _BOOK.check("amount.paid", "预算法 §57", RED, pl.col("paid") > pl.col("amount"), "paid_at", applies=known("paid_at") & known("amount"), by="paid_by"),
    _BOOK.check("duty.same_person", PRACTICE, YELLOW, same("decided_by", "approver"), "decided_at", by="decided_by"),
    _BOOK.entered_late(),
)  # fmt: skip

OBJECT_RULES: Final = (
    _BOOK.check("object_month.often", f"国办发〔2024〕54号; {CHOICE}", YELLOW, pl.col("visits"), "visited_at", subject="object_month", at_least=3, by="visited_by"),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.VISITS,),
    standards=facts.STANDARDS,
).domain(
    gatherings=(Staged(DOMAIN, KINDS, facts=facts.OBJECT_MONTH, rules=OBJECT_RULES, name="object_month"),)
)
"""The domain, for `fold.installed`."""
