"""From entries that carry something to rows: which files to expect and to pass on, what to open, what to show at the portal.

Written in the transaction that reads the entries, so that none is missed. A file that an entry names is expected from then on: one that never
comes shows as absent. Nothing here reads a file or a key.
"""

from collections.abc import Callable

from zongheng.v1.files_pb2 import FILE_PURPOSE_DISCLOSURE

from node.files.carried import PORTAL, Carried, NamedFile, SealedText
from node.files.shelf import Shelf
from node.store.disclosures import DisclosureRow
from node.store.files import ABSENT, HELD, STAYS, WAITING, FileRow
from node.store.sealed import SealedRow
from node.store.store import Session
from node.tree import Tree
from node.wallclock import Now

_MOST_BYTES = 2**62


class Carrying:
    """Enters what the journals of one node carry."""

    def __init__(
        self, shelf: Shelf, tree: Tree, now: Now, *, is_portal: bool, has_parent: Callable[[], bool]
    ) -> None:
        self._shelf = shelf
        self._tree = tree
        self._node = tree.own.node
        self._now = now
        self._is_portal = is_portal
        self._has_parent = has_parent
        self._listeners: list[Callable[[], None]] = []

    async def open(self, session: Session) -> None:
        """Call once before anything else: whether this node is the portal may have changed since it last ran."""
        await session.files.readdress(PORTAL, STAYS if self._is_portal else WAITING)

    def listen(self, told: Callable[[], None]) -> None:
        """Call this whenever something was entered."""
        self._listeners.append(told)

    async def write(self, session: Session, carried: Carried) -> None:
        """Enter it, in the transaction that moves the cursor on."""
        if carried.files:
            await session.files.name([self._file(named) for named in carried.files if _is_sound(named)])
        if carried.sealed:
            await session.sealed.put(
                [_sealed(text) for text in carried.sealed if text.sealed.to == self._node]
            )
        if carried.disclosures:
            await session.disclosures.put(
                [
                    DisclosureRow(
                        one.origin,
                        one.idx,
                        one.own_idx,
                        one.disclosure.published_at_us,
                        one.disclosure.SerializeToString(),
                    )
                    for one in carried.disclosures
                    if one.own_idx >= 0
                ]
            )

    def written(self, carried: Carried) -> None:
        """The transaction has committed."""
        if carried.files or carried.sealed or carried.disclosures:
            for told in self._listeners:
                told()

    def is_final(self, reader: str) -> bool:
        """Whether a file for this reader has arrived when it is here."""
        return reader == self._node or (reader == PORTAL and self._is_portal)

    def dead_end(self, reader: str) -> str:
        """Why a file for this reader goes no further than here without having arrived; empty: it goes on, or has arrived."""
        if self.is_final(reader) or self._has_parent():
            return ""
        return f"there is nobody above {self._node}, and it is not the file's reader, {reader}"

    def _file(self, named: NamedFile) -> FileRow:
        file = named.file
        own = named.origin == self._node
        return FileRow(
            origin=named.origin,
            sha256=file.sha256,
            idx=named.idx,
            via="" if own else self._tree.route(named.origin) or named.origin,
            size=file.size,
            media_type=file.media_type,
            name=file.name if file.purpose == FILE_PURPOSE_DISCLOSURE else "",
            reader=file.reader,
            purpose=file.purpose,
            state=HELD if self._shelf.has(file.sha256) else ABSENT,
            up=STAYS if self.is_final(file.reader) else WAITING,
            since_us=self._now(),
        )


def _sealed(text: SealedText) -> SealedRow:
    return SealedRow(
        text.origin, text.idx, text.sealed.reader_key, text.sealed.SerializeToString(), text.at_us
    )


def _is_sound(named: NamedFile) -> bool:
    """Whether what an entry says can be a file; the journal of somebody else may hold anything."""
    digest = named.file.sha256
    return len(digest) == 64 and not set(digest) - set("0123456789abcdef") and named.file.size < _MOST_BYTES
