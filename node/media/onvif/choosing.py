"""Which of a device's streams are registered as the camera's: a large one and a small one. Pure.

Browsers show H.264. Where the largest stream is H.265 the largest H.264 one stands in, and the person who registers is told; with transcoding the largest is taken,
whatever it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from federation.errors import ZonghengError
from node.media.onvif.answers import Profile


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is registered."""

    main: Profile
    sub: Profile | None
    steered: Profile | None
    """The profile by which it is steered; None: it is fixed."""
    warnings: tuple[str, ...]


def chosen(profiles: Sequence[Profile], *, transcode: bool) -> Chosen:
    """Raises ZonghengError `codec_unsupported` where no stream can be watched."""
    largest_first = sorted(
        (each for each in profiles if each.address), key=lambda each: each.width * each.height, reverse=True
    )
    watchable = [each for each in largest_first if transcode or each.codec == "h264"]
    if not watchable:
        offered = ", ".join(f"{each.name} ({_size(each)})" for each in profiles) or "none"
        raise ZonghengError(
            "codec_unsupported",
            f"the device offers no H.264 stream (it offers: {offered}): set one to H.264 in the camera, or register with --transcode",
        )
    main = watchable[0]
    smaller = [
        each
        for each in watchable
        if each.address != main.address and each.width * each.height < main.width * main.height
    ]
    sub = smaller[-1] if smaller else None
    warnings = []
    if (left := largest_first[0]).codec != "h264" and left is not main:
        warnings.append(
            f"its largest stream is {_size(left)}, which browsers do not show: {_size(main)} is registered as the main stream. "
            "Set the large one to H.264 in the camera, or register with --transcode"
        )
    elif main.codec != "h264":
        warnings.append(f"{_size(main)} is encoded again to H.264 here: a third of a core for each stream")
    if sub is None:
        warnings.append("it has no small H.264 stream: walls of pictures and slow lines get the large one")
    steered = next((each for each in (main, *profiles) if each.steered), None)
    return Chosen(main, sub, steered, tuple(warnings))


def _size(profile: Profile) -> str:
    return f"{profile.codec.upper() or 'no picture'} {profile.width}x{profile.height}"
