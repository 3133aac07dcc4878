"""The projector: reads every journal a node holds and keeps events, facts, rollups and alerts in step with it.

One task, three stages, each moved on by a cursor that is written in the transaction of its rows:

1. *read*: leaves → event, catalogue and alert rows (cursor ``events``);
2. *fold*: the cases touched → facts summaries and, for the own journal, rollup rows (cursor ``facts``);
3. *wake*: own cases whose ``next_at_us`` has come and that no unfinished import holds back → alerts raised or corrected.

Killed anywhere, it goes on from its cursors: rows are written idempotently, raising is guarded by the alert's key, and what the fold still
owes is read again from the stretch between the two cursors. A node that holds a journal it cannot fold says so in its log and tries again; it
never skips.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from zongheng.v1.entry_pb2 import ALERT_STATE_ISSUED, Entry, Forwarded

from node.projection.context import Contexts, JournalContext
from node.projection.entries import Reading, read
from node.projection.figures import alert_day, rows_of_days
from node.projection.judging import Judgement, judge
from node.projection.raising import Raising
from node.resupervision.comparison import Comparison
from node.store.catalogue import Published
from node.store.inbox import Inbox
from node.store.rows import FactsRow, Head
from node.store.store import Session, Store
from node.store.writer import Draft, JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

READ_CHUNK = 5_000
"""Leaves read in one transaction; nothing else runs while they are parsed."""

FOLD_CASES = 10_000
"""Cases folded at once: bounds memory on a bulk import."""

FOLD_AFTER = 100_000
"""Cases that are waiting when the fold begins though there is more to read."""

WAKE_CASES = 10_000

RUSH = 2_000
"""Entries that have to be waiting for the projector before it gives way to intake."""

GIVE_WAY_S = 10.0
"""How long it gives way at most; then intake has to share."""

_PAUSE_S = 0.1

PATIENCE_S = 60.0
"""How long a question waits for the projections to catch up before it is answered from where they are."""

_DAY_US = 86_400_000_000
_RED = 3
_REBUILDING = "projection.rebuilding"


@dataclass(slots=True)
class _Owed:
    """What the fold owes one journal: the cases and days touched between the cursors ``facts`` and ``events``."""

    cases: set[str] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    everything: bool = False
    imports: list[str] = field(default_factory=list)


class Projector:
    """Keeps one node's projections in step with its journals."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        inbox: Inbox,
        contexts: Contexts,
        raising: Raising,
        comparison: Comparison,
        now: Now,
        counted: Callable[[], None],
    ) -> None:
        """``counted`` is told when own rollup rows may have changed."""
        self._counted = counted
        self._store = store
        self._writer = writer
        self._inbox = inbox
        self._contexts = contexts
        self._raising = raising
        self._comparison = comparison
        self._now = now
        self._own = writer.node
        self._owed: dict[str, _Owed] = {}
        self._bell = asyncio.Event()
        self._turn = asyncio.Lock()
        self._idle = asyncio.Condition()
        self._idle_passes = 0
        self._awaited = 0
        self._read_to = 0
        self._running = False
        self._rebuilding = False
        self.parked = 0
        """Entries that this version cannot read."""

    def ring(self) -> None:
        """Something may be due: a journal grew, a report came, a deadline passed."""
        self._bell.set()

    async def run(self) -> None:
        """Work whenever there is work, until cancelled."""
        self._running = True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen_own())
                group.create_task(self._listen_children())
                await self._work()
        finally:
            self._running = False

    async def _work(self) -> None:
        while True:
            self._bell.clear()
            try:
                busy = await self._pass()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("projection.failed", instruction="the projector tries again in 5 seconds")
                await asyncio.sleep(5)
                continue
            if busy:
                continue
            async with self._idle:
                self._idle_passes += 1
                self._idle.notify_all()
            await self._bell.wait()

    async def _listen_own(self) -> None:
        size = self._writer.size
        while True:
            size = await self._writer.wait_beyond(size)
            self.ring()

    async def _listen_children(self) -> None:
        changes = self._inbox.changes
        while True:
            changes = await self._inbox.wait_change(changes)
            self.ring()

    async def settled(self, patience_s: float = PATIENCE_S) -> bool:
        """Wait until everything journalled before this call is projected and judged; False when patience ran out."""
        if not self._running:
            await self.catch_up()
            return True
        self._awaited += 1
        try:
            async with self._idle:
                # The pass under way may have begun before what the caller just wrote: wait for a whole one after it.
                target = self._idle_passes + 1
                self.ring()
                async with asyncio.timeout(patience_s):
                    await self._idle.wait_for(lambda: self._idle_passes >= target)
        except TimeoutError:
            return False
        finally:
            self._awaited -= 1
        return True

    async def catch_up(self) -> None:
        """Work until nothing is left to do now."""
        while await self._pass():
            pass

    async def rebuild(self) -> None:
        """Drop every projection and read all journals again from their first entry."""
        async with self._turn:
            async with self._store.write() as session:
                await session.drop_projections()
                # Killed in the middle, the next start must know that alert rows are still missing.
                await session.links.put(_REBUILDING, b"1")
            self._rebuilding = True
            self._owed.clear()
            self._read_to = self.parked = 0
            self._contexts.clear()
            self._comparison.forget()
        await self.settled(patience_s=3_600)

    async def open(self) -> None:
        """Look whether a rebuild was cut off; call once before anything else."""
        async with self._store.read() as session:
            self._rebuilding = await session.links.get(_REBUILDING) is not None
            self._read_to = (await session.cursors.get("events", self._own)).position

    async def _pass(self) -> bool:
        async with self._turn:
            busy = False
            await self._give_way()
            heads = await self._heads()
            for head in heads:
                busy |= await self._read(head)
                # Folding costs the same for a day's figures whether one entry or many touched them, so what waits is folded together.
                while self._read_to < head.size and len(self._owed[self._own].cases) < FOLD_AFTER:
                    if head.origin != self._own:
                        break
                    await self._give_way()
                    await self._read(head)
            for head in heads:
                busy |= await self._fold(head.origin)
            await self._comparison.check()
            # Until the alert rows are back nothing may be raised: the guard against raising twice is among them.
            return busy | (not self._rebuilding and await self._wake())

    async def _give_way(self) -> None:
        """Let a rush of intake pass: both need the same processor, and who hands in is waiting for an answer.

        A single event is never kept waiting, nor is anybody who waits for the projections to settle.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + GIVE_WAY_S
        while self._running and not self._awaited and loop.time() < until:
            size = self._writer.size
            if size - self._read_to < RUSH:
                return
            await asyncio.sleep(_PAUSE_S)
            if self._writer.size - size < RUSH * _PAUSE_S:
                return

    async def _heads(self) -> list[Head]:
        async with self._store.read() as session:
            return await session.journal.heads()

    # 1. read

    async def _read(self, head: Head) -> bool:
        origin = head.origin
        async with self._store.read() as session:
            position = (await session.cursors.get("events", origin)).position
            top = min(head.size, position + READ_CHUNK)
            if origin != self._own:
                top = self._comparison.bound(origin, position, top)
            if position >= top:
                return False
            leaves = await session.journal.leaves(origin, position, top)
        reading = read(origin, position, leaves)
        self.parked += len(reading.parked)
        for idx in reading.parked:
            log.warning(
                "projection.parked",
                origin=origin,
                index=idx,
                instruction="upgrade, then run zongheng rebuild",
            )
        owed = await self._owing(origin)
        async with self._store.write() as session:
            await session.events.insert(reading.events)
            await session.catalogue.put(
                [
                    Published(origin, piece.kind, piece.code, piece.version, piece.idx, piece.body)
                    for piece in reading.catalogue
                ]
            )
            await session.alerts.insert(reading.alerts)
            # The append itself moves own alerts; only a rebuild has to say it again, and must not do so at any other time: an
            # alert that has moved on since would fall back.
            if origin != self._own or self._rebuilding:
                await session.alerts.set_states(origin, reading.moves)
        if reading.catalogue:
            self._contexts.forget(origin)
        await self._owe(owed, reading)
        if origin != self._own:
            await self._forward(origin, reading)
        async with self._store.write() as session:
            await session.cursors.set("events", origin, reading.hi)
            if origin == self._own:
                self._read_to = reading.hi
            if self._rebuilding and origin == self._own and reading.hi >= head.size:
                await session.links.delete(_REBUILDING)
                self._rebuilding = False
        return True

    async def _owe(self, owed: _Owed, reading: Reading) -> None:
        context = await self._contexts.of(reading.origin)
        owed.cases.update(event.case_id for event in reading.events)
        owed.days.update(alert_day(alert, context.zone) for alert in reading.alerts)
        owed.imports += reading.finished_imports
        for piece in reading.catalogue:
            if piece.kind == "item":
                owed.items.add(piece.code)
            else:
                owed.everything = True
        if not reading.moves:
            return
        async with self._store.read() as session:
            for alert_id, _ in reading.moves:
                moved = await session.alerts.get(reading.origin, alert_id)
                if moved is not None:
                    owed.days.add(alert_day(moved, context.zone))
                    if moved.level == _RED and moved.state == ALERT_STATE_ISSUED:
                        reading.rises.append(moved.idx)

    async def _forward(self, origin: str, reading: Reading) -> None:
        """Enter again what rises from a child: its red cards, forks, and what rose to it from below."""
        if not reading.rises:
            return
        drafts = []
        async with self._store.read() as session:
            head = await session.journal.head(origin)
            if head is None:
                return
            reader = session.journal.reader(origin, head.size)
            for index in sorted(set(reading.rises)):
                leaf = await session.journal.leaf(origin, index)
                if leaf is None:
                    continue
                inner = Entry.FromString(leaf)
                if inner.HasField("forwarded"):
                    forwarded = inner.forwarded
                elif inner.HasField("alert_raised") and not await self._is_issued(session, origin, inner):
                    continue
                else:
                    forwarded = Forwarded(
                        origin=origin,
                        index=index,
                        leaf=leaf,
                        proof=await reader.inclusion_proof(index, head.size),
                        checkpoint=head.note,
                        verifier=head.verifier,
                    )
                entry = Entry(
                    noted_at_us=self._now(),
                    source="forward",
                    serial=f"{forwarded.origin}/{forwarded.index}",
                    forwarded=forwarded,
                )
                drafts.append(Draft.of(entry))
        if drafts:
            await self._writer.append(drafts)

    @staticmethod
    async def _is_issued(session: Session, origin: str, entry: Entry) -> bool:
        alert = await session.alerts.get(origin, entry.alert_raised.alert_id)
        return alert is not None and alert.state == ALERT_STATE_ISSUED

    async def _owing(self, origin: str) -> _Owed:
        """What the fold owes this journal; after a start, read again from between the two cursors."""
        owed = self._owed.get(origin)
        if owed is not None:
            return owed
        owed = self._owed[origin] = _Owed()
        async with self._store.read() as session:
            low = (await session.cursors.get("facts", origin)).position
            high = (await session.cursors.get("events", origin)).position
            if low >= high:
                return owed
            readings = [
                read(origin, lo, await session.journal.leaves(origin, lo, min(high, lo + READ_CHUNK)))
                for lo in range(low, high, READ_CHUNK)
            ]
        for reading in readings:
            await self._owe(owed, reading)
        return owed

    # 2. fold

    async def _fold(self, origin: str) -> bool:
        owed = await self._owing(origin)
        async with self._store.read() as session:
            low = (await session.cursors.get("facts", origin)).position
            size = (await session.cursors.get("events", origin)).position
            if low >= size:
                return False
            cases = set(owed.cases)
            if owed.everything:
                cases.update(await session.facts.cases_of_item(origin, None))
            else:
                for item in owed.items:
                    cases.update(await session.facts.cases_of_item(origin, item))
            held = (
                {run.import_id for run in await session.imports.under_way()} if origin == self._own else set()
            )
        held -= set(owed.imports)
        context = await self._contexts.of(origin)
        days = set(owed.days)
        ordered = sorted(cases)
        live: list[Judgement] = []
        for start in range(0, len(ordered), FOLD_CASES):
            batch = ordered[start : start + FOLD_CASES]
            await self._give_way()
            judgement = await self._judge(context, batch, size, held)
            days |= await self._keep_facts(origin, batch, judgement.facts)
            if len(ordered) <= FOLD_CASES:
                live.append(judgement)
        async with self._store.write() as session:
            for import_id in owed.imports:
                await session.facts.release(origin, import_id)
            if origin == self._own:
                await self._count(session, context, days, size)
            await session.cursors.set("facts", origin, size)
        self._owed[origin] = _Owed()
        if origin == self._own:
            self._counted()
            for judgement in live if not self._rebuilding else ():
                await self._raising.raise_and_schedule(judgement, dict.fromkeys(judgement.next_at, size))
        else:
            self._comparison.folded(origin, days)
        return True

    async def _judge(
        self, context: JournalContext, cases: Sequence[str], size: int, held: set[str]
    ) -> Judgement:
        async with self._store.read() as session:
            rows = await session.events.rows_of_cases(context.origin, cases)
        own = context.origin == self._own
        return await asyncio.to_thread(judge, rows, context, self._now(), size, held, own)

    async def _keep_facts(self, origin: str, cases: Sequence[str], facts: Sequence[FactsRow]) -> set[int]:
        async with self._store.write() as session:
            days = {int(day) for row in await session.facts.of_cases(origin, cases) for day in row.figures}
            await session.facts.upsert(facts)
        return days | {int(day) for row in facts for day in row.figures}

    async def _count(self, session: Session, context: JournalContext, days: set[int], size: int) -> None:
        if not days:
            return
        ordered = sorted(days)
        rows = rows_of_days(
            context.origin,
            days,
            await session.facts.touching(context.origin, ordered),
            # A local day lies within 14 hours of the same UTC day.
            await session.alerts.on_days(
                context.origin, (ordered[0] - 1) * _DAY_US, (ordered[-1] + 2) * _DAY_US
            ),
            context.lines,
            context.zone,
            size,
        )
        await session.rollups.replace(context.origin, ordered, rows, size)

    # 3. wake

    async def _wake(self) -> bool:
        async with self._store.read() as session:
            cases = await session.facts.due(self._own, self._now(), WAKE_CASES)
            if not cases:
                return False
            size = (await session.cursors.get("facts", self._own)).position
            folded_at = {row.case_id: row.size for row in await session.facts.of_cases(self._own, cases)}
        judgement = await self._judge(await self._contexts.of(self._own), cases, size, set())
        await self._raising.raise_and_schedule(judgement, folded_at)
        return True
