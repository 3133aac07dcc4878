"""The rules of directives, and the domain as the evaluation sees it. Blue is a notice: near its end.

| rule | finds | source |
| --- | --- | --- |
| time.sign | not signed for within a working day | choice |
| time.whole | three days before its day (blue), and past it (red) | practice |
| time.milestone | a milestone near (blue), behind (yellow), or ten days behind (red) | practice; choice of ten |
| time.progress | no word of progress for 30 days | choice |
| quality.poor | a milestone or the whole done poorly | practice |
| extension.late | an extension asked for after the day it was due | practice |
| extension.repeated | extended twice and more | choice |
| extension.approver | extended without anybody's approval | practice |
| procedure.review | closed without a review | practice |
| duty.same_person | reviewed by who reported its end | practice |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.directive import facts
from node.supervision.domains.directive.events import DOMAIN, KINDS
from node.supervision.domains.directive.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, earlier, empty, known, same
from node.supervision.staged import Staged
from node.supervision.statutes import CHOICE, PRACTICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit("time.sign", CHOICE, (YELLOW, 1), start="issued_at", stop="signed_at", days=1, applies=absent("closed_at")),
    _BOOK.limit(
        "time.whole", PRACTICE, (NOTICE, -3), (RED, 1),
        start="issued_at", stop="done_at", stated_due_day="due_day", by="feedback_by",
    ),
    _BOOK.limit(
        "time.milestone", f"{PRACTICE}; {CHOICE}", (NOTICE, -3), (YELLOW, 1), (RED, 10),
        frame="milestones", subject="milestone", start="at_us", stop="stop_at", stated_due_day="due_day", by="actor",
    ),
    _BOOK.limit(
        "time.progress", CHOICE, (YELLOW, 1),
        start="heard_at", stop="done_at", days=30, unit=NATURAL, applies=known("signed_at"),
    ),
    _BOOK.check("quality.poor", PRACTICE, YELLOW, pl.col("verdict") == "poor", "reviewed_at", applies=known("verdict"), by="feedback_by"),
    _BOOK.check(
        "extension.late", PRACTICE, YELLOW, pl.col("asked_late"), "extension_asked_at",
        applies=known("extension_asked_at") & known("due_first_day"),
    ),
    _BOOK.check("extension.repeated", CHOICE, YELLOW, pl.col("extensions"), "extended_at", at_least=2),
    _BOOK.check("extension.approver", PRACTICE, YELLOW, empty("extension_approver"), "extended_at", applies=known("extended_at")),
    _BOOK.check(
        "procedure.review", PRACTICE, YELLOW, absent("reviewed_at") | earlier("closed_recorded_at", "reviewed_at"),
        "closed_recorded_at", applies=known("closed_recorded_at"), by="closed_by",
    ),
    _BOOK.check("duty.same_person", PRACTICE, YELLOW, same("feedback_by", "reviewed_by"), "reviewed_at", by="reviewed_by"),
    _BOOK.entered_late(),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN, KINDS, facts=facts.FACTS, rules=RULES, course=facts.COURSE, parts=(facts.MILESTONES,)
).domain()
"""The domain, for `fold.installed`."""
