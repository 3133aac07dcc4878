"""City, town and village as three nodes over real gRPC: a question goes down two hops and its answer comes
up.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from random import Random

import grpc.aio
import pytest
from zongheng.v1.query_pb2 import AlertQuestion, AlertRow, AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
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
from federation.link.ports import News
from federation.query.coverage import Coverage, Tally
from federation.query.fanout import ask
from federation.query.part import Parts
from tests.certified import Certifying

CITY, TOWN, VILLAGE = "9901", "990102", "990102001"
PARENT = {TOWN: CITY, VILLAGE: TOWN}
TIERS = {CITY: "city", TOWN: "town", VILLAGE: "village"}


def now_us() -> int:
    return time.time_ns() // 1_000


class Node:
    """A node with a listener, and a dialler where it has a parent."""

    def __init__(self, name: str) -> None:
        self.name = name
        signer = Signer.generate(log_id(name, secrets.token_hex(4)))
        self.card = NodeCard(node=name, parent=PARENT.get(name, ""), verifier=str(signer.verifier))
        self.journal = MemoryJournal(signer)
        self.inbox = MemoryInbox(signer, now_us)
        self.sink = MemorySink()
        self.certified = Certifying(TIERS[name], name)
        self.listener = Listener(lambda: self.card, self.certified.gate, self.inbox, self.sink, now_us, 300)
        self.sleep = 0.0
        self.given: list[float] = []
        self.stopped = asyncio.Event()
        self.dialler: Dialler | None = None

    def below(self) -> list[NodeCard]:
        return [card for cards in self.sink.known.values() for card in cards.values()]

    async def own(self, question: Question, deadline: float) -> Parts:
        self.given.append(deadline - asyncio.get_running_loop().time())
        try:
            await asyncio.sleep(self.sleep)
            size = (await self.journal.head()).size
            yield AnswerPart(node=self.name, journal_size=size, alerts=[AlertRow(alert_id=self.name)])
        finally:
            self.stopped.set()

    def copy(self, child: str, question: Question, deadline: float) -> Parts | None:
        async def from_copy() -> Parts:
            yield AnswerPart(node=child, journal_size=len(self.inbox.copies[child].tree.leaves))

        return from_copy() if child in self.inbox.copies else None

    def answer(self, question: Question, deadline: float) -> Parts:
        return ask(question, self.name, self.below(), self.own, self.listener.ask, self.copy, deadline)

    @asynccontextmanager
    async def running(self, parent_port: int | None) -> AsyncIterator[int]:
        server = grpc.aio.server(options=list(PARENT_OPTIONS))
        self.listener.add_to(server)
        port = self.certified.credentials.server_port(server, "127.0.0.1:0")
        await server.start()
        async with asyncio.TaskGroup() as tasks:
            run = None
            if parent_port is not None:
                ports = ChildPorts(
                    lambda: self.card,
                    self.below,
                    self.journal,
                    _Reporter(self),
                    MemoryAnswerer(self.answer),
                    MemoryOperator(),
                    MemoryBackoffStore(),
                )
                address = f"127.0.0.1:{parent_port}"
                policy = BackoffPolicy(first_ms=20, cap_ms=100)
                self.dialler = Dialler(
                    address, self.certified.credentials, ports, now_us, Random(1).random, policy
                )
                run = tasks.create_task(self.dialler.run())
            try:
                yield port
            finally:
                self.listener.close()
                if run is not None and self.dialler is not None:
                    self.dialler.stop()
                    await asyncio.wait([run], timeout=3)
                    run.cancel()
                await server.stop(0.2)


class _Reporter(MemoryReporter):
    """Reports the cards of the node and of everybody below it as they are now."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.card)
        self._node = node

    async def news(self) -> News:
        self.cards = [self._node.card, *self._node.below()]
        return await super().news()


class Three:
    def __init__(self) -> None:
        self.city, self.town, self.village = Node(CITY), Node(TOWN), Node(VILLAGE)
        self.city.certified.adopt(self.town.certified)
        self.town.certified.adopt(self.village.certified)
        self.hang_up_village = AsyncExitStack()

    async def answer(self, seconds: float = 3.0) -> tuple[Coverage, list[AnswerPart]]:
        question = Question(subtree=CITY, alerts=AlertQuestion(level=3))
        deadline = asyncio.get_running_loop().time() + seconds
        tally, parts = Tally([CITY, TOWN, VILLAGE]), []
        async with aclosing(self.city.answer(question, deadline)) as coming:
            async for part in coming:
                tally.add(part)
                parts.append(part)
        return tally.coverage(), parts


@pytest.fixture
async def three() -> AsyncIterator[Three]:
    three = Three()
    async with (
        asyncio.timeout(60),
        three.city.running(None) as city,
        three.town.running(city) as town,
        three.hang_up_village,
    ):
        await three.hang_up_village.enter_async_context(three.village.running(town))
        async with asyncio.timeout(10):
            while not three.town.below():  # noqa: ASYNC110  # seen from outside
                await asyncio.sleep(0.01)
            # What the town knows below it reaches the city with its next hello.
            three.city.listener.release(TOWN)
            while len(three.city.below()) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while not three.city.listener.is_connected(TOWN):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield three


async def test_a_question_at_the_city_is_answered_by_the_village_itself(three: Three) -> None:
    await three.village.journal.append([b"entry"])
    coverage, parts = await three.answer()
    assert coverage.complete()
    assert (coverage.expected, coverage.answered) == (3, 3)
    assert {part.node: part.alerts[0].alert_id for part in parts} == {n: n for n in (CITY, TOWN, VILLAGE)}
    assert {as_of.node: as_of.journal_size for as_of in coverage.as_of}[VILLAGE] == 1


async def test_the_remaining_deadline_shrinks_on_the_way_down(three: Three) -> None:
    await three.answer(3.0)
    city, town, village = three.city.given[0], three.town.given[0], three.village.given[0]
    assert 3.0 >= city > town > village > 1.5


async def test_a_village_that_is_too_slow_is_answered_for_by_its_town_and_stops_working(three: Three) -> None:
    three.village.sleep = 30
    started = time.monotonic()
    coverage, parts = await three.answer(1.5)
    assert time.monotonic() - started < 1.5
    assert (coverage.answered, coverage.stale, coverage.unreachable) == (2, 1, ())
    assert [part.node for part in parts if part.stale] == [VILLAGE]
    await asyncio.wait_for(three.village.stopped.wait(), 2)


async def test_a_village_that_is_gone_is_answered_for_at_once(three: Three) -> None:
    await three.hang_up_village.aclose()
    started = time.monotonic()
    coverage, _ = await three.answer(5)
    assert time.monotonic() - started < 1
    assert (coverage.answered, coverage.stale) == (2, 1)


async def test_cancelling_at_the_city_stops_the_village(three: Three) -> None:
    three.village.sleep = 30
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await three.answer(20)
    await asyncio.wait_for(three.village.stopped.wait(), 2)


async def test_the_village_alone_can_be_asked_through_its_town(three: Three) -> None:
    deadline = asyncio.get_running_loop().time() + 3
    question = Question(subtree=VILLAGE, alerts=AlertQuestion())
    parts = [part async for part in three.city.answer(question, deadline)]
    assert [part.node for part in parts] == [VILLAGE]
    question.subtree = "990199"
    with pytest.raises(ZonghengError) as unknown:
        await anext(three.city.answer(question, deadline))
    assert unknown.value.code == "unknown_node"
