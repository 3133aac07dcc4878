"""Nodes as real processes, for tests: folders made, parents started first, waits with a bound, ended by their pid.

A `Tree` owns every process that it starts: leaving its context ends all of them, children before parents, whatever happened in
between. What goes wrong says which node and shows the end of its log. A node's ports are this process's alone, also while the node is stopped.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import grpc
import httpx
import psutil
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.intake_pb2 import SubmitRequest, SubmitResponse
from zongheng.v1.intake_pb2_grpc import IntakeServiceStub

from node import config, control
from tests.e2e.commands import ROOT, Ran, clean_environment, zongheng
from tests.e2e.ports import free_port

WABO: Final = ROOT / "tests" / "mappings" / "wabo.toml"

READY_S: Final = 120.0
"""Longest wait for a started node to answer."""

END_S: Final = 60.0
"""Longest wait for a node to end by itself."""

_LOG_LINES: Final = 25

T = TypeVar("T")


def until(what: str, holds: Callable[[], T], timeout_s: float = 120.0, every_s: float = 0.1) -> T:
    """Wait until ``holds()`` is true and return what it gave; AssertionError with its last answer when time is up."""
    end = time.monotonic() + timeout_s
    while True:
        answer = holds()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}; last: {answer!r}")
        time.sleep(every_s)


@dataclass
class Node:
    """One node: its folder, its addresses and, while it runs, its process."""

    folder: Path
    code: str
    tier: str
    grpc: str
    http: str
    enrolment: str = ""
    parent: "Node | None" = None
    within: str = ""
    """The network namespace it runs in; it is then reached through the socket in its folder. Empty: where the tests run."""
    process: subprocess.Popen[bytes] | None = None
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        transport = None
        if self.within:
            self.folder.mkdir(mode=0o700)
            # Closed with this process.
            opened = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            transport = httpx.HTTPTransport(uds=f"/proc/{os.getpid()}/fd/{opened}/{control.COMMANDS}")
        # Proxies of the environment are not for this machine's own addresses.
        self.client = httpx.Client(
            base_url=f"http://{self.http}",
            timeout=60.0,
            trust_env=False,
            transport=transport,
            # Well before the server ends an idle connection (5 s): a request on one that just ended fails.
            limits=httpx.Limits(keepalive_expiry=1.0),
        )

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def database(self) -> Path:
        return self.folder / "store.sqlite"

    def log(self) -> str:
        """All that its processes logged."""
        path = self.folder / "test.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def told(self, what: str) -> AssertionError:
        """An error that names the node and shows the end of its log."""
        tail = "\n".join(self.log().splitlines()[-_LOG_LINES:])
        return AssertionError(f"{self.tier} {self.code} {what}\n--- end of its log\n{tail}")

    def start(self, *, clock: str = "") -> Self:
        """Start its process and wait until it is ready; ``clock`` is the instant at which its clock starts this time."""
        return self.begin(clock=clock).await_ready()

    def begin(self, *, clock: str = "") -> Self:
        """Start its process and wait for nothing."""
        assert not self.running, f"{self.code} runs already"
        more = {"ZONGHENG_CLOCK__START": clock} if clock else {}
        prefix = ["ip", "netns", "exec", self.within] if self.within else []
        with (self.folder / "test.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "node", "run", str(self.folder)],
                cwd=ROOT,
                env=clean_environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def await_ready(self) -> Self:
        """Wait until its process answers."""
        assert self.process is not None, f"{self.code} was not started"
        end = time.monotonic() + READY_S
        while not self._ready():
            if not self.running:
                raise self.told(f"ended by itself with {self.process.returncode}")
            if time.monotonic() > end:
                raise self.told(f"was not ready in {READY_S:.0f} s")
            time.sleep(0.05)
        if self.parent is not None and not self.enrolled:
            self.join(self.parent)
        return self

    @property
    def kind(self) -> str:
        return "department" if "." in self.code else self.tier

    @property
    def enrolled(self) -> bool:
        return (self.folder / "certificates" / "node.pem").exists()

    def join(self, parent: "Node") -> None:
        """Become the child of a running parent, as `zongheng invite` and `zongheng join` make it."""
        token = parent.post("/api/invitations", {"node": self.code, "tier": self.kind})["token"]
        joined = self.post("/api/join", {"parent": parent.grpc, "token": token})
        assert joined["joined"], f"{self.code} waits at {parent.code}: {joined}"

    def _ready(self) -> bool:
        if self.within and not control.is_running(self.folder):
            return False  # httpx leaves a socket open whose connection failed
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """Ask it to end, and wait; AssertionError when it does not, or ends with anything but 0."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise self.told(f"did not end within {END_S:.0f} s of SIGTERM") from None
        if code:
            raise self.told(f"ended with {code}")

    def kill(self) -> None:
        """SIGKILL: nothing is said, nothing is finished."""
        process, self.process = self.process, None
        assert process is not None
        assert process.poll() is None, f"{self.code} had ended by itself"
        process.kill()
        process.wait()

    def worker(self) -> psutil.Process:
        """Its media worker, which runs."""
        [worker] = self.children("node.media.worker")
        return worker

    def children(self, module: str) -> list[psutil.Process]:
        """The processes that it started with this module."""
        assert self.process is not None
        all_of_them = psutil.Process(self.process.pid).children()
        return [child for child in all_of_them if module in child.cmdline()]

    def run(self, command: str, *words: object, **environment: str) -> Ran:
        """``zongheng COMMAND DIR WORDS…``, as a process of its own."""
        return zongheng(command, self.folder, *words, **environment)

    def get(self, path: str, **params: Any) -> Any:
        """GET of the running node's API; AssertionError with its log when it does not answer or refuses."""
        return self._decoded(self._asked("GET", path, params=params))

    def post(self, path: str, body: Any) -> Any:
        """POST of JSON to the running node's API."""
        return self._decoded(self._asked("POST", path, json=body))

    def _asked(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return self.client.request(method, path, **content)
        except httpx.HTTPError as error:
            raise self.told(f"does not answer {method} {path}: {type(error).__name__} {error}") from error

    def _decoded(self, response: httpx.Response) -> Any:
        if not response.is_success:
            raise self.told(f"answers {response.status_code} to {response.url.path}: {response.text[:1000]}")
        return response.json()

    def status(self) -> Any:
        return self.get("/api/status")

    def child(self, code: str) -> Any:
        """What it says of one child; None while it knows none of that name."""
        return next((child for child in self.status()["children"] if child["node"] == code), None)

    def alerts(self, **narrow: str) -> list[Any]:
        """All its alerts that fit."""
        found: list[Any] = []
        after = -1
        while True:
            page = self.get("/api/alerts", after=after, limit=5_000, **narrow)
            found += page["alerts"]
            if page["next"] is None:
                return found
            after = page["next"]

    def leaves(self, origin: str = "") -> list[bytes]:
        """The stored bytes of its journal, or of one that it received, read beside whoever has its SQLite file open."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as store:
            rows = store.execute(
                "SELECT leaf FROM journal WHERE origin = ? ORDER BY idx", (origin or self.code,)
            )
            return [bytes(leaf) for (leaf,) in rows]

    def entries(self, kind: str = "", origin: str = "") -> list[Any]:
        """Entries of its journal, or of one that it received; of one kind, or all."""
        entries = [Entry.FromString(leaf) for leaf in self.leaves(origin)]
        return [entry for entry in entries if not kind or entry.HasField(kind)]

    def import_wabo(self, data: Path, *words: str) -> Ran:
        """Import of the real permit log."""
        return self.run("import", data / "wabo" / "receipt.xes.gz", "--mapping", WABO, "--json", *words)

    @contextmanager
    def door(self) -> Iterator[Callable[[SubmitRequest], SubmitResponse]]:
        """Its intake over gRPC, through the socket in its folder."""
        with (
            control.short_path(self.folder, control.INTAKE) as path,
            grpc.insecure_channel(f"unix:{path}", options=control.DOOR_OPTIONS) as channel,
        ):
            stub = IntakeServiceStub(channel)
            yield lambda request: stub.Submit(request, timeout=30)


class Tree:
    """Nodes of one test, ended with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: dict[str, Node] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        troubles = []
        for node in reversed(self.nodes.values()):
            try:
                node.stop()
            except AssertionError as trouble:
                troubles.append(trouble)
            node.client.close()
        if troubles and error is None:
            raise troubles[0]

    def add(
        self,
        tier: str,
        code: str,
        parent: Node | None = None,
        *,
        clock: str = "",
        store: str | None = None,
        confirm: bool = True,
        calendar: str = "china",
        agency: str | None = None,
        host: str = "127.0.0.1",
        within: str = "",
    ) -> Node:
        """Make a node's folder, as `zongheng init` does; `start` starts it, and the first time has it join the parent, which runs by then."""
        name = f"{code}.{agency}" if agency else code
        node = Node(
            self.folder / f"{tier}-{name}",
            name,
            tier,
            f"{host}:{free_port()}",
            f"127.0.0.1:{free_port()}",
            f"{host}:{free_port()}",
            parent,
            within,
        )
        config.initialise(
            node.folder,
            tier=tier,
            name=f"{tier} {code}",
            division=code,
            agency=agency,
            grpc=node.grpc,
            http=node.http,
            enrolment=node.enrolment,
            media=f"{host}:{free_port()}",
            calendar=calendar,
            clock_start=datetime.fromisoformat(clock) if clock else None,
            store=store,
            confirm=confirm,
        )
        self.nodes[name] = node
        return node

    def line(self, *tiers: tuple[str, str], confirm: bool = True) -> list[Node]:
        """A line of nodes, the highest first, each the parent of the next; none is started."""
        nodes: list[Node] = []
        for tier, code in tiers:
            nodes.append(self.add(tier, code, nodes[-1] if nodes else None, confirm=confirm))
        return nodes


def linked(child: Node, parent: Node) -> None:
    """Wait until a link stands, as both its ends see it."""

    def stands() -> bool:
        seen = parent.child(child.code)
        return bool(seen and seen["state"] == "linked" and child.status()["link"]["state"] == "linked")

    until(f"the link of {child.code} to {parent.code} stands", stands)


def knows(node: Node, *below: str) -> None:
    """Wait until a node has heard of everybody who is to be below it: what is for others is refused."""
    until(
        f"{node.code} knows {', '.join(below)}",
        lambda: set(below) <= {one["node"] for one in node.get("/api/policy")["below"]},
    )


def judged(node: Node) -> None:
    """Wait until a node has judged every case as its journal stands: it enters nothing more by itself."""

    def rests() -> bool:
        status = node.status()
        return bool(status["due"] == 0 and status["cursors"]["facts"] == status["journal"]["size"])

    until(f"{node.code} has judged every case", rests)


def caught_up(child: Node, parent: Node, timeout_s: float = 120.0) -> None:
    """Wait until the parent holds, has read and has compared all of the running child's journal, the roots are equal, and the link stands:
    what a parent holds it also held while the child was away.
    """

    def holds() -> bool:
        journal_, held = child.status()["journal"], parent.child(child.code)
        return bool(
            held
            and held["state"] == "linked"
            and journal_["lag"] == 0
            and held["held"] == held["projected"] == held["compared"] == journal_["size"]
            and held["root"] == journal_["root"]
        )

    try:
        until(f"{parent.code} holds all of {child.code}", holds, timeout_s)
    except AssertionError as error:
        raise parent.told(
            f"{error}: child {child.status()['journal']}, {child.status()['link']}; held {parent.child(child.code)}"
        ) from None
