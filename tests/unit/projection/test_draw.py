"""Draws of evaluation experts: avoidance, the seed that nobody picks, the same draw for everybody, and what a forged one looks like."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zongheng.v1.engine_pb2 import Avoidance, DrawRequest, Expert, ExpertsDrawn
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, Signer, log_id, sign
from federation.journal.evidence import Evidence
from federation.journal.merkle import leaf_hash
from node.people.caller import OPERATOR
from node.supervision.draw import BadDraw, check, draw, verify
from node.views.draw import DrawForm, ask, carry_out, check_draw
from tests.unit.projection.units import COUNTY, Unit

POOL = [Expert(expert=f"E{n:02}", employer=f"firm{n % 4}") for n in range(12)]


def wanted(number: int = 3, **more: Any) -> DrawRequest:
    return DrawRequest(case_id="p-1", number=1, pool=POOL, wanted=number, **more)


def head(root: bytes) -> Checkpoint:
    return Checkpoint(log_id("990102", "0123456789abcdef"), 1, root)


def roots(number: int) -> list[bytes]:
    return [leaf_hash(str(n).encode()) for n in range(number)]


def test_who_is_avoided_or_works_for_a_party_is_never_drawn() -> None:
    request = wanted(3, avoided=[Avoidance(expert="E05", reason="teacher of the bidder")], parties=["firm0"])
    drawn = Counter(expert for root in roots(200) for expert in draw(request, head(root)))
    assert set(drawn) == {one.expert for one in POOL if one.employer != "firm0"} - {"E05"}


def test_everybody_is_drawn_about_as_often() -> None:
    drawn = Counter(expert for root in roots(1_200) for expert in draw(wanted(3), head(root)))
    # 1,200 draws of three of twelve: 300 each; five standard deviations are 75.
    assert set(drawn) == {one.expert for one in POOL}
    assert all(abs(times - 300) < 75 for times in drawn.values())


def test_no_two_of_one_employer_where_that_is_asked_for() -> None:
    request = wanted(4, one_per_employer=True)
    employer = {one.expert: one.employer for one in POOL}
    for root in roots(50):
        assert len({employer[one] for one in draw(request, head(root))}) == 4


def test_the_order_of_the_pool_changes_nothing() -> None:
    other = wanted(3)
    del other.pool[:]
    other.pool.extend(reversed(POOL))
    for root in roots(20):
        assert draw(other, head(root)) == draw(wanted(3), head(root))


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (DrawRequest(pool=POOL, wanted=1), "for which project"),
        (DrawRequest(case_id="p", wanted=1), "a pool has"),
        (DrawRequest(case_id="p", pool=[*POOL, POOL[0]], wanted=1), "E00 twice"),
        (
            DrawRequest(case_id="p", pool=POOL, wanted=1, avoided=[Avoidance(expert="X", reason="r")]),
            "not in the pool",
        ),
        (DrawRequest(case_id="p", pool=POOL, wanted=1, avoided=[Avoidance(expert="E01")]), "why"),
        (DrawRequest(case_id="p", pool=POOL), "at least one"),
        (DrawRequest(case_id="p", pool=POOL, wanted=13), "12 may be drawn"),
        (DrawRequest(case_id="p", pool=POOL, wanted=5, one_per_employer=True), "4 may be drawn"),
    ],
)
def test_a_request_that_makes_no_draw_is_refused(request_: DrawRequest, why: str) -> None:
    with pytest.raises(BadDraw, match=why):
        check(request_)


async def drawn_at(unit: Unit) -> Any:
    form = DrawForm.model_validate(
        {
            "case": "990102-77",
            "pool": [{"expert": one.expert, "employer": one.employer} for one in POOL],
            "wanted": 3,
            "avoided": {"E05": "teacher of the bidder"},
            "parties": ["firm0"],
            "by": "S1",
        }
    )
    asked = await ask(unit.node, OPERATOR, form)
    return await carry_out(unit.node, OPERATOR, asked.index, "S1")


def stored(answer: Any, folder: Path) -> Path:
    file = folder / "draw.tlog-proof"
    file.write_text(answer.evidence, encoding="utf-8")
    return file


async def test_a_draw_is_an_entry_that_anybody_repeats_from_a_file(
    unit: Callable[..., Any], tmp_path: Path
) -> None:
    county = await unit(COUNTY)
    answer = await drawn_at(county)
    assert len(answer.drawn) == 3
    told = check_draw(stored(answer, tmp_path), answer.verifier)
    assert (told["verified"], told["drawn"], told["eligible"]) == (True, answer.drawn, 8)
    # Its project has the draw among its events.
    (event,) = [entry.case_event for entry in await county.entries("case_event")]
    assert (event.case_id, event.domain, event.kind) == ("990102-77", "trading", "drawn")


async def test_drawing_again_is_the_same_draw_and_asking_again_is_another_one_for_all_to_see(
    unit: Callable[..., Any],
) -> None:
    county = await unit(COUNTY)
    first = await drawn_at(county)
    again = await carry_out(county.node, OPERATOR, first.request, "S1")
    assert (again.drawn, again.index) == (first.drawn, first.index)
    second = await drawn_at(county)
    assert (first.number, second.number) == (1, 2)
    assert len(await county.entries("draw_requested")) == 2


async def test_without_a_request_nothing_is_drawn(unit: Callable[..., Any]) -> None:
    county = await unit(COUNTY)
    with pytest.raises(ZonghengError, match="requests no draw"):
        await carry_out(county.node, OPERATOR, 0, "S1")


async def test_with_another_key_or_other_experts_it_does_not_come_out(
    unit: Callable[..., Any], tmp_path: Path
) -> None:
    county = await unit(COUNTY)
    answer = await drawn_at(county)
    stranger = Signer.generate(county.node.writer.log_id)
    assert check_draw(stored(answer, tmp_path), str(stranger.verifier))["verified"] is False
    drawn = Entry.FromString(Evidence.parse(answer.evidence).leaf).experts_drawn
    keys = [county.node.signer.verifier]
    assert verify(drawn, keys).case_id == "990102-77"
    swapped = ExpertsDrawn()
    swapped.CopyFrom(drawn)
    swapped.drawn[:] = list(reversed(drawn.drawn))
    with pytest.raises(BadDraw, match="this head draws"):
        verify(swapped, keys)
    moved = ExpertsDrawn()
    moved.CopyFrom(drawn)
    moved.request_index -= 1
    with pytest.raises(BadDraw, match="not proven"):
        verify(moved, keys)


async def test_a_later_head_is_no_seed(unit: Callable[..., Any]) -> None:
    county = await unit(COUNTY)
    drawn = Entry.FromString(Evidence.parse((await drawn_at(county)).evidence).leaf).experts_drawn
    node, size = county.node, county.node.writer.size
    async with node.store.read() as session:
        reader = session.journal.reader(COUNTY, size, node.edge(COUNTY, size))
        proof = await reader.inclusion_proof(drawn.request_index, size)
        newest = await session.journal.head(COUNTY)
    assert newest is not None
    chosen = ExpertsDrawn()
    chosen.CopyFrom(drawn)
    chosen.proof[:] = proof
    chosen.checkpoint = sign(Checkpoint(node.writer.log_id, size, newest.root), node.signer)
    with pytest.raises(BadDraw, match="not the one that ends with the request"):
        verify(chosen, [node.signer.verifier])
