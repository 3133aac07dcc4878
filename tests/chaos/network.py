"""Two network namespaces and the wire between them, which this process carries packet by packet: it loses some, holds others up, or is cut.

What is sent at one end comes out at the other through two TUN devices, so that no kernel module for bad networks is needed, and a seed repeats which
packets are lost. Nothing answers while the wire is cut: to both ends the other is a black hole, as behind a dead mobile link. Needs root.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

ABOVE: Final = "10.77.0.1"
BELOW: Final = "10.77.0.2"

_TUNSETIFF: Final = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_LONGEST_PACKET: Final = 65_535


def allowed() -> str:
    """Why it cannot be tried here; empty: it can."""
    if os.geteuid() != 0:
        return "network namespaces are made as root alone: run this as root"
    if not Path("/dev/net/tun").exists():
        return "this machine has no /dev/net/tun, which carries the wire between namespaces"
    return ""


class Wire:
    """A wire between the namespaces `above` and `below`, for as long as the context lasts."""

    def __init__(self, seed: int, *, lost: float = 0.0, delay_s: float = 0.0) -> None:
        """Of the packets in each direction a share of `lost` never arrives; the others come `delay_s` seconds later."""
        self.lost = lost
        self.delay_s = delay_s
        self.cut = False
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._name = f"zh{os.getpid() % 100_000}"
        self.above, self.below = f"{self._name}a", f"{self._name}b"
        self._ends: list[int] = []
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def __enter__(self) -> Self:
        try:
            for place, address in ((self.above, ABOVE), (self.below, BELOW)):
                _run("ip", "netns", "add", place)
                self._ends.append(_tun(place))
                _run("ip", "link", "set", place, "netns", place)
                for words in (
                    ("addr", "add", f"{address}/24", "dev", place),
                    ("link", "set", place, "up"),
                    ("link", "set", "lo", "up"),
                ):
                    _run("ip", "-n", place, *words)
        except BaseException:
            self._remove()
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(5)
        self._remove()

    def _remove(self) -> None:
        for end in self._ends:
            os.close(end)
        for place in (self.above, self.below):
            subprocess.run(["ip", "netns", "del", place], check=False, capture_output=True)

    def _carry(self) -> None:
        """Carry packets until the context ends."""
        under_way: list[tuple[float, int, int, bytes]] = []
        number = 0
        while not self._over.is_set():
            now = time.monotonic()
            while under_way and under_way[0][0] <= now:
                _, _, end, packet = heapq.heappop(under_way)
                if not self.cut:
                    _put(end, packet)
            rest = min(0.05, under_way[0][0] - now) if under_way else 0.05
            readable, _, _ = select.select(self._ends, [], [], max(0.0, rest))
            for end in readable:
                packet = os.read(end, _LONGEST_PACKET)
                if self.cut or self._random.random() < self.lost:
                    continue
                other = self._ends[1 - self._ends.index(end)]
                number += 1
                heapq.heappush(under_way, (time.monotonic() + self.delay_s, number, other, packet))


def _put(end: int, packet: bytes) -> None:
    # A device that is not up yet takes nothing: a packet more that is lost.
    with suppress(OSError):
        os.write(end, packet)


def _tun(name: str) -> int:
    """A new TUN device of that name; its packets are read from and written to the descriptor."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _run(*words: str) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
