"""The rules of administrative coercion, and the domain as the evaluation sees it. All articles are of the 行政强制法.

Limits of up to ten days are working days, longer ones natural (§69). An extension of a measure is a measure's own row: at most thirty days (§25, §32).

| rule | finds | source |
| --- | --- | --- |
| time.measure | a seizure or freeze not lifted or disposed of within 30 days, or what another law says; extensions on top, examinations not counted | §25, §32 |
| time.report | an urgent measure not approved afterwards by the end of the next day: 24 hours are the law | §19; choice of the day's end |
| time.deliver | the decision of a freeze not delivered within three working days | §31 |
| measure.unapproved | a measure without approval before it that was not urgent | §18 |
| measure.officers | a measure by one officer | §18 |
| measure.inventory | a seizure without an inventory | §24 |
| measure.fee | the person was charged for the keeping | §26 |
| extension.length | more than thirty days on top, or nobody approved it | §25, §32 |
| demand.absent | decided, carried out without urgency, or brought before a court without a demand before | §35, §52, §54 |
| demand.short | a court asked less than ten working days after the demand | §54 |
| statement.unanswered | a statement of the person concerned left unanswered | §36 |
| execution.time | carried out at night or on a day of rest, without urgency | §43 |
| execution.utilities | water, power, heat or gas cut off to force a household | §43 |
| surcharge.cap | surcharges above the sum that is owed | §45 |
| duty.same_person | one person took the measure and approved it | §18 |
| entered_late | an event entered more than a working day after it happened | practice |

"法定节假日" in §43 is read as in §69: days that are no working days.
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.coercion import facts
from node.supervision.domains.coercion.events import DOMAIN, KINDS
from node.supervision.domains.coercion.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, earlier, empty, known, same
from node.supervision.staged import Staged
from node.supervision.statutes import CHOICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit(
        "time.measure", "行政强制法 §25, §32", (NOTICE, -3), (RED, 1),
        frame="measures", subject="measure", start="at_us", stop="closed_at", days=30, stated_days="limit_days", unit=NATURAL, extension="extended_days",
        pauses="examinations", by="actor",
    ),
    _BOOK.limit(
        "time.report", f"行政强制法 §19; {CHOICE}", (YELLOW, 1),
        frame="urgent", subject="measure", start="at_us", stop="closed_at", days=1, unit=NATURAL, roll=False, by="actor",
    ),
    _BOOK.limit("time.deliver", "行政强制法 §31", (YELLOW, 1), frame="deliveries", subject="measure", start="at_us", stop="closed_at", days=3, by="actor"),
    _BOOK.check("measure.unapproved", "行政强制法 §18", RED, pl.col("unapproved"), "at_us", frame="measures", subject="measure", by="actor"),
    _BOOK.check("measure.officers", "行政强制法 §18", YELLOW, empty("second_officer"), "at_us", frame="measures", subject="measure", by="actor"),
    _BOOK.check(
        "measure.inventory", "行政强制法 §24", YELLOW, ~pl.col("inventory"), "at_us", frame="measures", subject="measure",
        applies=pl.col("means").is_in(["seal", "seize"]), by="actor",
    ),
    _BOOK.check("measure.fee", "行政强制法 §26", RED, pl.col("fee") > 0, "at_us", frame="measures", subject="measure", by="actor"),
    _BOOK.check(
        "extension.length", "行政强制法 §25, §32", YELLOW, (pl.col("granted_days") > 30) | empty("approver"), "at_us",
        frame="extensions", subject="extension", by="actor",
    ),
    _BOOK.check(
        "demand.absent", "行政强制法 §35, §52, §54", RED,
        absent("demanded_at") | earlier("decided_at", "demanded_at").fill_null(False)
        | earlier("executed_at", "demanded_at").fill_null(False) | earlier("applied_at", "demanded_at").fill_null(False),
        pl.coalesce("decided_at", "executed_at", "applied_at"),
        applies=(known("decided_at") | known("executed_at") | known("applied_at")) & ~pl.col("executed_urgently"), by="decided_by",
    ),
    _BOOK.check("demand.short", "行政强制法 §54", YELLOW, pl.col("demand_days") < 10, "applied_at", applies=known("applied_at"), by="decided_by"),
    _BOOK.check("statement.unanswered", "行政强制法 §36", YELLOW, pl.col("unanswered"), "statement_at", applies=known("statement_at")),
    _BOOK.check(
        "execution.time", "行政强制法 §43", RED, pl.col("rest_day").fill_null(False) | pl.col("night").fill_null(False), "at_us",
        frame="executions", subject="execution", applies=~pl.col("urgent").fill_null(False), by="actor",
    ),
    _BOOK.check("execution.utilities", "行政强制法 §43", RED, pl.col("utilities_cut"), "at_us", frame="executions", subject="execution", by="actor"),
    _BOOK.check("surcharge.cap", "行政强制法 §45", RED, pl.col("surcharged") > pl.col("principal"), "surcharged_at", applies=known("surcharged_at")),
    _BOOK.check("duty.same_person", "行政强制法 §18", YELLOW, same("measured_by", "approved_by"), "measured_at", by="measured_by"),
    _BOOK.entered_late(),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(
        facts.MEASURES,
        facts.URGENT,
        facts.DELIVERIES,
        facts.EXAMINATIONS,
        facts.EXTENSIONS,
        facts.EXECUTIONS,
    ),
).domain()
"""The domain, for `fold.installed`."""
