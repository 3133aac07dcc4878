"""A county with two towns on real stores: what they pay, what rises, what comes down, without a network."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.intake_pb2 import Person, Submission, SubmitRequest
from zongheng.v1.matching_pb2 import LinkageTokens, MatchFound

from node.matching.rules import DOMAIN
from node.store.linkage import LinkRow
from node.store.rows import AlertRecord
from node.supervision.calendar import EPOCH_ORDINAL
from node.wallclock import instant
from tests.unit.lane_down.handing import hand_down
from tests.unit.projection.units import COUNTY, DAY, NOW, Unit

EAST, WEST = "990102001", "990102002"

Make = Callable[..., Awaitable[Unit]]

TODAY = instant(NOW).toordinal() - EPOCH_ORDINAL
"""Day number of the tests' now."""

_serial = count(1)


@dataclass
class District:
    """Nodes by their codes. `now` is everybody's clock."""

    county: Unit
    towns: list[Unit]
    now: int = NOW
    units: dict[str, Unit] = field(init=False)

    def __post_init__(self) -> None:
        self.units = {one.code: one for one in (self.county, *self.towns)}

    async def pass_on(self, looks: int = 2) -> None:
        """Everything rises, is looked at, and comes down; so often."""
        for _ in range(looks):
            for town in self.towns:
                await town.catch_up()
                await town.push_to(self.county)
            await self.county.catch_up()
            await self.county.node.matching.look()
            await self.county.catch_up()
            for town in self.towns:
                await hand_down(self.county.node, town.node)
                await town.node.matching.look()
                await town.catch_up()

    async def issue(self, purpose: str = "payee", days: tuple[int, int] = (TODAY - 200, TODAY + 100)) -> None:
        """The county issues a key, and the towns get it."""
        await self.county.node.linkage_keys.issue(purpose, *days, by="S1", reason="the matching begins")
        await self.pass_on()

    async def found(self, code: str = COUNTY) -> list[AlertRecord]:
        return [one for one in await self.units[code].alerts() if one.domain == DOMAIN]

    async def rows(self, code: str = COUNTY) -> list[LinkRow]:
        async with self.units[code].node.store.read() as session:
            return await session.linkage._of("key <> ''")

    async def evidence(self, code: str = COUNTY) -> list[MatchFound]:
        return [entry.match_found for entry in await self.units[code].entries("match_found")]

    async def tokens(self, code: str) -> list[LinkageTokens]:
        return [entry.linkage_tokens for entry in await self.units[code].entries("linkage_tokens")]


async def district(unit: Make, *codes: str) -> District:
    """The county knows its towns and has their passports."""
    made = District(await unit(COUNTY), [await unit(code) for code in codes or (EAST, WEST)])
    for town in made.towns:
        await town.push_to(made.county)
        card = town.node.passports.card()
        card.parent = COUNTY
        made.county.node.tree.learn([card])
    return made


async def handed_in(unit: Unit, *submissions: Submission) -> None:
    answer = await unit.node.intake.submit(SubmitRequest(source="desk", submissions=submissions))
    assert not answer.rejected, answer.rejected
    await unit.catch_up()


def payment(
    number: str,
    case: str = "",
    name: str = "王芳",
    programme: str = "G",
    period: str = "2026",
    at_us: int = NOW - 20 * DAY,
    amount: int = 10_000,
    **texts: str,
) -> Submission:
    """A subsidy paid to a person."""
    serial = next(_serial)
    return Submission(
        serial=str(serial),
        applicant=Person(name=name, id_number=number),
        texts=texts,
        event=CaseEvent(
            case_id=case or f"f-{serial}",
            domain="funds",
            kind="payment",
            at_us=at_us,
            received_at_us=at_us,
            agency="CZ",
            actor="S7",
            attributes=[
                Attribute(name="amount", integer=amount),
                Attribute(name="payment", integer=serial),
                *([Attribute(name="programme", text=programme)] if programme else ()),
                *([Attribute(name="period", text=period)] if period else ()),
            ],
        ),
    )


def bid(
    code: str, case: str, name: str = "公司", at_us: int = NOW - 20 * DAY, **identifiers: str
) -> Submission:
    """A bid of a company."""
    serial = next(_serial)
    machine = identifiers.pop("machine", "")
    return Submission(
        serial=str(serial),
        applicant=Person(name=name, id_number=code),
        texts=identifiers,
        event=CaseEvent(
            case_id=case,
            domain="trading",
            kind="bid",
            at_us=at_us,
            received_at_us=at_us,
            agency="JY",
            actor="S8",
            attributes=[
                Attribute(name="amount", integer=1_000),
                *([Attribute(name="machine", text=machine)] if machine else ()),
            ],
        ),
    )


def leaves_hold(entries: list[Entry], text: str) -> bool:
    """Whether a text stands anywhere in the bytes of these entries."""
    return any(text.encode() in entry.SerializeToString() for entry in entries)
