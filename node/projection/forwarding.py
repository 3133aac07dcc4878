"""What rises: a leaf from below that is entered again here, so that every tier above holds it with its proof.

Red cards once they are issued (at once, or later by a person or by the time-out), forks and what was decided about them, disclosures, and what rose to a child from below it;
and, up to the node it is for and no further, what is sealed to an ancestor, the names of files for one, linkage tokens, and the steps of directives (督办), which
their issuer enters too. Nothing is
taken on a child's word: what it says to have come from below is entered again only when the checkpoint is signed by the key known for the
origin, the leaf lies under it, the origin lies below that child, and the leaf is of a kind that rises. What names a node that nobody has
introduced yet, or a log that a known node goes on in, waits, on disk, until its card comes: cards travel beside the journal and may be later.

Entered once each, by the guard over (origin, index) and the leaf; killed anywhere, the stretch is read again and enters nothing twice.
"""

from collections.abc import Callable, Sequence

import structlog
from google.protobuf.message import DecodeError
from zongheng.v1.catalogue_pb2 import LEVEL_RED
from zongheng.v1.entry_pb2 import Entry, Forwarded
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import CheckpointError
from federation.journal.merkle import ProofError, leaf_hash, verify_inclusion
from federation.journal.rotation import LogKeys
from federation.journal.tile import TileBuilder
from node.files.carried import KINDS, addressee
from node.mending.renewed import follows
from node.projection.entries import Reading
from node.store.drafts import Draft
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.tree import Tree
from node.wallclock import Now

log = structlog.get_logger()

Edge = Callable[[str, int], TileBuilder | None]
"""The right edge of an origin's tree at a size, where it is in memory: proofs then read less."""

RISE = ("fork_found", "quarantine_decided", "withheld", "directive_step", "linkage_tokens", *KINDS)
"""Bodies that rise whatever they say; a card rises when it is red."""

_SOURCE = "forward"
_WAITING = "forward.waiting/"


