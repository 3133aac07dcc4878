"""Pictures and clips as evidence: taken, cut out, found for an alert, and checked against the journals.

Who takes one is entered with its SHA-256 at every node on the way before they get it. A clip is cut at the camera's node, out of what was recorded there; it lies among the node's files, so that a step of an
alert can name it. Whoever has a file can ask a node whose journal it is in, and in whose it is held, whether it is this one.
"""

import asyncio
import base64
import secrets
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.camera_pb2 import ClipExported, SnapshotTaken
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.viewing_pb2 import ViewingPicture

from federation.errors import ZonghengError
from federation.trunk.frame import Quality, Stream
from node.media.permission import View, Viewer
from node.media.recording.archive import recordings
from node.media.recording.cutting import cut_apart
from node.people.caller import Caller
from node.views.present import time_text, time_us
from node.views.sight import must_see
from node.views.streams import viewer_of

if TYPE_CHECKING:
    from node.run import Node

_CHUNK: Final = 20_000
_SNAPSHOT: Final = "snapshot"
"""The purpose of who looks for a picture and says no other."""


class SnapshotForm(BaseModel):
    """A picture to take."""

    model_config = ConfigDict(extra="forbid")

    stream: str
    """NODE/CAMERA, or NODE/CAMERA/QUALITY; of this node or of any below it."""
    width: int = Field(default=0, ge=0, le=4_096)
    """Made smaller to this width; 0: as it is."""
    purpose: str = Field(default="", max_length=1_000)


class Snapshot(BaseModel):
    """A picture that was taken."""

    stream: str
    taken_at: str | None
    sha256: str
    width: int
    height: int
    index: int
    """Of the entry."""
    jpeg: str
    """The picture, base64."""


