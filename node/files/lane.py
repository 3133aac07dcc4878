"""The node's ends of the files lane: `OwnFiles` sends what is to go up, `ChildFiles` takes what comes from below.

What goes up is read from the store each time, so a restart goes on where it was. A refusal that may pass is tried again later; one that cannot (the
bytes are not what the entry names) is written down and shows.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from zongheng.v1.files_pb2 import FILE_PURPOSE_BACKUP

from federation.errors import ZonghengError
from federation.files.ports import Offer
from node.files.carrying import Carrying
from node.files.room import Room
from node.files.shelf import Shelf
from node.store.files import HELD, SENT, SHED, STAYS, WAITING, FileRow
from node.store.store import Store
from node.wallclock import Now

log = structlog.get_logger()

KEPT_BACKUPS: Final = 3
"""Newest backups that a parent keeps of one child."""

_AGAIN_S: Final = 60.0
_UNKNOWN_YET_MS: Final = 1_000
_NOBODYS_MS: Final = 3_600_000
_HOPELESS: Final = {"changed", "bad_request", "protocol"}
"""Refusals that trying again does not cure."""

_UNNAMEABLE: Final = re.compile(r"[^0-9A-Za-z.]")


class OwnFiles:
    """What this node has for its parent (``federation.files.ports.FileSource``)."""

    def __init__(self, store: Store, shelf: Shelf, now: Now) -> None:
        self._store = store
        self._shelf = shelf
        self._now = now
        self._bell = asyncio.Event()
        self._resting: dict[tuple[str, str], float] = {}
        """Files that were refused, until when on the event loop's clock."""
        self.ask_below: Callable[[FileRow], None] = lambda row: None
        """Asks for a file that passed here and was shed."""

    def ring(self) -> None:
        """There may be something to send."""
        self._bell.set()

    async def next(self) -> Offer:
        loop = asyncio.get_running_loop()
        while True:
            self._bell.clear()
            async with self._store.read() as session:
                waiting = await session.files.waiting()
            now_s = loop.time()
            self._resting = {key: until for key, until in self._resting.items() if until > now_s}
            for row in waiting:
                if (row.origin, row.sha256) not in self._resting:
                    return Offer(row.origin, row.sha256, row.size)
            try:
                async with asyncio.timeout_at(min(self._resting.values(), default=None)):
                    await self._bell.wait()
            except TimeoutError:
                pass

    async def read(self, sha256: str, offset: int, count: int) -> bytes:
        content = await asyncio.to_thread(self._shelf.read, sha256, offset, count)
        if len(content) != count:
            raise ZonghengError("changed", f"the file {sha256} is shorter on the disk than its entry says")
        return content

    async def stored(self, offer: Offer) -> None:
        async with self._store.write() as session:
            row = await session.files.get(offer.origin, offer.sha256)
            await session.files.rise(offer.origin, offer.sha256, SENT)
            done = row is not None and row.purpose == FILE_PURPOSE_BACKUP and not row.via
            if done:
                await session.files.settle(
                    offer.origin, offer.sha256, SHED, self._now(), "the parent keeps it"
                )
        if done:
            await asyncio.to_thread(self._shelf.drop, offer.sha256)

    async def refused(self, offer: Offer, code: str, words: str, retry_after_ms: int) -> None:
        hopeless = code in _HOPELESS
        wait_s = max(retry_after_ms / 1_000, 0.1) if retry_after_ms else _AGAIN_S
        self._resting[offer.origin, offer.sha256] = asyncio.get_running_loop().time() + wait_s
        if code == "not_found" and retry_after_ms:
            return  # its entry is at the parent and not read yet
        async with self._store.write() as session:
            up = STAYS if hopeless else WAITING
            await session.files.rise(offer.origin, offer.sha256, up, f"the parent does not take it: {words}")

    async def wanted(self, origin: str, sha256: str) -> None:
        async with self._store.write() as session:
            row = await session.files.get(origin, sha256)
            if row is None:
                return
            await session.files.rise(origin, sha256, WAITING)
        if row.state == HELD:
            self.ring()
        elif row.via:
            self.ask_below(row)


