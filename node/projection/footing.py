"""What a node goes by, in few words: its own policy's version, what it received from above, and a digest of what all that comes to.

It rises in the node's card, so that whoever published something sees which node below has it. The card is the node's word, passed on by
those between: who wants it proven asks the node for the receipt, which is an entry of its journal.
"""

from collections.abc import Mapping
from hashlib import sha256

from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.footing_pb2 import Footing, FootingPiece

from node.projection.context import Contexts, JournalContext
from node.projection.mandates import ABOVE, KINDS, Line
from node.store.catalogue import Published
from node.store.store import Session, Store
from node.supervision import loosening
from node.supervision.policy import Level
from node.supervision.terms import NAMES


class Footings:
    """The footing of one journal's node, computed again only when something was published or received."""

    def __init__(self, store: Store, contexts: Contexts, node: str) -> None:
        self._store = store
        self._contexts = contexts
        self._node = node
        self._context: JournalContext | None = None
        self._footing = Footing()

    async def now(self) -> Footing:
        """As projected so far."""
        context = await self._contexts.of(self._node)
        if context is not self._context:
            async with self._store.read() as session:
                self._footing = await footing(session, context)
            self._context = context
        return self._footing


async def footing(session: Session, context: JournalContext) -> Footing:
    """The footing that a journal gives."""
    policy = context.context.policy
    return Footing(
        policy_version=policy.version,
        digest=digest(context),
        received=[
            await _piece(session, context.origin, kind, line, piece)
            for (kind, line), piece in (await _newest(session, context.origin)).items()
        ],
        ignored=len(loosening.of_policy(policy)) + len(context.ignored),
    )


async def _newest(session: Session, origin: str) -> Mapping[tuple[str, Line], Published]:
    """The newest piece of each kind, sender and address; what the node sent to itself is not received."""
    last: dict[tuple[str, str, str, bool], tuple[Line, Published]] = {}
    for kind in KINDS.values():
        for piece in await session.catalogue.all(origin, f"{kind}{ABOVE}"):
            line = Line.parse(piece.code)
            if line.steps_up:
                last[kind, line.sender, line.node, line.subtree] = line, piece
    return {(key[0], line): piece for key, (line, piece) in sorted(last.items(), key=lambda one: one[0])}


async def _piece(session: Session, origin: str, kind: str, line: Line, piece: Published) -> FootingPiece:
    entry = Entry.FromString(await session.journal.leaf(origin, piece.idx) or b"")
    return FootingPiece(
        kind=kind,
        sender=line.sender,
        node=line.node,
        subtree=line.subtree,
        code=line.code,
        version=piece.version,
        index=entry.received.index,
        received_at_us=entry.noted_at_us,
    )


def digest(context: JournalContext) -> str:
    """First 16 hex digits of the SHA-256 over what applies: equal digests mean equal thresholds, confirmations, deadlines, audiences, calendar
    and items."""
    policy = context.context.policy
    lines = []
    for domain in context.domains:
        for rule in domain.rules:
            levels = " ".join(
                f"{one.level.word}>={one.at_least}:{one.clock}" for one in policy.thresholds(rule)
            )
            lines.append(f"{rule.code}/{rule.version} {levels} {policy.limit_days(rule)}")
    lines += [f"{level.word} {policy.confirmation(level).longest}" for level in Level]
    lines += [f"{name} {getattr(policy.terms, name)}" for name in NAMES]
    lines += [f"{level.word} {' '.join(sorted(policy.told(level, ())))}" for level in Level]
    lines.append(context.context.calendar.version)
    lines += sorted(
        f"{item.code}/{item.version} {sha256(item.SerializeToString(deterministic=True)).hexdigest()}"
        for item in context.context.items
    )
    return sha256("\n".join(lines).encode()).hexdigest()[:16]
