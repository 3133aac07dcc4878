"""The context in which a journal's cases are judged: its calendar, catalogue, policy and zone, read from its own entries.

A parent judges a child's cases by the child's catalogue and calendar as the child's journal has them, so both come to the
same figures. A context is rebuilt only when something published in that journal changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from zoneinfo import ZoneInfo

from zongheng.v1.catalogue_pb2 import Agency, CalendarChange, Item
from zongheng.v1.catalogue_pb2 import Policy as PolicyMessage
from zongheng.v1.engine_pb2 import Library, LocalRule
from zongheng.v1.entry_pb2 import Genesis
from zongheng.v1.footing_pb2 import MandatedPiece

from node.projection.mandated import Mandated
from node.projection.mandates import ABOVE, KINDS
from node.store.store import Session, Store
from node.supervision.calendar import EPOCH_ORDINAL, Calendar, Override
from node.supervision.context import ZONE, Context
from node.supervision.fold import Domain, installed
from node.supervision.library import libraries
from node.supervision.local_rule import with_local_rules
from node.supervision.loosening import Loosening, merged_items
from node.supervision.policy import Policy
from tiers.profile import profile_of
from tiers.tier import Tier, tier_named


@dataclass(frozen=True, slots=True)
class JournalContext:
    """What is published in one journal."""

    origin: str
    genesis: Genesis
    context: Context
    domains: tuple[Domain, ...]
    """The domains that the tier's profile switches on."""
    lines: dict[str, str]
    agencies: dict[str, Agency] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    """Local rules that this version cannot read."""
    ignored: tuple[Loosening, ...] = ()
    """Own items that are looser than what is mandated above."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.genesis.zone or ZONE)


class Contexts:
    """The contexts of all journals a node holds, by origin."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, JournalContext] = {}
        self._forgotten = 0

    def forget(self, origin: str) -> None:
        """Something was published in this journal."""
        self._known.pop(origin, None)
        self._forgotten += 1

    def clear(self) -> None:
        """Projections were dropped."""
        self._known.clear()
        self._forgotten += 1

    async def of(self, origin: str) -> JournalContext:
        """The context of ``origin`` as projected so far."""
        known = self._known.get(origin)
        if known is None:
            forgotten = self._forgotten
            async with self._store.read() as session:
                known = await _load(session, origin)
            # What was published while it was loaded is not in it: good for this caller's snapshot, not for the next.
            if forgotten == self._forgotten:
                self._known[origin] = known
        return known

    async def at(self, origin: str, size: int) -> JournalContext:
        """The context that the first ``size`` entries of ``origin`` gave: what an alert of that journal size was judged by."""
        async with self._store.read() as session:
            return await _load(session, origin, size)


PUBLISHED = ("genesis", "item", "agency", "calendar", "policy", "library", "rule")
"""Kinds of what a context is made of."""

Pieces = Mapping[str, Sequence[bytes]]
"""Serialised messages of each kind, in journal order."""


async def published(session: Session, origin: str, size: int | None = None) -> Pieces:
    """What is published in a journal, or in its first ``size`` entries."""
    return {
        kind: [
            piece.body
            for piece in await session.catalogue.all(origin, kind)
            if size is None or piece.idx < size
        ]
        for kind in PUBLISHED
    } | {
        f"{kind}{ABOVE}": [
            MandatedPiece(line=piece.code, body=piece.body).SerializeToString()
            for piece in await session.catalogue.all(origin, f"{kind}{ABOVE}")
            if size is None or piece.idx < size
        ]
        for kind in KINDS.values()
    }


async def zone_of(session: Session, origin: str) -> str:
    """The zone of a journal's node, by its genesis; the default one while that is not projected."""
    found = await session.catalogue.all(origin, "genesis")
    return (Genesis.FromString(found[-1].body).zone if found else "") or ZONE


async def _load(session: Session, origin: str, size: int | None = None) -> JournalContext:
    return context_of(origin, await published(session, origin, size))


def context_of(origin: str, pieces: Pieces) -> JournalContext:
    """The context that these pieces give; a pure function of them."""
    # The newest version rules from the moment it is journalled, whatever `valid_from_us` says: figures never depend on now, and whoever
    # reads this journal up to a size must judge by the same version. Publishing refuses a policy that is to apply later.
    genesis = Genesis.FromString(pieces["genesis"][-1]) if pieces["genesis"] else Genesis(node=origin)
    agencies = {agency.code: agency for agency in (Agency.FromString(piece) for piece in pieces["agency"])}
    policies = [PolicyMessage.FromString(piece) for piece in pieces["policy"]]
    own = Policy.from_message(max(policies, key=lambda policy: policy.version)) if policies else Policy()
    above = Mandated(pieces)
    items, ignored = merged_items([Item.FromString(piece) for piece in pieces["item"]], above.items)
    profile = profile_of(tier_named(genesis.tier or Tier.VILLAGE))
    context = Context(
        # A day that is decided above is decided, the furthest above last.
        calendar=_calendar(
            genesis,
            [*(CalendarChange.FromString(piece) for piece in pieces["calendar"]), *above.calendars],
        ),
        items=items,
        policy=replace(own, mandates=above.mandates),
        zone=genesis.zone or ZONE,
        tier=genesis.tier,
        node=origin,
        libraries=libraries(above.over(Library.FromString(piece) for piece in pieces["library"])),
        hours=tuple((_minutes(hours.opens), _minutes(hours.closes)) for hours in profile.place.hall_hours),
    )
    lines = {code: agency.line for code, agency in agencies.items() if agency.line}
    applied = with_local_rules(
        installed(profile.domains),
        above.over_rules(LocalRule.FromString(piece) for piece in pieces["rule"]),
        context.zone,
    )
    return JournalContext(
        origin, genesis, context, applied.domains, lines, agencies, applied.left_out, tuple(ignored)
    )


def _calendar(genesis: Genesis, changes: list[CalendarChange]) -> Calendar:
    newest = {day.day: day for change in changes for day in change.days}
    overrides = tuple(
        Override(date.fromordinal(day.day + EPOCH_ORDINAL), day.working, day.name) for day in newest.values()
    )
    if genesis.calendar == "weekdays":
        return Calendar.weekdays(overrides)
    years = frozenset(year for change in changes for year in change.published_years)
    return Calendar.china(overrides, published_years=years)


def _minutes(of_day: time) -> int:
    return of_day.hour * 60 + of_day.minute
