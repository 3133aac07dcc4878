"""Alerts: raised once each, then moved from state to state.

For the own journal this table is a guard, written in the append's transaction: (origin, case, subject, rule, level, episode) is
unique, so raising the same finding twice writes nothing. For received journals it is a projection like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

from zongheng.v1.entry_pb2 import AlertState

from node.store.engine import Transaction
from node.store.rows import AlertRecord

COLUMNS: Final = tuple("over_by" if field.name == "over" else field.name for field in fields(AlertRecord))

_plain: Final = attrgetter(*(field.name for field in fields(AlertRecord)))

INACTIVE: Final = (
    int(AlertState.ALERT_STATE_CANCELLED),
    int(AlertState.ALERT_STATE_CLOSED),
    int(AlertState.ALERT_STATE_CORRECTED),
)
"""States in which an alert no longer stands."""

_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM alert"

AlertKey = tuple[str, str, str, int, int]
"""(case, subject, rule, level, episode), unique in one journal."""


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; what is None or empty does not narrow."""

    level: int | None = None
    rule: str = ""
    domain: str = ""
    agency: str = ""
    item: str = ""
    case_id: str = ""
    states: tuple[int, ...] = ()
    active: bool = False
    """Only alerts that still stand."""
    since_from_us: int | None = None
    """Holds since this instant or later."""
    since_to_us: int | None = None
    """Holds since before this instant."""
    raised_to_us: int | None = None
    """Raised at or before this instant."""
    below_idx: int | None = None
    """Raised by an entry before this journal size."""
    agencies: tuple[str, ...] | None = None
    """Of one of these agencies."""


@dataclass(frozen=True, slots=True)
class AlertCount:
    """How many alerts of one rule, level and state."""

    domain: str
    rule: str
    level: int
    state: int
    alerts: int


