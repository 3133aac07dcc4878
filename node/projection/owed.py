"""What the fold owes each journal: the cases and days touched between the cursors ``facts`` and ``events``.

Kept in memory only. After a start it is read again from the stretch between the two cursors; which days a fold that was cut off had got to
nobody remembers then, so all are counted again.
"""

from dataclasses import dataclass, field

from node.projection.context import Contexts, zone_of
from node.projection.entries import IMPORT_FINISHED, Reading, read
from node.projection.figures import alert_day
from node.projection.mandates import BESIDE_FACTS
from node.projection.progress import Pace, Progress
from node.store.store import Session, Store


@dataclass(slots=True)
class Owed:
    """What the fold owes one journal."""

    cases: set[str] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    everything: bool = False
    imports: list[str] = field(default_factory=list)


class Owing:
    """What the fold owes, journal by journal."""

    def __init__(self, store: Store, contexts: Contexts, own: str, progress: Progress, pace: Pace) -> None:
        self._store = store
        self._contexts = contexts
        self._own = own
        self._progress = progress
        self._pace = pace
        self._owed: dict[str, Owed] = {}

    async def of(self, origin: str) -> Owed:
        """What is owed to this journal; after a start, read again from between the two cursors."""
        owed = self._owed.get(origin)
        if owed is not None:
            return owed
        owed = Owed()
        async with self._store.read() as session:
            low = (await session.cursors.get("facts", origin)).position
            high = (await session.cursors.get("events", origin)).position
            zone = await zone_of(session, origin)
            if origin == self._own and (low < high or self._progress.rebuilding):
                # A fold may have been cut off after it replaced facts: which days they counted on before, only the rows know.
                owed.days.update(await session.rollups.days(origin))
        chunk = self._pace.read_chunk
        for lo in range(low, high, chunk):
            async with self._store.read() as session:
                leaves = await session.journal.leaves(origin, lo, min(high, lo + chunk))
            await self.add(owed, read(origin, lo, leaves, zone=zone))
        self._owed[origin] = owed
        return owed

    async def add(self, owed: Owed, reading: Reading) -> None:
        """What was read is owed from now on."""
        zone = (await self._contexts.of(reading.origin)).zone
        owed.cases.update(event.case_id for event in reading.events)
        owed.days.update(alert_day(alert, zone) for alert in reading.alerts)
        for piece in reading.catalogue:
            if piece.kind == IMPORT_FINISHED:
                owed.imports.append(piece.code)
            elif piece.kind == "item":
                owed.items.add(piece.code)
            elif piece.kind.partition("@")[0] not in BESIDE_FACTS:
                owed.everything = True
        if reading.moves:
            moved_ids = sorted({alert_id for alert_id, _ in reading.moves})
            async with self._store.read() as session:
                moved = await session.alerts.known(reading.origin, moved_ids)
            owed.days.update(alert_day(alert, zone) for alert in moved)

    def paid(self, origin: str) -> None:
        """Everything that was owed to this journal is folded."""
        self._owed[origin] = Owed()

    def unsure(self, origin: str) -> None:
        """What is owed to this journal is to be read again from its cursors."""
        self._owed.pop(origin, None)

    def clear(self) -> None:
        """As `unsure`, of all."""
        self._owed.clear()


async def finished_imports(session: Session, own: str) -> set[str]:
    """The imports whose end has been read. Not those that are finished by now: their last rows may not be read yet."""
    return {piece.code for piece in await session.catalogue.all(own, IMPORT_FINISHED)}
