"""A parent's end of the link: children dial in here, push their journals, report, and answer what they are
asked.

- Who calls is who its certificate says, by the key that is registered (`Gate`). A session belongs to the peer that began it, and a
  child speaks only for itself and the nodes below it.
- One live session a node: a newer one fences the older off, whose calls are refused with `fenced`.
- Nothing is acknowledged that the inbox has not made durable. A batch whose root is not the signed one, a
  head that does not continue what is held: the journal is quarantined, and both signed heads go to the inbox
  as evidence.
- A child that says nothing for three heartbeats is gone, whatever its kernel acknowledges. Everything of its
  session ends with it.
- What a child can make us keep is bounded: message size, descendants, parts of an answer waiting to be read,
  and time for a first frame. Garbage on the port never reaches this module.
- A herd is let in at a pace (`admission`): who is turned away, or sent away when the parent stops, is told a
  time of its own to come back.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.link_pb2_grpc import LinkServiceServicer, add_LinkServiceServicer_to_server
from zongheng.v1.query_pb2 import AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError, abort
from federation.identity.peer import certificate_of
from federation.journal.merkle import ProofError
from federation.link.admission import Admission
from federation.link.greeting import greet
from federation.link.handshake import Decision, Prefix, Shown, parent_confirms
from federation.link.hello import check_hello, failure, nodes_below, shown_head
from federation.link.ports import Accepted, Gate, Held, ParentInbox, ReportSink
from federation.link.session import PendingOrder, Session, SessionStatus
from federation.query.part import Parts
from federation.rollup.row import RollupRow, unpack

MAX_REPORT_ROWS: Final = 1_000_000
"""Most rows in one report."""

_FIRST_FRAME_S: Final = 10.0
_BEATS: Final = 3
_FENCED_RETRY_MS: Final = 30_000
"""Who is still there to read this shares its identity with another process: the two must not fence each other
in turns.
"""

_log = structlog.get_logger(__name__)


class _LinkEnded(Exception):
    """The child said goodbye, or a farewell was sent: the stream is over."""


class Listener(LinkServiceServicer):
    """The link service of one parent. All of it runs in one event loop."""

    def __init__(
        self,
        card: Callable[[], NodeCard],
        gate: Gate,
        inbox: ParentInbox,
        sink: ReportSink,
        now_us: Callable[[], int],
        heartbeat_ms: int = 5_000,
        linked: Callable[[str, bool], None] = lambda node, connected: None,
        hand_down: Callable[[wire.Welcome], None] = lambda welcome: None,
    ) -> None:
        """`card` is the parent's own; `linked` is told when a child connects and when its link ends; `hand_down` adds to
        a welcome what the parent has for its children.
        """
        self._card = card
        self._gate = gate
        self._inbox = inbox
        self._sink = sink
        self._now_us = now_us
        self._heartbeat_ms = heartbeat_ms
        self._linked = linked
        self._hand_down = hand_down
        self._by_node: dict[str, Session] = {}
        self._by_id: dict[str, Session] = {}
        self._closing: ZonghengError | None = None
        self._admission = Admission()

    def add_to(self, server: grpc.aio.Server) -> None:
        add_LinkServiceServicer_to_server(self, server)

    def sessions(self) -> list[SessionStatus]:
        """The children that are connected."""
        return [session.status() for session in self._by_node.values()]

    def is_connected(self, node: str) -> bool:
        return node in self._by_node

    def close(self, reason: str = "the parent is stopping", retry_after_ms: int = 0) -> None:
        """Say goodbye to every child and take no new one; then stop the server with a grace of a second or
        so. Each child is told a time of its own to come back, unless `retry_after_ms` is given.
        """
        self._closing = ZonghengError("unreachable", reason, retry_after_ms=retry_after_ms or 1_000)
        for session in list(self._by_node.values()):
            own_ms = retry_after_ms or self._admission.later(self._now_us())
            session.end(ZonghengError("unreachable", reason, retry_after_ms=own_ms))

    def dismiss(self, node: str, error: ZonghengError) -> None:
        """End a child's session, if it has one, with what it is to be told; whether it may come back is the gate's to say."""
        if session := self._by_node.get(node):
            session.end(error)

    def release(self, node: str) -> None:
        """Let a child connect again, for instance because an operator lifted its quarantine."""
        self.dismiss(node, ZonghengError("unreachable", "the handshake is to be made again"))

    async def ask(self, child: str, question: Question, deadline: float) -> Parts:
        """The child's answer, part by part, until `deadline` on the event loop's clock.

        Raises ZonghengError: `unreachable`, `deadline`, `busy`, or what the child failed with. Closing the
        iterator cancels the question down there.
        """
        session = self._by_node.get(child)
        if session is None:
            raise ZonghengError("unreachable", f"{child} is not connected")
        left_ms = int((deadline - asyncio.get_running_loop().time()) * 1_000)
        if left_ms <= 0:
            raise ZonghengError("deadline", f"no time is left to ask {child}")
        order = session.place(question, left_ms)
        try:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        part = await order.get()
                except TimeoutError:
                    raise ZonghengError("deadline", f"{child} did not answer in time") from None
                if part is None:
                    return
                yield part
        finally:
            session.drop(order)

    # The four calls of the service.

    async def Link(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        try:
            session, welcome, held, hello = await self._greet(context)
        except ZonghengError as error:
            _log.warning("link.refused", code=error.code, words=error.detail, peer=context.peer())
            await abort(context, error)
        older = self._by_node.get(session.node)
        self._by_node[session.node] = self._by_id[session.session_id] = session
        if older is not None:
            words = f"a newer session of {session.node} took over"
            older.end(ZonghengError("fenced", words, retry_after_ms=_FENCED_RETRY_MS))
        _log.info("link.up", node=session.node, session=session.session_id, held=held.size, size=hello.size)
        self._linked(session.node, True)
        try:
            await context.write(wire.LinkResponse(welcome=welcome))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(session, context, held, hello))
                tasks.create_task(self._speak(session, context))
        except* _LinkEnded:
            pass
        finally:
            session.end(ZonghengError("unreachable", "the link ended"), goodbye=False)
            del self._by_id[session.session_id]
            if self._by_node.get(session.node) is session:
                del self._by_node[session.node]
                self._linked(session.node, False)
            ended = session.ended
            _log.info("link.down", node=session.node, session=session.session_id, words=str(ended))

    async def Push(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        session: Session | None = None
        try:
            while (request := await self.next_frame(context, session)) is not None:
                session = self.live(context, request.session, session)
                if session.quarantine:
                    raise ZonghengError("quarantined", session.quarantine)
                if not request.leaves:
                    raise ZonghengError("protocol", "a batch has at least one entry")
                accepted = await self._take(session, request)
                answer = wire.PushResponse(size=accepted.size, cosigned=accepted.cosigned)
                await context.write(answer)
        except ZonghengError as error:
            await abort(context, error)

    async def Report(self, request_iterator: Any, context: Any) -> wire.ReportResponse:
        session: Session | None = None
        rows: list[RollupRow] = []
        promised = size = 0
        try:
            while (request := await self.next_frame(context, session)) is not None:
                session = self.live(context, request.session, session)
                promised, size = max(promised, request.rows), request.journal_size
                if request.cards:
                    known = session.members if request.only_changed else {session.node}
                    session.members = {
                        *known,
                        *nodes_below(session.node, request.cards, self._card().node, known),
                    }
                    await self._sink.cards(session.node, request.cards)
                piece = unpack(request.table)
                strangers = {row.node for row in piece} - session.members
                if strangers:
                    raise ZonghengError(
                        "protocol", f"{session.node} reports for {min(strangers)}, not below it"
                    )
                rows += piece
                if len(rows) > min(promised, MAX_REPORT_ROWS):
                    raise ZonghengError("protocol", f"a report has the rows it promises, {promised}")
            # A part of a report, compared with the whole journal, would accuse the child of what is still on its way.
            if len(rows) != promised:
                raise ZonghengError("protocol", f"the report broke off after {len(rows)} of {promised} rows")
            if session is not None and (rows or size):
                await self._sink.rows(session.node, size, rows)
        except ZonghengError as error:
            node = session.node if session else ""
            _log.warning("link.report_refused", node=node, code=error.code, words=error.detail)
            await abort(context, error)
        return wire.ReportResponse(rows=len(rows))

    async def Answer(self, request_iterator: Any, context: Any) -> wire.AnswerResponse:
        session: Session | None = None
        order: PendingOrder | None = None
        try:
            while (request := await self.next_frame(context, session)) is not None:
                session = self.live(context, request.session, session)
                if order is None:
                    order = session.orders.get(request.order_id)
                    if order is None or order.over or order.claimed:
                        order = None
                        raise ZonghengError("not_found", f"nobody waits for an answer to {request.order_id}")
                    order.claimed = True
                match request.WhichOneof("part"):
                    case "failure":
                        order.end(failure(request.code, request.failure))
                        break
                    case "rows":
                        await self._hand_over(session, order, request.rows)
            else:
                if order is not None:
                    order.end()
        except ZonghengError as error:
            await abort(context, error)
        finally:
            if order is not None:
                order.end(ZonghengError("unreachable", "the answer broke off"))
        return wire.AnswerResponse()

    # What they are made of.

    async def _greet(self, context: Any) -> tuple[Session, wire.Welcome, Held, wire.Hello]:
        """Read Hello and settle what can be settled at once."""
        first = await self.next_frame(context, None)
        if first is None or first.WhichOneof("frame") != "hello":
            raise ZonghengError("protocol", "the first frame is Hello")
        hello: wire.Hello = first.hello
        if self._closing is not None:
            raise self._closing
        if wait_ms := self._admission.ask(self._now_us()):
            raise ZonghengError("busy", "many children come back at once", retry_after_ms=wait_ms)
        card, me = hello.card, self._card()
        check_hello(hello, me.node)
        if hello.session in self._by_id:
            raise ZonghengError("protocol", "a session's name is random and new")
        shown = shown_head(hello)
        members = nodes_below(card.node, hello.descendants, me.node)
        await self._gate.admit(context, card)
        await self._inbox.enrol(card)
        held = await self._inbox.held(card.node)
        session = Session(card, hello.session, members, self._now_us(), certificate_of(context))
        session.clock_offset_ms = (hello.at_us - self._now_us()) // 1_000 if hello.at_us else None
        welcome = wire.Welcome(
            parent=me,
            held_size=held.size,
            held_root=held.root,
            held_checkpoint=held.note,
            heartbeat_ms=self._heartbeat_ms,
            former_verifiers=held.former_verifiers,
            at_us=self._now_us(),
            changed_cards=True,
        )
        self._hand_down(welcome)
        judged = await greet(self._inbox, hello, shown, held, me)
        session.quarantine = judged.quarantine
        welcome.verdict, welcome.instruction = judged.verdict, judged.instruction
        welcome.consistency.extend(judged.consistency)
        welcome.common_size, welcome.renewed_log_id = judged.common_size, judged.renewed_log_id
        await self._sink.cards(card.node, [card, *hello.descendants])
        return session, welcome, held, hello

    async def _hear(self, session: Session, context: Any, held: Held, hello: wire.Hello) -> None:
        """Read the child's control frames until it says goodbye or falls silent."""
        silence_s = _BEATS * self._heartbeat_ms / 1_000
        while True:
            try:
                async with asyncio.timeout(silence_s):
                    request = await context.read()
            except TimeoutError:
                session.end(ZonghengError("unreachable", f"{session.node} was silent for {silence_s:g} s"))
                return
            if request is EOF:
                session.end(
                    ZonghengError("unreachable", f"{session.node} went without a goodbye"), goodbye=False
                )
                raise _LinkEnded
            session.heard_us = self._now_us()
            match request.WhichOneof("frame"):
                case "heartbeat":
                    session.clock_offset_ms = (request.heartbeat.at_us - session.heard_us) // 1_000
                case "goodbye":
                    words = f"{session.node} said goodbye: {request.goodbye.reason}"
                    session.end(ZonghengError("unreachable", words), goodbye=False)
                    raise _LinkEnded
                case "prefix":
                    await self._confirm(session, held, hello, request.prefix)
                case _:
                    session.end(
                        ZonghengError("protocol", "Hello comes once, and every frame says what it is")
                    )
                    return

    async def _speak(self, session: Session, context: Any) -> None:
        """Write control frames, and a heartbeat whenever there was none for that long."""
        while True:
            frame = None
            with suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat_ms / 1_000):
                    frame = await session.outbox.get()
            if frame is None:
                frame = wire.LinkResponse(heartbeat=wire.Heartbeat(at_us=self._now_us()))
            try:
                # A frozen child reads nothing: its flow control must not keep its session alive.
                async with asyncio.timeout(_BEATS * self._heartbeat_ms / 1_000):
                    await context.write(frame)
            except TimeoutError:
                session.end(ZonghengError("unreachable", f"{session.node} reads nothing"), goodbye=False)
                raise _LinkEnded from None
            if frame.WhichOneof("frame") == "goodbye":
                raise _LinkEnded

    async def _confirm(self, session: Session, held: Held, hello: wire.Hello, prefix: wire.Prefix) -> None:
        """The child proves what its journal was at our size."""
        shown = Prefix(prefix.size, prefix.root, list(prefix.consistency))
        try:
            outcome = parent_confirms(shown_head(hello), Shown(held.log_id, held.size, held.root), shown)
        except ProofError as error:
            session.end(ZonghengError("protocol", f"the prefix proves nothing: {error}"))
            return
        if outcome.decision is Decision.QUARANTINE:
            await self._inbox.fork(session.node, held.note, hello.card.checkpoint, outcome.words)
            session.quarantine = outcome.words
            session.end(ZonghengError("quarantined", outcome.words))

    async def _take(self, session: Session, request: wire.PushRequest) -> Accepted:
        """Let the inbox take a batch; a root that differs is a rewritten history."""
        try:
            return await self._inbox.accept(
                session.node, request.first, list(request.leaves), request.checkpoint
            )
        except ZonghengError as error:
            _log.warning("link.batch_refused", node=session.node, first=request.first, code=error.code)
            if error.code == "root_mismatch":
                held = await self._inbox.held(session.node)
                await self._inbox.fork(session.node, held.note, request.checkpoint, error.detail)
                session.quarantine = error.detail
            raise

    async def _hand_over(self, session: Session, order: PendingOrder, part: AnswerPart) -> None:
        """Pass a part on to the asker, as fast as the asker reads."""
        if part.node and part.node not in session.members:
            # A node that joined below a moment ago and is not reported yet; or a child that speaks for a
            # stranger.
            _log.warning("link.stranger_answers", child=session.node, node=part.node)
            return
        async with session.while_it_lives():
            await order.put(part)

    async def next_frame(self, context: Any, session: Session | None) -> Any:
        """The next message of a call, of this service or of another one's servicer; None at the end of the stream.

        Ends with the session; a first message must come soon.
        """
        if session is None:
            try:
                async with asyncio.timeout(_FIRST_FRAME_S):
                    request = await context.read()
            except TimeoutError:
                raise ZonghengError("protocol", f"nothing was said for {_FIRST_FRAME_S:g} s") from None
            if request is EOF:
                # Also after a message that is larger than any may be: gRPC refuses it and tells us nothing else.
                _log.warning("link.call_broken", peer=context.peer(), words="it ended before a first message")
        else:
            async with session.while_it_lives():
                request = await context.read()
        return None if request is EOF else request

    def live(self, context: Any, session_id: str, session: Session | None = None) -> Session:
        """The session that a message of a call belongs to, whichever service it came to; `session` is what the call's messages before
        belonged to.

        Raises ZonghengError `fenced` when that is not a live one, `untrusted` when it is not the peer's.
        """
        if session is None:
            session = self._by_id.get(session_id)
            if session is not None and session.certificate != certificate_of(context):
                raise ZonghengError("untrusted", "this session belongs to another peer")
        if session is None or session.session_id != session_id:
            raise ZonghengError("fenced", "this session is over: connect again")
        if session.ended is not None:
            raise session.ended
        return session
