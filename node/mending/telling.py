"""What the link found, entered in the own journal exactly once, also while that journal takes no entry.

A parent that was restored is sealed itself while its children come back; what it finds out about them meanwhile waits on disk, and is entered
when the seal is off. Killed anywhere, it is entered once, by the guard of its serial.
"""

from typing import Final

from zongheng.v1.entry_pb2 import Entry

from node.store.drafts import Beside, Draft
from node.store.errors import StoreSealed
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.wallclock import Now

SOURCE: Final = "mending"
"""Source of the entries that say so."""

_WAITING: Final = "mending.waiting/"


class Telling:
    """Enters what was found."""

    def __init__(self, store: Store, writer: JournalWriter, now: Now) -> None:
        self._store = store
        self._writer = writer
        self._now = now

    @property
    def node(self) -> str:
        """Whose journal it is."""
        return self._writer.node

    async def tell(self, serial: str, entry: Entry, beside: Beside | None = None) -> None:
        """Enter it, now or later; with ``beside`` in the transaction that keeps it. The same serial again changes nothing."""
        entry.noted_at_us, entry.source, entry.serial = self._now(), SOURCE, serial
        if self._writer.accepts:
            try:
                await self._writer.append([Draft.of(entry)], beside)
            except StoreSealed:
                pass  # sealed a moment ago
            else:
                return
        async with self._store.write() as session:
            if beside is not None:
                await beside(session)
            await keep_waiting(session, serial, entry)

    async def look_again(self) -> None:
        """Enter what waits, if the journal takes it now."""
        if not self._writer.accepts:
            return
        async with self._store.read() as session:
            names = await session.links.names(_WAITING)
            waiting = [(name, await session.links.get(name) or b"") for name in names]

        async def forget(session: Session) -> None:
            for name in names:
                await session.links.delete(name)

        if waiting:
            await self._writer.append([Draft.of(Entry.FromString(body)) for _, body in waiting], forget)


async def keep_waiting(session: Session, serial: str, entry: Entry) -> None:
    """Let an entry wait until the journal takes it."""
    entry.source, entry.serial = SOURCE, serial
    await session.links.put(_WAITING + serial, entry.SerializeToString())
