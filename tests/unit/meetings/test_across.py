"""Calls and meetings across tiers: city, county, town and two villages, each with its own journal, the lanes between them queues."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from zongheng.v1 import meeting_pb2 as wire
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.meeting_pb2 import MeetingAct, MeetingHandedUp, MeetingTold

from federation.errors import ZonghengError
from federation.trunk.frame import Stream
from node.meetings import book, hosting
from node.meetings.hosting import MOST_OF_A_CHILD, Terms
from node.meetings.meeting import Called, Kind, Meeting
from node.meetings.messages import meeting_in, roster
from node.meetings.passing import KNOWN_S
from tests.unit.live.offices import CITY, COUNTY, NEIGHBOUR, TOWN, VILLAGE, asker
from tests.unit.meetings.halls import Hall, Halls, anybody, halls, hurried, until

LEADER, CLERK, KIOSK = anybody("L-1"), anybody("C-1"), anybody("K-1")
OFFICER = anybody("W-7", helps=True)


@pytest.fixture
async def tree(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Halls]:
    hurried(monkeypatch)
    async with halls(Terms(away_s=600)) as running:
        yield running


async def refused(asking: Any) -> str:
    try:
        await asking
    except ZonghengError as error:
        return error.code
    return ""


async def four(tree: Halls) -> Meeting:
    """A meeting that the city holds, with somebody at each tier."""
    called = [Called(node, person="C-1") for node in (COUNTY, TOWN, VILLAGE)]
    meeting = await tree[CITY].meetings.open(LEADER, Kind.MEETING, "防汛", called)
    for node in (COUNTY, TOWN, VILLAGE):
        await tree[node].hears(meeting.id)
        await tree[node].meetings.join(CLERK, meeting.id)
    for hall in four_halls(tree):
        await hall.stands(meeting.id, ["joined"] * 4)
    return meeting


def four_halls(tree: Halls) -> list[Hall]:
    return [tree[node] for node in (CITY, COUNTY, TOWN, VILLAGE)]


async def test_a_meeting_across_four_tiers_is_in_every_members_journal_and_in_nobody_elses(
    tree: Halls,
) -> None:
    meeting = await four(tree)
    await tree[CITY].meetings.close(LEADER, meeting.id)
    for hall in four_halls(tree):
        await hall.ends(meeting.id)
        [opened], [closed] = await hall.said("meeting_opened"), await hall.said("meeting_closed")
        assert (opened.host, opened.title, closed.code, closed.by) == (CITY, "防汛", "closed", "L-1")
        joined = [one.node for one in await hall.said("meeting_joined")]
        assert joined == ([CITY, COUNTY, TOWN, VILLAGE] if hall.node == CITY else [hall.node])
        assert [one.code for one in await hall.said("meeting_left")] == ["closed"] * len(joined)
    assert await tree[NEIGHBOUR].said("meeting_opened") == []


async def test_only_who_is_in_it_looks_and_only_for_members_streams_go_down(tree: Halls) -> None:
    meeting = await four(tree)
    seats = {seat.node: meeting.stream(seat) for seat in meeting.seats}
    village = tree[VILLAGE]
    assert await village.may_look(seats[VILLAGE], "L-1", CITY) == ""
    assert await village.may_look(seats[VILLAGE], "L-2", CITY) == "forbidden"
    assert await village.may_look(seats[VILLAGE], "C-1", NEIGHBOUR) == "forbidden"
    assert await village.may_look(f"{VILLAGE}/call-{meeting.id}-1/main", "L-1", CITY) == "not_found"

    def goes_down(at: str, stream: str, child: str) -> bool:
        return tree[at].passing.may_go_down(Stream.parse(stream), child)

    assert goes_down(CITY, seats[CITY], COUNTY)
    assert goes_down(COUNTY, seats[CITY], TOWN)
    assert goes_down(TOWN, seats[CITY], VILLAGE)
    assert not goes_down(TOWN, seats[CITY], NEIGHBOUR)
    assert not goes_down(CITY, f"{CITY}/hall/main", COUNTY)
    assert not goes_down(CITY, f"{CITY}/call-{'0' * 16}-1/main", COUNTY)
    await village.meetings.leave(CLERK, meeting.id)
    await until(lambda: not goes_down(TOWN, seats[CITY], VILLAGE))
    assert goes_down(CITY, seats[CITY], COUNTY)
    await tree[CITY].meetings.close(LEADER, meeting.id)
    await until(lambda: not goes_down(COUNTY, seats[CITY], TOWN))
    assert not goes_down(CITY, seats[CITY], COUNTY)


async def test_a_node_that_a_meeting_only_passes_lets_down_what_passes(tree: Halls) -> None:
    """County and town have no seat in it."""
    meeting = await tree[CITY].meetings.open(LEADER, Kind.INSPECTION, "点名", [Called(VILLAGE, hall="大厅")])
    await tree[VILLAGE].hears(meeting.id)
    joined = await tree[VILLAGE].meetings.join(CLERK, meeting.id)
    stream = Stream.parse(joined.stream(joined.seat(1)))
    assert tree[COUNTY].passing.may_go_down(stream, TOWN)
    assert tree[TOWN].passing.may_go_down(stream, VILLAGE)
    assert (tree[TOWN].knows(meeting.id), await tree[TOWN].said("meeting_opened")) == (None, [])
    assert KNOWN_S >= 60


async def test_a_help_call_rings_in_the_hall_first_and_a_tier_above_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurried(monkeypatch)
    async with halls(Terms(answer_s=0.5, away_s=600)) as tree:
        village, town = tree[VILLAGE], tree[TOWN]
        with village.meetings.listening(OFFICER), town.meetings.listening(OFFICER):
            asked = await village.meetings.open(KIOSK, Kind.HELP, "打不开", [])
            assert (asked.host, village.states(asked.id)) == (VILLAGE, ["joined", "ringing"])
            await until(lambda: town.states(asked.id) == ["joined", "ringing", "ringing"])
            answered = await town.meetings.join(OFFICER, asked.id)
            assert (answered.host, answered.sits("K-1", VILLAGE)) == (TOWN, True)
            await until(lambda: village.states(asked.id) == ["joined", "unanswered", "joined"])
            assert await village.may_look(answered.stream(answered.seat(1)), "W-7", TOWN) == ""
            await village.meetings.close(KIOSK, asked.id)
            await until(lambda: (known := town.knows(asked.id)) is not None and known.closed == "ended")
        opened = await village.said("meeting_opened")
        assert [one.host for one in opened] == [VILLAGE, TOWN]
        [closed] = await village.said("meeting_closed")
        assert (closed.answered_by, closed.answered_node) == ("W-7", TOWN)
        assert [one.who for one in await village.said("meeting_joined")] == ["K-1"]
        assert [one.who for one in await town.said("meeting_joined")] == ["W-7"]


async def test_where_nobody_is_on_duty_it_goes_up_at_once_as_far_as_somebody_is(tree: Halls) -> None:
    with tree[COUNTY].meetings.listening(OFFICER):
        asked = await tree[VILLAGE].meetings.open(KIOSK, Kind.HELP, "", [])
        await until(lambda: (known := tree[VILLAGE].knows(asked.id)) is not None and known.host == COUNTY)
        rings = tree[COUNTY].knows(asked.id)
        assert rings is not None
        assert [seat.node for seat in rings.seats] == [VILLAGE, VILLAGE, TOWN, COUNTY]
        # Who comes on duty further down may still answer.
        await until(lambda: tree[TOWN].states(asked.id) == ["joined", "ringing", "ringing", "ringing"])
        await tree[TOWN].meetings.join(OFFICER, asked.id)
        await until(lambda: tree[VILLAGE].states(asked.id)[2] == "joined")
        assert tree[CITY].knows(asked.id) is None


async def test_who_leaves_while_their_help_call_goes_up_has_left_it_there(tree: Halls) -> None:
    village, town = tree[VILLAGE], tree[TOWN]
    with town.meetings.listening(OFFICER):
        asked = await village.meetings.open(KIOSK, Kind.HELP, "", [])
        async with asyncio.TaskGroup() as tasks, town.book.turn(asked.id):
            await until(lambda: (turn := village.book._turns.get(asked.id)) is not None and turn.locked())
            leaving = tasks.create_task(village.meetings.leave(KIOSK, asked.id))
            await asyncio.sleep(0)
        left = leaving.result()
        assert (left.host, left.closed) == (TOWN, "given_up")


async def test_what_is_over_is_forgotten_however_much_goes_on(
    tree: Halls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "_LOOK_S", 3600)
    monkeypatch.setattr(book, "KEPT_US", -1)
    meeting = await tree[CITY].meetings.open(LEADER, Kind.MEETING, "", [Called(VILLAGE, person="C-1")])
    await tree[CITY].meetings.close(LEADER, meeting.id)
    await until(lambda: tree[CITY].knows(meeting.id) is None)


async def test_a_help_call_rings_on_while_the_node_above_cannot_be_reached(tree: Halls) -> None:
    tree.cut(VILLAGE)
    asked = await tree[VILLAGE].meetings.open(KIOSK, Kind.HELP, "", [])
    with tree[TOWN].meetings.listening(OFFICER):
        await asyncio.sleep(0.2)
        assert tree[VILLAGE].states(asked.id) == ["joined", "ringing"]
        tree.mend(VILLAGE)
        await until(lambda: tree[TOWN].states(asked.id) == ["joined", "ringing", "ringing"])


async def test_a_link_that_breaks_for_a_moment_interrupts_nobody_and_news_are_made_up_for(
    tree: Halls,
) -> None:
    meeting = await four(tree)
    tree.cut(VILLAGE)
    await tree[CITY].meetings.invite(LEADER, meeting.id, [Called(CITY, person="S-1")])
    await asyncio.sleep(0.3)
    assert tree[VILLAGE].states(meeting.id) == ["joined"] * 4
    assert tree[CITY].states(meeting.id) == [*["joined"] * 4, "ringing"]
    tree.mend(VILLAGE)
    await until(lambda: tree[VILLAGE].states(meeting.id) == [*["joined"] * 4, "ringing"])


async def test_a_link_that_stays_broken_ends_the_seats_of_who_is_behind_it_on_both_sides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurried(monkeypatch)
    async with halls(Terms(away_s=8)) as tree:
        called = [Called(VILLAGE, person="C-1"), Called(TOWN, person="C-1")]
        with (
            tree[VILLAGE].meetings.listening(CLERK),
            tree[TOWN].meetings.listening(CLERK),
            tree[CITY].meetings.listening(LEADER),
        ):
            meeting = await tree[CITY].meetings.open(LEADER, Kind.MEETING, "", called)
            for node in (VILLAGE, TOWN):
                await tree[node].hears(meeting.id)
                await tree[node].meetings.join(CLERK, meeting.id)
            tree.cut(VILLAGE)
            await until(lambda: tree[CITY].states(meeting.id) == ["joined", "left", "joined"])
            await until(lambda: not tree[VILLAGE].book.open_ones())
            left = await tree[VILLAGE].said("meeting_closed")
            assert [one.code for one in left] == ["unreachable"]
            assert tree[TOWN].states(meeting.id)[2] == "joined"


async def test_a_host_that_was_killed_says_at_its_start_that_its_meetings_are_over(tree: Halls) -> None:
    meeting = await four(tree)
    await tree.die(tree[CITY])
    assert tree[VILLAGE].states(meeting.id) == ["joined"] * 4
    tree.start(tree[CITY])
    for node in (COUNTY, TOWN, VILLAGE):
        await tree[node].ends(meeting.id)
        [closed] = await tree[node].said("meeting_closed")
        assert closed.code == "interrupted"
    [closed] = await tree[CITY].said("meeting_closed")
    assert (closed.meeting, closed.code) == (meeting.id, "interrupted")


async def test_a_members_node_that_was_killed_hears_of_the_meeting_again(tree: Halls) -> None:
    meeting = await four(tree)
    await tree.die(tree[VILLAGE])
    tree.start(tree[VILLAGE])
    await until(lambda: tree[VILLAGE].states(meeting.id) == ["joined"] * 4)
    assert [one.code for one in await tree[VILLAGE].said("meeting_closed")] == ["interrupted"]
    assert len(await tree[VILLAGE].said("meeting_opened")) == 2
    await tree[VILLAGE].meetings.leave(CLERK, meeting.id)
    assert tree[CITY].states(meeting.id)[3] == "left"


async def test_where_the_journal_takes_nothing_nobody_comes_in(tree: Halls) -> None:
    meeting = await tree[CITY].meetings.open(LEADER, Kind.MEETING, "", [Called(VILLAGE, person="C-1")])
    await tree[VILLAGE].hears(meeting.id)
    tree[VILLAGE].sealed = True
    assert await refused(tree[VILLAGE].meetings.join(CLERK, meeting.id)) == "sealed"
    await until(lambda: tree[CITY].states(meeting.id) == ["joined", "left"])
    tree[VILLAGE].sealed = False
    await tree[VILLAGE].meetings.join(CLERK, meeting.id)
    tree[VILLAGE].sealed = True
    await tree[CITY].meetings.close(LEADER, meeting.id)
    await until(lambda: not tree[VILLAGE].book.open_ones())


# Whoever breaks the rules.


async def test_a_child_neither_invites_into_nor_tells_of_a_meeting_that_it_does_not_hold(tree: Halls) -> None:
    meeting = await four(tree)
    live = tree.offices.live[VILLAGE]
    called = [wire.MeetingSeat(node=NEIGHBOUR, person="C-9", speaks=True)]
    invites = MeetingAct(meeting=meeting.id, kind=wire.MEETING_ACT_KIND_INVITE, who="C-1", called=called)
    assert await refused(live.ask(CITY, invites, asker(VILLAGE, "C-1"))) == "forbidden"
    for_another = MeetingAct(meeting=meeting.id, kind=wire.MEETING_ACT_KIND_CLOSE, who="L-1")
    assert await refused(live.ask(CITY, for_another, asker(VILLAGE, "C-1"))) == "forbidden"
    # As the leader, but from the village: whoever opened it sits at the city.
    assert await refused(live.ask(CITY, for_another, asker(VILLAGE, "L-1"))) == "forbidden"
    forged = roster(meeting)
    forged.host, forged.version = VILLAGE, 99
    for node in (NEIGHBOUR, TOWN, CITY):
        assert await refused(live.ask(node, MeetingTold(roster=forged), asker(VILLAGE))) == "forbidden"
    forged.host = CITY
    assert await refused(live.ask(NEIGHBOUR, MeetingTold(roster=forged), asker(VILLAGE))) == "protocol"
    assert tree[NEIGHBOUR].knows(meeting.id) is None
    assert tree[CITY].states(meeting.id) == ["joined"] * 4


async def test_a_seat_is_taken_by_its_own_node_alone(tree: Halls) -> None:
    meeting = await tree[CITY].meetings.open(LEADER, Kind.MEETING, "", [Called(VILLAGE, person="C-1")])
    joins = MeetingAct(meeting=meeting.id, kind=wire.MEETING_ACT_KIND_JOIN, who="C-1", seat=2)
    assert (
        await refused(tree.offices.live[NEIGHBOUR].ask(CITY, joins, asker(NEIGHBOUR, "C-1"))) == "forbidden"
    )
    # From above nobody acts for anybody below.
    assert await refused(tree.offices.live[CITY].ask(TOWN, joins, asker(CITY, "C-1"))) == "forbidden"
    assert tree[CITY].states(meeting.id) == ["joined", "ringing"]


async def test_a_help_call_is_given_up_by_the_child_that_holds_it_for_its_own_people(tree: Halls) -> None:
    own = (await tree[VILLAGE].meetings.open(KIOSK, Kind.HELP, "", [])).id
    known = tree[VILLAGE].knows(own)
    assert known is not None
    for spoil in (
        {"host": NEIGHBOUR},
        {"kind": wire.MEETING_KIND_MEETING},
        {"closed": "ended"},
        {"by_node": NEIGHBOUR},
        {"by_node": CITY},
        {"meeting": "f/../0"},
        {"opened_at_us": 2**62},
    ):
        told = roster(known)
        told.host, told.meeting = VILLAGE, "f" * 16
        for name, value in spoil.items():
            setattr(told, name, value)
        if spoil == {"by_node": NEIGHBOUR}:
            told.seats[0].node = NEIGHBOUR
        code = await refused(
            tree.offices.live[VILLAGE].ask(TOWN, MeetingHandedUp(roster=told), asker(VILLAGE))
        )
        assert code in {"protocol", "bad_request", "not_found"}, spoil
    up = MeetingHandedUp(roster=roster(known))
    assert await refused(tree.offices.live[VILLAGE].ask(CITY, up, asker(VILLAGE))) == "forbidden"


def test_a_roster_that_says_what_no_meeting_has_is_refused() -> None:
    with pytest.raises(ZonghengError, match="says what no meeting has"):
        meeting_in(wire.MeetingRoster(meeting="m"))
    seats = [wire.MeetingSeat(seat=number, state=wire.MEETING_SEAT_STATE_LEFT) for number in (1, 1)]
    with pytest.raises(ZonghengError, match="a seat or an instant"):
        meeting_in(wire.MeetingRoster(meeting="m", kind=wire.MEETING_KIND_HELP, seats=seats))
    assert Entry(meeting_opened=wire.MeetingOpened()).WhichOneof("body") == "meeting_opened"


async def test_a_child_does_not_fill_its_parent_with_calls(tree: Halls) -> None:
    call = Meeting.open(
        "0" * 16,
        Kind.HELP,
        "",
        VILLAGE,
        "K-1",
        VILLAGE,
        [Called(VILLAGE, officers=True)],
        tree[TOWN].book.now(),
    ).meeting
    live, codes = tree.offices.live[VILLAGE], []
    for number in range(MOST_OF_A_CHILD + 1):
        told = roster(call)
        told.meeting = f"{number:016x}"
        with tree[TOWN].meetings.listening(OFFICER):
            codes.append(await refused(live.ask(TOWN, MeetingHandedUp(roster=told), asker(VILLAGE), 60)))
    assert codes == [*[""] * MOST_OF_A_CHILD, "busy"]


async def test_who_answers_stays_on_duty_while_their_page_comes_back(tree: Halls) -> None:
    village = tree[VILLAGE]
    assert not village.book.listeners.somebody_answers()
    with village.meetings.listening(OFFICER):
        assert village.book.listeners.somebody_answers()
        assert not village.book.listeners.somebody_answers(besides="W-7")
    assert village.book.listeners.somebody_answers()
    with village.meetings.listening(KIOSK):
        assert not village.book.listeners.somebody_answers(besides="W-7")
