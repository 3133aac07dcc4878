"""A town in quarantine goes on in another log: nothing of it is taken before somebody decided, and above not before that decision is there."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.journal.checkpoint import Signer, open_note
from federation.link.memory import MemoryTree
from federation.rollup.row import RollupRow
from node import config
from node.mending.renewed import decided, renamed
from node.mending.renewing import OFFERED, begin
from node.run import Node
from node.store.forks import RENEWED, RENEWING
from node.store.rollups import EPOCH
from node.store.store import Store
from tests.unit.mending.test_noted import CITY, COUNTY, TOWN, Town, push, rise
from tests.unit.projection.units import Unit

Make = Callable[..., Awaitable[Unit]]

LOG = "zongheng/sha256-ed25519/990102001/3f9a2c1d"
OTHER = "zongheng/sha256-ed25519/990102001/00000002"


@pytest.fixture
async def line(unit: Make) -> tuple[Unit, Unit, Town, Town]:
    """City and county, the town as it is held, and the town with another past; the county has found it."""
    city, county = await unit(CITY), await unit(COUNTY)
    town = Town(LOG)
    town.tree.extend(b"entry %d" % n for n in range(20))
    await push(town, county)
    await rise(county, city)
    await city.reports.cards(COUNTY, [county_card(county), town.card])
    other = town.rewritten(7, 3)
    await county.node.children.fork(TOWN, town.note, other.note, "differs")
    await county.node.children.divert(TOWN, 7, 7, other.tree.leaves[7:], other.note)
    return city, county, town, other


def county_card(county: Unit) -> NodeCard:
    card = NodeCard()
    card.CopyFrom(county.node.tree.own)
    card.parent = CITY
    return card


def under(town: Town, log_id: str) -> Town:
    """The town's journal under another log id, signed by the same key."""
    other = Town(log_id)
    other.signer = Signer.from_bytes(log_id, town.signer.to_bytes())
    other.tree = MemoryTree(town.tree.leaves)
    return other


async def accepted(county: Unit, other: Town) -> Town:
    """Somebody decided; the town as it then shows itself."""
    await county.node.quarantine.decide(TOWN, "accept", "Li", "it is right as it is")
    held = await county.node.children.held(TOWN)
    assert held.renew
    renewed = under(other, held.renew)
    renewed.tree.extend([b"renewed"])
    return renewed


async def comes(county: Unit, renewed: Town) -> None:
    """It says hello, is asked to come again, and comes again."""
    with pytest.raises(ZonghengError) as later:
        await county.node.children.enrol(renewed.card)
    assert later.value.code == "unreachable"
    await county.node.renewal.take(renewed.card)
    await push(renewed, county)


async def test_nobody_goes_on_in_another_log_by_himself(line: tuple[Unit, Unit, Town, Town]) -> None:
    city, county, town, other = line
    for stranger in (under(other, OTHER), under(town, OTHER)):
        with pytest.raises(ZonghengError) as refused:
            await county.node.children.enrol(stranger.card)
        assert refused.value.code == "wrong_log"
    renewed = await accepted(county, other)
    with pytest.raises(ZonghengError) as refused:
        await county.node.children.enrol(under(renewed, OTHER).card)
    assert refused.value.code == "wrong_log"
    assert renamed(str(town.signer.verifier), renewed.signer.name) == str(renewed.signer.verifier)
    # The city has heard of nothing: it keeps the card it has.
    await city.reports.cards(COUNTY, [county_card(county), renewed.card])
    known = city.node.tree.get(TOWN)
    assert known is not None
    assert known.log_id == LOG


async def test_the_new_log_is_held_from_its_first_entry_and_the_old_one_is_kept_apart(
    line: tuple[Unit, Unit, Town, Town],
) -> None:
    _, county, town, other = line
    renewed = await accepted(county, other)
    await comes(county, renewed)
    held = await county.node.children.held(TOWN)
    assert (held.log_id, held.size, held.quarantine, held.renew) == (renewed.signer.name, 24, "", "")
    async with county.node.store.read() as session:
        fork = await session.forks.newest(TOWN)
        assert fork is not None
        kept = await session.forks.kept_apart(TOWN, fork.n, 0, 100)
        assert await session.journal.leaves(TOWN, 0, 100) == renewed.tree.leaves
    assert (fork.state, fork.common, fork.kept) == (RENEWED, 7, 13)
    assert [leaf for _, leaf in kept] == town.tree.leaves[7:]
    for note, size in ((fork.held, 20), (fork.shown, 23)):
        assert open_note(note, [town.signer.verifier]).size == size
    (told,) = [entry.child_mended for entry in await county.entries("child_mended")]
    assert open_note(told.checkpoint, [renewed.signer.verifier]).size == 24
    await county.node.renewal.take(renewed.card)  # once more changes nothing
    assert (await county.node.children.held(TOWN)).size == 24


async def test_the_city_takes_the_new_log_when_the_decision_is_in_its_own_journal(
    line: tuple[Unit, Unit, Town, Town],
) -> None:
    city, county, _, other = line
    await city.reports.rows(COUNTY, 0, [row(30, 5)])
    renewed = await accepted(county, other)
    await comes(county, renewed)
    await rise(county, city)
    async with city.node.store.read() as session:
        assert await decided(session, COUNTY, TOWN) == [renewed.signer.name]
        assert await decided(session, CITY, TOWN) == []
    await city.reports.cards(COUNTY, [county_card(county), renewed.card])
    known = city.node.tree.get(TOWN)
    assert known is not None
    assert (known.log_id, known.verifier) == (renewed.signer.name, str(renewed.signer.verifier))
    # The log before does not come back, and its figures are gone.
    await city.reports.cards(COUNTY, [county_card(county), other.card])
    known = city.node.tree.get(TOWN)
    assert known is not None
    assert known.log_id == renewed.signer.name
    assert await figures(city) == []
    await city.reports.rows(COUNTY, 0, [row(EPOCH + 24, 3)])
    assert await figures(city) == [3]


