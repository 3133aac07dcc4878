"""Directives through three tiers on real stores: down hop by hop, up to the issuer, alerts at both ends."""

from collections.abc import Awaitable, Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.directive_pb2 import DirectiveContent, DirectiveStep
from zongheng.v1.down_pb2 import DescendResponse
from zongheng.v1.entry_pb2 import ALERT_STATE_CORRECTED, Entry

from federation.errors import ZonghengError
from federation.link.descent import Came, Keep, Linked, Pin, Stored
from federation.link.down_lane import begun
from node.alerting.acted import _directives
from node.directives.desk import Act
from node.directives.state import Stage
from node.directives.words import SealedWords
from tests.unit.projection.units import COUNTY, DAY, NOW, TOWN, VILLAGE, Unit

Make = Callable[..., Awaitable[Unit]]

ANSWERED, ACCEPTED, SENT_BACK = (
    wire.DIRECTIVE_KIND_ANSWERED,
    wire.DIRECTIVE_KIND_ACCEPTED,
    wire.DIRECTIVE_KIND_SENT_BACK,
)


class Line:
    """County, town and village, with one clock."""

    def __init__(self, county: Unit, town: Unit, village: Unit) -> None:
        self.county, self.town, self.village = self.units = (county, town, village)
        self.now = NOW
        keys = {one.code: X25519PrivateKey.generate() for one in self.units}
        for one in self.units:
            own = keys[one.code]
            one.node.directives._words = SealedWords(
                lambda node: keys[node].public_key().public_bytes_raw() if node in keys else None,
                lambda own=own: own,
            )
            one.node.now = one.node.directives._now = one.node.raising._now = lambda: self.now

    async def up(self) -> None:
        for child, parent in ((self.village, self.town), (self.town, self.county)):
            await child.catch_up()
            await child.push_to(parent)
            await parent.catch_up()

    async def down(self, *, only: int = 2) -> None:
        for parent, child in ((self.county, self.town), (self.town, self.village))[:only]:
            await descend(parent, child)

    async def both(self) -> None:
        await self.up()
        await self.down()
        await self.up()

    async def act(self, unit: Unit, kind: int, text: str = "", by: str = "S1", due: int = 0) -> Stage:
        return (await unit.node.directives.take(self.id, Act(kind, by, text, "", due))).stage

    async def issue(self, lead: str = VILLAGE, *assisting: str, days: int = 10) -> None:
        content = DirectiveContent(
            title="清理积压", source=3, lead=lead, assisting=assisting, due_at_us=self.now + days * DAY
        )
        self.id = (await self.county.node.directives.issue(content, "十日内清理积压办件", "S1")).id
        await self.act(self.county, wire.DIRECTIVE_KIND_APPROVED, by="S2")
        await self.act(self.county, wire.DIRECTIVE_KIND_NOTIFIED, by="S2")

    async def stages(self) -> list[str]:
        return [(await one.node.directives.directive(self.id)).stage for one in self.units]

    async def levels(self, unit: Unit) -> set[tuple[str, int]]:
        await unit.node.directives.look()
        alerts = [one for one in await unit.alerts() if one.domain == "directive"]
        return {(one.rule, one.level) for one in alerts if one.state != ALERT_STATE_CORRECTED}


async def descend(parent: Unit, child: Unit) -> None:
    """One link down, as the lane does it."""
    end = child.node.from_above
    members = {child.code, *child.node.tree.nodes()}
    descent = await begun(end)
    descent.handle(Linked())
    message = DescendResponse(above=await parent.node.addressed.above())
    for _ in range(100):
        for command in descent.handle(Came(message)):
            if isinstance(command, Pin):
                await end.pin(command.above)
            elif isinstance(command, Keep):
                await end.keep(command)
                descent.handle(Stored())
            else:
                raise AssertionError(command)
        batch = await parent.node.addressed.batch(members, descent.position, descent.kept.size, 1 << 20)
        if descent.position >= batch.size:
            return
        message = batch.message
    raise AssertionError("the lane does not end")


@pytest.fixture
async def line(unit: Make) -> Line:
    made = Line(await unit(COUNTY), await unit(TOWN), await unit(VILLAGE))
    await made.up()
    return made


