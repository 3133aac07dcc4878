"""The rules of complaints, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| time.register | a petition not told within 15 days whether it is taken up | 信访工作条例 §22, §23 |
| time.answer | a petition not answered within 60 days of being taken up, extensions (at most 30) added | 信访工作条例 §31, §34 |
| time.promised | not answered within what the catalogue promises for the matter (12345: consultation, complaint) | catalogue; 国办发〔2020〕53号 |
| time.review | a review not answered within 30 days | 信访工作条例 §35 |
| time.second | a second review not answered within 30 days | 信访工作条例 §36 |
| time.sign | a transfer, or an escalation to the tier above, not signed for within two working days | choice |
| time.call_back | a bad rating not called back within five working days | 国办发〔2019〕51号; choice of days |
| time.rectify | a bad rating not put right within 15 working days | 国办发〔2019〕51号; choice of days |
| extension.length | more than 30 days granted on top, or nobody approved it | 信访工作条例 §34 |
| reject.reason | rejected without saying why | 信访工作条例 §23; choice |
| transfer.about | an accusation passed on to the very agency it is about | 信访工作条例 §30, §46 |
| transfer.round | passed on three times and more | 信访工作条例 §28 (推诿); choice of number |
| answer.empty | an answer that says nothing | 信访工作条例 §28 (敷衍), §32 |
| answer.dissatisfied | closed though who was called back was not satisfied, with nothing put right | 国办发〔2020〕53号; choice |
| review.same_person | the review by who gave the answer | 信访工作条例 §35 |
| complainant.repeated | one person raises one matter three times and more | choice |
| answer.copied | one answer given in three cases and more | 信访工作条例 §28 (敷衍); choice of number |
| agency_month.bad | five bad ratings and more in a month | choice |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.complaint import facts
from node.supervision.domains.complaint.events import DOMAIN, KINDS
from node.supervision.domains.complaint.facts import PETITION
from node.supervision.domains.complaint.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, empty, known, same
from node.supervision.staged import Staged
from node.supervision.statutes import CATALOGUE, CHOICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit(
        "time.register", "信访工作条例 §22, §23", (NOTICE, -3), (YELLOW, 1),
        start="received_at", stop="registered_at", days=15, unit=NATURAL, applies=PETITION & absent("answered_at") & absent("bad_at"),
    ),
    _BOOK.limit(
        "time.answer", "信访工作条例 §31, §34", (NOTICE, -5), (RED, 1),
        start="answer_from_at", stop="over_at", days=60, unit=NATURAL, extension="extended_days", by="answered_by",
        applies=PETITION & ~pl.col("sort").fill_null("").is_in(["suggestion", "accusation"]),
    ),
    _BOOK.limit(
        "time.promised", f"{CATALOGUE}; 国办发〔2020〕53号", (NOTICE, -2), (YELLOW, 1), (RED, 2),
        start="received_at", stop="over_at", published="promised", extension="extended_days", by="answered_by",
        applies=(pl.col("channel").fill_null("") != "rating"),
    ),
    _BOOK.limit("time.review", "信访工作条例 §35", (NOTICE, -5), (RED, 1), start="review_asked_at", stop="reviewed_at", days=30, unit=NATURAL),
    _BOOK.limit("time.second", "信访工作条例 §36", (NOTICE, -5), (RED, 1), start="second_asked_at", stop="second_at", days=30, unit=NATURAL),
    _BOOK.limit(
        "time.sign", CHOICE, (YELLOW, 1),
        frame="transfers", subject="transfer", start="at_us", stop="closed_at", days=2, by="actor",
    ),
    _BOOK.limit("time.call_back", f"国办发〔2019〕51号; {CHOICE}", (YELLOW, 1), start="bad_at", stop="rated_call_at", days=5),
    _BOOK.limit("time.rectify", f"国办发〔2019〕51号; {CHOICE}", (NOTICE, -3), (YELLOW, 1), (RED, 6), start="bad_at", stop="rectified_at", days=15),
    _BOOK.check(
        "extension.length", "信访工作条例 §34", YELLOW,
        (pl.col("extended_days") > 30) | empty("extension_approver"), "extended_at", applies=known("extended_at"),
    ),
    _BOOK.check("reject.reason", f"信访工作条例 §23; {CHOICE}", YELLOW, empty("reject_reason"), "rejected_at", applies=known("rejected_at"), by="rejected_by"),
    _BOOK.check(
        "transfer.about", "信访工作条例 §30, §46", RED, pl.col("to_agency") == pl.col("about"), "at_us",
        frame="transfers", subject="transfer", applies=(pl.col("sort") == "accusation") & (pl.col("about").fill_null("") != ""), by="actor",
    ),
    _BOOK.check("transfer.round", f"信访工作条例 §28; {CHOICE}", YELLOW, pl.col("transfers"), "transferred_at", at_least=3, by="transferred_by"),
    _BOOK.check(
        "answer.empty", "信访工作条例 §28, §32", YELLOW, ~pl.col("substantive"), "at_us", frame="answers", subject="answer", by="actor"
    ),
    _BOOK.check(
        "answer.dissatisfied", f"国办发〔2020〕53号; {CHOICE}", YELLOW, absent("rectified_at"), "closed_recorded_at",
        applies=pl.col("dissatisfied") & (pl.col("closed_recorded_at") >= pl.col("dissatisfied_at")),
    ),
    _BOOK.check("review.same_person", "信访工作条例 §35", YELLOW, same("reviewed_by", "answered_by"), "reviewed_at", by="reviewed_by"),
    _BOOK.entered_late(),
)  # fmt: skip

COMPLAINANT_RULES: Final = (
    _BOOK.check("complainant.repeated", CHOICE, YELLOW, pl.col("times"), "received_at", subject="complainant", at_least=3),
)  # fmt: skip

ANSWER_RULES: Final = (
    _BOOK.check("answer.copied", f"信访工作条例 §28; {CHOICE}", YELLOW, pl.col("copies"), "answered_at", subject="answer", at_least=3, by="answered_by"),
)  # fmt: skip

AGENCY_MONTH_RULES: Final = (
    _BOOK.check(
        "agency_month.bad", CHOICE, YELLOW, pl.col("bad"), "bad_at", subject="agency_month", at_least=5
    ),
)

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.TRANSFERS, facts.ANSWERS),
).domain(
    gatherings=(
        Staged(DOMAIN, KINDS, facts=facts.COMPLAINANT, rules=COMPLAINANT_RULES, name="complainant"),
        Staged(DOMAIN, KINDS, facts=facts.ANSWER, rules=ANSWER_RULES, name="answer"),
        Staged(DOMAIN, KINDS, facts=facts.AGENCY_MONTH, rules=AGENCY_MONTH_RULES, name="agency_month"),
    )
)
"""The domain, for `fold.installed`."""
