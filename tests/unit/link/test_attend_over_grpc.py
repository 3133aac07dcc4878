"""The lane for viewers and orders over real gRPC on loopback, beside a link between a town and its village."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import viewing_pb2 as wire
from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.live_pb2 import Reach
from zongheng.v1.tree_pb2 import NodeCard
from zongheng.v1.viewing_pb2_grpc import ViewingServiceStub

from federation.errors import ZonghengError
from federation.link.dialler import ChildPorts, Dialler, Lane
from federation.link.lanes import LinkLost
from federation.link.memory import MemoryAnswerer, MemoryBackoffStore
from federation.trunk import attending, unanswered
from federation.trunk.attending import AttendLane, AttendService
from federation.trunk.neighbours import Say
from node.live.live import Live
from node.tree import Tree
from tests.unit.link.units import FAST, TOWN, VILLAGE, Child, Parent, eventually, no_answer, now_us

STREAM = f"{VILLAGE}/hall/main"
LEADER = Viewer(who="L-1", node=TOWN, tier="town")


class Village:
    """What a child does for its parent."""

    def __init__(self) -> None:
        self.say: Say | None = None
        self.did: list[str] = []
        self.no: ZonghengError | None = None
        self.rests = asyncio.Event()
        self.rests.set()

    def attended(self, say: Say) -> None:
        self.say = say

    def left(self) -> None:
        self.say = None

    async def asked(self, question: wire.ViewingQuestion) -> int:
        await self.rests.wait()
        self.did.append(f"asked {question.viewing}")
        if self.no is not None:
            raise self.no
        return 3

    async def ended(self, viewing: str) -> None:
        self.did.append(f"ended {viewing}")

    async def ordered(self, order: wire.CarryOrder) -> None:
        self.did.append(f"ordered {order.stream} to {order.port}")
        if self.no is not None:
            raise self.no

    async def withdrawn(self, ticket: bytes) -> None:
        self.did.append(f"withdrawn {ticket.decode()}")

    def goes_down(self) -> None:
        self.did.append("goes down")

    async def removed(self, removal: wire.ViewingRemoval) -> None:
        self.did.append(f"removed {removal.viewing}: {removal.words}")

    def ticketed(self, ticket: wire.CarryDownTicket) -> None:
        self.did.append(f"{ticket.wish.decode()} gets {ticket.ticket.decode()} at {ticket.port}")

    def wish_refused(self, wish: bytes, error: ZonghengError) -> None:
        self.did.append(f"{wish.decode()} refused: {error.code}")


class Town:
    """What a parent does about its children."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.no: ZonghengError | None = None
        self.rests = asyncio.Event()
        self.rests.set()

    def attends(self, child: str) -> None:
        self.did.append(f"attends {child}")

    def absent(self, child: str) -> None:
        self.did.append(f"absent {child}")

    async def removal(self, child: str, removal: wire.ViewingRemoval) -> None:
        self.did.append(f"{child} removes {removal.viewing}: {removal.words}")

    async def refusal(self, child: str, ticket: bytes, error: ZonghengError) -> None:
        self.did.append(f"{child} refuses {ticket.decode()}: {error.code}")

    async def asked_below(self, child: str, question: wire.ViewingQuestion) -> int:
        await self.rests.wait()
        self.did.append(f"{child} asks {question.viewing}")
        if self.no is not None:
            raise self.no
        return 2

    async def ended_below(self, child: str, viewing: str) -> None:
        self.did.append(f"{child} ends {viewing}")

    async def wished(self, child: str, wish: wire.CarryDownWish) -> None:
        self.did.append(f"{child} wishes {wish.wish.decode()}")
        if self.no is not None:
            raise self.no

    def wish_over(self, child: str, wish: bytes) -> None:
        self.did.append(f"{child} has enough of {wish.decode()}")


