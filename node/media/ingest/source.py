"""Where a camera's stream is had from, and how FFmpeg is asked for it.

The password is in no address: the gate before the camera has it, FFmpeg does not. What FFmpeg says about a failure is not repeated as it stands: it names an address that
nobody else knows.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from federation.errors import ZonghengError

OPEN_S: Final = 10.0
"""Longest time, in seconds, until a camera is reached and has shown what it sends."""

READ_S: Final = 5.0
"""Longest time, in seconds, without a picture: a camera that froze with its connection open is lost after this."""

_SCHEMES: Final = ("rtsp", "rtsps", "file", "whip", "recorded")


@dataclass(frozen=True, slots=True)
class Mask:
    """A rectangle that nobody is to see, as parts of the picture's width and height, from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Source:
    """One stream of one camera."""

    address: str
    """`rtsp://host[:port]/path` without name and password; `file:` with an absolute path, read again and again as if it were live; `whip:`,
    where somebody publishes it; `recorded:CAMERA@MICROSECONDS`: what this node recorded from an instant on."""
    user: str = ""
    password: str = field(default="", repr=False)
    transcode: bool = False
    """Decode and encode again what could not be watched as it is."""
    burnt_masks: tuple[Mask, ...] = ()
    """Painted over here, for everybody; that takes decoding and encoding again."""
    sound: bool = False
    """What the camera hears is read as well."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in _SCHEMES:
            raise ZonghengError(
                "bad_request", f"{self.address!r} is no address of a camera: give rtsp://… or file:/…"
            )
        if parts.username or parts.password:
            raise ZonghengError(
                "bad_request", "name and password do not belong in a camera's address: give them apart"
            )
        if parts.scheme == "file" and not parts.path.startswith("/"):
            raise ZonghengError(
                "bad_request", f"{self.address!r}: a file is named by its whole path, file:/…"
            )
        if parts.scheme in ("rtsp", "rtsps") and not parts.hostname:
            raise ZonghengError("bad_request", f"{self.address!r} names no host")

    @property
    def is_published(self) -> bool:
        """Nothing is reached: somebody brings it."""
        return self.address.startswith("whip:")

    @property
    def is_file(self) -> bool:
        return self.address.startswith("file:")

    @property
    def recorded(self) -> tuple[str, int] | None:
        """Of a recording: the camera, and where it begins (µs since the epoch)."""
        if not self.address.startswith("recorded:"):
            return None
        camera, _, from_us = self.address.removeprefix("recorded:").rpartition("@")
        return camera, int(from_us)

    @property
    def encodes_again(self) -> bool:
        return self.transcode or bool(self.burnt_masks)

    @property
    def place(self) -> str:
        """What FFmpeg opens, where it is a file; a camera is opened through a gate."""
        return urlsplit(self.address).path

    @property
    def options(self) -> dict[str, str]:
        """Options of FFmpeg's demuxer. TCP, since a camera's UDP is lost in the first busy switch; sound is asked for only where it is wanted."""
        if self.is_file:
            return {}
        return {
            "rtsp_transport": "tcp",
            "allowed_media_types": "video+audio" if self.sound else "video",
            "analyzeduration": "1000000",
            "fpsprobesize": "0",
            "timeout": str(int(READ_S * 1_000_000)),
        }


def failure(error: BaseException, source: Source) -> ZonghengError:
    """What FFmpeg's failure means to whoever looks after the camera; never with the words of FFmpeg."""
    import av.error as av

    host = urlsplit(source.address).hostname or ""
    if isinstance(error, ZonghengError):
        return error
    if isinstance(error, (av.HTTPUnauthorizedError, av.HTTPForbiddenError)):
        who = f"user {source.user!r}" if source.user else "anybody without a name"
        return ZonghengError("camera_refused", f"the camera at {host} refuses {who}: check name and password")
    if isinstance(error, (av.HTTPNotFoundError, FileNotFoundError)):
        what = source.address if source.is_file else f"the camera at {host} has no stream {source.address}"
        return ZonghengError("not_found", f"{what}: there is nothing of that name")
    if isinstance(error, av.InvalidDataError):
        return ZonghengError("unreadable", f"what {source.address} sends is no video that can be read")
    if isinstance(error, ConnectionRefusedError):
        return ZonghengError("camera_lost", f"nothing answers at {source.address}: is the camera on?")
    return ZonghengError(
        "camera_lost",
        f"no picture from {source.address} for {READ_S:g} s: check its power and network, and restart it if it froze",
    )
