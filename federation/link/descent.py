"""The child's end of the lane down as a machine without IO: events in, commands out.

The lane of a child are those entries of its parent's journal that are for the child or for somebody below it: the parent's own
ones with an `Address`, and the parent's receipts (`Received`) of entries of its ancestors. What holds whatever the network or the
parent does:

- entries come in the order of the parent's journal, each proven to lie under a head that the parent signed and that continues
  the head the child held before: a parent that rewrites its journal is found out by the next batch, and two signed heads remain;
- an ancestor's entry is proven under the ancestor's own key: a parent can neither make one nor change one;
- an entry names how many its sender wrote before it with the same address, and where the last of them lies. So one that was left
  out is known as soon as a later one comes, by the sender's own signature (`Withheld`). What is left out at the end, with nothing
  after it, this child cannot know; the sender sees it in what the child says it goes by;
- nothing is acknowledged before it is entered durably, and nothing is entered twice: what was kept and not acknowledged comes
  again, and is passed over.

The IO around it hands over every event. `Keep` is one transaction: the receipts and where the lane then stands.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from google.protobuf.message import DecodeError
from zongheng.v1.down_pb2 import Descending, DescendResponse, Withheld
from zongheng.v1.entry_pb2 import Address, Entry, ForkFound, Received
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, CheckpointError, Verifier, open_note
from federation.journal.merkle import EMPTY_ROOT, ProofError, leaf_hash, verify_consistency, verify_inclusion

CREDIT: Final = 4
"""Batches that the parent may have under way."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Entries of one sender with one address: they are numbered together."""

    sender: str
    node: str
    subtree: bool


@dataclass(frozen=True, slots=True)
class Last:
    """The newest entry of a stream that is entered here."""

    number: int = 0
    index: int = -1
    """In the sender's journal."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the lane stands, as stored at the child."""

    parent: str = ""
    position: int = 0
    """Index of the parent's journal before which everything for this child is entered."""
    note: str = ""
    """The newest head of the parent's journal that was seen, as the parent signed it."""
    size: int = 0
    root: bytes = EMPTY_ROOT


# Events


@dataclass(frozen=True, slots=True)
class Linked:
    """A link is up."""


@dataclass(frozen=True, slots=True)
class Came:
    """A message of the parent."""

    message: DescendResponse


@dataclass(frozen=True, slots=True)
class Stored:
    """What `Keep` said is durable."""


Event = Linked | Came | Stored

# Commands


@dataclass(frozen=True, slots=True)
class Open:
    """Ask the parent to begin."""

    position: int
    credit: int
    held_size: int


