"""The cameras of a node and of those below it: registered, listed, tried."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from zongheng.v1 import camera_pb2 as wire
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.trunk.frame import Quality
from node.media.checking import Checked, checked
from node.media.day_folders import size
from node.media.permission import View, Viewer, may_see_picture, told
from node.media.recording import ring
from node.models.cameras import CameraForm
from node.people import audit
from node.people.caller import Caller
from node.views import onvif
from node.views.present import time_text, time_us

if TYPE_CHECKING:
    from node.run import Node

STATE_WORDS = {
    number: name.removeprefix("CAMERA_STATE_").lower() for name, number in wire.CameraState.items()
} | {wire.CAMERA_STATE_UNSPECIFIED: "unknown"}


class Registration(BaseModel):
    """A camera to register, or to change."""

    model_config = ConfigDict(extra="forbid")

    camera: CameraForm
    password: str | None = None
    """The camera's own; left out: the one it has. Kept sealed, shown to nobody."""
    fixed: bool = False
    """Nobody is to turn it, though its device could be."""
    by: str = ""


class Removal(BaseModel):
    """Why a camera goes."""

    model_config = ConfigDict(extra="forbid")

    reason: str = ""
    by: str = ""


class Noted(BaseModel):
    """Where it was entered."""

    index: int


class Registered(Noted):
    """What was registered."""

    address: str
    sub_address: str
    steered: bool
    """It turns, and people may turn it."""
    warnings: list[str]
    """What its device offers that is not taken, and why."""


class CameraLine(BaseModel):
    """One camera of this node or of one below, as its node's card tells."""

    node: str
    node_name: str
    camera: str
    name: str
    hall: str
    window: str
    state: str
    """``seeing``, ``lost``, ``frozen``, ``dark``, or ``unknown``: nobody looked yet."""
    since: str | None
    has_sub: bool
    steered: bool
    """It turns."""


class KeptSnapshot(BaseModel):
    """A snapshot that was taken as the camera's setting has it."""

    taken_at: str | None
    taken_us: int
    """The same in microseconds since the epoch: its name here."""
    sha256: str
    bytes: int


class CameraView(BaseModel):
    """A camera of this node, with everything but its password."""

    camera: CameraForm
    state: str
    since: str | None
    open_now: bool
    """Its hall is open, by the node's calendar."""


async def register(node: "Node", caller: Caller, form: Registration) -> Registered:
    """Register a camera, or change the one of its code; what is left out is asked of its ONVIF device, where one is named."""
    by = caller.signing(form.by) or caller.who
    camera, warnings = form.camera, list[str]()
    if camera.onvif:
        told = await onvif.filled(node, camera, form.password, fixed=form.fixed)
        camera, warnings = told.form, told.warnings
    index = await node.cameras.register(camera, form.password, by)
    recordings = [one.recording for one in await node.cameras.all()]
    warnings = [*warnings, *ring.warnings(recordings, node.settings.recordings_budget_mb)]
    return Registered(
        index=index,
        address=camera.address,
        sub_address=camera.sub_address,
        steered=camera.steered,
        warnings=warnings,
    )


async def remove(node: "Node", caller: Caller, code: str, form: Removal) -> Noted:
    """Remove a camera."""
    return Noted(index=await node.cameras.remove(code, caller.signing(form.by) or caller.who, form.reason))


async def lines(node: "Node", of: str = "") -> list[CameraLine]:
    """The cameras of this node and of everybody below it, or of one node alone."""
    cards = [node.tree.own, *node.tree.descendants()]
    return [line for card in cards if not of or card.node == of for line in _lines(card, node.settings.zone)]


def _lines(card: NodeCard, zone: str) -> list[CameraLine]:
    return [
        CameraLine(
            node=card.node,
            node_name=card.name,
            camera=camera.camera,
            name=camera.name,
            hall=camera.hall,
            window=camera.window,
            state=STATE_WORDS.get(camera.state, "unknown"),
            since=time_text(camera.since_us, zone),
            has_sub=camera.has_sub,
            steered=camera.steered,
        )
        for camera in card.cameras
    ]


async def show(node: "Node", code: str) -> CameraView:
    """One camera of this node."""
    form = await node.cameras.get(code)
    hours = await node.cameras.hours(form)
    (line,) = [line for line in _lines(node.tree.own, node.settings.zone) if line.camera == code]
    return CameraView(camera=form, state=line.state, since=line.since, open_now=hours.are_open(node.now()))


async def check(node: "Node", code: str, quality: str) -> Checked:
    """Reach a camera and say what it sends, and what is wrong with it. ZonghengError as reaching it raises."""
    if quality not in {one.value for one in Quality}:
        raise ZonghengError("bad_request", f"there is no stream {quality!r}: main or sub")
    return await checked(await node.cameras.source(code, Quality(quality)))


def picture(node: "Node", caller: Caller, of: str, code: str = "") -> bytes:
    """The newest small picture of a node, or of one of its cameras; a JPEG. ZonghengError `not_found`, `forbidden`."""
    card = node.tree.own if of == node.settings.node else node.tree.get(of)
    shown = [] if card is None else [one for one in pictures_of(card) if code in ("", one.camera)]
    if card is None or not shown:
        raise ZonghengError("not_found", f"{of} has shown no picture{f' of camera {code}' if code else ''}")
    if not may_see(node, caller, card, shown[0]):
        raise ZonghengError(
            "forbidden", f"{caller.who} may not see what camera {shown[0].camera} of {of} shows"
        )
    return shown[0].jpeg


def pictures_of(card: NodeCard) -> list[wire.CameraPicture]:
    """What a node's cameras showed lately; of a node of an earlier version that of its first."""
    shown = [one for one in card.pictures if one.jpeg]
    return shown or ([card.picture] if card.picture.jpeg else [])


def may_see(node: "Node", caller: Caller, card: NodeCard, shown: wire.CameraPicture) -> bool:
    """Whether the caller may see a picture on a card, by the permissions of its camera."""
    who = Viewer(caller.who, node.settings.node, node.settings.kind, frozenset(caller.roles), caller.agency)
    return any(
        may_see_picture(who, card.node, told(camera.permissions), shown.in_hours)
        for camera in card.cameras
        if camera.camera == shown.camera
    )


async def kept(node: "Node", caller: Caller, code: str, since: str, until: str) -> list[KeptSnapshot]:
    """The snapshots that a camera's setting had taken, in order. ZonghengError `not_found`, `forbidden`."""
    await _check_kept(node, caller, code)
    zone = node.settings.zone
    to_us = time_us(until, zone) if until else 2**62
    from_us = time_us(since, zone)

    def found() -> list[KeptSnapshot]:
        return [
            KeptSnapshot(
                taken_at=time_text(one.taken_us, zone), taken_us=one.taken_us, sha256=one.sha256, bytes=size(one.path),
            )
            for one in node.care.snapshots.of(code, from_us, to_us)
        ]  # fmt: skip

    return await asyncio.to_thread(found)


async def kept_file(node: "Node", caller: Caller, code: str, taken_us: int) -> Path:
    """Where one of them lies; that it is looked at is an entry. ZonghengError `not_found`, `forbidden`."""
    await _check_kept(node, caller, code)
    one = await asyncio.to_thread(node.care.snapshots.get, code, taken_us)
    await node.write_entries([audit.looked(caller, f"snapshot {one.sha256} of camera {code}")])
    return one.path


async def _check_kept(node: "Node", caller: Caller, code: str) -> None:
    who = Viewer(caller.who, node.settings.node, node.settings.kind, frozenset(caller.roles), caller.agency)
    await node.cameras.check_watching(who, code, View.RECORDED)
