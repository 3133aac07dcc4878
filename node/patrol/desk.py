"""The desk of video patrols: plans are kept, rounds begun, walked and ended.

A round is what the journal says of it (`node.patrol.round`); what is said is held against that and entered, in one turn. Killed before the entry nothing was said; after it, everything was. A round that nobody
ends stays open, and shows.

A plan with a period is a duty: that it is to be walked, that it was, and that it ends are events of the `duty` domain (a cell of the grid, 网格巡查), so that its rule finds the round that nobody walked. Where
the tier does not supervise duties the page shows it all the same. That it is to be walked is said once of each period and person, after the plan is kept: killed in between, with the plan's next change. That it ends is
said before the plan is changed or removed, that it was walked after the round's end is entered: killed in between, by the end of the next round.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import structlog
from zongheng.v1 import patrol_pb2 as wire
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.intake_pb2 import Submission, SubmitRequest
from zongheng.v1.life_pb2 import FileRef

from federation.errors import ZonghengError
from node.intake.service import Intake
from node.patrol.round import Round, faults, of
from node.store.store import Store
from node.supervision.domains.duty.events import CELL_ASSIGNED, CELL_RELEASED, PATROLLED
from node.supervision.domains.duty.events import DOMAIN as DUTY
from node.wallclock import Now

if TYPE_CHECKING:
    from node.models.patrol import Plan, PlanForm, PlanRows
    from node.models.registry import Registry

MOST_PLANS: Final = 200
MOST_STOPS: Final = 500

_LOOKED_BACK: Final = 100
"""Rounds of a plan among which the last complete one is looked for."""

_SOURCE: Final = "patrol"

log = structlog.get_logger(__name__)


class PatrolDesk:
    """Patrols of one node."""

    def __init__(
        self,
        node: str,
        supervised: frozenset[str],
        store: Store,
        intake: Intake,
        registry: Callable[[], Awaitable["Registry"]],
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
        settled: Callable[[], Awaitable[bool]],
        now: Now,
    ) -> None:
        """``supervised``: the domains of the node's tier; ``settled``: the journal is read to its end."""
        self._node = node
        self._has_duties = DUTY in supervised
        self._store = store
        self._intake = intake
        self._registry = registry
        self._write = write
        self._settled = settled
        self._now = now
        self._turn = asyncio.Lock()
        self.raising = asyncio.Lock()
        """Held by whoever raises what was found: an alert and a directive are two entries, and neither is to be there twice."""
        self.pictures: dict[tuple[str, int], tuple[FileRef, int]] = {}
        """Pictures that were taken at a stop (of a round) of which nothing was said yet, with their instants (µs since the epoch). Lost with the process: another is taken."""

    async def plans(self) -> list["Plan"]:
        """Every plan, by code."""
        return await (await self._rows()).all()

    async def plan(self, code: str) -> "Plan":
        """One plan; ZonghengError `not_found`."""
        return await (await self._rows()).get(code)

    async def keep_plan(self, form: "PlanForm", by: str) -> None:
        """Add a plan, or change the one of its code. Raises ZonghengError `bad_request`, `busy`."""
        if not by.strip():
            raise ZonghengError("bad_request", "say who makes the plan (by): a staff number")
        rows = await self._rows()
        known = {plan.form.code: plan for plan in await rows.all()}
        if form.code not in known and len(known) >= MOST_PLANS:
            raise ZonghengError("busy", f"{MOST_PLANS} patrol plans are kept here: remove one first")
        if not form.every_days and form.code in known and known[form.code].form.every_days:
            await self._tell_duty(form.code, CELL_RELEASED, self._now(), by)
        kept = await rows.put(form, by, self._now())
        if form.every_days:
            said = [Attribute(name="every_days", integer=form.every_days)]
            if form.responsible:
                said.append(Attribute(name="responsible", text=form.responsible))
            await self._tell_duty(form.code, CELL_ASSIGNED, kept.since_us, by, said)

    async def remove_plan(self, code: str, by: str) -> None:
        """Forget a plan; its rounds stay. Raises ZonghengError `not_found`."""
        rows = await self._rows()
        plan = await rows.get(code)
        if plan.form.every_days:
            await self._tell_duty(code, CELL_RELEASED, self._now(), by)
        await rows.remove(code)

    async def begin(self, form: "PlanForm", stops: Sequence[wire.PatrolStop], by: str) -> Round:
        """Begin a round of a plan. Raises ZonghengError `bad_request` where one of it is open already, or there is nothing to walk."""
        if not by.strip():
            raise ZonghengError("bad_request", "say who walks it (by): a staff number")
        if not stops:
            raise ZonghengError(
                "bad_request", f"the halls of plan {form.code} have no camera that is known here"
            )
        if len(stops) > MOST_STOPS:
            raise ZonghengError(
                "bad_request",
                f"the halls of plan {form.code} have {len(stops)} cameras: {MOST_STOPS} at most a round",
            )
        async with self._turn:
            await self._settled()
            async with self._store.read() as session:
                serial = await session.patrols.count(self._node) + 1
                newest = await session.patrols.rounds(self._node, form.code, 1)
                known = of(await session.patrols.round(self._node, newest[0])) if newest else None
                while await session.patrols.round(self._node, f"{self._node}-P{serial:06d}"):
                    serial += 1
            if known is not None and known.ended is None:
                raise ZonghengError(
                    "bad_request",
                    f"round {known.id} of plan {form.code} is open: walk it to its end, or break it off",
                )
            begun = wire.PatrolBegun(
                round=f"{self._node}-P{serial:06d}",
                plan=form.code,
                name=form.name,
                by=by,
                stops=stops,
                items=[wire.PatrolItem(code=one.code, zh=one.zh, en=one.en or one.zh) for one in form.items],
            )
            await self._enter(begun.round, "begun", Entry(patrol_begun=begun))
            return await self._round(begun.round)

    async def check(self, said: wire.PatrolChecked) -> Round:
        """Say what was seen at a stop. Raises ZonghengError `bad_request`, `not_found`."""
        async with self._turn:
            known = await self._round(said.round)
            wrong = faults(known, said)
            if not said.by.strip():
                wrong.append("say who looked (by): a staff number")
            if wrong:
                raise ZonghengError("bad_request", "; ".join(wrong))
            said.again = known.times.get(said.stop, 0)
            await self._enter(said.round, f"stop/{said.stop}/{said.again}", Entry(patrol_checked=said))
            return await self._round(said.round)

    async def end(self, round_id: str, by: str, reason: str) -> Round:
        """End a round: complete when every stop was told of, else broken off, which takes a reason. Again changes nothing."""
        async with self._turn:
            known = await self._round(round_id)
            if known.ended is not None:
                return known
            if not by.strip():
                raise ZonghengError("bad_request", "say who ends it (by): a staff number")
            if known.left and not reason.strip():
                left = ", ".join(map(str, known.left[:10]))
                raise ZonghengError(
                    "bad_request",
                    f"stops {left} were not looked at: say why the round is broken off (reason)",
                )
            ended = wire.PatrolEnded(
                round=round_id,
                by=by,
                complete=not known.left,
                reason=reason,
                stops=len(known.told),
                unreachable=len(known.unreachable),
                not_ok=known.not_ok,
            )
            await self._enter(round_id, "ended", Entry(patrol_ended=ended))
            over = await self._round(round_id)
        for stop in over.stops:
            self.pictures.pop((round_id, stop), None)
        if ended.complete:
            await self._tell_duty(over.begun.plan, PATROLLED, over.begun_us, by, serial=round_id)
        return over

    async def round(self, round_id: str, origin: str = "") -> Round:
        """One round, of this node or of a node whose journal is held here; ZonghengError `not_found`."""
        return await self._round(round_id, origin)

    async def rounds(self, plan: str = "", limit: int = 100, origin: str = "") -> list[Round]:
        """Rounds of a plan, or of all, the newest first."""
        await self._settled()
        async with self._store.read() as session:
            ids = await session.patrols.rounds(origin or self._node, plan, limit)
            found = [of(await session.patrols.round(origin or self._node, one)) for one in ids]
        return [one for one in found if one is not None]

    async def walked_us(self, plan: str) -> int:
        """When the last complete round of a plan began (µs since the epoch); 0: none was walked to its end."""
        await self._settled()
        async with self._store.read() as session:
            for round_id in await session.patrols.rounds(self._node, plan, _LOOKED_BACK):
                known = of(await session.patrols.round(self._node, round_id))
                if known is not None and known.ended is not None and known.ended.complete:
                    return known.begun_us
        return 0

    async def _round(self, round_id: str, origin: str = "") -> Round:
        await self._settled()
        async with self._store.read() as session:
            found = of(await session.patrols.round(origin or self._node, round_id))
        if found is None:
            raise ZonghengError("not_found", f"there is no patrol round {round_id} here")
        return found

    async def _enter(self, round_id: str, serial: str, entry: Entry) -> None:
        entry.source, entry.serial = f"patrol/{round_id}", serial
        await self._write([entry])

    async def _tell_duty(
        self, plan: str, kind: str, at_us: int, by: str, said: Sequence[Attribute] = (), serial: str = ""
    ) -> None:
        """Enter it, unless it was; nothing where the tier has no duties."""
        cell = f"patrol-{plan}"
        serial = f"{cell}/{kind}/{serial or at_us}"
        async with self._store.read() as session:
            said_before = await session.journal.seen(_SOURCE, [serial])
        if said_before or not self._has_duties:
            return
        event = CaseEvent(
            case_id=f"{self._node}-{cell}",
            domain=DUTY,
            kind=kind,
            at_us=at_us,
            received_at_us=self._now(),
            agency=self._node,
            actor=by,
            attributes=[Attribute(name="cell", text=cell), *said],
        )
        submission = Submission(serial=serial, event=event)
        answer = await self._intake.submit(SubmitRequest(source=_SOURCE, submissions=[submission]))
        for rejected in answer.rejected:
            log.warning("patrol.duty_rejected", plan=plan, code=rejected.code, words=rejected.reason)

    async def _rows(self) -> "PlanRows":
        from node.models.patrol import PlanRows

        return PlanRows(await self._registry())
