"""Cameras for tests: clips that behave as a good camera does, and a real RTSP server that plays them.

`clip` encodes the real pictures again without B-frames, as a well-behaved camera would send them. `rtsp` starts GStreamer's server. Without ffmpeg
or GStreamer on the machine the test is skipped, naming what to install; where ``CI=true`` it fails instead.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_SYSTEM_PYTHON = "/usr/bin/python3"
_SERVER = Path(__file__).resolve().parent.parent / "cameras" / "serve.py"
_BINDINGS = "import gi; gi.require_version('GstRtspServer', '1.0')"


def absent(what: str) -> None:
    """Skip, or fail where nothing is left out."""
    words = f"{what} is not installed here: run tests/setup.sh"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


@dataclass(frozen=True)
class RtspServer:
    """A running server, which is a process of its own."""

    process: "subprocess.Popen[str]"
    port: int

    def address(self, path: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}{path}"


@pytest.fixture(scope="session")
def encode(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A clip encoded again: `encode(clip, *options)` of ffmpeg; the same options give the same file."""
    if shutil.which("ffmpeg") is None:
        absent("ffmpeg")
    folder = tmp_path_factory.mktemp("clips")
    made: dict[tuple[str, ...], Path] = {}

    def encoded(name: str, *options: str) -> Path:
        key = (name, *options)
        if key not in made:
            place = folder / f"{len(made)}.mp4"
            clip = shared_data / "video" / f"{name}.mp4"
            command = ["ffmpeg", "-v", "error", "-i", str(clip), "-an", *options, str(place)]
            subprocess.run(command, check=True, timeout=240)
            made[key] = place
        return made[key]

    return encoded


@pytest.fixture(scope="session")
def clip(encode: Callable[..., Path]) -> Path:
    """Forty seconds of a hall as a good camera sends them: no B-frames, a keyframe every two seconds, 10 pictures a second."""
    return encode("hall", "-t", "40", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "20")


@pytest.fixture
def rtsp() -> Iterator[Callable[..., RtspServer]]:
    """Start servers: `rtsp("/main=FILE", user=…, password=…, codec=…, sound=…, port=…)`. They end with the test."""
    yield from _servers()


@pytest.fixture(scope="module")
def rtsp_servers() -> Iterator[Callable[..., RtspServer]]:
    """The same for a file of tests."""
    yield from _servers()


def _servers() -> Iterator[Callable[..., RtspServer]]:
    found = subprocess.run([_SYSTEM_PYTHON, "-c", _BINDINGS], capture_output=True, check=False)
    if found.returncode:
        absent("GStreamer's RTSP server with its Python bindings")
    started: list[subprocess.Popen[str]] = []

    def start(
        *mounts: str, user: str = "", password: str = "", codec: str = "h264", sound: str = "", port: int = 0
    ) -> RtspServer:
        command = [_SYSTEM_PYTHON, str(_SERVER), "--codec", codec, "--port", str(port)]
        command += ["--sound", sound] if sound else []
        command += ["--user", user, "--password", password] if user else []
        process = subprocess.Popen([*command, *mounts], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return RtspServer(process, int(process.stdout.readline()))

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
