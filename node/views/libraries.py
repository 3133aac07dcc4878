"""The libraries (库) of a node as people read and amend them: tables that values are held against.

A library is published as a whole, each version an entry with who published it; a version is never changed, so its history is all there is to see. An
amendment is the next version, made of the newest with some rows set and some taken away.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.engine_pb2 import Library, LibraryRow
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.alerting.concerns import local_day
from node.models.forms import Code
from node.models.publication import Publication, Published
from node.models.rules import LibraryForm, LibraryRowForm
from node.people.caller import Caller
from node.projection.mandates import ABOVE, Line
from node.store.catalogue import Published as Piece
from node.store.store import Session
from node.views import publication
from node.views.present import day_text, time_text

if TYPE_CHECKING:
    from node.run import Node

_Key = tuple[str, str, int]
Parts = Callable[[bytes], tuple[str, set[bytes]]]
"""What a version says: who published it, and its parts, each as bytes."""


class VersionLine(BaseModel):
    """One version that was published."""

    version: int
    index: int
    """Journal index of the entry."""
    at: str | None
    by: str
    added: int
    """Rows (of a post: holdings) that the version before does not have."""
    removed: int


class LibraryLine(BaseModel):
    """One library, its newest version."""

    name: str
    version: int
    sender: str
    """The node above that mandated it; empty: this node's own."""
    legal_basis: str
    rows: int
    at: str | None
    by: str


class RowView(BaseModel):
    """One row."""

    code: str
    grade: str
    low: int | None
    high: int | None
    ratio: bool
    text: str
    valid_from: str | None
    valid_to: str | None
    in_force: bool
    """Today."""


class LibraryView(BaseModel):
    """One version of a library, and which versions there were."""

    name: str
    version: int
    sender: str
    legal_basis: str
    rows: list[RowView]
    history: list[VersionLine]


class Gone(BaseModel):
    """A row to be taken away."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    grade: str = ""


class Amendment(BaseModel):
    """What is to be another in a library's next version."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    legal_basis: str | None = Field(default=None, max_length=500)
    rows: list[LibraryRowForm] = Field(default=[], max_length=100_000)
    """Each takes the place of the row with its code, grade and first day, or is added."""
    remove: list[Gone] = Field(default=[], max_length=100_000)


async def libraries(node: "Node") -> list[LibraryLine]:
    """The newest version of every library, from above and of the node itself."""
    await node.projector.settled()
    lines = []
    async with node.store.read() as session:
        for sender, pieces in (await _pieces(session, node.settings.node)).items():
            newest = pieces[-1]
            library = Library.FromString(newest.body)
            (at,) = await _times(session, node, [newest])
            lines.append(
                LibraryLine(
                    name=library.name,
                    version=library.version,
                    sender=sender[0],
                    legal_basis=library.legal_basis,
                    rows=len(library.rows),
                    at=at,
                    by=library.by,
                )
            )
    return sorted(lines, key=lambda one: (one.name, one.sender))


async def library(node: "Node", name: str, version: int | None = None) -> LibraryView:
    """One library, by default its newest version; where one is mandated from above, that one. ``not_found``."""
    await node.projector.settled()
    async with node.store.read() as session:
        found = {
            key: pieces
            for key, pieces in (await _pieces(session, node.settings.node)).items()
            if key[1] == name
        }
        # What is mandated replaces the node's own.
        (sender, _), pieces = max(found.items(), default=(("", ""), []))
        history = await history_of(session, node, pieces, _parts)
    chosen = next((one for one in reversed(pieces) if version in (None, one.version)), None)
    if chosen is None:
        what = name if version is None else f"{name} version {version}"
        raise ZonghengError("not_found", f"there is no library {what} here: see `zongheng library list`")
    held, today = (
        Library.FromString(chosen.body),
        local_day(node.now(), (await node.contexts.of(node.settings.node)).zone),
    )
    return LibraryView(
        name=name,
        version=held.version,
        sender=sender,
        legal_basis=held.legal_basis,
        rows=[_row(row, today) for row in held.rows],
        history=history,
    )


