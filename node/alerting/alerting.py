"""What goes on about alerts by itself while a node runs: decisions from above taken in, late steps found, people and programs told.

Each part follows the journal from a cursor or looks again at what is there, so a part that fails is logged and comes again, and nothing is lost
when the process dies. Late steps are looked for whenever a day has turned (what is due ends with a day) and in the cases that were just moved.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from node.alerting.decisions import Decisions
from node.alerting.desk import AlertDesk
from node.alerting.late import LateSteps
from node.alerting.sending import Channel, Mail, Sending, Webhook
from node.alerting.telling import Telling
from node.config import NodeSettings
from node.projection.context import Contexts
from node.projection.raising import Raising
from node.store.store import Store
from node.supervision import life
from node.wallclock import Now, instant

if TYPE_CHECKING:
    from node.people.people import People

log = structlog.get_logger()

LOOK_S: Final = 2.0
"""How often the outbox and the day are looked at."""

CURSOR: Final = "late.moved"

_ANSWERED: Final = (
    life.ISSUED,
    life.EXPLAINED,
    life.RECTIFIED,
    life.APPEALED,
    life.UPHELD,
    life.CANCELLED,
    life.ESCALATED,
    life.URGED,
    life.CLOSED,
)


class Alerting:
    """The alerting of one node."""

    def __init__(
        self,
        folder: Path,
        settings: NodeSettings,
        store: Store,
        contexts: Contexts,
        raising: Raising,
        desk: AlertDesk,
        now: Now,
    ) -> None:
        own = settings.node
        self._store = store
        self._own = own
        self._desk = desk
        self._now = now
        self._day: date | None = None
        self.decisions = Decisions(store, desk, own)
        self.late = LateSteps(store, contexts, raising, desk, own, now)
        self.telling = Telling(
            store,
            contexts,
            own,
            settings.name,
            settings.zone,
            settings.mail is not None,
            settings.webhooks,
            now,
        )
        self._webhook = Webhook(settings.webhooks, folder)
        channels: dict[str, Channel] = {"webhook": self._webhook}
        if settings.mail is not None:
            channels["mail"] = Mail(settings.mail, folder, own)
        self.sending = Sending(store, channels, now)

    async def look(self, people: "People | None") -> None:
        """Do whatever is to do now, except sending."""
        await self.decisions.look()
        await self._late_steps()
        if self.telling.wanted:
            while await self.telling.look(people):
                pass

    async def _late_steps(self) -> None:
        async with self._store.read() as session:
            upto = (await session.cursors.get("events", self._own)).position
            begun = int(await session.links.get(CURSOR) or b"0")
            moved = await session.steps.moved(self._own, _ANSWERED, begun, upto)
        today = instant(self._now()).astimezone((await self._desk.days()).zone).date()
        if today != self._day:
            await self.late.look(moved)
            self._day = today
        elif moved:
            await self.late.look_at(moved)
        if upto > begun:
            async with self._store.write() as session:
                await session.links.put(CURSOR, str(upto).encode())

    async def close(self) -> None:
        """Let go of connections."""
        await self._webhook.close()
