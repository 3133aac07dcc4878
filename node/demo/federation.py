"""The demo's nodes as real processes on this machine: started parents first, fed through the real intake, ended by pid.

Each node is `zongheng run` in a folder of its own, on free loopback ports. Every wait has a bound, and what goes wrong says which node
and shows the end of its log. Leaving the context ends every process that it started, children before parents, whatever
happened in between; a process that does not end by itself within some seconds is killed.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import grpc.aio
import httpx
from zongheng.v1 import intake_pb2
from zongheng.v1.intake_pb2_grpc import IntakeServiceStub

from federation.errors import ZonghengError
from node import config, control
from node.demo.generator import Sent
from node.demo.hall import NOW
from node.demo.items import catalogue
from node.demo.places import ZONE, Place, places

if TYPE_CHECKING:  # only the type stubs know it
    from zongheng.v1.intake_pb2_grpc import IntakeServiceAsyncStub

READY_S: Final = 60.0
"""Longest wait for a started node to answer."""

END_S: Final = 10.0
"""Longest wait for a node to end by itself."""

_POLL_S: Final = 0.25
_BATCH: Final = 400
"""Submissions in one batch, more where one case has more: a case's events stay together."""

_LOG: Final = "node.log"
_LOG_TAIL: Final = 12
_LINE: Final = 400

Told = Callable[[str], None]
"""Takes one line about how far the demo is."""


