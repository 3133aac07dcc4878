"""How much of the disk files may take, and what goes when it is too much.

The journal comes first: files have a budget, and leave the disk a reserve besides. What is shed are files of nodes below that are only passing and
that the parent has already, the oldest first; they can be asked for again from below. Files that this node is the reader of, its own, and
those that are still to go up are never shed: when there is nothing to shed, a new file is refused and stays where it is.
"""

import asyncio

import structlog

from federation.errors import ZonghengError
from node.files.shelf import Shelf
from node.store.files import SHED
from node.store.store import Store
from node.wallclock import Now

log = structlog.get_logger()

_RETRY_MS = 600_000


class Room:
    """The disk budget of one node's files."""

    def __init__(self, store: Store, shelf: Shelf, now: Now, budget: int, reserve: int) -> None:
        """Both in bytes: what files may take together, and what stays free of the disk."""
        self._store = store
        self._shelf = shelf
        self._now = now
        self._budget = budget
        self._reserve = reserve
        self._turn = asyncio.Lock()

    async def make(self, size: int) -> None:
        """Make room for so many bytes more. Raises ``ZonghengError`` ``disk_full`` when there is none to make."""
        async with self._turn:
            missing = await self._missing(size)
            if missing > 0:
                missing -= await self._shed(missing)
        if missing > 0:
            raise ZonghengError(
                "disk_full",
                f"files may take {self._budget // 1_000_000} MB here and leave {self._reserve // 1_000_000} MB of the disk free,"
                f" and {size} bytes more do not fit: raise files_budget_mb or free space",
                retry_after_ms=_RETRY_MS,
            )

    async def tidy(self) -> None:
        """Shed what is over, for instance because the journal grew into the reserve."""
        async with self._turn:
            missing = await self._missing(0)
            if missing > 0:
                await self._shed(missing)

    async def _missing(self, size: int) -> int:
        used, free = await asyncio.to_thread(lambda: (self._shelf.used(), self._shelf.free()))
        return size + max(used - self._budget, self._reserve - free)

    async def _shed(self, wanted: int) -> int:
        """Shed relayed files until so many bytes are free; returns how many are."""
        async with self._store.read() as session:
            relayed = await session.files.relayed()
        freed = 0
        for row in relayed:
            if freed >= wanted:
                break
            async with self._store.write() as session:
                words = "shed to make room; the parent has it, and it can be asked for again from below"
                await session.files.settle(row.origin, row.sha256, SHED, self._now(), words)
                needed = await session.files.is_held(row.sha256)
            if not needed:
                await asyncio.to_thread(self._shelf.drop, row.sha256)
                freed += row.size
            log.info("file.shed", origin=row.origin, sha256=row.sha256, size=row.size)
        return freed
