"""The rules of the service hall, and the domain as the evaluation sees it. Numbers are minutes unless they say otherwise (of calls for help seconds); all are this project's choice
where no source is named, and a policy moves them.

| rule | finds | source |
| --- | --- | --- |
| wait.long | waited thirty minutes and more | GB/T 36112—2018; choice of minutes |
| wait.abandoned | gave up after fifteen minutes and more | choice |
| service.long | served for sixty minutes and more | choice |
| window.late | a window that opened five minutes late and more | GB/T 36112—2018; choice of minutes |
| window.early | a window that closed five minutes early and more | choice |
| window.pause | a pause of fifteen minutes and more | choice |
| window.unattended | a window not opened by the end of its working day | choice |
| staff.late | somebody came ten minutes late and more, without leave | choice |
| staff.absent | somebody did not come that day, without leave | choice |
| staff.gone | away from the window for fifteen minutes and more | choice |
| camera.dark | a camera dark in opening hours for two working hours | choice |
| window_month.abandoned | fifty tickets and more given up in a month | choice |
| help.slow | a call for help answered here after sixty seconds and more | choice |
| help.unanswered | a call for help that rang here for sixty seconds and more and was not answered here | choice |
| help_month.unanswered | ten calls for help and more not answered here in a month | choice |
| camera_month.dark | a camera dark five times and more in a month | choice |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import HOUR
from node.supervision.domains.hall import facts
from node.supervision.domains.hall.events import DOMAIN, KINDS
from node.supervision.domains.hall.words import WORDS
from node.supervision.rulebook import NOTICE, YELLOW, Rulebook, known
from node.supervision.staged import Staged
from node.supervision.statutes import CHOICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.check("wait.long", f"GB/T 36112—2018; {CHOICE}", NOTICE, pl.col("wait"), "waited_at", at_least=30, applies=known("ticket_at"), by="called_by"),
    _BOOK.check("wait.abandoned", CHOICE, NOTICE, pl.col("wait"), "abandoned_at", at_least=15, applies=known("abandoned_at")),
    _BOOK.check("service.long", CHOICE, NOTICE, pl.col("service"), "served_at", at_least=60, applies=known("served_at"), by="served_by"),
    _BOOK.check("window.late", f"GB/T 36112—2018; {CHOICE}", YELLOW, pl.col("open_late"), "opened_at", at_least=5, applies=known("due_open_at"), by="opened_by"),
    _BOOK.check("window.early", CHOICE, YELLOW, pl.col("shut_early"), "shut_at", at_least=5, applies=known("shut_due_at"), by="shut_by"),
    _BOOK.check("window.pause", CHOICE, NOTICE, pl.col("length"), "closed_at", at_least=15, frame="pauses", subject="pause", by="actor"),
    _BOOK.limit("window.unattended", CHOICE, (YELLOW, 1), start="due_open_at", stop="opened_at", days=0),
    _BOOK.check("staff.late", CHOICE, NOTICE, pl.col("late"), "present_at", at_least=10, applies=known("due_present_at") & ~pl.col("on_leave"), by="due_person"),
    _BOOK.limit("staff.absent", CHOICE, (YELLOW, 1), start="due_present_at", stop="present_at", days=0, applies=~pl.col("on_leave"), by="due_person"),
    _BOOK.check("staff.gone", CHOICE, NOTICE, pl.col("length"), "closed_at", at_least=15, frame="absences", subject="absence", by="actor"),
    _BOOK.limit(
        "camera.dark", CHOICE, (YELLOW, 1), frame="outages", subject="outage", start="at_us", stop="closed_at", days=2, unit=HOUR,
        applies=pl.col("open_hours"),
    ),
    _BOOK.check("help.slow", CHOICE, NOTICE, pl.col("help_wait"), "help_answered_at", at_least=60, applies=known("help_answered_at"), by="help_answered_by"),
    _BOOK.check("help.unanswered", CHOICE, YELLOW, pl.col("help_wait"), "help_unanswered_at", at_least=60, applies=known("help_unanswered_at")),
    _BOOK.entered_late(),
)  # fmt: skip

WINDOW_MONTH_RULES: Final = (
    _BOOK.check("window_month.abandoned", CHOICE, YELLOW, pl.col("abandoned"), "abandoned_at", subject="window_month", at_least=50),
)  # fmt: skip
CAMERA_MONTH_RULES: Final = (
    _BOOK.check(
        "camera_month.dark",
        CHOICE,
        YELLOW,
        pl.col("outages"),
        "dark_at",
        subject="camera_month",
        at_least=5,
    ),
)
HELP_MONTH_RULES: Final = (
    _BOOK.check("help_month.unanswered", CHOICE, YELLOW, pl.col("unanswered"), "unanswered_at", subject="help_month", at_least=10),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.PAUSES, facts.ABSENCES, facts.OUTAGES),
).domain(
    gatherings=(
        Staged(DOMAIN, KINDS, facts=facts.WINDOW_MONTH, rules=WINDOW_MONTH_RULES, name="window_month"),
        Staged(DOMAIN, KINDS, facts=facts.CAMERA_MONTH, rules=CAMERA_MONTH_RULES, name="camera_month"),
        Staged(DOMAIN, KINDS, facts=facts.HELP_MONTH, rules=HELP_MONTH_RULES, name="help_month"),
    )
)
"""The domain, for `fold.installed`."""
