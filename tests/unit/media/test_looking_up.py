"""Who looks from below: a city, its county and two villages, each with its own journal, the lanes between them direct calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

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
from node.media.unclosed import UnclosedInMemory
from node.media.viewing import Viewing
from node.media.viewings import MOST_FROM_BELOW, UNCONFIRMED_US, Viewings
from node.tree import Tree
from tests.unit.link.units import eventually

CITY, COUNTY, VILLAGE, NEIGHBOUR = "9901", "990121", "990121101001", "990121101002"
ABOVE = {COUNTY: CITY, VILLAGE: COUNTY, NEIGHBOUR: COUNTY}
SPEAKER = f"{CITY}/call-7-1/main"
BESIDE = f"{NEIGHBOUR}/call-7-2/main"
CLERK = Viewer(who="V-1", node=VILLAGE, tier="village", roles=["clerk"], purpose="meeting 7")


class Office:
    """One node as far as viewers go."""

    def __init__(self, node: str, offices: "dict[str, Office]") -> None:
        self.node = node
        self.offices = offices
        self.tree = Tree(NodeCard(node=node))
        self.meeting: set[tuple[str, str]] = set()
        """Streams and the children that they may go down to."""
        self.journal: list[Entry] = []
        self.put_out: list[ZonghengError] = []
        self.sealed = False
        self.linked = True
        """To the parent."""
        self.now_us = 1_000_000_000
        self.viewings = Viewings(
            self.tree, self, self, lambda: node in ABOVE, self.ask, self.say_child, self.write, UnclosedInMemory(),
            lambda: self.now_us,
        )  # fmt: skip
        self.heard: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    async def check(self, viewer: Viewer, stream: Stream) -> None:
        if not stream.camera.startswith(("call", "hall")):
            raise ZonghengError("not_found", "no such camera")
        if viewer.who != "V-1":
            raise ZonghengError("forbidden", f"{viewer.who} may not")

    def may_go_down(self, stream: Stream, child: str) -> bool:
        return (str(stream), child) in self.meeting

    async def write(self, entries: Sequence[Entry]) -> list[int]:
        if self.sealed:
            raise ZonghengError("sealed")
        self.journal += entries
        return [len(self.journal) - 1]

    async def ask(self, peer: str, question: ViewingQuestion, within_s: float) -> int:
        if peer == PARENT:
            if not self.linked:
                raise ZonghengError("unreachable", "the node above is not connected")
            return await self.offices[ABOVE[self.node]].viewings.asked_below(self.node, question)
        return await self.offices[peer].viewings.asked(question)

    def say_child(self, child: str, message: AttendResponse) -> None:
        below = self.offices[child]
        if not below.linked:
            return
        if message.HasField("removal"):
            below.heard.put_nowait(lambda: below.viewings.removal(PARENT, message.removal))
        else:
            below.heard.put_nowait(lambda: below.viewings.ended_above(message.end.viewing))

    def say_parent(self, message: AttendRequest) -> None:
        above = self.offices[ABOVE[self.node]]
        if message.HasField("removal"):
            above.heard.put_nowait(lambda: above.viewings.removal(self.node, message.removal))
        else:
            above.heard.put_nowait(lambda: above.viewings.ended_below(self.node, message.end.viewing))

    async def hear(self) -> None:
        while True:
            await (await self.heard.get())()

    def kinds(self) -> list[str]:
        return [str(entry.WhichOneof("body")) for entry in self.journal]

    def cut(self) -> None:
        self.linked = False
        self.viewings.left()
        self.offices[ABOVE[self.node]].viewings.absent(self.node)

    def mend(self) -> None:
        self.linked = True
        self.viewings.attended(self.say_parent)
        self.offices[ABOVE[self.node]].viewings.attends(self.node)
        self.viewings.goes_down()

    async def look(self, stream: str = SPEAKER, viewer: Viewer = CLERK) -> Viewing:
        return await self.viewings.open(viewer, stream, self.put_out.append)


Offices = dict[str, Office]


@asynccontextmanager
async def federation() -> AsyncIterator[Offices]:
    """Everybody connected, and a meeting in which the city speaks and the neighbour, and the village listens."""
    offices: Offices = {}
    for node in (CITY, *ABOVE):
        offices[node] = Office(node, offices)
    offices[CITY].tree.learn(NodeCard(node=each, parent=above) for each, above in ABOVE.items())
    offices[COUNTY].tree.learn(NodeCard(node=each, parent=COUNTY) for each in (VILLAGE, NEIGHBOUR))
    offices[CITY].meeting = {(SPEAKER, COUNTY)}
    offices[COUNTY].meeting = {(SPEAKER, VILLAGE), (BESIDE, VILLAGE)}
    for node in ABOVE:
        offices[node].mend()
    async with asyncio.TaskGroup() as tasks:
        works: list[Callable[[], Awaitable[None]]] = []
        for office in offices.values():
            works += [office.hear, office.viewings.run]
        running = [tasks.create_task(_run(work)) for work in works]
        yield offices
        for task in running:
            task.cancel()


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def refusal(asking: Awaitable[object]) -> ZonghengError:
    with pytest.raises(ZonghengError) as refused:
        await asking
    return refused.value


async def test_a_village_looks_up_and_everybody_on_the_way_enters_it_the_speakers_node_first() -> None:
    async with federation() as offices:
        village = offices[VILLAGE]
        viewing = await village.look()
        for hop, node in enumerate((CITY, COUNTY, VILLAGE)):
            (entry,) = offices[node].journal
            assert (entry.camera_opened.viewing, entry.camera_opened.hop) == (viewing.id, hop)
            assert entry.camera_opened.viewer == CLERK
        assert offices[CITY].viewings.is_wanted_by(COUNTY, SPEAKER)
        assert offices[COUNTY].viewings.is_wanted_by(VILLAGE, SPEAKER)
        await village.viewings.close(viewing)
        for node in (CITY, COUNTY, VILLAGE):
            await eventually(lambda node=node: offices[node].kinds() == ["camera_opened", "camera_closed"])
        assert not offices[CITY].viewings.is_wanted_by(COUNTY, SPEAKER)


async def test_a_village_sees_its_neighbour_over_the_node_above_both_and_no_further() -> None:
    async with federation() as offices:
        await offices[VILLAGE].look(BESIDE)
        assert [offices[node].kinds() for node in (NEIGHBOUR, COUNTY, VILLAGE)] == [["camera_opened"]] * 3
        assert offices[CITY].journal == []


async def test_a_picture_out_of_a_meeting_is_entered_from_the_speakers_node_downward() -> None:
    async with federation() as offices:
        viewing = await offices[VILLAGE].look()
        taken = ViewingPicture(taken_at_us=5, sha256="ab" * 32, bytes=12)
        await offices[VILLAGE].viewings.pictured(viewing, taken)
        for node in (CITY, COUNTY, VILLAGE):
            assert offices[node].kinds() == ["camera_opened", "snapshot_taken"]


@pytest.mark.parametrize(
    "stream",
    [
        f"{CITY}/hall/main",
        f"{NEIGHBOUR}/hall/main",
        f"{CITY}/call-7-2/main",
        f"{CITY}/call-7-1/sub",
        "88/call-7-1/main",
    ],
    ids=["the city's camera", "the neighbour's camera", "another seat", "another quality", "nobody's"],
)
async def test_nobody_below_sees_what_is_of_no_meeting(stream: str) -> None:
    async with federation() as offices:
        assert (await refusal(offices[VILLAGE].look(stream))).code == "forbidden"
        assert (await refusal(offices[NEIGHBOUR].look(SPEAKER))).code == "forbidden"
        assert all(office.journal == [] for office in offices.values())


async def test_each_node_on_the_way_down_asks_its_own_meetings() -> None:
    async with federation() as offices:
        offices[CITY].meeting.clear()
        assert (await refusal(offices[VILLAGE].look())).code == "forbidden"
        offices[CITY].meeting = {(SPEAKER, COUNTY)}
        offices[COUNTY].meeting.clear()
        assert (await refusal(offices[VILLAGE].look())).code == "forbidden"
        assert all(office.journal == [] for office in offices.values())


async def test_the_speakers_node_says_no_to_whom_it_does_not_know() -> None:
    async with federation() as offices:
        stranger = Viewer(who="V-9", node=VILLAGE, tier="village")
        assert (await refusal(offices[VILLAGE].look(viewer=stranger))).code == "forbidden"


async def test_who_has_a_parent_asks_there_and_who_has_none_knows_that_there_is_nobody() -> None:
    async with federation() as offices:
        assert (await refusal(offices[CITY].look("88/call-7-1/main"))).code == "unknown_node"


async def test_a_meeting_that_ends_puts_out_everybody_below_at_once() -> None:
    async with federation() as offices:
        await offices[VILLAGE].look()
        offices[CITY].meeting.clear()
        offices[CITY].viewings.recheck()
        await eventually(lambda: bool(offices[VILLAGE].put_out))
        assert offices[VILLAGE].put_out[0].code == "viewer_removed"
        for node in (CITY, COUNTY, VILLAGE):
            await eventually(
                lambda node=node: (
                    offices[node].kinds() == ["camera_opened", "viewer_removed", "camera_closed"]
                )
            )


async def test_a_meeting_that_ended_unheard_is_noticed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    async with federation() as offices:
        await offices[VILLAGE].look()
        offices[COUNTY].meeting.clear()
        await eventually(lambda: bool(offices[VILLAGE].put_out))
        await eventually(lambda: offices[CITY].kinds()[-1] == "camera_closed")


async def test_a_meeting_that_ends_lets_nobody_look_on_where_the_journal_takes_nothing() -> None:
    async with federation() as offices:
        await offices[VILLAGE].look()
        ended: list[str] = []
        county = offices[COUNTY].viewings
        county.ended = lambda viewing: ended.append(str(viewing.stream))
        offices[COUNTY].sealed = True
        offices[COUNTY].meeting.clear()
        county.recheck()
        await eventually(lambda: ended == [SPEAKER])
        assert not county.is_wanted_by(VILLAGE, SPEAKER)
        await eventually(lambda: not offices[CITY].viewings.now_looking)


async def test_anybody_on_the_way_puts_out_who_sits_below() -> None:
    async with federation() as offices:
        viewing = await offices[VILLAGE].look()
        await offices[CITY].viewings.remove(viewing.id, "L-1", "散会")
        await eventually(lambda: bool(offices[VILLAGE].put_out))
        assert "散会" in offices[VILLAGE].put_out[0].detail
        again = await offices[VILLAGE].look()
        await offices[COUNTY].viewings.remove(again.id, "C-1", "")
        await eventually(lambda: len(offices[VILLAGE].put_out) == 2)
        await eventually(lambda: not offices[CITY].viewings.now_looking)


async def test_a_link_that_breaks_for_a_while_interrupts_nobody_below() -> None:
    async with federation() as offices:
        await offices[VILLAGE].look()
        offices[COUNTY].cut()
        offices[CITY].now_us += UNCONFIRMED_US // 2
        assert offices[CITY].viewings.is_wanted_by(COUNTY, SPEAKER)
        assert not offices[COUNTY].viewings.is_let_in(SPEAKER)
        offices[COUNTY].mend()
        await eventually(lambda: offices[COUNTY].viewings.is_let_in(SPEAKER))
        assert [offices[node].kinds() for node in (CITY, COUNTY, VILLAGE)] == [["camera_opened"]] * 3


async def test_viewers_of_a_child_that_stays_away_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    async with federation() as offices:
        await offices[VILLAGE].look()
        offices[VILLAGE].cut()
        offices[COUNTY].now_us += UNCONFIRMED_US + 1
        await eventually(lambda: offices[CITY].kinds() == ["camera_opened", "camera_closed"])
        assert offices[COUNTY].journal[-1].camera_closed.code == "unreachable"
        offices[VILLAGE].mend()
        await eventually(lambda: offices[CITY].kinds()[-1] == "camera_opened")


# What a child may not do.


def question(viewing: str = "", viewer: Viewer = CLERK, stream: str = SPEAKER) -> ViewingQuestion:
    return ViewingQuestion(viewing=viewing or f"{viewer.node}-0123456789", stream=stream, viewer=viewer)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (question(viewer=Viewer(who="V-1", node=NEIGHBOUR)), "forbidden"),
        (question(viewer=Viewer(who="V-1", node=COUNTY)), "forbidden"),
        (question(viewer=Viewer(who="V-1", node=CITY)), "forbidden"),
        (question(viewing=f"{NEIGHBOUR}-0123456789"), "forbidden"),
        (question(stream=f"{VILLAGE}/call-7-3/main"), "protocol"),
        (question(viewing=f"{VILLAGE}-" + "x" * 200), "protocol"),
        (question(stream="../etc"), "bad_request"),
    ],
    ids=[
        "its neighbour's people",
        "its parent's",
        "the city's",
        "another's name",
        "itself",
        "a long name",
        "nothing",
    ],
)
async def test_a_child_that_asks_for_others_or_for_nonsense_is_refused(
    asked: ViewingQuestion, code: str
) -> None:
    async with federation() as offices:
        offices[COUNTY].meeting.add((f"{VILLAGE}/call-7-3/main", VILLAGE))
        county = offices[COUNTY].viewings
        assert (await refusal(county.asked_below(VILLAGE, asked))).code == code
        assert all(office.journal == [] for office in offices.values())


async def test_a_child_ends_and_puts_out_none_but_its_own() -> None:
    async with federation() as offices:
        viewing = await offices[VILLAGE].look()
        county = offices[COUNTY].viewings
        await county.ended_below(NEIGHBOUR, viewing.id)
        await county.removal(NEIGHBOUR, ViewingRemoval(viewing=viewing.id, node=NEIGHBOUR, by="N"))
        await county.removal(VILLAGE, ViewingRemoval(viewing=viewing.id, node=VILLAGE, by="V"))
        assert len(county.now_looking) == 1


async def test_a_child_that_asks_for_ever_more_is_bounded() -> None:
    async with federation() as offices:
        county = offices[COUNTY].viewings
        for number in range(MOST_FROM_BELOW):
            await county.asked_below(VILLAGE, question(f"{VILLAGE}-{number:08}"))
        refused = await refusal(county.asked_below(VILLAGE, question(f"{VILLAGE}-more-of-it")))
        assert refused.code == "busy"
