"""What two sides that meet again make of each other's journal (DESIGN §4): pure, on sizes, roots and proofs.

Hello names the child's signed head. The parent compares it with its copy:

| child's size | parent can check at once | what settles the rest |
| --- | --- | --- |
| equal | the roots | - |
| smaller | the child's root against its copy's at that size | Welcome's consistency proof |
| larger | nothing | the child's Prefix: its root at the parent's size, proven against Hello |

So in each row both sides know, by proof and not by trust, whether one history continues the other. A child
that shows one history and then sends another is caught by the push itself: the parent extends its copy and
compares with the signed head. When histories differ the verdict is QUARANTINE, and two heads signed by the
same key remain as evidence.

A child remembers what its parent once cosigned. A parent that now holds less was restored from a backup, and
the child sends again. A child that itself holds less than was cosigned was restored, whatever the parent now
says. It shows the parent the head that the parent cosigned: a parent that went back cannot deny it, and one that
took another history since contradicts itself.

A quarantine ends by a person's decision at the parent. MEND: the child gives up its branch back to the last
common size, and from then on it is a child that is behind. RENEW: it goes on in another log, under a name that the
parent chose and with the key that it has, and the parent takes that one from its first entry on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from federation.journal.checkpoint import Checkpoint, CheckpointError, Verifier, open_note
from federation.journal.merkle import EMPTY_ROOT, ProofError, verify_consistency


class Decision(Enum):
    """What happens on the journal lane."""

    PUSH = auto()
    """Normal: the child sends from the parent's size on."""
    SEND_AGAIN = auto()
    """The parent was restored and holds less than it once cosigned: the child sends that again."""
    PULL_BACK = auto()
    """The child was restored: it fetches its own missing entries before it writes anything."""
    QUARANTINE = auto()
    """History was rewritten: both heads are kept and nothing more is taken."""
    MEND = auto()
    """A person decided: the child gives up its branch, adopts what the parent holds, and enters its own again."""
    RENEW = auto()
    """A person decided: the child goes on in another log, which its operator begins."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A head of a journal as one side shows it."""

    log_id: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision with words for the operator, empty where there is nothing to do."""

    decision: Decision
    words: str = ""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The child's own root at `size`, with the proof that leads from it to the head in Hello."""

    size: int
    root: bytes
    consistency: Sequence[bytes]


def parent_sees(child: Shown, held: Shown, held_root_at_child: bytes | None, cosigned_size: int) -> Outcome:
    """The parent's reading of Hello.

    `held_root_at_child` is the root of the parent's copy at the child's size, None where the child is ahead.
    `cosigned_size` is the largest size the parent knows to have cosigned. QUARANTINE here means a fork, or
    entries that nobody holds any more.
    """
    if child.log_id != held.log_id:
        return Outcome(
            Decision.QUARANTINE,
            f"the child shows the journal {child.log_id}, enrolled is {held.log_id}: a new journal needs"
            " the parent's approval",
        )
    if child.size < cosigned_size and held.size < cosigned_size:
        return Outcome(
            Decision.QUARANTINE,
            f"{cosigned_size} entries were cosigned, the child has {child.size} and the parent {held.size} of them:"
            " both were restored, find a backup that holds the rest",
        )
    if child.size <= held.size:
        if held_root_at_child != child.root:
            return Outcome(
                Decision.QUARANTINE,
                f"the child's history differs from the one it showed before, within the first {child.size}"
                " entries: both signed heads are kept",
            )
        if child.size < held.size:
            return Outcome(
                Decision.PULL_BACK,
                f"the child was restored from an old backup: entries {child.size} to {held.size - 1} come back"
                " from the parent before it writes anything",
            )
    if held.size < cosigned_size:
        return Outcome(
            Decision.SEND_AGAIN,
            f"the parent was restored: it cosigned {cosigned_size} entries and holds {held.size}, the child"
            " sends them again",
        )
    return Outcome(Decision.PUSH)


def parent_confirms(child: Shown, held: Shown, prefix: Prefix) -> Outcome:
    """The parent's reading of Prefix, for a child at least as large as its copy: PUSH or QUARANTINE.

    Raises ProofError when the prefix is not shown to belong to the head in Hello: then nothing is proven
    either way and the child breaks the protocol.
    """
    if prefix.size != held.size:
        raise ProofError(f"the prefix is at size {prefix.size}, not at the {held.size} that are held")
    verify_consistency(prefix.size, prefix.root, child.size, child.root, prefix.consistency)
    if prefix.root == held.root:
        return Outcome(Decision.PUSH)
    return Outcome(
        Decision.QUARANTINE,
        f"the child's head of {child.size} entries continues another history than the one it showed before, within"
        f" the first {held.size} entries: both signed heads are kept",
    )