async def amend(node: "Node", caller: Caller, name: str, form: Amendment) -> Published:
    """Publish the next version of one of the node's own libraries. ``bad_request`` for a row that is to go and is not there."""
    own = node.settings.node
    registry = await node.registry()
    async with registry.publishing:
        await node.projector.settled()
        async with node.store.read() as session:
            pieces = await session.catalogue.versions(own, "library", name)
        if not pieces:
            raise ZonghengError("not_found", f"this node has no library {name} of its own: load it first")
        held = Library.FromString(pieces[-1].body)
        rows: dict[_Key, LibraryRow] = {_key(row): row for row in held.rows}
        for gone in form.remove:
            out = [key for key in rows if key[:2] == (gone.code, gone.grade)]
            if not out:
                raise ZonghengError(
                    "bad_request", f"remove: {name} has no row {gone.code} {gone.grade}".rstrip()
                )
            for key in out:
                del rows[key]
        for row in (one.message() for one in form.rows):
            rows[_key(row)] = row
        basis = held.legal_basis if form.legal_basis is None else form.legal_basis
        wanted = LibraryForm(
            name=name, legal_basis=basis, rows=tuple(_row_form(row) for row in rows.values())
        )
        by = caller.signing(form.by)
        return await publication.enter(node, Publication(by=by, libraries=(wanted,)), registry)


async def _pieces(session: Session, own: str) -> dict[tuple[str, str], list[Piece]]:
    """(sender, name) → versions, oldest first."""
    found: dict[tuple[str, str], list[Piece]] = {}
    for piece in await session.catalogue.all(own, "library"):
        found.setdefault(("", piece.code), []).append(piece)
    for piece in await session.catalogue.all(own, f"library{ABOVE}"):
        line = Line.parse(piece.code)
        found.setdefault((line.sender, line.code), []).append(piece)
    return found


async def _times(session: Session, node: "Node", pieces: Sequence[Piece]) -> list[str | None]:
    leaves: Mapping[int, bytes] = dict(
        await session.journal.entries(node.settings.node, sorted({one.idx for one in pieces}))
    )
    return [
        time_text(Entry.FromString(leaves[one.idx]).noted_at_us, node.settings.zone)
        if one.idx in leaves
        else None
        for one in pieces
    ]


async def history_of(
    session: Session, node: "Node", pieces: Sequence[Piece], parts: Parts
) -> list[VersionLine]:
    """The versions of one thing, given the oldest first, told the newest first."""
    times = await _times(session, node, pieces)
    lines, before = [], set[bytes]()
    for piece, at in zip(pieces, times, strict=True):
        by, now = parts(piece.body)
        lines.append(
            VersionLine(
                version=piece.version,
                index=piece.idx,
                at=at,
                by=by,
                added=len(now - before),
                removed=len(before - now),
            )
        )
        before = now
    return lines[::-1]


def _parts(body: bytes) -> tuple[str, set[bytes]]:
    held = Library.FromString(body)
    return held.by, {row.SerializeToString() for row in held.rows}


def _key(row: LibraryRow) -> _Key:
    return row.code, row.grade, row.valid_from_day


def _row(row: LibraryRow, today: int) -> RowView:
    return RowView(
        code=row.code,
        grade=row.grade,
        low=row.low if row.HasField("low") else None,
        high=row.high if row.HasField("high") else None,
        ratio=row.ratio,
        text=row.text,
        valid_from=day_text(row.valid_from_day),
        valid_to=day_text(row.valid_to_day),
        in_force=row.valid_from_day <= today and (not row.valid_to_day or today <= row.valid_to_day),
    )


def _row_form(row: LibraryRow) -> LibraryRowForm:
    """What somebody would have written down for it."""
    return LibraryRowForm.model_validate(
        {
            "code": row.code,
            "grade": row.grade,
            "low": row.low if row.HasField("low") else None,
            "high": row.high if row.HasField("high") else None,
            "ratio": row.ratio,
            "text": row.text,
            "valid_from": day_text(row.valid_from_day),
            "valid_to": day_text(row.valid_to_day),
        }
    )
