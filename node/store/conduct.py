"""How the nodes below conduct themselves, as far as their journals and what is found beside them tell.

`owed_answer`, `entered`, `decided` and `remark` are projections of received journals (and, for remarks, of the own one); `differing` and
`suspect` are found here and stay when projections are dropped. Nothing in it is bounded by time: a question names its period.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Final

import orjson

from node.store.engine import Transaction


@dataclass(frozen=True, slots=True)
class OwedAnswer:
    """A card that was issued and that nobody answered yet. Key (origin, alert_id)."""

    origin: str
    alert_id: str
    agency: str
    level: int
    due_day: int
    """Local day by which it is to be answered."""


@dataclass(frozen=True, slots=True)
class OwedByAgency:
    """The cards of one agency that are past their due."""

    agency: str
    alerts: int
    due_day: int
    """Of the oldest."""
    alert_id: str
    """The oldest."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a node did and that stays true. Key (origin, rule, subject)."""

    origin: str
    rule: str
    subject: str
    idx: int
    """The entry that shows it."""
    since_us: int
    measure: int
    agency: str = ""
    item: str = ""
    actor: str = ""
    figures: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suspect:
    """An alert that is found here and that its node has not raised so far. Key (origin, alert_id)."""

    origin: str
    alert_id: str
    """The id it would have."""
    case_id: str
    subject: str
    rule: str
    level: int
    since_us: int
    due_at_us: int
    over: int
    agency: str
    item: str
    actor: str
    size: int
    """Journal size it was first found at."""
    found_at_us: int
    linked_us: int
    """How long the node had been connected, in all, when it was first found."""
    ripe: int
    """1: the node had the time to raise it and did not."""


_REMARK: Final = tuple(one.name for one in fields(Remark))
_SUSPECT: Final = tuple("over_by" if one.name == "over" else one.name for one in fields(Suspect))
_suspect: Final = attrgetter(*(one.name for one in fields(Suspect)))


