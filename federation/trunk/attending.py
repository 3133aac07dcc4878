"""Both ends of `Attend`: a parent asks a child whether somebody may look, orders streams and withdraws them; the child answers, refuses, and puts viewers out. For streams that go down a child asks
its parent the same, and wishes for the stream.

It is a lane of the link, an RPC of its own that the child dials as long as the link lives. So a node of an earlier version simply has no such lane, in
either direction: a parent knows by it which children can be asked, and a child whose parent does not know the service goes on without.

Live questions (`federation/trunk/live.py`) go over the same lane in both directions. Of these and of streams that go down both sides say at the lane's beginning that they know them; a side
that does not is not asked.

Nothing of it is kept: after a break whoever asked asks again for everybody who still looks, under the same names, and orders again what does not come. What that does with
what went on meanwhile is for the two nodes (`federation/trunk/neighbours.py`) to say.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

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
from federation.trunk.neighbours import ForChildren, ForParent
from federation.trunk.unanswered import MOST_QUESTIONS, Unanswered

MOST_AT_WORK: Final = MOST_QUESTIONS
"""What one side asks that the other works on at once; what comes on top is refused."""

_log = structlog.get_logger(__name__)


class AttendLane:
    """The child's end; a lane of the dialler."""

    def __init__(self, node: ForParent, live: LivePeers | None = None) -> None:
        """`live`: None where this node knows no live questions."""
        self._node = node
        self._live = live
        self._asked: Unanswered | None = None
        """Of the parent, while it is there and lets streams go down."""

    async def ask(self, question: wire.ViewingQuestion, within_s: float) -> int:
        """Ask the parent whether somebody here or below may look at a stream that is not below; returns how far it is from the camera.

        Raises ZonghengError: what it refuses with, `unreachable`, `deadline`, `busy`.
        """
        if self._asked is None:
            raise ZonghengError(
                "unreachable",
                "the node above is not connected, or is to be upgraded first: no stream goes down from it",
            )
        return await self._asked.ask(question, within_s)

    async def run(self, channel: grpc.aio.Channel, session: str) -> None:
        stub: Any = ViewingServiceStub(channel)
        call = stub.Attend()
        said: asyncio.Queue[wire.AttendRequest] = asyncio.Queue()
        say_live = _asking(said)
        asked = Unanswered(
            "the node above", lambda question: said.put_nowait(wire.AttendRequest(question=question))
        )
        knows = wire.AttendKnows(live_questions=self._live is not None, goes_down=True)
        broken: Exception | None = None
        try:
            await call.write(wire.AttendRequest(session=session, knows=knows))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._speak(call, session, said))
                self._node.attended(said.put_nowait)
                await self._hear(call, said, say_live, asked, tasks)
        except* (grpc.aio.AioRpcError, asyncio.InvalidStateError, LinkLost) as group:
            broken = first_of(group)
        finally:
            self._asked = None
            asked.lost()
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
        asked: Unanswered,
        tasks: asyncio.TaskGroup,
    ) -> None:
        work = _Work(tasks)
        while (message := await call.read()) is not EOF:
            match message.WhichOneof("part"):
                case "knows":
                    if self._live is not None and message.knows.live_questions:
                        self._live.opened(PARENT, say_live)
                    if message.knows.goes_down:
                        self._asked = asked
                        self._node.goes_down()
                case "live_question" if self._live is not None:
                    self._live.question(PARENT, message.live_question)
                case "live_answer" if self._live is not None:
                    self._live.answer(PARENT, message.live_answer)
                case "answer":
                    asked.answered(message.answer)
                case "question" | "order" if work.is_full:
                    self._refuse(message, said)
                case _:
                    work.begin(self._obey(message, said))
        raise LinkLost("unreachable", "the parent ended the lane for viewers without a word")

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
                case "removal":
                    await self._node.removed(message.removal)
                case "ticket":
                    self._node.ticketed(message.ticket)
                case "wish_refusal":
                    told = failure(message.wish_refusal.code, message.wish_refusal.words)
                    self._node.wish_refused(message.wish_refusal.wish, told)
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


