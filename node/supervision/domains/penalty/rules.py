"""The rules of administrative penalties, and the domain as the evaluation sees it.

All articles are of the 行政处罚法 (2021) unless another law is named. Its limits are natural days, but "二日", "三日", "五日" and "七日" are
working days (§85). Where no source sets a level it is this project's choice: what makes a decision void or takes money without right is red, a
duty of procedure that was broken is yellow.

| rule | finds | source |
| --- | --- | --- |
| time.decision | no decision 90 days after filing, extensions added | §60 |
| time.service | a decision not served within seven working days | §61 |
| time.evidence | kept evidence not settled within seven working days | §56 |
| time.unpublish | a public decision not withdrawn three working days after it was revoked | §48 |
| interval.decision | decided (or, where that is not recorded, sent) more than 90 days after filing | §60 |
| interval.service | served more than 150 days after filing: 90 to decide and 60 to serve | §60; choice of sixty |
| interval.appeal | reconsideration asked for more than 60 days after service | 行政复议法 §20 |
| limitation | discovered more than two years after the act; five where it harmed life, health or financial security | §36 |
| subject.officers | an act of investigation by one officer | §42 |
| subject.certificates | certificates not shown | §55 |
| subject.uncertified | an investigator without a certificate in force (library `certificates`) | §42 |
| subject.same_person | one person investigated and decided | §57 |
| subject.presider | a hearing held by the investigator | §64 |
| procedure.notice | decided without notice before, outside the simple procedure | §44, §62 |
| procedure.hearing_offer | a major penalty whose notice offers no hearing | §63 |
| procedure.hearing | decided though a hearing was asked for within five working days of the notice, and not held | §63, §64, §65 |
| procedure.hearing_notice | a hearing announced less than seven working days before | §64 |
| procedure.review | a major penalty without legal review before it | §58; 国办发〔2018〕118号 (every major decision) |
| procedure.collective | a major penalty not decided by the heads together | §57 |
| procedure.order | decided before it was filed or investigated | §54 |
| procedure.statement | a statement of the person concerned left unanswered | §45 |
| substance.cause | decided for another act than filed, without an approved change | practice |
| substance.dropped | dropped without a reason or without approval | §57 |
| discretion.unfiled | a grade that the discretion library does not have for the act | §34 |
| discretion.range | a fine outside the grade's value, range or ratio | §34 |
| surcharge.cap | surcharges above the fine itself | §72 |
| surcharge.rate | surcharges above three in a hundred for each day late | §72 |
| collection.unserved | sent, not served 60 days later, and not paid up | §61; choice of sixty |
| collection.unpaid | not paid up fifteen days after service, neither deferred nor contested | §66, §67 |
| collection.enforcement | not paid up, and enforcement not asked for in time: three months after the six to sue in, 276 days at the longest | 行政强制法 §53; 行政诉讼法 §46 |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.penalty import facts
from node.supervision.domains.penalty.events import DOMAIN, KINDS
from node.supervision.domains.penalty.words import WORDS
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
from node.supervision.statutes import CHOICE, PRACTICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

_ORDINARY: Final = pl.col("procedure").fill_null("") != "simple"
_UNPAID: Final = (
    ~pl.col("paid_up").fill_null(False) & known("owed") & absent("revoked_at") & absent("dropped_at")
)

RULES: Final = (
    _BOOK.limit(
        "time.decision", "行政处罚法 §60", (NOTICE, -10), (YELLOW, 1),
        start="filed_at", stop="settled_at", days=90, unit=NATURAL, extension="extended_days", by="filed_by",
    ),
    _BOOK.limit(
        "time.service", "行政处罚法 §61", (NOTICE, 0), (YELLOW, 1),
        start="decision_at", stop="served_at", days=7, by="decided_by", applies=absent("revoked_at"),
    ),
    _BOOK.limit(
        "time.evidence", "行政处罚法 §56", (YELLOW, 1),
        frame="evidence", subject="evidence", start="at_us", stop="closed_at", days=7, by="actor",
    ),
    _BOOK.limit(
        "time.unpublish", "行政处罚法 §48", (YELLOW, 1),
        start="revoked_at", stop="unpublished_at", days=3, applies=known("published_at"),
    ),
    _BOOK.interval(
        "interval.decision", "行政处罚法 §60", (RED, 1),
        start="filed_at", stop="decided_at", days=90, extension="extended_days", by="decided_by",
    ),
    _BOOK.interval(
        "interval.service", f"行政处罚法 §60; {CHOICE}", (YELLOW, 1),
        start="filed_at", stop="served_at", days=150, extension="extended_days",
    ),
    _BOOK.interval(
        "interval.appeal", "行政复议法 §20", (NOTICE, 1), start="served_at", stop="appealed_at", days=60
    ),
    _BOOK.check(
        "limitation", "行政处罚法 §36", YELLOW, pl.col("days_past_limitation") > 0, "filed_at", by="filed_by"
    ),
    _BOOK.check(
        "subject.officers", "行政处罚法 §42", YELLOW, empty("second_officer"), "at_us",
        frame="inquiries", subject="investigation", by="actor",
    ),
    _BOOK.check(
        "subject.certificates", "行政处罚法 §55", YELLOW, ~pl.col("certificates_shown"), "at_us",
        frame="inquiries", subject="investigation", by="actor",
    ),
    _BOOK.check(
        "subject.uncertified", "行政处罚法 §42", RED,
        ~pl.min_horizontal("certified_found", "seconded_found"), "at_us",
        frame="inquiries", subject="investigation", by="actor",
    ),
    _BOOK.check(
        "subject.same_person", "行政处罚法 §57", YELLOW,
        same("investigated_by", "decided_by"), "decision_at", applies=_ORDINARY & known("decision_at"), by="decided_by",
    ),
    _BOOK.check("subject.presider", "行政处罚法 §64", RED, same("presided_by", "investigated_by"), "heard_at", by="presided_by"),
    _BOOK.check(
        "procedure.notice", "行政处罚法 §44, §62", RED,
        absent("noticed_at") | earlier("decision_at", "noticed_at"), "decision_at",
        applies=_ORDINARY & known("decision_at"), by="decided_by",
    ),
    _BOOK.check(
        "procedure.hearing_offer", "行政处罚法 §63", RED, ~pl.col("hearing_offered"), "decision_at",
        applies=pl.col("major") & known("noticed_at"), by="decided_by",
    ),
    _BOOK.check(
        "procedure.hearing", "行政处罚法 §63, §64, §65", RED,
        absent("heard_at") | earlier("decision_at", "heard_at"), "decision_at",
        applies=earlier("hearing_asked_at", "decision_at") & ~(pl.col("hearing_asked_days") > 5).fill_null(False), by="decided_by",
    ),
    _BOOK.check(
        "procedure.hearing_notice", "行政处罚法 §64", YELLOW, pl.col("hearing_notice_days") < 7, "heard_at", by="presided_by"
    ),
    _BOOK.check(
        "procedure.review", "行政处罚法 §58; 国办发〔2018〕118号", RED,
        absent("reviewed_at") | earlier("decision_at", "reviewed_at"), "decision_at",
        applies=pl.col("major"), by="decided_by",
    ),
    _BOOK.check("procedure.collective", "行政处罚法 §57", YELLOW, ~pl.col("collective"), "decision_at", applies=pl.col("major"), by="decided_by"),
    _BOOK.check(
        "procedure.order", "行政处罚法 §54", YELLOW,
        earlier("decision_at", "filed_at").fill_null(False) | earlier("decision_at", "investigated_at").fill_null(False),
        "decision_at", applies=_ORDINARY & known("decision_at") & (known("filed_at") | known("investigated_at")), by="decided_by",
    ),
    _BOOK.check(
        "procedure.statement", "行政处罚法 §45", YELLOW, ~pl.col("answered"), "at_us",
        frame="statements", subject="statement", by="actor",
    ),
    _BOOK.check(
        "substance.cause", PRACTICE, YELLOW, empty("cause_approved_by"), "decision_at",
        applies=pl.col("act_filed") != pl.col("act_decided"), by="decided_by",
    ),
    _BOOK.check(
        "substance.dropped", "行政处罚法 §57", YELLOW, empty("drop_reason") | empty("dropped_by"), "dropped_at", applies=known("dropped_at")
    ),
    _BOOK.check("discretion.unfiled", "行政处罚法 §34", YELLOW, ~pl.col("lawful_found"), "decision_at", by="decided_by"),
    _BOOK.check(
        "discretion.range", "行政处罚法 §34", RED, outside("fine", "lawful_low", "lawful_high"), "decision_at",
        applies=pl.col("lawful_found"), by="decided_by",
    ),
    _BOOK.check(
        "surcharge.cap", "行政处罚法 §72", RED, pl.col("surcharged") > pl.col("fine"), "surcharged_at",
        applies=pl.col("surcharge_stated"), by="surcharged_by",
    ),
    _BOOK.check(
        "surcharge.rate", "行政处罚法 §72", RED, pl.col("surcharged") > pl.col("surcharge_most"), "surcharged_at",
        applies=pl.col("surcharge_stated") & (pl.col("surcharged") <= pl.col("fine")).fill_null(True), by="surcharged_by",
    ),
    _BOOK.limit(
        "collection.unserved", f"行政处罚法 §61; {CHOICE}", (YELLOW, 1),
        start="sent_at", days=60, unit=NATURAL, roll=False, applies=_UNPAID & absent("served_at"),
    ),
    _BOOK.limit(
        "collection.unpaid", "行政处罚法 §66, §67", (YELLOW, 1),
        start="served_at", stop="enforced_at", days=15, unit=NATURAL, applies=_UNPAID & facts.FIRM & absent("deferred_at"),
    ),
    _BOOK.limit(
        "collection.enforcement", "行政强制法 §53; 行政诉讼法 §46", (NOTICE, -30), (RED, 1),
        start="served_at", stop="enforced_at", days=276, unit=NATURAL, applies=_UNPAID & facts.FIRM & absent("deferred_at"),
    ),
    _BOOK.entered_late(),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.EVIDENCE, facts.INQUIRIES, facts.STATEMENTS),
    standards=facts.STANDARDS,
).domain()
"""The domain, for `fold.installed`."""
