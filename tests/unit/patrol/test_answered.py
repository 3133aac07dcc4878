"""What was found at a node below goes on with the directive about it: its answers explain the alert, its end closes it."""

from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.directive_pb2 import DirectiveContent

from node.alerting.elsewhere import NODE_CASE, is_answered_elsewhere
from node.store.rows import AlertRecord
from node.supervision.alert import BY_HAND_DOMAIN
from node.supervision.levels import STATES
from node.supervision.life import Step
from node.supervision.policy import Level
from tests.unit.directives.test_desk import Line
from tests.unit.projection.units import COUNTY, DAY, VILLAGE


async def found(line: Line, case: str = f"{NODE_CASE}{VILLAGE}") -> AlertRecord:
    """Raised at the county by hand, and a directive about it on its way."""
    alert = await line.county.node.alert_desk.raise_by_hand(
        by="S1", level=Level.YELLOW, case_id=case, agency=VILLAGE, item="", actor="", subject="patrol:1:1:window",
        reason="窗口无人",
    )  # fmt: skip
    content = DirectiveContent(
        title="视频巡查", source=3, lead=VILLAGE, due_at_us=line.now + 10 * DAY, about_node=COUNTY,
        alert_id=alert.alert_id,
    )  # fmt: skip
    line.id = (await line.county.node.directives.issue(content, "窗口无人", "S1")).id
    await line.act(line.county, wire.DIRECTIVE_KIND_APPROVED, by="S2")
    await line.act(line.county, wire.DIRECTIVE_KIND_NOTIFIED, by="S2")
    await line.down()
    await line.act(line.village, wire.DIRECTIVE_KIND_SIGNED, by="V1")
    return alert


async def answered(line: Line, text: str) -> None:
    await line.act(line.village, wire.DIRECTIVE_KIND_ANSWERED, text, by="V1")
    await line.both()


async def course(line: Line, alert: AlertRecord) -> list[tuple[str, str, str]]:
    """How the alert went on, once dues were looked at: state, by whom, why."""
    await line.county.node.directives.look()
    await line.county.catch_up()
    async with line.county.node.store.read() as session:
        steps = (await session.steps.of_alerts(COUNTY, [alert.alert_id]))[alert.alert_id]
    return [(STATES[one.state], one.by_whom, one.reason) for one in steps[1:]]


async def test_the_answer_of_the_node_below_explains_the_alert_once_and_the_end_closes_it(line: Line) -> None:
    alert = await found(line)
    assert await course(line, alert) == []
    await answered(line, "已安排专人")
    explained = ("explained", f"V1@{VILLAGE}", f"{line.id} answered 1")
    assert await course(line, alert) == [explained]
    assert await course(line, alert) == [explained]
    await line.act(line.county, wire.DIRECTIVE_KIND_ACCEPTED, by="S2")
    await line.act(line.county, wire.DIRECTIVE_KIND_CLOSED, by="S2")
    assert await course(line, alert) == [explained, ("closed", f"S2@{COUNTY}", f"{line.id} closed 1")]
    assert await course(line, alert) == [explained, ("closed", f"S2@{COUNTY}", f"{line.id} closed 1")]


async def test_a_directive_that_was_answered_and_closed_between_two_looks_closes_the_alert(
    line: Line,
) -> None:
    alert = await found(line)
    await answered(line, "已安排专人")
    await line.act(line.county, wire.DIRECTIVE_KIND_ACCEPTED, by="S2")
    await line.act(line.county, wire.DIRECTIVE_KIND_CLOSED, by="S2")
    assert [state for state, _, _ in await course(line, alert)] == ["explained", "closed"]


async def test_an_alert_that_was_urged_after_its_answer_is_closed_with_the_directive(line: Line) -> None:
    alert = await found(line)
    await answered(line, "已安排专人")
    await course(line, alert)
    await line.county.node.alert_desk.take(alert.alert_id, Step.URGE, by="S1", reason="再办")
    await line.act(line.county, wire.DIRECTIVE_KIND_ACCEPTED, by="S2")
    await line.act(line.county, wire.DIRECTIVE_KIND_CLOSED, by="S2")
    assert [state for state, _, _ in await course(line, alert)] == ["explained", "urged", "closed"]


async def test_an_alert_that_was_urged_waits_for_another_answer(line: Line) -> None:
    alert = await found(line)
    await answered(line, "一")
    await course(line, alert)
    await line.act(line.county, wire.DIRECTIVE_KIND_SENT_BACK, "不够")
    await line.county.node.alert_desk.take(alert.alert_id, Step.URGE, by="S1", reason="再办")
    await line.both()
    assert [state for state, _, _ in await course(line, alert)] == ["explained", "urged"]
    await answered(line, "二")
    assert (await course(line, alert))[-1] == ("explained", f"V1@{VILLAGE}", f"{line.id} answered 2")


async def test_an_alert_of_an_agency_is_answered_by_the_agency_whatever_a_directive_says(line: Line) -> None:
    alert = await found(line, "agency/MZ")
    await answered(line, "已办")
    assert await course(line, alert) == []


def test_nobody_here_owes_a_reply_to_what_was_found_below() -> None:
    assert is_answered_elsewhere(BY_HAND_DOMAIN, "hand.finding", f"{NODE_CASE}{VILLAGE}")
    assert not is_answered_elsewhere(BY_HAND_DOMAIN, "hand.finding", "agency/MZ")
