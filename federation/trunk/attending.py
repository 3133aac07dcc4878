"""Both ends of `Attend`: a parent asks a child whether somebody may look, orders streams and withdraws them; the child answers, refuses, and puts viewers out.

It is a lane of the link, an RPC of its own that the child dials as long as the link lives. So a node of an earlier version simply has no such lane, in
either direction: a parent knows by it which children can be asked, and a child whose parent does not know the service goes on without.

Live questions (`federation/trunk/live.py`) go over the same lane in both directions, where both sides say at its beginning that they know them.

Nothing of it is kept: after a break the parent asks again for everybody who still looks, under the same names, and orders again what does not come. What that does with
what went on meanwhile is for the two nodes (`ForParent`, `ForChildren`) to say.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

import grpc
import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import viewing_pb2 as wire
from zongheng.v1.live_pb2 import LiveAnswer, LiveQuestion
from zongheng.v1.viewing_pb2_grpc import (
    ViewingServiceServicer,
    ViewingServiceStub,
    add_ViewingServiceServicer_to_server,
)

from federation.errors import ZonghengError, abort, first_of, from_rpc, of
from federation.link.hello import failure
from federation.link.lanes import LinkLost
from federation.link.listener import Listener
from federation.link.session import Session
from federation.trunk.live import PARENT, LivePeers, SayLive

MOST_QUESTIONS: Final = 256
"""Questions to one child that are not answered yet, and those that a child works on."""

Say = Callable[[wire.AttendRequest], None]

_log = structlog.get_logger(__name__)


class ForParent(Protocol):
    """What a child does for its parent."""

    def attended(self, say: Say) -> None:
        """The lane is open; `say` puts in what the parent is to hear."""
        ...

    def left(self) -> None:
        """It is not any more: the parent may be away, or ask again in a moment."""
        ...

    async def asked(self, question: wire.ViewingQuestion) -> int:
        """May this viewer look, or have the picture that the question names? Returns how far from the camera this node is. Raises ZonghengError for no."""
        ...

    async def ended(self, viewing: str) -> None:
        """This viewer is gone."""
        ...

    async def ordered(self, order: wire.CarryOrder) -> None:
        """Have the stream carried. Raises ZonghengError where that cannot be; what happens later is said in a refusal."""
        ...

    async def withdrawn(self, ticket: bytes) -> None:
        """The parent does not need it any more."""
        ...


class ForChildren(Protocol):
    """What a parent does about its children."""

    def attends(self, child: str) -> None:
        """This child can be asked now."""
        ...

    def absent(self, child: str) -> None:
        """It cannot any more."""
        ...

    async def removal(self, child: str, removal: wire.ViewingRemoval) -> None:
        """A node below puts a viewer out."""
        ...

    async def refusal(self, child: str, ticket: bytes, error: ZonghengError) -> None:
        """An order is not carried out, or not any more."""
        ...


class AttendLane:
    """The child's end; a lane of the dialler."""

    def __init__(self, node: ForParent, live: LivePeers | None = None) -> None:
        """`live`: None where this node knows no live questions."""
        self._node = node
        self._live = live

    async def run(self, channel: grpc.aio.Channel, session: str) -> None:
        stub: Any = ViewingServiceStub(channel)
        call = stub.Attend()
        said: asyncio.Queue[wire.AttendRequest] = asyncio.Queue()
        say_live = _asking(said)
        knows = wire.AttendKnows(live_questions=self._live is not None)
        broken: Exception | None = None
        try:
            await call.write(wire.AttendRequest(session=session, knows=knows))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._speak(call, session, said))
                self._node.attended(said.put_nowait)
                await self._hear(call, said, say_live, tasks)
        except* (grpc.aio.AioRpcError, asyncio.InvalidStateError, LinkLost) as group:
            broken = first_of(group)
        finally:
            if self._live is not None:
                self._live.closed(PARENT, say_live)
            self._node.left()
            call.cancel()
        if isinstance(broken, LinkLost):
            raise broken
        if not isinstance(broken, grpc.aio.AioRpcError):
            raise LinkLost("unreachable", "the lane for viewers broke off")
        if broken.code() is not grpc.StatusCode.UNIMPLEMENTED:
            told = from_rpc(broken)
            raise LinkLost(told.code, told.detail, told.retry_after_ms)
        _log.info("attend.unknown", words="the parent is of a version that carries no pictures")

    async def _speak(self, call: Any, session: str, said: "asyncio.Queue[wire.AttendRequest]") -> None:
        while True:
            message = await said.get()
            message.session = session
            await call.write(message)

    async def _hear(
        self,
        call: Any,
        said: "asyncio.Queue[wire.AttendRequest]",
        say_live: SayLive,
        tasks: asyncio.TaskGroup,
    ) -> None:
        under_way = 0

        def over(_: object) -> None:
            nonlocal under_way
            under_way -= 1

        while (message := await call.read()) is not EOF:
            if self._live is not None and self._hear_live(message, self._live, say_live):
                continue
            if under_way >= MOST_QUESTIONS:
                self._refuse(message, said)
                continue
            under_way += 1
            tasks.create_task(self._obey(message, said)).add_done_callback(over)
        raise LinkLost("unreachable", "the parent ended the lane for viewers without a word")

    @staticmethod
    def _hear_live(message: wire.AttendResponse, live: LivePeers, say: SayLive) -> bool:
        """Whether this was about live questions."""
        match message.WhichOneof("part"):
            case "knows":
                if message.knows.live_questions:
                    live.opened(PARENT, say)
            case "live_question":
                live.question(PARENT, message.live_question)
            case "live_answer":
                live.answer(PARENT, message.live_answer)
            case _:
                return False
        return True

    async def _obey(self, message: wire.AttendResponse, said: "asyncio.Queue[wire.AttendRequest]") -> None:
        try:
            match message.WhichOneof("part"):
                case "question":
                    hop = await self._node.asked(message.question)
                    noted = message.question.HasField("picture")
                    answer = wire.ViewingAnswer(viewing=message.question.viewing, hop=hop, noted=noted)
                    said.put_nowait(wire.AttendRequest(answer=answer))
                case "end":
                    await self._node.ended(message.end.viewing)
                case "order":
                    await self._node.ordered(message.order)
                case "withdrawal":
                    await self._node.withdrawn(message.withdrawal.ticket)
                case _:
                    pass  # a message of a later version
        except Exception as failed:
            if not isinstance(failed, ZonghengError):
                _log.exception("attend.failed")
            self._refuse(message, said, of(failed))

    def _refuse(
        self,
        message: wire.AttendResponse,
        said: "asyncio.Queue[wire.AttendRequest]",
        error: ZonghengError | None = None,
    ) -> None:
        told = error or ZonghengError("busy", "too much is asked of this node at once: try again in a while")
        match message.WhichOneof("part"):
            case "question":
                no = wire.ViewingAnswer(viewing=message.question.viewing, code=told.code, words=told.detail)
                said.put_nowait(wire.AttendRequest(answer=no))
            case "order":
                refusal = wire.CarryRefusal(ticket=message.order.ticket, code=told.code, words=told.detail)
                said.put_nowait(wire.AttendRequest(refusal=refusal))