@dataclass(frozen=True, slots=True)
class Welcomed:
    """What Welcome says about the child's journal."""

    held_size: int
    held_root: bytes
    held_checkpoint: str = ""
    consistency: Sequence[bytes] = ()
    quarantine: str = ""
    """The parent's words where it takes nothing more."""
    renew: bool = False
    """The quarantine ends with another log."""


def child_sees(
    mine: Shown,
    verifiers: Sequence[Verifier],
    welcome: Welcomed,
    my_root_at_held: bytes | None,
    cosigned_size: int,
) -> Outcome:
    """The child's reading of Welcome; it believes the parent nothing that the parent does not prove.

    `verifiers` are keys that this journal's heads may be signed by. `my_root_at_held` is the root of the child's own journal at the parent's size, None where the parent holds
    more. `cosigned_size` is the largest size the child knows its parent to have cosigned.
    """
    if welcome.quarantine:
        return Outcome(Decision.RENEW if welcome.renew else Decision.QUARANTINE, welcome.quarantine)
    if welcome.held_size > mine.size:
        return _behind(mine, verifiers, welcome)
    expected = EMPTY_ROOT if welcome.held_size == 0 else my_root_at_held
    if expected != welcome.held_root:
        return Outcome(
            Decision.QUARANTINE,
            f"the parent holds another history of this journal in the first {welcome.held_size} entries: nothing"
            " is sent until the two are compared",
        )
    if mine.size < cosigned_size:
        return Outcome(
            Decision.QUARANTINE,
            f"the parent once cosigned {cosigned_size} entries, here are {mine.size} and the parent holds"
            f" {welcome.held_size}: find a backup that holds the rest before anything is written",
        )
    if welcome.held_size < cosigned_size:
        return Outcome(
            Decision.SEND_AGAIN,
            f"the parent was restored: it once cosigned {cosigned_size} entries and holds {welcome.held_size}",
        )
    return Outcome(Decision.PUSH)


def child_mends(mine: Shown, verifiers: Sequence[Verifier], welcome: Welcomed) -> Outcome:
    """The child's reading of a decision to mend: MEND, or QUARANTINE where the head that the parent says it holds is not one
    that this journal's own key signed. Where the two part is found, and proven, before anything is given up.
    """
    if trouble := _unsigned(mine, verifiers, welcome):
        return Outcome(
            Decision.QUARANTINE,
            f"the parent asks to mend this journal and cannot prove what it holds: {trouble}",
        )
    return Outcome(
        Decision.MEND,
        f"an operator of the parent decided: the {welcome.held_size} entries that it holds come back, and what was entered"
        " here meanwhile is entered again behind them",
    )


def _behind(mine: Shown, verifiers: Sequence[Verifier], welcome: Welcomed) -> Outcome:
    """The parent says it holds more of this journal than there is here."""
    if trouble := _unproven(mine, verifiers, welcome):
        return Outcome(
            Decision.QUARANTINE,
            f"the parent says it holds {welcome.held_size} entries of this journal of {mine.size} and cannot prove"
            f" it: {trouble}",
        )
    return Outcome(
        Decision.PULL_BACK,
        f"this journal was restored from an old backup: entries {mine.size} to {welcome.held_size - 1} are at the"
        " parent and come back from there before anything is written",
    )


def _unproven(mine: Shown, verifiers: Sequence[Verifier], welcome: Welcomed) -> str:
    """Why it is not shown that this journal's own key signed the held head and that it continues `mine`; empty: it is."""
    if trouble := _unsigned(mine, verifiers, welcome):
        return trouble
    try:
        verify_consistency(
            mine.size, mine.root, welcome.held_size, welcome.held_root, list(welcome.consistency)
        )
    except ProofError as error:
        return str(error)
    return ""


def _unsigned(mine: Shown, verifiers: Sequence[Verifier], welcome: Welcomed) -> str:
    """Why it is not shown that this journal's own key signed the held head; empty: it is."""
    try:
        signed: Checkpoint = open_note(welcome.held_checkpoint, verifiers)
    except CheckpointError as error:
        return str(error)
    if (signed.origin, signed.size, signed.root) != (mine.log_id, welcome.held_size, welcome.held_root):
        return "the checkpoint the parent shows is not of the head it says it holds"
    return ""
