"""The projector: reads every journal a node holds and keeps events, facts, rollups and alerts in step with it.

One task, three stages, each moved on by a cursor that is written in the transaction of its rows:

1. *read*: leaves → event, catalogue and alert rows (cursor ``events``);
2. *fold*: the cases touched → facts summaries and, for the own journal, rollup rows (cursor ``facts``);
3. *wake*: own cases whose ``next_at_us`` has come and that no unfinished import holds back → alerts raised or corrected.

Nobody is judged by a part of the journal: alerts are raised only when everything that was there when the pass began is folded. An import
holds its cases back until the entry of its end is read. Whether a child's journal can be folded is no matter of the own one's: what fails
there is logged and tried again, beside everything else.

Killed anywhere, it goes on from its cursors: rows are written idempotently, raising is guarded by the alert's key, and what the fold still
owes is read again from the stretch between the two cursors; which days it had got to nobody remembers then, so all are counted again. It
never skips.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from zongheng.v1.holding_pb2 import Holding

from node.files.carrying import Carrying
from node.holding import OwnHolding
from node.mending.noted import Witness
from node.mending.renewed import learn
from node.mending.renewing import logs_before
from node.projection.context import Contexts, JournalContext, zone_of
from node.projection.entries import IMPORT_FINISHED, Reading, read
from node.projection.figures import alert_day, in_months, rows_at
from node.projection.forwarding import Forwarding
from node.projection.history import History
from node.projection.judging import Judgement, judge
from node.projection.mandates import SHEET
from node.projection.raising import Raising
from node.resupervision.comparison import Comparison
from node.store.catalogue import Published
from node.store.cursors import Cursor
from node.store.inbox import Inbox
from node.store.rollups import EPOCH
from node.store.rows import FactsRow, Head
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

READ_CHUNK = 5_000
"""Leaves read in one transaction; nothing else runs while they are parsed."""

FOLD_CASES = 10_000
"""Cases folded at once: bounds memory on a bulk import."""

FOLD_AFTER = 100_000
"""Cases that are waiting when the fold begins though there is more to read."""

WAKE_CASES = 10_000

WAKES_A_PASS = 5
"""How often cases are woken before new entries and the day's figures have their turn again."""

RUSH = 2_000
"""Entries that have to be waiting for the projector before it gives way to intake."""

GIVE_WAY_S = 10.0
"""How long it gives way at most; then intake has to share."""

_PAUSE_S = 0.1

PATIENCE_S = 60.0
"""How long a question waits for the projections to catch up before it is answered from where they are."""

