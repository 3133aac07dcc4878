"""The rules of administrative collection, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| time.payment | not paid up by the day that the notice names | 政府非税收入管理办法; the notice |
| time.deposit | what was paid not in the treasury within ten working days | 财政违法行为处罚处分条例 §4 (滞留); choice of days |
| time.objection | an objection not answered within 15 working days | choice |
| levy.unlisted | a levy that the library of standards does not have | 财政违法行为处罚处分条例 §3 |
| levy.standard | assessed outside the standard | 财政违法行为处罚处分条例 §3; the library |
| levy.overpaid | more taken than is owed, and not refunded | 政府非税收入管理办法 |
| relief.basis | relieved without law or approval | 财政违法行为处罚处分条例 §3 (缓收、不收) |
| receipt.absent | a payment without a receipt | 财政票据管理办法 |
| surcharge.cap | surcharges above the sum that is owed | 行政强制法 §45 |
| procedure.notice | taken without a notice before | 政府非税收入管理办法 |
| duty.same_person | one person assessed and approved | 行政事业单位内部控制规范 |
| payer.twice | one payer assessed twice for one levy and period | 财政违法行为处罚处分条例 §3 |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.domains.collection import facts
from node.supervision.domains.collection.events import DOMAIN, KINDS
from node.supervision.domains.collection.words import WORDS
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
from node.supervision.statutes import CHOICE, LIBRARY

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit("time.payment", "政府非税收入管理办法", (NOTICE, 1), (YELLOW, 11), start="notified_at", stop="paid_up_at", stated_due_day="due_day"),
    _BOOK.limit(
        "time.deposit", f"财政违法行为处罚处分条例 §4; {CHOICE}", (NOTICE, 0), (YELLOW, 1), (RED, 11),
        start="paid_at", stop="deposited_all_at", days=10, by="paid_by",
    ),
    _BOOK.limit("time.objection", CHOICE, (YELLOW, 1), frame="objections", subject="objection", start="at_us", stop="closed_at", days=15, by="actor"),
    _BOOK.check("levy.unlisted", "财政违法行为处罚处分条例 §3", RED, ~pl.col("lawful_found"), "assessed_at", by="assessed_by"),
    _BOOK.check(
        "levy.standard", f"财政违法行为处罚处分条例 §3; {LIBRARY}", RED, outside("amount", "lawful_low", "lawful_high"), "assessed_at",
        applies=pl.col("lawful_found"), by="assessed_by",
    ),
    _BOOK.check("levy.overpaid", "政府非税收入管理办法", RED, pl.col("paid") - pl.col("refunded") > pl.col("owed"), "paid_at", applies=known("paid_at"), by="paid_by"),
    _BOOK.check("relief.basis", "财政违法行为处罚处分条例 §3", YELLOW, empty("relief_basis") | empty("relief_approver"), "relieved_at", applies=known("relieved_at")),
    _BOOK.check("receipt.absent", "财政票据管理办法", YELLOW, pl.col("unreceipted"), "paid_at", applies=known("paid_at"), by="paid_by"),
    _BOOK.check("surcharge.cap", "行政强制法 §45", RED, pl.col("surcharged") > pl.col("amount"), "surcharged_at", applies=known("surcharged_at")),
    _BOOK.check(
        "procedure.notice", "政府非税收入管理办法", YELLOW, absent("notified_at") | earlier("paid_at", "notified_at"), "paid_at",
        applies=known("paid_at"), by="paid_by",
    ),
    _BOOK.check("duty.same_person", "行政事业单位内部控制规范", YELLOW, same("assessed_by", "approver"), "assessed_at", by="assessed_by"),
    _BOOK.entered_late(),
)  # fmt: skip

PAYER_RULES: Final = (
    _BOOK.check("payer.twice", "财政违法行为处罚处分条例 §3", RED, pl.col("assessments"), "assessed_at", subject="payer", at_least=2, by="assessed_by"),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.OBJECTIONS,),
    standards=facts.STANDARDS,
).domain(gatherings=(Staged(DOMAIN, KINDS, facts=facts.PAYER, rules=PAYER_RULES, name="payer"),))
"""The domain, for `fold.installed`."""
