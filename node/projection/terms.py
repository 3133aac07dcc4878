"""Which terms the steps of a journal's alerts are due by: every policy that it held, with the entry from which it was in force.

Read from the journal's own policies and from receipts of those above, so a parent that measures a child's alerts comes to the same days. What the
parent itself owes about a child's alert is due by the parent's policy of that instant: a lower tier sets no deadline for a higher one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from zongheng.v1.catalogue_pb2 import Policy as PolicyMessage
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.footing_pb2 import MandatedPiece

from node.projection.context import Contexts, JournalContext
from node.projection.mandated import Mandated
from node.projection.mandates import ABOVE
from node.store.catalogue import Published
from node.store.store import Session, Store
from node.supervision.policy import Policy
from node.supervision.terms import Terms


@dataclass(frozen=True, slots=True)
class Change:
    """From the entry after ``index`` on, noted at ``at_us``, these terms are in force."""

    index: int
    at_us: int
    terms: Terms


@dataclass(frozen=True, slots=True)
class History:
    """The terms of a journal, and of the node that looks (`terms.InForce`)."""

    changes: Sequence[Change]
    """In journal order."""
    own: Sequence[Change]
    """Of the node that looks."""

    def at(self, index: int) -> Terms:
        place = bisect_left(self.changes, index, key=lambda one: one.index)
        return self.changes[place - 1].terms if place else Terms()

    def above(self, at_us: int) -> Terms:
        place = bisect_right(self.own, at_us, key=lambda one: one.at_us)
        return self.own[place - 1].terms if place else Terms()


class TermsHistories:
    """The histories of all journals that a node holds; read again only when something was published there."""

    def __init__(self, store: Store, contexts: Contexts, own: str) -> None:
        self._store = store
        self._contexts = contexts
        self._own = own
        self._known: dict[str, tuple[JournalContext, list[Change]]] = {}

    async def of(self, origin: str) -> History:
        """What is in force for the alerts of a journal, as projected so far."""
        return History(await self._changes(origin), await self._changes(self._own))

    async def _changes(self, origin: str) -> list[Change]:
        context = await self._contexts.of(origin)
        known = self._known.get(origin)
        if known is None or known[0] is not context:
            async with self._store.read() as session:
                known = self._known[origin] = context, await changes(session, origin)
        return known[1]


async def changes(session: Session, origin: str) -> list[Change]:
    """Every change of a journal's terms, in journal order."""
    own = await session.catalogue.all(origin, "policy")
    above = await session.catalogue.all(origin, f"policy{ABOVE}")
    indexes = sorted({piece.idx for piece in (*own, *above)})
    noted = {
        index: Entry.FromString(leaf).noted_at_us
        for index, leaf in await session.journal.entries(origin, indexes)
    }
    found: list[Change] = []
    latest = 0
    for index in indexes:
        # A clock that was turned back must not take a policy out of force.
        latest = max(latest, noted.get(index, 0))
        found.append(Change(index, latest, _policy(own, above, index).terms))
    return found


def _policy(own: Sequence[Published], above: Sequence[Published], upto: int) -> Policy:
    policies = [PolicyMessage.FromString(piece.body) for piece in own if piece.idx <= upto]
    newest = Policy.from_message(max(policies, key=lambda one: one.version)) if policies else Policy()
    pieces = [
        MandatedPiece(line=piece.code, body=piece.body).SerializeToString()
        for piece in above
        if piece.idx <= upto
    ]
    return replace(newest, mandates=Mandated({f"policy{ABOVE}": pieces}).mandates)
