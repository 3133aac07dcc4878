"""The rules of openness, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| time.publish | not published within 20 working days of its making or change, or by the day that is stated | 政府信息公开条例 §26 |
| time.answer | a request not answered within 20 working days, extensions added; a correction begins it anew, third parties are not counted | 政府信息公开条例 §33, §30 |
| time.correction | a correction asked for later than seven working days after the request | 政府信息公开条例 §30 |
| time.third_party | a third party asked and not answering in 15 working days, and nothing decided | 政府信息公开条例 §32 |
| time.objection | an objection not answered within five days | practice (村务公开) |
| extension.length | more than 20 working days granted on top, not approved or not told | 政府信息公开条例 §33 |
| correction.repeated | a correction asked for more than once | 政府信息公开条例 §30 |
| refusal.reason | refused without a reason | 政府信息公开条例 §36 |
| display.short | a village's matter shown less than five days | practice (村务公开) |
| display.vouchers | a village's finances published without vouchers | practice (村务公开) |
| procedure.committee | a village's matter published without the supervision committee's review | 村民委员会组织法 §32 |
| procedure.secrecy | published without the check for secrets, or against it | 政府信息公开条例 §17 |
| duty.same_person | one person reviewed and published | 村民委员会组织法 §32 |
| matter.due | a matter of the catalogue not published again when it is due | the catalogue; 村民委员会组织法 §30 (quarterly; busy finances monthly) |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.openness import facts
from node.supervision.domains.openness.events import DOMAIN, KINDS
from node.supervision.domains.openness.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, earlier, empty, known, same
from node.supervision.staged import Staged
from node.supervision.statutes import CATALOGUE, PRACTICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

_VILLAGE: Final = pl.col("village") & known("published_at")

RULES: Final = (
    _BOOK.limit(
        "time.publish", "政府信息公开条例 §26", (NOTICE, -2), (YELLOW, 1), (RED, 11),
        start="made_at", stop="decided_at", days=20, stated_due_day="due_day", published="statutory", by="published_by",
    ),
    _BOOK.limit(
        "time.answer", "政府信息公开条例 §33, §30", (NOTICE, -2), (RED, 1),
        start="clock_from_at", stop="answered_at", days=20, extension="extended_days", pauses="third_parties",
        applies=~pl.col("waits"), by="answered_by",
    ),
    _BOOK.limit(
        "time.correction", "政府信息公开条例 §30", (YELLOW, 1),
        start="requested_at", stop="correction_asked_at", days=7, both=True,
    ),
    _BOOK.limit(
        "time.third_party", "政府信息公开条例 §32", (NOTICE, 1),
        frame="third_parties", subject="third_party", start="at_us", stop="closed_at", days=15,
    ),
    _BOOK.limit(
        "time.objection", PRACTICE, (YELLOW, 1),
        frame="objections", subject="objection", start="at_us", stop="closed_at", days=5, unit=NATURAL, by="actor",
    ),
    _BOOK.check(
        "extension.length", "政府信息公开条例 §33", YELLOW,
        (pl.col("extended_days") > 20) | empty("extension_approver") | ~pl.col("extension_told"), "extended_at",
        applies=known("extended_at"),
    ),
    _BOOK.check("correction.repeated", "政府信息公开条例 §30", YELLOW, pl.col("corrections"), "correction_asked_at", at_least=2),
    _BOOK.check(
        "refusal.reason", "政府信息公开条例 §36", YELLOW, empty("refusal_reason"), "answered_at",
        applies=pl.col("outcome") == "refused", by="answered_by",
    ),
    _BOOK.check("display.short", PRACTICE, YELLOW, pl.col("shown_days") < 5, "taken_down_at", applies=_VILLAGE & known("taken_down_at"), by="published_by"),
    _BOOK.check(
        "display.vouchers", PRACTICE, YELLOW, ~pl.col("vouchers"), "published_at",
        applies=_VILLAGE & pl.col("finance"), by="published_by",
    ),
    _BOOK.check(
        "procedure.committee", "村民委员会组织法 §32", YELLOW,
        absent("reviewed_at") | earlier("published_at", "reviewed_at"), "published_at", applies=_VILLAGE, by="published_by",
    ),
    _BOOK.check(
        "procedure.secrecy", "政府信息公开条例 §17", RED,
        pl.col("withheld") | absent("checked_at") | earlier("published_at", "checked_at"), "published_at",
        applies=known("published_at") & ~pl.col("village"), by="published_by",
    ),
    _BOOK.check("duty.same_person", "村民委员会组织法 §32", YELLOW, same("reviewed_by", "published_by"), "published_at", applies=_VILLAGE, by="published_by"),
    _BOOK.entered_late(),
)  # fmt: skip

MATTER_RULES: Final = (
    _BOOK.limit(
        "matter.due", f"{CATALOGUE}; 村民委员会组织法 §30", (NOTICE, -3), (YELLOW, 1), (RED, 31),
        start="since_at", stated_days="every_days", unit=NATURAL, subject="matter", by="published_by",
    ),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.OBJECTIONS, facts.THIRD_PARTIES),
).domain(gatherings=(Staged(DOMAIN, KINDS, facts=facts.MATTER, rules=MATTER_RULES, name="matter"),))
"""The domain, for `fold.installed`."""
