"""One node, without globals: a process may host one or a hundred.

``Node.opened`` opens the store, the keys and the journal (whose first entry says whose it is) and brings projections up to date on
demand; ``serve`` adds what listens and what dials. What it is made of is in `node.parts`, what runs while it serves in `node.serving`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from federation.journal.checkpoint import Signer
from node import config
from node.config import NodeSettings
from node.intake.supervised import supervised_by
from node.keyring import Clock, KeyRing, machine_clock
from node.live.live import Live
from node.media.cameras import Cameras
from node.media.care import Care
from node.media.clips import Clips
from node.media.handed_on import HandedOn
from node.media.media import Media
from node.media.own_cameras import OwnCameras
from node.media.own_clips import OwnClips
from node.media.recording.archive import recordings
from node.media.snapshots import snapshots
from node.media.steering.helm import Helm
from node.media.steering.steering import Steering
from node.media.unclosed import UnclosedOnDisk
from node.media.webrtc.desk import WebRtcDesk
from node.media.webrtc.looking import Looking
from node.meetings.book import Book
from node.meetings.hosting import Terms
from node.meetings.meetings import Meetings
from node.meetings.over_live import OverLive, Reached
from node.meetings.passing import Passing
from node.meetings.putting_out import PuttingOut
from node.meetings.reporting import Reporting
from node.meetings.seats import Seats
from node.parts import Parts
from node.patrol.desk import PatrolDesk
from node.rotation import rotate_key, rotations, settled_signer
from node.serving import serve
from node.store.highwater import HighWater
from node.store.store import Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.wallclock import Now, system, ticking_from

if TYPE_CHECKING:
    from node.models.registry import Registry
    from node.people.people import People

_LOGIN_REQUIRED: Final = "people.login_required"


class Node(Parts):
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
        super().__init__(folder, settings, store, signer, vault, writer, keyring, high_water, now, clock)
        self._closing = closing
        self.cameras = Cameras(
            settings, store, vault, self.contexts, self.tree.own, self.registry, self.write_entries, now
        )
        self.cameras.listen(self.figures.changed_here)
        self.live = Live(self.tree, lambda: settings.parent is not None, self.is_linked, now)
        book = Book(settings.node, store, writer, self.write_entries, now)
        seats = Seats(book)
        passing = Passing(book, self.tree)
        self.media = Media(
            folder, settings, self.tree, self.listener, OwnCameras(self.cameras, seats), passing, self.live,
            self.register.key_of, self.write_entries, UnclosedOnDisk(store), now,
        )  # fmt: skip
        self.webrtc = WebRtcDesk(
            self.media.supervisor.channel,
            Looking(settings, self.tree, self.media.viewings, self.cameras, seats),
            [each.channel for each in self.media.showing],
            self.media.need_showing,
        )
        self.handed_on = HandedOn(self.webrtc, store, vault, now)
        self.meetings = Meetings(
            book,
            self.tree,
            OverLive(self.live, self.tree, settings.kind, self.parent_node),
            lambda: settings.parent is not None,
            Terms(settings.calls.answer_s, settings.calls.ring_s),
        )
        passing.changed = self.media.viewings.recheck
        book.changed.append(lambda meeting: self.media.viewings.recheck())
        Reached(self.live, self.tree, self.meetings.hosting, self.meetings.visiting, passing)
        self.put_out = PuttingOut(book, self.media.viewings, self.webrtc)
        self.meetings.uses = self.put_out.are_used
        self.reporting = Reporting(book, self.intake, "hall" in supervised_by(settings.tier), now)
        self.care = Care(
            self.cameras, store, writer, self.write_entries, self.intake, self.media.supervisor.channel,
            snapshots(folder, settings), now,
        )  # fmt: skip
        own_clips = OwnClips(
            folder / "recordings", recordings(folder, settings), self.cameras, self.care, store, self.shelf, self.room,
            self.write_entries,
        )  # fmt: skip
        self.clips = Clips(self.tree, own_clips, self.live, self.shelf, self.room.make, self.write_entries)
        self.steering = Steering(self.cameras, self.write_entries)
        self.helm = Helm(self.tree, self.steering, self.live, self.write_entries)
        self.patrols = PatrolDesk(
            settings.node, supervised_by(settings.tier), store, self.intake, self.registry, self.write_entries,
            self.projector.settled, now,
        )  # fmt: skip
        self.further_lanes.append(self.media.lane)
        self.certified_anew.append(self.media.streams.identity_changed)
        self._registry: Registry | None = None
        self._people: People | None = None
        self._opening_registry = asyncio.Lock()
        self.login_required = False
        """Somebody has an account, or had one: over the network nobody is the operator any more."""
        self.ready = False
        self.serving = False
        self.start_s = 0.0
        """Seconds from the start of the process until the node was ready."""
        self.ending = asyncio.Event()
        """Set: the node is to stop serving."""
        self._again = False

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

    async def _begin(self) -> None:
        await self.seal.look()
        await self.own_words.begin()
        async with self.store.read() as session:
            await self.tree.load(session)
            await self.passports.load(session)
            await self.cameras.open(session)
            self.tree.own.rotations.extend(await rotations(session, self.settings.log_id))
            self.login_required = await session.links.get(_LOGIN_REQUIRED) is not None
        async with self.store.write() as session:
            await self.carrying.open(session)
        await self.media.viewings.begin()
        await self.handed_on.open()
        await self.projector.open()

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

    async def rotate_key(self) -> int:
        """Sign the journal with a new key from now on; returns the index of the entry that says so.

        What else holds the old key in this process is opened again with the new one: a node that serves ends `serve` for that.
        """
        _, index = await rotate_key(self.folder, self.writer)
        self._again = True
        self.ending.set()
        return index

    async def serve(self, stop: asyncio.Event) -> bool:
        """Serve until ``stop`` is set, then say goodbye and stop; true: the node is to be opened again. The caller holds the folder's lock."""
        await serve(self, stop)
        return self._again and not stop.is_set()