@dataclass(frozen=True, slots=True)
class Pin:
    """Store who is above, the parent first; keys seen for the first time are trusted from now on, beside those they follow."""

    above: tuple[NodeCard, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """Enter these in one transaction with where the lane then stands; hand in `Stored`."""

    received: tuple[Received, ...]
    withheld: tuple[Withheld, ...]
    kept: Kept


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Tell the parent what is durable, and let it send more."""

    position: int
    credit: int


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the operator; the lane goes on."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Take nothing more, and tell the operator. `fork` is entered where two signed heads contradict each other."""

    code: str
    words: str
    fork: ForkFound | None = None
    passing: bool = False
    """The parent may yet show what it signed: it is to be asked again after a while."""


Command = Open | Pin | Keep | Acknowledge | Report | Halt


def covers(address: Address, node: str, below: Collection[str], above: Collection[str]) -> bool:
    """Whether an entry with this address concerns ``node`` or anybody ``below`` it, with ``above`` its ancestors."""
    return address.node == node or address.node in below or (address.subtree and address.node in above)


def sent_by(journal: str, index: int, entry: Entry) -> tuple[Stream, Last] | None:
    """The stream an entry of ``journal`` belongs to and its place there; None: it is for nobody below.

    A receipt belongs to the stream of the entry that it holds.
    """
    if entry.HasField("received"):
        try:
            inner = Entry.FromString(entry.received.leaf)
        except DecodeError:
            return None
        return sent_by(entry.received.origin, entry.received.index, inner)
    if not entry.HasField("address"):
        return None
    address = entry.address
    return Stream(journal, address.node, address.subtree), Last(address.number, index)


class _NotForUs(Exception):
    """An entry that is not entered, and why."""


class Descent:
    """The lane down at one child, for one link. It begins with what is stored, and is forgotten with the link."""

    def __init__(
        self,
        node: str,
        kept: Kept,
        last: Mapping[Stream, Last],
        above: Sequence[NodeCard],
        below: Callable[[], Collection[str]],
        keys: Mapping[str, Sequence[str]],
        vouched: Callable[[NodeCard], bool | None],
    ) -> None:
        """``keys`` are the journal keys (C2SP vkeys) ever pinned for each node above; ``vouched`` whether a checked passport names a card's
        keys: None where there is none.
        """
        self._node = node
        self._keys = {one: list(pinned) for one, pinned in keys.items()}
        self._vouched = vouched
        self._kept = kept
        self._last = dict(last)
        self._above = {card.node: card for card in above}
        self._below = below
        self._storing: Keep | None = None
        self._halted = False

    @property
    def position(self) -> int:
        """Everything for this node before this index of the parent's journal is entered here."""
        return self._kept.position

    @property
    def kept(self) -> Kept:
        return self._kept

    def handle(self, event: Event) -> list[Command]:
        """What to do about it, in this order."""
        match event:
            case Linked():
                return [Open(self._kept.position, CREDIT, self._kept.size)]
            case Came(message):
                if self._halted:
                    return []
                try:
                    return [*self._introduced(message.above), *self._came(message)]
                except ZonghengError as error:
                    return self._halt(error.code, error.detail)
            case Stored():
                return self._stored()

    def _introduced(self, above: Sequence[NodeCard]) -> list[Command]:
        if not above:
            return []
        if self._kept.parent not in ("", above[0].node):
            words = f"the lane down came from {self._kept.parent}, now {above[0].node} answers: check the parent's address"
            raise ZonghengError("wrong_log", words)
        if any(card.node == self._node or card.node in self._below() for card in above):
            raise ZonghengError("protocol", "the parent names this node or one below it as being above")
        for card in above:
            vouched, known = self._vouched(card), self._above.get(card.node)
            if vouched is False:
                raise ZonghengError("untrusted", f"the passport of {card.node} names another journal key")
            if known is not None and known.log_id != card.log_id:
                words = f"{card.node} is known here by journal {known.log_id}, the parent names {card.log_id}"
                raise ZonghengError("wrong_log", words)
            if known is not None and known.verifier != card.verifier and not vouched:
                words = f"the journal of {card.node} is known here under another key, and no passport names the new one"
                raise ZonghengError("wrong_log", words)
            pinned = self._keys.setdefault(card.node, [])
            if card.verifier not in pinned:
                pinned.append(card.verifier)
        self._above = {card.node: card for card in above}
        self._kept = replace(self._kept, parent=above[0].node)
        return [Pin(tuple(above))]

    def _came(self, message: DescendResponse) -> list[Command]:
        kept = self._kept
        if not kept.parent:
            raise ZonghengError("protocol", "the parent sent entries before it said who it is")
        if not message.checkpoint:
            return []
        if message.first > kept.position:
            words = f"the lane stands at {kept.position}, the batch begins at {message.first}"
            raise ZonghengError("gap", words)
        if message.first < kept.position and message.upto <= kept.position:
            return [Acknowledge(kept.position, 1)]  # a batch that came before
        head = self._head(message)
        if isinstance(head, Halt):
            self._halted = True
            return [head]
        if message.upto > head.size or message.upto < message.first:
            raise ZonghengError("protocol", "the batch ends outside the parent's journal")
        told: list[Command] = []
        received: list[Received] = []
        withheld: list[Withheld] = []
        before = message.first - 1
        for one in message.entries:
            if not before < one.index < message.upto:
                raise ZonghengError("protocol", f"entry {one.index} is out of its place in the batch")
            before = one.index
            try:
                verify_inclusion(leaf_hash(one.leaf), one.index, head.size, list(one.proof), head.root)
                entry = Entry.FromString(one.leaf)
            except (ProofError, DecodeError) as error:
                words = f"entry {one.index} of {kept.parent} is not in its journal: {error}"
                raise ZonghengError("bad_proof", words) from error
            if one.index < kept.position:
                continue  # entered before, and the acknowledgement got lost
            try:
                taken = self._taken(one, entry, message.checkpoint)
            except _NotForUs as refused:
                told.append(Report("bad_proof", f"entry {one.index} of {kept.parent} is left out: {refused}"))
                continue
            gap = self._follows(taken)
            if gap is not None:
                withheld.append(gap)
            received.append(taken)
        position = max(kept.position, message.upto)
        now = Kept(kept.parent, position, message.checkpoint, head.size, head.root)
        self._storing = Keep(tuple(received), tuple(withheld), now)
        return [*told, self._storing]

    def _head(self, message: DescendResponse) -> Checkpoint | Halt:
        """The parent's head in the message, which must continue the one that was held."""
        kept, card = self._kept, self._above[self._kept.parent]
        try:
            head, _ = self._opened(message.checkpoint, kept.parent)
        except CheckpointError as error:
            raise ZonghengError("bad_signature", f"the head of {kept.parent}: {error}") from error
        if head.origin != card.log_id:
            raise ZonghengError("wrong_log", f"the head is of {head.origin}, not of {card.log_id}")
        if head.size < kept.size:
            return Halt(
                "parent_behind",
                f"{kept.parent} once signed {kept.size} entries and now shows {head.size}: it was restored from an old backup,"
                " or hides the rest; nothing is taken from it until it shows them again",
                passing=True,
            )
        if (head.size, head.root) == (kept.size, kept.root):
            return head
        try:
            verify_consistency(kept.size, kept.root, head.size, head.root, list(message.consistency))
        except ProofError as error:
            words = f"{kept.parent} shows a history that does not continue the one it signed: {error}"
            found = ForkFound(origin=kept.parent, held=kept.note, shown=message.checkpoint, reason=str(error))
            return Halt("root_mismatch", words, found)
        return head

    def _opened(self, note: str, node: str) -> tuple[Checkpoint, str]:
        """The checkpoint, and which of the node's keys signed it; the newest is tried first. Raises CheckpointError."""
        refused = CheckpointError(f"no key of {node} is known")
        for verifier in reversed(self._keys.get(node, ())):
            try:
                return open_note(note, [Verifier.parse(verifier)]), verifier
            except CheckpointError as error:
                refused = error
        raise refused

    def _taken(self, one: Descending, entry: Entry, note: str) -> Received:
        """The receipt of an entry that is proven to be the parent's. Raises _NotForUs."""
        parent = self._kept.parent
        if entry.HasField("received"):
            passed_on = entry.received
            card = self._above.get(passed_on.origin)
            if card is None or passed_on.origin == parent:
                raise _NotForUs(f"{passed_on.origin} is not known to be above {parent}")
            try:
                under, verifier = self._opened(passed_on.checkpoint, passed_on.origin)
                verify_inclusion(
                    leaf_hash(passed_on.leaf),
                    passed_on.index,
                    under.size,
                    list(passed_on.proof),
                    under.root,
                )
                inner = Entry.FromString(passed_on.leaf)
            except (CheckpointError, ProofError, DecodeError) as error:
                raise _NotForUs(f"what it passes on of {passed_on.origin} is not proven: {error}") from error
            if under.origin != card.log_id:
                raise _NotForUs(f"the head is of {under.origin}, not of {card.log_id}")
            self._check_address(inner)
            taken = Received()
            taken.CopyFrom(passed_on)
            taken.verifier = verifier
            return self._placed(taken, inner)
        self._check_address(entry)
        taken = Received(
            origin=parent,
            index=one.index,
            leaf=one.leaf,
            proof=one.proof,
            checkpoint=note,
            verifier=self._opened(note, parent)[1],
        )
        return self._placed(taken, entry)

    def _placed(self, taken: Received, entry: Entry) -> Received:
        """The receipt with what it is to this node."""
        taken.here = covers(entry.address, self._node, (), self._above)
        taken.steps_up = list(self._above).index(taken.origin) + 1
        return taken

    def _check_address(self, entry: Entry) -> None:
        if not entry.HasField("address"):
            raise _NotForUs("it is for nobody")
        if not covers(entry.address, self._node, self._below(), self._above):
            raise _NotForUs(f"it is for {entry.address.node}, neither here nor below")

    def _follows(self, taken: Received) -> Withheld | None:
        """Look whether the entry comes right after the last of its stream; what shows that one is missing."""
        entry = Entry.FromString(taken.leaf)
        placed = sent_by(taken.origin, taken.index, entry)
        if placed is None or placed[1].number == 0:
            return None  # written before entries were numbered
        stream, place = placed
        last = self._last.get(stream, Last())
        if place.number <= last.number and place.index <= last.index:
            return None  # entered before
        self._last[stream] = place
        if (entry.address.number, entry.address.previous) == (last.number + 1, last.index + 1):
            return None
        return Withheld(
            parent=self._kept.parent,
            sender=stream.sender,
            node=stream.node,
            subtree=stream.subtree,
            missing=last.number + 1,
            shown=place.number,
            missing_index=max(0, entry.address.previous - 1),
            index=taken.index,
            leaf=taken.leaf,
            proof=taken.proof,
            checkpoint=taken.checkpoint,
            verifier=taken.verifier,
        )

    def _stored(self) -> list[Command]:
        if self._storing is None:
            return []
        self._kept, self._storing = self._storing.kept, None
        return [Acknowledge(self._kept.position, 1)]

    def _halt(self, code: str, words: str) -> list[Command]:
        self._halted = True
        return [Halt(code, words)]
