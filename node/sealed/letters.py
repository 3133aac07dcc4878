"""Complaints that are sealed to an ancestor: written here, carried by the journals in between, opened and answered there.

Where it is written nothing of its content stays: not in the journal, not in the vault. The writer leaves with a receipt, a key on paper; the
answer is sealed to it and comes down to the node where the complaint was written, so that only the receipt opens the answer, and no office in between.
In between show the addressee, when it was written, and the order of magnitude of its length.

At the addressee it is opened when it comes and kept in the vault. Every look into one is an entry, and so is the answer. What cannot be opened (another
key, altered) stays and says why.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.sealed_pb2 import (
    SEALED_KIND_ANSWER,
    SEALED_KIND_COMPLAINT,
    Sealed,
    SealedContent,
    SealedRead,
)

from federation.errors import ZonghengError
from federation.sealing.envelope import ALGORITHM, key_id, padded, seal, unpadded, unseal
from federation.sealing.paper import PaperKey
from node.lane_down import AddressedEntries
from node.passports import Passports
from node.sealed.keys import sealing_keys
from node.store.drafts import Draft
from node.store.sealed import SealedRow
from node.store.store import Session, Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

TITLE_MOST: Final = 200
TEXT_MOST: Final = 20_000
"""Characters."""

_COMPLAINT: Final = "complaint"
_ANSWER: Final = "answer"


class Receipt(PaperKey):
    """What the writer of a complaint leaves with: it opens the answer."""

    called = "receipt"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came down."""

    origin: str
    index: int
    at_us: int
    content: SealedContent


