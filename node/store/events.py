"""Case events as projected from journals, clustered so that one case's events lie side by side.

A projection: drop it and the journal gives it back. Inserting a row again changes nothing, so a projector killed between two
transactions may simply read again.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import orjson

from node.store.engine import Row, Transaction
from node.store.rows import EventRow

COLUMNS: Final = (
    "origin",
    "case_id",
    "idx",
    "at_us",
    "day_only",
    "zone",
    "domain",
    "kind",
    "received_at_us",
    "noted_at_us",
    "agency",
    "actor",
    "item",
    "step",
    "applicant",
    "import_id",
    "attributes",
)
"""The order of the plain rows that `stream` gives; ``attributes`` is JSON text there, ``day_only`` 0 or 1."""

_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM event"


class Events:
    """Events of cases."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def insert(self, rows: Sequence[EventRow]) -> int:
        """Add rows; those already there are left alone. Returns how many were new."""
        return await self._tx.insert(
            "event", COLUMNS, [_plain(row) for row in rows], "ON CONFLICT DO NOTHING"
        )

    async def of_cases(self, origin: str, case_ids: Sequence[str]) -> list[EventRow]:
        """Every event of these cases, ordered by (case, index)."""
        return [event_row(row) for row in await self.rows_of_cases(origin, case_ids)]

    async def rows_of_cases(self, origin: str, case_ids: Sequence[str]) -> list[Row]:
        """The same as plain rows of `COLUMNS`, for folds of many cases."""
        return await self._tx.all(
            f"{_SELECT} WHERE origin = ? AND case_id = ANY(?) ORDER BY case_id, idx", origin, list(case_ids)
        )

    async def cases_between(self, origin: str, from_us: int, to_us: int, size: int) -> list[str]:
        """Cases with an event that happened in ``[from_us, to_us)`` among the first ``size`` entries; no gatherings. Reads every event."""
        rows = await self._tx.all(
            "SELECT DISTINCT case_id FROM event WHERE origin = ? AND at_us >= ? AND at_us < ? AND idx < ?"
            " AND SUBSTR(case_id, 1, 1) <> '@' ORDER BY case_id",
            origin,
            from_us,
            to_us,
            size,
        )
        return [case_id for (case_id,) in rows]

    async def stages(self, origin: str, case_ids: Sequence[str]) -> list[tuple[str, int, str, str]]:
        """(case, instant, kind, step) of every event of these cases, case by case, each in the order in which it happened."""
        rows = await self._tx.all(
            "SELECT case_id, at_us, kind, step FROM event WHERE origin = ? AND case_id = ANY(?) ORDER BY case_id, at_us, idx",
            origin,
            list(case_ids),
        )
        return [(case, int(at_us), kind, step) for case, at_us, kind, step in rows]

    async def steps_between(self, origin: str, from_us: int, to_us: int) -> dict[str, int]:
        """Step → how often it was taken in ``[from_us, to_us)``; no gatherings. Reads every event."""
        rows = await self._tx.all(
            "SELECT step, COUNT(*) FROM event WHERE origin = ? AND at_us >= ? AND at_us < ? AND step <> ''"
            " AND SUBSTR(case_id, 1, 1) <> '@' GROUP BY step ORDER BY step",
            origin,
            from_us,
            to_us,
        )
        return {step: int(count) for step, count in rows}

    async def page(self, origin: str, after: tuple[str, int] | None, limit: int) -> list[EventRow]:
        """The next rows after the key (case, index), ordered by it; None begins."""
        return [event_row(row) for row in await self._page(origin, after, limit)]

    async def _page(self, origin: str, after: tuple[str, int] | None, limit: int) -> list[Row]:
        case_id, index = after or ("", -1)
        return await self._tx.all(
            f"{_SELECT} WHERE origin = ? AND (case_id, idx) > (?, ?) ORDER BY case_id, idx LIMIT ?",
            origin,
            case_id,
            index,
            limit,
        )

    async def stream(self, origin: str, rows_at_once: int = 20_000) -> AsyncIterator[list[Row]]:
        """Every event of an origin as plain rows of `COLUMNS`, ordered by (case, index), a list at a time.

        For bulk folds: no object is made for a row.
        """
        after: tuple[str, int] | None = None
        while rows := await self._page(origin, after, rows_at_once):
            yield rows
            after = (rows[-1][1], rows[-1][2])

    async def count(self, origin: str) -> int:
        """How many events an origin has; each once, whatever it gathers under."""
        row = await self._tx.one(
            "SELECT COUNT(*) FROM event WHERE origin = ? AND SUBSTR(case_id, 1, 1) <> '@'", origin
        )
        return 0 if row is None else int(row[0])

    async def cases(self, origin: str) -> int:
        """How many cases have events."""
        row = await self._tx.one(
            "SELECT COUNT(DISTINCT case_id) FROM event WHERE origin = ? AND SUBSTR(case_id, 1, 1) <> '@'",
            origin,
        )
        return 0 if row is None else int(row[0])


def event_row(row: Row) -> EventRow:
    """The value of a plain row of `COLUMNS`."""
    values = list(row)
    values[4] = bool(row[4])
    values[16] = orjson.loads(row[16])
    return EventRow(*values)


def _plain(row: EventRow) -> Row:
    return (
        row.origin,
        row.case_id,
        row.idx,
        row.at_us,
        int(row.day_only),
        row.zone,
        row.domain,
        row.kind,
        row.received_at_us,
        row.noted_at_us,
        row.agency,
        row.actor,
        row.item,
        row.step,
        row.applicant,
        row.import_id,
        orjson.dumps(row.attributes).decode(),
    )
