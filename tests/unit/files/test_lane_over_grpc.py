"""The files lane over real gRPC on loopback, behind a real journal lane; stores in memory."""

import asyncio
import secrets
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import grpc.aio
import pytest
from zongheng.v1 import files_pb2 as wire
from zongheng.v1.files_pb2_grpc import FileServiceStub
from zongheng.v1.query_pb2 import AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.files import memory
from federation.files.ports import Offer
from federation.files.servicer import FileDesk
from federation.files.transfer import CREDIT_BYTES
from federation.journal.checkpoint import Signer, log_id
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
from federation.query.part import Parts
from tests.certified import Certifying
from tests.unit.link.units import FAST, TOWN, VILLAGE, eventually, now_us


async def nobody(context: object) -> str:
    raise ZonghengError("not_enrolled")


class Parent:
    """A parent that takes files, and can be taken down and brought up again on its port."""

    def __init__(self) -> None:
        self.signer = Signer.generate(log_id(TOWN, secrets.token_hex(4)))
        self.certified = Certifying("town", TOWN)
        self.box = self.certified.child("village", VILLAGE)
        self.inbox = MemoryInbox(self.signer, now_us)
        self.sink = memory.MemorySink()
        self.port = 0
        self.server: grpc.aio.Server

    async def up(self) -> None:
        card = NodeCard(node=TOWN, tier="town", verifier=str(self.signer.verifier))
        listener = Listener(lambda: card, self.certified.gate, self.inbox, MemorySink(), now_us, 300)
        self.server = grpc.aio.server(options=list(PARENT_OPTIONS))
        listener.add_to(self.server)
        FileDesk(listener, self.sink, nobody).add_to(self.server)
        self.port = self.certified.credentials.server_port(self.server, f"127.0.0.1:{self.port}")
        await self.server.start()

    async def down(self) -> None:
        await self.server.stop(None)


async def no_answer(question: Question, deadline: float) -> Parts:
    yield AnswerPart(node=VILLAGE)


class Child:
    """A dialling child with files."""

    def __init__(self, parent: Parent, files: memory.MemorySource | None = None) -> None:
        self.journal = MemoryJournal(Signer.generate(log_id(VILLAGE, secrets.token_hex(4))))
        self.files = files or memory.MemorySource(VILLAGE)
        self.operator = MemoryOperator()
        card = NodeCard(node=VILLAGE, tier="village", parent=TOWN)
        ports = ChildPorts(
            lambda: card,
            list,
            self.journal,
            MemoryReporter(card),
            MemoryAnswerer(no_answer),
            self.operator,
            MemoryBackoffStore(),
            files=self.files,
        )
        address, credentials = f"127.0.0.1:{parent.port}", parent.box.credentials
        self.dialler = Dialler(address, credentials, ports, now_us, Random(1).random, FAST)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Child"]:
        async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
            run = tasks.create_task(self.dialler.run())
            try:
                yield self
            finally:
                self.dialler.stop()
                await asyncio.wait([run], timeout=3)
                run.cancel()


@pytest.fixture
async def parent() -> AsyncIterator[Parent]:
    parent = Parent()
    await parent.up()
    yield parent
    await parent.server.stop(0.2)


async def test_files_arrive_one_after_another(parent: Parent) -> None:
    child = Child(parent)
    contents = [secrets.token_bytes(size) for size in (0, 1, 65_536, 3_000_000)]
    offers = [child.files.add(content) for content in contents]
    parent.sink.named.update(offers)
    async with child.running():
        await eventually(lambda: not child.files.waiting)
    assert [parent.sink.kept[offer.sha256] for offer in offers] == contents


async def test_a_parent_that_crashes_again_and_again_gets_the_file_from_where_it_was(parent: Parent) -> None:
    child = Child(parent)
    content = secrets.token_bytes(24_000_000)
    offer = child.files.add(content)
    parent.sink.named.add(offer)
    reached = []
    async with child.running():
        for at in (1, 5_000_000, 12_000_000):
            await eventually(lambda at=at: len(parent.sink.parts.get(offer.sha256, b"")) > at)  # type: ignore[misc]
            await parent.down()
            reached.append(len(parent.sink.parts[offer.sha256]))
            await parent.up()
        await eventually(lambda: offer.sha256 in parent.sink.kept)
    assert parent.sink.kept[offer.sha256] == content
    assert reached == sorted(reached)


