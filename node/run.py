"""One node, without globals: a process may host one or a hundred.

``Node.opened`` opens the store, the keys and the journal (whose first entry says whose it is) and brings projections up to date on
demand; ``serve`` adds what listens and what dials. Everything that runs lives in one task group: when a part fails in a way it does not handle itself, the
node stops as a whole, cleanly, with that error, and its supervisor (systemd, the demo) starts it again from what is durable.
"""

import asyncio
import contextlib
import gc
import random
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Self

import grpc.aio
import psutil
import structlog
from zongheng.v1.entry_pb2 import Entry, Genesis
from zongheng.v1.intake_pb2_grpc import add_IntakeServiceServicer_to_server
from zongheng.v1.link_pb2 import Welcome
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.files.servicer import FileDesk
from federation.identity.credentials import MutualTls
from federation.identity.enrolment import ENROLMENT_OPTIONS, Enrolment
from federation.identity.membership import digest
from federation.journal.checkpoint import Signer
from federation.journal.tile import TileBuilder
from federation.link.backoff import BackoffPolicy
from federation.link.channel import PARENT_OPTIONS
from federation.link.dialler import ChildPorts, Dialler
from federation.link.down_lane import DownLane
from federation.link.down_service import DownService
from federation.link.handshake import Decision
from federation.link.listener import Listener
from federation.link.mending import Mending
from node import config, control
from node.alerting.alerting import LOOK_S, Alerting
from node.alerting.desk import AlertDesk
from node.answering import Answering
from node.asking import Asking
from node.backup.backups import Backups
from node.config import NodeSettings
from node.directives.desk import DirectiveDesk
from node.directives.words import SealedWords
from node.downlink import ChildJournals, Reports
from node.files.carrying import Carrying
from node.files.lane import ChildFiles, OwnFiles
from node.files.room import Room
from node.files.shelf import Shelf
from node.first_policy import first_policy
from node.holding import OwnHolding
from node.intake.service import Intake
from node.joining import Joining
from node.keyring import Clock, KeyRing, machine_clock
from node.lane_down import AddressedEntries, FromAbove
from node.mending.branch import Branch
from node.mending.noted import Witness
from node.mending.quarantine import Quarantine
from node.mending.renewal import Renewal
from node.mending.sealing import Seal
from node.mending.telling import Telling
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
from node.rotation import rotate_key, rotations, settled_signer
from node.schedule.ticks import Ticking
from node.sealed.letters import Letters
from node.store.drafts import Draft
from node.store.highwater import HighWater
from node.store.inbox import Inbox
from node.store.segments import Segments
from node.store.store import Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.tree import Tree, without_passport
from node.uplink import Figures, OperatorDesk, OwnJournal, StoredBackoff
from node.wallclock import Now, system, ticking_from
from node.web.server import serve_http
from tiers.profile import profile_of
from tiers.tier import tier_named

if TYPE_CHECKING:
    from node.models.registry import Registry
    from node.people.people import People
    from node.views.report import ReportView

log = structlog.get_logger()

_FAREWELL_S = 2.0
_RULES_OF = "rules.of_program"
_LOGIN_REQUIRED = "people.login_required"

HEAD_PERIOD_S = 60.0
"""How often a head is signed and children's heads are noted though nothing happened: silence is visible."""


