"""The rules of school fees, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| time.deposit | what was charged not in the account within ten working days | 教财〔2020〕5号; choice of days |
| time.refund | nothing refunded within 15 working days after a pupil left | 教财〔2020〕5号; choice of days |
| time.settle | services not settled and made public within 15 working days of the term's end | 教财〔2020〕5号; choice of days |
| procedure.published | charged before the fees were made public | 教财〔2020〕5号 |
| charge.tuition | a charge that is no service in compulsory education | 义务教育法 §2, §25 |
| charge.unlisted | a charge that the library of standards does not have | 义务教育法 §25; 教财〔2020〕5号 |
| charge.standard | a charge above its standard | 教财〔2020〕5号 |
| charge.ahead | charged for more than one term at once | 教财〔2020〕5号 |
| charge.forced | a service charged without the parents' consent | 教财〔2020〕5号 |
| charge.teacher | kept by a teacher | 义务教育法 §25, §56 |
| charge.receipt | a charge without a receipt | 财政票据管理办法 |
| pupil.twice | one pupil charged twice under one code in one term | 教财〔2020〕5号 |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.domains.school import facts
from node.supervision.domains.school.events import DOMAIN, KINDS
from node.supervision.domains.school.words import WORDS
from node.supervision.rulebook import RED, YELLOW, Rulebook, absent, earlier, empty, known
from node.supervision.staged import Staged
from node.supervision.statutes import CHOICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit("time.deposit", f"教财〔2020〕5号; {CHOICE}", (YELLOW, 1), start="charged_at", stop="deposited_all_at", days=10, by="charged_by"),
    _BOOK.limit("time.refund", f"教财〔2020〕5号; {CHOICE}", (YELLOW, 1), start="left_at", stop="refunded_at", days=15, applies=pl.col("charged") > 0),
    _BOOK.limit("time.settle", f"教财〔2020〕5号; {CHOICE}", (YELLOW, 1), start="closed_at", stop="settled_at", days=15, applies=pl.col("service")),
    _BOOK.check(
        "procedure.published", "教财〔2020〕5号", YELLOW, absent("published_at") | earlier("charged_first_at", "published_at"), "charged_first_at",
        applies=known("charged_first_at"), by="charged_by",
    ),
    _BOOK.check(
        "charge.tuition", "义务教育法 §2, §25", RED, ~pl.col("service").fill_null(False), "at_us", frame="charges", subject="charge",
        applies=pl.col("stage") == "compulsory", by="actor",
    ),
    _BOOK.check("charge.unlisted", "义务教育法 §25; 教财〔2020〕5号", RED, ~pl.col("lawful_found"), "at_us", frame="charges", subject="charge", by="actor"),
    _BOOK.check(
        "charge.standard", "教财〔2020〕5号", RED, pl.col("amount") > pl.col("lawful_high"), "at_us", frame="charges", subject="charge",
        applies=pl.col("lawful_found"), by="actor",
    ),
    _BOOK.check("charge.ahead", "教财〔2020〕5号", YELLOW, pl.col("terms") > 1, "at_us", frame="charges", subject="charge", by="actor"),
    _BOOK.check(
        "charge.forced", "教财〔2020〕5号", RED, ~pl.col("voluntary"), "at_us", frame="charges", subject="charge", applies=pl.col("service"), by="actor"
    ),
    _BOOK.check("charge.teacher", "义务教育法 §25, §56", RED, pl.col("kept_by_teacher"), "at_us", frame="charges", subject="charge", by="actor"),
    _BOOK.check("charge.receipt", "财政票据管理办法", YELLOW, empty("receipt"), "at_us", frame="charges", subject="charge", by="actor"),
    _BOOK.entered_late(),
)  # fmt: skip

PUPIL_RULES: Final = (
    _BOOK.check(
        "pupil.twice",
        "教财〔2020〕5号",
        RED,
        pl.col("charges"),
        "charged_at",
        subject="pupil",
        at_least=2,
        by="charged_by",
    ),
)

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.CHARGES,),
    standards=facts.STANDARDS,
).domain(gatherings=(Staged(DOMAIN, KINDS, facts=facts.PUPIL, rules=PUPIL_RULES, name="pupil"),))
"""The domain, for `fold.installed`."""