async def test_a_directive_goes_down_two_tiers_and_its_answer_comes_back(line: Line) -> None:
    await line.issue()
    await line.down()
    assert await line.stages() == ["notified"] * 3
    known = await line.village.node.directives.directive(line.id)
    notice = known.whole[wire.DIRECTIVE_KIND_NOTIFIED, 1]
    assert await line.village.node.directives.text(notice.text) == "十日内清理积压办件"
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    await line.act(line.village, wire.DIRECTIVE_KIND_HANDLED, "分派到人", by="V1")
    await line.act(line.village, ANSWERED, "已清理完毕", by="V1")
    await line.both()
    assert await line.stages() == ["answered"] * 3
    answer = (await line.county.node.directives.directive(line.id)).handlers[VILLAGE].answered
    assert answer is not None
    assert await line.county.node.directives.text(answer.text) == "已清理完毕"
    await line.act(line.county, SENT_BACK, "附上清单")
    await line.both()
    await line.act(line.village, ANSWERED, "清单如下", by="V1")
    await line.both()
    await line.act(line.county, ACCEPTED)
    assert await line.act(line.county, wire.DIRECTIVE_KIND_CLOSED) == "closed"
    await line.both()
    assert await line.stages() == ["closed"] * 3


async def test_what_is_said_can_be_read_at_its_two_ends_and_nowhere_between(line: Line) -> None:
    await line.issue()
    await line.down()
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    await line.act(line.village, ANSWERED, "只给县里看", by="V1")
    await line.both()
    for unit in line.units:
        async with unit.node.store.read() as session:
            leaves = await session.journal.leaves(unit.code, 0, 10_000)
        assert not any(text.encode() in leaf for leaf in leaves for text in ("只给县里看", "十日内清理"))
    known = await line.town.node.directives.directive(line.id)
    answer = known.handlers[VILLAGE].answered
    assert answer is not None
    assert await line.town.node.directives.text(answer.text) is None
    assert await line.stages() == ["answered"] * 3
    assert await line.county.node.directives.text(answer.text) == "只给县里看"


async def test_words_for_a_node_whose_key_is_not_known_do_not_leave(line: Line) -> None:
    content = DirectiveContent(title="t", source=2, lead=VILLAGE, due_at_us=line.now + DAY)
    line.id = (await line.county.node.directives.issue(content, "x", "S1")).id
    await line.act(line.county, wire.DIRECTIVE_KIND_APPROVED, by="S2")
    line.county.node.directives._words = SealedWords(lambda node: None, X25519PrivateKey.generate)
    size = line.county.node.writer.size
    with pytest.raises(ZonghengError, match="passport"):
        await line.act(line.county, wire.DIRECTIVE_KIND_NOTIFIED, by="S2")
    assert line.county.node.writer.size == size


async def test_steps_rise_to_the_issuer_and_no_further(line: Line) -> None:
    content = DirectiveContent(title="t", source=1, lead=VILLAGE, due_at_us=line.now + DAY)
    line.id = (await line.town.node.directives.issue(content, "x", "S1")).id
    await line.act(line.town, wire.DIRECTIVE_KIND_APPROVED, by="S2")
    await line.act(line.town, wire.DIRECTIVE_KIND_NOTIFIED, by="S2")
    await line.down()
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    await line.both()
    assert (await line.town.node.directives.directive(line.id)).stage == "signed"
    assert [one for one in await line.county.entries("forwarded")] == []
    with pytest.raises(ZonghengError, match="no directive"):
        await line.county.node.directives.directive(line.id)


async def test_what_was_done_while_the_other_end_was_away_comes_together(line: Line) -> None:
    await line.issue(VILLAGE, TOWN)
    await line.down(only=1)
    await line.act(line.town, wire.DIRECTIVE_KIND_SIGNED, by="T1")
    await line.act(line.county, wire.DIRECTIVE_KIND_REMINDED, "请抓紧")
    # The village hears of it only now, when the reminder is out too.
    await line.both()
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    await line.act(line.county, wire.DIRECTIVE_KIND_WITHDRAWN, "事项已了结")
    await line.act(line.village, ANSWERED, "已办", by="V1")
    await line.both()
    assert await line.stages() == ["withdrawn"] * 3
    with pytest.raises(ZonghengError, match="withdrawn already"):
        await line.act(line.village, wire.DIRECTIVE_KIND_HANDLED, "x", by="V1")


async def test_saying_it_again_changes_nothing_and_two_at_once_are_one(line: Line) -> None:
    import asyncio

    await line.issue()
    await line.down()
    size = line.village.node.writer.size
    acts = [line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by=f"V{n}") for n in range(5)]
    assert set(await asyncio.gather(*acts)) == {"signed"}
    assert line.village.node.writer.size == size + 1
    answers = [line.act(line.village, ANSWERED, f"answer {n}", by="V1") for n in range(3)]
    outcomes = await asyncio.gather(*answers, return_exceptions=True)
    assert [isinstance(one, ZonghengError) for one in outcomes].count(False) == 1


