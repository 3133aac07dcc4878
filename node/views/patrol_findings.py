"""What a video patrol found, raised: an alert by hand with the picture as its file, and what became of it.

About a hall of this node it is the agency's to answer, like any other. About a node below it is this node's alert, and a directive about it goes down: what the node below answers explains the
alert, what ends the directive closes it (`node.alerting.by_directive`).
"""

from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1 import directive_pb2
from zongheng.v1.directive_pb2 import DirectiveContent

from federation.errors import ZonghengError
from federation.trunk.frame import Stream
from node.alerting.elsewhere import NODE_CASE
from node.directives.desk import TITLE_MOST
from node.patrol.round import Round, Told
from node.people.caller import Caller
from node.people.roles import Act
from node.supervision.levels import LEVELS, STATES
from node.supervision.policy import Level
from node.views.directives import approve
from node.views.present import level_number, time_text, time_us
from node.views.sight import must_see

if TYPE_CHECKING:
    from node.run import Node

_DUE_US: Final = 7 * 86_400_000_000
"""How long a directive about a finding gives, where nothing else is said."""


class FindingForm(BaseModel):
    """What was not in order, raised."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    item: str
    level: Literal["notice", "yellow", "red"]
    reason: str = Field(min_length=1, max_length=1_000)
    text: str = Field(default="", max_length=8_000)
    """In full; of a node below, sealed to it with the directive."""
    due: str = ""
    """By when the node below is to answer, ISO 8601; empty: in seven days."""
    approved_by: str = ""
    """Approves the directive at once and sends it out; somebody else than ``by``."""


class FindingView(BaseModel):
    """An alert that was raised of a stop."""

    alert: str
    item: str
    level: str
    state: str
    directive: str
    """The directive about it to the node below; empty: it is about this node's own hall."""
    stage: str
    """How far the directive has come."""


async def find(node: "Node", caller: Caller, round_id: str, stop: int, form: FindingForm) -> FindingView:
    """Raise what was not in order at a stop: an alert with the picture, and a directive about it where the hall is a node's below.

    Killed between the two, the same again issues the directive about the alert that stands. One after the other: two who raise the same at once make one directive.
    """
    async with node.patrols.raising:
        return await _find(node, caller, round_id, stop, form)


async def _find(node: "Node", caller: Caller, round_id: str, stop: int, form: FindingForm) -> FindingView:
    known = await node.patrols.round(round_id)
    must_see_round(caller, known)
    told = known.told.get(stop)
    if told is None or form.item not in told.not_ok:
        raise ZonghengError(
            "bad_request",
            f"nothing at stop {stop} of {round_id} was not in order under {form.item!r}: say so first",
        )
    of = Stream.parse(known.stops[stop].stream)
    by = caller.signing(form.by) or caller.who
    below = of.node != node.settings.node
    if below:
        agency, case = of.node, f"{NODE_CASE}{of.node}"
        approver, due_us = _signed(node, caller, form, by)
    else:
        agency = (await node.cameras.get(of.camera)).agency or node.settings.node
        await must_see(node, caller, agency, f"agency {agency}")
        case, approver, due_us = f"agency/{agency}", "", 0
    standing = [
        one.alert
        for one in (await findings_of(node, known)).get(stop, [])
        if below and one.item == form.item and not one.directive
    ]
    if standing:
        alert = standing[0]
    else:
        raised = await node.alert_desk.raise_by_hand(
            by=by,
            level=Level(level_number(form.level)),
            case_id=case,
            agency=agency,
            item="",
            actor="",
            subject=_subject(round_id, stop, form.item),
            reason=form.reason,
            text=form.text,
            files=[told.said.picture],
        )
        alert = raised.alert_id
    if below:
        content, text = _asked(node, known, stop, told, form, alert, due_us)
        issued = await node.directives.issue(content, text, by)
        if approver:
            await approve(node, issued.id, approver)
    await node.projector.settled()
    return next(one for one in (await findings_of(node, known)).get(stop, []) if one.alert == alert)


