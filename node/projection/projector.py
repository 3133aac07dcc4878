"""The projector: reads every journal a node holds and keeps events, facts, rollups and alerts in step with it.

One task, three stages, each moved on by a cursor that is written in the transaction of its rows:

1. *read* (`projection.reading`): leaves → event, catalogue and alert rows (cursor ``events``);
2. *fold* (`projection.folding`): the cases touched → facts summaries and, for the own journal, rollup rows (cursor ``facts``);
3. *wake* (`projection.waking`): own cases whose ``next_at_us`` has come and that no unfinished import holds back → alerts raised or corrected.

Nobody is judged by a part of the journal: alerts are raised only when everything that was there when the pass began is folded. An import
holds its cases back until the entry of its end is read. Whether a child's journal can be folded is no matter of the own one's: what fails
there is logged and tried again, beside everything else.

Killed anywhere, it goes on from its cursors: rows are written idempotently, raising is guarded by the alert's key, and what the fold still
owes is read again (`projection.owed`). It never skips.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog
from zongheng.v1.holding_pb2 import Holding

from node.files.carrying import Carrying
from node.holding import OwnHolding
from node.mending.noted import Witness
from node.projection.context import Contexts
from node.projection.folding import Folding
from node.projection.forwarding import Forwarding
from node.projection.history import History
from node.projection.owed import Owing
from node.projection.progress import REBUILDING, Pace, Progress
from node.projection.raising import Raising
from node.projection.reading import Reader
from node.projection.waking import Waking
from node.resupervision.comparison import Comparison
from node.store.cursors import Cursor
from node.store.inbox import Inbox
from node.store.rows import Head
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

GIVE_WAY_S: Final = 10.0
"""How long it gives way at most; then intake has to share."""

_PAUSE_S: Final = 0.1

PATIENCE_S: Final = 60.0
"""How long a question waits for the projections to catch up before it is answered from where they are."""

AGAIN_S: Final = 5.0
"""How long what failed is left alone."""


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
        own, pace, progress = writer.node, Pace(), Progress()
        self.pace = pace
        self._progress = progress
        self._owing = owing = Owing(store, contexts, own, progress, pace)
        self.reader = Reader(
            store, own, contexts, forwarding, carrying, witness, holding, owing, progress, pace
        )
        self.folding = Folding(store, own, contexts, comparison, owing, pace, now, counted)
        self.waking = Waking(store, writer, contexts, raising, self.folding, progress, pace, now)
        self._recount = recount
        self._forwarding = forwarding
        self._store = store
        self._writer = writer
        self._inbox = inbox
        self._contexts = contexts
        self._comparison = comparison
        self._history = history
        self._holding = holding
        self._own = own
        self._bell = asyncio.Event()
        self._turn = asyncio.Lock()
        self._idle = asyncio.Condition()
        self._asked = self._answered = 0
        """Calls of `settled`, and how many of them have been answered."""
        self._awaited = 0
        self._left_alone: dict[str, float] = {}
        """Children whose journal failed, until when."""
        self._looked = 0
        """Entries of children that had come when their journals were last looked at."""
        self._running = False

    @property
    def parked(self) -> int:
        """Entries that this version cannot read."""
        return self._progress.parked

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
                busy = await self.work_once()
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
        while await self.work_once():
            pass

    @property
    def rebuilding(self) -> bool:
        """Alert rows are not all back yet: what they say of an alert's state may be old."""
        return self._progress.rebuilding

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
            before, self._progress.rebuilding = self._progress.rebuilding, True
            try:
                await transact(self._drop)
            except BaseException:
                self._progress.rebuilding = before
                raise
            self._holding.told(Holding())
            await self._history.drop()
            self._owing.clear()
            self._left_alone.clear()
            self._progress.read_to = self._progress.parked = 0
            self._contexts.clear()
            self._comparison.forget()
        self.ring()

    async def _drop(self, session: Session) -> None:
        reported = await session.cursors.of("reported")
        await session.drop_projections()
        await session.forks.forget_noted(self._own)
        # Killed in the middle, the next start must know that alert rows are still missing.
        await session.links.put(REBUILDING, b"1")
        await self._holding.drop(session)
        # What children reported is in no journal held here.
        for child, size in reported.items():
            await session.cursors.set("reported", child, size)
        await self._recount(session)

    async def open(self) -> None:
        """Look whether a rebuild was cut off; call once before anything else."""
        async with self._store.read() as session:
            self._progress.rebuilding = await session.links.get(REBUILDING) is not None
            self._progress.read_to = (await session.cursors.get("events", self._own)).position
            await self._holding.load(session, self._progress.read_to)

    async def work_once(self) -> bool:
        """One pass over all that is there now; true: there may be more."""
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
            while wakes < self.pace.wakes_a_pass and await self.waking.wake():
                wakes += 1
            busy |= wakes > 0
            return busy or await self._write_segment(heads)

    async def _follow_own(self, head: Head) -> bool:
        try:
            busy = await self.reader.read(head)
            # A day's figures cost the same to count whether one entry touched it or many, so what waits is folded together. In a rebuild
            # all of it: rows counted half-way would be older than those that the ancestors have.
            while self._progress.read_to < head.size and (
                self._progress.rebuilding
                or len((await self._owing.of(self._own)).cases) < self.pace.fold_after
            ):
                await self._give_way()
                if not await self.reader.read(head):
                    break
                busy = True
            self._progress.caught_up = self._progress.read_to >= head.size
            if self._progress.rebuilding:
                return busy
            folded = await self.folding.fold(self._own, self._give_way)
            if folded is None:
                return busy
            await self.waking.follow(folded)
            return True
        except Exception:
            self._owing.unsure(self._own)
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
            busy = await self.reader.read(head)
            return await self.folding.fold(origin, self._give_way) is not None or busy
        except Exception:
            log.exception(
                "projection.child_failed", origin=origin, instruction=f"it is tried again in {AGAIN_S:g} s"
            )
            self._owing.unsure(origin)
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
            if (
                self._writer.size - self._progress.read_to + self._inbox.entries - self._looked
                < self.pace.rush
            ):
                return
            arrived = self._arrived
            await asyncio.sleep(_PAUSE_S)
            if self._arrived - arrived < self.pace.rush * _PAUSE_S:
                return

    @property
    def _arrived(self) -> int:
        """A number that rises by one with every entry of any journal here."""
        return self._writer.size + self._inbox.entries
