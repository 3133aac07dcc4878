"""What the own journal holds, summed up for those above (``federation.query.holding``).

Kept beside the cursor of the projector that reads the journal, in the same transaction: the summary never covers an entry that it did not see. A
journal that was read before anybody summed it up, by an older version, is summed up at the next rebuild and rules nothing out until then.
"""

from zongheng.v1.catalogue_pb2 import Agency
from zongheng.v1.holding_pb2 import Holding

from federation.query.holding import Holdings
from node.projection.entries import Reading
from node.store.store import Session

_KEPT = "holding"


class OwnHolding:
    """The summary of the entries that the projector has read."""

    def __init__(self) -> None:
        self._said = Holding()

    @property
    def said(self) -> Holding:
        """For the own card."""
        return self._said

    async def load(self, session: Session, read_to: int) -> None:
        """Take up where the projector stands."""
        kept = await session.links.get(_KEPT)
        known = Holdings.unknown() if kept is None and read_to else Holdings()
        self._said = known.at(read_to) if kept is None else Holding.FromString(kept)

    async def keep(self, session: Session, reading: Reading) -> Holding:
        """Write down the summary with what was read; `told` once the transaction is through."""
        grown = Holdings(self._said)
        for event in reading.events:
            grown.add_event(event.case_id, event.domain, event.agency, event.item, event.at_us)
        for alert in reading.alerts:
            grown.add_alert(
                alert.case_id,
                alert.domain,
                alert.agency,
                alert.item,
                alert.rule,
                alert.level,
                alert.since_us,
            )
        for piece in reading.catalogue:
            if piece.kind == "agency":
                grown.add_line(Agency.FromString(piece.body).line)
        said = grown.at(reading.hi)
        await session.links.put(_KEPT, said.SerializeToString())
        return said

    def told(self, said: Holding) -> None:
        """What `keep` wrote is durable."""
        self._said = said

    async def drop(self, session: Session) -> None:
        """The journal is read again from its first entry; `told` an empty one once the transaction is through."""
        await session.links.delete(_KEPT)
