"""What a camera costs its own node: read over RTSP from a real server (GStreamer's), recorded, and heard, at 720p with 25 pictures a second and 1.5 Mb/s.

A camera is read all the time, so this is what a node with many cameras needs, before anybody looks. `CAMERAS=40 make bench ONLY=video.ingest` does it with more.
"""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from clip import FPS, load, make
from measure import Measured, Workspace, benchmark

_HERE: Final = Path(__file__).resolve().parent
_CAMERAS: Final = int(os.environ.get("CAMERAS", "8"))
_SECONDS: Final = 20
_ROUNDS: Final = 9
"""The clip's ten seconds so often: the server plays a file once for each client."""


def _film(folder: Path) -> Path:
    """The clip with a tone in AAC, as MP4."""
    make(folder / "clip.bin")
    pictures = folder / "clip.h264"
    pictures.write_bytes(b"".join(unit for _, unit in load(folder / "clip.bin")) * _ROUNDS)
    command = ["ffmpeg", "-v", "error", "-r", str(FPS), "-f", "h264", "-i", str(pictures), "-f", "lavfi"]
    command += ["-i", "sine=440:sample_rate=16000", "-c:v", "copy", "-c:a", "aac", "-shortest"]
    subprocess.run([*command, str(folder / "film.mp4")], check=True, timeout=240)
    return folder / "film.mp4"


@cache
def _costs() -> dict[str, dict[str, Any]]:
    """What was found: read, recorded as well, heard as well."""
    with TemporaryDirectory(prefix="ingest-") as name:
        found = _found(Path(name))
    for name, one in found.items():
        print(
            f"  {name}: {_ms(one):.2f} ms of a processor a camera and second, {1_000 / _ms(one):.0f} cameras a core; "
            f"{one['pictures']:,} pictures, {one['sounds']:,} packets of sound; {one['disk']:,} bytes on disk of {one['bytes']:,}",
            file=sys.stderr,
        )
    return found


def _found(folder: Path) -> dict[str, dict[str, Any]]:
    film, found = _film(folder), {}
    serve = _HERE.parent / "cameras" / "serve.py"
    command = ["/usr/bin/python3", str(serve), "--sound", "aac", f"/main={film}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            address = f"rtsp://127.0.0.1:{int(server.stdout.readline())}/main"
            for name, how in (("read", ()), ("recorded", ("record",)), ("heard", ("sound",))):
                asked = [address, str(_CAMERAS), str(_SECONDS), str(folder / name), *how]
                ran = subprocess.run(
                    [sys.executable, str(_HERE / "camera_cost.py"), *asked],
                    capture_output=True, text=True, timeout=400, cwd=_HERE.parent.parent,
                )  # fmt: skip
                if ran.returncode:
                    raise RuntimeError(ran.stderr[-3000:])
                found[name] = json.loads(ran.stdout)
        finally:
            server.kill()
    return found


def _ms(found: dict[str, Any]) -> float:
    return float(found["cpu_ms"]) / float(found["camera_s"])


@benchmark("video.ingest", unit="ms/camera-s", aim=15, better="lower")
def ingest(workspace: Workspace) -> Measured:
    """A camera that is read over RTSP."""
    return Measured(_ms(_costs()["read"]))


@benchmark("video.recording", unit="ms/camera-s", aim=20, better="lower")
def recording(workspace: Workspace) -> Measured:
    """One that is recorded as well."""
    return Measured(_ms(_costs()["recorded"]))


@benchmark("video.sound", unit="ms/camera-s", aim=30, better="lower")
def sound(workspace: Workspace) -> Measured:
    """One whose AAC is encoded again as Opus."""
    return Measured(_ms(_costs()["heard"]))
