"""Who looks, hop by hop: three nodes, each with its own journal, the lanes between them direct calls."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.tree_pb2 import NodeCard
from zongheng.v1.viewing_pb2 import (
    AttendRequest,
    AttendResponse,
    ViewingPicture,
    ViewingQuestion,
    ViewingRemoval,
)

from federation.errors import ZonghengError
from federation.trunk.frame import Stream
from federation.trunk.live import PARENT
from node.media import viewings as module
from node.media.meeting_streams import NoMeetings
from node.media.unclosed import UnclosedInMemory
from node.media.viewing import Viewing
from node.media.viewings import LOST_US, MOST_FROM_ABOVE, ONE_AT_ONCE, UNCONFIRMED_US, Viewings
from node.tree import Tree

CITY, COUNTY, VILLAGE = "9901", "990121", "990121101001"
STREAM = f"{VILLAGE}/hall/main"
LEADER = Viewer(who="L-1", node=CITY, tier="city", roles=["leader"], purpose="巡查")


class Office:
    """One node as far as viewers go."""

    def __init__(self, node: str, below: Sequence[tuple[str, str]]) -> None:
        self.node = node
        self.tree = Tree(NodeCard(node=node))
        self.tree.learn([NodeCard(node=each, parent=parent) for each, parent in below])
        self.journal: list[Entry] = []
        self.sealed = False
        self.wrote: Callable[[], None] = lambda: None
        self.may: set[str] = {"L-1"}
        self.child: Office | None = None
        self.parent: Office | None = None
        self.linked = True
        self.now_us = 1_000_000_000
        self.unclosed = UnclosedInMemory()
        self.put_out: list[ZonghengError] = []
        self.viewings = Viewings(
            self.tree, self, NoMeetings(), lambda: self.parent is not None, self.ask, self.say, self.write,
            self.unclosed, lambda: self.now_us,
        )  # fmt: skip
        self.said: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.removals: asyncio.Queue[tuple[str, ViewingRemoval]] = asyncio.Queue()

    async def check(self, viewer: Viewer, stream: Stream) -> None:
        if stream.camera != "hall":
            raise ZonghengError("not_found", "no such camera")
        if viewer.who not in self.may:
            raise ZonghengError("forbidden", f"{viewer.who} may not")

    async def write(self, entries: Sequence[Entry]) -> list[int]:
        if self.sealed:
            raise ZonghengError("sealed")
        self.journal += entries
        self.wrote()
        return [len(self.journal) - 1]

    async def ask(self, child: str, question: ViewingQuestion, within_s: float) -> int:
        assert self.child is not None
        assert child == self.child.node
        if not self.linked:
            raise ZonghengError("unreachable", f"{child} is not connected")
        return await self.child.viewings.asked(question)

    def say(self, child: str, message: AttendResponse) -> None:
        if self.linked:
            self.said.put_nowait((child, message.end.viewing))

    def hear(self, message: AttendRequest) -> None:
        """From this node to its parent."""
        assert self.parent is not None
        self.parent.removals.put_nowait((self.node, message.removal))

    async def deliver(self) -> None:
        while True:
            _, viewing = await self.said.get()
            if self.child is not None:
                await self.child.viewings.ended_above(viewing)

    async def rise(self) -> None:
        while True:
            child, removal = await self.removals.get()
            await self.viewings.removal(child, removal)

    def kinds(self) -> list[str]:
        return [str(entry.WhichOneof("body")) for entry in self.journal]

    def cut(self) -> None:
        self.linked = False
        assert self.child is not None
        self.child.viewings.left()

    def mend(self) -> None:
        self.linked = True
        assert self.child is not None
        self.child.viewings.attended(self.child.hear)
        self.viewings.attends(self.child.node)


@asynccontextmanager
async def three() -> AsyncIterator[tuple[Office, Office, Office]]:
    city = Office(CITY, [(COUNTY, CITY), (VILLAGE, COUNTY)])
    county = Office(COUNTY, [(VILLAGE, COUNTY)])
    village = Office(VILLAGE, [])
    for above, below in ((city, county), (county, village)):
        above.child, below.parent = below, above
        below.viewings.attended(below.hear)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(work())
            for office in (city, county, village)
            for work in (office.viewings.run, office.deliver, office.rise)
        ]
        stack.callback(lambda: [task.cancel() for task in running])
        yield city, county, village
        for task in running:
            task.cancel()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def look(office: Office, stream: str = STREAM) -> Viewing:
    return await office.viewings.open(LEADER, stream, office.put_out.append)


async def test_every_node_on_the_way_enters_who_looks_before_anybody_does() -> None:
    async with three() as (city, county, village):
        viewing = await look(city)
        for hop, office in enumerate((village, county, city)):
            (entry,) = office.journal
            assert (entry.camera_opened.viewing, entry.camera_opened.hop) == (viewing.id, hop)
            assert entry.camera_opened.viewer == LEADER
        assert village.viewings.is_wanted_by(PARENT, STREAM)
        village.now_us += 7_000_000
        await city.viewings.close(viewing)
        await eventually(lambda: village.kinds()[-1] == "camera_closed")
        assert village.journal[-1].camera_closed.seconds == 7
        assert not village.viewings.is_wanted_by(PARENT, STREAM)
        assert [office.viewings.now_looking for office in (city, county, village)] == [[], [], []]


@pytest.mark.parametrize(
    ("stream", "who", "code"),
    [
        (f"{VILLAGE}/yard/main", "L-1", "not_found"),
        (STREAM, "L-2", "forbidden"),
        ("990199/hall/main", "L-1", "unknown_node"),
        ("hall", "L-1", "bad_request"),
    ],
)
async def test_a_no_from_anywhere_reaches_the_asker_and_leaves_nothing(
    stream: str, who: str, code: str
) -> None:
    async with three() as offices:
        asker = Viewer(who=who, node=CITY, tier="city")
        with pytest.raises(ZonghengError) as refused:
            await offices[0].viewings.open(asker, stream)
        assert refused.value.code == code
        assert [office.journal for office in offices] == [[], [], []]


async def test_where_a_journal_takes_no_entries_nobody_looks() -> None:
    async with three() as (city, county, village):
        county.sealed = True
        with pytest.raises(ZonghengError) as refused:
            await look(city)
        assert refused.value.code == "sealed"
        assert city.journal == []
        await eventually(lambda: village.kinds() == ["camera_opened", "camera_closed"])


async def test_the_cameras_node_puts_out_who_sits_far_above() -> None:
    async with three() as (city, county, village):
        viewing = await look(city)
        await village.viewings.remove(viewing.id, "V-1", "涉密办公")
        await eventually(lambda: bool(city.put_out))
        assert city.put_out[0].code == "viewer_removed"
        assert "涉密办公" in city.put_out[0].detail
        for office in (village, county, city):
            await eventually(
                lambda office=office: office.kinds() == ["camera_opened", "viewer_removed", "camera_closed"]
            )
            assert office.journal[-1].camera_closed.code == "viewer_removed"
        assert not village.viewings.is_wanted_by(PARENT, STREAM)


async def test_a_node_between_puts_out_too_and_both_sides_hear_of_it() -> None:
    async with three() as (city, county, village):
        viewing = await look(city)
        await county.viewings.remove(viewing.id, "C-1", "")
        await eventually(lambda: bool(city.put_out) and village.kinds()[-1] == "camera_closed")
        with pytest.raises(ZonghengError) as unknown:
            await county.viewings.remove(viewing.id, "C-1", "")
        assert unknown.value.code == "not_found"


async def test_a_link_that_breaks_for_a_while_interrupts_nobody() -> None:
    async with three() as (city, county, village):
        await look(city)
        county.cut()
        village.now_us += UNCONFIRMED_US // 2
        assert village.viewings.is_wanted_by(PARENT, STREAM)
        county.mend()
        assert not county.viewings.is_let_in(STREAM)
        await eventually(lambda: county.viewings.is_let_in(STREAM))
        village.now_us += UNCONFIRMED_US * 2
        await asyncio.sleep(0)
        assert village.kinds() == ["camera_opened"]
        assert city.put_out == []


async def test_who_looks_is_asked_for_until_also_nodes_further_below_are_back() -> None:
    async with three() as (city, county, village):
        await look(city)
        city.cut()
        county.cut()
        await county.viewings.close(county.viewings.now_looking[0])  # as one that was killed
        city.mend()
        await asyncio.sleep(0.1)
        assert not city.viewings.is_let_in(STREAM)
        assert city.put_out == []
        county.mend()
        await eventually(lambda: city.viewings.is_let_in(STREAM))
        assert county.kinds()[-1] == "camera_opened"
        assert village.kinds() == ["camera_opened"]


async def test_viewers_of_a_parent_that_stays_away_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    async with three() as (city, county, village):
        await look(city)
        county.cut()
        village.now_us += UNCONFIRMED_US + 1
        await eventually(lambda: village.kinds() == ["camera_opened", "camera_closed"])
        assert village.journal[-1].camera_closed.code == "unreachable"
        county.mend()
        await eventually(lambda: village.kinds()[-1] == "camera_opened")


async def test_who_may_not_look_any_more_when_the_link_is_back_is_put_out() -> None:
    async with three() as (city, county, village):
        viewing = await look(city)
        county.cut()
        await village.viewings.close(village.viewings.now_looking[0])
        village.may.clear()
        county.mend()
        await eventually(lambda: county.kinds()[-1] == "camera_closed")
        assert county.journal[-1].camera_closed.viewing == viewing.id
        assert county.journal[-1].camera_closed.code == "forbidden"


async def test_a_viewer_who_leaves_while_asked_for_leaves_nothing_open() -> None:
    async with three() as (city, county, village):
        asked, go_on = asyncio.Event(), asyncio.Event()
        check = village.check

        async def slow(viewer: Viewer, stream: Stream) -> None:
            asked.set()
            await go_on.wait()
            await check(viewer, stream)

        village.check = slow  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(look(city))
            await asked.wait()
            looking.cancel()
            await asyncio.sleep(0)
            go_on.set()
        await eventually(lambda: not village.viewings.now_looking and not county.viewings.now_looking)
        assert village.kinds() in ([], ["camera_opened", "camera_closed"])
        assert city.journal == []


# Pictures that are taken for who looks.


def picture(digest: str = "ab" * 32) -> ViewingPicture:
    return ViewingPicture(taken_at_us=5, sha256=digest, bytes=12)


async def test_a_picture_is_entered_from_the_camera_upward_before_anybody_has_it() -> None:
    async with three() as offices:
        city, _, village = offices
        viewing = await look(city)
        order: list[str] = []
        for office in offices:
            office.wrote = lambda office=office: order.append(office.node)
        index = await city.viewings.pictured(viewing, picture())
        assert order == [VILLAGE, COUNTY, CITY]
        assert city.journal[index].snapshot_taken.sha256 == "ab" * 32
        for hop, office in enumerate((village, offices[1], city)):
            taken = office.journal[-1].snapshot_taken
            assert (taken.viewer, taken.hop, taken.stream, taken.bytes) == (LEADER, hop, STREAM, 12)


async def test_where_a_node_on_the_way_enters_nothing_nobody_gets_the_picture() -> None:
    async with three() as (city, county, village):
        viewing = await look(city)
        county.sealed = True
        with pytest.raises(ZonghengError) as refused:
            await city.viewings.pictured(viewing, picture())
        assert refused.value.code == "sealed"
        assert "snapshot_taken" in village.kinds()
        assert "snapshot_taken" not in city.kinds()


async def test_a_parent_names_pictures_only_of_what_somebody_looks_at() -> None:
    async with three() as (_, _, village):
        unknown = question()
        unknown.picture.CopyFrom(picture())
        with pytest.raises(ZonghengError) as refused:
            await village.viewings.asked(unknown)
        assert refused.value.code == "not_found"
        await village.viewings.asked(question())
        unknown.picture.sha256 = "x" * 64
        with pytest.raises(ZonghengError) as refused:
            await village.viewings.asked(unknown)
        assert refused.value.code == "protocol"
        assert village.kinds() == ["camera_opened"]


# What a parent may not do.


def question(
    viewing: str = "9901-0123456789abcdef", viewer: Viewer = LEADER, stream: str = STREAM
) -> ViewingQuestion:
    return ViewingQuestion(viewing=viewing, stream=stream, viewer=viewer)


@pytest.mark.parametrize(
    "hostile",
    [
        question(viewing=""),
        question(viewing="x" * 200),
        question(viewer=Viewer(who="V-1", node=VILLAGE, tier="village")),
    ],
    ids=["no name", "a name too long", "somebody of the node itself"],
)
async def test_a_parent_that_asks_for_nonsense_is_refused(hostile: ViewingQuestion) -> None:
    async with three() as (_, _, village):
        with pytest.raises(ZonghengError) as refused:
            await village.viewings.asked(hostile)
        assert refused.value.code == "protocol"
        assert village.journal == []


async def test_a_parent_that_asks_for_ever_more_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FROM_ABOVE", 3)
    async with three() as (_, _, village):
        for number in range(3):
            await village.viewings.asked(question(f"9901-{number:016x}"))
        with pytest.raises(ZonghengError) as refused:
            await village.viewings.asked(question("9901-ffffffffffffffff"))
        assert refused.value.code == "busy"
        # The same again is no other.
        assert await village.viewings.asked(question(f"9901-{0:016x}")) == 0
        assert len(village.journal) == 3


async def test_a_child_puts_out_only_whom_it_carries_for() -> None:
    async with three() as (city, _, _):
        viewing = await look(city)
        stranger = ViewingRemoval(viewing=viewing.id, node="990122", by="X")
        await city.viewings.removal("990122", stranger)
        assert city.put_out == []
        await city.viewings.ended_above(viewing.id)  # nor does anybody end what is its own
        assert len(city.viewings.now_looking) == 1


# What outlives the node, and who asks without end.


def killed(office: Office) -> None:
    """The node's process is gone and another is there: on disk is what was there."""
    office.viewings = Viewings(
        office.tree, office, NoMeetings(), lambda: office.parent is not None, office.ask, office.say, office.write,
        office.unclosed, lambda: office.now_us,
    )  # fmt: skip


