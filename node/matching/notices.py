"""A match told to the nodes that have a half of it, and what becomes of it there.

The node that found it appends a notice for each of them once its alert is issued (a card that nobody confirmed yet touches nobody), and another
when it holds no more. It says which of the addressed node's own cases it is about, and which other nodes have halves; not their cases, nor whose
they are. The addressed node makes an alert of its own out of it, so that the agency explains its half as it answers any alert, and that
answer rises with the journal. Receipts of notices are in the journal of who got them.
"""

from collections.abc import Sequence
from typing import Final

import structlog
from zongheng.v1.catalogue_pb2 import Level as WireLevel
from zongheng.v1.entry_pb2 import ALERT_STATE_PENDING, AlertRaised, Entry
from zongheng.v1.matching_pb2 import MatchFound, MatchHalf, MatchNotice

from federation.errors import ZonghengError
from node.lane_down import AddressedEntries
from node.matching.rules import BY_CODE, DOMAIN, NOTICE
from node.projection.context import Contexts
from node.projection.raising import Raising
from node.store.alerts import INACTIVE, AlertFilter
from node.store.drafts import Draft
from node.store.rows import AlertRecord
from node.store.store import Store
from node.store.writer import JournalWriter
from node.supervision.alert import AsOf
from node.supervision.finding import Finding
from node.supervision.policy import Level
from node.wallclock import Now

log = structlog.get_logger()

SOURCE: Final = "match-notice"

_PAGE: Final = 500


class Notices:
    """Sends a node's notices, and takes those from above."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        contexts: Contexts,
        raising: Raising,
        addressed: AddressedEntries,
        now: Now,
    ) -> None:
        self._store = store
        self._writer = writer
        self._contexts = contexts
        self._raising = raising
        self._addressed = addressed
        self._now = now
        self._own = writer.node
        self._told: set[tuple[str, bool]] = set()
        """(alert, whether its end) that every node concerned was told of."""
        self._told_at = -1

    async def tell(self) -> None:
        """Tell what was issued, and what holds no more, to who has not been told."""
        size = self._writer.size
        if size == self._told_at:
            return
        after = -1
        while True:
            async with self._store.read() as session:
                page = await session.alerts.page(self._own, AlertFilter(domain=DOMAIN), _PAGE, after)
            for alert in page:
                name = (alert.alert_id, alert.state in INACTIVE)
                if alert.state != ALERT_STATE_PENDING and name not in self._told:
                    if not alert.case_id.startswith(NOTICE):
                        await self._tell(alert)
                    self._told.add(name)
            if len(page) < _PAGE:
                self._told_at = size
                return
            after = page[-1].idx

    async def _tell(self, alert: AlertRecord) -> None:
        ended = alert.state in INACTIVE
        async with self._store.read() as session:
            at = (await session.journal.seen("matched", [alert.alert_id])).get(alert.alert_id)
            leaf = None if at is None else await session.journal.leaf(self._own, at)
        if leaf is None:
            return
        found = Entry.FromString(leaf).match_found
        nodes = sorted({half.node for half in found.halves} - {self._own})
        serials = {node: f"{alert.alert_id}/{node}" for node in nodes}
        async with self._store.read() as session:
            seen = await session.journal.seen(
                SOURCE, [*serials.values(), *(f"{serial}/ended" for serial in serials.values())]
            )
        drafts = []
        for node, serial in serials.items():
            wanted = f"{serial}/ended" if ended else serial
            # Of the end is told who was told of the beginning.
            if wanted in seen or (ended and serial not in seen):
                continue
            entry = Entry(noted_at_us=self._now(), source=SOURCE, serial=wanted)
            try:
                entry.address.CopyFrom(self._addressed.address(node))
            except ZonghengError:
                log.warning("matching.unknown_node", node=node, alert=alert.alert_id)
                continue
            entry.match_notice.CopyFrom(_notice(alert, found, node, nodes, ended))
            drafts.append(Draft.of(entry))
        if drafts:
            await self._writer.append(drafts)

    async def take(self, sender: str, notice: MatchNotice) -> None:
        """Make the own alert say what a notice says."""
        rule = BY_CODE.get(notice.rule)
        if rule is None or not notice.halves:
            return
        about = f"{NOTICE}{notice.alert_id}"
        context = (await self._contexts.of(self._own)).context
        as_of = AsOf(
            self._own,
            self._now(),
            self._raising.size,
            context.policy.version,
            context.calendar.version,
            context.policy.mandated,
        )
        findings = () if notice.ended else _findings(about, notice)

        def beside(raised: AlertRaised) -> Entry:
            others = [MatchHalf(node=node) for node in notice.others]
            found = MatchFound(
                alert_id=raised.alert_id, rule=raised.rule, subject=raised.subject, measure=notice.measure
            )
            found.halves.extend((*notice.halves, *others))
            return Entry(source="matched", serial=raised.alert_id, match_found=found)

        changed = await self._raising.hold(about, DOMAIN, findings, as_of, beside)
        for raised in changed.raised:
            log.warning("matching.noticed", sender=sender, rule=raised.rule, subject=raised.subject)


def _findings(about: str, notice: MatchNotice) -> list[Finding]:
    """One for each agency concerned."""
    by_agency: dict[str, MatchHalf] = {}
    for half in notice.halves:
        by_agency.setdefault(half.agency, half)
    return [
        Finding(
            case_id=about,
            subject=f"{BY_CODE[notice.rule].subject}:{half.group or half.case_id}"
            + (f"@{agency}" if len(by_agency) > 1 else ""),
            domain=DOMAIN,
            rule=notice.rule,
            rule_version=BY_CODE[notice.rule].version,
            level=Level(notice.level),
            since_us=notice.since_us,
            due_at_us=0,
            over=notice.measure,
            agency=agency,
            item="",
            actor=half.actor,
        )
        for agency, half in sorted(by_agency.items())
    ]


def _notice(
    alert: AlertRecord, found: MatchFound, node: str, nodes: Sequence[str], ended: bool
) -> MatchNotice:
    return MatchNotice(
        alert_id=alert.alert_id,
        rule=alert.rule,
        level=WireLevel.ValueType(alert.level),
        measure=alert.over,
        since_us=alert.since_us,
        halves=[half for half in found.halves if half.node == node],
        others=[one for one in nodes if one != node],
        ended=ended,
    )
