"""The files that entries name: where each is on its way, what is missing, what was shed."""

from typing import TYPE_CHECKING, Final

from fastapi.responses import FileResponse
from pydantic import BaseModel
from zongheng.v1.files_pb2 import (
    FILE_PURPOSE_BACKUP,
    FILE_PURPOSE_DISCLOSURE,
    FILE_PURPOSE_MESSAGE,
)

from federation.errors import ZonghengError
from node.files.carried import PORTAL
from node.store.files import ABSENT, HELD, SHED, FileRow
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node

PURPOSES: Final[dict[int, str]] = {
    FILE_PURPOSE_MESSAGE: "message",
    FILE_PURPOSE_DISCLOSURE: "disclosure",
    FILE_PURPOSE_BACKUP: "backup",
}


class FileView(BaseModel):
    """One file."""

    origin: str
    index: int
    sha256: str
    size: int
    media_type: str
    name: str
    purpose: str
    reader: str
    via: str
    state: str
    """here; coming: this node is the reader and it has not come yet; below: it passes and has not come yet; shed."""
    up: str
    """What is still to do above: waiting, sent; empty: nothing."""
    since: str | None
    words: str


class Asked(BaseModel):
    """A file that was asked for once more."""

    origin: str
    sha256: str
    via: str


async def files(node: "Node") -> list[FileView]:
    """Every file that an entry names, the newest first."""
    await node.projector.settled()
    async with node.store.read() as session:
        rows = await session.files.all()
    return [_view(node, row) for row in rows]


async def again(node: "Node", origin: str, sha256: str) -> Asked:
    """Ask the child that a file came through for it once more; ``ZonghengError`` where there is none to ask."""
    async with node.store.read() as session:
        row = await session.files.get(origin, sha256)
    if row is None:
        raise ZonghengError("not_found", f"no entry here names a file {sha256} of {origin}")
    if row.state == HELD:
        raise ZonghengError("bad_request", f"{sha256} is here")
    if not row.via:
        raise ZonghengError("bad_request", f"{sha256} is this node's own: there is nobody below to ask")
    node.files_below.ask(row)
    return Asked(origin=origin, sha256=sha256, via=row.via)


async def public(node: "Node", sha256: str) -> FileResponse:
    """The bytes of a file that was made public; ``ZonghengError`` for any other."""
    async with node.store.read() as session:
        rows = await session.files.of_digest(sha256)
    row = next((row for row in rows if row.reader == PORTAL), None)
    if row is None:
        raise ZonghengError("not_found", f"no file {sha256} was made public here")
    if not node.shelf.has(sha256):
        raise ZonghengError("not_found", f"the file {sha256} is not here: {_view(node, row).state}")
    return FileResponse(
        node.shelf.path(sha256),
        media_type=row.media_type or "application/octet-stream",
        filename=row.name or sha256,
        # What a village uploaded is shown by no browser as a page of this node's.
        content_disposition_type="attachment",
    )


def state_of(row: FileRow, is_final: bool) -> str:
    """One word for where a file is, as seen from here."""
    words = {HELD: "here", SHED: "shed", ABSENT: "coming" if is_final else "below"}
    return words[row.state]


def _view(node: "Node", row: FileRow) -> FileView:
    return FileView(
        origin=row.origin,
        index=row.idx,
        sha256=row.sha256,
        size=row.size,
        media_type=row.media_type,
        name=row.name,
        purpose=PURPOSES.get(row.purpose, "unknown"),
        reader=row.reader,
        via=row.via,
        state=state_of(row, node.carrying.is_final(row.reader)),
        up=row.up,
        since=time_text(row.since_us, node.settings.zone),
        words=row.words,
    )