class Link:
    """Both ends."""

    def __init__(self) -> None:
        self.parent = Parent()
        self.town, self.village = Town(), Village()
        tree = Tree(NodeCard(node=TOWN, tier="town"))
        tree.learn([NodeCard(node=VILLAGE, parent=TOWN, tier="village")])
        self.live_above = Live(
            tree, lambda: False, lambda child: self.parent.listener.is_connected(child), now_us
        )
        self.live_below = Live(
            Tree(NodeCard(node=VILLAGE, tier="village")), lambda: True, lambda child: False, now_us
        )
        self.service: AttendService
        self.lane: AttendLane

    async def up(self, *, knows: bool = True, knows_live: bool = True) -> None:
        def with_viewers(server: grpc.aio.Server) -> grpc.aio.Server:
            live = self.live_above if knows_live else None
            self.service = AttendService(self.parent.listener, self.town, live)
            self.lane = AttendLane(self.village, self.live_below)
            if knows:
                self.service.add_to(server)
            return server

        await self.parent.up(tapped=with_viewers)

    @asynccontextmanager
    async def child(self, *lanes: Lane) -> AsyncIterator[Child]:
        child = Child(self.parent)
        ports = ChildPorts(
            lambda: child.card, list, child.journal, child.reporter, MemoryAnswerer(no_answer), child.operator,
            MemoryBackoffStore(), lanes=lanes or (self.lane,),
        )  # fmt: skip
        credentials = self.parent.box(VILLAGE).credentials
        child.dialler = Dialler(self.parent.address, credentials, ports, now_us, Random(1).random, FAST)
        async with child.running(), asyncio.TaskGroup() as tasks:
            serving = [tasks.create_task(live.run()) for live in (self.live_above, self.live_below)]
            await eventually(lambda: self.parent.listener.is_connected(VILLAGE))
            yield child
            for task in serving:
                task.cancel()


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    made = Link()
    yield made
    with suppress(AttributeError):
        await made.parent.down()


def question(viewing: str = "v-1") -> wire.ViewingQuestion:
    return wire.ViewingQuestion(viewing=viewing, stream=STREAM, viewer=LEADER)


async def test_a_child_answers_and_does_what_it_is_told(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: link.service.can_ask(VILLAGE))
        assert await link.service.ask(VILLAGE, question(), 60) == 3
        order = wire.CarryOrder(stream=STREAM, ticket=b"t-1", port=7600)
        link.service.say(VILLAGE, wire.AttendResponse(order=order))
        withdrawal = wire.CarryWithdrawal(ticket=b"t-1")
        link.service.say(VILLAGE, wire.AttendResponse(withdrawal=withdrawal))
        link.service.say(VILLAGE, wire.AttendResponse(end=wire.ViewingEnd(viewing="v-1")))
        link.service.say(VILLAGE, wire.AttendResponse())  # a message of a later version
        await eventually(lambda: len(link.village.did) == 5)
        assert sorted(link.village.did) == [
            "asked v-1", "ended v-1", "goes down", f"ordered {STREAM} to 7600", "withdrawn t-1",
        ]  # fmt: skip


class EarlierLane:
    """The lane of a version that knows of viewers and of no pictures."""

    async def run(self, channel: grpc.aio.Channel, session: str) -> None:
        stub: Any = ViewingServiceStub(channel)
        call = stub.Attend()
        try:
            await call.write(wire.AttendRequest(session=session))
            while (message := await call.read()) is not EOF:
                yes = wire.ViewingAnswer(viewing=message.question.viewing)
                await call.write(wire.AttendRequest(session=session, answer=yes))
        except grpc.aio.AioRpcError as error:
            raise LinkLost.because(error) from None
        finally:
            call.cancel()


def pictured() -> wire.ViewingQuestion:
    named = question()
    named.picture.sha256 = "ab" * 32
    return named


async def test_a_child_says_that_it_entered_a_picture(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: link.service.can_ask(VILLAGE))
        assert await link.service.ask(VILLAGE, pictured(), 60) == 3


async def test_a_child_of_an_earlier_version_is_not_believed_to_have_entered_a_picture(link: Link) -> None:
    await link.up()
    async with link.child(EarlierLane()):
        await eventually(lambda: link.service.can_ask(VILLAGE))
        assert await link.service.ask(VILLAGE, question(), 60) == 0
        with pytest.raises(ZonghengError) as refused:
            await link.service.ask(VILLAGE, pictured(), 60)
        assert refused.value.code == "unreachable"
        assert "upgraded" in refused.value.detail


async def test_a_no_comes_back_with_its_code_and_words(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: link.service.can_ask(VILLAGE))
        link.village.no = ZonghengError("forbidden", "L-1 may not watch camera hall")
        with pytest.raises(ZonghengError) as refused:
            await link.service.ask(VILLAGE, question(), 60)
        assert (refused.value.code, refused.value.detail) == ("forbidden", "L-1 may not watch camera hall")
        order = wire.CarryOrder(stream=STREAM, ticket=b"t-1", port=7600)
        link.service.say(VILLAGE, wire.AttendResponse(order=order))
        await eventually(lambda: f"{VILLAGE} refuses t-1: forbidden" in link.town.did)


