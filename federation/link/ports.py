"""What the link wants from the node it serves: small protocols, so that it knows no store, no table and no
rule.

Everything a port promises as durable survives a crash of the process from the moment the call returns. Calls
may be cancelled at any await; a port then has either done all of it or nothing. Errors meant for the other
side are ZonghengError; any other exception ends the link's task and so reaches whoever runs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from zongheng.v1.query_pb2 import Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.link.backoff import Backoff
from federation.link.handshake import Decision
from federation.query.part import Parts
from federation.rollup.row import RollupRow


@dataclass(frozen=True, slots=True)
class OwnHead:
    """The newest head of the node's own journal."""

    log_id: str
    verifier: str
    """C2SP vkey."""
    size: int
    root: bytes
    note: str
    """Signed checkpoint at `size`; empty while there is none."""
    cosigned_size: int
    """Largest size the parent is known to have cosigned."""
    cosigned_note: str = ""
    """The head there, with the parent's cosignature."""
    former_verifiers: Sequence[str] = ()
    """Keys that this journal itself says its earlier heads were signed by, C2SP vkeys."""


class ChildJournal(Protocol):
    """The own journal, as it is relayed."""

    async def head(self) -> OwnHead: ...

    async def leaves(self, lo: int, hi: int, max_bytes: int) -> Sequence[bytes]:
        """Stored leaves from `lo` on: at least one, at most `hi - lo`, and no more bytes than asked unless
        the first alone has.
        """
        ...

    async def note_at(self, size: int) -> str:
        """The signed checkpoint at this size, signed now if none is stored."""
        ...

    async def root_at(self, size: int) -> bytes: ...

    async def consistency(self, old: int, new: int) -> Sequence[bytes]:
        """Consistency proof between two sizes of the own journal (RFC 9162 §2.1.4.1)."""
        ...

    async def wait_beyond(self, size: int) -> int:
        """The journal's size as soon as it is larger than `size`."""
        ...

    async def acknowledged(self, size: int, cosigned_note: str) -> None:
        """The parent holds `size` entries durably. Store it; it never goes back."""
        ...

    async def adopt(self, first: int, leaves: Sequence[bytes], root: bytes) -> int:
        """Take entries back that were lost here; the journal is sealed meanwhile. Returns its size then.

        `root` is proven to lead to a head that this node signed. Raises ZonghengError `root_mismatch`, and keeps
        nothing, unless the journal with these entries has that root.
        """
        ...

    async def give_up(self, size: int) -> None:
        """Set aside what lies beyond `size`, to be entered again once the parent's entries are adopted. The
        journal is sealed meanwhile.
        """
        ...


@dataclass(frozen=True, slots=True)
class News:
    """What a child has to report: rows that changed since the last report, and the cards of itself and
    everybody below.
    """

    journal_size: int
    rows: Sequence[RollupRow]
    cards: Sequence[NodeCard]
    mark: int
    """Handed back to `Reporter.reported`."""


class Reporter(Protocol):
    """The rollup lane's source: latest version wins, so what piled up while offline is one report."""

    async def changed(self, since_mark: int) -> None:
        """Returns as soon as there is something newer than the mark; 0 is before everything."""
        ...

    async def news(self) -> News: ...

    async def reported(self, mark: int) -> None:
        """The parent has stored everything up to the mark. Store it: after a restart `news` starts there."""
        ...


class Answerer(Protocol):
    """Answers questions about this node and everybody below it."""

    def answer(self, question: Question, deadline: float) -> Parts:
        """The parts, as they become known. `deadline` is on the event loop's clock (`loop.time()`).

        An async generator: it is closed when nobody waits for the answer any more.
        """
        ...


class BackoffStore(Protocol):
    """Keeps the backoff across restarts."""

    async def load(self) -> Backoff: ...

    async def save(self, backoff: Backoff) -> None: ...


