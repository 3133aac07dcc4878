"""Pictures and clips as evidence: taken, cut out, found for an alert, and checked against the journals.

Who takes one is entered with its SHA-256 at every node on the way before they get it. A clip is cut at the camera's node, out of what was recorded there (`node.media.clips`); it lies among the files of the node that asked, so that a step of an
alert can name it. Whoever has a file can ask a node whose journal it is in, and in whose it is held, whether it is this one.
"""

import base64
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.camera_pb2 import ClipExported, SnapshotTaken
from zongheng.v1.clips_pb2 import ClipQuestion
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.viewing_pb2 import ViewingPicture

from federation.errors import ZonghengError
from federation.trunk.frame import Quality, Stream
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
    """A clip to cut out of what a camera recorded."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    camera: str = Field(max_length=200)
    """Its code at this node, or NODE/CAMERA at this node or any below it."""
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


async def clip(node: "Node", caller: Caller, form: ClipForm) -> ClipView:
    """Cut a clip and have it here. ZonghengError as `Clips.export`."""
    zone = node.settings.zone
    where, _, code = form.camera.rpartition("/")
    question = ClipQuestion(
        camera=code, from_us=time_us(form.since, zone), to_us=time_us(form.until, zone), alert_id=form.alert, case_id=form.case
    )  # fmt: skip
    made = await node.clips.export(
        viewer_of(node, caller, form.purpose), where or node.settings.node, question
    )
    return ClipView(
        camera=form.camera,
        since=time_text(made.from_us, zone),
        until=time_text(made.to_us, zone),
        sha256=made.sha256,
        bytes=made.bytes,
        gaps=made.gaps,
        index=made.index,
    )


async def clip_file(node: "Node", digest: str) -> Path:
    """Where a clip lies that was cut here, or had from below. Raises ZonghengError `not_found`."""
    found = await find(node, digest)
    if not (found.verified and found.kind == "clip"):
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
                    if wanted in leaf and (found := named(node, head.origin, index, leaf, digest)):
                        return found
    return Found(
        verified=False, sha256=digest, kind="", node="", index=None, camera="", since=None, until=None, who="",
        entered_at=None, alert="", case="",
    )  # fmt: skip


def named(node: "Node", origin: str, index: int, leaf: bytes, digest: str) -> Found | None:
    """What an entry says of a file; None: it does not name it."""
    entry, zone = Entry.FromString(leaf), node.settings.zone
    told: ClipExported | SnapshotTaken
    if entry.HasField("clip_exported") and entry.clip_exported.sha256 == digest:
        told = entry.clip_exported
        camera = told.camera if told.hop else f"{origin}/{told.camera}"
        kind, since_us, until_us = "clip", told.from_us, told.to_us
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


async def witnesses(node: "Node", caller: Caller, alert_id: str, of: str) -> list[Witness]:
    """The cameras that saw what an alert is about, of this node or (``of``) of one below: those of its window, or else of its agency's hall."""
    own, zone = node.settings.node, node.settings.zone
    if of in {"", own}:
        async with node.store.read() as session:
            alert = await session.alerts.get(own, alert_id)
        if alert is None:
            raise ZonghengError("not_found", f"there is no alert {alert_id} here")
        await must_see(node, caller, alert.agency, f"alert {alert_id}")
    found = await node.clips.witnesses(viewer_of(node, caller, ""), of or own, alert_id)
    return [
        Witness(
            camera=one.camera,
            name=one.name,
            window=one.window,
            since=time_text(one.from_us, zone),
            until=time_text(one.to_us, zone),
            recorded_s=one.recorded_us // 1_000_000,
        )
        for one in found
    ]
