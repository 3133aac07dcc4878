"""A business system for tests: hands in events without end, and sends again what was not acknowledged.

That is all that a sender has to do for nothing to be lost and nothing to be doubled, whenever the node dies: a batch goes again, as it
was and before any other, until the node says that it is durable.
"""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final, Self

import grpc
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.intake_pb2 import Submission, SubmitRequest

from tests.e2e.tree import Node

SOURCE: Final = "hall"

PATIENCE_S: Final = 180.0
"""Longest time for which one batch goes again and again."""


class Hall:
    """Hands in the events that ``event`` gives for the numbers 0, 1, … (or from another on), with the serials s0, s1, …, from a thread of its own."""

    def __init__(
        self,
        node: Node,
        event: Callable[[int], CaseEvent],
        *,
        batch: int = 20,
        rest_s: float = 0.015,
        first: int = 0,
    ) -> None:
        """``first``: the number to begin with; ``batch`` events at once, and ``rest_s`` seconds between one acknowledgement and the next batch."""
        self.node = node
        self.acknowledged: set[str] = set()
        self.sent = first
        self._event = event
        self._batch = batch
        self._rest_s = rest_s
        self._over = Event()
        self._abandoned = False
        self._thread = Thread(target=self._run, daemon=True)
        self.trouble: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def finish(self) -> None:
        """Send no more; what is under way is acknowledged first."""
        self._over.set()
        self._thread.join(PATIENCE_S + 10)
        assert not self._thread.is_alive()
        if self.trouble is not None:
            raise self.trouble

    def abandon(self) -> None:
        """Send no more, and let go of what is not acknowledged."""
        self._over.set()
        self._abandoned = True

    def submissions(self, lo: int, hi: int) -> list[Submission]:
        """The events with the numbers ``lo`` to ``hi`` as they are handed in."""
        return [Submission(serial=f"s{number}", event=self._event(number)) for number in range(lo, hi)]

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                batch = self.submissions(self.sent, self.sent + self._batch)
                self.sent += self._batch
                self._until_acknowledged(SubmitRequest(source=SOURCE, submissions=batch))
                time.sleep(self._rest_s)
        except BaseException as error:
            self.trouble = error

    def _until_acknowledged(self, request: SubmitRequest) -> None:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                with self.node.door() as submit:
                    answer = submit(request)
                assert not answer.rejected, answer.rejected
                assert answer.accepted + answer.repeated == len(request.submissions)
                self.acknowledged |= {one.serial for one in request.submissions}
                return
            except grpc.RpcError as error:
                # The node was killed: nothing is known of this batch, so it goes again.
                if self._abandoned:
                    raise
                if time.monotonic() > end:
                    raise AssertionError(f"no answer for {PATIENCE_S:.0f} s: {error}") from error
                time.sleep(0.05)
