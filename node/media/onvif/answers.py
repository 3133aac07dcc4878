"""What a device's answers say, as values. Pure.

Whatever is read here was written by the device: numbers are read within bounds, names cut to a length, and what is left out or nonsense is nothing.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from node.media.onvif.soap import MEDIA, MEDIA2, PTZ, Element, child, found, local, text

MOST_PROFILES: Final = 32
MOST_PRESETS: Final = 256
_LONGEST: Final = 200

_CODECS: Final = {
    "h264": "h264",
    "h265": "h265",
    "hevc": "h265",
    "jpeg": "jpeg",
    "mpeg4": "mpeg4",
    "mpv4-es": "mpeg4",
}


@dataclass(frozen=True, slots=True)
class Model:
    """What a device says that it is."""

    maker: str = ""
    name: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One of the streams that a device offers (媒体配置)."""

    token: str
    """Its name in requests."""
    name: str
    codec: str
    """`h264`, `h265`, `jpeg`, `mpeg4`; empty: it has no picture."""
    width: int
    height: int
    steered: bool
    """Pan, tilt or zoom belong to it."""
    address: str = ""
    """`rtsp://…`; empty: not asked for, or not given."""

    def at(self, address: str) -> "Profile":
        return replace(self, address=address)


@dataclass(frozen=True, slots=True)
class Preset:
    """A position that the device keeps (预置位)."""

    token: str
    name: str


def clock(answer: Element) -> datetime | None:
    """The device's time (GetSystemDateAndTime), UTC; None: it says none that could be one."""
    utc = next(found(answer, "UTCDateTime"), None)
    names = (("Date", "Year"), ("Date", "Month"), ("Date", "Day"), ("Time", "Hour"), ("Time", "Minute"), ("Time", "Second"))  # fmt: skip
    try:
        year, month, day, hour, minute, second = (int(text(child(utc, *path))) for path in names)
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


def model(answer: Element) -> Model:
    """GetDeviceInformation."""
    return Model(*(_name(text(child(answer, part))) for part in ("Manufacturer", "Model", "FirmwareVersion")))


def services(answer: Element) -> dict[str, str]:
    """GetServices, or GetCapabilities of older devices: namespace → address, as the device gives them."""
    given = {
        text(child(each, "Namespace")): text(child(each, "XAddr"))
        for each in answer
        if local(each) == "Service"
    }
    capabilities = child(answer, "Capabilities")
    for name, space in (("Media", MEDIA), ("PTZ", PTZ)):
        if address := text(child(capabilities, name, "XAddr")):
            given[space] = address
    return {space: address for space, address in given.items() if space in (MEDIA, MEDIA2, PTZ) and address}


def profiles(answer: Element) -> list[Profile]:
    """GetProfiles of either media service; at most `MOST_PROFILES`."""
    return [_profile(each) for each in answer if local(each) == "Profiles"][:MOST_PROFILES]


def _profile(element: Element) -> Profile:
    parts = child(element, "Configurations")
    video = child(element, "VideoEncoderConfiguration") if parts is None else child(parts, "VideoEncoder")
    ptz = child(element, "PTZConfiguration") if parts is None else child(parts, "PTZ")
    said = text(child(video, "Encoding")).lower()
    return Profile(
        token=str(element.get("token", ""))[:_LONGEST],
        name=_name(text(child(element, "Name"))),
        codec=_CODECS.get(said, said[:20]),
        width=_number(text(child(video, "Resolution", "Width"))),
        height=_number(text(child(video, "Resolution", "Height"))),
        steered=ptz is not None,
    )


def stream_address(answer: Element) -> str:
    """GetStreamUri of either media service, as the device gives it."""
    return text(next(found(answer, "Uri"), None))


def presets(answer: Element) -> list[Preset]:
    """GetPresets; at most `MOST_PRESETS`. One without a name is called by its token."""
    read = [
        Preset(str(each.get("token", ""))[:_LONGEST], _name(text(child(each, "Name"))))
        for each in answer
        if local(each) == "Preset"
    ]
    return [Preset(each.token, each.name or each.token) for each in read if each.token][:MOST_PRESETS]


def _name(words: str) -> str:
    return "".join(letter for letter in words if letter.isprintable())[:_LONGEST]


def _number(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else 0
