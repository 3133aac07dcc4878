"""ONVIF devices around a node: found, asked what they offer, and turned into what is registered as a camera."""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from federation.errors import ZonghengError
from node.models.cameras import CameraForm

if TYPE_CHECKING:
    from node.media.onvif.answers import Profile
    from node.run import Node

MOST_AT_ONCE = 8


class Search(BaseModel):
    """Where to look for devices."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field(default="", max_length=500)
    """One device: HOST, HOST:PORT or http://HOST/PATH; empty: whoever answers on the node's networks."""
    user: str = Field(default="", max_length=200)
    """For the one device; nobody else is shown a login."""
    password: str = Field(default="", max_length=200)


class ProfileLine(BaseModel):
    """One stream that a device offers."""

    name: str
    codec: str
    width: int
    height: int
    address: str
    """RTSP; empty: it cannot be played here."""
    steered: bool
    """Pan, tilt or zoom belong to it."""


class DeviceLine(BaseModel):
    """A device."""

    host: str
    address: str
    """Of its ONVIF service: what `camera add --onvif` takes; empty: it names none of its own."""
    name: str
    maker: str
    model: str
    registered: list[str]
    """Codes of the cameras of this node that are at this host."""
    profiles: list[ProfileLine]
    code: str
    """Why it did not say more: ``camera_refused`` where it asks for a login; empty: it did."""
    detail: str


class Filled(BaseModel):
    """What a device said that a camera is."""

    form: CameraForm
    warnings: list[str]


async def discover(node: "Node", form: Search) -> list[DeviceLine]:
    """The devices that answer on the node's networks, or one that is named; each is asked what it offers."""
    from node.media.onvif.device import service_address
    from node.media.onvif.probing import Answerer, answerers

    if form.address:
        address = service_address(form.address)
        found = [Answerer(urlsplit(address).hostname or "", address)]
    else:
        found = await answerers()
    registered = await _hosts(node)
    places = asyncio.Semaphore(MOST_AT_ONCE)

    async def asked(one: Answerer) -> DeviceLine:
        line = DeviceLine(
            host=one.host, address=one.address, name=one.name, maker="", model=one.model,
            registered=registered.get(one.host, []), profiles=[], code="", detail="",
        )  # fmt: skip
        async with places:
            await _describe(line, form)
        return line

    return list(await asyncio.gather(*(asked(one) for one in found)))


async def _describe(line: DeviceLine, form: Search) -> None:
    from node.media.onvif.device import Device

    if not line.address:
        line.code, line.detail = "camera_fault", "it names no service at the host that it answers from"
        return
    try:
        async with Device(line.address, form.user, form.password) as device:
            offered = await device.profiles()
            line.profiles = [_line(each) for each in offered]
            model = await device.model()
            line.maker, line.model = model.maker, model.name or line.model
    except ZonghengError as error:
        line.code, line.detail = error.code, error.detail


async def filled(node: "Node", form: CameraForm, password: str | None, *, fixed: bool) -> Filled:
    """A camera with what its device says: the addresses that are not given, and by which profile it is steered.

    ``fixed``: nobody is to turn it. Raises ZonghengError as `Device` does, `codec_unsupported`.
    """
    from node.media.onvif.choosing import chosen
    from node.media.onvif.device import Device

    if password is None:
        password = await _known_password(node, form.code)
    async with Device(form.onvif, form.user, password) as device:
        offered = await device.profiles()
        address = device.address
    choice = chosen(offered, transcode=form.transcode)
    told: dict[str, str] = {"onvif": address}
    warnings: list[str] = []
    if not form.address:
        warnings += choice.warnings
        told["address"] = choice.main.address
        if not form.sub_address and choice.sub is not None:
            told["sub_address"] = choice.sub.address
    if choice.steered is not None and not fixed:
        if form.masks:
            warnings.append(
                "it turns, and its masks would not turn along: it is registered as fixed. Set masks in the camera instead to have it steered"
            )
        else:
            told["ptz_profile"] = choice.steered.token
    if "ptz_profile" not in told:
        told["ptz_profile"] = ""
    return Filled(form=CameraForm.model_validate({**form.model_dump(), **told}), warnings=warnings)


async def _known_password(node: "Node", code: str) -> str:
    try:
        return await node.cameras.password(code)
    except ZonghengError as error:
        if error.code != "not_found":
            raise
        return ""


async def _hosts(node: "Node") -> dict[str, list[str]]:
    """Which cameras of this node are at which host."""
    hosts: dict[str, list[str]] = {}
    for form in await node.cameras.all():
        for host in {urlsplit(address).hostname for address in (form.address, form.onvif)} - {None}:
            hosts.setdefault(str(host), []).append(form.code)
    return hosts


def _line(profile: "Profile") -> ProfileLine:
    return ProfileLine(
        name=profile.name,
        codec=profile.codec,
        width=profile.width,
        height=profile.height,
        address=profile.address,
        steered=profile.steered,
    )