class Letters:
    """What is sealed by this node, and to it."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        writer: JournalWriter,
        vault: Vault,
        sealing: X25519PrivateKey,
        passports: Passports,
        addressed: AddressedEntries,
        now: Now,
    ) -> None:
        self._folder = folder
        self._store = store
        self._writer = writer
        self._vault = vault
        self._sealing = sealing
        self._passports = passports
        self._addressed = addressed
        self._now = now
        self._own = writer.node
        self._bell = asyncio.Event()
        self._turn = asyncio.Lock()

    def ring(self) -> None:
        """Something sealed may have come."""
        self._bell.set()

    async def run(self) -> None:
        """Open what comes, until cancelled."""
        while True:
            self._bell.clear()
            try:
                await self.open_arrived()
            except Exception:
                log.exception(
                    "sealed.failed", instruction="it is tried again when more comes, or when it is looked for"
                )
            await self._bell.wait()

    # Where it is written.

    async def complain(self, to: str, about: str, text: str) -> tuple[int, Receipt]:
        """Seal a complaint to a node above; returns its index in the journal, and the receipt, which nobody keeps.

        Raises ``ZonghengError``: ``unknown_node`` for a node that is not above, ``bad_request``, ``too_large``.
        """
        if not about.strip():
            raise ZonghengError("bad_request", "say what it is about")
        _check_length(about, text)
        reader = next((holder for holder in self._passports.above() if holder.node == to), None)
        if reader is None:
            above = ", ".join(holder.node for holder in self._passports.above())
            raise ZonghengError(
                "unknown_node", f"{to} is not above {self._own}; above are: {above or 'nobody known yet'}"
            )
        receipt = Receipt.new()
        content = SealedContent(
            kind=SEALED_KIND_COMPLAINT,
            about=about,
            text=text,
            written_at_us=self._now(),
            answer_key=receipt.public,
        )
        sealed = _sealed(content, to, reader.sealing_key, _COMPLAINT, self._own, to)
        appended = await self._writer.append([Draft.of(Entry(noted_at_us=self._now(), sealed=sealed))])
        return appended.indexes[0], receipt

    async def answers(self, receipt: Receipt) -> list[Answer]:
        """The answers to the complaint that this receipt is of, the oldest first."""
        async with self._store.read() as session:
            rows = await session.sealed.of_key(key_id(receipt.public))
        found = []
        for row in rows:
            content = _opened(Sealed.FromString(row.body), receipt.private, _ANSWER, row.origin, self._own)
            found.append(Answer(row.origin, row.idx, row.at_us, content))
        return found

    # Where it is read.

    async def open_arrived(self) -> None:
        """Open what has come and keep it in the vault."""
        keys = self._keys()
        async with self._turn:
            async with self._store.read() as session:
                closed = await session.sealed.closed(list(keys))
            for row in closed:
                if not row.words:
                    await self._open(row, keys[row.reader_key])

    async def rows(self) -> list[SealedRow]:
        """Everything that was sealed to this node, the newest first."""
        await self.open_arrived()
        keys = self._keys()
        async with self._store.read() as session:
            return [row for row in await session.sealed.all() if row.reader_key in keys]

    async def read(self, origin: str, index: int, by: str) -> SealedContent:
        """The content of one, which is entered first. Raises ``ZonghengError`` ``not_found``, ``cannot_open``, ``bad_request``."""
        if not by:
            raise ZonghengError("bad_request", "say who reads it (by): a staff number")
        row = await self._row(origin, index)
        look = SealedRead(origin=origin, index=index, by=by)
        await self._writer.append([Draft.of(Entry(noted_at_us=self._now(), sealed_read=look))])
        return await self._content(row)

    async def answer(self, origin: str, index: int, text: str, by: str) -> int:
        """Answer one, sealed to its receipt; returns the answer's index in the journal."""
        if not by or not text.strip():
            raise ZonghengError("bad_request", "say what the answer is (text) and who gives it (by)")
        _check_length("", text)
        row = await self._row(origin, index)
        asked = await self._content(row)
        content = SealedContent(
            kind=SEALED_KIND_ANSWER, about=asked.about, text=text, written_at_us=self._now(), by=by
        )
        sealed = _sealed(content, origin, asked.answer_key, _ANSWER, self._own, origin)
        entry = Entry(noted_at_us=self._now(), sealed=sealed, address=self._addressed.address(origin))
        appended = await self._writer.append([Draft.of(entry)])
        async with self._store.write() as session:
            await session.sealed.answered(origin, index, appended.indexes[0])
        return appended.indexes[0]

    async def _row(self, origin: str, index: int) -> SealedRow:
        await self.open_arrived()
        async with self._store.read() as session:
            row = await session.sealed.get(origin, index)
        if row is None or row.reader_key not in self._keys():
            raise ZonghengError("not_found", f"nothing at {origin}/{index} was sealed to this node")
        if row.words:
            raise ZonghengError("cannot_open", row.words)
        return row

    async def _content(self, row: SealedRow) -> SealedContent:
        async with self._store.read() as session:
            text = await self._vault.text(session.vault, row.digest)
        if text is None:
            raise ZonghengError("not_found", f"what {row.origin}/{row.idx} said was erased from the vault")
        return Parse(text, SealedContent())

    async def _open(self, row: SealedRow, key: X25519PrivateKey) -> None:
        digest = words = ""
        async with self._store.write() as session:
            try:
                content = _opened(Sealed.FromString(row.body), key, _COMPLAINT, row.origin, self._own)
                digest = await self._kept(session, content)
            except ZonghengError as error:
                words = error.detail
            await session.sealed.opened(row.origin, row.idx, digest, words)
        log.info("sealed.opened", origin=row.origin, index=row.idx, words=words)

    async def _kept(self, session: Session, content: SealedContent) -> str:
        (digest,) = await self._vault.digests(session.vault, [MessageToJson(content, indent=None)])
        return digest

    def _keys(self) -> dict[str, X25519PrivateKey]:
        return sealing_keys(self._folder, self._sealing)


def _sealed(content: SealedContent, to: str, key: bytes, *place: str) -> Sealed:
    return Sealed(
        to=to,
        algorithm=ALGORITHM,
        reader_key=key_id(key),
        sealed=seal(key, padded(content.SerializeToString()), *place),
    )


def _opened(sealed: Sealed, key: X25519PrivateKey, *place: str) -> SealedContent:
    plain = unpadded(unseal(key, sealed.algorithm, sealed.sealed, *place))
    try:
        return SealedContent.FromString(plain)
    except DecodeError as error:
        raise ZonghengError("cannot_open", "what was sealed is no letter") from error


def _check_length(about: str, text: str) -> None:
    if len(about) > TITLE_MOST or len(text) > TEXT_MOST:
        raise ZonghengError(
            "too_large", f"a complaint has at most {TITLE_MOST} characters of title and {TEXT_MOST} of text"
        )
