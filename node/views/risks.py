"""The risk points (廉政风险点) of the items in force, each with what was found at its step in a period."""

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import BaseModel

from federation.errors import ZonghengError
from node.alerting.concerns import concerns, local_day, posts
from node.models.messages import risk_word
from node.people.caller import Caller
from node.store.alerts import AlertFilter
from node.store.rows import AlertRecord
from node.supervision.concern import held_on
from node.supervision.levels import LEVELS, STATES
from node.views.item_versions import CHANGED, Versions
from node.views.present import time_text
from node.views.sight import seen_by

if TYPE_CHECKING:
    from node.run import Node

RISKS = ("high", "middle", "low")
_PAGE = 5_000
_NOT_HELD = ("cancelled", "corrected")


class RiskLine(BaseModel):
    """One risk point."""

    item: str
    version: int
    agency: str
    domain: str
    step: str
    step_name: str
    level: str
    """high, middle or low."""
    risk: str
    measure: str
    post: str
    post_name: str
    holders: list[str]
    """Who holds the post now."""
    findings: int
    """Alerts about the step in the period, whatever version their cases are under; cancelled and corrected ones left out."""
    levels: dict[str, int]
    """The same by the alert's level."""


class RisksView(BaseModel):
    """All of them, those with most findings first."""

    since: str | None
    until: str | None
    findings: dict[str, int]
    """Level of risk → alerts about steps that have such a risk point; an alert counts once, under the highest."""
    risks: list[RiskLine]


async def risks(node: "Node", caller: Caller, level: str, since_us: int, until_us: int) -> RisksView:
    """The risk points that the caller sees; ``level`` narrows. Alerts count by the instant since which they hold."""
    if level and level not in RISKS:
        raise ZonghengError("bad_request", f"there is no risk level {level!r}: {', '.join(RISKS)}")
    await node.projector.settled()
    own, zone = node.settings.node, node.settings.zone
    seen = await seen_by(node, caller)
    context = await node.contexts.of(own)
    narrow = AlertFilter(agencies=seen, since_from_us=since_us or None, since_to_us=until_us or None)
    found: dict[tuple[str, str], list[AlertRecord]] = {}
    async with node.store.read() as session:
        in_force = [
            one.item
            for one in (await Versions.read(session, own)).shown
            if one.published and one.state != CHANGED and (seen is None or one.item.agency in seen)
        ]
        known = await posts(session, own)
        after = -1
        while page := await session.alerts.page(own, narrow, _PAGE, after):
            about = await concerns(session, context, page)
            for one in page:
                if one.alert_id in about and STATES[one.state] not in _NOT_HELD:
                    found.setdefault((one.item, about[one.alert_id].step.code), []).append(one)
            after = page[-1].idx
    today = local_day(node.now(), context.zone)
    lines: list[RiskLine] = []
    totals: Counter[str] = Counter()
    for item in in_force:
        for step in item.steps:
            alerts = found.get((item.code, step.code), [])
            if step.risks:
                totals[risk_word(min(one.level for one in step.risks))] += len(alerts)
            for point in step.risks:
                code = point.post or step.post
                post = known.get(code)
                lines.append(
                    RiskLine(
                        item=item.code,
                        version=item.version,
                        agency=item.agency,
                        domain=item.domain,
                        step=step.code,
                        step_name=step.name,
                        level=risk_word(point.level),
                        risk=point.risk,
                        measure=point.measure,
                        post=code,
                        post_name="" if post is None else post.name,
                        holders=[] if post is None else list(held_on(post, today)),
                        findings=len(alerts),
                        levels=dict(Counter(LEVELS[alert.level] for alert in alerts)),
                    )
                )
    shown = [one for one in lines if not level or one.level == level]
    shown.sort(key=lambda one: (-one.findings, RISKS.index(one.level), one.item, one.step))
    return RisksView(
        since=time_text(since_us, zone),
        until=time_text(until_us, zone),
        findings={name: totals[name] for name in RISKS},
        risks=shown,
    )
