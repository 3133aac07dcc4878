"""A parent and its child on real stores, with a clock of the test's own: what the parent sees, look by look."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from zongheng.v1.entry_pb2 import ALERT_STATE_CORRECTED
from zongheng.v1.standing_pb2 import ChildMeasured

from federation.link.session import SessionStatus
from node.resupervision.standing import StandingLook
from node.store.rows import AlertRecord
from tests.unit.projection.units import TOWN, VILLAGE, Hands, Unit, item

Make = Callable[..., Awaitable[Unit]]

MINUTE = 60_000_000
HOUR = 60 * MINUTE


@dataclass
class Family:
    """A town and its village. `hands` are both their clocks, unless `offset_ms` says otherwise."""

    town: Unit
    village: Unit
    hands: Hands
    connected: bool = True
    offset_ms: int | None = 0
    look_after: StandingLook = field(init=False)

    def __post_init__(self) -> None:
        self.connected_us = self.now
        self.begin()

    @property
    def now(self) -> int:
        return self.hands.at

    @now.setter
    def now(self, at: int) -> None:
        self.hands.at = at

    def begin(self) -> None:
        """The parent's process starts."""
        node = self.town.node
        self.look_after = StandingLook(
            node.store,
            node.contexts,
            node.raising,
            node.tree,
            node.settings.tier,
            self.sessions,
            lambda: not node.projector.rebuilding,
            self.hands,
        )
        node.comparison.told = self.look_after.compared

    def sessions(self) -> list[SessionStatus]:
        if not self.connected:
            return []
        return [SessionStatus(VILLAGE, "s" * 16, self.connected_us, self.now, self.offset_ms, "", 0)]

    def connect(self) -> None:
        self.connected, self.connected_us = True, self.now

    async def looks(self, minutes: int = 0, every: int = 1) -> None:
        """Looks go on for so long, one every so many minutes; at least one."""
        for _ in range(max(1, minutes // every)):
            self.now += every * MINUTE if minutes else 0
            await self.look_after.look()

    async def relayed(self, *, report: bool = True) -> None:
        """Everything the child has reaches the parent and is read there."""
        await self.village.catch_up()
        await self.village.push_to(self.town)
        await self.town.catch_up()
        if report:
            await self.village.report_to(self.town)
            await self.town.catch_up()

    async def about(self) -> list[AlertRecord]:
        """What the parent raised about its child and still holds."""
        alerts = [alert for alert in await self.town.alerts() if alert.domain == "resupervision"]
        return [one for one in alerts if one.state != ALERT_STATE_CORRECTED and one.case_id == VILLAGE]

    async def found(self) -> set[tuple[str, str, int]]:
        """(rule, subject, level) of these."""
        return {(a.rule.removeprefix("resupervision."), a.subject, a.level) for a in await self.about()}

    async def measured(self) -> list[ChildMeasured]:
        return [entry.child_measured for entry in await self.town.entries("child_measured")]


async def family(unit: Make) -> Family:
    """A town that has heard of its village, which has cases that are late and raised its alerts for them."""
    hands = Hands()
    made = Family(await unit(TOWN, now=hands), await unit(VILLAGE, now=hands), hands)
    village = made.village
    await village.told(item(), *(one for n in range(4) for one in village.late(f"c-{n}")))
    await made.relayed()
    return made
