"""All hubs of a process: one source a stream however many ask for it, opened for the first of them and closed some time after the last.

- Two who open a stream at once get the same hub and one source (single-flight). A hub that ended is gone from here: who opens the stream again
  gets a new one, whose source begins when the old one's has cleaned up.
- A stream that nobody watches lingers, so that a page that is loaded again costs no new upstream.
- A source is a coroutine that puts frames into its hub until it is cancelled. Whether it tries again after a failure is its own affair;
  when it returns, or fails with an error it did not handle, the hub ends with that.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Self

import structlog

from federation.errors import ZonghengError, of
from federation.trunk.hub import NS, Hub

LINGER_NS: Final = 20 * NS
MOST_STREAMS: Final = 1_000

_LOOK_S: Final = 1.0

Source = Callable[[Hub], Awaitable[None]]

_log = structlog.get_logger(__name__)


class Hubs:
    """Make it with `running`. Belongs to one event loop."""

    def __init__(
        self,
        source: Source,
        now_ns: Callable[[], int],
        tasks: asyncio.TaskGroup,
        linger_ns: int,
        most_streams: int,
    ) -> None:
        self._source = source
        self._now_ns = now_ns
        self._tasks = tasks
        self._linger_ns = linger_ns
        self._most_streams = most_streams
        self._hubs: dict[str, Hub] = {}
        self._feeding: dict[str, asyncio.Task[None]] = {}

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        source: Source,
        now_ns: Callable[[], int],
        *,
        linger_ns: int = LINGER_NS,
        most_streams: int = MOST_STREAMS,
        look_s: float = _LOOK_S,
    ) -> AsyncIterator[Self]:
        """The hubs for as long as the context lasts; every source is cancelled at its end. `look_s`: seconds between two looks for what
        is to be closed."""
        async with asyncio.TaskGroup() as tasks:
            hubs = cls(source, now_ns, tasks, linger_ns, most_streams)
            looking = tasks.create_task(hubs._look_again(look_s))
            try:
                yield hubs
            finally:
                looking.cancel()
                for hub in list(hubs._hubs.values()):
                    hubs.close(hub)

    @property
    def open_now(self) -> Sequence[Hub]:
        return tuple(self._hubs.values())

    def find(self, stream: str) -> Hub | None:
        """The hub of a stream that is open; nothing is opened for it."""
        return self._hubs.get(stream)

    async def open(self, stream: str) -> Hub:
        """The hub of the stream, opened if it is not open yet; join it before you wait for anything else.

        Raises ZonghengError `busy` when too many streams are open.
        """
        if hub := self._hubs.get(stream):
            if not hub.watchers:
                hub.idle_since_ns = self._now_ns()
            return hub
        if len(self._hubs) >= self._most_streams:
            raise ZonghengError(
                "busy", f"{self._most_streams} streams are open here: close one, then try again"
            )
        hub = Hub(stream, self._now_ns)
        self._hubs[stream] = hub
        self._feeding[stream] = self._tasks.create_task(self._feed(hub, self._feeding.get(stream)))
        return hub

    def close(self, hub: Hub, error: ZonghengError | None = None) -> None:
        """End the stream for everybody here, and its source."""
        if self._hubs.get(hub.stream) is hub:
            del self._hubs[hub.stream]
            self._feeding[hub.stream].cancel()
        hub.end(error)

    def look(self) -> None:
        """Close what nobody needs any more: seats whose lease ran out, and streams without consumers after their linger."""
        now = self._now_ns()
        for hub in list(self._hubs.values()):
            hub.close_expired()
            if not hub.watchers and now - hub.idle_since_ns >= self._linger_ns:
                _log.info("hub.idle", stream=hub.stream)
                self.close(hub)

    async def _look_again(self, look_s: float) -> None:
        while True:
            await asyncio.sleep(look_s)
            self.look()

    async def _feed(self, hub: Hub, before: "asyncio.Task[None] | None") -> None:
        error: ZonghengError | None = None
        try:
            if before is not None:
                await asyncio.wait([before])
            await self._source(hub)
        except Exception as failed:
            if not isinstance(failed, ZonghengError):
                _log.exception("hub.source_failed", stream=hub.stream)
            error = of(failed)
        finally:
            if self._hubs.get(hub.stream) is hub:
                del self._hubs[hub.stream]
            if self._feeding.get(hub.stream) is asyncio.current_task():
                del self._feeding[hub.stream]
            hub.end(error)


async def first_frame(hub: Hub, within_s: float) -> None:
    """Wait until the stream is live. Raises ZonghengError with which it ended, `deadline` when it takes longer than `within_s` seconds."""
    arrived: asyncio.Future[ZonghengError | None] = asyncio.get_running_loop().create_future()

    def settle(error: ZonghengError | None) -> None:
        if not arrived.done():
            arrived.set_result(error)

    seat = hub.join(
        lambda frame: settle(None), ended=lambda error: settle(error or ZonghengError("not_found"))
    )
    try:
        async with asyncio.timeout(within_s):
            if error := await arrived:
                raise error
    except TimeoutError:
        raise hub.error or ZonghengError(
            "deadline", f"{hub.stream} gave no picture within {within_s:g} s"
        ) from None
    finally:
        seat.leave()
