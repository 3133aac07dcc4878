"""An alert explained: its rule in words and on what ground, and, for one about a child or of matching, everything that led to it."""

from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.matching_pb2 import MatchFound
from zongheng.v1.standing_pb2 import ChildMeasured, MeasuredFigure

from federation.errors import ZonghengError
from node.alerting.concerns import concerns
from node.directives import rules as directives
from node.matching import rules as matching
from node.matching.words import ROLES
from node.models.messages import risk_word
from node.people.caller import Caller
from node.projection.context import JournalContext
from node.resupervision import rules as resupervision
from node.resupervision.inspection import rule_of
from node.resupervision.words import DAYS, FIGURES
from node.store.rows import AlertRecord
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.concern import Concern
from node.supervision.policy import Rule
from node.views.alerts import AlertView, view
from node.views.message import message
from node.views.present import time_text
from node.views.sight import seen_by
from tiers.profile import profile_of
from tiers.tier import tier_named

if TYPE_CHECKING:
    from node.run import Node


class FigureView(BaseModel):
    name: str
    words: str
    """Chinese."""
    words_en: str
    value: int | str | None
    """Instants are ISO 8601, days ISO dates."""


class RiskView(BaseModel):
    """A risk point (廉政风险点) of the step."""

    level: str
    """high, middle or low."""
    risk: str
    measure: str
    """What is done about it."""
    post: str
    """Which post answers for that."""


class ConcernView(BaseModel):
    """The step that an alert is about, as its case's version of the item has it."""

    step: str
    step_name: str
    version: int
    """Of the item."""
    post: str
    """The responsible post (责任岗位)."""
    post_name: str
    holders: list[str]
    """Staff numbers of who held it when the finding began to hold."""
    risks: list[RiskView]


class ExplanationView(BaseModel):
    alert: AlertView
    message_en: str
    name: str
    """The rule's name, Chinese."""
    name_en: str
    legal_basis: str
    measure: int | None
    """What the rule measured; null: an alert of a case, see ``zongheng case CASE --explain``."""
    at_least: int | None
    """The threshold that it reached."""
    figures: list[FigureView]
    index: int | None
    """The entry that keeps these numbers."""
    concern: ConcernView | None
    """The step that it is about; null: it is about none, or nothing is known of it."""


async def explain(node: "Node", caller: Caller, alert_id: str) -> ExplanationView:
    """Explain one alert of this node. ``ZonghengError`` where there is none that the caller sees."""
    own, zone = node.settings.node, node.settings.zone
    await node.projector.settled()
    seen = await seen_by(node, caller)
    async with node.store.read() as session:
        alert = await session.alerts.get(own, alert_id)
        if alert is None or (seen is not None and alert.agency not in seen):
            raise ZonghengError("not_found", f"there is no alert {alert_id} here: see `zongheng alerts`")
        source = "matched" if alert.domain == matching.DOMAIN else "measured"
        index = (await session.journal.seen(source, [alert_id])).get(alert_id)
        leaf = None if index is None else await session.journal.leaf(own, index)
        concerned = await concerns(session, await node.contexts.of(own), [alert])
    entry = None if leaf is None else Entry.FromString(leaf)
    if entry is not None and entry.HasField("match_found"):
        return _matched(node, alert, entry.match_found, index)
    measured = None if entry is None else entry.child_measured
    rule = _rule(await node.contexts.of(own), node.settings.tier, alert)
    return ExplanationView(
        alert=view(alert, zone),
        message_en=message(alert, zone, "en"),
        name=rule.words.name_zh if rule else alert.rule,
        name_en=rule.words.name_en if rule else alert.rule,
        legal_basis=rule.legal_basis if rule else "",
        measure=measured.measure if measured else None,
        at_least=measured.at_least if measured else None,
        figures=_figures(measured, zone) if measured else [],
        index=index,
        concern=concern_view(concerned.get(alert_id)),
    )


def concern_view(concern: Concern | None) -> ConcernView | None:
    """How it is shown."""
    if concern is None:
        return None
    step, post = concern.step, concern.post
    return ConcernView(
        step=step.code,
        step_name=step.name,
        version=concern.version,
        post=step.post,
        post_name="" if post is None else post.name,
        holders=list(concern.holders),
        risks=[
            RiskView(
                level=risk_word(one.level), risk=one.risk, measure=one.measure, post=one.post or step.post
            )
            for one in step.risks
        ],
    )


def _matched(node: "Node", alert: AlertRecord, found: MatchFound, index: int | None) -> ExplanationView:
    """An alert of the matching: each half is a figure."""
    zone, rule = node.settings.zone, matching.BY_CODE.get(alert.rule)
    return ExplanationView(
        alert=view(alert, zone),
        message_en=message(alert, zone, "en"),
        name=rule.words.name_zh if rule else alert.rule,
        name_en=rule.words.name_en if rule else alert.rule,
        legal_basis=rule.legal_basis if rule else "",
        measure=found.measure,
        at_least=found.at_least or None,
        figures=[
            FigureView(
                name=half.role or "node",
                words=ROLES.get(half.role, ("其他节点", "another node"))[0],
                words_en=ROLES.get(half.role, ("其他节点", "another node"))[1],
                value=" ".join(
                    filter(None, (half.node, half.case_id, half.group, time_text(half.at_us, zone)))
                ),
            )
            for half in found.halves
        ],
        index=index,
        concern=None,
    )


def _rule(context: JournalContext, tier: str, alert: AlertRecord) -> Rule | None:
    if alert.domain == directives.DOMAIN:
        return directives.BY_CODE.get(alert.rule)
    if alert.domain == matching.DOMAIN:
        return matching.BY_CODE.get(alert.rule)
    if alert.domain != resupervision.DOMAIN:
        return rule_of(context, alert.rule)
    held_to = profile_of(tier_named(tier)).resupervision
    known = resupervision.rules_of(held_to) if held_to else ()
    return next((rule for rule in known if rule.code == alert.rule), None)


def _figures(measured: ChildMeasured, zone: str) -> list[FigureView]:
    return [
        FigureView(
            name=figure.name,
            words=FIGURES.get(figure.name, (figure.name, ""))[0],
            words_en=FIGURES.get(figure.name, ("", figure.name))[1],
            value=_value(figure, zone),
        )
        for figure in measured.figures
    ]


def _value(figure: MeasuredFigure, zone: str) -> int | str | None:
    match figure.WhichOneof("value"):
        case "text":
            return figure.text
        case "at_us":
            return time_text(figure.at_us, zone)
        case _ if figure.name in DAYS:
            return date.fromordinal(figure.number + EPOCH_ORDINAL).isoformat()
        case _:
            return figure.number
