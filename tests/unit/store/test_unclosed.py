"""Viewings that are open are still known to whoever opens the store again."""

from zongheng.v1.camera_pb2 import CameraClosed, Viewer

from node.media.unclosed import Unclosed, UnclosedInMemory, UnclosedOnDisk
from node.store.store import Store


async def _holds(unclosed: Unclosed) -> None:
    one = CameraClosed(
        viewing="9901-a", stream="9901/hall/main", viewer=Viewer(who="L-1"), code="interrupted"
    )
    two = CameraClosed(viewing="9901-b", stream="9901/hall/main", hop=1)
    await unclosed.keep(one)
    await unclosed.keep(two)
    await unclosed.keep(one)
    assert sorted(await unclosed.kept(), key=lambda each: each.viewing) == [one, two]
    await unclosed.drop(["9901-b", "9901-c"])
    assert list(await unclosed.kept()) == [one]
    await unclosed.drop([])


async def test_open_viewings_are_kept_in_the_store(store: Store) -> None:
    await _holds(UnclosedOnDisk(store))
    assert [one.viewing for one in await UnclosedOnDisk(store).kept()] == ["9901-a"]


async def test_the_twin_in_memory_holds_the_same() -> None:
    await _holds(UnclosedInMemory())