AGAIN_S = 5.0
"""How long what failed is left alone."""

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
        forwarding: Forwarding,
        carrying: Carrying,
        witness: Witness,
        history: History,
        holding: OwnHolding,
        now: Now,
        counted: Callable[[], None],
        recount: Callable[[Session], Awaitable[None]],
    ) -> None:
        """``counted`` is told when own rollup rows may have changed; ``recount``, in the transaction of a rebuild, that all may."""
        self._recount = recount
        self._forwarding = forwarding
        self._carrying = carrying
        self._witness = witness
        self._counted = counted
        self._store = store
        self._writer = writer
        self._inbox = inbox
        self._contexts = contexts
        self._raising = raising
        self._comparison = comparison
        self._history = history
        self._holding = holding
        self._now = now
        self._own = writer.node
        self._owed: dict[str, _Owed] = {}
        self._bell = asyncio.Event()
        self._turn = asyncio.Lock()
        self._idle = asyncio.Condition()
        self._asked = self._answered = 0
        """Calls of `settled`, and how many of them have been answered."""
        self._awaited = 0
        self._caught_up = False
        self._left_alone: dict[str, float] = {}
        """Children whose journal failed, until when."""
        self._read_to = 0
        self._looked = 0
        """Entries of children that had come when their journals were last looked at."""
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
            asked = self._asked
            try:
                busy = await self._pass()
            except Exception:
                log.exception("projection.failed", instruction=f"the projector tries again in {AGAIN_S:g} s")
                await asyncio.sleep(AGAIN_S)
                continue
            if busy:
                continue
            async with self._idle:
                # A pass answers those only who asked before it began: it may have looked before what others wrote since.
                self._answered = asked
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
        self._asked += 1
        mine = self._asked
        self.ring()
        try:
            async with asyncio.timeout(patience_s), self._idle:
                await self._idle.wait_for(lambda: self._answered >= mine)
        except TimeoutError:
            return False
        finally:
            self._awaited -= 1
        return True

    async def catch_up(self) -> None:
        """Work until nothing is left to do now."""
        while await self._pass():
            pass

    @property
    def rebuilding(self) -> bool:
        """Alert rows are not all back yet: what they say of an alert's state may be old."""
        return self._rebuilding

    async def rebuild(self) -> None:
        """Drop every projection and read all journals again from their first entry."""

        async def at_once(drop: Callable[[Session], Awaitable[None]]) -> None:
            async with self._store.write() as session:
                await drop(session)

        await self.begin_again(at_once)
        await self.settled(patience_s=3_600)

    async def begin_again(
        self, transact: Callable[[Callable[[Session], Awaitable[None]]], Awaitable[None]]
    ) -> None:
        """Drop every projection, so that all journals are read again from here on. ``transact`` is given what drops them and calls it in a
        transaction of its own, together with whatever makes them wrong.
        """
        async with self._turn:
            before, self._rebuilding = self._rebuilding, True
            try:
                await transact(self._drop)
            except BaseException:
                self._rebuilding = before
                raise
            self._holding.told(Holding())
            await self._history.drop()
            self._owed.clear()
            self._left_alone.clear()
            self._read_to = self.parked = 0
            self._contexts.clear()
            self._comparison.forget()
        self.ring()

    async def _drop(self, session: Session) -> None:
        reported = await session.cursors.of("reported")
        await session.drop_projections()
        await session.forks.forget_noted(self._own)
        # Killed in the middle, the next start must know that alert rows are still missing.
        await session.links.put(_REBUILDING, b"1")
        await self._holding.drop(session)
        # What children reported is in no journal held here.
        for child, size in reported.items():
            await session.cursors.set("reported", child, size)
        await self._recount(session)

    async def open(self) -> None:
        """Look whether a rebuild was cut off; call once before anything else."""
        async with self._store.read() as session:
            self._rebuilding = await session.links.get(_REBUILDING) is not None
            self._read_to = (await session.cursors.get("events", self._own)).position
            await self._holding.load(session, self._read_to)

    async def _pass(self) -> bool:
        async with self._turn:
            await self._give_way()
            self._looked = self._inbox.entries
            async with self._store.read() as session:
                heads = await session.journal.heads()
                cursors = await session.cursors.all()
            busy = False
            for head in heads:
                if head.origin == self._own:
                    busy |= await self._follow_own(head)
                else:
                    busy |= await self._follow_child(head, cursors)
            if self._writer.accepts:
                await self._comparison.check()
                await self._forwarding.look_again()
            wakes = 0
            while wakes < WAKES_A_PASS and await self._wake():
                wakes += 1
            busy |= wakes > 0
            return busy or await self._write_segment(heads)

    async def _follow_own(self, head: Head) -> bool:
        try:
            busy = await self._read(head)
            # A day's figures cost the same to count whether one entry touched it or many, so what waits is folded together. In a rebuild
            # all of it: rows counted half-way would be older than those that the ancestors have.
            while self._read_to < head.size and (
                self._rebuilding or len((await self._owing(self._own)).cases) < FOLD_AFTER
            ):
                await self._give_way()
                if not await self._read(head):
                    break
                busy = True
            self._caught_up = self._read_to >= head.size
            return busy if self._rebuilding else busy | await self._fold(self._own)
        except Exception:
            self._owed.pop(self._own, None)
            raise

    async def _follow_child(self, head: Head, cursors: Mapping[tuple[str, str], Cursor]) -> bool:
        """Read and fold a child's journal; what fails there holds nobody else up."""
        origin, loop = head.origin, asyncio.get_running_loop()
        folded = cursors.get(("facts", origin))
        at_rest = folded is not None and folded.position >= head.size
        # What is found in it is entered in the own journal.
        if not self._writer.accepts:
            return False
        if not head.size or at_rest or self._left_alone.get(origin, 0.0) > loop.time():
            return False
        try:
            return await self._read(head) | await self._fold(origin)
        except Exception:
            log.exception(
                "projection.child_failed", origin=origin, instruction=f"it is tried again in {AGAIN_S:g} s"
            )
            self._owed.pop(origin, None)
            self._comparison.unsure(origin)
            self._left_alone[origin] = loop.time() + AGAIN_S
            loop.call_later(AGAIN_S, self.ring)
            return False

    async def _write_segment(self, heads: Sequence[Head]) -> bool:
        """When all is done: one segment of history, where a journal has grown enough for one."""
        for head in heads:
            try:
                if await self._history.extend(head.origin):
                    return True
            except OSError as error:
                log.warning("segment.unwritten", origin=head.origin, error=str(error))
        return False

    async def _give_way(self) -> None:
        """Let a rush pass, of intake or of a child that catches up: both need the same processor, and who hands in is waiting for an answer.

        A single event is never kept waiting, nor is anybody who waits for the projections to settle.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + GIVE_WAY_S
        while self._running and not self._awaited and loop.time() < until:
            if self._writer.size - self._read_to + self._inbox.entries - self._looked < RUSH:
                return
            arrived = self._arrived
            await asyncio.sleep(_PAUSE_S)
            if self._arrived - arrived < RUSH * _PAUSE_S:
                return

    @property
    def _arrived(self) -> int:
        """A number that rises by one with every entry of any journal here."""
        return self._writer.size + self._inbox.entries

    # 1. read

    async def _read(self, head: Head) -> bool:
        origin = head.origin
        owed = await self._owing(origin)
        async with self._store.read() as session:
            position = (await session.cursors.get("events", origin)).position
            top = min(head.size, position + READ_CHUNK)
            if origin != self._own:
                # The fold has to stop where a report was made.
                reported = (await session.cursors.get("reported", origin)).position
                top = reported if position < reported < top else top
            if position >= top:
                return False
            leaves = await session.journal.leaves(origin, position, top)
            zone = await zone_of(session, origin)
        reading = read(origin, position, leaves, own=origin == self._own, zone=zone)
        if origin != self._own:
            await self._forwarding.forward(origin, reading)
            await self._witness.check(origin, reading.heads)
        rebuilt = False
        async with self._store.write() as session:
            await session.events.insert(reading.events)
            await session.catalogue.put(
                [
                    Published(origin, piece.kind, piece.code, piece.version, piece.idx, piece.body)
                    for piece in reading.catalogue
                ]
            )
            await session.access.put(reading.access)
            await session.receipts.put(reading.receipts)
            await session.arrivals.put(reading.arrivals)
            await session.steps.put(reading.steps)
            await session.accountability.put_alerts(reading.department_alerts)
            await session.accountability.put_steps(reading.accountability)
            await session.scores.put(reading.scores)
            await session.alerts.insert(reading.alerts)
            await self._carrying.write(session, reading.carried)
            for by, node, log_id in reading.renewals:
                await learn(session, by, node, log_id)
            # The append itself moves own alerts; only a rebuild has to say it again, and must not do so at any other time: an
            # alert that has moved on since would fall back.
            if origin != self._own or self._rebuilding:
                await session.alerts.set_states(origin, reading.moves)
            if origin == self._own and self._rebuilding:
                # What was appended since the pass began moved alerts that may not have been back yet.
                newest = await session.journal.head(origin)
                rebuilt = newest is not None and reading.hi >= newest.size
                if rebuilt:
                    await session.links.delete(_REBUILDING)
            said = await self._holding.keep(session, reading) if origin == self._own else None
            await session.cursors.set("events", origin, reading.hi)
        self._carrying.written(reading.carried)
        if rebuilt:
            self._rebuilding = False
        if said is not None:
            self._holding.told(said)
            self._read_to = reading.hi
        self.parked += len(reading.parked)
        for idx in reading.parked:
            log.warning(
                "projection.parked",
                origin=origin,
                index=idx,
                instruction="upgrade, then run zongheng rebuild",
            )
        if reading.catalogue:
            self._contexts.forget(origin)
        await self._owe(owed, reading)
        return True

    async def _owe(self, owed: _Owed, reading: Reading) -> None:
        zone = (await self._contexts.of(reading.origin)).zone
        owed.cases.update(event.case_id for event in reading.events)
        owed.days.update(alert_day(alert, zone) for alert in reading.alerts)
        for piece in reading.catalogue:
            if piece.kind == IMPORT_FINISHED:
                owed.imports.append(piece.code)
            elif piece.kind == "item":
                owed.items.add(piece.code)
            elif piece.kind.partition("@")[0] != SHEET:
                owed.everything = True
        if reading.moves:
            moved_ids = sorted({alert_id for alert_id, _ in reading.moves})
            async with self._store.read() as session:
                moved = await session.alerts.known(reading.origin, moved_ids)
            owed.days.update(alert_day(alert, zone) for alert in moved)

    async def _owing(self, origin: str) -> _Owed:
        """What the fold owes this journal; after a start, read again from between the two cursors."""
        owed = self._owed.get(origin)
        if owed is not None:
            return owed
        owed = _Owed()
        async with self._store.read() as session:
            low = (await session.cursors.get("facts", origin)).position
            high = (await session.cursors.get("events", origin)).position
            if origin == self._own and (low < high or self._rebuilding):
                # A fold may have been cut off after it replaced facts: which days they counted on before, only the rows know.
                owed.days.update(await session.rollups.days(origin))
        for lo in range(low, high, READ_CHUNK):
            async with self._store.read() as session:
                leaves = await session.journal.leaves(origin, lo, min(high, lo + READ_CHUNK))
            await self._owe(owed, read(origin, lo, leaves))
        self._owed[origin] = owed
        return owed

    # 2. fold

    async def _fold(self, origin: str) -> bool:
        owed = await self._owing(origin)
        own = origin == self._own
        async with self._store.read() as session:
            low = (await session.cursors.get("facts", origin)).position
            size = (await session.cursors.get("events", origin)).position
            if low >= size:
                return False
            if owed.everything:
                owed.cases.update(await session.facts.cases_of_item(origin, None))
                # Alerts count on days of their own, and their agency's line may be another now.
                owed.days.update(await session.rollups.days(origin))
            for item in owed.items:
                owed.cases.update(await session.facts.cases_of_item(origin, item))
            finished = await self._finished(session) if own else None
        context = await self._contexts.of(origin)
        ordered = sorted(owed.cases)
        live: list[Judgement] = []
        for start in range(0, len(ordered), FOLD_CASES):
            batch = ordered[start : start + FOLD_CASES]
            await self._give_way()
            judgement = await self._judge(context, batch, size, finished)
            owed.days |= await self._keep_facts(origin, batch, judgement.facts)
            if len(ordered) <= FOLD_CASES:
                live.append(judgement)
        async with self._store.write() as session:
            for import_id in owed.imports:
                await session.facts.release(origin, import_id)
            version = EPOCH * len(await logs_before(session)) + size
            for days in in_months(owed.days) if own else ():
                rows = await rows_at(session, context, days, size)
                await session.rollups.replace(origin, days, rows, version)
            await session.cursors.set("facts", origin, size)
        self._owed[origin] = _Owed()
        if own:
            self._counted()
            for judgement in live if self._caught_up and self._writer.accepts else ():
                await self._raising.raise_and_schedule(judgement, dict.fromkeys(judgement.next_at, size))
        else:
            self._comparison.folded(origin, owed.days)
        return True

    async def _finished(self, session: Session) -> set[str]:
        """The imports whose end has been read. Not those that are finished by now: their last rows may not be read yet."""
        return {piece.code for piece in await session.catalogue.all(self._own, IMPORT_FINISHED)}

    async def _judge(
        self, context: JournalContext, cases: Sequence[str], size: int, finished: Collection[str] | None
    ) -> Judgement:
        async with self._store.read() as session:
            rows = await session.events.rows_of_cases(context.origin, cases)
        own = context.origin == self._own
        return await asyncio.to_thread(judge, rows, context, self._now(), size, finished, own)

    async def _keep_facts(self, origin: str, cases: Sequence[str], facts: Sequence[FactsRow]) -> set[int]:
        async with self._store.write() as session:
            days = {int(day) for row in await session.facts.of_cases(origin, cases) for day in row.figures}
            await session.facts.upsert(facts)
        return days | {int(day) for row in facts for day in row.figures}

    # 3. wake

    async def _wake(self) -> bool:
        # Until the alert rows are back nothing may be raised: the guard against raising twice is among them.
        if self._rebuilding or not self._caught_up or not self._writer.accepts:
            return False
        async with self._store.read() as session:
            cases = await session.facts.due(self._own, self._now(), WAKE_CASES)
            if not cases:
                return False
            size = (await session.cursors.get("facts", self._own)).position
            folded_at = {row.case_id: row.size for row in await session.facts.of_cases(self._own, cases)}
            finished = await self._finished(session)
        judgement = await self._judge(await self._contexts.of(self._own), cases, size, finished)
        held = [row for row in judgement.facts if row.import_id]
        if held:
            # Two imports brought events of the same case, and only one of them is finished.
            async with self._store.write() as session:
                await session.facts.upsert(held)
        await self._raising.raise_and_schedule(judgement, folded_at)
        return True
