"""The child's files lane: one Send call beside the Link stream, one file after another, always behind the journal.

Before each piece the lane lets the journal lane come to rest: while entries wait for the parent's acknowledgement, no byte of a file leaves,
except one piece every `STARVED_S` seconds, so that a node that never stops journalling still gets its files out in the end. What is read of
a file and not yet acknowledged is bounded by the receiver's credit.

A parent that does not know this service, or refuses a file, does not disturb the link: the operator is told, and the lane tries again later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1.files_pb2 import FileOffer, FilePiece, SendBegin, SendRequest, SendResponse

from federation.errors import ZonghengError
from federation.files.ports import FileSource, Offer
from federation.files.transfer import Answer, BrokenTransfer, Refused, Sender, Stored, Want
from federation.link.lanes import LinkLost

STARVED_S: Final = 10.0
"""Longest that one piece waits for the journal to come to rest."""

_AGAIN_S: Final = 60.0

_log = structlog.get_logger(__name__)

Stub = Any
"""A FileServiceStub; the type stubs know no call that is written to rather than given an iterator."""

Told = Callable[[str, str], Awaitable[None]]
"""Tells the operator a code and words."""


class FileLane:
    """Sends what the source has for the parent, for as long as the link lives."""

    def __init__(
        self,
        stub: Stub,
        session: str,
        source: FileSource,
        journal_rests: Callable[[], Awaitable[None]],
        report: Told,
    ) -> None:
        """`journal_rests` returns when the journal lane has nothing under way."""
        self._stub = stub
        self._session = session
        self._source = source
        self._journal_rests = journal_rests
        self._report = report

    async def run(self) -> None:
        """Until the link ends."""
        while True:
            try:
                await self._carry()
            except grpc.aio.AioRpcError as error:
                lost = LinkLost.because(error)
                if lost.code in ("unreachable", "fenced"):
                    raise lost from None
                await self._report(lost.code, f"the parent does not take files: {lost.words}")
                await asyncio.sleep(_AGAIN_S)
            except BrokenTransfer as error:
                await self._report("protocol", f"the files lane is begun again: {error}")
                await asyncio.sleep(_AGAIN_S)

    async def _carry(self) -> None:
        call = self._stub.Send()
        answers: asyncio.Queue[Answer] = asyncio.Queue()
        trouble: Exception | None = None
        try:
            await _write(call, SendRequest(begin=SendBegin(session=self._session)))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(call, answers))
                tasks.create_task(self._send(call, answers))
        except* (grpc.aio.AioRpcError, LinkLost, BrokenTransfer) as group:
            trouble = _first(group)
        finally:
            call.cancel()
        # A task group that fails while its own task is cancelled forgets the cancellation (until Python 3.13).
        this = asyncio.current_task()
        if this is not None and this.cancelling():
            raise LinkLost("unreachable", "the link ended")
        if trouble is not None:
            raise trouble

    async def _hear(self, call: Any, answers: "asyncio.Queue[Answer]") -> None:
        while True:
            response = await call.read()
            if response is EOF:
                raise LinkLost("unreachable", "the parent ended the files lane without a word")
            if response.WhichOneof("frame") == "again":
                await self._source.wanted(response.again.origin, response.again.sha256)
            elif (answer := _answer(response)) is not None:
                answers.put_nowait(answer)

    async def _send(self, call: Any, answers: "asyncio.Queue[Answer]") -> None:
        while True:
            offer = await self._source.next()
            await self._yield_to_journal()
            await _write(
                call, SendRequest(offer=FileOffer(origin=offer.origin, sha256=offer.sha256, size=offer.size))
            )
            sender = Sender(offer.size)
            try:
                while sender.outcome is None:
                    await self._go_on(call, offer, sender, answers)
            except ZonghengError as error:
                # The file went, or cannot be read; the parent keeps what it has of it for the next time.
                await self._source.refused(offer, error.code, error.detail, error.retry_after_ms)
                # Only a fresh call makes the parent forget that it was offered.
                raise BrokenTransfer(f"a file could not be read to its end: {error.detail}") from error
            match sender.outcome:
                case Stored():
                    _log.info("file.sent", origin=offer.origin, sha256=offer.sha256, size=offer.size)
                    await self._source.stored(offer)
                case Refused(code, words, retry_after_ms):
                    _log.info(
                        "file.refused", origin=offer.origin, sha256=offer.sha256, code=code, words=words
                    )
                    await self._source.refused(offer, code, words, retry_after_ms)

    async def _go_on(self, call: Any, offer: Offer, sender: Sender, answers: "asyncio.Queue[Answer]") -> None:
        """Send one piece, or wait for the parent's word."""
        while not answers.empty():
            sender.handle(answers.get_nowait())
        piece = sender.read()
        if piece is None:
            if sender.outcome is None:
                sender.handle(await answers.get())
            return
        await self._yield_to_journal()
        content = await self._source.read(offer.sha256, piece.offset, piece.count)
        await _write(call, SendRequest(piece=FilePiece(offset=piece.offset, content=content)))

    async def _yield_to_journal(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STARVED_S):
                await self._journal_rests()


def _answer(response: SendResponse) -> Answer | None:
    match response.WhichOneof("frame"):
        case "want":
            return Want(response.want.offset, response.want.credit, response.want.restart)
        case "stored":
            return Stored()
        case "refused":
            refused = response.refused
            return Refused(refused.code, refused.words, refused.retry_after_ms)
        case _:
            return None  # a frame of a later version


async def _write(call: Any, request: SendRequest) -> None:
    try:
        await call.write(request)
    except asyncio.InvalidStateError:
        raise LinkLost("unreachable", "the files lane broke off") from None


def _first(group: BaseExceptionGroup[Any]) -> Exception:
    error: Any = group.exceptions[0]
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Exception)
    return error
