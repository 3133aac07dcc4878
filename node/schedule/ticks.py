"""The node's clock: APScheduler as a mere ticker, the store as the judge of who acts.

Every replica ticks. Waking the projector is harmless in every one of them; what may happen once a period only is done by who wins
the tick's row in the store, so a node that runs twice signs and notes once. A tick that fails is logged and comes again.
"""

import asyncio

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from node.directives.desk import DirectiveDesk
from node.downlink import ChildJournals
from node.projection.projector import Projector
from node.projection.raising import Raising
from node.resupervision.standing import LOOK_S, StandingLook
from node.store.store import Store
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

WAKE_S = 2.0
"""How often deadlines that have passed are looked for (one indexed read)."""

_KEEP_US = 86_400_000_000


class Ticking:
    """The schedules of one node."""

    def __init__(
        self,
        store: Store,
        now: Now,
        projector: Projector,
        raising: Raising,
        writer: JournalWriter,
        children: ChildJournals,
        standing: StandingLook,
        directives: DirectiveDesk,
        head_period_s: float,
    ) -> None:
        self._store = store
        self._now = now
        self._projector = projector
        self._raising = raising
        self._writer = writer
        self._children = children
        self._standing = standing
        self._directives = directives
        self._head_period_s = head_period_s

    async def run(self) -> None:
        """Tick until cancelled."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        common = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        scheduler.add_job(self._wake, "interval", seconds=WAKE_S, **common)
        scheduler.add_job(self._head, "interval", seconds=self._head_period_s, **common)
        scheduler.add_job(self._look, "interval", seconds=LOOK_S, **common)
        scheduler.start()
        try:
            await asyncio.Event().wait()
        finally:
            scheduler.shutdown(wait=False)

    async def _wake(self) -> None:
        try:
            async with self._store.read() as session:
                due = await session.facts.next_due(self._writer.node)
            if due is not None and due <= self._now():
                self._projector.ring()
        except Exception:
            log.exception("tick.failed", schedule="wake")

    async def _look(self) -> None:
        try:
            await self._standing.look()
            # In a rebuild alerts that were raised long ago are not back yet.
            if not self._projector.rebuilding:
                await self._directives.look()
        except Exception:
            log.exception("tick.failed", schedule="standing")

    async def _head(self) -> None:
        period_us = int(self._head_period_s * 1_000_000)
        fire_at_us = self._now() // period_us * period_us
        try:
            async with self._store.write() as session:
                if not await session.ticks.win("head", fire_at_us):
                    return
                await session.ticks.forget(fire_at_us - _KEEP_US)
            if self._writer.accepts:
                await self._children.note_heads()
                # In a rebuild alerts that were decided long ago are pending for a while.
                if not self._projector.rebuilding:
                    await self._raising.issue_overdue()
            await self._writer.sign_head()
        except Exception:
            log.exception("tick.failed", schedule="head")
