"""A backup holds what a journal does not give back, and only its key opens it; on SQLite and on PostgreSQL."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node import config
from node.backup import recovery
from node.backup.recovery import RecoveryKey
from node.backup.restoring import RESTORED, Restoring
from node.models.forms import AgencyForm, OfficerForm
from node.models.registry import Edition, Registry
from node.run import Node
from node.store.store import Store
from node.store.vault import Person, Vault

NODE = "330101001001"
PERSONS = [Person(f"张{number}", f"3301011990010{number:05d}") for number in range(50)]
KEY = RecoveryKey.new()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> str | None:
    """Where the node's store is; None: in its folder."""
    return None if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


def made(folder: Path, place: str | None) -> Path:
    config.initialise(
        folder,
        tier="village",
        name="村",
        division=NODE,
        grpc=None,
        http=None,
        store=place,
        calendar="weekdays",
    )
    recovery.keep(folder, KEY.public)
    return folder


@asynccontextmanager
async def lived(folder: Path) -> AsyncIterator[tuple[Node, list[str]]]:
    """A node that has persons, people and entries; with the persons' handles."""
    async with Node.opened(folder) as node:
        async with node.store.write() as session:
            handles = await node.vault.handles(session.vault, PERSONS)
            await session.links.put("kept", b"state of the link")
            await session.links.put("report.sent", b"{}")
        registry = await node.registry()
        agency = AgencyForm(code="CWH", name="村委会")
        await registry.enter(
            Edition([agency], [OfficerForm(number="1001", name="李四", agency="CWH")]), "1001", node.now()
        )
        await node.write_entries([Entry(source="t", serial=str(number)) for number in range(1_234)])
        yield node, handles


async def sealed(node: Node, to: Path, *, with_journal: bool) -> Path:
    taken = await node.backups.take(with_journal=with_journal)
    (node.folder / "files" / "parts" / taken.part).rename(to)
    return to


async def leaves(store: Store) -> list[bytes]:
    async with store.read() as session:
        return await session.journal.leaves(NODE, 0, 1 << 40)


async def persons(folder: Path, store: Store, handles: list[str]) -> list[Person | None]:
    vault = Vault(config.vault_key(folder))
    async with store.read() as session:
        return [await vault.person(session.vault, handle) for handle in handles]


async def test_a_node_comes_back_from_a_file(tmp_path: Path, place: str | None) -> None:
    old = made(tmp_path / "old", place)
    async with lived(old) as (node, handles):
        backup = await sealed(node, tmp_path / "backup", with_journal=True)
        before, size = await leaves(node.store), node.writer.size
    new = tmp_path / "new"
    head = await Restoring(new, KEY, {"grpc": "127.0.0.1:7999"}).restore(backup)
    assert (head.node, head.journal_size, head.with_journal) == (NODE, size, True)
    settings = config.load(new)
    assert (settings.grpc, settings.name) == ("127.0.0.1:7999", "村")
    assert (new / RESTORED).exists()
    store = await Store.open(settings.store if place else str(new / settings.store))
    try:
        assert await leaves(store) == before
        assert await persons(new, store, handles) == list(PERSONS)
        async with store.read() as session:
            assert await session.links.get("kept") == b"state of the link"
            assert await session.links.get("report.sent") is None
            own = await session.journal.own()
            assert own is not None
            assert own.verifier == str(config.journal_signer(new, settings).verifier)
    finally:
        await store.close()
    async with Registry.open(new, settings.store) as registry:
        assert [officer.name for officer in await registry.officers()] == ["李四"]
    for name in ("tls.key", "authority.key", "journal.key"):
        theirs, ours = old / "keys" / name, new / "keys" / name
        assert not ours.exists() or ours.read_bytes() != theirs.read_bytes()
    assert [path.suffix for path in (new / "keys" / "sealing").iterdir()] == [".key"]


async def test_one_for_the_parent_is_without_the_journal(tmp_path: Path) -> None:
    old = made(tmp_path / "old", None)
    async with lived(old) as (node, handles):
        backup = await sealed(node, tmp_path / "backup", with_journal=False)
    new = tmp_path / "new"
    head = await Restoring(new, KEY, {}).restore(backup)
    assert not head.with_journal
    assert head.journal_size > 1_234
    store = await Store.open(str(new / "store.sqlite"))
    try:
        assert await leaves(store) == []
        assert await persons(new, store, handles) == list(PERSONS)
    finally:
        await store.close()


async def test_nobody_reads_it_without_the_key(tmp_path: Path) -> None:
    old = made(tmp_path / "old", None)
    async with lived(old) as (node, _):
        backup = await sealed(node, tmp_path / "backup", with_journal=True)
    content = backup.read_bytes()
    for secret in (config.vault_key(old), "村".encode(), b"vault", KEY.secret):
        assert secret not in content
    new = tmp_path / "new"
    with pytest.raises(ZonghengError, match="not the recovery key"):
        await Restoring(new, RecoveryKey.new(), {}).restore(backup)
    assert not (new / config.SETTINGS_FILE).exists()


async def test_a_backup_that_is_cut_or_altered_brings_nothing_back_and_can_be_repeated(
    tmp_path: Path,
) -> None:
    old = made(tmp_path / "old", None)
    async with lived(old) as (node, handles):
        backup = await sealed(node, tmp_path / "backup", with_journal=True)
    content, new = backup.read_bytes(), tmp_path / "new"
    new.mkdir()
    dice = random.Random(5)
    for _ in range(12):
        spoilt = bytearray(content[: dice.randrange(len(content))])
        if dice.random() < 0.5:
            spoilt = bytearray(content)
            spoilt[dice.randrange(len(content))] ^= 1
        damaged = tmp_path / "damaged"
        damaged.write_bytes(spoilt)
        with pytest.raises(ZonghengError) as refused:
            await Restoring(new, KEY, {}).restore(damaged)
        assert refused.value.code == "cannot_open"
        assert not (new / config.SETTINGS_FILE).exists()
    await Restoring(new, KEY, {}).restore(backup)
    store = await Store.open(str(new / "store.sqlite"))
    try:
        assert await persons(new, store, handles) == list(PERSONS)
    finally:
        await store.close()
    with pytest.raises(ZonghengError, match="already holds a node"):
        await Restoring(new, KEY, {}).restore(backup)


async def test_a_node_without_a_recovery_key_says_so(tmp_path: Path) -> None:
    folder = made(tmp_path / "old", None)
    (folder / "keys" / "recovery.pub").unlink()
    async with Node.opened(folder) as node:
        with pytest.raises(ZonghengError) as refused:
            await node.backups.take(with_journal=True)
        assert refused.value.code == "no_recovery_key"
