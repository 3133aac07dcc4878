"""What a node is made of, put together in order: each part is given what it needs of those before it, and knows no node.

Nothing runs and nothing is read from disk here: `node.run` opens what is given, `node.serving` lets it run. A part that comes in one of the
later lines is reached from an earlier one through a callable only.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.link_pb2 import Welcome
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.membership import digest
from federation.journal.checkpoint import Signer
from federation.journal.tile import TileBuilder
from federation.link.dialler import ChildPorts, Lane
from federation.link.down_lane import DownLane
from federation.link.down_service import DownService
from federation.link.listener import Listener
from federation.link.mending import Mending
from node.alerting.alerting import Alerting
from node.alerting.by_directive import ByDirective
from node.alerting.desk import AlertDesk
from node.answering import Answering
from node.asking import Asking
from node.backup.backups import Backups
from node.config import NodeSettings
from node.dialling import ParentLink
from node.directives.desk import DirectiveDesk
from node.directives.words import SealedWords
from node.downlink import ChildJournals, Reports
from node.files.carrying import Carrying
from node.files.lane import ChildFiles, OwnFiles
from node.files.room import Room
from node.files.shelf import Shelf
from node.holding import OwnHolding
from node.intake.service import Intake
from node.intake.supervised import supervised_by
from node.intake.withdrawn import Withdrawn
from node.joining import Joining
from node.keyring import Clock, KeyRing
from node.lane_down import AddressedEntries, FromAbove
from node.matching.keys import LinkageKeys
from node.matching.linking import Linking
from node.matching.matching import Matching
from node.matching.notices import Notices
from node.mending.branch import Branch
from node.mending.noted import Witness
from node.mending.quarantine import Quarantine
from node.mending.renewal import Renewal
from node.mending.sealing import Seal
from node.mending.telling import Telling
from node.own_words import OwnWords
from node.passports import Passports
from node.projection.context import Contexts
from node.projection.footing import Footings
from node.projection.forwarding import Forwarding
from node.projection.history import History
from node.projection.projector import Projector
from node.projection.raising import Raising
from node.register import Register
from node.resupervision.comparison import Comparison
from node.resupervision.standing import StandingLook
from node.schedule.ticks import Ticking
from node.sealed.letters import Letters
from node.sealed.texts import SealedTexts
from node.seeding import Seeding
from node.store.highwater import HighWater
from node.store.inbox import Inbox
from node.store.segments import Segments
from node.store.store import Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.tree import Tree
from node.uplink import Figures, OperatorDesk, OwnJournal, StoredBackoff
from node.wallclock import Now

HEAD_PERIOD_S: Final = 60.0
"""How often a head is signed and children's heads are noted though nothing happened: silence is visible."""


