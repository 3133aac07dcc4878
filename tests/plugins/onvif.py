"""ONVIF devices for tests: processes of their own, which turn."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

_DEVICE = Path(__file__).resolve().parent.parent / "cameras" / "onvif.py"

T = TypeVar("T")


@dataclass(frozen=True)
class OnvifDevice:
    """A running device."""

    process: "subprocess.Popen[str]"
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/onvif/device_service"

    def state(self) -> Any:
        """Where it looks, whether it moves, what it was asked."""
        return httpx.get(f"http://127.0.0.1:{self.port}/state", trust_env=False, timeout=60).json()

    def until(self, what: str, holds: Callable[[Any], bool], within_s: float = 60.0) -> Any:
        """Its state as soon as something holds of it."""
        end = time.monotonic() + within_s
        while not holds(state := self.state()):
            assert time.monotonic() < end, f"not within {within_s:.0f} s: {what}; last: {state}"
            time.sleep(0.05)
        return state


StartDevice = Callable[..., OnvifDevice]


def _devices() -> Iterator[StartDevice]:
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> OnvifDevice:
        process = subprocess.Popen([sys.executable, str(_DEVICE), *words], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return OnvifDevice(process, int(process.stdout.readline()))

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def onvif() -> Iterator[StartDevice]:
    """Start devices: `onvif("--user", "viewer", …)`. They end with the test."""
    yield from _devices()


@pytest.fixture(scope="module")
def onvif_devices() -> Iterator[StartDevice]:
    """The same for a file of tests."""
    yield from _devices()
