"""What a parent keeps apart of a child that forked, and what may be decided about it."""

from collections.abc import Awaitable, Callable

import pytest
from zongheng.v1.mending_pb2 import QUARANTINE_DECISION_MEND, QUARANTINE_DECISION_REFUSE

from federation.errors import ZonghengError
from node.mending.quarantine import Quarantine
from node.store.forks import OPEN, REPLACED, UNKNOWN, Fork
from tests.unit.mending.test_noted import COUNTY, TOWN, Town, push
from tests.unit.projection.units import Unit

Make = Callable[..., Awaitable[Unit]]


@pytest.fixture
async def county(unit: Make) -> Unit:
    return await unit(COUNTY)


@pytest.fixture
async def town(county: Unit) -> Town:
    """A town whose first twenty entries the county holds."""
    town = Town("zongheng/sha256-ed25519/990102001/3f9a2c1d")
    town.tree.extend(b"entry %d" % n for n in range(20))
    await push(town, county)
    return town


async def forks(county: Unit) -> list[Fork]:
    async with county.node.store.read() as session:
        return await session.forks.all()


async def divert(county: Unit, town: Town, common: int, first: int) -> int:
    children = county.node.children
    return await children.divert(TOWN, common, first, town.tree.leaves[first:], town.note)


async def opened(county: Unit, town: Town, at: int = 7) -> Town:
    """The town shows another past from `at` on; the county found it."""
    other = town.rewritten(at, 3)
    await county.node.children.fork(TOWN, town.note, other.note, "differs")
    return other


async def test_a_branch_is_kept_apart_stretch_by_stretch_also_after_a_restart(
    county: Unit, town: Town
) -> None:
    other = await opened(county, town)
    children = county.node.children
    for first, last in ((7, 9), (9, 20), (20, 23)):
        part = Town(other.signer.name)
        part.signer, part.tree = other.signer, type(other.tree)(other.tree.leaves[:last])
        leaves = other.tree.leaves[first:last]
        assert await children.divert(TOWN, 7, first, leaves, part.note) == last
        county.node.quarantine = children._quarantine = Quarantine(
            county.node.store, county.node.telling, county.node.now
        )
    (fork,) = await forks(county)
    assert (fork.state, fork.common, fork.kept) == (OPEN, 7, 16)
    async with county.node.store.read() as session:
        rows = await session.forks.kept_apart(TOWN, 1, 0, 100)
    assert [leaf for _, leaf in rows] == other.tree.leaves[7:]
    assert (await children.held(TOWN)).size == 20


@pytest.mark.parametrize(("common", "first"), [(6, 7), (8, 8), (7, 9), (25, 25)])
async def test_what_does_not_fit_what_is_held_is_not_kept(
    county: Unit, town: Town, common: int, first: int
) -> None:
    other = await opened(county, town)
    with pytest.raises(ZonghengError):
        await divert(county, other, common, first)
    (fork,) = await forks(county)
    assert (fork.common, fork.kept) == (UNKNOWN, 0)


async def test_nothing_is_taken_and_a_branch_only_while_it_waits_for_a_decision(
    county: Unit, town: Town
) -> None:
    with pytest.raises(ZonghengError) as refused:
        await divert(county, town, 7, 7)
    assert refused.value.code == "quarantined"
    other = await opened(county, town)
    town.tree.extend([b"honest again"])
    with pytest.raises(ZonghengError) as refused:
        await push(town, county)
    assert refused.value.code == "quarantined"
    await county.node.quarantine.decide(TOWN, "refuse", "Li", "tampered with")
    with pytest.raises(ZonghengError) as refused:
        await divert(county, other, 7, 7)
    assert refused.value.code == "quarantined"


async def test_another_branch_of_the_same_child_is_kept_beside_the_first(county: Unit, town: Town) -> None:
    first, second = await opened(county, town), town.rewritten(4, 1)
    await divert(county, first, 7, 7)
    with pytest.raises(ZonghengError):
        await divert(county, second, 4, 23)
    assert await divert(county, second, 4, 4) == 21
    one, two = await forks(county)
    assert (one.state, one.kept, two.state, two.common) == (REPLACED, 16, OPEN, 4)


async def test_a_decision_has_a_name_and_a_reason_and_may_be_changed_from_refused(
    county: Unit, town: Town
) -> None:
    quarantine = county.node.quarantine
    with pytest.raises(ZonghengError) as refused:
        await quarantine.decide(TOWN, "refuse", "Li", "because")
    assert refused.value.code == "not_found"
    await opened(county, town)
    for decision, by, reason in (("refuse", "", "because"), ("mend", "Li", " "), ("forget", "Li", "because")):
        with pytest.raises(ZonghengError) as refused:
            await quarantine.decide(TOWN, decision, by, reason)
        assert refused.value.code == "bad_request"
    await quarantine.decide(TOWN, "refuse", "Li", "because")
    assert "because" in (await county.node.children.held(TOWN)).quarantine
    await quarantine.decide(TOWN, "mend", "Wang", "it was a backup")
    with pytest.raises(ZonghengError):
        await quarantine.decide(TOWN, "refuse", "Li", "too late")
    decided = [entry.quarantine_decided for entry in await county.entries("quarantine_decided")]
    assert [(one.decision, one.by) for one in decided] == [
        (QUARANTINE_DECISION_REFUSE, "Li"),
        (QUARANTINE_DECISION_MEND, "Wang"),
    ]
    assert len(await county.entries("fork_found")) == 1


async def test_a_quarantine_is_over_when_the_child_shows_the_held_history_again(
    county: Unit, town: Town
) -> None:
    await opened(county, town)
    children = county.node.children
    await children.mended(TOWN, town.note)  # nobody decided so
    assert (await children.held(TOWN)).quarantine
    await county.node.quarantine.decide(TOWN, "mend", "Li", "a backup")
    for _ in range(2):
        await children.mended(TOWN, town.note)
    assert not (await children.held(TOWN)).quarantine
    assert len(await county.entries("child_mended")) == 1
    town.tree.extend([b"more"])
    await push(town, county)
    assert (await children.held(TOWN)).size == 21
