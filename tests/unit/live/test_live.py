"""Questions over a tree of five nodes: they find their way, are refused in words, and never wait for nobody."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1.live_pb2 import LiveAnswer, LiveQuestion, NodeReached, Reach

from federation.errors import ZonghengError
from federation.trunk.live import PARENT
from node.live import live as module
from node.live.live import Live, Onward
from tests.unit.link.units import eventually
from tests.unit.live.offices import CITY, COUNTY, NEIGHBOUR, TOWN, VILLAGE, Offices, asker


@pytest.fixture
async def offices() -> AsyncIterator[Offices]:
    async with Offices().running() as running:
        yield running


async def outcome(asking: Any) -> ZonghengError:
    try:
        await asking
    except ZonghengError as error:
        return error
    raise AssertionError("it was answered")


async def ask(offices: Offices, from_node: str, to_node: str, within_s: float = 60) -> LiveAnswer:
    return await offices.live[from_node].ask(to_node, Reach(), asker(from_node), within_s)


@pytest.mark.parametrize(
    ("from_node", "to_node", "passed"),
    [
        (CITY, VILLAGE, [VILLAGE, TOWN, COUNTY, CITY]),
        (VILLAGE, CITY, [CITY, COUNTY, TOWN, VILLAGE]),
        (VILLAGE, NEIGHBOUR, [NEIGHBOUR, TOWN, VILLAGE]),
        (TOWN, TOWN, [TOWN]),
    ],
)
async def test_a_question_goes_down_up_and_over_and_tells_its_way(
    offices: Offices, from_node: str, to_node: str, passed: list[str]
) -> None:
    answer = await ask(offices, from_node, to_node)
    assert answer.reached.at_us == 7
    assert [hop.node for hop in answer.hops] == passed
    took = [hop.took_us for hop in answer.hops]
    assert took == sorted(took)


async def test_whoever_answers_hears_who_asks_and_may_say_no(offices: Offices) -> None:
    heard: list[LiveQuestion] = []

    class Shy(Live):
        async def _reached(self, question: LiveQuestion) -> NodeReached:
            heard.append(question)
            raise ZonghengError("forbidden", "not today")

    offices.live[VILLAGE].__class__ = Shy
    offices.live[VILLAGE]._handlers["reach"] = offices.live[VILLAGE]._reached
    refused = await outcome(ask(offices, CITY, VILLAGE))
    assert (refused.code, refused.detail) == ("forbidden", "not today")
    (question,) = heard
    assert (question.asker, question.from_node, question.to_node) == (asker(CITY), CITY, VILLAGE)
    assert question.within_ms < 60_000


async def test_each_node_on_the_way_may_enter_it_and_may_refuse_before_or_after(offices: Offices) -> None:
    entered: list[str] = []

    def noting(node: str) -> Any:
        async def note(question: LiveQuestion, onward: Onward) -> LiveAnswer:
            answer = await onward()
            entered.append(node)
            return answer

        return note

    for node in (CITY, COUNTY, TOWN, VILLAGE):
        offices.live[node].passing("reach", noting(node))
    await ask(offices, CITY, VILLAGE)
    assert entered == [TOWN, COUNTY, CITY]  # the node itself has its handler for that

    async def closed(question: LiveQuestion, onward: Onward) -> LiveAnswer:
        raise ZonghengError("sealed", f"{COUNTY} enters nothing")

    offices.live[COUNTY]._passing["reach"] = closed
    refused = await outcome(ask(offices, VILLAGE, CITY))
    assert (refused.code, refused.detail) == ("sealed", f"{COUNTY} enters nothing")
    assert not offices.lanes[COUNTY].passed[2:]


async def test_a_node_that_nobody_knows_is_refused_by_the_top(offices: Offices) -> None:
    refused = await outcome(ask(offices, VILLAGE, "88"))
    assert refused.code == "unknown_node"
    assert CITY in refused.detail


async def test_a_link_that_breaks_in_between_is_heard_of_at_once(offices: Offices) -> None:
    offices.lanes[VILLAGE].held.clear()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(outcome(ask(offices, CITY, VILLAGE)))
        await eventually(lambda: bool(offices.live[TOWN]._waiting))
        offices.lanes[VILLAGE].cut()
        refused = await asking
    assert refused.code == "unreachable"
    assert TOWN in refused.detail
    assert VILLAGE in refused.detail
    again = await outcome(ask(offices, CITY, VILLAGE))
    assert "is connected and cannot be asked: it has just come, or is to be upgraded first" in again.detail
    offices.connected = False
    assert (await outcome(ask(offices, CITY, VILLAGE))).detail == f"{VILLAGE} is not connected"
    assert "upgraded first" in (await outcome(ask(offices, VILLAGE, CITY))).detail


async def test_whoever_asked_and_went_is_not_answered_and_nothing_stays(offices: Offices) -> None:
    offices.lanes[VILLAGE].held.clear()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(outcome(ask(offices, CITY, VILLAGE)))
        await eventually(lambda: bool(offices.live[TOWN]._waiting))
        offices.lanes[COUNTY].cut()
        assert (await asking).code == "unreachable"
    offices.lanes[VILLAGE].held.set()
    await eventually(lambda: not any(live._under_way or live._waiting for live in offices.live.values()))


async def test_a_node_that_does_not_answer_is_not_waited_for_for_ever(offices: Offices) -> None:
    async def sleeps(question: LiveQuestion) -> NodeReached:
        await asyncio.Event().wait()
        raise AssertionError

    offices.live[VILLAGE]._handlers["reach"] = sleeps
    late = await outcome(ask(offices, CITY, VILLAGE, within_s=1.0))
    assert late.code == "deadline"
    assert VILLAGE in late.detail
    await eventually(lambda: not any(live._under_way or live._waiting for live in offices.live.values()))


async def test_what_a_handler_did_not_expect_is_no_secret_told(offices: Offices) -> None:
    async def broken(question: LiveQuestion) -> NodeReached:
        raise KeyError("/var/lib/village")

    offices.live[VILLAGE]._handlers["reach"] = broken
    failed = await outcome(ask(offices, CITY, VILLAGE))
    assert failed.code == "internal"
    assert "/var" not in failed.detail


async def test_a_kind_that_a_node_does_not_answer_is_to_be_upgraded(offices: Offices) -> None:
    del offices.live[VILLAGE]._handlers["reach"]
    refused = await outcome(ask(offices, CITY, VILLAGE))
    assert refused.code == "unreachable"
    assert f"{VILLAGE} does not know this question" in refused.detail


class Hostile:
    """A child whose words are not those of the program."""

    def __init__(self, offices: Offices, child: str = VILLAGE) -> None:
        self.offices = offices
        self.child = child
        self.answers: asyncio.Queue[LiveQuestion | LiveAnswer] = asyncio.Queue()
        self.town = offices.live[TOWN]
        self.town.opened(child, self.answers.put_nowait)

    async def says(self, **fields: Any) -> LiveAnswer:
        question = LiveQuestion(
            id=f"{self.child}-1", to_node=COUNTY, from_node=self.child, asker=asker(self.child), within_ms=60_000,
            reach=Reach(),
        )  # fmt: skip
        for name, value in fields.items():
            field = getattr(question, name)
            if isinstance(field, (str, int)):
                setattr(question, name, value)
            else:
                field.CopyFrom(value)
        self.town.question(self.child, question)
        answer = await asyncio.wait_for(self.answers.get(), 60)
        assert isinstance(answer, LiveAnswer)
        return answer


async def test_a_child_asks_in_nobody_elses_name(offices: Offices) -> None:
    village = Hostile(offices)
    assert not (await village.says()).code
    as_neighbour = await village.says(id=f"{NEIGHBOUR}-1", from_node=NEIGHBOUR, asker=asker(NEIGHBOUR))
    assert as_neighbour.code == "forbidden"
    as_city = await village.says(id=f"{CITY}-1", from_node=CITY, asker=asker(CITY))
    assert as_city.code == "forbidden"
    assert (await village.says(asker=asker(CITY))).code == "protocol"
    higher = asker(VILLAGE)
    higher.tier = "city"
    assert (await village.says(asker=higher)).code == "forbidden"
    assert (await village.says(id=f"{NEIGHBOUR}-1")).code == "protocol"
    assert (await village.says(to_node="88")).code == "unknown_node"
    large = asker(VILLAGE)
    large.purpose = "x" * 100_000
    assert (await village.says(asker=large)).code == "too_large"


async def test_a_parent_does_not_ask_in_the_name_of_those_below(offices: Offices) -> None:
    said: asyncio.Queue[LiveQuestion | LiveAnswer] = asyncio.Queue()
    town = offices.live[TOWN]
    town.opened(PARENT, said.put_nowait)
    for node in (TOWN, VILLAGE):
        question = LiveQuestion(
            id=f"{node}-1", to_node=TOWN, from_node=node, asker=asker(node), reach=Reach()
        )
        town.question(PARENT, question)
        answer = await said.get()
        assert isinstance(answer, LiveAnswer)
        assert answer.code == "protocol"


async def test_a_peer_answers_only_what_it_was_asked(offices: Offices) -> None:
    village = Hostile(offices)
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ask(offices, CITY, VILLAGE))
        question = await asyncio.wait_for(village.answers.get(), 60)
        assert isinstance(question, LiveQuestion)
        forged = LiveAnswer(id=question.id, reached=NodeReached(at_us=666))
        offices.lanes[NEIGHBOUR].hear_from_child(forged)
        offices.live[TOWN].answer(VILLAGE, LiveAnswer(id="990121101001-never"))
        offices.live[TOWN].answer(VILLAGE, LiveAnswer(id=question.id, reached=NodeReached(at_us=5)))
        offices.live[TOWN].answer(VILLAGE, LiveAnswer(id=question.id, reached=NodeReached(at_us=666)))
        assert (await asking).reached.at_us == 5


async def test_an_answer_that_is_too_large_goes_no_further(offices: Offices) -> None:
    village = Hostile(offices)
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(outcome(ask(offices, CITY, VILLAGE)))
        question = await asyncio.wait_for(village.answers.get(), 60)
        assert isinstance(question, LiveQuestion)
        offices.live[TOWN].answer(VILLAGE, LiveAnswer(id=question.id, words="x" * 2_000_000))
        assert (await asking).code == "too_large"


async def test_a_name_is_used_once_at_a_time_and_of_too_many_the_last_are_refused(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FROM_CHILD", 2)
    offices.lanes[TOWN].held.clear()
    village = Hostile(offices)
    first, second = (
        LiveQuestion(
            id=name, to_node=CITY, from_node=VILLAGE, asker=asker(VILLAGE), within_ms=60_000, reach=Reach()
        )
        for name in (f"{VILLAGE}-a", f"{VILLAGE}-b")
    )
    village.town.question(VILLAGE, first)
    assert (await village.says(id=first.id)).code == "protocol"
    village.town.question(VILLAGE, second)
    assert (await village.says(id=f"{VILLAGE}-c")).code == "busy"
    # The neighbour is not held up by it.
    assert (await ask(offices, NEIGHBOUR, TOWN)).reached.at_us == 7
    offices.lanes[TOWN].held.set()
    answers = [await asyncio.wait_for(village.answers.get(), 60) for _ in range(2)]
    assert {each.id for each in answers} == {first.id, second.id}
    assert not (await village.says(id=first.id)).code


@given(
    shape=st.lists(st.integers(min_value=0, max_value=20), min_size=1, max_size=8),
    picks=st.tuples(st.integers(0, 100), st.integers(0, 100)),
)
async def test_in_any_tree_everybody_reaches_everybody_over_each_node_once(
    shape: list[int], picks: tuple[int, int]
) -> None:
    above = {f"n{number}": f"n{parent % number}" for number, parent in enumerate(shape, start=1)}
    nodes = sorted({*above, *above.values()})
    start, end = (nodes[pick % len(nodes)] for pick in picks)
    async with Offices(above).running() as offices:
        answer = await ask(offices, start, end)
    passed = [hop.node for hop in answer.hops]
    assert (passed[0], passed[-1]) == (end, start)
    assert len(passed) == len(set(passed))
    assert all(
        above.get(one) == other or above.get(other) == one for one, other in itertools.pairwise(passed)
    )
