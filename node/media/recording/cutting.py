"""A clip cut by a process of its own, so that the node loads no codecs and whatever FFmpeg makes of a damaged file happens there."""

import asyncio
import sys
from pathlib import Path

import orjson

from federation.errors import ZonghengError
from node.media.recording.archive import Archive
from node.media.recording.clip import Clip, cut

_PATIENCE_S = 600.0


async def cut_apart(folder: Path, camera: str, from_us: int, to_us: int, into: Path) -> Clip:
    """`node.media.recording.clip.cut` out of the recordings in ``folder``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "node.media.recording.cutting",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_PATIENCE_S):
            asked = orjson.dumps([str(folder), camera, from_us, to_us, str(into)])
            answer, _ = await process.communicate(asked)
    except TimeoutError:
        raise ZonghengError("deadline", "cutting the clip took too long: cut a shorter one") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not answer:
        raise ZonghengError("internal")
    found = orjson.loads(answer)
    if "code" in found:
        raise ZonghengError(found["code"], found["detail"])
    return Clip(**{**found, "path": into})


def main() -> None:
    """Read what is asked from standard input, write what was cut to standard output."""
    folder, camera, from_us, to_us, into = orjson.loads(sys.stdin.buffer.read())
    try:
        clip = cut(Archive(Path(folder), 0, 0), camera, from_us, to_us, Path(into))
        found = {name: getattr(clip, name) for name in ("sha256", "bytes", "from_us", "to_us", "gaps")}
    except ZonghengError as error:
        found = {"code": error.code, "detail": error.detail}
    sys.stdout.buffer.write(orjson.dumps(found))


if __name__ == "__main__":
    main()
