"""A node that is asked more than it can do says so at once, and works on what it took."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from zongheng.v1.query_pb2 import CaseQuestion, Question

from federation.errors import ZonghengError
from node.asking import MOST, RETRY_MS
from tests.unit.projection.units import MONDAY, TOWN, Unit, item

Make = Callable[..., Awaitable[Unit]]

FLOOD = 10_000


async def test_of_ten_thousand_questions_at_once_as_many_are_answered_as_there_is_room_for(
    unit: Make,
) -> None:
    town = await unit(TOWN)
    await town.told(item(), town.event("c-1", "application", MONDAY))
    await town.catch_up()
    question = Question(subtree=TOWN, cases=CaseQuestion(), limit=10)

    async def ask() -> tuple[str, int]:
        deadline = asyncio.get_running_loop().time() + 60
        try:
            async with aclosing(town.node.asking.answer(question, deadline)) as parts:
                cases = sum([len(part.cases) async for part in parts])
        except ZonghengError as refused:
            return refused.code, refused.retry_after_ms
        return "answered", cases

    told = Counter(await asyncio.gather(*(ask() for _ in range(FLOOD))))
    assert told == {("answered", 1): MOST, ("busy", RETRY_MS): FLOOD - MOST}
    # What was refused holds no place, and what was answered holds none any more.
    assert await ask() == ("answered", 1)


async def test_an_asker_that_goes_away_gives_its_place_back(unit: Make) -> None:
    town = await unit(TOWN)
    question = Question(subtree=TOWN, cases=CaseQuestion(), limit=10)
    deadline = asyncio.get_running_loop().time() + 60
    for _ in range(2 * MOST):
        async with aclosing(town.node.asking.answer(question, deadline)) as parts:
            async for _ in parts:
                break
