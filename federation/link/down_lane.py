"""The child's end of the lane down: an RPC of its own beside the Link stream, for as long as the link lives.

What the parent cannot hand down at once waits in the parent's journal, however long this child is away. A parent that breaks a
promise of the lane ends the lane and not the link: the child's own journal goes on rising. One that was restored from an old backup
may have its entries back from its own parent while the link lives: it is asked again once in a while.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1.down_pb2 import DescendRequest
from zongheng.v1.down_pb2_grpc import DownServiceStub

from federation.errors import from_rpc
from federation.link.descent import (
    Acknowledge,
    Came,
    Descent,
    Event,
    Halt,
    Keep,
    Linked,
    Open,
    Pin,
    Report,
    Stored,
)
from federation.link.down_ports import ReceivedEntries
from federation.link.lanes import LinkLost

_log = structlog.get_logger(__name__)

BEHIND_PERIOD_S: Final = 10.0
"""How often a parent that shows less than it signed is asked again."""


async def begun(entries: ReceivedEntries) -> Descent:
    """The machine as it stands by what is stored."""
    return Descent(
        entries.node,
        await entries.kept(),
        await entries.last(),
        await entries.above(),
        entries.below,
        await entries.keys(),
        entries.vouched,
    )


class DownLane:
    """Takes down what the parent has for this node, and acknowledges it."""

    def __init__(self, entries: ReceivedEntries, behind_period_s: float = BEHIND_PERIOD_S) -> None:
        self._entries = entries
        self._behind_period_s = behind_period_s
        self._halted: Halt | None = None
        """What the operator was told last; None: the lane is open."""

    async def run(self, channel: grpc.aio.Channel, session: str) -> None:
        """Until the link ends. Where the parent is found out it rests until a person has decided. Raises LinkLost."""
        while await self._run(channel, session):
            passing = self._halted is not None and self._halted.passing
            with suppress(TimeoutError):
                async with asyncio.timeout(self._behind_period_s if passing else None):
                    await self._entries.wait_reopened()

    async def _run(self, channel: grpc.aio.Channel, session: str) -> bool:
        """One call; whether it is worth another, after a while or when the lane is opened again."""
        descent = await begun(self._entries)
        stub: Any = DownServiceStub(channel)
        call = stub.Descend()
        try:
            going = await self._obey(call, session, descent, Linked())
            while going:
                message = await call.read()
                if message is EOF:
                    raise LinkLost("unreachable", "the parent ended the lane down without a word")
                going = await self._obey(call, session, descent, Came(message))
            return True
        except asyncio.InvalidStateError:
            raise LinkLost("unreachable", "the lane down broke off") from None
        except grpc.aio.AioRpcError as error:
            told = from_rpc(error)
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                _log.info("down.unknown", words="the parent is of a version without a lane down")
                return False
            raise LinkLost(told.code, told.detail, told.retry_after_ms) from None
        finally:
            call.cancel()

    async def _obey(self, call: Any, session: str, descent: Descent, event: Event) -> bool:
        """Feed the machine and do what it says; whether the lane goes on."""
        for command in descent.handle(event):
            match command:
                case Open(position, credit, held_size):
                    await call.write(
                        DescendRequest(session=session, position=position, credit=credit, held_size=held_size)
                    )
                case Acknowledge(position, credit):
                    await self._open()
                    await call.write(DescendRequest(session=session, position=position, credit=credit))
                case Pin(above):
                    await self._entries.pin(above)
                case Keep():
                    await self._entries.keep(command)
                    await self._obey(call, session, descent, Stored())
                case Report(code, words):
                    _log.warning("down.left_out", code=code, words=words)
                case Halt(code, words, fork):
                    if command != self._halted:
                        _log.error("down.halted", code=code, words=words)
                    if fork is not None:
                        await self._entries.forked(fork)
                    self._halted = command
                    await self._entries.halted(code, words)
                    return False
        return True

    async def _open(self) -> None:
        """The parent showed a head that continues the one that was held."""
        if self._halted is not None:
            self._halted = None
            await self._entries.halted("", "")
