"""Ports for tests: free ones of the loopback address, below the range that the kernel hands out for outgoing connections, each this process's alone for as long as it lives."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import Final

_CLAIMS: Final = Path(tempfile.gettempdir()) / "zongheng-test-ports"
_claimed: Final[list[int]] = []
"""Locked files, one for each port that was given: they are let go with this process."""


def free_port() -> int:
    """A loopback port that nobody listens on now, and that no other run of tests takes from here on."""
    for _ in range(200):
        port = random.SystemRandom().randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if _claim(port):
                return port
    raise AssertionError("no free port on 127.0.0.1")


def _claim(port: int) -> bool:
    _CLAIMS.mkdir(mode=0o777, exist_ok=True)
    file = os.open(_CLAIMS / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    _claimed.append(file)
    return True