class Parts:
    """The parts of one node, and the few ways in which they reach each other."""

    def __init__(
        self,
        folder: Path,
        settings: NodeSettings,
        store: Store,
        signer: Signer,
        vault: Vault,
        writer: JournalWriter,
        keyring: KeyRing,
        high_water: HighWater,
        now: Now,
        clock: Clock,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.store = store
        self.signer = signer
        self.vault = vault
        self.writer = writer
        self.keyring = keyring
        self.now = now
        own = NodeCard(
            node=settings.node,
            tier=settings.tier,
            name=settings.name,
            log_id=settings.log_id,
            verifier=writer.verifier,
        )
        self.tree = Tree(own)
        self.contexts = Contexts(store)
        self.inbox = Inbox(store, now, settings.node)
        self.seal = Seal(folder, store, writer, high_water, now)
        self.telling = Telling(store, writer, now)
        self.own_words = OwnWords(settings, store, writer, self.telling, now)
        self.quarantine = Quarantine(store, self.telling, now)
        self.witness = Witness(store, self.tree, self.telling)
        self.comparison = Comparison(store, writer, self.contexts, now)
        self.footings = Footings(store, self.contexts, settings.node)
        self.holding = OwnHolding()
        self.figures = Figures(store, self.tree, self.footings.now, self.holding)
        self.raising = Raising(store, writer, self.contexts, now)
        self.history = History(store, Segments(folder / "segments"))
        self.shelf = Shelf(folder / "files")
        self.carrying = Carrying(
            self.shelf, self.tree, now, is_portal=settings.portal, has_parent=lambda: settings.parent is not None
        )  # fmt: skip
        self.room = Room(
            store, self.shelf, now, settings.files_budget_mb * 1_000_000, settings.disk_reserve_mb * 1_000_000
        )
        self.files_up = OwnFiles(store, self.shelf, now)
        self.files_below = ChildFiles(store, self.shelf, self.room, self.carrying, now, self.files_up.ring)
        self.backups = Backups(
            folder, settings, store, self.shelf, self.room, self.write_entries, self.parent_node, now
        )
        self.files_up.ask_below = self.files_below.ask
        self.carrying.listen(self.files_up.ring)
        self.forwarding = Forwarding(store, writer, self.tree, self.edge, now)
        self.projector = Projector(
            store,
            writer,
            self.inbox,
            self.contexts,
            self.raising,
            self.comparison,
            self.forwarding,
            self.carrying,
            self.witness,
            self.history,
            self.holding,
            now,
            self.figures.changed_here,
            self.figures.restart,
        )
        withdrawn = Withdrawn.over(store, self.contexts, self.projector.settled, settings.node)
        self.intake = Intake(
            store, writer, vault, now, self.tree.is_below, withdrawn, supervised_by(settings.tier)
        )
        self.answering = Answering(store, self.contexts, self.history, self.edge, now)
        self.renewal = Renewal(store, self.inbox, self.projector, self.telling, settings.node, now)
        self.children = ChildJournals(
            store, self.inbox, writer, signer, self.quarantine, self.renewal, self.telling, settings.tier, now
        )
        self.passports = Passports(store, keyring, self.tree, now, clock)
        self.register = Register(
            store, writer, keyring, settings, lambda: self.tree.own, now, clock, self._dismiss
        )
        self.reports = Reports(
            store, self.tree, self.passports, self.comparison, self.witness, self.figures.changed_here,
            self.projector.ring,
        )  # fmt: skip
        self.listener = Listener(
            lambda: self.tree.own, self.register, self.children, self.reports, now, hand_down=self._hand_down
        )
        self.addressed = AddressedEntries(store, writer, self.tree)
        self.letters = Letters(
            folder, store, writer, vault, keyring.keys.sealing, self.passports, self.addressed, now
        )
        self.carrying.listen(self.letters.ring)
        self.from_above = FromAbove(store, writer, self.tree, now, self.passports.of)
        self.down = DownService(self.listener, self.addressed, HEAD_PERIOD_S)
        self.asking = Asking(store, self.tree, self.projector, self.answering, self.listener, now)
        self.standing = StandingLook(
            store,
            self.contexts,
            self.raising,
            self.tree,
            settings.tier,
            self.listener.sessions,
            lambda: not self.projector.rebuilding,
            now,
        )
        self.comparison.told = self.standing.compared
        words = SealedWords(self._sealing_key, lambda: keyring.keys.sealing)
        self.directives = DirectiveDesk(
            store, writer, vault, self.tree, self.addressed, words, self.contexts, self.raising, now
        )
        self.ticking = Ticking(
            store,
            now,
            self.projector,
            self.raising,
            writer,
            self.children,
            self.standing,
            self.directives,
            HEAD_PERIOD_S,
        )
        self.linkage_keys = LinkageKeys(
            folder, store, writer, vault, keyring.keys.sealing, self.passports, self.tree, self.addressed, now
        )
        self.seeding = Seeding(store, writer, lambda: self.signer, self.addressed, self.edge, now)
        self.matching = Matching(
            store,
            writer,
            self.contexts,
            self.raising,
            self.tree,
            self.linkage_keys,
            Linking(store, writer, vault, self.linkage_keys, now),
            Notices(store, writer, self.contexts, self.raising, self.addressed, now),
            self.seeding,
            lambda: not self.projector.rebuilding,
            now,
        )
        self.mending = Mending(self.listener, self.children)
        self.branch = Branch(store, writer, self.projector, now)
        self.desk = OperatorDesk(store, writer, self.seal, self.branch, self.journal_opened)
        self.alert_desk = AlertDesk(
            store, vault, writer, self.raising, self.contexts, self.parent_node,
            SealedTexts(store, vault, self._sealing_key, lambda: keyring.keys.sealing), now,
        )  # fmt: skip
        self.directives.looked = ByDirective(store, self.alert_desk, settings.node).look
        self.alerting = Alerting(folder, settings, store, self.contexts, self.raising, self.alert_desk, now)
        self.further_lanes: list[Lane] = []
        """Of parts that are put beside these."""
        self.certified_anew: list[Callable[[], None]] = []
        """Told when this node has other certificates than before."""
        self.link = ParentLink(settings, keyring, writer, self.desk, self.from_above, self._child_ports, now)
        self.joining = Joining(
            folder, settings, keyring, lambda: self.tree.own, self.write_entries, clock, self._member_anew
        )

    async def write_entries(self, entries: Sequence[Entry]) -> list[int]:
        """Append the node's own words, as `OwnWords.say` does; returns their indexes."""
        return await self.own_words.say(entries)

    def journal_opened(self) -> None:
        """The journal takes entries that it may not have taken before."""
        self.own_words.journal_opened()
        self.projector.ring()

    def parent_node(self) -> str:
        """Id of the parent; empty while there is none."""
        member = self.keyring.identity.membership
        return "" if member is None else member.name.above.node

    def edge(self, origin: str, size: int) -> TileBuilder | None:
        """The right edge of a journal's tree at ``size``, where it is in memory, for readers that prove."""
        own = origin == self.settings.node
        return self.writer.edge(size) if own else self.inbox.edge(origin, size)

    def is_linked(self, child: str) -> bool:
        """Whether this child is connected now."""
        return self.listener.is_connected(child)

    def _sealing_key(self, node: str) -> bytes | None:
        """The key under which words for an ancestor or a descendant are sealed; None while its passport has not come."""
        holder = self.passports.of(node)
        return None if holder is None else holder.sealing_key

    # What the link to the parent and the links of children are given.

    def _child_ports(self) -> ChildPorts:
        return ChildPorts(
            card=self.passports.card,
            descendants=self.tree.bare,
            journal=OwnJournal(self.store, self.writer, self.signer, self.branch),
            reporter=self.figures,
            answerer=self.asking,
            operator=self.desk,
            backoff=StoredBackoff(self.store),
            lanes=(DownLane(self.from_above), *self.further_lanes),
            files=self.files_up,
            welcomed=self._welcomed,
            stranger=self.joining.renew_soon,
        )

    def _dismiss(self, child: str, error: ZonghengError) -> None:
        self.listener.dismiss(child, error)

    def _hand_down(self, welcome: Welcome) -> None:
        """What this node has for its children: who is above them, and which certificates they should have."""
        welcome.above.extend(self.passports.handed_down())
        welcome.chain = digest(self.keyring.identity.authority.chain)

    async def _welcomed(self, welcome: Welcome) -> None:
        await self.passports.take_above(list(welcome.above))
        member = self.keyring.identity.membership
        if member is not None and welcome.chain not in (b"", digest(member.chain)):
            # The parent got a parent, or was certified again: what is above this node has changed.
            self.joining.renew_soon()

    def _member_anew(self, elsewhere: bool) -> None:
        """There are new certificates; ``elsewhere``: under another root, or the first."""
        self.link.redial()
        for told in self.certified_anew:
            told()
        if elsewhere:
            for child in self.listener.sessions():
                self.listener.release(child.node)