class Conduct:
    """What is known about how nodes below work."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def owe(self, answers: Sequence[OwedAnswer]) -> None:
        """Cards that are to be answered; one that is owed already is due when this says."""
        rows = [(one.origin, one.alert_id, one.agency, one.level, one.due_day) for one in answers]
        columns = ("origin", "alert_id", "agency", "level", "due_day")
        await self._tx.insert(
            "owed_answer",
            columns,
            rows,
            "ON CONFLICT (origin, alert_id) DO UPDATE SET due_day = excluded.due_day",
        )

    async def answered(self, origin: str, alert_ids: Sequence[str]) -> None:
        """Cards that nobody owes an answer to any more."""
        if alert_ids:
            await self._tx.run(
                "DELETE FROM owed_answer WHERE origin = ? AND alert_id = ANY(?)", origin, list(alert_ids)
            )

    async def overdue(self, origin: str, before_day: int) -> list[OwedByAgency]:
        """Cards whose reply was due before a local day, by agency."""
        rows = await self._tx.all(
            "SELECT agency, due_day, alert_id FROM owed_answer WHERE origin = ? AND due_day < ?"
            " ORDER BY agency, due_day, alert_id",
            origin,
            before_day,
        )
        found: dict[str, OwedByAgency] = {}
        for agency, due_day, alert_id in rows:
            known = found.get(agency)
            if known is None:
                found[agency] = OwedByAgency(agency, 1, due_day, alert_id)
            else:
                found[agency] = OwedByAgency(agency, known.alerts + 1, known.due_day, known.alert_id)
        return list(found.values())

    async def count_entered(self, origin: str, counts: Mapping[tuple[int, str], tuple[int, int]]) -> None:
        """Add to (local day, agency) so many events and so many late ones."""
        await self._tx.many(
            "INSERT INTO entered (origin, day, agency, events, late) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (origin, day, agency) DO UPDATE SET"
            " events = entered.events + excluded.events, late = entered.late + excluded.late",
            [(origin, day, agency, events, late) for (day, agency), (events, late) in counts.items()],
        )

    async def entered(self, origin: str, from_day: int) -> list[tuple[str, int, int]]:
        """Since a local day, by agency: events, and of them those entered late."""
        rows = await self._tx.all(
            "SELECT agency, SUM(events), SUM(late) FROM entered WHERE origin = ? AND day >= ?"
            " GROUP BY agency ORDER BY agency",
            origin,
            from_day,
        )
        return [(agency, int(events), int(late)) for agency, events, late in rows]

    async def count_decided(self, origin: str, counts: Mapping[int, tuple[int, int]]) -> None:
        """Add to a local day so many cards raised and so many cancelled."""
        await self._tx.many(
            "INSERT INTO decided (origin, day, cards, cancelled) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (origin, day) DO UPDATE SET"
            " cards = decided.cards + excluded.cards, cancelled = decided.cancelled + excluded.cancelled",
            [(origin, day, cards, cancelled) for day, (cards, cancelled) in counts.items()],
        )

    async def decided(self, origin: str, from_day: int) -> tuple[int, int]:
        """Since a local day: cards raised, and cards cancelled."""
        row = await self._tx.one(
            "SELECT COALESCE(SUM(cards), 0), COALESCE(SUM(cancelled), 0) FROM decided"
            " WHERE origin = ? AND day >= ?",
            origin,
            from_day,
        )
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    async def remark(self, remarks: Iterable[Remark]) -> None:
        """Keep remarks; of several about the same the greatest measure counts."""
        await self._tx.many(
            f"INSERT INTO remark ({', '.join(_REMARK)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (origin, rule, subject) DO UPDATE SET measure = excluded.measure,"
            " idx = excluded.idx, figures = excluded.figures WHERE remark.measure < excluded.measure",
            [
                (
                    one.origin,
                    one.rule,
                    one.subject,
                    one.idx,
                    one.since_us,
                    one.measure,
                    one.agency,
                    one.item,
                    one.actor,
                    orjson.dumps(dict(one.figures)).decode(),
                )
                for one in remarks
            ],
        )

    async def remarks(self, origin: str) -> list[Remark]:
        """What stays true of a node, in the order of its rules and subjects."""
        rows = await self._tx.all(
            f"SELECT {', '.join(_REMARK)} FROM remark WHERE origin = ? ORDER BY rule, subject", origin
        )
        return [Remark(*[*row[:-1], orjson.loads(row[-1])]) for row in rows]

    async def differ(self, origin: str, days: Sequence[int], figures: Mapping[int, int], now_us: int) -> None:
        """These days were compared; ``figures`` says how many figures differ on those where some do."""
        if days:
            await self._tx.run("DELETE FROM differing WHERE origin = ? AND day = ANY(?)", origin, list(days))
        rows = [(origin, day, count, now_us) for day, count in sorted(figures.items())]
        await self._tx.insert("differing", ("origin", "day", "figures", "found_at_us"), rows)

    async def differing(self, origin: str) -> tuple[int, int, int]:
        """Figures that differ, days on which they do, and when the first of these was found."""
        row = await self._tx.one(
            "SELECT COALESCE(SUM(figures), 0), COUNT(*), COALESCE(MIN(found_at_us), 0)"
            " FROM differing WHERE origin = ?",
            origin,
        )
        return (0, 0, 0) if row is None else (int(row[0]), int(row[1]), int(row[2]))

    async def suspects(self, origin: str) -> list[Suspect]:
        """Alerts that a node has not raised so far."""
        rows = await self._tx.all(
            f"SELECT {', '.join(_SUSPECT)} FROM suspect WHERE origin = ? ORDER BY alert_id", origin
        )
        return [Suspect(*row) for row in rows]

    async def suspect(self, suspects: Sequence[Suspect]) -> None:
        """Keep suspects; one that is there keeps when it was first found."""
        await self._tx.insert(
            "suspect",
            _SUSPECT,
            [_suspect(one) for one in suspects],
            "ON CONFLICT (origin, alert_id) DO UPDATE SET ripe = excluded.ripe",
        )

    async def clear(self, origin: str, alert_ids: Sequence[str]) -> None:
        """These are no suspects any more."""
        if alert_ids:
            await self._tx.run(
                "DELETE FROM suspect WHERE origin = ? AND alert_id = ANY(?)", origin, list(alert_ids)
            )
