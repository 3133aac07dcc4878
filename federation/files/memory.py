"""The ports of the files lane kept in memory: the reference for a node's own ports, and the other side in tests."""

import asyncio
from hashlib import sha256

from federation.errors import ZonghengError
from federation.files.ports import Offer


class MemorySource:
    """A FileSource."""

    def __init__(self, node: str) -> None:
        self._node = node
        self.files: dict[str, bytes] = {}
        self.waiting: list[Offer] = []
        self.told: list[tuple[str, str]] = []
        """(sha256, code) of every refusal."""
        self._changed = asyncio.Event()

    def add(self, content: bytes) -> Offer:
        """A file that is to go up."""
        offer = Offer(self._node, sha256(content).hexdigest(), len(content))
        self.files[offer.sha256] = content
        self.waiting.append(offer)
        self._changed.set()
        return offer

    async def next(self) -> Offer:
        while not self.waiting:
            self._changed.clear()
            await self._changed.wait()
        return self.waiting[0]

    async def read(self, sha256: str, offset: int, count: int) -> bytes:
        if sha256 not in self.files:
            raise ZonghengError("not_found", f"the file {sha256} is gone")
        return self.files[sha256][offset : offset + count]

    async def stored(self, offer: Offer) -> None:
        self.waiting.remove(offer)

    async def refused(self, offer: Offer, code: str, words: str, retry_after_ms: int) -> None:
        self.told.append((offer.sha256, code))
        self.waiting.remove(offer)
        if retry_after_ms:
            self.waiting.append(offer)
            await asyncio.sleep(retry_after_ms / 1_000)

    async def wanted(self, origin: str, sha256: str) -> None:
        if sha256 in self.files:
            self.waiting.append(Offer(origin, sha256, len(self.files[sha256])))
            self._changed.set()


class MemorySink:
    """A FileSink. `named` are the files that some entry names; nothing else is taken."""

    def __init__(self, room: int = 1 << 40) -> None:
        self.named: set[Offer] = set()
        self.parts: dict[str, bytearray] = {}
        self.kept: dict[str, bytes] = {}
        self.room = room
        self._asked: list[Offer] = []
        self._changed = asyncio.Event()

    def ask_again(self, offer: Offer) -> None:
        """Shed it, and ask for it."""
        del self.kept[offer.sha256]
        self._asked.append(offer)
        self._changed.set()

    async def offered(self, child: str, offer: Offer) -> int | None:
        if offer not in self.named:
            raise ZonghengError("not_found", f"no entry names {offer.sha256}", retry_after_ms=50)
        if offer.sha256 in self.kept:
            return None
        return len(self.parts.setdefault(offer.sha256, bytearray()))

    async def write(self, child: str, offer: Offer, content: bytes) -> int:
        part = self.parts[offer.sha256]
        if len(part) + len(content) > self.room:
            raise ZonghengError("disk_full", "no room")
        part += content
        return len(part)

    async def verify(self, child: str, offer: Offer) -> bool:
        content = bytes(self.parts.get(offer.sha256, b""))
        if sha256(content).hexdigest() != offer.sha256:
            return False
        self.kept[offer.sha256] = content
        self.parts.pop(offer.sha256, None)
        return True

    async def forget(self, child: str, offer: Offer) -> None:
        self.parts.pop(offer.sha256, None)
        self.parts[offer.sha256] = bytearray()

    async def again(self, child: str, known: int) -> tuple[int, list[Offer]]:
        while len(self._asked) <= known:
            self._changed.clear()
            await self._changed.wait()
        return len(self._asked), self._asked[known:]

    async def backup(self, child: str, sha256: str) -> Offer:
        raise ZonghengError("not_found", f"no backup of {child} is kept here")

    async def read(self, sha256: str, offset: int, count: int) -> bytes:
        return self.kept[sha256][offset : offset + count]
