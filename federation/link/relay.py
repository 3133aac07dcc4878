"""The child's journal lane as a machine without IO: events in, commands out.

What holds whatever the network, the parent or the child itself does:

- entries go in order and none is left out: the first index sent is the parent's size as both sides agreed on
  in the handshake, and each batch starts where the one before ended;
- what the parent acknowledged is never sent again, and nothing counts as acknowledged before the parent said
  that it is durable;
- after a loss, sending starts again from what the parent then holds: a batch that was committed while its
  acknowledgement got lost is skipped, one that was lost is sent again;
- several batches are under way at once, but never more than the window: a slow parent costs no memory here.

The machine is forgotten with the process; only its backoff is stored, since everything else is what the two
journals say. The IO around it must hand over every event, also for commands that failed (`Lost`). Times are
microseconds since the epoch.
"""

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from federation.link.backoff import Backoff, BackoffPolicy, Random
from federation.link.handshake import Decision, Outcome

# Events


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: nothing else happened."""


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The handshake is done. The own journal has `head_size` entries, the parent holds `held_size`."""

    outcome: Outcome
    held_size: int
    head_size: int


@dataclass(frozen=True, slots=True)
class NewHead:
    """The own journal grew to this size."""

    size: int


@dataclass(frozen=True, slots=True)
class BatchRead:
    """The leaves [lo, hi) that `Send` asked for are read and about to be written; hi may be less than was
    asked for.
    """

    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The parent holds `size` entries durably and cosigned the head there."""

    size: int
    cosigned: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The parent did not take a batch; `code` is the catalogue's."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The link ended, or could not be made. An orderly goodbye has no code."""

    code: str
    words: str
    retry_after_ms: int = 0


Event = Tick | Welcomed | NewHead | BatchRead | Acknowledged | Refused | Lost

# Commands


@dataclass(frozen=True, slots=True)
class Dial:
    """Make the link: say hello and hand in `Welcomed` or `Lost`."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before this time, unless something happens."""

    until_us: int


@dataclass(frozen=True, slots=True)
class Send:
    """Read as many leaves of [lo, hi) as fit a batch, at least one, hand in `BatchRead`, then write them."""

    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class SaveAcknowledged:
    """Store what the parent cosigned."""

    size: int
    cosigned: str


@dataclass(frozen=True, slots=True)
class SaveBackoff:
    """Store it before waiting."""

    backoff: Backoff


@dataclass(frozen=True, slots=True)
class HangUp:
    """End this link; `Lost` follows."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Seal:
    """Nothing more is sent on this link. For PULL_BACK and MEND nothing may be written to the journal either."""

    decision: Decision
    words: str


@dataclass(frozen=True, slots=True)
class Unseal:
    """The handshake found both sides in agreement: whatever was sealed until it is open again."""


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the operator. Sent once for a trouble, not once for each attempt that meets it."""

    code: str
    words: str


Command = Dial | Wait | Send | SaveAcknowledged | SaveBackoff | HangUp | Seal | Unseal | Report


class Phase(Enum):
    """Where the lane is."""

    RESTING = auto()
    DIALLING = auto()
    FLOWING = auto()
    SEALED = auto()


@dataclass(frozen=True, slots=True)
class Window:
    """How much is under way at once."""

    batch_entries: int = 500
    batch_bytes: int = 1024 * 1024
    batches: int = 4


_SEALING: Final = {
    "root_mismatch": Decision.QUARANTINE,
    "wrong_log": Decision.QUARANTINE,
    "bad_signature": Decision.QUARANTINE,
    "quarantined": Decision.QUARANTINE,
}
"""Refusals that sending again cannot cure."""

AGAIN: Final = "again"
"""Why a link ended that is to be made again at once: the journal was brought to what the parent holds."""

_USUAL: Final = {"", "unreachable", "gap", AGAIN}
"""Losses of which the operator hears only through the link's state."""