async def test_what_was_open_when_the_node_died_is_closed_when_it_is_back() -> None:
    async with three() as (city, _, _):
        viewing = await look(city)
        gone = await look(city)
        await city.viewings.close(gone)
    killed(city)
    await city.viewings.begin()
    async with asyncio.TaskGroup() as tasks:
        city.sealed = True
        running = tasks.create_task(city.viewings.run())
        await asyncio.sleep(0.05)
        assert city.kinds() == ["camera_opened", "camera_opened", "camera_closed"]
        running.cancel()
    city.sealed = False
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(city.viewings.run())
        await eventually(lambda: len(city.journal) == 4)
        running.cancel()
    closed = city.journal[-1].camera_closed
    assert (closed.viewing, closed.code, closed.viewer, closed.seconds) == (
        viewing.id,
        "interrupted",
        LEADER,
        0,
    )
    assert await city.unclosed.kept() == []


async def test_who_is_asked_for_again_after_a_death_is_closed_and_opened_at_once() -> None:
    async with three() as (_, _, village):
        asked = question()
        await village.viewings.asked(asked)
        killed(village)
        await village.viewings.begin()
        await village.viewings.asked(asked)
        assert village.kinds() == ["camera_opened", "camera_closed", "camera_opened"]
        assert [one.viewing for one in await village.unclosed.kept()] == [asked.viewing]