async def test_a_child_puts_viewers_out_and_refuses_later(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: link.village.say is not None)
        assert link.village.say is not None
        link.village.say(
            wire.AttendRequest(removal=wire.ViewingRemoval(viewing="v-1", node=VILLAGE, by="V", words="涉密"))
        )
        late = wire.CarryRefusal(ticket=b"t-1", code="unreachable", words="the worker ended")
        link.village.say(wire.AttendRequest(refusal=late))
        await eventually(lambda: f"{VILLAGE} refuses t-1: unreachable" in link.town.did)
        assert f"{VILLAGE} removes v-1: 涉密" in link.town.did


async def test_whoever_waits_hears_that_the_link_broke_and_both_ends_know(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: link.service.can_ask(VILLAGE))
        link.village.rests.clear()
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(_outcome(link.service.ask(VILLAGE, question(), 60)))
            await asyncio.sleep(0.1)
            link.parent.listener.dismiss(VILLAGE, ZonghengError("unreachable", "cut"))
            assert (await asking).code == "unreachable"
        await eventually(lambda: f"absent {VILLAGE}" in link.town.did)
        await eventually(lambda: link.town.did.count(f"attends {VILLAGE}") == 2)  # and it is back by itself


async def test_a_child_that_does_not_answer_is_not_waited_for_for_ever(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: link.service.can_ask(VILLAGE))
        link.village.rests.clear()
        late = await _outcome(link.service.ask(VILLAGE, question(), 0.05))
        assert late.code == "deadline"


async def test_of_too_many_questions_the_last_are_refused(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unanswered, "MOST_QUESTIONS", 2)
    monkeypatch.setattr(attending, "MOST_AT_WORK", 2)
    await link.up()
    async with link.child():
        await eventually(lambda: link.service.can_ask(VILLAGE))
        link.village.rests.clear()
        async with asyncio.TaskGroup() as tasks:
            waiting = [
                tasks.create_task(_outcome(link.service.ask(VILLAGE, question(f"v-{number}"), 1)))
                for number in range(2)
            ]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert (await _outcome(link.service.ask(VILLAGE, question("v-9"), 60))).code == "busy"
            assert [(await each).code for each in waiting] == ["deadline", "deadline"]
        # The child is still at work on those, and turns away what comes on top.
        assert (await _outcome(link.service.ask(VILLAGE, question("v-9"), 60))).code == "busy"


async def test_a_child_of_an_earlier_version_cannot_be_asked_and_is_said_to_be(link: Link) -> None:
    class Nothing:
        async def run(self, channel: grpc.aio.Channel, session: str) -> None:
            return

    await link.up()
    async with link.child(Nothing()):
        refused = await _outcome(link.service.ask(VILLAGE, question(), 60))
        assert refused.code == "unreachable"
        assert "upgrade" in refused.detail
    gone = await _outcome(link.service.ask("990102009", question(), 60))
    assert (gone.code, gone.detail) == ("unreachable", "990102009 is not connected")


async def test_a_parent_of_an_earlier_version_keeps_its_link(link: Link) -> None:
    await link.up(knows=False)
    async with link.child() as child:
        await asyncio.sleep(0.5)
        assert child.dialler.status.state == "up"
        assert link.parent.listener.is_connected(VILLAGE)
        assert link.village.say is None


# Streams that go down.


async def test_a_child_asks_and_wishes_and_hears_what_its_parent_says(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: "goes down" in link.village.did)
        say = link.village.say
        assert say is not None
        assert await link.lane.ask(question(), 60) == 2
        say(wire.AttendRequest(wish=wire.CarryDownWish(wish=b"w-1", stream=STREAM)))
        await eventually(lambda: f"{VILLAGE} wishes w-1" in link.town.did)
        told = wire.CarryDownTicket(wish=b"w-1", ticket=b"t-1", port=7600)
        link.service.say(VILLAGE, wire.AttendResponse(ticket=told))
        put_out = wire.ViewingRemoval(viewing="v-1", node=TOWN, by="L", words="散会")
        link.service.say(VILLAGE, wire.AttendResponse(removal=put_out))
        await eventually(lambda: {"w-1 gets t-1 at 7600", "removed v-1: 散会"} <= set(link.village.did))
        say(wire.AttendRequest(wish_over=wire.CarryDownEnd(wish=b"w-1")))
        say(wire.AttendRequest(end=wire.ViewingEnd(viewing="v-1")))
        ends = {f"{VILLAGE} has enough of w-1", f"{VILLAGE} ends v-1"}
        await eventually(lambda: ends <= set(link.town.did))