class ChildFiles:
    """What children send (``federation.files.ports.FileSink``)."""

    def __init__(
        self,
        store: Store,
        shelf: Shelf,
        room: Room,
        carrying: Carrying,
        now: Now,
        arrived: Callable[[], None],
    ) -> None:
        """``arrived`` is called when a file has come."""
        self._carrying = carrying
        self._store = store
        self._shelf = shelf
        self._room = room
        self._now = now
        self._arrived = arrived
        self._asked: list[tuple[str, Offer]] = []
        self._asking = asyncio.Event()

    def ask(self, row: FileRow) -> None:
        """Ask the child it came through for a file once more, now or when the child connects."""
        self._asked.append((row.via, Offer(row.origin, row.sha256, row.size)))
        self._asking.set()

    async def offered(self, child: str, offer: Offer) -> int | None:
        async with self._store.read() as session:
            row = await session.files.get(offer.origin, offer.sha256)
        if row is None or row.via != child:
            raise ZonghengError(
                "not_found",
                f"no entry that came through {child} names {offer.sha256} of {offer.origin}",
                retry_after_ms=_UNKNOWN_YET_MS,
            )
        if row.size != offer.size:
            raise ZonghengError(
                "bad_request", f"{offer.sha256} has {offer.size} bytes, and its entry says {row.size}"
            )
        if row.state == HELD:
            return None
        if words := self._carrying.dead_end(row.reader):
            raise ZonghengError("unknown_node", words, retry_after_ms=_NOBODYS_MS)
        if row.state == SHED and row.purpose == FILE_PURPOSE_BACKUP:
            return None  # a newer one took its place
        if await asyncio.to_thread(self._shelf.has, offer.sha256):
            await self._hold(row)
            return None
        held = await asyncio.to_thread(self._shelf.part_size, _part(child, offer))
        await self._room.make(max(0, offer.size - held))
        return held

    async def write(self, child: str, offer: Offer, content: bytes) -> int:
        return await asyncio.to_thread(self._shelf.extend, _part(child, offer), content)

    async def verify(self, child: str, offer: Offer) -> bool:
        if not await asyncio.to_thread(self._shelf.keep, _part(child, offer), offer.sha256):
            return False
        async with self._store.read() as session:
            row = await session.files.get(offer.origin, offer.sha256)
        if row is not None:
            await self._hold(row)
        return True

    async def forget(self, child: str, offer: Offer) -> None:
        await asyncio.to_thread(self._shelf.forget, _part(child, offer))

    async def again(self, child: str, known: int) -> tuple[int, list[Offer]]:
        while True:
            fresh = [offer for via, offer in self._asked[known:] if via == child]
            if fresh:
                return len(self._asked), fresh
            known = len(self._asked)
            self._asking.clear()
            await self._asking.wait()

    async def backup(self, child: str, sha256: str) -> Offer:
        async with self._store.read() as session:
            kept = await session.files.backups(child, FILE_PURPOSE_BACKUP)
        for row in kept:
            if sha256 in ("", row.sha256):
                return Offer(row.origin, row.sha256, row.size)
        raise ZonghengError("not_found", f"no backup of {child} is kept here")

    async def read(self, sha256: str, offset: int, count: int) -> bytes:
        return await asyncio.to_thread(self._shelf.read, sha256, offset, count)

    async def _hold(self, row: FileRow) -> None:
        """The bytes are here: say so, and let a backup take the place of the oldest."""
        superseded: Sequence[FileRow] = ()
        async with self._store.write() as session:
            await session.files.hold(row.sha256, self._now())
            if row.purpose == FILE_PURPOSE_BACKUP and row.up == STAYS:
                superseded = (await session.files.backups(row.origin, row.purpose))[KEPT_BACKUPS:]
                for old in superseded:
                    await session.files.settle(
                        old.origin, old.sha256, SHED, self._now(), "newer backups took its place"
                    )
        for old in superseded:
            await asyncio.to_thread(self._shelf.drop, old.sha256)
        log.info("file.arrived", origin=row.origin, sha256=row.sha256, size=row.size)
        self._arrived()


def _part(child: str, offer: Offer) -> str:
    """Each child has its own part of a file: two that send the same one do not write into each other's."""
    return f"{offer.sha256}.{_UNNAMEABLE.sub('_', child)}"