class ClipForm(BaseModel):
    """A clip to cut out of what a camera of this node recorded."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    since: str = Field(alias="from")
    until: str = Field(alias="to")
    alert: str = ""
    case: str = ""
    purpose: str = Field(default="", max_length=1_000)


class ClipView(BaseModel):
    """A clip that was cut."""

    camera: str
    since: str | None = Field(serialization_alias="from")
    until: str | None = Field(serialization_alias="to")
    sha256: str
    bytes: int
    gaps: int
    """Stretches in it that were not recorded."""
    index: int


class Found(BaseModel):
    """What the journals say about a file."""

    verified: bool
    """An entry names exactly this file."""
    sha256: str
    kind: str
    """``clip`` or ``snapshot``; empty where no entry names it."""
    node: str
    index: int | None
    camera: str
    since: str | None
    until: str | None
    who: str
    """Who took it, and at which node they sat."""
    entered_at: str | None
    alert: str
    case: str


class Witness(BaseModel):
    """A camera that saw what an alert is about."""

    camera: str
    name: str
    window: str
    since: str | None
    until: str | None
    recorded_s: int
    """Seconds of that stretch that are recorded now."""


async def snapshot(node: "Node", caller: Caller, form: SnapshotForm) -> Snapshot:
    """Take a picture of a camera of this node or of one below. Raises ZonghengError as watching does."""
    named = Stream.parse(form.stream if form.stream.count("/") > 1 else f"{form.stream}/{Quality.MAIN}")
    stream = str(named)
    card = node.tree.own if named.node == node.settings.node else node.tree.get(named.node)
    masks = [mask for one in card.cameras if one.camera == named.camera for mask in one.masks] if card else []
    viewer = viewer_of(node, caller, form.purpose or _SNAPSHOT)
    async with node.media.watching(viewer, stream) as viewing:
        taken = await node.care.snapshot(stream, form.width, masks)
        digest = sha256(taken.jpeg).hexdigest()
        picture = ViewingPicture(taken_at_us=taken.taken_at_us, sha256=digest, bytes=len(taken.jpeg))
        index = await node.media.viewings.pictured(viewing, picture)
    return Snapshot(
        stream=stream,
        taken_at=time_text(taken.taken_at_us, node.settings.zone),
        sha256=digest,
        width=taken.width,
        height=taken.height,
        index=index,
        jpeg=base64.b64encode(taken.jpeg).decode(),
    )


async def clip(node: "Node", caller: Caller, code: str, form: ClipForm) -> ClipView:
    """Cut a clip. Raises ZonghengError `forbidden`, `not_found` where nothing was recorded, `too_large`, `disk_full`."""
    zone = node.settings.zone
    from_us, to_us = time_us(form.since, zone), time_us(form.until, zone)
    viewer = viewer_of(node, caller, form.purpose)
    who = Viewer(viewer.who, viewer.node, viewer.tier, frozenset(viewer.roles), viewer.agency, viewer.purpose)
    await node.cameras.check_watching(who, code, View.RECORDED)
    archive = recordings(node.folder, node.settings)
    segments = await asyncio.to_thread(archive.readable, code, from_us, to_us)
    await node.room.make(sum(segment.path.stat().st_size for segment in segments))
    part = f"clip.{secrets.token_hex(8)}"
    try:
        made = await cut_apart(
            node.folder / "recordings", code, from_us, to_us, await asyncio.to_thread(node.shelf.part, part)
        )
        entry = ClipExported(
            camera=code, viewer=viewer, from_us=made.from_us, to_us=made.to_us, sha256=made.sha256,
            bytes=made.bytes, alert_id=form.alert, case_id=form.case, gaps=made.gaps,
        )  # fmt: skip
        (index,) = await node.write_entries([Entry(source="node", clip_exported=entry)])
        await asyncio.to_thread(node.shelf.add, part)
    finally:
        await asyncio.to_thread(node.shelf.forget, part)
    return ClipView(
        camera=code,
        since=time_text(made.from_us, zone),
        until=time_text(made.to_us, zone),
        sha256=made.sha256,
        bytes=made.bytes,
        gaps=made.gaps,
        index=index,
    )


async def clip_file(node: "Node", digest: str) -> Path:
    """Where a clip lies that was cut here. Raises ZonghengError `not_found`."""
    found = await find(node, digest)
    if not (found.verified and found.kind == "clip" and found.node == node.settings.node):
        raise ZonghengError("not_found", f"no clip {digest} was cut here")
    if not node.shelf.has(digest):
        raise ZonghengError(
            "not_found", f"the clip {digest} is not in this node's folder any more: cut it again"
        )
    return node.shelf.path(digest)


async def find(node: "Node", digest: str) -> Found:
    """Look for the entry that names a file, in the own journal and in those held of nodes below."""
    wanted = digest.encode()
    async with node.store.read() as session:
        own_first = sorted(await session.journal.heads(), key=lambda head: head.origin != node.settings.node)
        for head in own_first:
            for lo in range(0, head.size, _CHUNK):
                leaves = await session.journal.leaves(head.origin, lo, min(head.size, lo + _CHUNK))
                for index, leaf in enumerate(leaves, lo):
                    if wanted in leaf and (found := _found(node, head.origin, index, leaf, digest)):
                        return found
    return Found(
        verified=False, sha256=digest, kind="", node="", index=None, camera="", since=None, until=None, who="",
        entered_at=None, alert="", case="",
    )  # fmt: skip


def _found(node: "Node", origin: str, index: int, leaf: bytes, digest: str) -> Found | None:
    entry, zone = Entry.FromString(leaf), node.settings.zone
    told: ClipExported | SnapshotTaken
    if entry.HasField("clip_exported") and entry.clip_exported.sha256 == digest:
        told = entry.clip_exported
        kind, camera, since_us, until_us = "clip", f"{origin}/{told.camera}", told.from_us, told.to_us
        alert, case = told.alert_id, told.case_id
    elif entry.HasField("snapshot_taken") and entry.snapshot_taken.sha256 == digest:
        told = entry.snapshot_taken
        kind, camera, since_us, until_us = "snapshot", told.stream, told.taken_at_us, told.taken_at_us
        alert = case = ""
    else:
        return None
    return Found(
        verified=True,
        sha256=digest,
        kind=kind,
        node=origin,
        index=index,
        camera=camera,
        since=time_text(since_us, zone),
        until=time_text(until_us, zone),
        who=f"{told.viewer.who}@{told.viewer.node}",
        entered_at=time_text(entry.noted_at_us, zone),
        alert=alert,
        case=case,
    )


async def witnesses(node: "Node", caller: Caller, alert_id: str) -> list[Witness]:
    """The cameras of this node that saw what an alert is about: those of its window, or else of its agency's hall."""
    own, zone = node.settings.node, node.settings.zone
    async with node.store.read() as session:
        alert = await session.alerts.get(own, alert_id)
    if alert is None:
        raise ZonghengError("not_found", f"there is no alert {alert_id} here")
    await must_see(node, caller, alert.agency, f"alert {alert_id}")
    found = await node.care.witnesses(alert.case_id, alert.agency, alert.since_us)
    archive = recordings(node.folder, node.settings)
    told = []
    for form, from_us, to_us in found:
        segments = await asyncio.to_thread(archive.readable, form.code, from_us, to_us)
        seen_us = sum(min(each.to_us, to_us) - max(each.from_us, from_us) for each in segments)
        told.append(
            Witness(
                camera=form.code,
                name=form.name,
                window=form.window,
                since=time_text(from_us, zone),
                until=time_text(to_us, zone),
                recorded_s=seen_us // 1_000_000,
            )
        )
    return told
