"""A town that forks its history is caught by the county that noted its heads, and by the city where the county looks away."""

from collections.abc import Awaitable, Callable

import pytest
from zongheng.v1.entry_pb2 import Entry, HeadNoted
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, Signer, Verifier, open_note, sign
from federation.link.memory import MemoryTree
from tests.unit.projection.units import Unit

Make = Callable[..., Awaitable[Unit]]

CITY, COUNTY, TOWN = "9901", "990102", "990102001"


class Town:
    """A journal that its owner writes as he likes, with his own key."""

    def __init__(self, log_id: str) -> None:
        self.signer = Signer.generate(log_id)
        self.tree = MemoryTree()

    @property
    def note(self) -> str:
        size = len(self.tree.leaves)
        return sign(Checkpoint(self.signer.name, size, self.tree.builder.root()), self.signer)

    @property
    def card(self) -> NodeCard:
        return NodeCard(
            node=TOWN,
            tier="town",
            parent=COUNTY,
            log_id=self.signer.name,
            verifier=str(self.signer.verifier),
            checkpoint=self.note,
            checkpoint_at_us=len(self.tree.leaves),
        )

    def rewritten(self, at: int, more: int) -> "Town":
        """The same town with another past, and so many more entries."""
        other = Town(self.signer.name)
        other.signer = self.signer
        leaves = [b"rewritten" if n == at else leaf for n, leaf in enumerate(self.tree.leaves)]
        other.tree = MemoryTree([*leaves, *(b"later %d" % n for n in range(more))])
        return other


@pytest.fixture
async def line(unit: Make) -> tuple[Unit, Unit, Town]:
    city, county = await unit(CITY), await unit(COUNTY)
    town = Town("zongheng/sha256-ed25519/990102001/3f9a2c1d")
    town.tree.extend(b"entry %d" % n for n in range(20))
    return city, county, town


async def push(town: Town, county: Unit) -> None:
    await county.node.children.enrol(town.card)
    await county.reports.cards(TOWN, [town.card])
    held = (await county.node.children.held(TOWN)).size
    await county.node.children.accept(TOWN, held, town.tree.leaves[held:], town.note)


async def rise(county: Unit, city: Unit) -> None:
    await county.push_to(city)
    await city.catch_up()


async def test_an_honest_line_accuses_nobody(line: tuple[Unit, Unit, Town]) -> None:
    city, county, town = line
    for _ in range(4):
        await push(town, county)
        await county.node.children.note_heads()
        await rise(county, city)
        town.tree.extend([b"more", b"and more"])
    assert len(await county.entries("head_noted")) == 4
    assert await city.entries("fork_found") == await county.entries("fork_found") == []
    await city.node.projector.rebuild()
    assert await city.entries("fork_found") == []


async def colludes(county: Unit, town: Town, *proof: bytes) -> None:
    """The county enters a head of the town as if it continued what it noted before."""
    noted = HeadNoted(origin=TOWN, checkpoint=town.note, consistency=proof)
    await county.told(Entry(source="head", serial=str(len(town.tree.leaves)), head_noted=noted))


@pytest.mark.parametrize("more", [0, 15])
async def test_a_county_that_colludes_cannot_hide_a_fork_from_the_city(
    line: tuple[Unit, Unit, Town], more: int
) -> None:
    city, county, town = line
    await push(town, county)
    await county.node.children.note_heads()
    await rise(county, city)
    forked = town.rewritten(7, more)
    await colludes(county, forked, *await forked.tree.reader().consistency_proof(20, 20 + more))
    await rise(county, city)
    (entry,) = await city.entries("fork_found")
    found = entry.fork_found
    assert found.origin == TOWN
    key = Verifier.parse(town.card.verifier)
    held, shown = open_note(found.held, [key]), open_note(found.shown, [key])
    assert (held.size, shown.size) == (20, 20 + more)
    assert COUNTY in found.reason


async def test_a_head_that_goes_back_is_a_fork_too(line: tuple[Unit, Unit, Town]) -> None:
    city, county, town = line
    await push(town, county)
    await county.node.children.note_heads()
    short = Town(town.signer.name)
    short.signer = town.signer
    short.tree = MemoryTree(town.tree.leaves[:12])
    await colludes(county, short)
    await rise(county, city)
    assert [entry.fork_found.origin for entry in await city.entries("fork_found")] == [TOWN]


async def test_nobody_is_accused_with_a_head_that_the_county_made_itself(
    line: tuple[Unit, Unit, Town],
) -> None:
    city, county, town = line
    await push(town, county)
    await county.node.children.note_heads()
    await rise(county, city)
    forged = town.rewritten(7, 3)
    forged.signer = Signer.generate(town.signer.name)
    await colludes(county, forged)
    await rise(county, city)
    assert await city.entries("fork_found") == []


async def test_a_county_that_reports_another_head_than_it_noted_is_found_out(
    line: tuple[Unit, Unit, Town],
) -> None:
    city, county, town = line
    await push(town, county)
    await county.node.children.note_heads()
    await rise(county, city)
    await city.reports.cards(COUNTY, [county.node.tree.own, town.rewritten(3, 0).card])
    assert [entry.fork_found.origin for entry in await city.entries("fork_found")] == [TOWN]


async def test_a_restored_county_does_not_cosign_what_contradicts_what_it_noted(
    line: tuple[Unit, Unit, Town],
) -> None:
    _, county, town = line
    short = Town(town.signer.name)
    short.signer = town.signer
    short.tree = MemoryTree(town.tree.leaves[:12])
    await push(short, county)
    # Its own journal came back from the city, and with it the head that it noted before it was restored.
    noted = Entry(
        noted_at_us=1, source="head", serial="x", head_noted=HeadNoted(origin=TOWN, checkpoint=town.note)
    )
    leaf = noted.SerializeToString()
    tree = MemoryTree(await leaves(county))
    tree.extend([leaf])
    await county.node.writer.seal("restored")
    await county.node.branch.adopt(len(tree.leaves) - 1, [leaf], tree.builder.root())
    county.node.writer.unseal()
    forked = town.rewritten(15, 4)
    with pytest.raises(ZonghengError) as refused:
        await push(forked, county)
    assert refused.value.code == "root_mismatch"
    (entry,) = await county.entries("fork_found")
    assert entry.fork_found.held == town.note
    assert entry.fork_found.shown == forked.note
    assert (await county.node.children.held(TOWN)).size == 12


async def leaves(unit: Unit) -> list[bytes]:
    async with unit.node.store.read() as session:
        return await session.journal.leaves(unit.code, 0, 1 << 30)