class Forwarding:
    """Enters what rises from children in the own journal."""

    def __init__(self, store: Store, writer: JournalWriter, tree: Tree, edge: Edge, now: Now) -> None:
        self._store = store
        self._writer = writer
        self._tree = tree
        self._edge = edge
        self._now = now
        self._waiting: dict[str, str] | None = None
        """Name of the stored mark → the origin that nobody has introduced yet, and the log where it is known by another; None: not read since the start."""

    async def forward(self, child: str, reading: Reading) -> None:
        """Enter what rises from a stretch of a child's journal; call it before the stretch counts as read."""
        indexes = set(reading.rises)
        if reading.issued:
            indexes |= await self._red_cards(child, reading)
        if indexes:
            await self._enter(child, sorted(indexes))

    async def look_again(self) -> None:
        """Enter what waited for a card that has come since."""
        if self._waiting is None:
            async with self._store.read() as session:
                names = await session.links.names(_WAITING)
                self._waiting = {name: (await session.links.get(name) or b"").decode() for name in names}
        known = [name for name, awaited in self._waiting.items() if self._has_come(*awaited.split(" "))]
        for name in known:
            child, _, index = name.removeprefix(_WAITING).rpartition("/")
            await self._enter(child, [int(index)])
            async with self._store.write() as session:
                await session.links.delete(name)
            del self._waiting[name]

    def _has_come(self, origin: str, log_id: str = "") -> bool:
        card = self._tree.get(origin)
        return card is not None and log_id in ("", card.log_id)

    async def _log_to_come(self, session: Session, card: NodeCard, forwarded: Forwarded) -> str:
        """The log that an entry is of, where its node may yet go on in it (`mending.renewal`); empty: it is of the present one, or an earlier."""
        log_id = forwarded.verifier.partition("+")[0]
        if log_id == card.log_id or await follows(session, card.parent, card.node, log_id, card.log_id):
            return ""
        return log_id

    async def _serial(self, session: Session, origin: str, index: int, leaf: bytes) -> str:
        """What to enter it under; empty: it is entered already. A node that goes on in another log may have another entry at an index."""
        serials = [f"{origin}/{index}", f"{origin}/{index}/{leaf_hash(leaf).hex()[:16]}"]
        seen = await session.journal.seen(_SOURCE, serials)
        if serials[0] not in seen:
            return serials[0]
        entered = await session.journal.leaf(self._writer.node, seen[serials[0]])
        if serials[1] in seen or (entered is not None and Entry.FromString(entered).forwarded.leaf == leaf):
            return ""
        return serials[1]

    async def _red_cards(self, child: str, reading: Reading) -> set[int]:
        """Where the alerts were raised that this stretch issues."""
        raised = {alert.alert_id: alert for alert in reading.alerts}
        earlier = [alert_id for alert_id in reading.issued if alert_id not in raised]
        async with self._store.read() as session:
            raised.update((alert.alert_id, alert) for alert in await session.alerts.known(child, earlier))
        issued = (raised[alert_id] for alert_id in reading.issued if alert_id in raised)
        return {alert.idx for alert in issued if alert.level == LEVEL_RED}

    async def _enter(self, child: str, indexes: Sequence[int]) -> None:
        drafts: list[Draft] = []
        waits: dict[str, str] = {}
        async with self._store.read() as session:
            leaves = await session.journal.entries(child, indexes)
            own = {
                serial: (index, leaf)
                for index, leaf in leaves
                if self._rises_from(child, Entry.FromString(leaf))
                and (serial := await self._serial(session, child, index, leaf))
            }
            proven = await self._proven(session, child, list(own.values()))
            drafts += [self._draft(one, serial) for one, serial in zip(proven, own, strict=True)]
        for index, leaf in leaves:
            entry = Entry.FromString(leaf)
            if not entry.HasField("forwarded") or addressee_of(entry.forwarded) == child:
                continue
            if self._is_below(entry.forwarded):
                continue
            card = self._tree.get(entry.forwarded.origin)
            if card is None:
                waits[f"{_WAITING}{child}/{index}"] = entry.forwarded.origin
                continue
            name, told = f"{_WAITING}{child}/{index}", entry.forwarded
            async with self._store.read() as session:
                if other := await self._log_to_come(session, card, told):
                    waits[name] = f"{told.origin} {other}"
                    continue
                serial = await self._serial(session, told.origin, told.index, told.leaf)
            trouble = await self._trouble(child, card, told)
            if trouble:
                log.warning("forward.refused", child=child, index=index, reason=trouble)
            elif serial:
                drafts.append(self._draft(told, serial))
        if waits:
            log.info("forward.waits", child=child, origins=sorted(set(waits.values())))
            async with self._store.write() as session:
                for name, origin in waits.items():
                    await session.links.put(name, origin.encode())
            if self._waiting is not None:
                self._waiting.update(waits)
        if drafts:
            await self._writer.append(drafts)

    def _rises_from(self, child: str, entry: Entry) -> bool:
        """Whether an entry of a child's own is entered again here: what is for one node stops at that node, and this node has the
        child's journal itself. A step of a directive is entered at its issuer too, who follows directives in its own journal alone.
        """
        if entry.HasField("directive_step"):
            return self._tree.route(entry.directive_step.issuer) is None
        return not entry.HasField("forwarded") and addressee(entry) not in (child, self._writer.node)

    def _is_below(self, forwarded: Forwarded) -> bool:
        """Whether what was forwarded to a child is a step of a directive that somebody below issued."""
        try:
            step = Entry.FromString(forwarded.leaf).directive_step
        except DecodeError:
            return False
        return bool(step.issuer) and self._tree.route(step.issuer) is not None

    async def _proven(
        self, session: Session, child: str, leaves: Sequence[tuple[int, bytes]]
    ) -> list[Forwarded]:
        """Entries of the child itself, under the newest head it signed."""
        head = await session.journal.head(child)
        if head is None or not leaves:
            return []
        reader = session.journal.reader(child, head.size, self._edge(child, head.size))
        return [
            Forwarded(
                origin=child,
                index=index,
                leaf=leaf,
                proof=await reader.inclusion_proof(index, head.size),
                checkpoint=head.note,
                verifier=head.verifier,
            )
            for index, leaf in leaves
        ]

    def _draft(self, forwarded: Forwarded, serial: str) -> Draft:
        return Draft.of(Entry(noted_at_us=self._now(), source=_SOURCE, serial=serial, forwarded=forwarded))

    async def _trouble(self, child: str, card: NodeCard, forwarded: Forwarded) -> str:
        """Why what a child says to have come from below is not believed; empty: it is."""
        origin = forwarded.origin
        if origin == child or self._tree.route(origin) != child:
            return f"{origin} is not below {child}"
        async with self._store.read() as session:
            former = await session.former_keys.of(card.log_id)
        try:
            keys = LogKeys.of(card).and_former((key.verifier, key.until_size) for key in former)
            if not keys.knows(forwarded.verifier):
                return f"the journal of {origin} is known under another key"
            checkpoint = keys.open(forwarded.checkpoint)
            verify_inclusion(
                leaf_hash(forwarded.leaf),
                forwarded.index,
                checkpoint.size,
                list(forwarded.proof),
                checkpoint.root,
            )
            inner = Entry.FromString(forwarded.leaf)
        except (CheckpointError, ProofError, DecodeError) as error:
            return f"what it says of {origin} is not proven: {error}"
        if checkpoint.origin != card.log_id:
            return f"the checkpoint is of log {checkpoint.origin}, not of {card.log_id}"
        rises = inner.WhichOneof("body") in RISE or inner.alert_raised.level == LEVEL_RED
        return "" if rises else f"the entry of {origin} is of no kind that rises"


def addressee_of(forwarded: Forwarded) -> str:
    """The one node that what rose is for; empty: every tier, or it cannot be read (and is refused for that)."""
    try:
        return addressee(Entry.FromString(forwarded.leaf))
    except DecodeError:
        return ""