class Node:
    """An opened node. Make it with ``opened``."""

    def __init__(
        self,
        folder: Path,
        settings: NodeSettings,
        store: Store,
        closing: contextlib.AsyncExitStack,
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
        self._registry: Registry | None = None
        self._people: People | None = None
        self.login_required = False
        """Somebody has an account, or had one: over the network nobody is the operator any more."""
        self._opening_registry = asyncio.Lock()
        self._closing = closing
        self._opened = asyncio.Event()
        self._opened.set()
        self.signer = signer
        self.vault = vault
        self.writer = writer
        self.keyring = keyring
        self.now = now
        self.ready = False
        self.serving = False
        self.start_s = 0.0
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
            self.shelf,
            self.tree,
            now,
            is_portal=settings.portal,
            has_parent=lambda: settings.parent is not None,
        )
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
        self.projector = Projector(
            store,
            writer,
            self.inbox,
            self.contexts,
            self.raising,
            self.comparison,
            Forwarding(store, writer, self.tree, self.edge, now),
            self.carrying,
            self.witness,
            self.history,
            self.holding,
            now,
            self.figures.changed_here,
            self.figures.restart,
        )
        self.intake = Intake(store, writer, vault, now, self.tree.is_below)
        self.answering = Answering(store, self.contexts, self.history, self.edge, now)
        self.renewal = Renewal(store, self.inbox, self.projector, self.telling, settings.node, now)
        self.children = ChildJournals(
            store, self.inbox, writer, signer, self.quarantine, self.renewal, self.telling, settings.tier, now
        )
        self.passports = Passports(store, keyring, self.tree, now, clock)
        self.register = Register(
            store, writer, keyring, settings, lambda: self.tree.own, now, clock, self._dismiss
        )
        self.listener = Listener(
            lambda: self.tree.own,
            self.register,
            self.children,
            Reports(
                store,
                self.tree,
                self.passports,
                self.comparison,
                self.witness,
                self.figures.changed_here,
                self.projector.ring,
            ),
            now,
            hand_down=self._hand_down,
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
            store, writer, self.vault, self.tree, self.addressed, words, self.contexts, self.raising, now
        )
        self.mending = Mending(self.listener, self.children)
        self.branch = Branch(store, writer, self.projector, now)
        self.desk = OperatorDesk(store, writer, self.seal, self.branch, self.journal_opened)
        self.alert_desk = AlertDesk(
            store, vault, writer, self.raising, self.contexts, settings.tier, lambda: self.settings.parent is not None, now,
        )  # fmt: skip
        self.alerting = Alerting(folder, settings, store, self.contexts, self.raising, self.alert_desk, now)
        self.dialler: Dialler | None = None
        self._parent_changed = asyncio.Event()
        self._leaving = False
        self._ending = asyncio.Event()
        self._again = False
        self.joining = Joining(
            folder, settings, keyring, lambda: self.tree.own, self.write_entries, clock, self._member_anew
        )

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls, folder: Path, now: Now | None = None, clock: Clock = machine_clock
    ) -> AsyncIterator[Self]:
        """Open the node in ``folder``; the caller holds the folder's lock. ``ZonghengError`` says what is wrong.

        ``now`` is another clock than the settings name; ``clock`` is what certificates are judged by, whatever the node's own clock says.
        """
        settings = config.load(folder)
        start = settings.clock.start
        if now is None:
            now = ticking_from(start, settings.clock.since) if start is not None else system
        place = settings.store if "://" in settings.store else str(folder / settings.store)
        store = await Store.open(place)
        high_water = HighWater(folder)
        try:
            signer = await settled_signer(folder, settings, store)
            writer = await JournalWriter.open(store, signer, settings.log_id, settings.node, now, high_water)
            async with contextlib.AsyncExitStack() as closing:
                keyring = KeyRing.open(folder, settings, clock)
                vault = Vault(config.vault_key(folder))
                node = cls(
                    folder, settings, store, closing, signer, vault, writer, keyring, high_water, now, clock
                )
                await node._begin()
                yield node
        finally:
            high_water.close()
            await store.close()

    async def registry(self) -> "Registry":
        """What people edit here. Opened, and its libraries loaded, when first asked for: most nodes run for weeks without it."""
        from node.models.registry import Registry

        async with self._opening_registry:
            if self._registry is None:
                opened = Registry.open(self.folder, self.settings.store)
                self._registry = await self._closing.enter_async_context(opened)
            return self._registry

    async def people(self) -> "People":
        """The people who use this node. Opened with the registry, when first asked for."""
        from node.people.people import People

        registry = await self.registry()
        if self._people is None:
            self._people = People.over(registry, self.write_entries, self.now)
        return self._people

    async def require_login(self) -> None:
        """From now on, and after every start, nobody comes in over the network without an account."""
        if not self.login_required:
            async with self.store.write() as session:
                await session.links.put(_LOGIN_REQUIRED, b"1")
            self.login_required = True

    async def _begin(self) -> None:
        await self.seal.look()
        if self.writer.size == 0 and not self.writer.sealed:
            genesis = Genesis(
                log_id=self.settings.log_id,
                node=self.settings.node,
                tier=self.settings.tier,
                name=self.settings.name,
                verifier=self.writer.verifier,
                zone=self.settings.zone,
                calendar=self.settings.calendar,
            )
            # The guards make both the first entries once, also when the process dies right here.
            await self.write_entries(
                [
                    Entry(source="node", serial="genesis", genesis=genesis),
                    Entry(source="node", serial="policy/1", policy_published=first_policy(self.settings)),
                ]
            )
            await self._register_rules()
        elif self.settings.parent is None and not self.writer.sealed:
            await self._register_rules()
        async with self.store.read() as session:
            await self.tree.load(session)
            await self.passports.load(session)
            self.tree.own.rotations.extend(await rotations(session, self.settings.log_id))
            self.login_required = await session.links.get(_LOGIN_REQUIRED) is not None
        async with self.store.write() as session:
            await self.carrying.open(session)
        await self.projector.open()

    def journal_opened(self) -> None:
        """The journal takes entries that it may not have taken before."""
        self._opened.set()
        self.projector.ring()

    async def _catch_up_on_words(self) -> None:
        """Whenever the journal is opened: enter what waited for that. At a start: once the parent was asked whether this journal is
        where it should be."""
        while True:
            await self._opened.wait()
            self._opened.clear()
            if self.writer.accepts:
                await self.telling.look_again()
                await self._register_rules()

    async def _register_rules(self) -> None:
        """Enter the built-in rules as this version of the program has them, once each."""
        program = version("zongheng")
        async with self.store.read() as session:
            if await session.links.get(_RULES_OF) == program.encode():
                return
        # The table engine is loaded only where something is to be judged: most commands need it not.
        from node.directives.rules import RULES as DIRECTIVE_RULES
        from node.resupervision.rules import rules_of
        from node.supervision.fold import installed
        from node.supervision.policy import Policy, registered

        profile = profile_of(tier_named(self.settings.tier))
        built_in = [rule for domain in installed(profile.domains) for rule in domain.rules]
        built_in += DIRECTIVE_RULES
        if profile.resupervision is not None:
            built_in += rules_of(profile.resupervision)
        rules = registered(built_in, Policy.from_message(first_policy(self.settings)))
        await self.write_entries(
            [
                Entry(source="rule", serial=f"{rule.rule}/{rule.version}", rule_registered=rule)
                for rule in rules
            ]
        )
        async with self.store.write() as session:
            await session.links.put(_RULES_OF, program.encode())

    async def write_entries(self, entries: Sequence[Entry]) -> list[int]:
        """Append the node's own words; returns their indexes. ``noted_at_us`` is filled in.

        While the journal is sealed, who looked at what waits, and is entered when the seal is off; nothing else may be said then.
        """
        for entry in entries:
            entry.noted_at_us = self.now()
        if self.writer.sealed and all(entry.HasField("access_noted") for entry in entries):
            for entry in entries:
                await self.telling.tell(f"access/{secrets.token_hex(8)}", entry)
            return []
        appended = await self.writer.append([Draft.of(entry) for entry in entries])
        return list(appended.indexes)

    def parent_node(self) -> str:
        """Id of the parent; empty while there is none."""
        member = self.keyring.identity.membership
        return "" if member is None else member.name.above.node

    def _sealing_key(self, node: str) -> bytes | None:
        """The key under which words for an ancestor or a descendant are sealed; None while its passport has not come."""
        holder = self.passports.of(node)
        return None if holder is None else holder.sealing_key

    def edge(self, origin: str, size: int) -> TileBuilder | None:
        """The right edge of a journal's tree at ``size``, where it is in memory, for readers that prove."""
        own = origin == self.settings.node
        return self.writer.edge(size) if own else self.inbox.edge(origin, size)

    @property
    def link_state(self) -> str:
        """none, connecting, linked, backing_off, quarantined, behind, stopped."""
        if self.settings.parent is None:
            return "none"
        if self.dialler is None:
            return "stopped"
        state = self.dialler.status.state
        if state == "sealed":
            behind = self.desk.sealed in (Decision.PULL_BACK, Decision.MEND)
            return "behind" if behind else "quarantined"
        return {"up": "linked", "dialling": "connecting", "resting": "backing_off"}.get(state, "stopped")

    @property
    def link_instruction(self) -> str:
        """What an operator should do about the link or the seal; empty: nothing."""
        if self.desk.instruction or not self.writer.sealed:
            return self.desk.instruction or self.from_above.instruction
        if self.settings.parent is None:
            return f"sealed: {self.writer.sealed}. Compare it with the backup, then run zongheng unseal DIR --by NAME --reason …"
        return f"sealed: {self.writer.sealed}. It opens by itself once the parent is reached and both agree"

    def is_linked(self, child: str) -> bool:
        """Whether this child is connected now."""
        return self.listener.is_connected(child)

    async def rotate_key(self) -> int:
        """Sign the journal with a new key from now on; returns the index of the entry that says so.

        What else holds the old key in this process is opened again with the new one: a node that serves ends `serve` for that.
        """
        _, index = await rotate_key(self.folder, self.writer)
        self._again = True
        self._ending.set()
        return index

    async def serve(self, stop: asyncio.Event) -> bool:
        """Serve until ``stop`` is set, then say goodbye and stop; true: the node is to be opened again. The caller holds the folder's lock."""
        credentials = MutualTls(lambda: self.keyring.identity)
        self.serving = True
        with control.short_path(self.folder, control.INTAKE) as intake_path:
            links, doors = grpc.aio.server(options=PARENT_OPTIONS), grpc.aio.server(options=PARENT_OPTIONS)
            enrolments = grpc.aio.server(options=ENROLMENT_OPTIONS)
            self.listener.add_to(links)
            self.down.add_to(links)
            add_IntakeServiceServicer_to_server(self.intake, doors)
            Enrolment(self.register).add_to(enrolments)
            FileDesk(self.listener, self.files_below, self.register.caller).add_to(links)
            self.mending.add_to(links)
            credentials.server_port(links, self.settings.grpc)
            credentials.enrolment_port(enrolments, self.settings.enrolment_address)
            with contextlib.suppress(FileNotFoundError):
                (self.folder / control.INTAKE).unlink()
            doors.add_insecure_port(f"unix:{intake_path}")
            for server in (links, enrolments, doors):
                await server.start()
            (self.folder / control.INTAKE).chmod(0o600)
            if self.settings.parent is not None:
                self.writer.hold()  # until the parent was asked, or cannot be
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [
                        group.create_task(self.projector.run(), name="projector"),
                        group.create_task(self._look_after_alerts(), name="alerting"),
                        *(
                            [group.create_task(self._send_out(), name="sending")]
                            if self.alerting.telling.wanted
                            else []
                        ),
                        group.create_task(self._watch_heads(), name="heads"),
                        group.create_task(self.backups.run(), name="backups"),
                        group.create_task(self._catch_up_on_words(), name="words"),
                        group.create_task(self.letters.run(), name="letters"),
                        *(
                            [group.create_task(self._file_reports(), name="reports")]
                            if self.settings.reports.periods
                            else []
                        ),
                        group.create_task(
                            Ticking(
                                self.store,
                                self.now,
                                self.projector,
                                self.raising,
                                self.writer,
                                self.children,
                                self.standing,
                                self.directives,
                                HEAD_PERIOD_S,
                            ).run(),
                            name="ticks",
                        ),
                    ]
                    tasks.append(group.create_task(self._end_with(stop), name="end"))
                    tasks.append(group.create_task(self.renewal.run(), name="renewals"))
                    tasks.append(group.create_task(self.joining.run(), name="certificates"))
                    tasks.append(group.create_task(self._keep_linked(credentials), name="dialler"))
                    tasks.append(group.create_task(self.desk.run(), name="desk"))
                    async with serve_http(self):
                        # What is loaded now stays. Intake makes thousands of short-lived objects a batch, and looking through all that is
                        # loaded at every 700 of them took a sixth of its time.
                        gc.collect()
                        gc.freeze()
                        gc.set_threshold(20_000, 20, 50)
                        self.ready = True
                        self.start_s = time.time() - psutil.Process().create_time()
                        log.info(
                            "node.ready", node=self.settings.node, tier=self.settings.tier, grpc=self.settings.grpc,
                            http=self.settings.http, start_s=round(self.start_s, 2),
                        )  # fmt: skip
                        await self._ending.wait()
                    log.info("node.stopping", node=self.settings.node)
                    self.listener.close()
                    await self._hang_up(tasks)
            finally:
                self.serving = self.ready = False
                for server in (doors, enrolments, links):
                    await server.stop(1.0)
        return self._again and not stop.is_set()

    async def _end_with(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._ending.set()

    async def _hang_up(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Say goodbye to the parent, then end everything."""
        self._leaving = True
        self._redial()
        dialling = [task for task in tasks if task.get_name() == "dialler"]
        await asyncio.wait(dialling, timeout=_FAREWELL_S)
        for task in tasks:
            task.cancel()

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
        self._redial()
        if elsewhere:
            for child in self.listener.sessions():
                self.listener.release(child.node)

    def _redial(self) -> None:
        """There is a parent now, or new certificates to dial it with."""
        self._parent_changed.set()
        if self.dialler is not None:
            self.dialler.stop()

    async def _keep_linked(self, credentials: MutualTls) -> None:
        """Dial the parent for as long as the node runs, again with each change of the membership."""
        while not self._leaving:
            self._parent_changed.clear()
            if self.settings.parent is None:
                await self._parent_changed.wait()
            else:
                self.dialler = self._dialler(self.settings.parent, credentials)
                await self.dialler.run()

    def _dialler(self, parent: str, credentials: MutualTls) -> Dialler:
        ports = ChildPorts(
            card=self.passports.card,
            descendants=lambda: [without_passport(card) for card in self.tree.descendants()],
            journal=OwnJournal(self.store, self.writer, self.signer, self.branch),
            reporter=self.figures,
            answerer=self.asking,
            operator=self.desk,
            backoff=StoredBackoff(self.store),
            lanes=(DownLane(self.from_above),),
            files=self.files_up,
            welcomed=self._welcomed,
        )
        rests = BackoffPolicy(cap_ms=round(self.settings.longest_rest_s * 1_000))
        return Dialler(parent, credentials, ports, self.now, random.random, rests)

    async def _look_after_alerts(self) -> None:
        """Let alerts take their course: what fails is logged and comes again."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if not self.projector.rebuilding:
                    tells = self.settings.mail is not None and self.login_required
                    await self.alerting.look(await self.people() if tells else None)
            except Exception:
                log.exception("alerting.failed", instruction="it is tried again by itself")

    async def _file_reports(self) -> None:
        """Make the reports that the settings ask for. Loaded only where they do."""
        from node.schedule.reports import ReportSchedule
        from node.views.report import report

        async def compiled(kind: str, of: str) -> "ReportView":
            return await report(self, kind, of, "")

        schedule = ReportSchedule(
            self.folder, self.settings, self.store, self.writer, self.write_entries, compiled, self.now
        )
        await schedule.run()

    async def _send_out(self) -> None:
        """Empty the outbox, beside everything else: a mail server that hangs holds nothing up."""
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                try:
                    await self.alerting.sending.look()
                except Exception:
                    log.exception("sending.failed", instruction="it is tried again by itself")
        finally:
            await self.alerting.close()

    async def _watch_heads(self) -> None:
        size = self.writer.size
        while True:
            size = await self.writer.wait_beyond(size)
            self.figures.changed_here()