@dataclass
class Member:
    """One node of the demo: its place, its folder, its addresses and, while it runs, its process."""

    place: Place
    folder: Path
    grpc: str
    http: str
    client: httpx.AsyncClient
    process: asyncio.subprocess.Process | None = None

    @property
    def node(self) -> str:
        return self.place.node

    @property
    def page(self) -> str:
        """Address of its page."""
        return f"http://{self.http}/"

    def log_tail(self) -> str:
        """The last lines of its log."""
        try:
            lines = (self.folder / _LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "(no log)"
        return "\n".join(_shortened(line) for line in lines[-_LOG_TAIL:])

    def failed(self, what: str) -> ZonghengError:
        """An error that names the node and shows the end of its log."""
        words = f"{self.place.name} ({self.node}) {what}\n--- end of {self.folder / _LOG}\n{self.log_tail()}"
        return ZonghengError("store_unavailable", words)

    def require_alive(self) -> None:
        """``ZonghengError`` when its process has ended by itself."""
        if self.process is not None and self.process.returncode is not None:
            raise self.failed(f"ended by itself with code {self.process.returncode}")

    async def get(self, path: str, **params: str | int) -> Any:
        """GET from the node's API: the decoded JSON."""
        return self._decoded(await self._asked("GET", path, params=params))

    async def post(self, path: str, body: Any) -> Any:
        """POST JSON to the node's API: the decoded JSON."""
        return self._decoded(await self._asked("POST", path, json=body))

    async def _asked(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return await self.client.request(method, path, **content)
        except httpx.HTTPError as error:
            self.require_alive()
            raise self.failed(f"does not answer {method} {path}: {type(error).__name__} {error}") from error

    def _decoded(self, response: httpx.Response) -> Any:
        if not response.is_success:
            raise self.failed(f"answers {response.status_code} to {response.url.path}: {response.text[:500]}")
        return response.json()


class Federation:
    """All nodes of the demo, running for as long as the object is entered."""

    def __init__(self, directory: Path, tell: Told) -> None:
        self.directory = directory
        self._tell = tell
        self.members: dict[str, Member] = {}
        # More starts at a time than processors would only make each of them slower.
        self._starting = asyncio.Semaphore(os.cpu_count() or 1)

    async def __aenter__(self) -> Self:
        try:
            self._lay_out()
            for tier in dict.fromkeys(place.tier for place in places()):
                async with asyncio.TaskGroup() as group:
                    for member in self._of_tier(tier):
                        group.create_task(self._start_in_turn(member))
        except BaseException as error:
            await self._end_all()
            raise first_error(error) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end_all()

    @property
    def root(self) -> Member:
        """The city."""
        return self.members[places()[0].node]

    async def start(self, member: Member) -> None:
        """Start a node's process and wait until it is ready; ``ZonghengError`` with its log when it does not get there."""
        with (member.folder / _LOG).open("ab") as log:
            member.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "node",
                "run",
                str(member.folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C at the terminal is for the demo, which then ends its nodes in order.
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(READY_S):
                while not await self._is_ready(member):
                    member.require_alive()
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise member.failed(f"was not ready within {READY_S:.0f} s") from None
        self._tell(f"{member.place.tier} {member.place.name} ({member.node}) runs: {member.page}")

    async def end(self, member: Member) -> None:
        """End a node's process: ask, wait, and only then kill."""
        process = member.process
        if process is None:
            return
        member.process = None
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def publish(self) -> None:
        """Each node enters its agencies and its catalogue; the city issues the key under which payees are matched."""
        year = {"purpose": "payee", "year": NOW.year, "by": "S1", "reason": "演示：补贴跨节点比对"}
        await self.root.post("/api/matching/keys", year)
        async with asyncio.TaskGroup() as group:
            for member in self.members.values():
                group.create_task(self._publish(member))

    async def feed(self, sent: Sequence[Sent], slice_size: int = 200) -> None:
        """Hand all cases in through each node's intake, roughly in time order over the whole tree.

        ``ZonghengError`` when a node rejects a row: what the demo sends is taken in by everybody or the demo is wrong.
        """
        async with contextlib.AsyncExitStack() as stack:
            doors = {
                node: await stack.enter_async_context(_door(member)) for node, member in self.members.items()
            }
            for first in range(0, len(sent), slice_size):
                by_node: dict[str, list[Sent]] = defaultdict(list)
                for one in sent[first : first + slice_size]:
                    by_node[one.node].append(one)
                async with asyncio.TaskGroup() as group:
                    for node, cases in by_node.items():
                        group.create_task(self._submit(self.members[node], doors[node], cases))

    async def _start_in_turn(self, member: Member) -> None:
        async with self._starting:
            await self.start(member)
            if member.place.parent:
                await self._enrol(member, self.members[member.place.parent])

    async def _enrol(self, member: Member, parent: Member) -> None:
        """The parent invites, the child joins: what `zongheng invite` and `zongheng join` do."""
        invited = await parent.post("/api/invitations", {"node": member.node, "tier": member.place.tier})
        joined = await member.post("/api/join", {"parent": parent.grpc, "token": invited["token"]})
        if not joined["joined"]:
            raise member.failed(f"waits for approval at {parent.node}")

    async def _publish(self, member: Member) -> None:
        """The catalogue comes as an import of its own, before any case."""
        async with _door(member) as door:
            started = intake_pb2.StartImportRequest(
                source=_source(member.node),
                items=catalogue(member.place),
                agencies=[desk.message() for desk in member.place.desks],
            )
            started.started.import_id = f"catalogue-{member.node}"
            started.started.file_name = "catalogue"
            await door.StartImport(started)
            await door.FinishImport(intake_pb2.FinishImportRequest(import_id=started.started.import_id))

    async def _submit(self, member: Member, door: "IntakeServiceAsyncStub", cases: Iterable[Sent]) -> None:
        for batch in _batches(cases):
            request = intake_pb2.SubmitRequest(source=_source(member.node), submissions=batch)
            try:
                answer = await door.Submit(request, timeout=60.0)
            except grpc.aio.AioRpcError as error:
                member.require_alive()
                raise member.failed(
                    f"does not take in cases: {error.code().name} {error.details()}"
                ) from error
            if answer.rejected:
                reasons = "; ".join(f"row {one.row}: {one.code} {one.reason}" for one in answer.rejected[:5])
                raise member.failed(f"rejects {len(answer.rejected)} rows: {reasons}")

    async def _is_ready(self, member: Member) -> bool:
        try:
            response = await member.client.get("/readyz", timeout=2.0)
        except httpx.HTTPError:
            return False
        return response.is_success

    def _lay_out(self) -> None:
        """Make every node's folder and settings."""
        # One clock for all, which goes on when a node is ended and run again.
        since = datetime.now(UTC)
        ports = iter(_free_ports(3 * len(places())))
        for place in places():
            folder = self.directory / place.node
            settings = config.initialise(
                folder,
                tier=place.tier,
                name=place.name,
                division=place.node,
                grpc=f"127.0.0.1:{next(ports)}",
                http=f"127.0.0.1:{next(ports)}",
                enrolment=f"127.0.0.1:{next(ports)}",
                zone=ZONE,
                calendar="china",
                clock_start=NOW,
                clock_since=since,
            )
            client = httpx.AsyncClient(
                base_url=f"http://{settings.http}",
                timeout=120.0,
                trust_env=False,
                # Well before the server ends an idle connection (5 s): a request on one that just ended fails.
                limits=httpx.Limits(keepalive_expiry=1.0),
            )
            self.members[place.node] = Member(place, folder, settings.grpc, settings.http, client)

    def _of_tier(self, tier: str) -> list[Member]:
        return [member for member in self.members.values() if member.place.tier == tier]

    async def _end_all(self) -> None:
        for tier in dict.fromkeys(place.tier for place in reversed(places())):
            await asyncio.gather(*(self.end(member) for member in self._of_tier(tier)))
        await asyncio.gather(*(self._end_by_hand(member) for member in self.members.values()))
        for member in self.members.values():
            await member.client.aclose()

    async def _end_by_hand(self, member: Member) -> None:
        """A node that the visitor ran again, as the tour says, ends with the demo: its folder and its parent go."""
        asked = False
        for _ in range(int(END_S / _POLL_S)):
            try:
                with control.FolderLock(member.folder):
                    return
            except FileNotFoundError:
                return
            except ZonghengError:  # somebody has it open
                if not asked:
                    asked = await self._ask_to_end(member)
            await asyncio.sleep(_POLL_S)

    async def _ask_to_end(self, member: Member) -> bool:
        """False: it does not answer yet."""
        try:
            answer = await member.client.get("/api/status", timeout=2.0)
            os.kill(answer.json()["pid"], signal.SIGTERM)
        except (httpx.HTTPError, ValueError, KeyError, ProcessLookupError):
            return False
        return True


def first_error(error: BaseException) -> BaseException:
    """The first error of a task group: one line says more than a tree of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _shortened(line: str) -> str:
    """A log line of readable length: its beginning, and its end, where an exception says what it is."""
    return line if len(line) <= _LINE else f"{line[: _LINE // 2]} … {line[-_LINE // 2 :]}"


def _source(node: str) -> str:
    return f"demo-{node}"


def _batches(cases: Iterable[Sent]) -> Iterable[list[intake_pb2.Submission]]:
    """Submissions in batches that hold whole cases."""
    batch: list[intake_pb2.Submission] = []
    for one in cases:
        if batch and len(batch) + len(one.submissions) > _BATCH:
            yield batch
            batch = []
        batch.extend(one.submissions)
    if batch:
        yield batch


@contextlib.asynccontextmanager
async def _door(member: Member) -> AsyncIterator["IntakeServiceAsyncStub"]:
    """The node's intake, through the socket in its folder that only its owner may open."""
    with control.short_path(member.folder, control.INTAKE) as path:
        async with grpc.aio.insecure_channel(f"unix:{path}", options=control.DOOR_OPTIONS) as channel:
            yield IntakeServiceStub(channel)


def _free_ports(count: int) -> list[int]:
    """Loopback ports that are free now. All are held at once while they are looked for, so no two are the same."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            probe.bind(("127.0.0.1", 0))
            ports.append(int(probe.getsockname()[1]))
        return ports
