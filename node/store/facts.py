"""Summaries of cases: one row a case with what lists show, what rollups add up, and when to look again.

A projection of events. ``next_at_us`` alone decides what the wake reads; a case held by an unfinished import is never due.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from node.store.alerts import INACTIVE
from node.store.engine import Row, Transaction
from node.store.rows import GATHERED, FactsRow

COLUMNS: Final = (
    "origin",
    "case_id",
    "domain",
    "item",
    "agency",
    "state",
    "received_at_us",
    "accepted_at_us",
    "completed_at_us",
    "statutory_due_us",
    "promised_due_us",
    "late",
    "figures",
    "duration_days",
    "applicant",
    "next_at_us",
    "import_id",
    "size",
)

OPEN: Final = ("received", "accepted", "paused", "handed_over")
"""States of a case that is not at its end."""

RUNNING: Final = ("received", "accepted", "paused")
"""States of a case that is open at this node: its clocks run here."""

_SELECT: Final = f"SELECT {', '.join('f.' + column for column in COLUMNS)} FROM facts f"
_UPSERT: Final = "ON CONFLICT (origin, case_id) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in COLUMNS[2:]
)


@dataclass(frozen=True, slots=True)
class FactsFilter:
    """Which cases; what is None or empty does not narrow."""

    states: tuple[str, ...] = ()
    domain: str = ""
    item: str = ""
    agency: str = ""
    received_from_us: int | None = None
    """Received at or after."""
    received_to_us: int | None = None
    """Received before."""
    late: bool | None = None
    """As `is_late` says at `as_of_us`."""
    as_of_us: int | None = None
    """The instant at which an open case counts as late; None: an open case is never late."""
    level: int | None = None
    """Has an active alert of this level."""
    agencies: tuple[str, ...] | None = None
    """Of one of these agencies."""


class Facts:
    """Summaries of cases."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def upsert(self, rows: Sequence[FactsRow]) -> None:
        """Put rows in place of what is there for their cases; the last of several for one case counts."""
        newest = {(row.origin, row.case_id): row for row in rows}
        by_origin: dict[str, list[str]] = {}
        for origin, case_id in newest:
            by_origin.setdefault(origin, []).append(case_id)
        for origin, case_ids in by_origin.items():
            await self._tx.run("DELETE FROM fact_day WHERE origin = ? AND case_id = ANY(?)", origin, case_ids)
        # In the order of the key, which is the order on disk.
        ordered = [newest[key] for key in sorted(newest)]
        await self._tx.insert("facts", COLUMNS, [_plain(row) for row in ordered], _UPSERT)
        days = [(row.origin, int(day), row.case_id) for row in ordered for day in row.figures]
        await self._tx.insert("fact_day", ("origin", "day", "case_id"), days)

    async def get(self, origin: str, case_id: str) -> FactsRow | None:
        """One case; None: unknown."""
        row = await self._tx.one(f"{_SELECT} WHERE f.origin = ? AND f.case_id = ?", origin, case_id)
        return None if row is None else facts_row(row)

    async def of_cases(self, origin: str, case_ids: Sequence[str]) -> list[FactsRow]:
        """Those of these cases that are known, by case."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE f.origin = ? AND f.case_id = ANY(?) ORDER BY f.case_id", origin, list(case_ids)
        )
        return [facts_row(row) for row in rows]

    async def everywhere(self, case_id: str) -> list[FactsRow]:
        """One case in every journal that speaks of it, by origin: a case may cross tiers."""
        rows = await self._tx.all(
            f"{_SELECT} JOIN log l ON l.origin = f.origin WHERE f.case_id = ? ORDER BY f.origin", case_id
        )
        return [facts_row(row) for row in rows]

    async def of_applicant(self, origin: str, handle: str) -> list[FactsRow]:
        """The cases of one applicant, by case. Reads all of the journal's cases: it is asked for seldom."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE f.origin = ? AND f.applicant = ? ORDER BY f.case_id", origin, handle
        )
        return [facts_row(row) for row in rows]

    async def due(self, origin: str, now_us: int, limit: int) -> list[str]:
        """Cases to evaluate now, the longest due first; none that an import holds back."""
        rows = await self._tx.all(
            "SELECT case_id FROM facts WHERE origin = ? AND import_id = '' AND next_at_us <= ?"
            " ORDER BY next_at_us, case_id LIMIT ?",
            origin,
            now_us,
            limit,
        )
        return [case_id for (case_id,) in rows]

    async def next_due(self, origin: str) -> int | None:
        """When the next case is due; 0: at once; None: never."""
        row = await self._tx.one(
            "SELECT MIN(next_at_us) FROM facts WHERE origin = ? AND import_id = '' AND next_at_us IS NOT NULL",
            origin,
        )
        return None if row is None or row[0] is None else int(row[0])

    async def set_next(
        self, origin: str, pairs: Sequence[tuple[str, int | None]], folded_at: Mapping[str, int] | None = None
    ) -> None:
        """Say for each case when to look again.

        With ``folded_at``, the journal size each case was folded at when it was evaluated: a case folded again since keeps its own
        ``next_at_us`` (0: at once), so that an event between evaluation and this call is not slept over.
        """
        if folded_at is None:
            await self._tx.many(
                "UPDATE facts SET next_at_us = ? WHERE origin = ? AND case_id = ?",
                [(at_us, origin, case_id) for case_id, at_us in pairs],
            )
        else:
            await self._tx.many(
                "UPDATE facts SET next_at_us = ? WHERE origin = ? AND case_id = ? AND size = ?",
                [(at_us, origin, case_id, folded_at[case_id]) for case_id, at_us in pairs],
            )

    async def release(self, origin: str, import_id: str) -> int:
        """An import is finished: its cases are due at once. Returns how many there are."""
        return await self._tx.run(
            "UPDATE facts SET import_id = '', next_at_us = 0 WHERE origin = ? AND import_id = ?",
            origin,
            import_id,
        )

    async def wake_item(self, origin: str, item: str | None) -> int:
        """Make the cases of an item due, or with None all of them, because what they rest on changed. Returns how many."""
        if item is None:
            return await self._tx.run("UPDATE facts SET next_at_us = 0 WHERE origin = ?", origin)
        return await self._tx.run(
            "UPDATE facts SET next_at_us = 0 WHERE origin = ? AND item = ?", origin, item
        )

    async def cases_of_item(self, origin: str, item: str | None) -> list[str]:
        """The cases of an item, or of all items with None: what to fold again when its limits change."""
        if item is None:
            rows = await self._tx.all("SELECT case_id FROM facts WHERE origin = ? ORDER BY case_id", origin)
        else:
            rows = await self._tx.all(
                "SELECT case_id FROM facts WHERE origin = ? AND item = ? ORDER BY case_id", origin, item
            )
        return [case_id for (case_id,) in rows]

    async def page(self, origin: str, narrow: FactsFilter, limit: int, offset: int = 0) -> list[FactsRow]:
        """Cases that match, the latest received first."""
        where, parameters = _where(origin, narrow)
        rows = await self._tx.all(
            f"{_SELECT} WHERE {where} ORDER BY COALESCE(f.received_at_us, 0) DESC, f.case_id LIMIT ? OFFSET ?",
            *parameters,
            limit,
            offset,
        )
        return [facts_row(row) for row in rows]

    async def count(self, origin: str, narrow: FactsFilter = FactsFilter()) -> int:
        """How many cases match."""
        where, parameters = _where(origin, narrow)
        row = await self._tx.one(f"SELECT COUNT(*) FROM facts f WHERE {where}", *parameters)
        return 0 if row is None else int(row[0])

    async def touching(self, origin: str, days: Sequence[int]) -> list[FactsRow]:
        """The cases that add figures to one of these days, by case."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE f.origin = ? AND f.case_id IN"
            " (SELECT case_id FROM fact_day WHERE origin = ? AND day = ANY(?)) ORDER BY f.case_id",
            origin,
            origin,
            list(days),
        )
        return [facts_row(row) for row in rows]

    async def days(self, origin: str) -> list[int]:
        """Every day to which some case adds figures, in order."""
        rows = await self._tx.all("SELECT DISTINCT day FROM fact_day WHERE origin = ? ORDER BY day", origin)
        return [day for (day,) in rows]

    async def by_state(self, origin: str) -> dict[str, int]:
        """How many cases are in each state."""
        rows = await self._tx.all(
            "SELECT state, COUNT(*) FROM facts WHERE origin = ? AND state <> ? GROUP BY state ORDER BY state",
            origin,
            GATHERED,
        )
        return {state: count for state, count in rows}


def facts_row(row: Row) -> FactsRow:
    """The value of a plain row of `COLUMNS`."""
    values = list(row)
    values[11] = None if row[11] is None else bool(row[11])
    values[12] = orjson.loads(row[12])
    return FactsRow(*values)


def is_late(row: FactsRow, as_of_us: int) -> bool:
    """Completed late, or running here and past its statutory due (the promised one where there is no statutory) at an instant."""
    if row.late is not None:
        return row.late
    due_us = row.promised_due_us if row.statutory_due_us is None else row.statutory_due_us
    return row.state in RUNNING and due_us is not None and due_us < as_of_us


def _where(origin: str, narrow: FactsFilter) -> tuple[str, list[Any]]:
    terms, parameters = ["f.origin = ?"], [origin]

    def term(text: str, *values: Any) -> None:
        terms.append(text)
        parameters.extend(values)

    if narrow.states:
        term("f.state = ANY(?)", list(narrow.states))
    else:
        term("f.state <> ?", GATHERED)
    for column, value in (("domain", narrow.domain), ("item", narrow.item), ("agency", narrow.agency)):
        if value:
            term(f"f.{column} = ?", value)
    if narrow.agencies is not None:
        term("f.agency = ANY(?)", list(narrow.agencies))
    if narrow.received_from_us is not None:
        term("f.received_at_us >= ?", narrow.received_from_us)
    if narrow.received_to_us is not None:
        term("f.received_at_us < ?", narrow.received_to_us)
    if narrow.late is not None:
        late, values = "f.late = 1", []
        if narrow.as_of_us is not None:
            running = ", ".join(f"'{state}'" for state in RUNNING)
            due = "COALESCE(f.statutory_due_us, f.promised_due_us)"
            late = f"(f.late = 1 OR (f.late IS NULL AND f.state IN ({running}) AND {due} < ?))"
            values = [narrow.as_of_us]
        term(late if narrow.late else f"COALESCE(NOT {late}, TRUE)", *values)
    if narrow.level is not None:
        term(
            "EXISTS (SELECT 1 FROM alert a WHERE a.origin = f.origin AND a.case_id = f.case_id AND a.level = ?"
            f" AND a.state NOT IN ({', '.join(map(str, INACTIVE))}))",
            narrow.level,
        )
    return " AND ".join(terms), parameters


def _plain(row: FactsRow) -> Row:
    return (
        row.origin,
        row.case_id,
        row.domain,
        row.item,
        row.agency,
        row.state,
        row.received_at_us,
        row.accepted_at_us,
        row.completed_at_us,
        row.statutory_due_us,
        row.promised_due_us,
        None if row.late is None else int(row.late),
        orjson.dumps(row.figures).decode(),
        row.duration_days,
        row.applicant,
        row.next_at_us,
        row.import_id,
        row.size,
    )