def _signed(node: "Node", caller: Caller, form: FindingForm, by: str) -> tuple[str, int]:
    """Who approves the directive at once (empty: nobody), and when it is due. Raises ZonghengError before anything was raised."""
    if not (caller.is_operator or caller.may(Act.URGE)):
        raise ZonghengError("forbidden", f"the roles of {caller.who} do not allow directives to nodes below")
    # Over the network nobody signs for somebody else.
    approver = (
        form.approved_by if caller.is_operator or not form.approved_by else caller.signing(form.approved_by)
    )
    if approver == by:
        raise ZonghengError("bad_request", "somebody else than who found it approves the directive")
    due_us = time_us(form.due, node.settings.zone) if form.due else node.now() + _DUE_US
    if due_us <= node.now():
        raise ZonghengError("bad_request", "give a due that is to come")
    return approver, due_us


def _asked(
    node: "Node", known: Round, stop: int, told: Told, form: FindingForm, alert: str, due_us: int
) -> tuple[DirectiveContent, str]:
    """What the directive about a finding asks, and its words."""
    place = known.stops[stop]
    item = next(one for one in known.begun.items if one.code == form.item)
    remark = next(mark.remark for mark in told.said.marks if mark.item == form.item)
    taken = time_text(told.said.taken_at_us, node.settings.zone)
    lines = (
        f"{item.zh}：{form.reason}",
        f"{item.en}: {form.reason}" if item.en != item.zh else "",
        remark if remark != form.reason else "",
        form.text,
        f"{place.stream} {taken} SHA-256 {told.said.picture.sha256}",
    )
    hall = " · ".join(part for part in (place.node_name, place.hall, place.camera_name) if part)
    content = DirectiveContent(
        title=f"视频巡查：{hall}：{item.zh}"[:TITLE_MOST],
        source=directive_pb2.DIRECTIVE_SOURCE_BUREAU,
        lead=Stream.parse(place.stream).node,
        due_at_us=due_us,
        about_node=node.settings.node,
        alert_id=alert,
    )
    return content, "\n".join(line for line in lines if line)


async def findings_of(node: "Node", known: Round) -> dict[int, list[FindingView]]:
    """Stop → what was raised of it."""
    origin = origin_of(known.id)
    prefix = f"patrol:{known.id}:"
    cases = set()
    for place in known.begun.stops:
        of = place.stream.partition("/")[0]
        cases.add(f"{NODE_CASE}{of}")
    if (
        any(place.stream.startswith(f"{origin}/") for place in known.begun.stops)
        and origin == node.settings.node
    ):
        cases |= {f"agency/{form.agency or origin}" for form in await node.cameras.all()}
    async with node.store.read() as session:
        alerts = await session.alerts.of_cases(origin, sorted(cases))
    mine = [alert for alert in alerts if alert.subject.startswith(prefix)]
    directives = await _about(node, {alert.alert_id for alert in mine}) if mine else {}
    found: dict[int, list[FindingView]] = {}
    for alert in mine:
        stop, _, item = alert.subject.removeprefix(prefix).partition(":")
        if not stop.isdecimal():
            continue  # somebody else's journal says what it likes
        directive, stage = directives.get(alert.alert_id, ("", ""))
        found.setdefault(int(stop), []).append(
            FindingView(
                alert=alert.alert_id,
                item=item,
                level=LEVELS[alert.level],
                state=STATES[alert.state],
                directive=directive,
                stage=stage,
            )
        )
    return found


async def _about(node: "Node", alerts: set[str]) -> dict[str, tuple[str, str]]:
    """Alert → the directive about it and its stage."""
    found, after = {}, ""
    while page := await node.directives.directives(after, 500):
        for one in page:
            if one.content is not None and one.content.alert_id in alerts:
                found[one.content.alert_id] = one.id, str(one.stage_at(node.settings.node))
        after = page[-1].id
    return found


def _subject(round_id: str, stop: int, item: str) -> str:
    return f"patrol:{round_id}:{stop}:{item}"


def may_see_round(caller: Caller, known: Round) -> bool:
    """Who sees an agency alone sees the rounds they walked."""
    return not caller.bound or known.begun.by == caller.who


def must_see_round(caller: Caller, known: Round) -> None:
    """``not_found`` unless the round is there for the caller."""
    if not may_see_round(caller, known):
        raise ZonghengError("not_found", f"there is no patrol round {known.id} here")


def origin_of(round_id: str) -> str:
    """Whose round it is."""
    return round_id.rpartition("-P")[0]
