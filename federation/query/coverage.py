"""How complete an answer is, and as of when each node gave it (DESIGN §6).

A verdict on anybody demands full coverage: every node of the subtree answered for itself, from its own store.
A dashboard may show less, with this beside it. What a parent answered from its copy is *stale*, what nobody
answered is *unreachable*; a node is in one of the three, so they add up to what was expected. A node that did not
have to be asked, because it said beforehand that it holds nothing of the kind, counts as one that answered and is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from zongheng.v1.query_pb2 import AnswerPart


@dataclass(frozen=True, slots=True)
class AsOf:
    """The state of one node's journal that its part rests on."""

    node: str
    journal_size: int
    checkpoint_at_us: int
    """When the head was signed, microseconds since the epoch; 0: it never was."""
    stale: bool
    hinted: bool = False
    """It was not asked: its holding of that size has nothing of the question."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of nodes."""

    expected: int
    answered: int
    stale: int
    unreachable: tuple[str, ...]
    as_of: tuple[AsOf, ...]
    truncated: tuple[str, ...] = ()
    """Nodes that had more to say than the question's limit."""

    @property
    def hinted(self) -> tuple[str, ...]:
        """Nodes, among those that answered, that did not have to be asked."""
        return tuple(as_of.node for as_of in self.as_of if as_of.hinted)

    def complete(self) -> bool:
        """Whether a verdict may rest on it: everybody answered for itself, and all of it."""
        return self.answered == self.expected and not self.truncated


class Tally:
    """Counts parts as they come."""

    def __init__(self, expected: Iterable[str]) -> None:
        self._expected = set(expected)
        self._unreachable: set[str] = set()
        self._as_of: dict[str, AsOf] = {}
        self._truncated: set[str] = set()

    def add(self, part: AnswerPart) -> None:
        """Count a part or a chunk. A node's own answer counts before what its parent says about it."""
        self._unreachable.update(name for name in part.unreachable if name)
        if not part.node or part.more:
            return
        known = self._as_of.get(part.node)
        if known is None or known.stale:
            self._as_of[part.node] = AsOf(
                part.node, part.journal_size, part.checkpoint_at_us, part.stale, part.hinted
            )
            self._truncated.discard(part.node)
            if part.truncated:
                self._truncated.add(part.node)

    @property
    def answered(self) -> int:
        """Nodes that answered for themselves."""
        return sum(not as_of.stale for as_of in self._as_of.values())

    def has(self, node: str) -> bool:
        """Whether a node's answer is there, its own or one from a copy."""
        return node in self._as_of

    def coverage(self) -> Coverage:
        """As it is now; who is missing now is unreachable."""
        # A node that nobody expected may have joined since; it answered, so it belongs.
        everybody = self._expected | self._as_of.keys() | self._unreachable
        stale = sum(as_of.stale for as_of in self._as_of.values())
        return Coverage(
            expected=len(everybody),
            answered=len(self._as_of) - stale,
            stale=stale,
            unreachable=tuple(sorted(everybody - self._as_of.keys())),
            as_of=tuple(self._as_of[node] for node in sorted(self._as_of)),
            truncated=tuple(sorted(self._truncated)),
        )
