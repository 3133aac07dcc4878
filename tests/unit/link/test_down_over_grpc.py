"""The lane down over real gRPC on loopback: a county and its towns, their ends in memory."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from random import Random

import grpc.aio
import pytest
from zongheng.v1.entry_pb2 import Address, Entry, PersonErased
from zongheng.v1.query_pb2 import AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import Signer, log_id
from federation.link.channel import PARENT_OPTIONS
from federation.link.dialler import ChildPorts, Dialler
from federation.link.down_lane import DownLane
from federation.link.down_memory import MemoryAddressed, MemoryReceived
from federation.link.down_service import DownService
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
from federation.query.part import Parts
from tests.certified import Certifying
from tests.unit.link.units import FAST, eventually, now_us

COUNTY, TOWN, OTHER = "990100", "990101", "990102"


def word(text: str, node: str, *, subtree: bool = False) -> Entry:
    return Entry(person_erased=PersonErased(reason=text), address=Address(node=node, subtree=subtree))


class County:
    """A listening county that can be taken down and brought up again on its port."""

    def __init__(self) -> None:
        self.signer = Signer.generate(log_id(COUNTY, secrets.token_hex(4)))
        self.certified = Certifying("county", COUNTY)
        self.inbox = MemoryInbox(self.signer, now_us)
        self.journal = MemoryAddressed(
            NodeCard(node=COUNTY, tier="county", verifier=str(self.signer.verifier)),
            MemoryJournal(self.signer),
        )
        self.port = 0
        self.server: grpc.aio.Server

    async def up(self) -> None:
        listener = Listener(
            lambda: self.journal.card, self.certified.gate, self.inbox, MemorySink(), now_us, 300
        )
        self.server = grpc.aio.server(options=list(PARENT_OPTIONS))
        listener.add_to(self.server)
        DownService(listener, self.journal, period_s=0.2).add_to(self.server)
        self.port = self.certified.credentials.server_port(self.server, f"127.0.0.1:{self.port}")
        await self.server.start()

    async def down(self) -> None:
        """As a crash looks from outside: no goodbye."""
        await self.server.stop(None)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


async def no_answer(question: Question, deadline: float) -> Parts:
    yield AnswerPart(node=TOWN)


@asynccontextmanager
async def town(
    county: County, end: MemoryReceived, journal: MemoryJournal | None = None
) -> AsyncIterator[Dialler]:
    """A town that is linked for as long as the block runs."""
    card = NodeCard(node=end.node, tier="town", parent=COUNTY)
    journal = journal or MemoryJournal(Signer.generate(log_id(end.node, secrets.token_hex(4))))
    ports = ChildPorts(
        lambda: card,
        list,
        journal,
        MemoryReporter(card),
        MemoryAnswerer(no_answer),
        MemoryOperator(),
        MemoryBackoffStore(),
        lanes=(DownLane(end, behind_period_s=0.1),),
    )
    credentials = county.certified.child("town", end.node).credentials
    dialler = Dialler(county.address, credentials, ports, now_us, Random(1).random, FAST)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        run = tasks.create_task(dialler.run())
        try:
            yield dialler
        finally:
            dialler.stop()
            await asyncio.wait([run], timeout=3)
            run.cancel()


@pytest.fixture
async def county() -> AsyncIterator[County]:
    county = County()
    await county.up()
    yield county
    await county.server.stop(0.2)


def received(end: MemoryReceived) -> list[str]:
    return [Entry.FromString(entry.received.leaf).person_erased.reason for entry in end.entries]


async def test_each_town_gets_its_own_and_what_is_for_all_and_acknowledges(county: County) -> None:
    for number in range(500):
        await county.journal.write(word(f"own {number}", TOWN))
    await county.journal.write(word("for all", COUNTY, subtree=True))
    end, other = MemoryReceived(TOWN), MemoryReceived(OTHER)
    async with town(county, end), town(county, other):
        await eventually(lambda: len(end.entries) == 501 and len(other.entries) == 1)
        await county.journal.write(word("later", TOWN))
        await eventually(lambda: county.journal.positions.get(TOWN) == 502 and len(end.entries) == 502)
    assert received(end) == [*(f"own {number}" for number in range(500)), "for all", "later"]
    assert received(other) == ["for all"]


async def test_what_was_written_while_the_town_was_away_waits_for_it(county: County) -> None:
    end = MemoryReceived(TOWN)
    journal = MemoryJournal(Signer.generate(log_id(TOWN, secrets.token_hex(4))))
    async with town(county, end, journal):
        await county.journal.write(word("first", TOWN))
        await eventually(lambda: len(end.entries) == 1)
    for number in range(300):
        await county.journal.write(word(f"{number}", TOWN))
    async with town(county, end, journal):
        await eventually(lambda: len(end.entries) == 301)
    assert received(end) == ["first", *map(str, range(300))]


async def test_a_county_that_crashes_again_and_again_loses_and_doubles_nothing(county: County) -> None:
    end = MemoryReceived(TOWN)
    async with town(county, end):
        for crash in range(4):
            for number in range(200):
                await county.journal.write(word(f"{crash}/{number}" + "x" * 5_000, TOWN))
            await eventually(lambda crash=crash: len(end.entries) > 200 * crash)  # type: ignore[misc]
            await county.down()
            await county.up()
        await eventually(lambda: len(end.entries) == 800)
    assert end.indexes(COUNTY) == list(range(800))


async def test_a_town_without_news_is_shown_the_head_all_the_same(county: County) -> None:
    end = MemoryReceived(TOWN)
    await county.journal.journal.append([b"something else"])
    async with town(county, end):
        await eventually(lambda: end.standing.size == 1)
        await county.journal.journal.append([b"and more"])
        await eventually(lambda: end.standing.size == 2)
    assert end.entries == []


class Rewriting(MemoryAddressed):
    """A county that shows another history while there is one."""

    other: MemoryAddressed | None = None

    async def batch(self, members: Collection[str], position: int, held_size: int, max_bytes: int):  # type: ignore[no-untyped-def]
        if self.other is not None:
            return await self.other.batch(members, position, held_size, max_bytes)
        return await super().batch(members, position, held_size, max_bytes)


async def test_a_county_that_rewrites_ends_the_lane_and_not_the_link(county: County) -> None:
    rewriting = county.journal = Rewriting(county.journal.card, county.journal.journal)
    await county.down()
    await county.up()
    await rewriting.write(word("first", TOWN))
    end = MemoryReceived(TOWN)
    async with town(county, end) as dialler:
        await eventually(lambda: len(end.entries) == 1)
        other = MemoryAddressed(rewriting.card, MemoryJournal(county.signer))
        for text in ("another", "second"):
            await other.write(word(text, TOWN))
        rewriting.other = other
        await eventually(lambda: end.code == "root_mismatch")
        assert dialler.status.state == "up"
        assert received(end) == ["first"]
        assert len(end.forks) == 1
        end.reopen()
        await eventually(lambda: received(end) == ["first", "another", "second"])
        assert end.code == ""


async def test_a_county_that_has_its_entries_back_is_followed_again_within_the_link(county: County) -> None:
    restored = county.journal = Rewriting(county.journal.card, county.journal.journal)
    await county.down()
    await county.up()
    for text in ("first", "second"):
        await restored.write(word(text, TOWN))
    end = MemoryReceived(TOWN)
    async with town(county, end) as dialler:
        await eventually(lambda: end.standing.size == 2)
        old = MemoryAddressed(restored.card, MemoryJournal(county.signer))
        await old.journal.append(restored.journal.tree.leaves[:1])
        restored.other = old
        await eventually(lambda: end.code == "parent_behind")
        await asyncio.sleep(0.5)  # asked again meanwhile
        assert end.code == "parent_behind"
        restored.other = None
        await restored.write(word("third", TOWN))
        await eventually(lambda: received(end) == ["first", "second", "third"])
        assert end.code == ""
        assert dialler.status.state == "up"
    assert end.forks == []
