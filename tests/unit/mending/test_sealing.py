"""The high-water mark, the seal it puts on, and what opens it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from zongheng.v1.entry_pb2 import Entry, PersonErased

from federation.errors import ZonghengError, of
from node.mending.sealing import RESTORED, Seal
from node.store.errors import StoreSealed
from node.store.highwater import FILE, HighWater, Mark
from tests.unit.projection.units import VILLAGE, Unit

Make = Callable[..., Awaitable[Unit]]

MARK = Mark("zongheng/sha256-ed25519/990102001001/3f9a2c1d", 17, bytes(range(32)))


def word() -> Entry:
    return Entry(person_erased=PersonErased(handle="h", by="S1", reason="asked"))


def test_a_mark_reads_as_it_was_written(tmp_path: Path) -> None:
    high_water = HighWater(tmp_path)
    assert high_water.read() is None
    for size in (1, 10**12, 5):
        high_water.reach(Mark(MARK.log_id, size, MARK.root))
        assert HighWater(tmp_path).read() == Mark(MARK.log_id, size, MARK.root)
    high_water.close()


@pytest.mark.parametrize(
    "spoilt", [b"", b"x", MARK.to_line()[:-1], MARK.to_line() + b"x", MARK.to_line().replace(b"17", b"1x")]
)
def test_a_mark_that_cannot_be_read_is_none(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / FILE).write_bytes(spoilt)
    assert HighWater(tmp_path).read() is None


async def test_the_mark_follows_every_commit(unit: Make, tmp_path: Path) -> None:
    village = await unit(VILLAGE)
    for _ in range(3):
        await village.told(word())
        mark = HighWater(tmp_path / VILLAGE).read()
        assert mark is not None
        assert mark.size == village.node.writer.size


def look(village: Unit, folder: Path) -> Seal:
    node = village.node
    return Seal(folder, node.store, node.writer, HighWater(folder), node.now)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda mark: Mark(mark.log_id, mark.size + 9, mark.root), "once had"),
        (lambda mark: Mark(mark.log_id, mark.size, bytes(32)), "others than this node once entered"),
    ],
)
async def test_a_mark_that_disagrees_seals_the_journal(
    unit: Make, tmp_path: Path, change: Callable[[Mark], Mark], words: str
) -> None:
    village, folder = await unit(VILLAGE), tmp_path / VILLAGE
    mark = HighWater(folder).read()
    assert mark is not None
    HighWater(folder).replace(change(mark))
    seal = look(village, folder)
    await seal.look()
    assert words in village.node.writer.sealed
    with pytest.raises(StoreSealed) as refused:
        await village.told(word())
    assert of(refused.value).code == "sealed"
    assert "zongheng status" in str(refused.value)
    # It is stored: another look finds it, whatever the mark says meanwhile.
    HighWater(folder).replace(mark)
    village.node.writer.unseal()
    await look(village, folder).look()
    assert words in village.node.writer.sealed


async def test_an_older_mark_of_the_same_history_means_nothing(unit: Make, tmp_path: Path) -> None:
    village, folder = await unit(VILLAGE), tmp_path / VILLAGE
    mark = HighWater(folder).read()
    assert mark is not None
    await village.told(word())
    HighWater(folder).replace(mark)
    await look(village, folder).look()
    assert not village.node.writer.sealed


async def test_only_a_node_without_a_parent_is_opened_by_hand_and_with_a_reason(
    unit: Make, tmp_path: Path
) -> None:
    village, folder = await unit(VILLAGE), tmp_path / VILLAGE
    (folder / RESTORED).write_text("new box")
    seal = look(village, folder)
    await seal.look()
    assert not (folder / RESTORED).exists()
    size = village.node.writer.size
    for by, reason, has_parent in (("Li", "because", True), ("", "because", False), ("Li", " ", False)):
        with pytest.raises(ZonghengError) as refused:
            await seal.open_by_hand(by, reason, has_parent)
        assert refused.value.code == "bad_request"
    assert await seal.open_by_hand("Li", "because", False) == size + 1
    (entry,) = await village.entries("journal_unsealed")
    assert (entry.journal_unsealed.by, entry.journal_unsealed.reason) == ("Li", "because")
    assert "new box" in entry.journal_unsealed.sealed
    await village.told(word())
    with pytest.raises(ZonghengError):
        await seal.open_by_hand("Li", "again", False)


async def test_what_waits_to_be_appended_is_refused_when_the_seal_comes(unit: Make) -> None:
    village = await unit(VILLAGE)
    village.node.writer.hold()
    refused: list[StoreSealed] = []

    async def tell() -> None:
        try:
            await village.told(word())
        except StoreSealed as error:
            refused.append(error)

    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(tell()) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        await village.node.writer.seal("behind")
        village.node.writer.release()
    assert len(refused) == 3


async def test_what_is_found_out_about_children_under_seal_is_entered_when_it_is_off(unit: Make) -> None:
    village = await unit(VILLAGE)
    children = village.node.children
    await village.node.writer.seal("restored")
    for _ in range(2):
        await children.child_restored("990102001002", 3, 9, "note")
    village.node.writer.unseal()
    assert await village.entries("child_restored") == []
    for _ in range(2):
        await village.node.telling.look_again()
        await children.child_restored("990102001002", 3, 9, "note")
    assert len(await village.entries("child_restored")) == 1
