"""One file on its way over one call: the sender's half and the receiver's, without input or output.

A file is named by the SHA-256 of its bytes, so nothing else has to be agreed: the receiver says how much it has, the sender goes on from
there, and at the end the digest decides. A cut at any byte costs what was in flight. What a receiver has when its process is killed or
its power goes may be wrong; then the digest differs, the receiver forgets all of it and asks once more from the first byte, and if that differs
too, it is the sender that has another file under this name.

Credit bounds what is in flight: the receiver grants bytes, and grants more only as it has written what came. Nothing here waits or reads a
clock; when to offer again is the caller's.
"""

from dataclasses import dataclass
from typing import Final

PIECE_BYTES: Final = 64 * 1024
"""Most bytes in one piece."""

CREDIT_BYTES: Final = 1024 * 1024
"""What a receiver lets be in flight; so much of a file, and no more, is in its memory."""


@dataclass(frozen=True, slots=True)
class Want:
    """To the sender: `offset` bytes are here, up to `credit` more are taken. `restart`: forget what was sent."""

    offset: int
    credit: int
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """To the sender: the whole file is verified and durable."""


@dataclass(frozen=True, slots=True)
class Refused:
    """To the sender: it is not taken; `code` is the catalogue's."""

    code: str
    words: str
    retry_after_ms: int = 0


Answer = Want | Stored | Refused


@dataclass(frozen=True, slots=True)
class Read:
    """Sender's command: read [offset, offset + count) of the file and write it as one piece."""

    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Write:
    """Receiver's command: write the piece behind what is there, then call `Receiver.written`."""

    skip: int
    """Bytes at the piece's front that are there already."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Receiver's command: compute the digest of what is there and keep the file if it is the right one, then call
    `Receiver.verified`.
    """


@dataclass(frozen=True, slots=True)
class Forget:
    """Receiver's command: delete what is there."""


Done = Stored | Refused


class BrokenTransfer(Exception):
    """The other side does not keep to the transfer; the call is over."""


class Sender:
    """Sends one file of `size` bytes. `outcome` is None until the receiver has decided."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._next = 0
        self._limit = 0
        self.outcome: Done | None = None

    @property
    def in_flight(self) -> int:
        """Bytes the receiver still takes without another word."""
        return max(0, self._limit - self._next)

    def handle(self, answer: Answer) -> None:
        """What the receiver said. Raises BrokenTransfer for a wish that cannot be."""
        if not isinstance(answer, Want):
            self.outcome = answer
            return
        if answer.offset > self._size or answer.credit < 0:
            raise BrokenTransfer(f"the receiver claims {answer.offset} bytes of a file of {self._size}")
        if answer.restart:
            self._next = answer.offset
            self._limit = 0
        elif answer.offset > self._next:
            raise BrokenTransfer(
                f"the receiver claims {answer.offset} bytes, and only {self._next} were sent"
            )
        self._limit = max(self._limit, min(self._size, answer.offset + answer.credit))

    def read(self) -> Read | None:
        """The next piece to send; None: wait for the receiver's word."""
        if self.outcome is not None or self._next >= self._limit:
            return None
        count = min(PIECE_BYTES, self._limit - self._next)
        piece = Read(self._next, count)
        self._next += count
        return piece


class Receiver:
    """Receives one file of `size` bytes of which `held` are there. Ask `begin` first."""

    def __init__(self, size: int, held: int, credit: int = CREDIT_BYTES) -> None:
        self._size = size
        self._held = held
        self._credit = credit
        self._restarting = held > size
        self._resumed = held > 0
        self._granted = 0
        self.over = False

    @property
    def held(self) -> int:
        return self._held

    def begin(self) -> list[Answer | Verify | Forget]:
        """What to do when the file is offered."""
        if self._restarting:
            return self._restart()
        if self._held == self._size:
            return [Verify()]
        return [self._want(restart=True)]

    def piece(self, offset: int, count: int) -> Write | None:
        """A piece came; None: it is there already, or was sent before a restart. Raises BrokenTransfer when it breaks the rules."""
        if self.over or count == 0 or offset + count > self._size:
            raise BrokenTransfer("a piece has at least a byte, and none beyond the end of the file")
        if self._restarting and offset != 0:
            return None
        self._restarting = False
        if offset > self._held:
            raise BrokenTransfer(f"the piece at {offset} leaves a gap: {self._held} bytes are here")
        if offset + count > self._granted:
            raise BrokenTransfer(f"{offset + count} bytes were sent where {self._granted} were granted")
        if offset + count <= self._held:
            return None
        return Write(self._held - offset)

    def written(self, held: int) -> list[Answer | Verify | Forget]:
        """So many bytes are there now."""
        self._held = held
        if held == self._size:
            return [Verify()]
        # A grant for every piece would cost a message for a message.
        if self._granted - held <= self._credit // 2:
            return [self._want(restart=False)]
        return []

    def verified(self, is_right: bool) -> list[Answer | Verify | Forget]:
        """Whether the digest is the file's name; where it is, the file is kept."""
        if is_right:
            self.over = True
            return [Stored()]
        if self._resumed:
            return self._restart()
        self.over = True
        return [
            Forget(),
            Refused("changed", "the bytes are not those that the entry names: the file was changed"),
        ]

    def _restart(self) -> list[Answer | Verify | Forget]:
        self._held = 0
        self._resumed = False
        self._restarting = True
        if self._size == 0:
            return [Forget(), Verify()]
        return [Forget(), self._want(restart=True)]

    def _want(self, restart: bool) -> Want:
        self._granted = min(self._size, self._held + self._credit)
        return Want(self._held, self._credit, restart)
