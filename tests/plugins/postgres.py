"""A PostgreSQL server of the tests' own: a temporary data directory, a loopback port, no fsync, gone afterwards.

`postgres_url` gives each test an empty database. Without PostgreSQL on the machine the test is skipped, naming the package to
install; where ``CI=true`` it fails instead, so that nobody believes something was tested.
"""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

_PLACES = "/usr/lib/postgresql/*/bin"
_MISSING = "PostgreSQL is not installed here: install its server (Debian: apt-get install postgresql; Fedora: dnf install postgresql-server)"
_START_S = 60.0
_names = count(1)


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://zongheng@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run one statement outside any transaction, as an administrator would."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url())
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        _elsewhere(run())


def _elsewhere(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end on a thread with a loop of its own: the test's loop is not touched."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def binary(name: str) -> str | None:
    """The path of one of PostgreSQL's programs: the newest version under /usr/lib, else what PATH has."""
    versions = sorted(
        Path("/").glob(_PLACES.lstrip("/")), key=lambda path: _number(path.parent.name), reverse=True
    )
    for folder in versions:
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name)


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for user in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(user)
        except KeyError:
            continue
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The server, started at the first test that asks for it."""
    initdb, postgres = binary("initdb"), binary("postgres")
    if initdb is None or postgres is None:
        if os.environ.get("CI") == "true":
            pytest.fail(_MISSING)
        pytest.skip(_MISSING)
    user = _unprivileged()
    # Not below pytest's own folder: that is closed to other users, and socket paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="zh-pg-"))
    identity: dict[str, Any] = {}
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    log = (folder / "log").open("wb")
    server: subprocess.Popen[bytes] | None = None
    try:
        made = subprocess.run(
            [
                initdb,
                "-D",
                str(folder / "base"),
                "-U",
                "zongheng",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "-N",
            ],
            cwd=folder,
            env=environment,
            capture_output=True,
            **identity,
        )
        if made.returncode:
            pytest.fail(f"initdb failed: {made.stderr.decode()}")
        port = _free_port()
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 60,
            "shared_buffers": "32MB",
            "autovacuum": "off",
        }
        server = subprocess.Popen(
            [
                postgres,
                "-D",
                str(folder / "base"),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            **identity,
        )
        _wait_for(server, port, folder / "log")
        yield Server(port)
    finally:
        if server is not None:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.send_signal(3)  # SIGQUIT: immediate shutdown.
                server.wait(30)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"PostgreSQL ended with {server.returncode}: {log.read_text(errors='replace')}")
        try:
            _elsewhere(_probe(port))
        except (OSError, asyncpg.PostgresError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"PostgreSQL did not start within {_START_S:.0f} s: {log.read_text(errors='replace')}")


async def _probe(port: int) -> None:
    connection = await asyncpg.connect(Server(port).url(), timeout=5)
    await connection.close()


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    name = f"node_{next(_names)}"
    postgres_server.execute(f"CREATE DATABASE {name}")
    yield postgres_server.url(name)
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")
