"""Tells who waits that a journal has grown, so that projections and relay go on at once instead of asking."""

import asyncio


class Growth:
    """A number that rises, and the tasks that wait for it."""

    __slots__ = ("_event", "_value")

    def __init__(self, value: int = 0) -> None:
        self._value = value
        self._event = asyncio.Event()

    @property
    def value(self) -> int:
        return self._value

    def rise(self, value: int) -> None:
        """Set the number and wake everybody who waits for less."""
        if value > self._value:
            self._value = value
            event, self._event = self._event, asyncio.Event()
            event.set()

    def fall(self, value: int) -> None:
        """Set the number back: a branch was given up. Nobody is woken."""
        self._value = value

    async def beyond(self, value: int, timeout: float | None = None) -> int:
        """Wait until the number is greater than ``value``, at most ``timeout`` seconds; returns what it is then."""
        try:
            async with asyncio.timeout(timeout):
                while self._value <= value:
                    await self._event.wait()
        except TimeoutError:
            pass
        return self._value
