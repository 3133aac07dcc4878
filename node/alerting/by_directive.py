"""What a person found at a node below is answered by the directive about it: its answer explains the alert, its end closes it.

The alert is the finder's, in the finder's journal; the node below has the directive, and its steps rise to here. So the alert's life goes on by itself with what is done about it, each step naming whose step of the
directive it follows. Every look at an open directive says it again, and what was taken is not taken twice: killed anywhere, the next look takes it.
"""

from typing import Final

import structlog
from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.directive_pb2 import DirectiveStep

from federation.errors import ZonghengError
from node.alerting.desk import AlertDesk
from node.alerting.elsewhere import NODE_CASE
from node.directives.state import Directive
from node.store.rows import AlertRecord
from node.store.store import Store
from node.supervision.alert import BY_HAND_DOMAIN
from node.supervision.life import CLOSED, EXPLAINED, ISSUED, RECTIFIED, UPHELD, URGED, Step

_UNANSWERED: Final = frozenset({ISSUED, URGED, UPHELD})
_OPEN: Final = _UNANSWERED | {EXPLAINED, RECTIFIED}

log = structlog.get_logger(__name__)


class ByDirective:
    """Takes the steps of one node's alerts that follow from its directives."""

    def __init__(self, store: Store, desk: AlertDesk, own: str) -> None:
        self._store = store
        self._desk = desk
        self._own = own

    async def look(self, directive: Directive) -> None:
        """Take what follows from a directive as it is now, about an alert that was raised here by hand about a node below; nothing for any other."""
        content = directive.content
        if (
            directive.issuer != self._own
            or content is None
            or content.about_node != self._own
            or not content.alert_id
        ):
            return
        lead = directive.handlers.get(content.lead)
        answer = None if lead is None else lead.answered
        closed = directive.whole.get((wire.DIRECTIVE_KIND_CLOSED, 1))
        if answer is None and closed is None:
            return
        async with self._store.read() as session:
            alert = await session.alerts.get(self._own, content.alert_id)
            steps = (await session.steps.of_alerts(self._own, [content.alert_id])).get(content.alert_id, [])
        if alert is None or alert.domain != BY_HAND_DOMAIN or not alert.case_id.startswith(NODE_CASE):
            return
        told = {step.reason for step in steps if step.state in (EXPLAINED, CLOSED)}
        # One after the other in one look: a directive that is over is looked at once more and never again.
        if answer is not None and alert.state in _UNANSWERED:
            await self._take(alert, Step.EXPLAIN, answer, told)
        if closed is not None and alert.state in _OPEN:
            await self._take(alert, Step.CLOSE, closed, told)

    async def _take(self, alert: AlertRecord, step: Step, by: DirectiveStep, told: set[str]) -> None:
        kind = wire.DirectiveKind.Name(by.kind).removeprefix("DIRECTIVE_KIND_").lower()
        reason = f"{by.directive} {kind} {by.number}"
        if reason in told:
            return
        try:
            await self._desk.take(alert.alert_id, step, by=f"{by.by}@{by.node}", reason=reason)
        except ZonghengError as refused:
            log.warning(
                "alert.not_moved", alert=alert.alert_id, step=step, code=refused.code, words=refused.detail
            )