class Relay:
    """The lane of one child to its one parent."""

    def __init__(
        self, policy: BackoffPolicy, backoff: Backoff, random: Random, window: Window | None = None
    ) -> None:
        self._policy = policy
        self._backoff = backoff
        self._random = random
        self._window = window or Window()
        self._phase = Phase.RESTING
        self._welcomed_us: int | None = None
        self._reported = ""
        self._again = False
        self._head = 0
        self._acknowledged = 0
        self._next = 0
        self._asked: Send | None = None
        self._under_way: deque[int] = deque()

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def acknowledged(self) -> int:
        """Entries the parent is known to hold, as of this link or the last one."""
        return self._acknowledged

    @property
    def is_at_rest(self) -> bool:
        """Everything the journal has is at the parent: what is of less weight than the journal may be sent."""
        return self._phase is Phase.FLOWING and self._acknowledged >= self._head

    @property
    def backoff(self) -> Backoff:
        return self._backoff

    def handle(self, event: Event, now_us: int) -> list[Command]:
        """What to do about it, in this order."""
        match event:
            case Tick():
                return self._tick(now_us)
            case Welcomed():
                return self._welcomed(event, now_us)
            case NewHead(size):
                self._head = max(self._head, size)
                return self._fill()
            case BatchRead(lo, hi):
                return self._batch_read(lo, hi)
            case Acknowledged(size, cosigned):
                return self._acknowledge(size, cosigned)
            case Refused(code, words):
                return self._refused(code, words)
            case Lost(code, words, retry_after_ms):
                return self._lost(code, words, retry_after_ms, now_us)

    def _tick(self, now_us: int) -> list[Command]:
        if self._phase is not Phase.RESTING:
            return []
        ready_us = self._policy.ready_at(self._backoff, now_us)
        if ready_us > now_us:
            return [Wait(ready_us)]
        self._phase = Phase.DIALLING
        return [Dial()]

    def _welcomed(self, event: Welcomed, now_us: int) -> list[Command]:
        if self._phase is not Phase.DIALLING:
            return []
        self._welcomed_us = now_us
        decision, words = event.outcome.decision, event.outcome.words
        if decision not in (Decision.PUSH, Decision.SEND_AGAIN):
            behind = decision in (Decision.PULL_BACK, Decision.MEND)
            return self._seal(decision, "sealed" if behind else "quarantined", words)
        self._phase = Phase.FLOWING
        self._reported = ""
        self._again = False
        self._head = event.head_size
        self._acknowledged = self._next = event.held_size
        self._forget_sent()
        told: list[Command] = [Unseal()]
        if decision is Decision.SEND_AGAIN:
            told.append(Report("gap", words))
        return told + self._fill()

    def _batch_read(self, lo: int, hi: int) -> list[Command]:
        if self._asked is None or self._asked.lo != lo:
            return []  # read for a link that is gone
        if not lo < hi <= self._asked.hi:
            raise ValueError(f"asked for [{lo}, {self._asked.hi}), read [{lo}, {hi})")
        self._asked = None
        self._next = hi
        self._under_way.append(hi)
        return self._fill()

    def _acknowledge(self, size: int, cosigned: str) -> list[Command]:
        if self._phase is not Phase.FLOWING or size <= self._acknowledged:
            return []
        if size > self._next:
            words = f"the parent acknowledges {size} entries, and only {self._next} were sent"
            return [HangUp("protocol", words)]
        self._acknowledged = size
        while self._under_way and self._under_way[0] <= size:
            self._under_way.popleft()
        return [SaveAcknowledged(size, cosigned), *self._fill()]

    def _refused(self, code: str, words: str) -> list[Command]:
        if self._phase is not Phase.FLOWING:
            return []
        if code in _SEALING:
            return self._seal(_SEALING[code], code, words)
        return [HangUp(code, words)]

    def _lost(self, code: str, words: str, retry_after_ms: int, now_us: int) -> list[Command]:
        if self._phase is Phase.RESTING:
            return []
        if code == AGAIN and not self._again:
            # Once in a row: a journal that still does not agree waits like anybody else.
            self._again, self._phase, self._welcomed_us = True, Phase.RESTING, None
            self._forget_sent()
            self._backoff = replace(self._backoff, not_before_us=now_us)
            return [Wait(now_us)]
        self._again = False
        lived_ms = 0 if self._welcomed_us is None else (now_us - self._welcomed_us) // 1_000
        self._backoff = self._policy.after_failure(
            self._backoff, now_us, lived_ms, retry_after_ms, self._random
        )
        self._phase = Phase.RESTING
        self._welcomed_us = None
        self._forget_sent()
        commands: list[Command] = [SaveBackoff(self._backoff)]
        if code not in _USUAL:
            commands += self._report(code, words)
        return [*commands, Wait(self._backoff.not_before_us)]

    def _seal(self, decision: Decision, code: str, words: str) -> list[Command]:
        self._phase = Phase.SEALED
        self._forget_sent()
        return [Seal(decision, words), *self._report(code, words)]

    def _report(self, code: str, words: str) -> list[Command]:
        if code == self._reported:
            return []
        self._reported = code
        return [Report(code, words)]

    def _forget_sent(self) -> None:
        self._asked = None
        self._under_way.clear()

    def _fill(self) -> list[Command]:
        full = len(self._under_way) >= self._window.batches
        if self._phase is not Phase.FLOWING or self._asked or full or self._next >= self._head:
            return []
        self._asked = Send(self._next, min(self._head, self._next + self._window.batch_entries))
        return [self._asked]
