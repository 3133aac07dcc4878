"""Where streams come from and go to, at one node: what its worker is told, and what parent and children are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from zongheng.v1 import media_pb2 as wire
from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.tree_pb2 import NodeCard
from zongheng.v1.viewing_pb2 import AttendRequest, AttendResponse, CarryOrder, ViewingQuestion

from federation.errors import ZonghengError
from federation.trunk.frame import Stream
from node.media.ingest.source import Source
from node.media.streams import MOST_ORDERED, Streams
from node.media.supervisor import Attached
from node.media.unclosed import UnclosedInMemory
from node.media.viewings import Viewings
from node.tree import Tree

COUNTY, TOWN, VILLAGE = "990121", "990121101", "990121101001"
OWN, BELOW = f"{TOWN}/hall/main", f"{VILLAGE}/hall/main"
LEADER = Viewer(who="L-1", node=COUNTY, tier="county")


class Office:
    """A town: a county above, a village below."""

    def __init__(self) -> None:
        self.tree = Tree(NodeCard(node=TOWN))
        self.tree.learn([NodeCard(node=VILLAGE, parent=TOWN)])
        self.told_worker: list[wire.AttachRequest] = []
        self.told_child: list[AttendResponse] = []
        self.told_parent: list[AttendRequest] = []
        self.connected = {VILLAGE}
        self.now_us = 1
        self.meeting: set[str] = set()
        self.key: ZonghengError | str = "k-1"
        self.viewings = Viewings(
            self.tree, self, self, lambda: True, self.ask, self.say_child, self.write, UnclosedInMemory(),
            lambda: self.now_us,
        )  # fmt: skip
        self.streams = Streams(
            self.tree, self.viewings, self, self, self.key_of, lambda child: child in self.connected,
            self.say_child, self.start, lambda: "192.0.2.1", lambda: self.now_us,
        )  # fmt: skip
        self.worker: Any = Attached(1, 7600, None)  # type: ignore[arg-type]
        self.worker.say = self.told_worker.append

    def may_go_down(self, stream: Stream, child: str) -> bool:
        return child == VILLAGE and str(stream) in self.meeting

    async def check(self, viewer: Viewer, stream: Stream) -> None:
        return

    async def ask(self, child: str, question: ViewingQuestion, within_s: float) -> int:
        return 0

    async def write(self, entries: Any) -> list[int]:
        return [0]

    async def source(self, stream: Stream) -> Source:
        if stream.camera != "hall":
            raise ZonghengError("not_found", "no such camera")
        return Source("rtsp://192.0.2.9/main", "u", "p")

    async def key_of(self, child: str) -> str:
        if isinstance(self.key, ZonghengError):
            raise self.key
        return self.key

    async def start(self) -> Attached:
        self.streams.attached(self.worker)
        return self.worker  # type: ignore[no-any-return]

    def say_child(self, child: str, message: AttendResponse) -> None:
        assert child == VILLAGE
        if message.WhichOneof("part") != "end":
            self.told_child.append(message)

    def wants(self, stream: str, ticket: bytes = b"t-1") -> None:
        self.streams.said(wire.AttachResponse(wanted=wire.UpstreamWanted(ticket=ticket, stream=stream)))

    async def let_in(self, stream: str) -> None:
        """The county has somebody who looks."""
        await self.viewings.asked(ViewingQuestion(viewing=f"{COUNTY}-{stream}", stream=stream, viewer=LEADER))


@asynccontextmanager
async def office() -> AsyncIterator[Office]:
    made = Office()
    await made.start()
    made.streams.attended(made.told_parent.append)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.streams.run())
        yield made
        running.cancel()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_stream_of_an_own_camera_comes_from_there() -> None:
    async with office() as town:
        town.wants(OWN)
        await eventually(lambda: bool(town.told_worker))
        source = town.told_worker[0].source
        assert (source.ticket, source.address, source.password) == (b"t-1", "rtsp://192.0.2.9/main", "p")
        assert town.told_child == []


async def test_a_stream_of_a_node_below_is_ordered_when_the_worker_is_ready_for_it() -> None:
    async with office() as town:
        await town.let_in(BELOW)
        town.wants(BELOW)
        await eventually(lambda: bool(town.told_worker))
        expected = town.told_worker[0].expected
        assert (expected.ticket, expected.key) == (b"t-1", "k-1")
        assert town.told_child == []
        town.streams.said(wire.AttachResponse(upstream_ready=wire.UpstreamReady(ticket=b"t-1")))
        (told,) = town.told_child
        assert (told.order.stream, told.order.ticket, told.order.port) == (BELOW, b"t-1", 7600)
        assert told.order.bundled
        town.streams.said(wire.AttachResponse(over=wire.UpstreamOver(ticket=b"t-1")))
        assert town.told_child[-1].withdrawal.ticket == b"t-1"


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (f"{TOWN}/yard/main", "not_found"),
        ("990199/hall/main", "unreachable"),
        ("rubbish", "bad_request"),
        (BELOW, "unreachable"),
    ],
    ids=["no camera", "no node", "no stream", "nobody was let in"],
)
async def test_a_stream_that_cannot_be_had_is_refused_to_the_worker(stream: str, code: str) -> None:
    async with office() as town:
        town.wants(stream)
        await eventually(lambda: bool(town.told_worker))
        assert town.told_worker[0].refused.code == code
        assert town.told_child == []


async def test_no_stream_is_ordered_from_a_child_that_was_revoked_or_is_away() -> None:
    async with office() as town:
        await town.let_in(BELOW)
        town.key = ZonghengError("revoked", "its enrolment was revoked")
        town.wants(BELOW, b"t-1")
        await eventually(lambda: len(town.told_worker) == 1)
        town.connected.clear()
        town.wants(BELOW, b"t-2")
        await eventually(lambda: len(town.told_worker) == 2)
        assert [each.refused.code for each in town.told_worker] == ["revoked", "unreachable"]


async def test_a_refusal_counts_from_the_child_that_was_ordered_from_alone() -> None:
    async with office() as town:
        await town.let_in(BELOW)
        town.wants(BELOW)
        await eventually(lambda: bool(town.told_worker))
        await town.streams.refusal("990121109", b"t-1", ZonghengError("not_found"))
        await town.streams.refusal(VILLAGE, b"t-9", ZonghengError("not_found"))
        assert len(town.told_worker) == 1
        await town.streams.refusal(VILLAGE, b"t-1", ZonghengError("camera_lost", "no picture"))
        assert town.told_worker[1].refused.code == "camera_lost"


async def test_a_child_that_comes_back_is_ordered_from_anew_where_nothing_has_begun_to_come() -> None:
    async with office() as town:
        await town.let_in(BELOW)
        town.wants(BELOW)
        await eventually(lambda: bool(town.told_worker))
        town.streams.attends(VILLAGE)
        assert (town.told_worker[1].refused.ticket, town.told_worker[1].refused.unless_begun) == (
            b"t-1",
            True,
        )


async def test_the_parents_order_is_carried_out_for_whom_it_was_let_in() -> None:
    async with office() as town:
        await town.let_in(OWN)
        await town.streams.ordered(CarryOrder(stream=OWN, ticket=b"p-1", port=7700))
        carry = town.told_worker[-1].carry
        assert (carry.ticket, carry.stream, carry.address) == (b"p-1", OWN, "192.0.2.1:7700")
        assert not carry.bundled  # a parent of an earlier version does not say that it knows how
        await town.streams.ordered(CarryOrder(stream=OWN, ticket=b"p-2", port=7700, bundled=True))
        assert town.told_worker[-1].carry.bundled
        await town.streams.ended(f"{COUNTY}-{OWN}")
        assert [told.stopped.ticket for told in town.told_worker[-2:]] == [b"p-1", b"p-2"]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (CarryOrder(stream=BELOW, ticket=b"p-1", port=7700), "forbidden"),
        (CarryOrder(stream=OWN, ticket=b"p-1", port=0), "protocol"),
        (CarryOrder(stream=OWN, ticket=b"p-1", port=70_000), "protocol"),
        (CarryOrder(stream="../../etc", ticket=b"p-1", port=7700), "bad_request"),
    ],
    ids=["for nobody", "no port", "no such port", "no stream"],
)
async def test_a_parents_order_that_is_none_is_refused(order: CarryOrder, code: str) -> None:
    async with office() as town:
        await town.let_in(OWN)
        with pytest.raises(ZonghengError) as refused:
            await town.streams.ordered(order)
        assert refused.value.code == code
        assert town.told_worker == []


async def test_a_worker_that_dies_takes_its_orders_with_it_in_both_directions() -> None:
    async with office() as town:
        await town.let_in(OWN)
        await town.let_in(BELOW)
        await town.streams.ordered(CarryOrder(stream=OWN, ticket=b"p-1", port=7700))
        town.wants(BELOW)
        await eventually(lambda: any(each.HasField("expected") for each in town.told_worker))
        town.streams.detached()
        assert town.told_child[-1].withdrawal.ticket == b"t-1"
        assert (town.told_parent[-1].refusal.ticket, town.told_parent[-1].refusal.code) == (
            b"p-1",
            "unreachable",
        )
        assert town.streams.states == {}


async def test_what_is_kept_open_is_told_to_each_worker_anew() -> None:
    async with office() as town:
        town.streams.keep((OWN,))
        town.streams.detached()
        await town.start()
        assert [list(each.kept.streams) for each in town.told_worker] == [[OWN], [OWN]]


async def test_a_stream_that_is_not_carried_any_more_is_refused_above_with_why() -> None:
    async with office() as town:
        await town.let_in(OWN)
        await town.streams.ordered(CarryOrder(stream=OWN, ticket=b"p-1", port=7700))
        over = wire.CarryOver(ticket=b"p-1", code="unreachable", words="nobody at that port")
        town.streams.said(wire.AttachResponse(carried=over))
        assert town.told_parent[-1].refusal.words == "nobody at that port"


async def test_a_parent_that_orders_without_end_is_told_busy() -> None:
    async with office() as town:
        await town.let_in(OWN)

        async def order(number: int) -> str:
            try:
                await town.streams.ordered(CarryOrder(stream=OWN, ticket=b"p-%d" % number, port=7700))
            except ZonghengError as error:
                return error.code
            return ""

        assert [await order(number) for number in range(5)] == ["", "", "", "", "busy"]
        told = []
        for number in range(10, 10 + 2 * MOST_ORDERED):
            await town.streams.withdrawn(b"p-0" if number == 10 else b"p-%d" % (number - 1))
            told.append(await order(number))
        assert set(told[: MOST_ORDERED - 10]) == {""}
        assert set(told[MOST_ORDERED:]) == {"busy"}
        town.now_us += 1_000_000
        assert await order(9_999) == ""