class Alerts:
    """Alerts of every journal held here."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def insert(self, records: Sequence[AlertRecord]) -> int:
        """Add alerts; one whose id or key is there already is left as it is. Returns how many were new."""
        return await self._tx.insert("alert", COLUMNS, list(map(_plain, records)), "ON CONFLICT DO NOTHING")

    async def of_cases(self, origin: str, case_ids: Sequence[str]) -> list[AlertRecord]:
        """Every alert of these cases, in the order they were raised."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE origin = ? AND case_id = ANY(?) ORDER BY idx, alert_id", origin, list(case_ids)
        )
        return [AlertRecord(*row) for row in rows]

    async def get(self, origin: str, alert_id: str) -> AlertRecord | None:
        """One alert; None: unknown."""
        row = await self._tx.one(f"{_SELECT} WHERE origin = ? AND alert_id = ?", origin, alert_id)
        return None if row is None else AlertRecord(*row)

    async def known(self, origin: str, alert_ids: Sequence[str]) -> list[AlertRecord]:
        """Those of these alerts that are known."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE origin = ? AND alert_id = ANY(?)", origin, list(alert_ids)
        )
        return [AlertRecord(*row) for row in rows]

    async def find(self, alert_id: str) -> list[AlertRecord]:
        """Every journal's alert of this id, by origin."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE origin IN (SELECT origin FROM log) AND alert_id = ? ORDER BY origin", alert_id
        )
        return [AlertRecord(*row) for row in rows]

    async def set_state(self, origin: str, alert_id: str, state: int) -> bool:
        """Move an alert; False: there is no such alert."""
        return (
            await self._tx.run(
                "UPDATE alert SET state = ? WHERE origin = ? AND alert_id = ?", state, origin, alert_id
            )
            == 1
        )

    async def set_states(self, origin: str, moves: Sequence[tuple[str, int]]) -> None:
        """Move many alerts, given as (id, state), in this order."""
        await self._tx.many(
            "UPDATE alert SET state = ? WHERE origin = ? AND alert_id = ?",
            [(state, origin, alert_id) for alert_id, state in moves],
        )

    async def page(
        self, origin: str, narrow: AlertFilter, limit: int, after_idx: int = -1
    ) -> list[AlertRecord]:
        """Alerts that match and were raised after entry ``after_idx``, in the order they were raised."""
        where, parameters = _where(origin, narrow)
        rows = await self._tx.all(
            f"{_SELECT} WHERE {where} AND idx > ? ORDER BY idx, alert_id LIMIT ?",
            *parameters,
            after_idx,
            limit,
        )
        return [AlertRecord(*row) for row in rows]

    async def latest(self, origin: str, narrow: AlertFilter, limit: int) -> list[AlertRecord]:
        """Alerts that match, the last raised first."""
        where, parameters = _where(origin, narrow)
        rows = await self._tx.all(
            f"{_SELECT} WHERE {where} ORDER BY idx DESC, alert_id LIMIT ?", *parameters, limit
        )
        return [AlertRecord(*row) for row in rows]

    async def counts(
        self,
        origin: str,
        narrow: AlertFilter = AlertFilter(),
    ) -> list[AlertCount]:
        """How many match, by domain, rule, level and state."""
        where, parameters = _where(origin, narrow)
        rows = await self._tx.all(
            f"SELECT domain, rule, level, state, COUNT(*) FROM alert WHERE {where}"
            " GROUP BY domain, rule, level, state ORDER BY domain, rule, level, state",
            *parameters,
        )
        return [AlertCount(*row) for row in rows]

    async def on_days(self, origin: str, from_us: int, to_us: int) -> list[AlertRecord]:
        """Alerts that hold since an instant in ``[from_us, to_us)``."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE origin = ? AND since_us >= ? AND since_us < ? ORDER BY since_us, idx",
            origin,
            from_us,
            to_us,
        )
        return [AlertRecord(*row) for row in rows]

    async def days(self, origin: str) -> list[int]:
        """Every UTC day, since 1970-01-01, in which some alert begins to hold."""
        rows = await self._tx.all(
            "SELECT DISTINCT since_us / 86400000000 FROM alert WHERE origin = ? ORDER BY 1", origin
        )
        return [int(day) for (day,) in rows]

    async def episodes(self, origin: str, case_ids: Sequence[str]) -> dict[tuple[str, str, str, int], int]:
        """The last episode of each (case, subject, rule, level) of these cases."""
        rows = await self._tx.all(
            "SELECT case_id, subject, rule, level, MAX(episode) FROM alert"
            " WHERE origin = ? AND case_id = ANY(?) GROUP BY case_id, subject, rule, level",
            origin,
            list(case_ids),
        )
        return {(case_id, subject, rule, level): episode for case_id, subject, rule, level, episode in rows}

    async def top_levels(self, origin: str, case_ids: Sequence[str]) -> dict[str, int]:
        """The highest level that still stands, for each of these cases that has one."""
        rows = await self._tx.all(
            "SELECT case_id, MAX(level) FROM alert WHERE origin = ? AND case_id = ANY(?)"
            f" AND state NOT IN ({', '.join(map(str, INACTIVE))}) GROUP BY case_id",
            origin,
            list(case_ids),
        )
        return {case_id: level for case_id, level in rows}


def alert_key(record: AlertRecord) -> AlertKey:
    """What makes an alert the same alert."""
    return record.case_id, record.subject, record.rule, record.level, record.episode


def _where(origin: str, narrow: AlertFilter) -> tuple[str, list[Any]]:
    terms: list[str] = ["origin = ?"]
    parameters: list[Any] = [origin]
    for text, value in (
        ("level = ?", narrow.level),
        ("rule = ?", narrow.rule or None),
        ("domain = ?", narrow.domain or None),
        ("agency = ?", narrow.agency or None),
        ("item = ?", narrow.item or None),
        ("case_id = ?", narrow.case_id or None),
        ("state = ANY(?)", list(narrow.states) or None),
        ("since_us >= ?", narrow.since_from_us),
        ("since_us < ?", narrow.since_to_us),
        ("raised_at_us <= ?", narrow.raised_to_us),
        ("idx < ?", narrow.below_idx),
        ("agency = ANY(?)", None if narrow.agencies is None else list(narrow.agencies)),
    ):
        if value is not None:
            terms.append(text)
            parameters.append(value)
    if narrow.active:
        terms.append(f"state NOT IN ({', '.join(map(str, INACTIVE))})")
    return " AND ".join(terms), parameters
