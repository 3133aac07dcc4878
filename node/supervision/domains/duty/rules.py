"""The rules of regulatory duty, and the domain as the evaluation sees it.

GB/T 30428 leaves the lengths of the stages to the place; those below are this project's choice where nothing else is named.

| rule | finds | source |
| --- | --- | --- |
| time.open | what was reported is not opened as a case within a working day | GB/T 30428; choice of days |
| time.dispatch | an opened case is not dispatched within a working day | GB/T 30428; choice of days |
| time.handle | a dispatched task is not handled in the days it was given, else those of the catalogue, else five | GB/T 30428; the catalogue; choice of five |
| time.feedback | what was handled is not reported back within two working days, nor verified | GB/T 30428; choice of days |
| time.verify | what was handled is not verified within two working days | GB/T 30428; choice of days |
| time.close | what passed its verification is not closed within two working days | GB/T 30428; choice of days |
| procedure.order | handled before it was dispatched, or closed before it was handled | GB/T 30428 |
| procedure.verify | closed without a verification that it passed | GB/T 30428 |
| duty.same_person | one person handled and verified | GB/T 30428; practice |
| dispatch.round | dispatched three times and more | choice (推诿) |
| visit.officers | an inspection by one officer | 行政处罚法 §42 |
| object.missed | an object not inspected again when it is due | 行政许可法 §61; 安全生产法 §62; the plan's own period |
| object.open | what an inspection found not put right by the day given, else in 30 days | 安全生产法 §65; choice of days |
| cell.missed | a grid cell not walked when it is due | the assignment's own period |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.duty import facts
from node.supervision.domains.duty.events import DOMAIN, KINDS
from node.supervision.domains.duty.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, earlier, empty, known, same
from node.supervision.staged import Staged
from node.supervision.statutes import CATALOGUE, CHOICE, PRACTICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit("time.open", f"GB/T 30428; {CHOICE}", (YELLOW, 1), start="collected_at", stop="opened_at", days=1, applies=absent("closed_at"), by="collected_by"),
    _BOOK.limit("time.dispatch", f"GB/T 30428; {CHOICE}", (YELLOW, 1), start="opened_at", stop="dispatched_at", days=1, applies=absent("handled_at")),
    _BOOK.limit(
        "time.handle", f"GB/T 30428; {CATALOGUE}; {CHOICE}", (NOTICE, 0), (YELLOW, 1), (RED, 6),
        frame="dispatches", subject="dispatch", start="at_us", stop="closed_at", days=5, stated_days="limit_days",
        published="statutory", by="actor",
    ),
    _BOOK.limit("time.verify", f"GB/T 30428; {CHOICE}", (YELLOW, 1), start="handled_at", stop="verified_at", days=2, applies=absent("closed_at"), by="handled_by"),
    _BOOK.limit(
        "time.feedback", f"GB/T 30428; {CHOICE}", (YELLOW, 1),
        start="handled_at", stop="feedback_or_later_at", days=2, by="handled_by",
    ),
    _BOOK.limit("time.close", f"GB/T 30428; {CHOICE}", (YELLOW, 1), start="passed_at", stop="closed_at", days=2, by="verified_by"),
    _BOOK.check(
        "procedure.order", "GB/T 30428", YELLOW,
        (absent("dispatched_at") & known("handled_at")) | earlier("handled_at", "dispatched_at").fill_null(False)
        | earlier("closed_at", "handled_at").fill_null(False),
        pl.coalesce("closed_at", "handled_at"), applies=known("handled_at") | known("closed_at"), by="handled_by",
    ),
    _BOOK.check(
        "procedure.verify", "GB/T 30428", RED,
        absent("verified_at") | earlier("closed_at", "verified_at") | (pl.col("verdict") == "failed"), "closed_at",
        applies=known("closed_at"), by="closed_by",
    ),
    _BOOK.check("duty.same_person", f"GB/T 30428; {PRACTICE}", YELLOW, same("handled_by", "verified_by"), "verified_at", by="verified_by"),
    _BOOK.check("dispatch.round", CHOICE, YELLOW, pl.col("dispatches"), "redispatched_at", at_least=3, by="dispatched_by"),
    _BOOK.check("visit.officers", "行政处罚法 §42", YELLOW, empty("second_officer"), "at_us", frame="visits", subject="inspection", by="actor"),
    _BOOK.entered_late(),
)  # fmt: skip

OBJECT_RULES: Final = (
    _BOOK.limit(
        "object.missed", f"{CATALOGUE}; 行政许可法 §61; 安全生产法 §62", (NOTICE, -5), (YELLOW, 1), (RED, 31),
        start="since_at", stop="released_at", stated_days="every_days", unit=NATURAL, subject="object", by="responsible",
    ),
    _BOOK.limit(
        "object.open", f"安全生产法 §65; {CHOICE}", (NOTICE, -3), (YELLOW, 1), (RED, 11),
        start="found_at", stop="rectified_at", days=30, stated_due_day="found_due_day", unit=NATURAL, subject="object", by="found_by",
    ),
)  # fmt: skip

CELL_RULES: Final = (
    _BOOK.limit(
        "cell.missed", CATALOGUE, (YELLOW, 1), (RED, 8),
        start="since_at", stop="released_at", stated_days="every_days", unit=NATURAL, roll=False, subject="cell", by="responsible",
    ),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.DISPATCHES, facts.VISITS),
).domain(
    gatherings=(
        Staged(DOMAIN, KINDS, facts=facts.OBJECT, rules=OBJECT_RULES, name="object"),
        Staged(DOMAIN, KINDS, facts=facts.CELL, rules=CELL_RULES, name="cell"),
    )
)
"""The domain, for `fold.installed`."""