async def test_near_due_is_blue_and_overdue_is_red_at_both_ends(line: Line) -> None:
    await line.issue(days=10)
    await line.down()
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    await line.both()
    assert await line.levels(line.county) == await line.levels(line.village) == set()
    line.now += 9 * DAY
    assert await line.levels(line.county) == await line.levels(line.village) == {("directive.due", 1)}
    assert await line.levels(line.town) == set()
    await line.act(line.village, wire.DIRECTIVE_KIND_EXTENSION_ASKED, "下雨", "V1", line.now + 20 * DAY)
    await line.both()
    await line.act(line.county, wire.DIRECTIVE_KIND_EXTENSION_GRANTED)
    await line.both()
    assert await line.levels(line.county) == await line.levels(line.village) == set()
    line.now += 25 * DAY
    late = {("directive.due", 1), ("directive.due", 3)}
    assert await line.levels(line.county) == await line.levels(line.village) == late
    with pytest.raises(ZonghengError, match="before the due"):
        await line.act(line.village, wire.DIRECTIVE_KIND_EXTENSION_ASKED, "x", "V1", line.now + DAY)
    # An answer stops the clock; that it came too late stays.
    await line.act(line.village, ANSWERED, "已办", by="V1")
    await line.both()
    await line.act(line.county, ACCEPTED)
    await line.act(line.county, wire.DIRECTIVE_KIND_CLOSED)
    await line.both()
    line.now += 30 * DAY
    assert await line.levels(line.county) == await line.levels(line.village) == late


async def test_unsigned_and_sent_back_are_yellow(line: Line) -> None:
    await line.issue(days=60)
    line.now += 6 * DAY
    assert await line.levels(line.county) == {("directive.unsigned", 2)}
    await line.down()
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    await line.act(line.village, ANSWERED, "好", by="V1")
    await line.both()
    await line.act(line.county, SENT_BACK, "空话")
    await line.both()
    assert ("directive.poor", 2) in await line.levels(line.county)
    assert ("directive.poor", 2) in await line.levels(line.village)


async def test_an_answer_that_nobody_reviews_is_found_at_the_issuer_alone_and_rises_in_the_end(
    line: Line,
) -> None:
    await line.issue(days=60)
    await line.down()
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    await line.act(line.village, ANSWERED, "好", by="V1")
    await line.both()
    assert await line.levels(line.county) == set()
    line.now += 7 * DAY
    late = {("directive.unreviewed", 2)}
    assert await line.levels(line.county) == late
    assert await line.levels(line.village) == set()
    line.now += 10 * DAY
    late |= {("directive.unreviewed", 3)}
    assert await line.levels(line.county) == late
    # A review that came too late stays found; the answer after it has its own days.
    await line.act(line.county, SENT_BACK, "空话")
    await line.both()
    await line.act(line.village, ANSWERED, "清单", by="V1")
    await line.both()
    await line.act(line.county, ACCEPTED)
    assert await line.levels(line.county) == {*late, ("directive.poor", 2)}
    times = [one async for one in _directives(line.county.node)]
    reviews = [one.late(line.now) for one in times if one.duty == "directive_review"]
    assert reviews == [True, False]


async def test_nobody_speaks_for_a_handler(line: Line) -> None:
    await line.issue()
    await line.down()
    forged = DirectiveStep(
        directive=line.id,
        kind=ANSWERED,
        issuer=COUNTY,
        node=VILLAGE,
        handler=VILLAGE,
        number=1,
        by="T1",
        at_us=1,
    )
    own = DirectiveStep(
        directive=line.id,
        kind=ACCEPTED,
        issuer=COUNTY,
        node=TOWN,
        handler=VILLAGE,
        number=1,
        answers=1,
        by="T1",
    )
    await line.town.told(Entry(directive_step=forged), Entry(directive_step=own))
    await line.both()
    known = await line.county.node.directives.directive(line.id)
    assert known.handlers[VILLAGE].answered is None
    assert known.stage is Stage.NOTIFIED


async def test_a_rebuild_gives_the_same(line: Line) -> None:
    await line.issue()
    await line.down()
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    await line.both()
    for one in line.units:
        await one.node.projector.rebuild()
    assert await line.stages() == ["signed"] * 3


async def test_what_nobody_may_ask_is_refused(line: Line) -> None:
    content = DirectiveContent(title="", source=0, lead="nobody", due_at_us=1)
    with pytest.raises(ZonghengError) as told:
        await line.county.node.directives.issue(content, "", "S1")
    for word in ("title", "text", "behalf", "due", "nobody"):
        assert word in told.value.detail
