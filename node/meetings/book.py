"""The meetings that one node knows of: those that it holds, and those in which it has a seat.

They live in memory: a picture does not outlive its worker either. What outlives the process is the journal, in which each says that it began, and must say how it
ended. So the instant at which nothing was open is remembered as a place in the journal; at a start, whatever began after it and did not end is ended there as interrupted.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

import structlog
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError, of
from node.meetings.listening import Listeners
from node.meetings.meeting import Meeting, Over, Step, Taken
from node.meetings.messages import entries, opened
from node.meetings.unfinished import KINDS, Unfinished
from node.store.store import Store
from node.store.writer import JournalWriter
from node.wallclock import Now

MOST_OPEN: Final = 200
"""Meetings that one node holds, or has seats in, at once."""

KEPT_US: Final = 600_000_000
"""How long how a meeting ended can be asked for."""

_MARK: Final = "meetings.none_open_at"
_LEAVES: Final = 5_000

log = structlog.get_logger(__name__)


class Book:
    """Belongs to one event loop."""

    def __init__(
        self,
        node: str,
        store: Store,
        writer: JournalWriter,
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
        now: Now,
    ) -> None:
        self.node = node
        self.now = now
        self.listeners = Listeners()
        self.some = asyncio.Event()
        """Set while there are meetings: what looks after them waits for it, and an idle node does nothing."""
        self.changed: list[Callable[[Meeting], None]] = []
        """Told of each meeting that is another than before."""
        self._store = store
        self._writer = writer
        self._write = write
        self._meetings: dict[str, Meeting] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """There for as long as somebody has one or waits for it."""
        self._marked = False
        self._marking = asyncio.Lock()
        self._beginning = 0

    def all(self) -> list[Meeting]:
        """Those that are open and those that ended lately, the newest first."""
        return sorted(self._meetings.values(), key=lambda one: (one.opened_at_us, one.id), reverse=True)

    def open_ones(self) -> list[Meeting]:
        return [meeting for meeting in self.all() if meeting.is_open]

    def find(self, id: str) -> Meeting | None:
        return self._meetings.get(id)

    def get(self, id: str) -> Meeting:
        """Raises ZonghengError `not_found`."""
        meeting = self._meetings.get(id)
        if meeting is None:
            raise ZonghengError("not_found", f"there is no meeting {id[:64]!r} here: it may be over")
        return meeting

    def holds(self, meeting: Meeting) -> bool:
        """Whether this node is its host."""
        return meeting.host == self.node

    @asynccontextmanager
    async def turn(self, id: str) -> AsyncIterator[None]:
        """One step of a meeting at a time."""
        turn = self._turns.setdefault(id, asyncio.Lock())
        async with turn:
            yield

    async def begin(self, step: Step) -> Meeting:
        """A meeting that this node holds from now, in its turn. Raises ZonghengError `at_capacity`, and what keeps the journal from taking it."""
        meeting = step.meeting
        self._room(meeting.id)
        async with self._beginning_of():
            await self._write([opened(meeting), *entries(meeting, step.happened)])
            self._put(meeting)
        log.info("meeting.opened", meeting=meeting.id, kind=meeting.kind, by=meeting.by, node=meeting.by_node)
        return meeting

    async def change(self, id: str, made: Callable[[Meeting], Step]) -> Meeting:
        """A step of a meeting that this node holds: entered, then so. Raises ZonghengError: what the step raises, `not_found`."""
        async with self.turn(id):
            return await self.step(self._held(id), made)

    async def step(self, meeting: Meeting, made: Callable[[Meeting], Step]) -> Meeting:
        """As `change`, in its turn."""
        step = made(meeting)
        if step.meeting is not meeting:
            await self._enter(step)
            self._put(step.meeting)
        return step.meeting

    async def follow(self, step: Step) -> None:
        """A meeting stands like this, as its host says; in its turn."""
        meeting, known = step.meeting, self._meetings.get(step.meeting.id)
        if known is None:
            self._room(meeting.id)
        said = entries(meeting, step.happened, self.node)
        if known is not None and known.host == meeting.host:
            await self._entered(said, must=any(isinstance(one, Taken) for one in step.happened))
            self._put(meeting)
            return
        async with self._beginning_of():
            await self._entered([opened(meeting), *said], must=True)
            self._put(meeting)

    def forget(self) -> None:
        """Meetings that ended some time ago."""
        late = self.now() - KEPT_US
        for id in [each.id for each in self._meetings.values() if each.closed and each.closed_at_us < late]:
            del self._meetings[id]
        if not self._meetings:
            self.some.clear()

    # What outlives the process.

    async def interrupted(self) -> list[Unfinished]:
        """At a start: end what the journal says is open, as interrupted."""
        async with self._store.read() as session:
            kept = await session.links.get(_MARK)
        if kept is None or self._marked:
            return []
        left = Unfinished.among(await self._since(int(kept)))
        if left:
            await self._write([entry for one in left for entry in one.ending(self.now())])
            log.info("meetings.interrupted", count=len(left))
        async with self._marking:
            if not self._marked:
                await self._unmark()
        return left

    async def _since(self, index: int) -> list[Entry]:
        """What the journal says of meetings from an index on."""
        said: list[Entry] = []
        size = self._writer.size
        while index < size:
            upto = min(size, index + _LEAVES)
            async with self._store.read() as session:
                leaves = await session.journal.leaves(self.node, index, upto)
            said += [entry for entry in map(Entry.FromString, leaves) if entry.WhichOneof("body") in KINDS]
            index = upto
        return said

    @asynccontextmanager
    async def _beginning_of(self) -> AsyncIterator[None]:
        """Something is about to be open: the place in the journal is remembered first."""
        self._beginning += 1
        try:
            async with self._marking:
                if not self._marked:
                    async with self._store.write() as session:
                        await session.links.put(_MARK, str(self._writer.size).encode())
                    self._marked = True
            yield
        finally:
            self._beginning -= 1

    async def rest(self) -> None:
        """Where nothing is open any more, the place in the journal need not be remembered."""
        async with self._marking:
            if self._marked and not self._beginning and not self.open_ones():
                await self._unmark()

    async def _unmark(self) -> None:
        async with self._store.write() as session:
            await session.links.delete(_MARK)
        self._marked = False

    # What they are made of.

    def _held(self, id: str) -> Meeting:
        meeting = self.get(id)
        if not self.holds(meeting):
            raise ZonghengError("forbidden", f"meeting {id} is held by {meeting.host}, not by {self.node}")
        return meeting

    def _room(self, id: str) -> None:
        if id in self._meetings:
            raise ZonghengError("protocol", f"there is a meeting {id} here already")
        if len(self.open_ones()) >= MOST_OPEN:
            raise ZonghengError(
                "at_capacity", f"{MOST_OPEN} meetings go on at {self.node} already: try again later"
            )

    async def _enter(self, step: Step) -> None:
        said = entries(step.meeting, step.happened)
        await self._entered(said, must=any(isinstance(one, Taken) for one in step.happened))
        if any(isinstance(one, Over) for one in step.happened):
            log.info("meeting.closed", meeting=step.meeting.id, code=step.meeting.closed)

    async def _entered(self, said: Sequence[Entry], *, must: bool) -> None:
        """Nobody comes in of whom the journal does not know; whoever leaves has left, whatever the journal takes."""
        if not said:
            return
        try:
            await self._write(said)
        except Exception as failed:
            if must:
                raise
            log.exception("meeting.not_entered", code=of(failed).code)

    def _put(self, meeting: Meeting) -> None:
        self._meetings[meeting.id] = meeting
        self.some.set()
        self.listeners.tell(meeting.id)
        for told in self.changed:
            told(meeting)
