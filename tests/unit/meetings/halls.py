"""Five nodes with meetings, their stores in memory, their live questions over queues that can be cut."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from federation.journal.checkpoint import Signer, log_id
from federation.trunk.frame import Stream
from node.live.live import Live
from node.meetings import hosting, meetings, visiting
from node.meetings.book import Book
from node.meetings.hosting import Terms
from node.meetings.meeting import Meeting
from node.meetings.meetings import Meetings, Person
from node.meetings.over_live import OverLive, Reached
from node.meetings.passing import Passing
from node.meetings.seats import Seats
from node.store.drafts import Draft
from node.store.store import MEMORY, Store
from node.store.writer import JournalWriter
from node.tree import Tree
from tests.unit.live.offices import ABOVE, TIERS, Lane, Offices

__all__ = ["Hall", "Halls", "anybody", "halls"]


def anybody(who: str, *, helps: bool = False) -> Person:
    """Who answers for every hall, and help calls where it is said."""
    return Person(who, lambda called: helps or not called.officers, helps)


class Hall:
    """One node as far as meetings go."""

    def __init__(
        self, node: str, tree: Tree, live: Live, store: Store, writer: JournalWriter, terms: Terms
    ) -> None:
        self.node = node
        self.store = store
        self.writer = writer
        self.sealed = False
        self.tree, self.live, self.terms = tree, live, terms
        self.book: Book
        self.meetings: Meetings
        self.begin()

    def begin(self) -> None:
        """As after a start: nothing in memory."""
        self.book = Book(self.node, self.store, self.writer, self.write, lambda: self.now_us())
        elsewhere = OverLive(self.live, self.tree, TIERS[self.node], lambda: ABOVE.get(self.node, ""))
        self.meetings = Meetings(self.book, self.tree, elsewhere, lambda: self.node in ABOVE, self.terms)
        self.passing = Passing(self.book, self.tree)
        self.live._handlers = {"reach": self.live._handlers["reach"]}
        self.live._passing.clear()
        Reached(self.live, self.tree, self.meetings.hosting, self.meetings.visiting, self.passing)
        self.seats = Seats(self.book)

    def now_us(self) -> int:
        return round(asyncio.get_running_loop().time() * 1_000_000) + 1_700_000_000_000_000

    async def write(self, entries: Any) -> list[int]:
        if self.sealed:
            raise ZonghengError("sealed")
        for entry in entries:
            entry.noted_at_us = self.now_us()
        return list((await self.writer.append([Draft.of(entry) for entry in entries])).indexes)

    async def said(self, kind: str) -> list[Any]:
        async with self.store.read() as session:
            leaves = await session.journal.leaves(self.node, 0, self.writer.size)
        return [getattr(one, kind) for one in map(Entry.FromString, leaves) if one.HasField(kind)]  # type: ignore[arg-type]

    def knows(self, id: str) -> Meeting | None:
        return self.book.find(id)

    def states(self, id: str) -> list[str]:
        meeting = self.book.find(id)
        return [] if meeting is None else [str(seat.state) for seat in meeting.seats]

    async def hears(self, id: str) -> None:
        await until(lambda: self.knows(id))

    async def stands(self, id: str, states: list[str]) -> None:
        await until(lambda: self.states(id) == states)

    async def ends(self, id: str) -> None:
        await until(lambda: (known := self.knows(id)) is not None and not known.is_open)

    async def may_look(self, stream: str, who: str, node: str) -> str:
        """What the seat's node says to a viewer; empty: yes."""
        try:
            await self.seats.check(Viewer(who=who, node=node), Stream.parse(stream))
        except ZonghengError as refused:
            return refused.code
        return ""


class Halls:
    def __init__(self, offices: Offices, all: dict[str, Hall], tasks: asyncio.TaskGroup) -> None:
        self.offices = offices
        self._all = all
        self._tasks = tasks
        self._running: dict[str, asyncio.Task[None]] = {}

    def __getitem__(self, node: str) -> Hall:
        return self._all[node]

    @property
    def every(self) -> list[Hall]:
        return list(self._all.values())

    def start(self, hall: Hall) -> None:
        self._running[hall.node] = self._tasks.create_task(hall.meetings.run())

    async def die(self, hall: Hall) -> None:
        """Killed: nobody hears of it."""
        running = self._running.pop(hall.node)
        running.cancel()
        await asyncio.wait([running])
        hall.begin()

    def end(self) -> None:
        for running in self._running.values():
            running.cancel()

    def cut(self, child: str) -> None:
        self.offices.lanes[child].cut()

    def mend(self, child: str) -> None:
        lane = Lane(self.offices.live[child], self.offices.live[ABOVE[child]], child)
        self.offices.lanes[child] = lane
        self._running[f"lane of {child} {secrets.token_hex(2)}"] = self._tasks.create_task(lane.run())


@asynccontextmanager
async def halls(terms: Terms | None = None) -> AsyncIterator[Halls]:
    terms = terms or Terms()
    offices = Offices()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        found = {}
        for node in offices.live:
            store = await Store.open(MEMORY)
            stack.push_async_callback(store.close)
            journal = log_id(node, secrets.token_hex(4))
            writer = await JournalWriter.open(store, Signer.generate(journal), journal, node, lambda: 1)
            found[node] = Hall(node, offices.trees[node], offices.live[node], store, writer, terms)
        async with offices.running():
            all = Halls(offices, found, tasks)
            for hall in found.values():
                all.start(hall)
            await asyncio.sleep(0)
            yield all
            all.end()


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def hurried(monkeypatch: Any) -> None:
    """What is looked at every few seconds is looked at at once."""
    monkeypatch.setattr(hosting, "_ASK_AGAIN_S", 0.05)
    monkeypatch.setattr(hosting, "_LOOK_S", 0.05)
    monkeypatch.setattr(hosting, "TELL_AGAIN_S", 0.1)
    monkeypatch.setattr(visiting, "_LOOK_S", 0.05)
    monkeypatch.setattr(meetings, "_LOOK_S", 0.05)
