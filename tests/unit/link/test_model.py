"""Two journals and everything that can happen to them: the real machines and decisions of both sides over a wire, disks and clocks that Hypothesis
runs.

Real are the relay, what the parent makes of Hello (`greeting`), what the child makes of Welcome (`welcome`), the prefix, the search for the last
common size and the in-memory twins of both stores. Played are the wire, which drops, repeats and reorders; crashes of either side, before and
after a commit; backups that are put back; writing while nobody answers; and a child that rewrites what it once showed.

What must hold, whatever happens:

- every acknowledged entry survives at somebody who counts, and nothing that still exists somewhere is lost in mending;
- no entry is there twice;
- once the line is good again and a person has decided what is a person's to decide, both sides come to the same journal;
- a rewritten past is never taken, and two heads signed by the child contradict each other in evidence.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.mending_pb2 import RootsRequest, RootsResponse
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.journal.checkpoint import Signer, Verifier, log_id, open_note
from federation.journal.merkle import verify_consistency
from federation.link.backoff import Backoff, BackoffPolicy
from federation.link.greeting import greet
from federation.link.handshake import Decision, Prefix, Shown, parent_confirms
from federation.link.hello import shown_head
from federation.link.memory import MemoryInbox, MemoryJournal, MemoryOperator, MemoryTree
from federation.link.mending import roots_of
from federation.link.ports import OwnHead
from federation.link.recovering import last_common, proven_common
from federation.link.relay import (
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
from federation.link.welcome import understand

TOWN, VILLAGE = "990102", "990102001"
SECOND = 1_000_000
T = TypeVar("T")

CHILD = Signer.from_bytes(log_id(VILLAGE, "0123456789"), bytes(range(32)))
PARENT = Signer.from_bytes(log_id(TOWN, "0123456789"), bytes(range(1, 33)))
CARD = NodeCard(node=TOWN, tier="town", verifier=str(PARENT.verifier))


@dataclass
class Batch:
    first: int
    leaves: list[bytes]
    note: str


@dataclass
class Pulling:
    """Entries that come back, up to the head that Welcome proved."""

    size: int
    root: bytes


class _Roots:
    """The one call of the mending service that the search for the last common size needs."""

    def __init__(self, inbox: MemoryInbox) -> None:
        self._inbox = inbox

    async def Roots(self, request: RootsRequest, timeout: float) -> RootsResponse:
        held = await self._inbox.held(VILLAGE)
        return await roots_of(self._inbox, VILLAGE, held.size, request.sizes)


class TwoJournals(RuleBasedStateMachine):
    """One child, one parent."""

    @initialize(batch=st.integers(1, 4), batches=st.integers(1, 3))
    def start(self, batch: int, batches: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.window = Window(batch_entries=batch, batches=batches)
        self.now = 0
        self.numbers = 0
        self.journal = MemoryJournal(CHILD)
        self.operator = MemoryOperator(self.journal)
        self.inbox = MemoryInbox(PARENT, lambda: self.now)
        self.backoff = Backoff()
        self.acknowledged: set[bytes] = set()
        self.backups: list[tuple[list[bytes], int, str]] = []
        self.parent_backups: list[tuple[list[bytes], str]] = []
        self.rewritten = False
        self.evidence = ""
        """The newest head that the parent ever took."""
        self.boot()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def boot(self) -> None:
        """The child's process starts: only what is on disk is left."""
        self.relay = Relay(BackoffPolicy(), self.backoff, lambda: 0.5, self.window)
        self.wire: list[Batch] = []
        self.answers: list[tuple[int, str] | tuple[None, str]] = []
        self.asked: list[Send] = []
        self.pulling: Pulling | None = None

    @property
    def own(self) -> list[bytes]:
        return self.journal.tree.leaves

    @property
    def held(self) -> list[bytes]:
        copy = self.inbox.copies.get(VILLAGE)
        return copy.tree.leaves if copy else []

    # What the child's IO does.

    def obey(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Dial():
                    self.wire.clear()
                    self.answers.clear()
                    self.asked.clear()
                    self.pulling = None
                    self.shake_hands()
                case Send(lo, hi):
                    assert lo < hi <= len(self.own)
                    self.asked.append(command)
                case SaveAcknowledged(size, cosigned):
                    self.acknowledged.update(self.own[:size])
                    self.do(self.journal.acknowledged(size, cosigned))
                case SaveBackoff(backoff):
                    self.backoff = backoff
                case HangUp(code, words):
                    self.obey(self.relay.handle(Lost(code, words), self.now))
                case Wait(until_us):
                    assert until_us >= self.now
                case Seal(decision, words):
                    self.do(self.operator.seal(decision, words))
                case Unseal():
                    self.do(self.operator.unseal())
                case Report():
                    pass
        if self.relay.phase is Phase.FLOWING:
            # What was set aside may have been entered again.
            size = len(self.own)
            if size > self.relay._head:
                self.obey(self.relay.handle(NewHead(size), self.now))

    def shake_hands(self) -> None:
        head = self.do(self.journal.head())
        card = NodeCard(
            node=VILLAGE, parent=TOWN, log_id=head.log_id, verifier=head.verifier, checkpoint=head.note
        )
        hello = wire.Hello(
            card=card,
            size=head.size,
            root=head.root,
            session="session1",
            protocol=1,
            cosigned=head.cosigned_note,
        )
        shown = shown_head(hello)
        self.do(self.inbox.enrol(card))
        held = self.do(self.inbox.held(VILLAGE))
        judged = self.do(greet(self.inbox, hello, shown, held, CARD))
        welcome = wire.Welcome(
            parent=CARD,
            verdict=judged.verdict,
            instruction=judged.instruction,
            held_size=held.size,
            held_root=held.root,
            held_checkpoint=held.note,
            consistency=judged.consistency,
            common_size=judged.common_size,
        )
        outcome, prefix = self.do(understand(self.journal, head, welcome))
        self.obey(self.relay.handle(Welcomed(outcome, held.size, head.size), self.now))
        if prefix is not None:
            told = parent_confirms(
                shown, Shown(held.log_id, held.size, held.root),
                Prefix(prefix.size, prefix.root, list(prefix.consistency)),
            )  # fmt: skip
            if told.decision is Decision.QUARANTINE:
                self.do(self.inbox.fork(VILLAGE, held.note, card.checkpoint, told.words))
                self.obey(self.relay.handle(Lost("quarantined", told.words), self.now))
                return
        if outcome.decision is Decision.MEND:
            stub = _Roots(self.inbox)
            common = self.do(proven_common(stub, "", self.journal, held.size, held.root))
            self.do(self.journal.give_up(common))
        if outcome.decision in (Decision.MEND, Decision.PULL_BACK):
            self.pulling = Pulling(held.size, held.root)
        elif outcome.decision is Decision.QUARANTINE:
            self.branch_off(head, held.size)

    def branch_off(self, head: OwnHead, held_size: int) -> None:
        """Hand over the branch, in one go."""
        common = self.do(last_common(_Roots(self.inbox), "", self.journal, min(head.size, held_size)))
        for first in (max(common, self.do(self.inbox.diverted(VILLAGE))), common):
            leaves = self.own[first:]
            if first > len(self.own):
                continue  # more than there is here: it is another branch
            if not leaves:
                return
            note = self.do(self.journal.note_at(len(self.own)))
            try:
                self.do(self.inbox.divert(VILLAGE, common, first, leaves, note))
            except ZonghengError as error:
                if error.code not in ("root_mismatch", "gap") or first == common:
                    raise
            else:
                return

    # What happens.

    @precondition(lambda self: not self.journal.sealed)
    @rule(entries=st.integers(1, 5))
    def the_journal_grows(self, entries: int) -> None:
        fresh = [b"entry %d" % (self.numbers + n) for n in range(entries)]
        self.numbers += entries
        size = self.do(self.journal.append(fresh))
        self.obey(self.relay.handle(NewHead(size), self.now))

    @rule(seconds=st.sampled_from([0, 1, 40, 4_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.obey(self.relay.handle(Tick(), self.now))

    @precondition(lambda self: self.asked)
    @rule(cut=st.integers(0, 2))
    def a_batch_is_read_and_written(self, cut: int) -> None:
        send = self.asked.pop(0)
        hi = max(send.lo + 1, send.hi - cut)
        batch = Batch(send.lo, self.own[send.lo : hi], self.do(self.journal.note_at(hi)))
        commands = self.relay.handle(BatchRead(send.lo, hi), self.now)
        self.wire.append(batch)
        self.obey(commands)

    def commit(self, batch: Batch) -> None:
        """The parent takes a batch as far as its inbox lets it, and answers."""
        try:
            accepted = self.do(self.inbox.accept(VILLAGE, batch.first, batch.leaves, batch.note))
        except ZonghengError as error:
            if error.code == "root_mismatch":
                self.do(self.inbox.fork(VILLAGE, self.inbox.copies[VILLAGE].note, batch.note, error.detail))
            self.answers.append((None, error.code))
        else:
            self.evidence = batch.note
            self.answers.append((accepted.size, accepted.cosigned))

    @precondition(lambda self: self.wire)
    @rule(data=st.data(), twice=st.booleans())
    def the_parent_takes_a_batch(self, data: st.DataObject, twice: bool) -> None:
        batch = self.wire.pop(data.draw(st.integers(0, len(self.wire) - 1)))
        for _ in range(1 + twice):
            self.commit(batch)

    @precondition(lambda self: self.wire or self.answers)
    @rule(answer=st.booleans())
    def something_gets_lost(self, answer: bool) -> None:
        lost = self.answers if self.answers and (answer or not self.wire) else self.wire
        lost.pop(0)

    @precondition(lambda self: self.answers)
    @rule(data=st.data(), twice=st.booleans())
    def the_child_hears(self, data: st.DataObject, twice: bool) -> None:
        size, word = self.answers.pop(data.draw(st.integers(0, len(self.answers) - 1)))
        for _ in range(1 + twice):
            event = Refused(word, "no") if size is None else Acknowledged(size, word)
            self.obey(self.relay.handle(event, self.now))

    @precondition(lambda self: self.pulling is not None)
    @rule(entries=st.integers(1, 6), crash=st.booleans())
    def entries_come_back(self, entries: int, crash: bool) -> None:
        self.pull(entries)
        if crash:
            self.boot()

    def pull(self, entries: int) -> None:
        assert self.pulling is not None
        first, size = len(self.own), self.pulling.size
        if first < size:
            until = min(size, first + entries)
            root = self.do(self.inbox.root_at(VILLAGE, until))
            proof = list(self.do(self.inbox.consistency(VILLAGE, until, size)))
            verify_consistency(until, root, size, self.pulling.root, proof)
            self.do(self.journal.adopt(first, self.held[first:until], root))
        if len(self.own) == size:
            self.obey(self.relay.handle(Lost("", "once more"), self.now))

    @rule()
    def the_link_breaks(self) -> None:
        self.obey(self.relay.handle(Lost("unreachable", "cut"), self.now))

    @rule()
    def the_child_crashes(self) -> None:
        self.boot()

    @precondition(lambda self: self.wire)
    @rule(after_commit=st.booleans())
    def the_parent_crashes(self, after_commit: bool) -> None:
        batch = self.wire.pop(0)
        if after_commit:
            self.commit(batch)
        self.obey(self.relay.handle(Lost("unreachable", "crash"), self.now))

    @precondition(lambda self: not self.journal.aside and not self.rewritten)
    @rule()
    def the_child_is_backed_up(self) -> None:
        self.backups.append((list(self.own), self.journal.cosigned_size, self.journal.cosigned_note))

    @precondition(lambda self: self.held and not self.inbox.copies[VILLAGE].quarantine)
    @rule()
    def the_parent_is_backed_up(self) -> None:
        self.parent_backups.append((list(self.held), self.inbox.copies[VILLAGE].note))

    @precondition(
        lambda self: (
            self.backups
            and not self.journal.aside
            and not self.rewritten
            and self.acknowledged <= set(self.held)
        )
    )
    @rule(data=st.data(), writes=st.integers(0, 4))
    def the_child_is_put_back(self, data: st.DataObject, writes: int) -> None:
        leaves, size, note = data.draw(st.sampled_from(self.backups))
        sealed = self.journal.sealed
        self.journal = MemoryJournal(CHILD, leaves)
        self.journal.cosigned_size, self.journal.cosigned_note = size, note
        # Beside the database something may be left that tells, or not; then it may write before its parent answers.
        self.journal.sealed = sealed or data.draw(st.booleans())
        self.operator = MemoryOperator(self.journal)
        self.backoff = Backoff()
        self.boot()
        if writes and not self.journal.sealed:
            self.the_journal_grows(writes)

    @precondition(
        lambda self: (
            self.parent_backups
            and not self.inbox.copies[VILLAGE].quarantine
            and not self.rewritten
            and self.acknowledged <= set(self.own)
        )
    )
    @rule(data=st.data())
    def the_parent_is_put_back(self, data: st.DataObject) -> None:
        leaves, note = data.draw(st.sampled_from(self.parent_backups))
        copy = self.inbox.copies[VILLAGE]
        copy.tree, copy.note, copy.cosigned_size = MemoryTree(leaves), note, len(leaves)
        self.obey(self.relay.handle(Lost("unreachable", "gone"), self.now))

    @precondition(
        lambda self: self.held and not self.rewritten and not self.journal.aside and not self.journal.sealed
    )
    @rule(data=st.data())
    def the_child_rewrites_what_it_showed(self, data: st.DataObject) -> None:
        shared = [n for n, leaf in enumerate(self.held) if n < len(self.own) and self.own[n] == leaf]
        if not shared or self.inbox.copies[VILLAGE].quarantine or data.draw(st.integers(0, 4)):
            return
        at = data.draw(st.sampled_from(shared))
        leaves = [b"nothing happened" if n == at else leaf for n, leaf in enumerate(self.own)]
        cosigned = self.journal.cosigned_size, self.journal.cosigned_note
        self.journal = MemoryJournal(CHILD, leaves)
        self.journal.cosigned_size, self.journal.cosigned_note = cosigned
        self.operator = MemoryOperator(self.journal)
        self.rewritten = True
        self.taken = list(self.held)
        self.boot()

    @precondition(
        lambda self: (
            VILLAGE in self.inbox.copies
            and self.inbox.copies[VILLAGE].quarantine
            and self.inbox.copies[VILLAGE].branch
            and not self.rewritten
        )
    )
    @rule()
    def a_person_decides_to_mend(self) -> None:
        self.inbox.copies[VILLAGE].mending = True
        self.obey(self.relay.handle(Lost("", "decided"), self.now))

    def move(self) -> None:
        """One step of an undisturbed line."""
        self.now += 100 * SECOND
        self.obey(self.relay.handle(Tick(), self.now))
        if self.pulling is not None:
            self.pull(7)
        elif self.asked:
            self.a_batch_is_read_and_written(0)
            self.commit(self.wire.pop())
        while self.answers:
            size, word = self.answers.pop(0)
            event = Refused(word, "no") if size is None else Acknowledged(size, word)
            self.obey(self.relay.handle(event, self.now))
        if self.relay.phase is Phase.SEALED and self.pulling is None:
            self.obey(self.relay.handle(Lost("unreachable", "again"), self.now))

    @rule(moves=st.integers(1, 12))
    def the_line_is_good_for_a_while(self, moves: int) -> None:
        self.wire.clear()
        for _ in range(moves):
            self.move()

    # What must hold.

    @invariant()
    def nothing_is_there_twice(self) -> None:
        if hasattr(self, "journal"):
            for leaves in (self.own, self.held):
                assert len(leaves) == len(set(leaves))

    @invariant()
    def what_was_acknowledged_is_held_or_shown_again(self) -> None:
        if hasattr(self, "journal") and not self.rewritten:
            assert self.acknowledged <= set(self.held) | set(self.own)

    @invariant()
    def a_rewritten_past_is_never_taken(self) -> None:
        if getattr(self, "rewritten", False):
            assert b"nothing happened" not in self.held
            assert self.held[: len(self.taken)] == self.taken

    def teardown(self) -> None:
        """The line is good again, and people do what is theirs."""
        if not hasattr(self, "journal"):
            return
        try:
            self.come_to_rest()
        finally:
            self.loop.close()

    def come_to_rest(self) -> None:
        self.obey(self.relay.handle(Lost("unreachable", "last cut"), self.now))
        everything = {*self.own, *self.journal.aside, *self.held}
        for _ in range(60 + 4 * len(everything)):
            self.move()
            copy = self.inbox.copies[VILLAGE]
            if copy.quarantine and self.rewritten:
                break
            if copy.quarantine and not copy.mending:
                self.a_person_decides_to_mend()
            if self.own == self.held and not copy.quarantine and not self.journal.sealed:
                break
        if self.rewritten:
            self.is_found_out()
            return
        assert self.own == self.held, (len(self.own), len(self.held), self.relay.phase)
        assert set(self.held) == everything
        assert self.acknowledged <= set(self.held)

    def is_found_out(self) -> None:
        assert len(self.inbox.forks) >= 1
        _, held, shown, _ = self.inbox.forks[-1]
        key = Verifier.parse(str(CHILD.verifier))
        assert open_note(held, [key]).root != open_note(shown, [key]).root
        assert self.held[: len(self.taken)] == self.taken


TwoJournals.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    # What fails is shown as it was found: making it smaller takes longer than all the rest.
    phases=[Stage.explicit, Stage.reuse, Stage.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestTwoJournals = TwoJournals.TestCase
