"""A node's folder as the place where its owner reaches it: one lock, one socket for commands, one for intake.

Guarantees: whoever holds ``lock`` is the only process that writes the node's store, and the kernel drops the lock when that
process dies, however it dies. Sockets are bound only under the lock (gRPC takes over a live socket without a word),
through the folder's descriptor, because a socket's path may have 107 characters and a folder's may have more. The folder has mode
0700: who may open the sockets is who owns the folder.
"""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from federation.errors import ZonghengError

COMMANDS = "control.sock"
INTAKE = "intake.sock"
LOCK = "lock"

DOOR_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
"""For a gRPC channel to a ``short_path``. gRPC lets channels of one address share a connection, also one that is just being closed; the
address names a descriptor, and its number is another folder's a moment later: what is meant for one node would reach another."""


class FolderLock:
    """The exclusive lock on a node's folder, held for as long as the object is entered."""

    def __init__(self, folder: Path, patience_s: float = 0.0) -> None:
        """``patience_s``: how long entering waits for another process to let go."""
        self.folder = folder
        self._patience_s = patience_s
        self._file: int | None = None

    def __enter__(self) -> Self:
        descriptor = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + self._patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(descriptor)
                    raise ZonghengError(
                        "store_locked",
                        f"{self.folder} is in use by another process: is `zongheng run` or an import still going on?",
                    ) from None
                time.sleep(0.05)
        self._file = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextlib.contextmanager
def short_path(folder: Path, name: str) -> Iterator[str]:
    """A path to ``folder/name`` that is short whatever the folder's is; good for as long as the context lasts."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/{os.getpid()}/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


def bind(folder: Path, name: str) -> socket.socket:
    """A listening socket at ``folder/name``. The caller holds the folder's lock, so a leftover file is a dead one."""
    with contextlib.suppress(FileNotFoundError):
        (folder / name).unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_path(folder, name) as path:
        listener.bind(path)
    (folder / name).chmod(0o600)
    listener.listen(128)
    return listener


def is_running(folder: Path) -> bool:
    """Whether a running node answers at the folder's command socket."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(2.0)
    try:
        with short_path(folder, COMMANDS) as path:
            probe.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    finally:
        probe.close()
    return True
