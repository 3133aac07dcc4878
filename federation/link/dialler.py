"""A child's end of the link: dials its parent, again and again, for as long as the node runs.

While the parent is away nothing is lost and nothing piles up here: the journal is on disk, reports collapse
to the latest, and the wait between attempts grows and is stored. When it comes back, the handshake tells from
where to go on. What this module guarantees:

- a stream that ends without an explicit goodbye is a loss, and so is a parent that says nothing for three
  heartbeats, whatever its kernel acknowledges;
- everything that belongs to a link ends with it: its tasks, its calls, its channel;
- a journal that disagrees with the parent's copy is not sent, and the operator is told in words; the link
  itself stays up, so that the parent can still ask, and what is entered meanwhile is kept apart there;
- a journal that is behind is filled up from the parent's copy (`recovering`), and then the handshake is made again.

A ZonghengError of the node's own ports ends the link, and it is dialled again later; any other exception
leaves `run`: whoever runs the dialler decides.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.files_pb2_grpc import FileServiceStub
from zongheng.v1.link_pb2_grpc import LinkServiceStub
from zongheng.v1.mending_pb2_grpc import MendingServiceStub
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError, first_of
from federation.files.lane import FileLane
from federation.files.ports import FileSource
from federation.identity.credentials import Credentials, is_stranger
from federation.link.backoff import BackoffPolicy, Random
from federation.link.channel import CHILD_OPTIONS
from federation.link.handshake import Decision
from federation.link.hello import PROTOCOL
from federation.link.lanes import AnswerLane, LinkLost, PushLane, ReportLane, Stub
from federation.link.ports import Answerer, BackoffStore, ChildJournal, Operator, OwnHead, Reporter
from federation.link.recovering import divert, proven_common, pull_back
from federation.link.relay import (
    AGAIN,
    Dial,
    Event,
    HangUp,
    Lost,
    Phase,
    Relay,
    Report,
    SaveAcknowledged,
    SaveBackoff,
    Seal,
    Send,
    Tick,
    Unseal,
    Wait,
    Welcomed,
    Window,
)
from federation.link.welcome import understand

_HANDSHAKE_S: Final = 10.0
_FAREWELL_S: Final = 1.0
_BEATS: Final = 3

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """The link as the child's operator sees it."""

    state: str
    """resting, dialling, up, sealed or stopped."""
    parent: str = ""
    """Node code of the parent, once it said it."""
    since_us: int = 0
    """When the link came up; 0 while it is down."""
    acknowledged: int = 0
    """Entries the parent holds durably, as of this link or the last."""
    retry_at_us: int = 0
    code: str = ""
    words: str = ""
    """Why the link is down or sealed."""
    clock_offset_ms: int | None = None
    """The parent's clock minus ours at its last word, without the time on the way; None: it has said none."""


class Lane(Protocol):
    """A lane with a service of its own, beside those of the link service."""

    async def run(self, channel: grpc.aio.Channel, session: str) -> None:
        """For as long as this link lives; `session` goes into every first message. Raises LinkLost to end the link; returning ends the
        lane alone. It is cancelled when the link ends, and must then cancel its calls.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChildPorts:
    """What the dialler needs of its node."""

    card: Callable[[], NodeCard]
    """The node's own card; log id, verifier and checkpoint are filled in from the journal."""
    descendants: Callable[[], Sequence[NodeCard]]
    journal: ChildJournal
    reporter: Reporter
    answerer: Answerer
    operator: Operator
    backoff: BackoffStore
    files: FileSource | None = None
    """Files that are to go up; None: this node sends none."""
    welcomed: Callable[[wire.Welcome], Awaitable[None]] | None = None
    """Takes from a welcome what the parent has for its children beside the journal."""
    lanes: Sequence[Lane] = ()
    """Run while both sides agree about this node's journal."""
    stranger: Callable[[], None] = lambda: None
    """Told when whoever answers at the parent's address does not have the parent's key."""


