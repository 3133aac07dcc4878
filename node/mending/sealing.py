"""The seal on the own journal: who puts it there, and what opens it again.

A journal is sealed when it may not be what it was: the mark beside the database (`store.highwater`) says that there was more, somebody
put the folder back from a backup and said so (`RESTORED`), or the parent holds entries that are not here. While the seal is on nothing is
entered; reading goes on. It is stored, so that a node killed in between is sealed still.

The handshake opens it: once the parent and this node agree, nothing is missing that anybody holds. A node without a parent has nobody to
ask; there a person opens it, and gives a reason. Either is an entry (``JournalUnsealed``), in the transaction that takes the seal off.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.mending_pb2 import JournalUnsealed

from federation.errors import ZonghengError
from node.store.drafts import Draft
from node.store.highwater import HighWater, Mark
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

RESTORED: Final = "restored"
"""A file of this name in a node's folder says that the folder was put back from a backup: the next start seals the journal, then deletes
the file. Its text, if any, is the reason."""

_SEAL: Final = "journal.sealed"


@dataclass(frozen=True, slots=True)
class _Sealed:
    words: str
    known_size: int


class Seal:
    """The seal of one node's journal."""

    def __init__(
        self, folder: Path, store: Store, writer: JournalWriter, high_water: HighWater, now: Now
    ) -> None:
        self._restored = folder / RESTORED
        self._store = store
        self._writer = writer
        self._high_water = high_water
        self._now = now

    async def look(self) -> None:
        """At opening, before anything is entered: put the seal on where it was on, or has to be."""
        mark = self._high_water.read()
        async with self._store.read() as session:
            kept = await self._kept(session)
            head = await session.journal.own()
            size = head.size if head else 0
            root = None
            if mark is not None and mark.log_id == self._writer.log_id and mark.size <= size:
                root = await session.journal.reader(self._writer.node, size).root(mark.size)
        if kept is not None:
            await self._writer.seal(kept.words)
        elif self._restored.exists():
            reason = self._restored.read_text(encoding="utf-8", errors="replace").strip()
            words = "this folder was put back from a backup" + (f" ({reason})" if reason else "")
            await self.put_on(words, mark.size if mark else size)
        elif mark is not None and mark.log_id == self._writer.log_id and mark.size > size:
            await self.put_on(
                f"the journal once had {mark.size} entries and the database holds {size}: it was put back from a"
                " backup, or has lost some",
                mark.size,
            )
        elif mark is not None and mark.log_id == self._writer.log_id and root != mark.root:
            await self.put_on(
                f"the first {mark.size} entries in the database are others than this node once entered",
                mark.size,
            )
        elif mark is None or mark.log_id != self._writer.log_id:
            self._high_water.replace(await self._here())
        self._restored.unlink(missing_ok=True)

    async def put_on(self, words: str, known_size: int) -> None:
        """Seal the journal, durably; ``known_size`` is the largest size that it is known to have had."""
        async with self._store.write() as session:
            kept = await self._kept(session)
            known_size = max(known_size, kept.known_size if kept else 0)
            await session.links.put_json(_SEAL, {"words": words, "known_size": known_size})
        await self._writer.seal(words)
        log.error(
            "journal.sealed", reason=words, instruction="nothing is entered until the journal is checked"
        )

    async def open_by_hand(self, by: str, reason: str, has_parent: bool) -> int:
        """Open the journal of a node that has nobody to ask; returns its size.

        Raises ZonghengError `bad_request` where it is not sealed, where there is a parent to ask, or nobody says who and why.
        """
        if not self._writer.sealed:
            raise ZonghengError("bad_request", "the journal is not sealed")
        if has_parent:
            raise ZonghengError(
                "bad_request",
                "this node has a parent: start the node, and the handshake opens the journal once both agree",
            )
        if not by.strip() or not reason.strip():
            raise ZonghengError("bad_request", "say who opens it (by) and why (reason): both are entered")
        await self.take_off(by.strip(), reason.strip())
        return self._writer.size

    async def take_off(self, by: str = "", reason: str = "") -> None:
        """Open the journal; without a name: both sides agree. Does nothing where there is no seal."""
        if not self._writer.sealed:
            return
        async with self._store.read() as session:
            kept = await self._kept(session) or _Sealed(self._writer.sealed, 0)
        size = self._writer.size
        unsealed = JournalUnsealed(
            sealed=kept.words, size=size, known_size=max(kept.known_size, size), by=by, reason=reason
        )

        async def off(session: Session) -> None:
            await session.links.delete(_SEAL)

        await self._writer.append(
            [Draft.of(Entry(noted_at_us=self._now(), journal_unsealed=unsealed))], off, under_seal=True
        )
        self._high_water.replace(await self._here())
        self._writer.unseal()
        log.warning("journal.unsealed", size=size, known_size=unsealed.known_size, by=by, reason=reason)

    async def _here(self) -> Mark:
        async with self._store.read() as session:
            head = await session.journal.own()
        assert head is not None
        return Mark(head.log_id, head.size, head.root)

    async def _kept(self, session: Session) -> _Sealed | None:
        stored = await session.links.get_json(_SEAL)
        return None if stored is None else _Sealed(stored["words"], stored["known_size"])
