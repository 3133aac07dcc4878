"""What a node does for its parent and about its children, as the lane of `Attend` asks for it."""

from collections.abc import Callable
from typing import Protocol

from zongheng.v1 import viewing_pb2 as wire

from federation.errors import ZonghengError

Say = Callable[[wire.AttendRequest], None]


class ForParent(Protocol):
    """What a child does for its parent."""

    def attended(self, say: Say) -> None:
        """The lane is open; `say` puts in what the parent is to hear."""
        ...

    def left(self) -> None:
        """It is not any more: the parent may be away, or ask again in a moment."""
        ...

    async def asked(self, question: wire.ViewingQuestion) -> int:
        """May this viewer look, or have the picture that the question names? Returns how far from the camera this node is. Raises ZonghengError for no."""
        ...

    async def ended(self, viewing: str) -> None:
        """This viewer is gone."""
        ...

    async def ordered(self, order: wire.CarryOrder) -> None:
        """Have the stream carried. Raises ZonghengError where that cannot be; what happens later is said in a refusal."""
        ...

    async def withdrawn(self, ticket: bytes) -> None:
        """The parent does not need it any more."""
        ...

    # For streams that go down.

    def goes_down(self) -> None:
        """The parent can be asked from now on: it is of a version that lets streams go down."""
        ...

    async def removed(self, removal: wire.ViewingRemoval) -> None:
        """A node above, or one beyond it, puts out a viewer who sits here or below."""
        ...

    def ticketed(self, ticket: wire.CarryDownTicket) -> None:
        """A stream that was wished for may be fetched."""
        ...

    def wish_refused(self, wish: bytes, error: ZonghengError) -> None:
        """A wish is not fulfilled, or not any more."""
        ...


class ForChildren(Protocol):
    """What a parent does about its children."""

    def attends(self, child: str) -> None:
        """This child can be asked now."""
        ...

    def absent(self, child: str) -> None:
        """It cannot any more."""
        ...

    async def removal(self, child: str, removal: wire.ViewingRemoval) -> None:
        """A node below puts a viewer out."""
        ...

    async def refusal(self, child: str, ticket: bytes, error: ZonghengError) -> None:
        """An order is not carried out, or not any more."""
        ...

    # For streams that go down.

    async def asked_below(self, child: str, question: wire.ViewingQuestion) -> int:
        """May this viewer, who sits at the child or below it, look at what is not below the child? As `ForParent.asked`."""
        ...

    async def ended_below(self, child: str, viewing: str) -> None:
        """This viewer is gone."""
        ...

    async def wished(self, child: str, wish: wire.CarryDownWish) -> None:
        """The child wants to fetch a stream. Raises ZonghengError for no; a ticket follows for yes."""
        ...

    def wish_over(self, child: str, wish: bytes) -> None:
        """It does not need it any more."""
        ...
