"""Sender and receiver of one file, driven through cuts, kills, lost tails and damage."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.files.transfer import (
    PIECE_BYTES,
    Answer,
    BrokenTransfer,
    Forget,
    Receiver,
    Refused,
    Sender,
    Stored,
    Verify,
    Want,
)

CREDIT = 3 * PIECE_BYTES


class Disk:
    """What the receiver has of the file, and whether it counts."""

    def __init__(self) -> None:
        self.part = b""
        self.kept: bytes | None = None


class Call:
    """One call between the two machines; it ends when it is cut."""

    def __init__(self, content: bytes, name: str, disk: Disk) -> None:
        self.content, self.name, self.disk = content, name, disk
        self.sender = Sender(len(content))
        self.receiver = Receiver(len(content), len(disk.part), CREDIT)
        self.up: list[tuple[int, bytes]] = []
        self.down: list[Answer] = []
        self.most = 0
        self.sent = 0
        self.obey(self.receiver.begin())

    def obey(self, commands: list[Answer | Verify | Forget]) -> None:
        for command in commands:
            match command:
                case Verify():
                    right = sha256(self.disk.part).hexdigest() == self.name
                    if right:
                        self.disk.kept = self.disk.part
                    self.obey(self.receiver.verified(right))
                case Forget():
                    self.disk.part = b""
                case Want() | Stored() | Refused():
                    self.down.append(command)

    def step(self) -> bool:
        """One thing that can happen next; False: nothing can."""
        if self.down:
            self.sender.handle(self.down.pop(0))
            return True
        if piece := self.sender.read():
            self.up.append((piece.offset, self.content[piece.offset : piece.offset + piece.count]))
            self.sent += piece.count
            self.most = max(self.most, sum(len(content) for _, content in self.up))
            return True
        if self.up:
            offset, content = self.up.pop(0)
            if write := self.receiver.piece(offset, len(content)):
                self.disk.part += content[write.skip :]
                self.obey(self.receiver.written(len(self.disk.part)))
            return True
        return False

    def run(self) -> None:
        while self.step():
            pass


def name_of(content: bytes) -> str:
    return sha256(content).hexdigest()


CONTENT = bytes(range(256)) * 2_000  # eight pieces

TROUBLE = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.sampled_from(["cut", "lost tail", "torn tail", "longer"]),
        st.integers(1, 70_000),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(CONTENT)), TROUBLE)
def test_whatever_cuts_it_the_right_file_arrives_within_the_credit(
    size: int, troubles: list[tuple[int, str, int]]
) -> None:
    content, disk = CONTENT[:size], Disk()
    most = 0
    for steps, trouble, count in troubles:
        call = Call(content, name_of(content), disk)
        for _ in range(steps):
            call.step()
        most = max(most, call.most)
        if disk.kept is not None:
            break
        match trouble:  # What a kill or a power cut leaves of an unfinished file.
            case "lost tail":
                disk.part = disk.part[:-count]
            case "torn tail":
                tail = min(count, len(disk.part))
                disk.part = disk.part[: len(disk.part) - tail] + bytes(tail)
            case "longer":
                disk.part += bytes(count)
    last = Call(content, name_of(content), disk)
    last.run()
    assert disk.kept == content
    assert last.sender.outcome == Stored()
    assert max(most, last.most) <= CREDIT


@pytest.mark.parametrize("held", [0, 1, 70_000, len(CONTENT) - 1])
def test_only_what_is_missing_is_sent(held: int) -> None:
    disk = Disk()
    disk.part = CONTENT[:held]
    call = Call(CONTENT, name_of(CONTENT), disk)
    call.run()
    assert disk.kept == CONTENT
    assert call.sent == len(CONTENT) - held


def test_a_file_that_was_changed_below_is_refused_and_leaves_nothing() -> None:
    disk = Disk()
    call = Call(CONTENT, name_of(b"what the entry names"), disk)
    call.run()
    assert isinstance(call.sender.outcome, Refused)
    assert call.sender.outcome.code == "changed"
    assert (disk.part, disk.kept) == (b"", None)


def test_an_empty_file_is_a_file() -> None:
    disk = Disk()
    Call(b"", name_of(b""), disk).run()
    assert disk.kept == b""


@pytest.mark.parametrize(
    ("offset", "count"), [(len(CONTENT) - 1, 2), (1, 10), (0, 0), (CREDIT, 1), (0, CREDIT + 1)]
)
def test_pieces_that_break_the_rules_end_the_call(offset: int, count: int) -> None:
    receiver = Receiver(len(CONTENT), 0, CREDIT)
    receiver.begin()
    with pytest.raises(BrokenTransfer):
        receiver.piece(offset, count)


@pytest.mark.parametrize("wish", [Want(len(CONTENT) + 1, 1, restart=True), Want(1, 1), Want(0, -1)])
def test_a_receiver_that_claims_what_was_never_sent_ends_the_call(wish: Want) -> None:
    with pytest.raises(BrokenTransfer):
        Sender(len(CONTENT)).handle(wish)
