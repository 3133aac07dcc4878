"""The parent's side of a node: what it keeps of its children's journals, figures and cards.

Adapters between the store and the link's ports. A batch is durable before it is cosigned; a fork opens a quarantine (`mending.quarantine`),
and nothing more is taken from that child until an operator decides. The journal key is the one that the child
enrolled with.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from zongheng.v1.entry_pb2 import Entry, HeadNoted
from zongheng.v1.mending_pb2 import ChildRestored, ParentRestored
from zongheng.v1.rotation_pb2 import KeyRotated
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.passport import read_again
from federation.journal.checkpoint import Checkpoint, CheckpointError, Signer, Verifier, cosign
from federation.journal.merkle import EMPTY_ROOT
from federation.journal.rotation import led_to
from federation.journal.tile import TileReader
from federation.link.ports import Accepted, Held
from federation.rollup.row import RollupRow
from node.mending.noted import Witness
from node.mending.quarantine import Quarantine, told_to_child
from node.mending.renewal import Renewal
from node.mending.renewed import decided, follows, forget_before, renamed
from node.mending.telling import Telling
from node.passports import Passports
from node.pictures_up import LARGEST, MOST_OF_A_CARD
from node.projection.entries import LATEST_US
from node.resupervision.comparison import Comparison
from node.store.drafts import Draft
from node.store.forks import MENDING, RENEWING, Noted
from node.store.former_keys import FormerKey
from node.store.inbox import BadSignature, Gap, Inbox, Quarantined, Refused, RootMismatch, WrongLog
from node.store.rows import Head
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.tree import Tree
from node.wallclock import Now
from tiers.tier import may_parent, tier_named

log = structlog.get_logger()


class ChildJournals:
    """The journals of all children (``federation.link.ports.ParentInbox``)."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        writer: JournalWriter,
        signer: Signer,
        quarantine: Quarantine,
        renewal: Renewal,
        telling: Telling,
        tier: str,
        now: Now,
    ) -> None:
        self._quarantine = quarantine
        self._renewal = renewal
        self._telling = telling
        self._store = store
        self._inbox = inbox
        self._writer = writer
        self._signer = signer
        self._tier = tier_named(tier)
        self._now = now
        self._pinned: dict[str, tuple[str, str]] = {}

    async def enrol(self, card: NodeCard) -> None:
        if card.node == self._writer.node:
            raise ZonghengError(
                "not_enrolled", f"{card.node} is this node itself: give the child another division code"
            )
        tier = tier_named(card.tier)
        department = card.node.startswith(f"{self._writer.node}.")
        if not may_parent(self._tier, tier) and not (department and tier is self._tier):
            raise ZonghengError("not_enrolled", f"a {self._tier} node takes no {tier} node as a child")
        Verifier.parse(card.verifier)
        async with self._store.write() as session:
            head = await session.journal.head(card.node)
            if head is None:
                fresh = Head(card.node, card.log_id, card.verifier, 0, EMPTY_ROOT, "", 0, 0, "")
                await session.journal.open(fresh, own=False)
                log.warning("child.pinned", child=card.node, log_id=card.log_id, verifier=card.verifier)
            elif head.log_id == card.log_id and head.verifier != card.verifier:
                # The gate let it in: its key was changed by itself, or it enrolled again and somebody here agreed. The head that is held stays
                # under the key that signed it, until one comes under the new key.
                await session.former_keys.put(head.log_id, FormerKey(head.verifier, head.size, b""))
                log.warning("child.rekeyed", child=card.node, log_id=card.log_id, verifier=card.verifier)
        if head is not None and head.log_id != card.log_id:
            await self._renewal.ask(card)
        self._pinned[card.node] = (card.log_id, card.verifier)

    async def held(self, node: str) -> Held:
        async with self._store.read() as session:
            head = await session.journal.head(node)
            fork = await session.forks.standing(node)
            former = await session.former_keys.of(head.log_id) if head is not None else []
            logs = await decided(session, self._writer.node, node)
        if head is None:
            raise ZonghengError("not_enrolled", f"{node} is not enrolled here")
        return Held(
            head.log_id,
            head.verifier,
            head.size,
            head.root,
            head.note,
            head.cosigned_size,
            told_to_child(fork) if fork is not None else "",
            max(0, fork.common) if fork is not None and fork.state == MENDING else None,
            logs[-1] if logs and fork is not None and fork.state == RENEWING else "",
            former_verifiers=[key.verifier for key in former],
        )

    async def root_at(self, node: str, size: int) -> bytes:
        async with self._store.read() as session:
            return await (await self._reader(session, node)).root(size)

    async def consistency(self, node: str, old: int, new: int) -> Sequence[bytes]:
        async with self._store.read() as session:
            return await (await self._reader(session, node)).consistency_proof(old, new)

    async def _reader(self, session: Session, node: str) -> TileReader:
        head = await session.journal.head(node)
        held = head.size if head else 0
        return session.journal.reader(node, held, self._inbox.edge(node, held))

    async def accept(self, node: str, first: int, leaves: Sequence[bytes], note: str) -> Accepted:
        pinned = self._pinned.get(node)
        if pinned is None:
            raise ZonghengError("not_enrolled", f"{node} has not said hello")
        try:
            head = await self._inbox.accept(node, *pinned, first, leaves, note)
        except RootMismatch as error:
            await self.fork(node, error.held_note, error.shown_note, str(error))
            raise ZonghengError("root_mismatch", str(error)) from error
        except Quarantined as error:
            raise ZonghengError("quarantined", str(error)) from error
        except Gap as error:
            raise ZonghengError("gap", str(error)) from error
        except WrongLog as error:
            raise ZonghengError("wrong_log", str(error)) from error
        except BadSignature as error:
            raise ZonghengError("bad_signature", str(error)) from error
        except Refused as error:
            raise ZonghengError("protocol", str(error)) from error
        # As of when it was stored: whatever is stored meanwhile is larger, and no later statement may name less.
        at = datetime.fromtimestamp(head.signed_at_us // 1_000_000, UTC)
        return Accepted(head.size, await asyncio.to_thread(cosign, head.note, self._signer, at))

    async def leaves(self, node: str, lo: int, hi: int, max_bytes: int) -> Sequence[bytes]:
        async with self._store.read() as session:
            return await session.journal.leaves(node, lo, hi, max_bytes)

    async def fork(self, node: str, held_note: str, shown_note: str, reason: str) -> None:
        words = f"{node} shows a history that does not continue the one held here: {reason}"
        await self._quarantine.open(node, held_note, shown_note, words)

    async def divert(self, node: str, common: int, first: int, leaves: Sequence[bytes], note: str) -> int:
        pinned = self._pinned.get(node)
        if pinned is None:
            raise ZonghengError("not_enrolled", f"{node} has not said hello")
        return await self._quarantine.divert(node, pinned[1], common, first, leaves, note)

    async def diverted(self, node: str) -> int:
        return await self._quarantine.diverted(node)

    async def mended(self, node: str, note: str) -> None:
        await self._quarantine.mended(node, note)

    async def child_restored(self, node: str, shown_size: int, held_size: int, shown_note: str) -> None:
        log.warning("child.restored", child=node, shown=shown_size, held=held_size)
        restored = ChildRestored(
            origin=node, shown_size=shown_size, held_size=held_size, shown=shown_note if shown_size else ""
        )
        await self._telling.tell(f"restored/{node}/{shown_size}/{held_size}", Entry(child_restored=restored))

    async def parent_restored(
        self, node: str, cosigned_size: int, held_size: int, cosigned_note: str
    ) -> None:
        log.error("parent.restored", child=node, cosigned=cosigned_size, held=held_size)
        restored = ParentRestored(
            origin=node, cosigned_size=cosigned_size, held_size=held_size, cosigned=cosigned_note
        )
        serial = f"went_back/{node}/{cosigned_size}/{held_size}"
        await self._telling.tell(serial, Entry(parent_restored=restored))

    async def note_heads(self) -> None:
        """Enter every child's newest head in the own journal, so that grandparents hold it to it; once a period.

        Each comes with the proof that it continues the one noted before; a copy that does not is a fork.
        """
        own = self._writer.node
        drafts, noted = [], []
        async with self._store.read() as session:
            for head in await session.journal.heads():
                if head.origin == own or not head.note:
                    continue
                before = await session.forks.noted(own, head.log_id)
                if before is not None and head.size <= before.size:
                    continue
                proof: Sequence[bytes] = ()
                if before is not None:
                    reader = session.journal.reader(
                        head.origin, head.size, self._inbox.edge(head.origin, head.size)
                    )
                    proof = await reader.consistency_proof(before.size, head.size)
                told = HeadNoted(origin=head.origin, checkpoint=head.note, consistency=proof)
                serial = f"{head.log_id}/{head.size}"
                entry = Entry(noted_at_us=self._now(), source="head", serial=serial, head_noted=told)
                drafts.append(Draft.of(entry))
                noted.append((head.log_id, Noted(head.origin, head.size, head.root, head.note)))

        async def beside(session: Session) -> None:
            for log_id, one in noted:
                await session.forks.note(own, log_id, one)

        if drafts:
            await self._writer.append(drafts, beside)


class _Undecided(ZonghengError):
    """A node shows another log, and no decision of its parent came yet: the decision rises with the journal, so the report is made again."""

    def __init__(self, words: str) -> None:
        super().__init__("wrong_log", f"{words}, and no decision of its parent came yet")


def with_pictures(card: NodeCard, before: NodeCard | None) -> None:
    """Put back into a card the pictures that were left out because they came before; of what comes, no more than a card may have."""
    known = {} if before is None else {(one.camera, one.taken_at_us): one.jpeg for one in before.pictures}
    for camera in card.cameras:
        camera.since_us = camera.since_us if 0 <= camera.since_us < LATEST_US else 0
    shown = [one for one in card.pictures if 0 <= one.taken_at_us < LATEST_US][:MOST_OF_A_CARD]
    del card.pictures[:]
    card.pictures.extend(shown)
    for picture in card.pictures:
        if not picture.jpeg:
            picture.jpeg = known.get((picture.camera, picture.taken_at_us), b"")
        elif len(picture.jpeg) > LARGEST:
            picture.ClearField("jpeg")


class Reports:
    """Figures and cards that children send (``federation.link.ports.ReportSink``)."""

    def __init__(
        self,
        store: Store,
        tree: Tree,
        passports: Passports,
        comparison: Comparison,
        witness: Witness,
        changed: Callable[[], None],
        ring: Callable[[], None],
    ) -> None:
        """``changed``: rows or cards did; ``ring``: there is something to compare."""
        self._store = store
        self._tree = tree
        self._passports = passports
        self._comparison = comparison
        self._witness = witness
        self._changed = changed
        self._ring = ring

    async def cards(self, child: str, cards: Sequence[NodeCard]) -> None:
        own = self._tree.own.node
        fresh: list[NodeCard] = []
        renewed: list[NodeCard] = []
        for card in cards:
            if card.node == own:
                raise ZonghengError("protocol", f"{child} names this node as one below itself")
            if card.node == child:
                card.parent = own
            owner = self._tree.route(card.node)
            if owner not in (None, child):
                raise ZonghengError("protocol", f"{card.node} is known below {owner}, not below {child}")
            before = self._tree.get(card.node)
            with_pictures(card, before)
            try:
                known = await self._introduced(card, before)
            except ZonghengError as error:
                if card.node == child or isinstance(error, _Undecided):
                    raise
                # Its passport comes with a report; until then it is known as before.
                log.warning("card.waits", child=child, node=card.node, words=error.detail)
                continue
            if known != before:
                fresh.append(known)
            if before is not None and before.log_id != known.log_id:
                renewed.append(known)
        if fresh:
            async with self._store.write() as session:
                await session.cards.put([(card.node, card.SerializeToString()) for card in fresh])
                for card in renewed:
                    await forget_before(session, card.parent, card.node)
            self._tree.learn(fresh)
            self._changed()
            for card in fresh:
                if card.node != child and card.checkpoint:
                    await self._witness.shown(child, card.node, card.checkpoint)

    async def _decided(self, card: NodeCard, before: NodeCard) -> bool:
        """Whether the node's parent decided that it goes on in the log of this card."""
        async with self._store.read() as session:
            return await follows(session, before.parent, card.node, before.log_id, card.log_id)

    async def _introduced(self, card: NodeCard, before: NodeCard | None) -> NodeCard:
        """What is known of a node with this card: the newer head, the newer passport, the key that one of its own changes or a newer passport
        says. Raises ZonghengError `wrong_log` for another key without either, and for another log unless the node's parent decided so.
        """
        passport = before.passport if before is not None else b""
        holder = self._passports.check_below(card) if card.passport != passport else None
        if holder is None:
            card.passport = passport
        if before is None:
            return card
        newer = holder is not None and (
            not passport or holder.issued_at_us > read_again(passport).issued_at_us
        )
        same = (before.log_id, before.verifier) == (card.log_id, card.verifier)
        renews = before.log_id != card.log_id
        words = f"{card.node} is known here by journal {before.log_id}, not {card.log_id}"
        if renews and not await self._decided(card, before):
            raise _Undecided(words) if newer else ZonghengError("wrong_log", words)
        if not same:
            path = () if renews else led_to(before.verifier, card)
            led = path or (renews and not passport and card.verifier == renamed(before.verifier, card.log_id))
            if not led and not newer:
                raise ZonghengError("wrong_log", words)
            if not renews:
                await self._give_up(before, path)
        if card.checkpoint_at_us and (renews or _age(card) >= _age(before)):
            return card
        kept = NodeCard()
        kept.CopyFrom(before)
        if newer:
            kept.passport = card.passport
        if not same:
            kept.log_id, kept.verifier, kept.checkpoint = card.log_id, card.verifier, card.checkpoint
            kept.ClearField("rotations")
            kept.rotations.extend(card.rotations)
        return kept

    async def _give_up(self, before: NodeCard, path: Sequence[KeyRotated]) -> None:
        """Keep the key that a node had until now. One that was lost with its box is believed as far as it was heard."""
        former = [FormerKey(told.before, told.size, told.SerializeToString()) for told in path]
        async with self._store.write() as session:
            for key in former or [FormerKey(before.verifier, _size(before.checkpoint), b"")]:
                await session.former_keys.put(before.log_id, key)

    async def rows(self, child: str, journal_size: int, rows: Sequence[RollupRow]) -> None:
        for node in {row.node for row in rows}:
            if self._tree.route(node) != child:
                raise ZonghengError("protocol", f"{child} reports figures of {node}, which is not below it")
        days = {row.day for row in rows if row.node == child}
        async with self._store.write() as session:
            await session.rollups.upsert(rows)
            if journal_size or days:
                await session.cursors.set("reported", child, journal_size)
            if days:
                # Killed before they are compared, the next start must know that they have to be.
                await session.cursors.set("compared", child, 0)
        if rows:
            self._changed()
        if journal_size or days:
            self._comparison.reported(child, days)
            self._ring()


def _age(card: NodeCard) -> tuple[int, int]:
    """What orders the cards of one node: the size of its head, for its clock may have been turned back, and then the time."""
    return _size(card.checkpoint), card.checkpoint_at_us


def _size(note: str) -> int:
    try:
        return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n").size
    except CheckpointError:
        return 0