def row(version: int, received: int) -> RollupRow:
    return RollupRow(TOWN, 20_000, "approval", "", "", "", {"received": received}, b"", b"", version)


async def figures(unit: Unit) -> list[int]:
    async with unit.node.store.read() as session:
        return [one.figures["received"] for one in await session.rollups.rows(TOWN)]


async def test_a_county_put_back_from_a_backup_knows_from_its_own_journal_what_it_decided(
    line: tuple[Unit, Unit, Town, Town],
) -> None:
    _, county, _, other = line
    renewed = await accepted(county, other)
    async with county.node.store.write() as session:
        fork = await session.forks.newest(TOWN)
        assert fork is not None
        assert fork.state == RENEWING
        await session.transaction.run("DELETE FROM fork")
        await session.transaction.run("DELETE FROM aside")
        await session.links.delete(f"renewed/{TOWN}")
    await county.node.projector.rebuild()
    await county.catch_up()
    await comes(county, renewed)
    held = await county.node.children.held(TOWN)
    assert (held.log_id, held.size, held.quarantine) == (renewed.signer.name, 24, "")
    async with county.node.store.read() as session:
        over = await session.forks.newest(TOWN)
    assert over is not None
    assert (over.state, over.common, over.kept) == (RENEWED, 0, 20)


async def test_what_rises_again_at_an_index_of_the_old_log_is_another_entry(
    line: tuple[Unit, Unit, Town, Town],
) -> None:
    city, county, _, other = line
    fork = Entry(fork_found={"origin": "990102001001", "held": "a", "shown": "b", "reason": "one"})
    again = Entry(fork_found={"origin": "990102001001", "held": "a", "shown": "b", "reason": "two"})
    renewed = await accepted(county, other)
    await comes(county, renewed)
    renewed.tree.extend([fork.SerializeToString()])
    await push(renewed, county)
    await county.catch_up()
    forwarding = county.node.forwarding
    async with county.node.store.read() as session:
        index = len(renewed.tree.leaves) - 1
        assert await forwarding._serial(session, TOWN, index, fork.SerializeToString()) == ""
        other_serial = await forwarding._serial(session, TOWN, index, again.SerializeToString())
    assert other_serial.startswith(f"{TOWN}/{index}/")
    assert len([one for one in await county.entries("forwarded") if one.forwarded.origin == TOWN]) == 1
    await rise(county, city)
    inner = [Entry.FromString(one.forwarded.leaf) for one in await city.entries("forwarded")]
    assert [one.fork_found.reason for one in inner if one.fork_found.origin == "990102001001"] in (
        [],
        ["one"],
    )


async def test_the_operator_of_a_stopped_node_begins_the_log_and_a_kill_in_between_changes_nothing(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "town"
    config.initialise(folder, tier="town", name="town", division=TOWN, grpc="127.0.0.1:1", http="127.0.0.1:2")
    settings = config.load(folder)
    async with Node.opened(folder) as node:
        size, leaves = node.writer.size, await own_leaves(node.store)
        verifier = node.writer.verifier
    for by, log_id in (
        ("", OTHER),
        ("Wang", ""),
        ("Wang", settings.log_id),
        ("Wang", OTHER.replace(TOWN, "990102002")),
    ):
        with pytest.raises(ZonghengError) as refused:
            await begin(folder, by, "because", lambda: 7, log_id)
        assert refused.value.code == "bad_request"
    store = await Store.open(str(folder / settings.store))
    async with store.write() as session:
        await session.links.put(OFFERED, OTHER.encode())
        await session.rollups.upsert([row(size, 1)])
    await store.close()
    before = (folder / config.SETTINGS_FILE).read_bytes()
    begun = await begin(folder, "Wang", "the county decided", lambda: 7)
    assert (begun.log_id, begun.previous, begun.journal_size) == (OTHER, settings.log_id, size)
    (folder / config.SETTINGS_FILE).write_bytes(before)  # killed before they were written
    assert await begin(folder, "Wang", "the county decided", lambda: 8) == begun
    with pytest.raises(ZonghengError):
        await begin(folder, "Wang", "once more", lambda: 9)
    async with Node.opened(folder) as node:
        assert node.writer.log_id == OTHER
        assert (await own_leaves(node.store))[:size] == leaves
        await node.telling.look_again()
        told = [Entry.FromString(leaf) for leaf in (await own_leaves(node.store))[size:]]
        (renewed,) = [one.log_renewed for one in told if one.HasField("log_renewed")]
        assert (renewed.verifier, renewed.by) == (verifier, "Wang")
        assert (
            open_note(
                renewed.previous,
                [Signer.from_bytes(settings.log_id, (folder / "keys" / "journal.key").read_bytes()).verifier],
            ).size
            == size
        )
        assert open_note(node.writer.note, [node.signer.verifier]).origin == OTHER
        async with node.store.read() as session:
            assert await session.rollups.version(TOWN) >= EPOCH + size


async def own_leaves(store: Store) -> list[bytes]:
    async with store.read() as session:
        head = await session.journal.own()
        assert head is not None
        return await session.journal.leaves(head.origin, 0, head.size)
