"""The child's three lanes beside its Link stream: the journal up, reports up, answers to what the parent
asks.

Each lane is an RPC of its own, so HTTP/2 does the flow control and one slow answer stalls nothing else. A
lane that finds the link broken raises `LinkLost`, which ends the whole link; a trouble that concerns one lane
alone stays in it. Every call is cancelled when its lane is left, however it is left: grpc.aio keeps abandoned
calls for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Any, Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1.link_pb2 import (
    AnswerRequest,
    AnswerResponse,
    Order,
    PushRequest,
    PushResponse,
    ReportRequest,
)
from zongheng.v1.link_pb2_grpc import LinkServiceStub
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError, from_rpc, of
from federation.identity.credentials import is_stranger
from federation.journal.checkpoint import CheckpointError, Verifier, cosignatures, open_note
from federation.link.hello import cosigner
from federation.link.ports import Answerer, ChildJournal, Operator, Reporter
from federation.link.relay import Acknowledged, BatchRead, Event, NewHead, Refused, Send, Window
from federation.query.part import split
from federation.rollup.row import pack, slices

MAX_ANSWERS: Final = 32
"""Questions a child works on at once."""

_PROMPT_S: Final = 0.02
"""How long the first message of an answer waits to learn whether it is the only one."""

_MESSAGES_AHEAD: Final = 4

_REPORT_AGAIN_S: Final = 60.0
_COLLAPSE_S: Final = 0.2

_log = structlog.get_logger(__name__)

Drive = Callable[[Event], Awaitable[None]]
"""Feeds the relay machine and obeys it."""


Stub = Any
"""A LinkServiceStub; the type stubs know no call that is written to rather than given an iterator."""


class LinkLost(Exception):
    """The link is over. An orderly goodbye has no code."""

    def __init__(self, code: str, words: str, retry_after_ms: int = 0) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.retry_after_ms = retry_after_ms

    @classmethod
    def because(cls, error: grpc.aio.AioRpcError) -> "LinkLost":
        told = from_rpc(error)
        if is_stranger(error.details()):
            return cls("untrusted", f"whoever answers does not have the parent's CA key: {told.detail}")
        return cls(told.code, told.detail, told.retry_after_ms)


class PushLane:
    """Writes the batches the relay asks for and hands it the acknowledgements."""

    def __init__(
        self,
        stub: Stub,
        session: str,
        journal: ChildJournal,
        window: Window,
        log_id: str,
        keys: Sequence[str],
    ) -> None:
        """`keys` are the journal keys of this node and of its parent: one signs what the other cosigns."""
        self._stub = stub
        self._session = session
        self._journal = journal
        self._window = window
        self._log_id = log_id
        self._keys = keys
        self._sends: asyncio.Queue[Send] = asyncio.Queue()

    def send(self, command: Send) -> None:
        self._sends.put_nowait(command)

    async def run(self, drive: Drive) -> None:
        """Until the link ends, or the relay seals the lane."""
        self._sends.put_nowait(await self._sends.get())  # an idle child opens no call
        call = self._stub.Push()
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(call, drive))
                await self._read(call, drive)
                writer.cancel()
        finally:
            call.cancel()

    async def watch(self, drive: Drive, size: int) -> None:
        """Tells the relay how the journal grows."""
        while True:
            size = await self._journal.wait_beyond(size)
            await drive(NewHead(size))

    async def _write(self, call: Any, drive: Drive) -> None:
        while True:
            send = await self._sends.get()
            leaves = await self._journal.leaves(send.lo, send.hi, self._window.batch_bytes)
            hi = send.lo + len(leaves)
            note = await self._journal.note_at(hi)
            batch = PushRequest(session=self._session, first=send.lo, leaves=leaves, checkpoint=note)
            await drive(BatchRead(send.lo, hi))
            try:
                await call.write(batch)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return  # the reader learns why

    async def _read(self, call: Any, drive: Drive) -> None:
        while True:
            try:
                response = await call.read()
            except grpc.aio.AioRpcError as error:
                told = from_rpc(error)
                await drive(Refused(told.code, told.detail))
                return
            if response is EOF:
                raise LinkLost("unreachable", "the parent ended the journal lane without a word")
            self._check(response)
            await drive(Acknowledged(response.size, response.cosigned))

    def _check(self, response: PushResponse) -> None:
        """An acknowledgement is the own head at that size, cosigned by the parent. Raises LinkLost otherwise."""
        own, parent = self._keys
        try:
            signed = open_note(response.cosigned, [Verifier.parse(own)])
            cosigned = cosignatures(response.cosigned, [cosigner(parent)])
        except CheckpointError as error:
            raise LinkLost("bad_signature", f"the parent's acknowledgement: {error}") from None
        if not cosigned or (signed.origin, signed.size) != (self._log_id, response.size):
            raise LinkLost("bad_signature", "the parent acknowledges without its cosignature of this head")


class ReportLane:
    """Reports what changed, the latest only.

    The first report over a link names everybody's card. After it only those that changed, where the parent takes that: a county with a
    thousand villages would else send a thousand cards with every event of one of them.
    """

    def __init__(
        self, stub: Stub, session: str, reporter: Reporter, operator: Operator, *, changed_cards: bool = False
    ) -> None:
        """``changed_cards``: the parent said that it takes reports with changed cards only."""
        self._stub = stub
        self._session = session
        self._reporter = reporter
        self._operator = operator
        self._changed_cards = changed_cards
        self._given: dict[str, bytes] = {}
        """Node → its card without passport and pictures, as the parent was given it over this link."""

    async def run(self) -> None:
        """Until the link ends. A report the parent does not accept is tried again after a minute, and the
        operator told.
        """
        mark = 0
        while True:
            await self._reporter.changed(mark)
            await asyncio.sleep(_COLLAPSE_S)
            try:
                mark = await self._report()
            except grpc.aio.AioRpcError as error:
                lost = LinkLost.because(error)
                if lost.code in ("unreachable", "fenced"):
                    raise lost from None
                await self._operator.report(lost.code, f"the parent did not take the report: {lost.words}")
                await asyncio.sleep(_REPORT_AGAIN_S)

    async def _report(self) -> int:
        news = await self._reporter.news()
        bare = {card.node: _bare(card) for card in news.cards}
        only_changed = self._changed_cards and bool(self._given)
        cards = [
            card
            for card in news.cards
            if not only_changed or _is_new(card) or self._given.get(card.node) != bare[card.node]
        ]
        call = self._stub.Report()
        try:
            first = ReportRequest(
                session=self._session,
                journal_size=news.journal_size,
                cards=cards,
                rows=len(news.rows),
                only_changed=only_changed,
            )
            # A write that fails does not say why: the parent's own words come with the call's end.
            with suppress(grpc.aio.AioRpcError):
                await call.write(first)
                for piece in slices(news.rows):
                    table = pack(piece)
                    await call.write(
                        ReportRequest(session=self._session, journal_size=news.journal_size, table=table)
                    )
                await call.done_writing()
            await call
        except asyncio.InvalidStateError:
            raise LinkLost("unreachable", "the report broke off") from None
        finally:
            call.cancel()
        self._given = bare
        await self._reporter.reported(news.mark)
        return news.mark


def _is_new(card: NodeCard) -> bool:
    """It brings something that travels once."""
    return bool(card.passport) or any(picture.jpeg for picture in card.pictures)


def _bare(card: NodeCard) -> bytes:
    """What of a card changes: a passport and a picture travel once, and then no more."""
    without = NodeCard()
    without.CopyFrom(card)
    without.ClearField("passport")
    for picture in without.pictures:
        picture.ClearField("jpeg")
    return without.SerializeToString(deterministic=True)


class AnswerLane:
    """Answers the parent's questions, each in a task of the link's group.

    Most answers are one message. A stream of one message is on the wire the same as a unary call, which is a single
    operation of gRPC's where a stream takes four; so a call is opened only when it is known which it is to be.
    """

    def __init__(
        self, channel: grpc.aio.Channel, session: str, answerer: Answerer, tasks: asyncio.TaskGroup
    ) -> None:
        self._stream: Any = LinkServiceStub(channel).Answer
        self._unary: Any = channel.unary_unary(
            _ANSWER,
            request_serializer=AnswerRequest.SerializeToString,
            response_deserializer=AnswerResponse.FromString,
        )
        self._session = session
        self._answerer = answerer
        self._tasks = tasks
        self._working: dict[str, asyncio.Task[None]] = {}

    def start(self, order: Order) -> None:
        """Begin to answer. The same order again changes nothing.

        Of orders beyond what is worked on, as many again are refused; whoever sends still more hears nothing, for a refusal is work too.
        """
        if order.order_id in self._working or len(self._working) >= 2 * MAX_ANSWERS:
            return
        task = self._tasks.create_task(self._answer(order, busy=len(self._working) >= MAX_ANSWERS))
        self._working[order.order_id] = task
        task.add_done_callback(lambda _: self._working.pop(order.order_id, None))

    def cancel(self, order_id: str) -> None:
        """Nobody waits for it any more."""
        if task := self._working.get(order_id):
            task.cancel()

    async def _answer(self, order: Order, busy: bool) -> None:
        deadline = asyncio.get_running_loop().time() + order.deadline_ms / 1_000
        said: asyncio.Queue[AnswerRequest | None] = asyncio.Queue(_MESSAGES_AHEAD)
        speaking = self._tasks.create_task(self._speak(order, busy, deadline, said))
        try:
            async with asyncio.timeout_at(deadline):
                await self._bring(order, said)
        except TimeoutError:
            _log.info("answer.deadline", order=order.order_id)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            _log.info("answer.unwanted", order=order.order_id, words=str(error))
        finally:
            speaking.cancel()

    async def _speak(
        self, order: Order, busy: bool, deadline: float, said: "asyncio.Queue[AnswerRequest | None]"
    ) -> None:
        """Put the answer together, message by message, then None. Raises nothing: a failure is a message too."""
        head = AnswerRequest(session=self._session, order_id=order.order_id)
        try:
            if busy:
                raise ZonghengError("busy", f"{MAX_ANSWERS} questions are being answered: ask again later")
            async with aclosing(self._answerer.answer(order.question, deadline)) as parts:
                async for part in parts:
                    for chunk in split(part):
                        request = AnswerRequest(rows=chunk)
                        request.MergeFrom(head)
                        await said.put(request)
        except Exception as error:
            if not isinstance(error, ZonghengError):
                _log.exception("answer.failed", order=order.order_id)
            told = of(error)
            failed = AnswerRequest(failure=told.detail, code=told.code)
            failed.MergeFrom(head)
            await said.put(failed)
        await said.put(None)

    async def _bring(self, order: Order, said: "asyncio.Queue[AnswerRequest | None]") -> None:
        """Bring what is said to the parent."""
        first = await said.get() or AnswerRequest(session=self._session, order_id=order.order_id)
        timeout = order.deadline_ms / 1_000 + 1
        waiting = [first]
        with suppress(TimeoutError):
            async with asyncio.timeout(_PROMPT_S):
                second = await said.get()
                if second is None:
                    waiting.clear()
                else:
                    waiting.append(second)
        call = self._stream(timeout=timeout) if waiting else self._unary(first, timeout=timeout)
        try:
            for request in waiting:
                await call.write(request)
            if waiting:
                while (further := await said.get()) is not None:
                    await call.write(further)
                await call.done_writing()
            await call
        finally:
            call.cancel()


_ANSWER: Final = "/zongheng.v1.LinkService/Answer"
