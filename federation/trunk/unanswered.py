"""Questions about viewers that one neighbour was asked and has not answered yet."""

import asyncio
from collections.abc import Callable
from typing import Final

from zongheng.v1 import viewing_pb2 as wire

from federation.errors import ZonghengError
from federation.link.hello import failure

MOST_QUESTIONS: Final = 256


class Unanswered:
    """As long as one lane is open. Belongs to one event loop."""

    def __init__(self, neighbour: str, say: Callable[[wire.ViewingQuestion], None]) -> None:
        """`neighbour`: how it is called in words."""
        self._neighbour = neighbour
        self._say = say
        self._waiting: dict[str, asyncio.Future[wire.ViewingAnswer]] = {}

    async def ask(self, question: wire.ViewingQuestion, within_s: float) -> int:
        """Ask whether somebody may look; returns how far the neighbour is from the camera. Raises ZonghengError: what it refuses with, `unreachable`, `deadline`, `busy`."""
        if len(self._waiting) >= MOST_QUESTIONS or question.viewing in self._waiting:
            raise ZonghengError(
                "busy", f"too much is asked of {self._neighbour} at once: try again in a while"
            )
        answered: asyncio.Future[wire.ViewingAnswer] = asyncio.get_running_loop().create_future()
        self._waiting[question.viewing] = answered
        try:
            self._say(question)
            async with asyncio.timeout(within_s):
                answer = await answered
        except TimeoutError:
            raise ZonghengError(
                "deadline", f"{self._neighbour} did not say in time whether you may look"
            ) from None
        finally:
            self._waiting.pop(question.viewing, None)
        if answer.code:
            raise failure(answer.code, answer.words)
        if question.HasField("picture") and not answer.noted:
            raise ZonghengError(
                "unreachable",
                f"{self._neighbour} does not enter who takes pictures: it, or a node beyond it, is to be upgraded first",
            )
        return answer.hop

    def answered(self, answer: wire.ViewingAnswer) -> None:
        waiting = self._waiting.get(answer.viewing)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def lost(self) -> None:
        """The lane is over: nobody answers any more."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ZonghengError("unreachable", f"the link to {self._neighbour} ended"))
