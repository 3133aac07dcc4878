"""What the lane down wants from the nodes at its ends. The promises of `ports` hold here too: what is called durable survives a
crash from the moment the call returns, and a call that is cancelled has done all of it or nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from zongheng.v1.down_pb2 import DescendResponse
from zongheng.v1.entry_pb2 import ForkFound
from zongheng.v1.tree_pb2 import NodeCard

from federation.link.descent import Keep, Kept, Last, Stream


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes down at once."""

    message: DescendResponse
    size: int
    """Of the head that the message shows."""


class AddressedJournal(Protocol):
    """The parent's end: what its own journal holds for those below."""

    async def above(self) -> Sequence[NodeCard]:
        """This node's card and those of everybody above it, from here up."""
        ...

    async def batch(self, members: Collection[str], position: int, held_size: int, max_bytes: int) -> Batch:
        """What is for any of ``members`` from index ``position`` on, all at one size of the journal, with the consistency proof from
        ``held_size`` where the journal is at least that large. No more bytes than asked unless the first entry alone has.
        """
        ...

    async def wait_addressed(self, position: int) -> None:
        """Returns as soon as an entry at ``position`` or later is for somebody below."""
        ...

    async def descended(self, child: str, position: int) -> None:
        """The child has entered everything for it before ``position``. Store it."""
        ...


class ReceivedEntries(Protocol):
    """The child's end: receipts in its own journal."""

    @property
    def node(self) -> str: ...

    async def kept(self) -> Kept: ...

    async def last(self) -> Mapping[Stream, Last]:
        """The newest entry of every stream that is entered here."""
        ...

    async def above(self) -> Sequence[NodeCard]:
        """Who is known to be above, the parent first."""
        ...

    def below(self) -> Collection[str]: ...

    async def keys(self) -> Mapping[str, Sequence[str]]:
        """The journal keys that were ever pinned for each node above, oldest first."""
        ...

    def vouched(self, card: NodeCard) -> bool | None:
        """Whether a checked passport of that node names these keys; None: there is none."""
        ...

    async def pin(self, above: Sequence[NodeCard]) -> None: ...

    async def keep(self, keep: Keep) -> None:
        """One transaction: what is there already is not entered again."""
        ...

    async def forked(self, found: ForkFound) -> None:
        """Enter that the parent signed two histories. Repeating it changes nothing."""
        ...

    async def wait_reopened(self) -> None:
        """Returns when a person has decided to take the parent's journal as it is from now on."""
        ...

    async def halted(self, code: str, words: str) -> None:
        """The lane takes nothing more on this link. ``code`` empty: it is open again."""
        ...