def _asking(said: "asyncio.Queue[wire.AttendRequest]") -> SayLive:
    """Puts live questions and answers into what a child says to its parent."""

    def say(message: LiveQuestion | LiveAnswer) -> None:
        if isinstance(message, LiveQuestion):
            said.put_nowait(wire.AttendRequest(live_question=message))
        else:
            said.put_nowait(wire.AttendRequest(live_answer=message))

    return say


class _Attending:
    """One child's lane as long as it is open."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.outbox: asyncio.Queue[wire.AttendResponse] = asyncio.Queue()
        self.questions: dict[str, asyncio.Future[wire.ViewingAnswer]] = {}

    def say_live(self, message: LiveQuestion | LiveAnswer) -> None:
        if isinstance(message, LiveQuestion):
            self.outbox.put_nowait(wire.AttendResponse(live_question=message))
        else:
            self.outbox.put_nowait(wire.AttendResponse(live_answer=message))


class AttendService(ViewingServiceServicer):
    """The parent's end. All of it runs in the listener's event loop."""

    def __init__(self, listener: Listener, node: ForChildren, live: LivePeers | None = None) -> None:
        """`live`: None where this node knows no live questions."""
        self._listener = listener
        self._node = node
        self._live = live
        self._open: dict[str, _Attending] = {}

    def add_to(self, server: grpc.aio.Server) -> None:
        add_ViewingServiceServicer_to_server(self, server)

    def can_ask(self, child: str) -> bool:
        return child in self._open

    async def ask(self, child: str, question: wire.ViewingQuestion, within_s: float) -> int:
        """Ask a child whether somebody may look; returns how far it is from the camera. Raises ZonghengError: what it refuses with, `unreachable`, `deadline`, `busy`."""
        attending = self._attending(child)
        if len(attending.questions) >= MOST_QUESTIONS or question.viewing in attending.questions:
            raise ZonghengError("busy", f"too much is asked of {child} at once: try again in a while")
        answered: asyncio.Future[wire.ViewingAnswer] = asyncio.get_running_loop().create_future()
        attending.questions[question.viewing] = answered
        try:
            attending.outbox.put_nowait(wire.AttendResponse(question=question))
            async with asyncio.timeout(within_s):
                answer = await answered
        except TimeoutError:
            raise ZonghengError("deadline", f"{child} did not say in time whether you may look") from None
        finally:
            attending.questions.pop(question.viewing, None)
        if answer.code:
            raise failure(answer.code, answer.words)
        if question.HasField("picture") and not answer.noted:
            raise ZonghengError(
                "unreachable",
                f"{child} does not enter who takes pictures: it, or a node below it, is to be upgraded first",
            )
        return answer.hop

    def say(self, child: str, message: wire.AttendResponse) -> None:
        """Let a child hear something, if it is there."""
        if attending := self._open.get(child):
            attending.outbox.put_nowait(message)

    def _attending(self, child: str) -> _Attending:
        if attending := self._open.get(child):
            return attending
        if self._listener.is_connected(child):
            raise ZonghengError(
                "unreachable",
                f"{child} is connected and cannot be asked for pictures: it has just come, or is to be upgraded first",
            )
        raise ZonghengError("unreachable", f"{child} is not connected")

    async def Attend(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        attending: _Attending | None = None
        try:
            first = await self._listener.next_frame(context, None)
            if first is None:
                return
            session = self._listener.live(context, first.session)
            attending = self._open[session.node] = _Attending(session)
            self._node.attends(session.node)
            if self._live is not None and first.knows.live_questions:
                knows = wire.AttendKnows(live_questions=True)
                attending.outbox.put_nowait(wire.AttendResponse(knows=knows))
                self._live.opened(session.node, attending.say_live)
            async with asyncio.TaskGroup() as tasks:
                speaking = tasks.create_task(self._speak(context, attending))
                await self._hear(context, attending)
                speaking.cancel()
        except* ZonghengError as refused:
            await abort(context, of(refused))
        finally:
            if attending is not None:
                self._leave(attending)

    def _leave(self, attending: _Attending) -> None:
        child = attending.session.node
        for answered in attending.questions.values():
            if not answered.done():
                answered.set_exception(ZonghengError("unreachable", f"the link to {child} ended"))
        if self._live is not None:
            self._live.closed(child, attending.say_live)
        if self._open.get(child) is attending:
            del self._open[child]
            self._node.absent(child)

    async def _speak(self, context: Any, attending: _Attending) -> None:
        async with attending.session.while_it_lives():
            while True:
                await context.write(await attending.outbox.get())

    async def _hear(self, context: Any, attending: _Attending) -> None:
        session = attending.session
        while (request := await self._listener.next_frame(context, session)) is not None:
            self._listener.live(context, request.session, session)
            match request.WhichOneof("part"):
                case "answer":
                    answered = attending.questions.get(request.answer.viewing)
                    if answered is not None and not answered.done():
                        answered.set_result(request.answer)
                case "removal":
                    await self._node.removal(session.node, request.removal)
                case "refusal":
                    told = failure(request.refusal.code, request.refusal.words)
                    await self._node.refusal(session.node, request.refusal.ticket, told)
                case "live_question" if self._live is not None:
                    self._live.question(session.node, request.live_question)
                case "live_answer" if self._live is not None:
                    self._live.answer(session.node, request.live_answer)
                case _:
                    pass  # a message of a later version