class Dialler:
    """The link of one child to its one parent. Belongs to one event loop; `run` it once."""

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        ports: ChildPorts,
        now_us: Callable[[], int],
        random: Random,
        policy: BackoffPolicy | None = None,
        window: Window | None = None,
    ) -> None:
        """`now_us` must go on by itself: the waits between attempts are measured with it."""
        self._address = address
        self._credentials = credentials
        self._ports = ports
        self._now_us = now_us
        self._random = random
        self._policy = policy or BackoffPolicy()
        self._window = window or Window()
        self._relay: Relay | None = None
        self._push: PushLane | None = None
        self._journal_rests = asyncio.Event()
        self._stopping = asyncio.Event()
        self._dialling = False
        self._status = LinkStatus("resting")

    @property
    def status(self) -> LinkStatus:
        if self._relay is None:
            return self._status
        return replace(self._status, acknowledged=self._relay.acknowledged)

    def stop(self) -> None:
        """Say goodbye and let `run` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop`. Cancelling works too, without the goodbye."""
        self._relay = Relay(self._policy, await self._ports.backoff.load(), self._random, self._window)
        try:
            while not self._stopping.is_set():
                self._dialling = False
                await self._drive(Tick())
                if self._dialling:
                    # In a task of its own: before Python 3.11.4 the task that hosted a failed TaskGroup stays half cancelled, and its
                    # next timeout would end the dialler.
                    async with asyncio.TaskGroup() as one:
                        linking = one.create_task(self._link())
                    lost = linking.result()
                    self._push = None
                    if not self._stopping.is_set():  # an own goodbye is no failure
                        await self._drive(lost)
                await self._ports.operator.attempted()
                if self._dialling:
                    continue
                if self._status.retry_at_us:
                    wait_s = max(0.0, (self._status.retry_at_us - self._now_us()) / 1_000_000)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._stopping.wait()
        finally:
            self._status = replace(self._status, state="stopped", since_us=0)

    async def _drive(self, event: Event) -> None:
        """Feed the relay and obey it."""
        assert self._relay is not None
        commands = self._relay.handle(event, self._now_us())
        if self._relay.is_at_rest:
            self._journal_rests.set()
        else:
            self._journal_rests.clear()
        for command in commands:
            match command:
                case Dial():
                    self._dialling = True
                    self._status = replace(self._status, state="dialling", retry_at_us=0)
                case Wait(until_us):
                    self._status = replace(self._status, retry_at_us=until_us)
                case Send():
                    if self._push is not None:
                        self._push.send(command)
                case SaveAcknowledged(size, cosigned):
                    await self._ports.journal.acknowledged(size, cosigned)
                case SaveBackoff(backoff):
                    await self._ports.backoff.save(backoff)
                case HangUp(code, words):
                    raise LinkLost(code, words)
                case Seal(decision, words):
                    self._status = replace(self._status, state="sealed", words=words)
                    await self._ports.operator.seal(decision, words)
                case Unseal():
                    await self._ports.operator.unseal()
                case Report(code, words):
                    _log.warning("link.trouble", code=code, words=words)
                    await self._ports.operator.report(code, words)

    async def _link(self) -> Lost:
        """One link from dialling to its end; returns why it ended."""
        why = LinkLost("unreachable", "the link ended")
        channel = None
        try:
            channel = self._credentials.channel(self._address, CHILD_OPTIONS)
            await self._converse(channel)
        except* LinkLost as lost:
            why = first_of(lost)
        except* ZonghengError as refused:
            error = first_of(refused)
            why = LinkLost(error.code, error.detail)
        finally:
            if channel is not None:
                await channel.close(None)
        _log.info("link.down", address=self._address, code=why.code, words=why.words)
        self._status = replace(self._status, state="resting", since_us=0, code=why.code, words=why.words)
        if why.code == "untrusted":
            self._ports.stranger()
        return Lost(why.code, why.words, why.retry_after_ms)

    async def _converse(self, channel: grpc.aio.Channel) -> None:
        session = secrets.token_hex(16)
        stub: Stub = LinkServiceStub(channel)
        mending: Stub = MendingServiceStub(channel)
        call = stub.Link()
        try:
            head = await self._ports.journal.head()
            welcome = await self._hello(call, session, head)
            if self._ports.welcomed is not None:
                await self._ports.welcomed(welcome)
            outcome, prefix = await understand(self._ports.journal, head, welcome)
            beat_s = max(0.05, min(welcome.heartbeat_ms, 60_000) / 1_000)
            outbox: asyncio.Queue[wire.LinkRequest] = asyncio.Queue()
            if prefix is not None:
                outbox.put_nowait(wire.LinkRequest(prefix=prefix))
            self._push = PushLane(
                stub,
                session,
                self._ports.journal,
                self._window,
                head.log_id,
                (head.verifier, welcome.parent.verifier),
            )
            self._status = LinkStatus("up", welcome.parent.node, self._now_us())
            self._hear_clock(welcome.at_us)
            await self._ports.operator.met(welcome.parent)
            if outcome.decision is Decision.RENEW:
                await self._ports.operator.offered(welcome.renewed_log_id)
            await self._drive(Welcomed(outcome, welcome.held_size, head.size))
            await self._ports.operator.attempted()
            _log.info("link.up", parent=welcome.parent.node, held=welcome.held_size, size=head.size)
            async with asyncio.TaskGroup() as tasks:
                answers = AnswerLane(channel, session, self._ports.answerer, tasks)
                reports = ReportLane(
                    stub,
                    session,
                    self._ports.reporter,
                    self._ports.operator,
                    changed_cards=welcome.changed_cards,
                )
                tasks.create_task(self._hear(call, beat_s, answers))
                tasks.create_task(self._speak(call, beat_s, outbox))
                tasks.create_task(self._bid_farewell(outbox))
                tasks.create_task(reports.run())
                assert self._relay is not None
                if self._relay.phase is Phase.FLOWING:
                    tasks.create_task(self._push.run(self._drive))
                    tasks.create_task(self._push.watch(self._drive, head.size))
                    if self._ports.files is not None:
                        files = FileLane(
                            FileServiceStub(channel),
                            session,
                            self._ports.files,
                            self._rest_of_journal,
                            self._ports.operator.report,
                        )
                        tasks.create_task(files.run())
                    for lane in self._ports.lanes:
                        tasks.create_task(lane.run(channel, session))
                elif outcome.decision is Decision.QUARANTINE:
                    tasks.create_task(divert(mending, session, self._ports.journal, welcome.held_size))
                elif outcome.decision in (Decision.PULL_BACK, Decision.MEND):
                    tasks.create_task(self._recover(mending, session, outcome.decision, head, welcome))
        finally:
            call.cancel()

    async def _rest_of_journal(self) -> None:
        await self._journal_rests.wait()

    async def _recover(
        self, mending: Stub, session: str, decision: Decision, head: OwnHead, welcome: wire.Welcome
    ) -> None:
        """Bring the sealed journal to what the parent holds; then the handshake is made again."""
        journal = self._ports.journal
        now = await journal.head()
        if now.size == head.size:  # else something was entered while hello was said: look again
            if decision is Decision.MEND:
                common = await proven_common(mending, session, journal, welcome.held_size, welcome.held_root)
                await journal.give_up(common)
            await pull_back(mending, session, journal, welcome.held_size, welcome.held_root)
        raise LinkLost(AGAIN, "the journal is as the parent holds it: the handshake is made again")

    def _hear_clock(self, at_us: int) -> None:
        if at_us:
            self._status = replace(self._status, clock_offset_ms=(at_us - self._now_us()) // 1_000)

    async def _hello(self, call: Any, session: str, head: OwnHead) -> wire.Welcome:
        card = NodeCard()
        card.CopyFrom(self._ports.card())
        card.log_id, card.verifier, card.checkpoint = head.log_id, head.verifier, head.note
        hello = wire.Hello(
            card=card,
            size=head.size,
            root=head.root,
            session=session,
            protocol=PROTOCOL,
            descendants=self._ports.descendants(),
            cosigned=head.cosigned_note,
            at_us=self._now_us(),
        )
        try:
            async with asyncio.timeout(_HANDSHAKE_S):
                await call.write(wire.LinkRequest(hello=hello))
                answer = await call.read()
        except TimeoutError:
            raise LinkLost("unreachable", f"no welcome for {_HANDSHAKE_S:g} s") from None
        except grpc.aio.AioRpcError as error:
            raise LinkLost.because(error) from None
        except asyncio.InvalidStateError:
            # The call was over before a word was said.
            if is_stranger(words := await call.details()):
                raise LinkLost(
                    "untrusted", f"whoever answers does not have the parent's CA key: {words}"
                ) from None
            raise LinkLost("unreachable", "the link broke off") from None
        if answer is EOF:
            raise LinkLost("unreachable", "the parent ended the link before it said welcome")
        if answer.WhichOneof("frame") == "goodbye":
            raise _farewell(answer.goodbye)
        if answer.WhichOneof("frame") != "welcome":
            raise LinkLost("protocol", "the parent's first frame is Welcome")
        welcome: wire.Welcome = answer.welcome
        return welcome

    async def _hear(self, call: Any, beat_s: float, answers: AnswerLane) -> None:
        """Read the parent's control frames."""
        while True:
            try:
                async with asyncio.timeout(_BEATS * beat_s):
                    frame = await call.read()
            except TimeoutError:
                raise LinkLost("unreachable", f"the parent was silent for {_BEATS * beat_s:g} s") from None
            except grpc.aio.AioRpcError as error:
                raise LinkLost.because(error) from None
            if frame is EOF:
                if self._stopping.is_set():
                    raise LinkLost("", "this node is stopping")
                raise LinkLost("unreachable", "the parent went without a goodbye")
            match frame.WhichOneof("frame"):
                case "goodbye":
                    raise _farewell(frame.goodbye)
                case "order":
                    answers.start(frame.order)
                case "cancel":
                    answers.cancel(frame.cancel.order_id)
                case "heartbeat":
                    self._hear_clock(frame.heartbeat.at_us)
                case _:
                    pass  # a frame of a later version: the parent lives

    async def _speak(self, call: Any, beat_s: float, outbox: "asyncio.Queue[wire.LinkRequest]") -> None:
        """Write control frames, and a heartbeat whenever there was none for that long."""
        while True:
            frame = None
            with suppress(TimeoutError):
                async with asyncio.timeout(beat_s):
                    frame = await outbox.get()
            if frame is None:
                frame = wire.LinkRequest(heartbeat=wire.Heartbeat(at_us=self._now_us()))
            try:
                await call.write(frame)
                if frame.WhichOneof("frame") == "goodbye":
                    await call.done_writing()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_FAREWELL_S):
                            await call.code()
                    raise LinkLost("", "this node is stopping")
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return  # the reader learns why

    async def _bid_farewell(self, outbox: "asyncio.Queue[wire.LinkRequest]") -> None:
        await self._stopping.wait()
        outbox.put_nowait(wire.LinkRequest(goodbye=wire.Goodbye(reason="this node is stopping")))


def _farewell(goodbye: wire.Goodbye) -> LinkLost:
    code = "" if goodbye.code == "unreachable" else goodbye.code
    return LinkLost(code, f"the parent said goodbye: {goodbye.reason}", goodbye.retry_after_ms)
