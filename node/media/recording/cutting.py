"""A clip cut by a process of its own (`node.media.apart`)."""

from pathlib import Path
from typing import Any

from node.media.apart import answer, ask
from node.media.recording.archive import Archive
from node.media.recording.stretch import Clip

_PATIENCE_S = 600.0


async def cut_apart(folder: Path, camera: str, from_us: int, to_us: int, into: Path) -> Clip:
    """`node.media.recording.clip.cut` out of the recordings in ``folder``."""
    asked = [str(folder), camera, from_us, to_us, str(into)]
    found = await ask(
        "node.media.recording.cutting",
        asked,
        _PATIENCE_S,
        "cutting the clip took too long: cut a shorter one",
    )
    return Clip(**found, path=into)


def _cut(asked: list[Any]) -> dict[str, Any]:
    from node.media.recording.clip import cut

    folder, camera, from_us, to_us, into = asked
    clip = cut(Archive(Path(folder), 0, 0), camera, from_us, to_us, Path(into))
    return {name: getattr(clip, name) for name in ("sha256", "bytes", "from_us", "to_us", "gaps")}


if __name__ == "__main__":
    answer(_cut)