class Operator(Protocol):
    """Who must act when the link cannot help itself."""

    async def seal(self, decision: Decision, words: str) -> None:
        """The parent takes nothing more. For PULL_BACK and MEND the own journal must not be written until `unseal`."""
        ...

    async def unseal(self) -> None:
        """Both sides agree. Called at every such handshake, sealed or not. What was set aside is entered again first."""
        ...

    async def met(self, parent: NodeCard) -> None:
        """The parent said who it is."""
        ...

    async def offered(self, log_id: str) -> None:
        """The parent's operator decided that this node goes on in this log."""
        ...

    async def attempted(self) -> None:
        """An attempt to reach the parent has an outcome, whichever, or none is made yet: whoever waited for it goes on."""
        ...

    async def report(self, code: str, words: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Held:
    """What a parent holds of one child's journal."""

    log_id: str
    verifier: str
    size: int
    root: bytes
    note: str
    """The child's signed checkpoint at `size`; empty while `size` is 0."""
    cosigned_size: int
    """Largest size this parent knows to have cosigned."""
    quarantine: str = ""
    """Words where nothing more is taken."""
    mend_from: int | None = None
    """In quarantine, where a person decided to mend: the last size that both histories share."""
    renew: str = ""
    """In quarantine, where a person decided that the child goes on in another log: its log id."""
    former_verifiers: Sequence[str] = ()
    """Keys that signed earlier heads of the journal, C2SP vkeys."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is durable, with the parent's cosignature over the child's checkpoint there."""

    size: int
    cosigned: str


class Gate(Protocol):
    """Who is let in: the peer of a call by its certificate and its registered key."""

    async def admit(self, context: Any, card: NodeCard) -> None:
        """Returns when the peer of the call is the child that the card names, and is welcome.

        Raises ZonghengError: `untrusted` for a certificate whose names do not nest, or a card of somebody else's; `not_enrolled` for
        another key than the registered one; `revoked`.
        """
        ...


class ParentInbox(Protocol):
    """The journals a parent holds for its children."""

    async def enrol(self, card: NodeCard) -> None:
        """Pin the child's log id and verifier the first time; afterwards compare the log id. A child that the gate admits with
        another verifier enrolled again: its heads are signed by that one from now on.

        A log that a person here decided the child is to go on in is held from its first entry on, in place of the one before.
        Raises ZonghengError `wrong_log` for another log, `not_enrolled` for a node that may
        not be a child here.
        """
        ...

    async def held(self, node: str) -> Held:
        """What is held, of a node that `enrol` let pass."""
        ...

    async def root_at(self, node: str, size: int) -> bytes: ...

    async def consistency(self, node: str, old: int, new: int) -> Sequence[bytes]: ...

    async def leaves(self, node: str, lo: int, hi: int, max_bytes: int) -> Sequence[bytes]:
        """Held leaves from `lo` on: at least one, at most `hi - lo`, no more bytes than asked unless the first
        alone has.
        """
        ...

    async def accept(self, node: str, first: int, leaves: Sequence[bytes], note: str) -> Accepted:
        """Store a batch in one transaction, then cosign.

        Raises ZonghengError: `gap` unless `first` is the held size, `bad_signature` unless the pinned key
        signed the note, `root_mismatch` unless the extended tree has the signed root, `quarantined`. Nothing
        of a refused batch is kept.
        """
        ...

    async def fork(self, node: str, held_note: str, shown_note: str, reason: str) -> None:
        """Quarantine the child's journal and keep both signed heads as evidence. Repeating it changes
        nothing.
        """
        ...

    async def divert(self, node: str, common: int, first: int, leaves: Sequence[bytes], note: str) -> int:
        """Keep entries of a branch apart, from the last common size on; returns where what is kept ends.

        Raises ZonghengError: `gap` unless `first` is that end, `root_mismatch` unless the copy up to `common`
        and what is kept give the signed root, `bad_signature`, `quarantined` unless the branch is wanted.
        """
        ...

    async def diverted(self, node: str) -> int:
        """Where what is kept apart of a branch ends; 0: nothing is kept."""
        ...

    async def child_restored(self, node: str, shown_size: int, held_size: int, shown_note: str) -> None:
        """The child showed less than is held and fetches the rest back. Repeating it changes nothing."""
        ...

    async def parent_restored(
        self, node: str, cosigned_size: int, held_size: int, cosigned_note: str
    ) -> None:
        """The child proves that more was cosigned here than is held. Repeating it changes nothing."""
        ...

    async def mended(self, node: str, note: str) -> None:
        """A child that was to be mended shows the held history again: its quarantine is over."""
        ...


class ReportSink(Protocol):
    """Where reports of children go."""

    async def cards(self, child: str, cards: Sequence[NodeCard]) -> None:
        """Of the child and everybody below it those that changed, or all. Raises ZonghengError for a node that belongs to somebody else."""
        ...

    async def rows(self, child: str, journal_size: int, rows: Sequence[RollupRow]) -> None:
        """Store rows of the child and of nodes below it; a row replaces the one with its key unless that is
        newer. `journal_size` is the size of the child's journal that its rows now stand at; 0: at no one size.
        Called without rows too, when only that size moved on.
        """
        ...