class _Work:
    """What one side does of what the other asks, begun in the order in which it was asked."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._begun: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        return len(self._begun) >= MOST_AT_WORK

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks.create_task(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    def leave_off(self) -> None:
        for task in self._begun:
            task.cancel()


class _Attending:
    """One child's lane as long as it is open."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.outbox: asyncio.Queue[wire.AttendResponse] = asyncio.Queue()
        self.asked = Unanswered(
            session.node, lambda question: self.outbox.put_nowait(wire.AttendResponse(question=question))
        )

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
        return await self._attending(child).asked.ask(question, within_s)

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
            if first.HasField("knows"):
                knows = wire.AttendKnows(live_questions=self._live is not None, goes_down=True)
                attending.outbox.put_nowait(wire.AttendResponse(knows=knows))
            if self._live is not None and first.knows.live_questions:
                self._live.opened(session.node, attending.say_live)
            async with asyncio.TaskGroup() as tasks:
                speaking, work = tasks.create_task(self._speak(context, attending)), _Work(tasks)
                await self._hear(context, attending, work)
                speaking.cancel()
                work.leave_off()
        except* ZonghengError as refused:
            await abort(context, of(refused))
        finally:
            if attending is not None:
                self._leave(attending)

    def _leave(self, attending: _Attending) -> None:
        child = attending.session.node
        attending.asked.lost()
        if self._live is not None:
            self._live.closed(child, attending.say_live)
        if self._open.get(child) is attending:
            del self._open[child]
            self._node.absent(child)

    async def _speak(self, context: Any, attending: _Attending) -> None:
        async with attending.session.while_it_lives():
            while True:
                await context.write(await attending.outbox.get())

    async def _hear(self, context: Any, attending: _Attending, work: _Work) -> None:
        session = attending.session
        while (request := await self._listener.next_frame(context, session)) is not None:
            self._listener.live(context, request.session, session)
            match request.WhichOneof("part"):
                case "answer":
                    attending.asked.answered(request.answer)
                case "live_question" if self._live is not None:
                    self._live.question(session.node, request.live_question)
                case "live_answer" if self._live is not None:
                    self._live.answer(session.node, request.live_answer)
                case "question" | "wish" if work.is_full:
                    self._refuse(attending, request)
                case _:
                    work.begin(self._obey(attending, request))

    async def _obey(self, attending: _Attending, request: wire.AttendRequest) -> None:
        child = attending.session.node
        try:
            match request.WhichOneof("part"):
                case "removal":
                    await self._node.removal(child, request.removal)
                case "refusal":
                    told = failure(request.refusal.code, request.refusal.words)
                    await self._node.refusal(child, request.refusal.ticket, told)
                case "question":
                    hop = await self._node.asked_below(child, request.question)
                    noted = request.question.HasField("picture")
                    answer = wire.ViewingAnswer(viewing=request.question.viewing, hop=hop, noted=noted)
                    attending.outbox.put_nowait(wire.AttendResponse(answer=answer))
                case "end":
                    await self._node.ended_below(child, request.end.viewing)
                case "wish":
                    await self._node.wished(child, request.wish)
                case "wish_over":
                    self._node.wish_over(child, request.wish_over.wish)
                case _:
                    pass  # a message of a later version
        except Exception as failed:
            if not isinstance(failed, ZonghengError):
                _log.exception("attend.failed", child=child)
            self._refuse(attending, request, of(failed))

    @staticmethod
    def _refuse(
        attending: _Attending, request: wire.AttendRequest, error: ZonghengError | None = None
    ) -> None:
        told = error or ZonghengError("busy", "too much is asked of this node at once: try again in a while")
        match request.WhichOneof("part"):
            case "question":
                no = wire.ViewingAnswer(viewing=request.question.viewing, code=told.code, words=told.detail)
                attending.outbox.put_nowait(wire.AttendResponse(answer=no))
            case "wish":
                refusal = wire.CarryDownRefusal(wish=request.wish.wish, code=told.code, words=told.detail)
                attending.outbox.put_nowait(wire.AttendResponse(wish_refusal=refusal))
