"""A parent and a child over real gRPC on loopback, their stores in memory."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import grpc.aio
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.query_pb2 import AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import Signer, log_id
from federation.link.backoff import BackoffPolicy
from federation.link.channel import PARENT_OPTIONS
from federation.link.dialler import ChildPorts, Dialler
from federation.link.listener import Listener
from federation.link.memory import (
    MemoryAnswerer,
    MemoryBackoffStore,
    MemoryInbox,
    MemoryJournal,
    MemoryOperator,
    MemoryReporter,
    MemorySink,
)
from federation.link.mending import Mending
from federation.query.part import Parts
from tests.certified import Certifying

TOWN, VILLAGE = "990102", "990102001"
FAST = BackoffPolicy(first_ms=20, cap_ms=100, lived_ms=1_000)


def now_us() -> int:
    return time.time_ns() // 1_000


async def eventually(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait until it holds, as seen from outside."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110  # there is no event for what others can see
            await asyncio.sleep(0.01)


class Parent:
    """A listening parent that can be taken down and brought up again on its port."""

    def __init__(self, heartbeat_ms: int = 3_000) -> None:
        """Three heartbeats of silence end a session: few where a test is about that, many where a busy machine must not be taken for dead."""
        self.signer = Signer.generate(log_id(TOWN, secrets.token_hex(4)))
        self.certified = Certifying("town", TOWN)
        self.boxes: dict[str, Certifying] = {}
        self.inbox = MemoryInbox(self.signer, now_us)
        self.sink = MemorySink()
        self.heartbeat_ms = heartbeat_ms
        self.port = 0
        self.listener: Listener
        self.server: grpc.aio.Server

    async def up(
        self,
        tapped: Callable[[grpc.aio.Server], Any] = lambda server: server,
        hand_down: Callable[[wire.Welcome], None] = lambda welcome: None,
    ) -> None:
        """`tapped` puts something between the server and the services; `hand_down` as the listener's."""
        card = NodeCard(node=TOWN, tier="town", verifier=str(self.signer.verifier))
        self.listener = Listener(
            lambda: card,
            self.certified.gate,
            self.inbox,
            self.sink,
            now_us,
            self.heartbeat_ms,
            hand_down=hand_down,
        )
        self.server = grpc.aio.server(options=list(PARENT_OPTIONS))
        self.listener.add_to(tapped(self.server))
        Mending(self.listener, self.inbox).add_to(tapped(self.server))
        self.port = self.certified.credentials.server_port(self.server, f"127.0.0.1:{self.port}")
        await self.server.start()

    async def down(self) -> None:
        """As a crash looks from outside: no goodbye."""
        await self.server.stop(None)

    def box(self, node: str = VILLAGE) -> Certifying:
        """The keys and certificates of a child."""
        if node not in self.boxes:
            self.boxes[node] = self.certified.child("village", node)
        return self.boxes[node]

    def channel(self, node: str = VILLAGE) -> grpc.aio.Channel:
        """A channel of that child to this parent, without a dialler."""
        return self.box(node).credentials.channel(self.address)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def entries_of(self, node: str) -> list[bytes]:
        copy = self.inbox.copies.get(node)
        return copy.tree.leaves if copy else []


async def no_answer(question: Question, deadline: float) -> Parts:
    yield AnswerPart(node=VILLAGE)


class Child:
    """A dialling child."""

    def __init__(
        self,
        parent: Parent,
        journal: MemoryJournal | None = None,
        answer: Callable[[Question, float], Parts] = no_answer,
        node: str = VILLAGE,
    ) -> None:
        self.node = node
        self.journal = journal or MemoryJournal(Signer.generate(log_id(node, secrets.token_hex(4))))
        self.card = NodeCard(node=node, tier="village", parent=TOWN)
        self.operator = MemoryOperator(self.journal)
        self.reporter = MemoryReporter(self.card)
        self.backoff = MemoryBackoffStore()
        ports = ChildPorts(
            lambda: self.card,
            list,
            self.journal,
            self.reporter,
            MemoryAnswerer(answer),
            self.operator,
            self.backoff,
        )
        credentials = parent.box(node).credentials
        self.dialler = Dialler(parent.address, credentials, ports, now_us, Random(1).random, FAST)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Child"]:
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            run = tasks.create_task(self.dialler.run())
            try:
                yield self
            finally:
                self.dialler.stop()
                await asyncio.wait([run], timeout=3)
                run.cancel()


def entries(count: int, start: int = 0) -> list[bytes]:
    return [b"entry %d " % number + bytes(180) for number in range(start, start + count)]


async def hello_of(journal: MemoryJournal, session: str, node: str = VILLAGE) -> wire.Hello:
    head = await journal.head()
    card = NodeCard(node=node, parent=TOWN, log_id=head.log_id, verifier=head.verifier, checkpoint=head.note)
    return wire.Hello(card=card, size=head.size, root=head.root, session=session, protocol=1)


async def relayed(parent: Parent, journal: MemoryJournal) -> None:
    async with Child(parent, journal).running():
        await eventually(lambda: journal.cosigned_size == len(journal.tree.leaves))
