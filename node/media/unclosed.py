"""Viewings that are open, on disk, so that one that the node's death interrupted is closed in the journal by whoever comes after.

A viewing is kept before it is entered as opened and dropped after it was entered as closed. So whatever is kept at a start was interrupted, save for one that was
never opened or is closed already, where death came between the two: then the journal says once more that it is closed.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from zongheng.v1.camera_pb2 import CameraClosed

from node.store.store import Store

_PREFIX: Final = "viewing/"


class Unclosed(Protocol):
    """What outlives the process of who looks."""

    async def keep(self, closed: CameraClosed) -> None:
        """What is to be entered when nobody else says how it ended."""
        ...

    async def drop(self, viewings: Sequence[str]) -> None: ...

    async def kept(self) -> Sequence[CameraClosed]: ...


class UnclosedInMemory:
    """Outlives nothing."""

    def __init__(self) -> None:
        self._kept: dict[str, CameraClosed] = {}

    async def keep(self, closed: CameraClosed) -> None:
        self._kept[closed.viewing] = closed

    async def drop(self, viewings: Sequence[str]) -> None:
        for viewing in viewings:
            self._kept.pop(viewing, None)

    async def kept(self) -> Sequence[CameraClosed]:
        return list(self._kept.values())


class UnclosedOnDisk:
    """In the node's store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, closed: CameraClosed) -> None:
        async with self._store.write() as session:
            await session.links.put(_PREFIX + closed.viewing, closed.SerializeToString())

    async def drop(self, viewings: Sequence[str]) -> None:
        async with self._store.write() as session:
            for viewing in viewings:
                await session.links.delete(_PREFIX + viewing)

    async def kept(self) -> Sequence[CameraClosed]:
        async with self._store.read() as session:
            names = await session.links.names(_PREFIX)
            return [CameraClosed.FromString(await session.links.get(name) or b"") for name in names]
