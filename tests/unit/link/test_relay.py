"""The child's journal lane as a script of events and commands, and under every mishap Hypothesis can think
of.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from federation.link.backoff import Backoff, BackoffPolicy
from federation.link.handshake import Decision, Outcome
from federation.link.relay import (
    AGAIN,
    Acknowledged,
    BatchRead,
    Command,
    Dial,
    HangUp,
    Lost,
    NewHead,
    Phase,
    Refused,
    Relay,
    Report,
    SaveAcknowledged,
    SaveBackoff,
    Seal,
    Send,
    Tick,
    Unseal,
    Wait,
    Welcomed,
    Window,
)

PUSH = Outcome(Decision.PUSH)
SECOND = 1_000_000


def lane(window: Window | None = None, backoff: Backoff | None = None) -> Relay:
    return Relay(BackoffPolicy(), backoff or Backoff(), lambda: 0.5, window)


def flowing(held: int, head: int, window: Window | None = None) -> tuple[Relay, list[Command]]:
    relay = lane(window)
    assert relay.handle(Tick(), 0) == [Dial()]
    return relay, relay.handle(Welcomed(PUSH, held, head), 0)


def test_a_fresh_lane_dials_at_once() -> None:
    assert lane().handle(Tick(), 5) == [Dial()]


def test_a_restarted_lane_goes_on_waiting_where_it_stopped() -> None:
    relay = lane(backoff=Backoff(3, 9 * SECOND))
    assert relay.handle(Tick(), 2 * SECOND) == [Wait(9 * SECOND)]
    assert relay.handle(Tick(), 9 * SECOND) == [Dial()]


def test_it_dials_once_however_often_time_is_told() -> None:
    relay = lane()
    assert relay.handle(Tick(), 0) == [Dial()]
    assert relay.handle(Tick(), 1) == []


def test_sending_starts_at_what_the_parent_holds() -> None:
    _, commands = flowing(held=700, head=900)
    assert commands == [Unseal(), Send(700, 900)]


def test_batches_follow_one_another_up_to_the_window_and_go_on_when_one_is_acknowledged() -> None:
    relay, commands = flowing(0, 5_000, Window(batch_entries=500, batches=2))
    assert commands[-1] == Send(0, 500)
    assert relay.handle(BatchRead(0, 500), 0) == [Send(500, 1_000)]
    assert relay.handle(BatchRead(500, 1_000), 0) == []
    assert relay.handle(Acknowledged(500, "note"), 0) == [SaveAcknowledged(500, "note"), Send(1_000, 1_500)]


def test_a_batch_cut_short_by_its_bytes_is_followed_by_its_rest() -> None:
    relay, _ = flowing(0, 500)
    assert relay.handle(BatchRead(0, 3), 0) == [Send(3, 500)]


def test_a_repeated_or_older_acknowledgement_changes_nothing() -> None:
    relay, _ = flowing(0, 10)
    relay.handle(BatchRead(0, 10), 0)
    assert relay.handle(Acknowledged(10, "note"), 0) == [SaveAcknowledged(10, "note")]
    assert relay.handle(Acknowledged(10, "note"), 0) == []
    assert relay.handle(Acknowledged(4, "older"), 0) == []
    assert relay.acknowledged == 10


def test_a_new_head_is_sent_at_once_when_there_is_room() -> None:
    relay, _ = flowing(10, 10)
    assert relay.handle(NewHead(11), 0) == [Send(10, 11)]


def test_an_acknowledgement_of_what_was_never_sent_ends_the_link() -> None:
    relay, _ = flowing(0, 10)
    [command] = relay.handle(Acknowledged(10, "note"), 0)
    assert isinstance(command, HangUp)
    assert command.code == "protocol"
    assert relay.acknowledged == 0


def test_a_loss_stores_the_backoff_then_waits_then_sends_again_from_the_parents_size() -> None:
    relay, _ = flowing(0, 1_000)
    relay.handle(BatchRead(0, 500), 0)
    commands = relay.handle(Lost("unreachable", "gone"), 7 * SECOND)
    assert commands == [SaveBackoff(Backoff(1, 7_500_000)), Wait(7_500_000)]
    assert relay.handle(Tick(), 7_500_000) == [Dial()]
    assert relay.handle(Welcomed(PUSH, 500, 1_000), 7_500_000) == [Unseal(), Send(500, 1_000)]


def test_a_journal_that_was_filled_up_shakes_hands_again_at_once_and_once_only() -> None:
    relay = lane(backoff=Backoff(7, 0))
    behind = Outcome(Decision.PULL_BACK, "restored")
    for now, rest in ((2 * SECOND, 0), (3 * SECOND, 45 * SECOND)):
        assert relay.handle(Tick(), now) == [Dial()]
        relay.handle(Welcomed(behind, 9, 4), now)
        waits = [c for c in relay.handle(Lost(AGAIN, "filled up"), now) if isinstance(c, Wait)]
        assert waits == [Wait(now + rest)]


def test_a_batch_read_for_a_link_that_is_gone_is_forgotten() -> None:
    relay, _ = flowing(0, 10)
    relay.handle(Lost("unreachable", "gone"), 0)
    assert relay.handle(BatchRead(0, 10), 0) == []


def test_a_gap_ends_the_link_so_that_the_next_handshake_tells_where_to_go_on() -> None:
    relay, _ = flowing(0, 10)
    assert relay.handle(Refused("gap", "next is 4"), 0) == [HangUp("gap", "next is 4")]


def test_a_root_that_differs_seals_the_lane_and_tells_the_operator() -> None:
    relay, _ = flowing(0, 10)
    assert relay.handle(Refused("root_mismatch", "differs"), 0) == [
        Seal(Decision.QUARANTINE, "differs"),
        Report("root_mismatch", "differs"),
    ]
    assert relay.handle(NewHead(11), 0) == []
    assert relay.phase is Phase.SEALED


def test_a_child_that_is_behind_is_sealed_until_a_handshake_agrees() -> None:
    relay = lane()
    relay.handle(Tick(), 0)
    behind = Outcome(Decision.PULL_BACK, "restored")
    assert relay.handle(Welcomed(behind, 9, 4), 0) == [
        Seal(Decision.PULL_BACK, "restored"),
        Report("sealed", "restored"),
    ]
    relay.handle(Lost("", "goodbye"), 0)
    relay.handle(Tick(), 60 * SECOND)
    assert relay.handle(Welcomed(PUSH, 9, 9), 60 * SECOND) == [Unseal()]


def test_a_trouble_is_reported_once_and_not_at_every_attempt() -> None:
    relay = lane()
    relay.handle(Tick(), 0)
    assert Report("wrong_log", "no") in relay.handle(Lost("wrong_log", "no"), 0)
    relay.handle(Tick(), 60 * SECOND)
    assert not any(isinstance(c, Report) for c in relay.handle(Lost("wrong_log", "no"), 60 * SECOND))


def test_a_link_that_dies_at_once_does_not_reset_the_backoff_and_one_that_lived_does() -> None:
    relay = lane(backoff=Backoff(4, 0))
    relay.handle(Tick(), 0)
    relay.handle(Welcomed(PUSH, 0, 0), 0)
    relay.handle(Lost("unreachable", "gone"), 1 * SECOND)
    assert relay.backoff.failures == 5
    relay.handle(Tick(), 100 * SECOND)
    relay.handle(Welcomed(PUSH, 0, 0), 100 * SECOND)
    relay.handle(Lost("unreachable", "gone"), 200 * SECOND)
    assert relay.backoff.failures == 1


class RelayUnderFire(RuleBasedStateMachine):
    """A child, a parent that commits or crashes, and a wire that drops, repeats, reorders and outlives its
    link.
    """

    @initialize(batch=st.integers(1, 4), batches=st.integers(1, 3))
    def start(self, batch: int, batches: int) -> None:
        self.window = Window(batch_entries=batch, batches=batches)
        self.now = 0
        self.journal: list[int] = []
        self.parent: list[int] = []
        self.wire: list[tuple[int, list[int]]] = []
        self.answers: list[int | str] = []
        self.asked: list[Send] = []
        self.saved = 0
        self.backoff = Backoff()
        self.relay = Relay(BackoffPolicy(), self.backoff, lambda: 0.5, self.window)
        self.under_way = 0

    def obey(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Dial():
                    self.wire.clear()
                    self.answers.clear()
                    self.asked.clear()
                    self.obey(
                        self.relay.handle(Welcomed(PUSH, len(self.parent), len(self.journal)), self.now)
                    )
                case Send(lo, hi):
                    assert lo >= self.saved, "acknowledged entries are sent again"
                    assert lo < hi <= len(self.journal)
                    assert hi - lo <= self.window.batch_entries
                    self.asked.append(command)
                case SaveAcknowledged(size, _):
                    assert size <= len(self.parent), "acknowledged before it was durable"
                    self.saved = size
                case SaveBackoff(backoff):
                    self.backoff = backoff
                case HangUp(code, words):
                    self.obey(self.relay.handle(Lost(code, words), self.now))
                case Wait(until_us):
                    assert until_us >= self.now
                case Seal():
                    raise AssertionError("an honest child was sealed")
                case Unseal() | Report():
                    pass

    @rule(entries=st.integers(1, 6))
    def journal_grows(self, entries: int) -> None:
        self.journal += range(len(self.journal), len(self.journal) + entries)
        self.obey(self.relay.handle(NewHead(len(self.journal)), self.now))

    @rule(seconds=st.integers(0, 100))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.obey(self.relay.handle(Tick(), self.now))

    @precondition(lambda self: self.asked)
    @rule(cut=st.integers(0, 3))
    def batch_is_read_and_written(self, cut: int) -> None:
        send = self.asked.pop(0)
        hi = max(send.lo + 1, send.hi - cut)
        commands = self.relay.handle(BatchRead(send.lo, hi), self.now)
        self.wire.append((send.lo, self.journal[send.lo : hi]))
        assert len(self.wire) <= self.window.batches or self.answers
        self.obey(commands)

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def parent_takes_a_batch(self, data: st.DataObject) -> None:
        first, leaves = self.wire.pop(data.draw(st.integers(0, len(self.wire) - 1)))
        self.commit(first, leaves)

    @precondition(lambda self: self.wire)
    @rule()
    def a_batch_arrives_twice(self) -> None:
        first, leaves = self.wire.pop(0)
        self.commit(first, leaves)
        self.commit(first, leaves)

    def commit(self, first: int, leaves: list[int]) -> None:
        if first == len(self.parent):
            self.parent += leaves
            self.answers.append(len(self.parent))
        else:
            self.answers.append("gap")

    @precondition(lambda self: self.wire)
    @rule()
    def a_batch_gets_lost(self) -> None:
        self.wire.pop(0)

    @precondition(lambda self: self.answers)
    @rule(data=st.data(), repeat=st.booleans())
    def child_hears(self, data: st.DataObject, repeat: bool) -> None:
        answer = self.answers.pop(data.draw(st.integers(0, len(self.answers) - 1)))
        for _ in range(1 + repeat):
            if isinstance(answer, int):
                self.obey(self.relay.handle(Acknowledged(answer, "note"), self.now))
            else:
                self.obey(self.relay.handle(Refused(answer, "not the next"), self.now))

    @precondition(lambda self: self.answers)
    @rule()
    def an_answer_gets_lost(self) -> None:
        self.answers.pop(0)

    @rule()
    def link_breaks(self) -> None:
        self.obey(self.relay.handle(Lost("unreachable", "cut"), self.now))

    @precondition(lambda self: self.wire)
    @rule(after_commit=st.booleans())
    def parent_crashes(self, after_commit: bool) -> None:
        first, leaves = self.wire.pop(0)
        if after_commit and first == len(self.parent):
            self.parent += leaves
        self.obey(self.relay.handle(Lost("unreachable", "crash"), self.now))

    @rule()
    def child_crashes(self) -> None:
        self.wire.clear()
        self.answers.clear()
        self.asked.clear()
        self.relay = Relay(BackoffPolicy(), self.backoff, lambda: 0.5, self.window)

    @invariant()
    def parent_holds_a_prefix_without_doubles(self) -> None:
        if hasattr(self, "parent"):
            assert self.parent == self.journal[: len(self.parent)]
            assert self.saved <= len(self.parent)

    def teardown(self) -> None:
        """On a network that works again, the parent catches up."""
        if not hasattr(self, "relay"):
            return
        self.obey(self.relay.handle(Lost("unreachable", "last cut"), self.now))
        self.wire.clear()
        for _ in range(200 + 3 * len(self.journal)):
            self.now += 100 * SECOND
            self.obey(self.relay.handle(Tick(), self.now))
            if self.asked:
                send = self.asked.pop(0)
                commands = self.relay.handle(BatchRead(send.lo, send.hi), self.now)
                self.commit(send.lo, self.journal[send.lo : send.hi])
                self.obey(commands)
            while self.answers:
                answer = self.answers.pop(0)
                assert isinstance(answer, int)
                self.obey(self.relay.handle(Acknowledged(answer, "note"), self.now))
            if self.parent == self.journal and self.relay.acknowledged == len(self.journal):
                return
        raise AssertionError(f"stuck at {len(self.parent)} of {len(self.journal)} in {self.relay.phase}")


RelayUnderFire.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRelayUnderFire = RelayUnderFire.TestCase
