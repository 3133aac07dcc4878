"""The seed of a draw comes from the parent: once for a request, checked offline, and no other one counts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from zongheng.v1.engine_pb2 import ExpertsDrawn
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.matching_pb2 import DrawSeed

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, Signer, cosign_checkpoint, open_note
from federation.journal.evidence import Evidence
from node.people.caller import OPERATOR
from node.store.drafts import Draft
from node.supervision.draw import BadDraw, draw, verify
from node.views.draw import DrawForm, ask, carry_out, check_draw
from tests.unit.matching.district import EAST, District, Make, district

FORM = DrawForm.model_validate(
    {
        "case": "990102001-77",
        "pool": [{"expert": f"E{n:02}", "employer": f"firm{n % 4}"} for n in range(30)],
        "wanted": 3,
        "by": "S1",
    }
)


async def asked(unit: Make) -> tuple[District, int]:
    """A town with a parent has asked for a draw."""
    made = await district(unit, EAST)
    made.towns[0].node.settings.parent = "127.0.0.1:1"
    request = await ask(made.towns[0].node, OPERATOR, FORM)
    return made, request.index


async def drawn(made: District, index: int) -> ExpertsDrawn:
    """The draw's entry, after the parent gave the seed."""
    await made.pass_on()
    answer = await carry_out(made.towns[0].node, OPERATOR, index, "S1")
    return Entry.FromString(Evidence.parse(answer.evidence).leaf).experts_drawn


async def test_nothing_is_drawn_before_the_parent_gave_the_seed(unit: Make, tmp_path: Path) -> None:
    made, index = await asked(unit)
    town, county = made.towns[0].node, made.county.node
    with pytest.raises(ZonghengError, match="has not given the seed") as refused:
        await carry_out(town, OPERATOR, index, "S1")
    assert refused.value.code == "busy"
    await made.pass_on()
    answer = await carry_out(town, OPERATOR, index, "S1")
    assert (answer.seeded_by, answer.seed_verifier) == (county.writer.log_id, county.writer.verifier)
    file = tmp_path / "draw.tlog-proof"
    file.write_text(answer.evidence, encoding="utf-8")
    told = check_draw(file, answer.verifier, county.writer.verifier)
    assert (told["verified"], told["drawn"]) == (True, answer.drawn)
    assert check_draw(file, answer.verifier)["verified"] is True
    stranger = Signer.generate(county.writer.log_id)
    assert check_draw(file, answer.verifier, str(stranger.verifier))["verified"] is False


async def test_the_seed_of_a_request_is_given_once_whatever_happens(unit: Make) -> None:
    made, index = await asked(unit)
    first = await drawn(made, index)
    await made.county.node.seeding.give(EAST, [index])
    await made.county.node.projector.rebuild()
    await made.pass_on()
    assert len(await made.county.entries("draw_seed")) == 1
    assert (await drawn(made, index)).drawn == first.drawn


async def test_the_head_alone_draws_others_than_head_and_cosignature(unit: Make) -> None:
    made, index = await asked(unit)
    told = await drawn(made, index)
    request = Entry.FromString(told.request).draw_requested
    head = open_note(told.checkpoint, [made.towns[0].node.signer.verifier])
    # What the town could have tried in secret before it asked says nothing about the draw.
    assert draw(request, head) != list(told.drawn)


async def test_a_draw_without_the_parents_seed_is_refused_by_who_knows_the_parent(unit: Make) -> None:
    made, index = await asked(unit)
    told = await drawn(made, index)
    town, county = made.towns[0].node, made.county.node
    request = Entry.FromString(told.request).draw_requested
    own = ExpertsDrawn()
    own.CopyFrom(told)
    own.ClearField("seed")
    own.drawn[:] = draw(request, open_note(told.checkpoint, [town.signer.verifier]))
    assert verify(own, [town.signer.verifier]) == request
    with pytest.raises(BadDraw, match="without the seed of the parent"):
        verify(own, [town.signer.verifier], [county.signer.verifier])


async def test_a_seed_that_was_ground_is_refused(unit: Make) -> None:
    """A town that got the county to cosign its head again, at other times, has other seeds, and none of them is an entry of the county's."""
    made, index = await asked(unit)
    told = await drawn(made, index)
    town, county = made.towns[0].node, made.county.node
    keys, above = [town.signer.verifier], [county.signer.verifier]
    assert verify(told, keys, above)
    head = open_note(told.checkpoint, keys)
    request = Entry.FromString(told.request).draw_requested
    for second in range(5):
        note = cosign_checkpoint(head, county.signer, datetime.fromtimestamp(1_000_000_000 + second, UTC))
        leaf = Entry.FromString(told.seed.leaf)
        leaf.draw_seed.checkpoint = note
        ground = ExpertsDrawn()
        ground.CopyFrom(told)
        ground.seed.leaf = leaf.SerializeToString()
        with pytest.raises(BadDraw, match="the seed is not proven"):
            verify(ground, keys, above)
        # Nor does one in the town's own journal count.
        (at,) = (await town.writer.append([Draft.of(leaf)])).indexes
        async with town.store.read() as session:
            reader = session.journal.reader(EAST, at + 1, town.edge(EAST, at + 1))
            own_head = await session.journal.head(EAST)
            ground.seed.proof[:] = await reader.inclusion_proof(at, at + 1)
        assert own_head is not None
        ground.seed.index, ground.seed.checkpoint, ground.seed.verifier = at, own_head.note, own_head.verifier
        for known in (above, []):
            with pytest.raises(BadDraw, match=r"not proven|signed for"):
                verify(ground, keys, known)
    assert request.wanted == len(told.drawn)


async def test_a_seed_for_another_request_or_another_history_is_refused(unit: Make) -> None:
    made, index = await asked(unit)
    told = await drawn(made, index)
    town, county = made.towns[0].node, made.county.node
    second = await ask(town, OPERATOR, FORM)
    other = await drawn(made, second.index)
    swapped = ExpertsDrawn()
    swapped.CopyFrom(other)
    swapped.seed.CopyFrom(told.seed)
    with pytest.raises(BadDraw, match="another request"):
        verify(swapped, [town.signer.verifier], [county.signer.verifier])


async def test_a_seed_that_the_county_signed_with_no_key_of_its_journal_is_refused(unit: Make) -> None:
    made, index = await asked(unit)
    told = await drawn(made, index)
    town, county = made.towns[0].node, made.county.node
    stranger = Signer.generate("990199/0123456789abcdef")
    head = open_note(told.checkpoint, [town.signer.verifier])
    seed = DrawSeed(
        child=EAST,
        request_index=index,
        checkpoint=cosign_checkpoint(
            Checkpoint(head.origin, head.size, head.root), stranger, datetime.now(UTC)
        ),
        verifier=str(stranger.verifier),
    )
    (at,) = (await county.writer.append([Draft.of(Entry(draw_seed=seed))])).indexes
    async with county.store.read() as session:
        county_head = await session.journal.head(county.settings.node)
        leaf = await session.journal.leaf(county.settings.node, at)
        reader = session.journal.reader(
            county.settings.node, at + 1, county.edge(county.settings.node, at + 1)
        )
        proof = await reader.inclusion_proof(at, at + 1)
    assert county_head is not None
    assert leaf is not None
    strange = ExpertsDrawn()
    strange.CopyFrom(told)
    strange.seed.leaf, strange.seed.index, strange.seed.checkpoint = leaf, at, county_head.note
    strange.seed.proof[:] = proof
    with pytest.raises(BadDraw, match="is signed for 990199"):
        verify(strange, [town.signer.verifier], [county.signer.verifier])
