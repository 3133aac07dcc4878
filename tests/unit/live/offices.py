"""Nodes of a tree with live questions, the lanes between them queues that can be cut."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.live_pb2 import LiveAnswer, LiveQuestion
from zongheng.v1.tree_pb2 import NodeCard

from federation.trunk.live import PARENT
from node.live.live import Live
from node.tree import Tree

CITY, COUNTY, TOWN, VILLAGE, NEIGHBOUR = "9901", "990121", "990121101", "990121101001", "990121101002"
TIERS = {CITY: "city", COUNTY: "county", TOWN: "town", VILLAGE: "village", NEIGHBOUR: "village"}
ABOVE = {COUNTY: CITY, TOWN: COUNTY, VILLAGE: TOWN, NEIGHBOUR: TOWN}


def asker(node: str, who: str = "W-1") -> Viewer:
    return Viewer(who=who, node=node, tier=TIERS.get(node, "village"), roles=["officer"])


class Lane:
    """Between a child and its parent: what one says the other hears, in order, until it is cut."""

    def __init__(self, child: Live, parent: Live, name: str) -> None:
        self._child = child
        self._parent = parent
        self._name = name
        self.held = asyncio.Event()
        self.held.set()
        self.passed: list[LiveQuestion | LiveAnswer] = []
        self._up: asyncio.Queue[LiveQuestion | LiveAnswer] = asyncio.Queue()
        self._down: asyncio.Queue[LiveQuestion | LiveAnswer] = asyncio.Queue()
        child.opened(PARENT, self._up.put_nowait)
        parent.opened(name, self._down.put_nowait)

    def cut(self) -> None:
        self._child.closed(PARENT, self._up.put_nowait)
        self._parent.closed(self._name, self._down.put_nowait)

    def hear_from_child(self, message: LiveQuestion | LiveAnswer) -> None:
        """Also what no honest child would say."""
        _hear(self._parent, self._name, message)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._carry(self._up, self._parent, self._name))
            tasks.create_task(self._carry(self._down, self._child, PARENT))

    async def _carry(self, said: "asyncio.Queue[LiveQuestion | LiveAnswer]", to: Live, peer: str) -> None:
        while True:
            message = await said.get()
            await self.held.wait()
            self.passed.append(message)
            _hear(to, peer, message)


def _hear(live: Live, peer: str, message: LiveQuestion | LiveAnswer) -> None:
    copy = type(message).FromString(message.SerializeToString())
    if isinstance(copy, LiveQuestion):
        live.question(peer, copy)
    else:
        live.answer(peer, copy)


class Offices:
    """A tree of them."""

    def __init__(self, above: Mapping[str, str] = ABOVE) -> None:
        nodes = {*above, *above.values()}
        self.live: dict[str, Live] = {}
        self.trees: dict[str, Tree] = {}
        self.connected = True
        for node in nodes:
            tree = self.trees[node] = Tree(NodeCard(node=node, tier=TIERS.get(node, "village")))
            below = [each for each in above if node in _ancestors(each, above)]
            tree.learn(
                NodeCard(node=each, parent=above[each], tier=TIERS.get(each, "village")) for each in below
            )
            self.live[node] = Live(
                tree, lambda node=node: node in above, lambda child: self.connected, lambda: 7
            )  # type: ignore[misc]
        self.lanes = {
            child: Lane(self.live[child], self.live[parent], child) for child, parent in above.items()
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Offices"]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(live.run()) for live in self.live.values()]
            running += [tasks.create_task(lane.run()) for lane in self.lanes.values()]
            yield self
            for task in running:
                task.cancel()


def _ancestors(node: str, above: Mapping[str, str]) -> list[str]:
    found = []
    while node in above:
        node = above[node]
        found.append(node)
    return found