async def test_nobody_is_kept_who_was_never_let_in() -> None:
    async with three() as (city, county, village):
        county.sealed = True
        with pytest.raises(ZonghengError):
            await look(city)
        await eventually(lambda: village.kinds() == ["camera_opened", "camera_closed"])
        assert [await office.unclosed.kept() for office in (city, county)] == [[], []]


async def test_a_camera_whose_node_never_comes_back_is_looked_at_by_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    async with three() as (city, _, _):
        await look(city)
        city.linked = False
        city.viewings.absent(COUNTY)
        city.now_us += LOST_US // 2
        await asyncio.sleep(0.05)
        assert city.kinds() == ["camera_opened"]
        city.now_us += LOST_US
        await eventually(lambda: city.kinds() == ["camera_opened", "camera_closed"])
        assert city.journal[-1].camera_closed.code == "unreachable"
        assert [error.code for error in city.put_out] == ["unreachable"]


async def test_a_way_down_that_came_back_in_time_is_not_given_up_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    async with three() as (city, _, _):
        await look(city)
        city.cut()
        city.viewings.absent(COUNTY)
        city.mend()
        await eventually(lambda: city.viewings.is_let_in(STREAM))
        city.now_us += LOST_US + 1
        await asyncio.sleep(0.05)
        assert city.kinds() == ["camera_opened"]


