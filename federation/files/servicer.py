"""The parent's end of the files lane.

A child may send only what an entry that is here already names: who fills this disk has said so in a signed journal first. Nothing counts before
its digest is verified and the file lies under its name. A file that cannot be taken (no room, not named yet) is refused alone; the call and
the link go on. What belongs to a session ends with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import grpc.aio
import structlog
from zongheng.v1.files_pb2 import (
    FetchRequest,
    FetchResponse,
    FileAgain,
    FileRefused,
    FileStored,
    FileWant,
    SendResponse,
)
from zongheng.v1.files_pb2_grpc import FileServiceServicer, add_FileServiceServicer_to_server

from federation.errors import ZonghengError, abort
from federation.files.ports import FileSink, Offer
from federation.files.transfer import (
    PIECE_BYTES,
    Answer,
    BrokenTransfer,
    Forget,
    Receiver,
    Refused,
    Stored,
    Verify,
    Want,
)
from federation.link.session import Session

_DIGEST_DIGITS: Final = 64

LARGEST_FILE: Final = 16 * 1024**3
"""Bytes of the largest file that is taken."""

_log = structlog.get_logger(__name__)


class Sessions(Protocol):
    """Where calls find the session they belong to (`federation.link.listener.Listener`)."""

    def live(self, context: Any, session_id: str, session: Session | None = None) -> Session: ...

    async def next_frame(self, context: Any, session: Session | None) -> Any: ...


Peer = Callable[[Any], Awaitable[str]]
"""The enrolled node that made a call. Raises ZonghengError `not_enrolled`."""


class FileDesk(FileServiceServicer):
    """The files service of one parent."""

    def __init__(self, sessions: Sessions, sink: FileSink, peer: Peer) -> None:
        self._sessions = sessions
        self._sink = sink
        self._peer = peer

    def add_to(self, server: grpc.aio.Server) -> None:
        add_FileServiceServicer_to_server(self, server)

    async def Send(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        trouble: ZonghengError | None = None
        try:
            await self._carry(context)
        except* (ZonghengError, BrokenTransfer) as group:
            trouble = _first(group)
        if trouble is not None:
            await abort(context, trouble)

    async def Fetch(self, request: FetchRequest, context: Any) -> None:  # type: ignore[override]
        try:
            child = await self._peer(context)
            kept = await self._sink.backup(child, request.sha256)
            _log.info("backup.fetched", child=child, sha256=kept.sha256, offset=request.offset)
            offset = request.offset
            head = FetchResponse(sha256=kept.sha256, size=kept.size)
            while offset < kept.size:
                content = await self._sink.read(kept.sha256, offset, PIECE_BYTES)
                piece = FetchResponse(content=content)
                piece.MergeFrom(head)
                await context.write(piece)
                offset += len(content)
            if request.offset >= kept.size:
                await context.write(head)
        except ZonghengError as error:
            await abort(context, error)

    async def _carry(self, context: Any) -> None:
        """Take one file after another, until the child or its session ends."""
        first = await self._sessions.next_frame(context, None)
        if first is None or first.WhichOneof("frame") != "begin":
            raise ZonghengError("protocol", "the first frame is SendBegin")
        session = self._sessions.live(context, first.begin.session)
        turn = _Turn(context, self._sink, session.node)
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(turn.ask_again())
            while (frame := await self._sessions.next_frame(context, session)) is not None:
                self._sessions.live(context, session.session_id, session)
                await turn.handle(frame)
            asking.cancel()


class _Turn:
    """One Send call: the file that is on offer, and how much of it is here."""

    def __init__(self, context: Any, sink: FileSink, child: str) -> None:
        self._context = context
        self._sink = sink
        self._child = child
        self._writing = asyncio.Lock()
        self._offer: Offer | None = None
        self._receiver: Receiver | None = None

    async def ask_again(self) -> None:
        """Tell the child which of its files are wanted once more."""
        known = 0
        while True:
            known, offers = await self._sink.again(self._child, known)
            for offer in offers:
                await self._say(SendResponse(again=FileAgain(origin=offer.origin, sha256=offer.sha256)))

    async def handle(self, frame: Any) -> None:
        match frame.WhichOneof("frame"):
            case "offer":
                await self._offered(Offer(frame.offer.origin, frame.offer.sha256, frame.offer.size))
            case "piece":
                await self._piece(frame.piece.offset, frame.piece.content)
            case _:
                raise BrokenTransfer("SendBegin comes once, and every frame says what it is")

    async def _offered(self, offer: Offer) -> None:
        if self._receiver is not None and not self._receiver.over:
            raise BrokenTransfer("a file is offered when the one before is stored or refused")
        _check(offer)
        self._offer, self._receiver = offer, None
        try:
            held = await self._sink.offered(self._child, offer)
            if held is None:
                await self._answer(Stored())
                return
            self._receiver = Receiver(offer.size, held)
            await self._obey(self._receiver.begin())
        except ZonghengError as error:
            await self._refuse(error)

    async def _piece(self, offset: int, content: bytes) -> None:
        if self._offer is None:
            raise BrokenTransfer("a piece belongs to a file that was offered")
        if self._receiver is None:
            return  # on its way when the file was refused
        write = self._receiver.piece(offset, len(content))
        if write is None:
            return
        try:
            held = await self._sink.write(self._child, self._offer, content[write.skip :])
            await self._obey(self._receiver.written(held))
        except ZonghengError as error:
            await self._refuse(error)

    async def _obey(self, commands: "list[Answer | Verify | Forget]") -> None:
        assert self._receiver is not None
        assert self._offer is not None
        for command in commands:
            match command:
                case Verify():
                    right = await self._sink.verify(self._child, self._offer)
                    await self._obey(self._receiver.verified(right))
                    return
                case Forget():
                    await self._sink.forget(self._child, self._offer)
                case Want() | Stored() | Refused():
                    await self._answer(command)

    async def _refuse(self, error: ZonghengError) -> None:
        self._receiver = None
        assert self._offer is not None
        _log.warning(
            "file.refused", child=self._child, sha256=self._offer.sha256, code=error.code, words=error.detail
        )
        await self._answer(Refused(error.code, error.detail, error.retry_after_ms))

    async def _answer(self, answer: Answer) -> None:
        assert self._offer is not None
        name = self._offer.sha256
        match answer:
            case Want(offset, credit, restart):
                want = FileWant(sha256=name, offset=offset, credit=credit, restart=restart)
                await self._say(SendResponse(want=want))
            case Stored():
                self._receiver = None
                await self._say(SendResponse(stored=FileStored(sha256=name)))
            case Refused(code, words, retry_after_ms):
                self._receiver = None
                refused = FileRefused(sha256=name, code=code, words=words, retry_after_ms=retry_after_ms)
                await self._say(SendResponse(refused=refused))

    async def _say(self, response: SendResponse) -> None:
        async with self._writing:
            await self._context.write(response)


def _check(offer: Offer) -> None:
    digest = offer.sha256
    if len(digest) != _DIGEST_DIGITS or set(digest) - set("0123456789abcdef"):
        raise BrokenTransfer("a file is named by the 64 hexadecimal digits of its SHA-256")
    if offer.size > LARGEST_FILE:
        raise BrokenTransfer(f"a file of {offer.size} bytes is larger than any that is taken")


def _first(group: BaseExceptionGroup[Any]) -> ZonghengError:
    error: Any = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, ZonghengError) else ZonghengError("protocol", str(error))