async def test_a_file_that_no_entry_names_is_not_taken_until_one_does(parent: Parent) -> None:
    child = Child(parent)
    offer = child.files.add(b"from nowhere")
    async with child.running():
        await eventually(lambda: len(child.files.told) > 1)
        assert set(child.files.told) == {(offer.sha256, "not_found")}
        assert not parent.sink.parts
        parent.sink.named.add(offer)
        await eventually(lambda: offer.sha256 in parent.sink.kept)


async def test_a_full_disk_refuses_the_file_and_leaves_the_link_alone(parent: Parent) -> None:
    parent.sink.room = 200_000
    child = Child(parent)
    large, small = child.files.add(bytes(300_000)), child.files.add(b"small")
    parent.sink.named.update({large, small})
    async with child.running():
        await eventually(lambda: small.sha256 in parent.sink.kept)
        assert child.files.told == [(large.sha256, "disk_full")]
        await child.journal.append([b"entry"])
        await eventually(lambda: child.journal.cosigned_size == 1)
        assert child.operator.told == []


async def test_what_was_shed_is_asked_for_again_and_comes(parent: Parent) -> None:
    child = Child(parent)
    offer = child.files.add(b"vouchers")
    parent.sink.named.add(offer)
    async with child.running():
        await eventually(lambda: not child.files.waiting)
        parent.sink.ask_again(offer)
        assert offer.sha256 not in parent.sink.kept
        await eventually(lambda: offer.sha256 in parent.sink.kept)


class Interrupted(memory.MemorySink):
    """Its child gets much to enter while a file is on its way; counts what arrives of the file until all that is up."""

    entered: MemoryJournal
    during = 0

    async def write(self, child: str, offer: Offer, content: bytes) -> int:
        arrived = await super().write(child, offer, content)
        if not self.entered.tree.leaves and arrived > 1_000_000:
            await self.entered.append([b"entry %d" % number + bytes(2_000) for number in range(10_000)])
        if 0 < self.entered.cosigned_size < 10_000:
            self.during += len(content)
        return arrived


async def test_the_journal_goes_first() -> None:
    parent = Parent()
    parent.sink = sink = Interrupted()
    await parent.up()
    child = Child(parent)
    sink.entered = child.journal
    offer = child.files.add(secrets.token_bytes(40_000_000))
    sink.named.add(offer)
    async with child.running():
        await eventually(lambda: offer.sha256 in sink.kept)
        assert child.journal.cosigned_size == 10_000
    # What was granted and under way when the entries came may still land: no more than the credit.
    assert sink.during <= CREDIT_BYTES
    await parent.server.stop(0.2)


class Elsewhere(memory.MemorySource):
    """A file of any size that takes no memory."""

    async def read(self, sha256: str, offset: int, count: int) -> bytes:
        return bytes(count)


class Nowhere(memory.MemorySink):
    """Takes a file into no memory, slowly at first."""

    arrived = 0

    async def write(self, child: str, offer: Offer, content: bytes) -> int:
        if self.arrived < 2_000_000:
            await asyncio.sleep(0.02)
        self.arrived += len(content)
        return self.arrived

    async def verify(self, child: str, offer: Offer) -> bool:
        self.kept[offer.sha256] = b""
        return True


async def test_memory_of_both_ends_is_bounded_by_the_credit() -> None:
    parent = Parent()
    parent.sink = sink = Nowhere()
    await parent.up()
    child = Child(parent, Elsewhere(VILLAGE))
    offer = Offer(VILLAGE, "0" * 64, 100_000_000)
    child.files.waiting.append(offer)
    sink.named.add(offer)
    tracemalloc.start()
    try:
        async with child.running():
            await eventually(lambda: offer.sha256 in sink.kept, 110)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        await parent.server.stop(0.2)
    assert peak < 8 * CREDIT_BYTES


@pytest.mark.parametrize(
    "first",
    [
        wire.SendRequest(begin=wire.SendBegin(session="nobody's")),
        wire.SendRequest(offer=wire.FileOffer(origin=VILLAGE, sha256="0" * 64, size=1)),
        wire.SendRequest(),
    ],
)
async def test_a_call_without_a_live_session_is_refused(parent: Parent, first: wire.SendRequest) -> None:
    async with parent.box.credentials.channel(f"127.0.0.1:{parent.port}") as channel:
        call = FileServiceStub(channel).Send()
        try:
            await call.write(first)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call.read()
        finally:
            call.cancel()
    told = {str(key): value for key, value in tuple(refused.value.trailing_metadata() or ())}
    assert told["zongheng-code"] in ("fenced", "protocol")
    assert not parent.sink.parts
