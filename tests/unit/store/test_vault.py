"""The vault: persons and texts sealed, found again, and forgotten."""

from hashlib import sha256

import pytest

from node.store.errors import StoreDamaged
from node.store.sealing import Sealer
from node.store.store import Store
from node.store.vault import Person, Vault

KEY = bytes(range(32))
LI = Person("李四", "110101199001011237")
WANG = Person("王五", "110101198005054321")


@pytest.fixture
def vault() -> Vault:
    return Vault(KEY)


async def test_a_person_keeps_one_handle(store: Store, vault: Vault) -> None:
    async with store.write() as session:
        first = await vault.handles(session.vault, [LI, WANG, LI])
    assert first[0] == first[2] != first[1]
    assert all(handle.startswith("p-") and len(handle) == 22 for handle in first)
    async with store.write() as session:
        assert await Vault(KEY).handles(session.vault, [WANG, LI]) == [first[1], first[0]]
        assert await vault.find(session.vault, LI) == first[0]
        assert await vault.find(session.vault, Person("李四", "2")) is None
        assert await vault.person(session.vault, first[1]) == WANG
        assert await vault.person(session.vault, "p-none") is None


async def test_handles_say_nothing_about_the_person(store: Store) -> None:
    async with store.write() as session:
        one = await Vault(KEY).handles(session.vault, [LI])
        await session.transaction.run("DELETE FROM vault")
        assert await Vault(KEY).handles(session.vault, [LI]) != one


async def test_name_and_number_do_not_run_into_each_other(store: Store, vault: Vault) -> None:
    async with store.write() as session:
        handles = await vault.handles(
            session.vault, [Person("ab", "c"), Person("a", "bc"), Person("a|b", "c")]
        )
    assert len(set(handles)) == 3


async def test_an_erased_person_is_gone_and_comes_back_as_a_stranger(store: Store, vault: Vault) -> None:
    async with store.write() as session:
        handles = await vault.handles(session.vault, [LI, WANG])
    vault.learn([LI, WANG], handles)
    assert vault.known([LI, WANG]) == handles
    async with store.write() as session:
        assert await vault.erase(session.vault, handles[0])
        assert not await vault.erase(session.vault, handles[0])
    assert vault.known([LI]) is None
    assert vault.known([WANG]) == handles[1:]
    async with store.write() as session:
        assert await vault.person(session.vault, handles[0]) is None
        assert await vault.handles(session.vault, [LI]) != handles[:1]


async def test_a_text_leaves_a_salted_digest(store: Store, vault: Vault) -> None:
    async with store.write() as session:
        digests = await vault.digests(session.vault, ["材料不全", "材料不全", ""])
        assert len(set(digests)) == 3
        assert [await vault.text(session.vault, digest) for digest in digests] == ["材料不全", "材料不全", ""]
        salt = await vault.salt(session.vault, digests[0])
        assert salt is not None
        assert digests[0] == "sha256:" + sha256(salt + "材料不全".encode()).hexdigest()
        assert await session.vault.erase_text(digests[0])
        assert await vault.text(session.vault, digests[0]) is None
        assert await vault.text(session.vault, digests[1]) == "材料不全"


async def test_without_the_key_the_rows_say_nothing(store: Store, vault: Vault) -> None:
    async with store.write() as session:
        (handle,) = await vault.handles(session.vault, [LI])
        (digest,) = await vault.digests(session.vault, ["材料不全"])
        rows = [
            *await session.transaction.all("SELECT handle, lookup, sealed FROM vault"),
            *await session.transaction.all("SELECT digest, sealed FROM vault_text"),
        ]
    bytes_of_rows = b"".join(v if isinstance(v, bytes) else v.encode() for row in rows for v in row)
    for secret in (LI.name, LI.id_number, "材料不全"):
        assert secret.encode() not in bytes_of_rows
    stranger = Vault(bytes(32))
    async with store.write() as session:
        assert await stranger.find(session.vault, LI) is None
        with pytest.raises(StoreDamaged, match="key"):
            await stranger.person(session.vault, handle)
        with pytest.raises(StoreDamaged):
            await stranger.text(session.vault, digest)


async def test_rows_cannot_be_swapped(store: Store, vault: Vault) -> None:
    async with store.write() as session:
        li, wang = await vault.handles(session.vault, [LI, WANG])
        sealed = await session.vault.get(li)
        await session.transaction.run("UPDATE vault SET sealed = ? WHERE handle = ?", sealed, wang)
        with pytest.raises(StoreDamaged):
            await vault.person(session.vault, wang)
        assert await vault.person(session.vault, li) == LI


def test_a_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")


def test_a_cut_value_does_not_open() -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(b"plain", "here")
    assert sealer.open(sealed, "here") == b"plain"
    for broken in (b"", sealed[:5], sealed[:-1], sealed + b"x"):
        with pytest.raises(StoreDamaged):
            sealer.open(broken, "here")