async def test_who_opens_and_leaves_without_end_is_told_busy_and_others_are_not() -> None:
    async with three() as (_, _, village):
        for _ in range(ONE_AT_ONCE):
            await village.viewings.close(await look(village))
        with pytest.raises(ZonghengError) as refused:
            await look(village)
        assert refused.value.code == "busy"
        assert 0 < refused.value.retry_after_ms <= 101
        assert len(village.journal) == 2 * ONE_AT_ONCE
        village.may.add("L-2")
        await village.viewings.open(Viewer(who="L-2", node=VILLAGE, tier="village"), STREAM)
        village.now_us += 1_000 * refused.value.retry_after_ms
        await look(village)


async def test_a_parent_that_opens_and_leaves_without_end_is_told_busy() -> None:
    async with three() as (_, _, village):
        for number in range(MOST_FROM_ABOVE):
            village.may.add(f"L-{number}")
            viewer = Viewer(who=f"L-{number}", node=CITY, tier="city")
            await village.viewings.asked(
                ViewingQuestion(viewing=f"9901-{number:08}", stream=STREAM, viewer=viewer)
            )
            await village.viewings.ended_above(f"9901-{number:08}")
        with pytest.raises(ZonghengError) as refused:
            await village.viewings.asked(question())
        assert refused.value.code == "busy"
        await look(village)
