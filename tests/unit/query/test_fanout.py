"""A question on its way down a tree in one process: who is asked, what is merged, who is named as missing."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest
from zongheng.v1.query_pb2 import AlertQuestion, AlertRow, AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.query.coverage import Coverage, Tally
from federation.query.fanout import ask, childs_deadline
from federation.query.part import Parts

# city ─ county ─ town ─ village1, village2
#      └ lone (a town directly under the city)
PARENTS = {"county": "city", "lone": "city", "town": "county", "village1": "town", "village2": "town"}


class Federation:
    """All nodes in one process, each of which can fail in its own way."""

    def __init__(self) -> None:
        self.sleeps: dict[str, float] = {}
        self.away: set[str] = set()
        self.copies: set[str] = set()
        self.breaks: dict[str, Exception] = {}
        self.deadlines: dict[str, float] = {}
        self.closed: list[str] = []
        self.extra: Callable[[str], list[AnswerPart]] = lambda node: []
        self.hint: Callable[[str], AnswerPart | None] = lambda node: None

    def cards(self, me: str) -> list[NodeCard]:
        def below(node: str) -> bool:
            while node := PARENTS.get(node, ""):
                if node == me:
                    return True
            return False

        return [NodeCard(node=node, parent=parent) for node, parent in PARENTS.items() if below(node)]

    async def here(self, me: str, question: Question, deadline: float) -> Parts:
        self.deadlines[me] = deadline
        try:
            await asyncio.sleep(self.sleeps.get(me, 0))
            if me in self.breaks:
                raise self.breaks[me]
            yield AnswerPart(node=me, journal_size=7, alerts=[AlertRow(alert_id=f"{me}-1")])
            for part in self.extra(me):
                yield part
        finally:
            self.closed.append(me)

    async def child(self, name: str, question: Question, deadline: float) -> Parts:
        if name in self.away:
            raise ZonghengError("unreachable", f"{name} is not connected")
        async with aclosing(self.ask(name, question, deadline)) as parts:
            async for part in parts:
                yield part

    async def copy(self, name: str) -> Parts:
        yield AnswerPart(node=name, journal_size=5, alerts=[AlertRow(alert_id=f"{name}-copy")])

    def copy_of(self, name: str, question: Question, deadline: float) -> Parts | None:
        return self.copy(name) if name in self.copies else None

    def ask(self, me: str, question: Question, deadline: float) -> Parts:
        def here(question: Question, deadline: float) -> Parts:
            return self.here(me, question, deadline)

        def by_hint(question: Question, node: str) -> AnswerPart | None:
            return self.hint(node)

        return ask(question, me, self.cards(me), here, self.child, self.copy_of, deadline, by_hint)

    async def answer(
        self, subtree: str, me: str = "city", seconds: float = 2.0
    ) -> tuple[Coverage, dict[str, AnswerPart]]:
        question = Question(subtree=subtree, alerts=AlertQuestion())
        deadline = asyncio.get_running_loop().time() + seconds
        parts = [part async for part in self.ask(me, question, deadline)]
        below = {card.node: card.parent for card in self.cards(me)}
        expected = {n for n in (me, *below) if n == subtree or subtree in ancestors(n)}
        tally = Tally(expected)
        for part in parts:
            tally.add(part)
        return tally.coverage(), {part.node: part for part in parts if part.node}


def ancestors(node: str) -> list[str]:
    found = []
    while node := PARENTS.get(node, ""):
        found.append(node)
    return found


@pytest.fixture
def federation() -> Federation:
    return Federation()


async def test_everybody_in_the_subtree_answers_for_itself(federation: Federation) -> None:
    coverage, parts = await federation.answer("city")
    assert sorted(parts) == ["city", "county", "lone", "town", "village1", "village2"]
    assert (coverage.expected, coverage.answered) == (6, 6)
    assert coverage.complete()
    assert coverage.as_of[0].journal_size == 7


async def test_a_question_travels_to_its_subtree_and_asks_nobody_on_the_way(federation: Federation) -> None:
    coverage, parts = await federation.answer("town")
    assert sorted(parts) == ["town", "village1", "village2"]
    assert coverage.complete()
    assert set(federation.deadlines) == {"town", "village1", "village2"}


async def test_one_leaf_can_be_asked(federation: Federation) -> None:
    coverage, parts = await federation.answer("village2")
    assert list(parts) == ["village2"]
    assert (coverage.expected, coverage.complete()) == (1, True)


async def test_a_node_that_is_not_below_is_unknown(federation: Federation) -> None:
    for me, subtree in (("county", "lone"), ("village1", "town"), ("city", "nowhere"), ("city", "")):
        with pytest.raises(ZonghengError) as unknown:
            await federation.answer(subtree, me)
        assert unknown.value.code == "unknown_node"


async def test_every_hop_leaves_less_time_to_the_next(federation: Federation) -> None:
    await federation.answer("city")
    limits = [federation.deadlines[node] for node in ("city", "county", "town", "village1")]
    assert limits == sorted(limits, reverse=True)
    assert len(set(limits)) == 4
    assert childs_deadline(0, 100) == 99
    assert childs_deadline(0, 0.1) == pytest.approx(0.05)


async def test_a_child_that_is_away_takes_its_whole_subtree_with_it(federation: Federation) -> None:
    federation.away.add("town")
    coverage, parts = await federation.answer("city")
    assert sorted(parts) == ["city", "county", "lone"]
    assert coverage.unreachable == ("town", "village1", "village2")
    assert (coverage.expected, coverage.answered, coverage.complete()) == (6, 3, False)


async def test_the_parent_answers_from_its_copy_and_says_that_it_is_one(federation: Federation) -> None:
    federation.away.add("town")
    federation.copies.add("town")
    coverage, parts = await federation.answer("city")
    assert parts["town"].stale
    assert parts["town"].alerts[0].alert_id == "town-copy"
    assert (coverage.answered, coverage.stale, coverage.unreachable) == (3, 1, ("village1", "village2"))
    assert not coverage.complete()


async def test_a_slow_child_is_given_up_in_time_to_answer_for_it(federation: Federation) -> None:
    federation.sleeps["village1"] = 30
    federation.copies.add("village1")
    started = asyncio.get_running_loop().time()
    coverage, parts = await federation.answer("city", seconds=0.8)
    assert asyncio.get_running_loop().time() - started < 0.8
    assert parts["village1"].stale
    assert (coverage.answered, coverage.stale, coverage.unreachable) == (5, 1, ())
    assert "village1" in federation.closed


async def test_a_slow_child_holds_up_nobody_elses_parts(federation: Federation) -> None:
    federation.sleeps["county"] = 0.5
    question = Question(subtree="city", alerts=AlertQuestion())
    loop = asyncio.get_running_loop()
    started, seen = loop.time(), {}
    async for part in federation.ask("city", question, started + 2):
        seen[part.node] = loop.time() - started
    assert seen["lone"] < 0.3 < seen["county"]


async def test_a_node_that_is_too_slow_itself_is_among_the_missing(federation: Federation) -> None:
    federation.sleeps["city"] = 30
    coverage, _ = await federation.answer("city", seconds=0.3)
    assert coverage.unreachable == ("city",)


async def test_a_child_that_breaks_in_the_middle_has_not_answered(federation: Federation) -> None:
    def half(node: str) -> list[AnswerPart]:
        if node != "lone":
            return []
        federation.breaks["lone"] = RuntimeError("gone")
        return [AnswerPart(node="lone", more=True)]

    class Broken(Federation):
        async def here(self, me: str, question: Question, deadline: float) -> Parts:
            yield AnswerPart(node=me, more=me == "lone")
            if me == "lone":
                raise RuntimeError("gone")

    coverage, _ = await Broken().answer("city")
    assert coverage.unreachable == ("lone",)


async def test_a_child_cannot_answer_for_its_neighbours(federation: Federation) -> None:
    federation.extra = lambda node: (
        [AnswerPart(node="county", journal_size=999), AnswerPart(unreachable=["county", "city"])]
        if node == "lone"
        else []
    )
    coverage, parts = await federation.answer("city")
    assert parts["county"].journal_size == 7
    assert coverage.complete()


async def test_a_node_that_joined_a_moment_ago_counts_too(federation: Federation) -> None:
    federation.extra = lambda node: [AnswerPart(node="village9")] if node == "town" else []
    coverage, parts = await federation.answer("town")
    assert "village9" in parts
    assert (coverage.expected, coverage.answered) == (4, 4)


async def test_what_is_wrong_with_the_question_comes_back_to_the_asker(federation: Federation) -> None:
    federation.breaks["village1"] = ZonghengError("not_found", "no such case")
    with pytest.raises(ZonghengError, match="no such case"):
        await federation.answer("village1")
    coverage, _ = await federation.answer("city")
    assert coverage.unreachable == ("village1",)


async def test_closing_the_answer_stops_everybody(federation: Federation) -> None:
    for node in ("county", "town", "village1", "village2"):
        federation.sleeps[node] = 30
    question = Question(subtree="city", alerts=AlertQuestion())
    deadline = asyncio.get_running_loop().time() + 20
    async with aclosing(federation.ask("city", question, deadline)) as parts:
        async for _ in parts:
            break
    assert {"city", "county", "town", "village1", "village2"} <= set(federation.closed)


async def test_cancelling_the_asker_stops_everybody(federation: Federation) -> None:
    federation.sleeps["village1"] = 30
    task = asyncio.get_running_loop().create_task(federation.answer("city", seconds=20))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "village1" in federation.closed


async def test_cards_that_run_in_a_circle_are_not_in_the_tree() -> None:
    async def here(question: Question, deadline: float) -> AsyncGenerator[AnswerPart, None]:
        yield AnswerPart(node="city")

    async def nobody(child: str, question: Question, deadline: float) -> AsyncGenerator[AnswerPart, None]:
        raise AssertionError(child)
        yield AnswerPart()

    cards = [
        NodeCard(node="a", parent="b"),
        NodeCard(node="b", parent="a"),
        NodeCard(node="city", parent="a"),
    ]
    question = Question(subtree="city", alerts=AlertQuestion())
    deadline = asyncio.get_running_loop().time() + 1
    parts = [p async for p in ask(question, "city", cards, here, nobody, lambda *_: None, deadline)]
    assert [part.node for part in parts] == ["city"]
    question.subtree = "a"
    with pytest.raises(ZonghengError):
        await anext(ask(question, "city", cards, here, nobody, lambda *_: None, deadline))


async def test_a_child_whose_whole_subtree_holds_nothing_is_not_asked_and_counts(
    federation: Federation,
) -> None:
    hinted = {"lone", "village1"}
    federation.hint = lambda node: AnswerPart(node=node, hinted=True) if node in hinted else None
    coverage, parts = await federation.answer("city")
    assert coverage.complete()
    assert coverage.hinted == ("lone", "village1")
    assert set(federation.deadlines) == {"city", "county", "town", "village2"}
    assert not parts["lone"].alerts
    # The county is asked as long as one node below it may have an answer.
    hinted |= {"county", "town"}
    coverage, _ = await federation.answer("city")
    assert coverage.hinted == ("lone", "village1")
    hinted.add("village2")
    federation.deadlines.clear()
    coverage, _ = await federation.answer("city")
    assert (coverage.answered, len(coverage.hinted)) == (6, 5)
    assert set(federation.deadlines) == {"city"}


async def test_a_subtree_that_holds_nothing_is_not_asked_through_those_above_it_either(
    federation: Federation,
) -> None:
    federation.hint = lambda node: AnswerPart(node=node, hinted=True) if node == "village1" else None
    coverage, _ = await federation.answer("village1")
    assert (coverage.complete(), coverage.hinted) == (True, ("village1",))
    assert federation.deadlines == {}