async def test_a_parents_no_comes_down_with_its_code_and_words(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: "goes down" in link.village.did)
        link.town.no = ZonghengError("forbidden", "there is no such meeting")
        refused = await _outcome(link.lane.ask(question(), 60))
        assert (refused.code, refused.detail) == ("forbidden", "there is no such meeting")
        assert link.village.say is not None
        link.village.say(wire.AttendRequest(wish=wire.CarryDownWish(wish=b"w-1", stream=STREAM)))
        await eventually(lambda: "w-1 refused: forbidden" in link.village.did)


async def test_a_child_that_goes_leaves_none_of_its_questions_at_work(link: Link) -> None:
    await link.up()
    async with link.child():
        await eventually(lambda: "goes down" in link.village.did)
        link.town.rests.clear()
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(_outcome(link.lane.ask(question(), 60)))
            await asyncio.sleep(0.1)
            link.parent.listener.dismiss(VILLAGE, ZonghengError("unreachable", "cut"))
            assert (await asking).code == "unreachable"
        await eventually(lambda: link.village.did.count("goes down") == 2)
        link.town.rests.set()
        assert await link.lane.ask(question("v-2"), 60) == 2
        assert f"{VILLAGE} asks v-1" not in link.town.did


async def test_what_a_child_asks_too_much_of_is_refused(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attending, "MOST_AT_WORK", 1)
    await link.up()
    async with link.child():
        await eventually(lambda: "goes down" in link.village.did)
        link.town.rests.clear()
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(link.lane.ask(question("v-1"), 60))
            await asyncio.sleep(0)
            assert (await _outcome(link.lane.ask(question("v-2"), 60))).code == "busy"
            link.town.rests.set()
            assert await first == 2


async def test_a_parent_that_lets_nothing_down_is_not_asked(link: Link) -> None:
    await link.up(knows=False)
    async with link.child():
        refused = await _outcome(link.lane.ask(question(), 60))
        assert (refused.code, "upgraded first" in refused.detail) == ("unreachable", True)


async def asked_live(asking: Live, asks: str, to_node: str, tier: str) -> list[str]:
    """Ask again until the lane is there; returns the way."""
    asker = Viewer(who="W-1", node=asks, tier=tier)
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await asking.ask(to_node, Reach(), asker, 30)
            except ZonghengError:
                await asyncio.sleep(0.02)
                continue
            return [hop.node for hop in answer.hops]


async def test_live_questions_go_up_and_down_and_on_after_a_break(link: Link) -> None:
    await link.up()
    async with link.child():
        for _ in range(2):
            assert await asked_live(link.live_above, TOWN, VILLAGE, "town") == [VILLAGE, TOWN]
            assert await asked_live(link.live_below, VILLAGE, TOWN, "village") == [TOWN, VILLAGE]
            link.parent.listener.dismiss(VILLAGE, ZonghengError("unreachable", "cut"))


async def test_a_side_of_an_earlier_version_is_asked_nothing_live(link: Link) -> None:
    asker = Viewer(who="W-1", node=VILLAGE, tier="village")
    await link.up(knows_live=False)
    async with link.child():
        await eventually(lambda: link.service.can_ask(VILLAGE))
        assert await link.service.ask(VILLAGE, question(), 60) == 3  # the lane is there and at work
        refused = await _outcome(link.live_below.ask(TOWN, Reach(), asker, 60))
        assert (refused.code, "upgraded first" in refused.detail) == ("unreachable", True)


async def test_a_child_of_an_earlier_version_is_asked_nothing_live(link: Link) -> None:
    asker = Viewer(who="L-1", node=TOWN, tier="town")
    await link.up()
    async with link.child(EarlierLane()):
        await eventually(lambda: link.service.can_ask(VILLAGE))
        refused = await _outcome(link.live_above.ask(VILLAGE, Reach(), asker, 60))
        assert (refused.code, "upgraded first" in refused.detail) == ("unreachable", True)


async def test_who_has_no_session_gets_no_lane(link: Link) -> None:
    await link.up()
    async with link.child():
        stub: Any = ViewingServiceStub(channel := link.parent.channel("990102002"))
        call = stub.Attend()
        await call.write(wire.AttendRequest(session="somebody else's"))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call.read()
        assert refused.value.code() is grpc.StatusCode.ABORTED
        call.cancel()
        await channel.close(None)


async def _outcome(asking: Any) -> ZonghengError:
    try:
        await asking
    except ZonghengError as error:
        return error
    raise AssertionError("it was answered")
