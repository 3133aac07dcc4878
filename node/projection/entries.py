"""What a stretch of journal says, as rows: the pure half of the projection.

The same reading serves the own journal and every child's. A leaf that cannot be parsed, or tells of a
time or zone that cannot be, is *parked*: named in the result, never guessed and never in the way of the leaves behind it; after an upgrade ``zongheng rebuild`` reads it again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import orjson
from google.protobuf.message import DecodeError
from zongheng.v1.access_pb2 import AccessKind, AccountChange
from zongheng.v1.accountability_pb2 import AccountabilityKind
from zongheng.v1.catalogue_pb2 import LEVEL_RED
from zongheng.v1.entry_pb2 import ALERT_STATE_CORRECTED, ALERT_STATE_ISSUED, AlertRaised, Entry, HeadNoted
from zongheng.v1.life_pb2 import FileRef

from node.files.carried import KINDS as CARRIED
from node.files.carried import Carried
from node.intake.times import zone_of
from node.projection.arriving import arrival
from node.projection.mandates import POST, SHEET, CataloguePiece, pieces
from node.store.access import AccessRow
from node.store.accountability import AccountabilityRow, DepartmentAlertRow
from node.store.arrivals import ArrivalRow
from node.store.items import ItemStepRow
from node.store.patrols import BEGUN, CHECKED, ENDED, PatrolRow
from node.store.receipts import ReceiptRow
from node.store.rows import AlertRecord, EventRow
from node.store.scores import ScoreStepRow
from node.store.steps import StepRow
from node.supervision.gathering import ZONE, gathered

LATEST_US = 4_102_272_000_000_000
"""2099-12-30: what happens later cannot be judged. The door takes nothing of the kind; somebody else's journal may hold anything."""

_ACCOUNTABILITY_KINDS = {
    number: name.removeprefix("ACCOUNTABILITY_KIND_").lower() for name, number in AccountabilityKind.items()
}
_ACCESS_KINDS = {number: name.removeprefix("ACCESS_KIND_").lower() for name, number in AccessKind.items()}
_ACCOUNT_CHANGES = {
    number: name.removeprefix("ACCOUNT_CHANGE_").lower() for name, number in AccountChange.items()
}
_PATROL_KINDS = {"patrol_begun": BEGUN, "patrol_checked": CHECKED, "patrol_ended": ENDED}

IMPORT_FINISHED = "import_finished"
"""Kind of the catalogue's piece that says an import is finished."""


CARRIES = (*CARRIED, "received")


@dataclass(slots=True)
class Reading:
    """Rows out of the leaves ``[lo, hi)`` of one journal."""

    origin: str
    lo: int
    hi: int
    events: list[EventRow] = field(default_factory=list)
    """Each case event, followed by its rows under what it gathers (`supervision.gathering`)."""
    catalogue: list[CataloguePiece] = field(default_factory=list)
    alerts: list[AlertRecord] = field(default_factory=list)
    moves: list[tuple[str, int]] = field(default_factory=list)
    """(alert_id, state) in journal order."""
    issued: list[str] = field(default_factory=list)
    """Alerts that were issued after they were raised, whatever became of them since."""
    rises: list[int] = field(default_factory=list)
    """Indexes of leaves that are entered again at every tier above."""
    access: list[AccessRow] = field(default_factory=list)
    heads: list[tuple[int, HeadNoted]] = field(default_factory=list)
    """Heads of other journals that this one notes, with the indexes of the entries."""
    receipts: list[ReceiptRow] = field(default_factory=list)
    arrivals: list[ArrivalRow] = field(default_factory=list)
    department_alerts: list[DepartmentAlertRow] = field(default_factory=list)
    accountability: list[AccountabilityRow] = field(default_factory=list)
    scores: list[ScoreStepRow] = field(default_factory=list)
    item_steps: list[ItemStepRow] = field(default_factory=list)
    patrols: list[PatrolRow] = field(default_factory=list)
    steps: list[StepRow] = field(default_factory=list)
    """How alerts were raised and moved, in journal order."""
    renewals: list[tuple[str, str, str]] = field(default_factory=list)
    """(who decided, about which node, the log it goes on in), of the own journal."""
    parked: list[int] = field(default_factory=list)
    carried: Carried = field(default_factory=Carried)


def read(origin: str, lo: int, leaves: Iterable[bytes], *, own: bool = True, zone: str = ZONE) -> Reading:
    """Read leaves that start at index ``lo``; order is the journal's. ``own``: it is this node's. ``zone``: the zone of the journal's node, as its
    genesis names it; of leaves that begin with the genesis it is read there."""
    reading = Reading(origin, lo, lo)
    events = reading.events
    for idx, leaf in enumerate(leaves, lo):
        reading.hi = idx + 1
        try:
            entry = Entry.FromString(leaf)
        except DecodeError:
            reading.parked.append(idx)
            continue
        kind = entry.WhichOneof("body")
        if entry.HasField("received"):
            reading.receipts.append(ReceiptRow(origin, entry.received.origin, entry.received.index, idx))
        if (came := arrival(origin, idx, entry)) is not None:
            reading.arrivals.append(came)
        mandated = pieces(origin, idx, entry)
        if mandated is not None:
            reading.catalogue += mandated
        elif kind == "case_event":
            if entry.case_event.at_us > LATEST_US or not _is_zone(entry.case_event.zone):
                reading.parked.append(idx)
                continue
            row = event_row(origin, idx, entry)
            events.append(row)
            events += gathered((row,), zone)
        elif kind == "alert_raised":
            alert = alert_record(origin, idx, entry.noted_at_us, entry.alert_raised)
            reading.alerts.append(alert)
            reading.steps.append(raising_row(origin, idx, entry))
            if alert.level == LEVEL_RED and alert.state == ALERT_STATE_ISSUED:
                reading.rises.append(idx)
        elif kind == "alert_moved":
            reading.moves.append((entry.alert_moved.alert_id, entry.alert_moved.state))
            reading.steps.append(move_row(origin, idx, entry))
            if entry.alert_moved.state == ALERT_STATE_ISSUED:
                reading.issued.append(entry.alert_moved.alert_id)
        elif kind == "alert_corrected":
            reading.moves.append((entry.alert_corrected.alert_id, ALERT_STATE_CORRECTED))
            corrected = entry.alert_corrected
            reading.steps.append(
                StepRow(
                    origin, corrected.alert_id, idx, entry.noted_at_us, int(ALERT_STATE_CORRECTED), "",
                    corrected.cause, "", "[]", "",
                )
            )  # fmt: skip
        elif kind == "import_finished":
            reading.catalogue.append(
                CataloguePiece(IMPORT_FINISHED, entry.import_finished.import_id, 0, idx, b"")
            )
        elif kind == "item_published":
            item = entry.item_published
            reading.catalogue.append(
                CataloguePiece("item", item.code, item.version, idx, item.SerializeToString())
            )
        elif kind == "agency_published":
            agency = entry.agency_published
            reading.catalogue.append(
                CataloguePiece("agency", agency.code, 0, idx, agency.SerializeToString())
            )
        elif kind == "calendar_changed":
            change = entry.calendar_changed
            reading.catalogue.append(CataloguePiece("calendar", str(idx), 0, idx, change.SerializeToString()))
        elif kind == "policy_published":
            policy = entry.policy_published
            reading.catalogue.append(
                CataloguePiece("policy", "", policy.version, idx, policy.SerializeToString())
            )
        elif kind == "library_published":
            library = entry.library_published
            reading.catalogue.append(
                CataloguePiece("library", library.name, library.version, idx, library.SerializeToString())
            )
        elif kind == "rule_published":
            rule = entry.rule_published
            reading.catalogue.append(
                CataloguePiece("rule", rule.code, rule.version, idx, rule.SerializeToString())
            )
        elif kind == "genesis":
            zone = entry.genesis.zone or zone
            reading.catalogue.append(CataloguePiece("genesis", "", 0, idx, entry.genesis.SerializeToString()))
        elif kind == "department_alert":
            reading.department_alerts.append(department_alert_row(origin, idx, entry))
        elif kind == "accountability_step":
            reading.accountability.append(accountability_row(origin, idx, entry))
        elif kind == "score_sheet_published":
            sheet = entry.score_sheet_published
            reading.catalogue.append(
                CataloguePiece(SHEET, sheet.name, sheet.version, idx, sheet.SerializeToString())
            )
        elif kind == "score_step":
            step = entry.score_step
            reading.scores.append(
                ScoreStepRow(origin, step.run, idx, entry.noted_at_us, step.SerializeToString())
            )
        elif kind == "post_published":
            post = entry.post_published
            reading.catalogue.append(
                CataloguePiece(POST, post.code, post.version, idx, post.SerializeToString())
            )
        elif kind == "item_step":
            taken = entry.item_step
            reading.item_steps.append(
                ItemStepRow(
                    origin, taken.item, taken.version, idx, entry.noted_at_us, taken.SerializeToString()
                )
            )
        elif kind in _PATROL_KINDS:
            reading.patrols.append(patrol_row(origin, idx, entry, kind))
        elif kind in ("access_noted", "account_changed"):
            reading.access.append(access_row(origin, idx, entry))
        elif kind in ("directive_step", "linkage_tokens"):
            reading.rises.append(idx)
        elif kind in ("forwarded", "fork_found", "quarantine_decided", "withheld"):
            reading.rises.append(idx)
            reading.carried.take(origin, idx, entry, own)
            if own and (renewal := _renewal(origin, entry)) is not None:
                reading.renewals.append(renewal)
        elif kind in CARRIES:
            reading.carried.take(origin, idx, entry, own)
            # What goes down to a node below is not for above.
            if kind != "received" and not entry.HasField("address"):
                reading.rises.append(idx)
        elif kind == "head_noted":
            reading.heads.append((idx, entry.head_noted))
        elif kind is None:
            reading.parked.append(idx)
    return reading


def _renewal(origin: str, entry: Entry) -> tuple[str, str, str] | None:
    """Who let which node go on in which log; an entry of a node below counts as that node's, which was proven when it was entered."""
    if entry.HasField("forwarded"):
        origin = entry.forwarded.origin
        try:
            entry = Entry.FromString(entry.forwarded.leaf)
        except DecodeError:
            return None
    decided = entry.quarantine_decided
    return (origin, decided.origin, decided.log_id) if decided.log_id else None


@lru_cache(1_024)
def _is_zone(name: str) -> bool:
    try:
        return not name or bool(zone_of(name))
    except ValueError:
        return False


def event_row(origin: str, idx: int, entry: Entry) -> EventRow:
    """The event row of a ``case_event`` entry."""
    event = entry.case_event
    attributes = {}
    for attribute in event.attributes:
        which = attribute.WhichOneof("value")
        if which is not None:
            attributes[attribute.name] = getattr(attribute, which)
    return EventRow(
        origin,
        event.case_id,
        idx,
        event.at_us,
        event.day_only,
        event.zone,
        event.domain,
        event.kind,
        event.received_at_us,
        entry.noted_at_us,
        event.agency,
        event.actor,
        event.item,
        event.step,
        event.applicant,
        entry.import_id,
        attributes,
    )


def raising_row(origin: str, idx: int, entry: Entry) -> StepRow:
    """The first step of an alert's life."""
    raised = entry.alert_raised
    return StepRow(
        origin, raised.alert_id, idx, entry.noted_at_us, raised.state, raised.by, raised.reason, raised.text,
        _files(raised.files), "",
    )  # fmt: skip


def move_row(origin: str, idx: int, entry: Entry) -> StepRow:
    """A further step of an alert's life."""
    moved = entry.alert_moved
    return StepRow(
        origin, moved.alert_id, idx, entry.noted_at_us, moved.state, moved.by, moved.reason, moved.text,
        _files(moved.files), moved.node,
    )  # fmt: skip


def patrol_row(origin: str, idx: int, entry: Entry, kind: str) -> PatrolRow:
    """The row of an entry of a video patrol."""
    said = getattr(entry, kind)
    plan = entry.patrol_begun.plan if kind == "patrol_begun" else ""
    return PatrolRow(
        origin, said.round, idx, entry.noted_at_us, _PATROL_KINDS[kind], plan, said.SerializeToString()
    )


def _files(files: Iterable[FileRef]) -> str:
    return orjson.dumps(
        [
            {"name": one.name, "sha256": one.sha256, "size": one.size, "media_type": one.media_type}
            for one in files
        ]
    ).decode()


def department_alert_row(origin: str, idx: int, entry: Entry) -> DepartmentAlertRow:
    """The row of a ``department_alert`` entry."""
    alert = entry.department_alert
    return DepartmentAlertRow(
        origin, idx, entry.source, entry.serial, alert.case_id, alert.agency, alert.level, alert.rule,
        alert.issued_at_us, alert.state, alert.actor,
    )  # fmt: skip


def accountability_row(origin: str, idx: int, entry: Entry) -> AccountabilityRow:
    """The row of an ``accountability_step`` entry."""
    step = entry.accountability_step
    kind = _ACCOUNTABILITY_KINDS.get(step.kind, str(step.kind))
    return AccountabilityRow(
        origin, step.record, idx, entry.noted_at_us, kind, step.who, step.agency,
        orjson.dumps(list(step.alerts)).decode(), step.measure, step.document, step.by, step.reason, step.text,
        _files(step.files),
    )  # fmt: skip


def access_row(origin: str, idx: int, entry: Entry) -> AccessRow:
    """The row of an ``access_noted`` or ``account_changed`` entry."""
    if entry.HasField("access_noted"):
        noted = entry.access_noted
        kind = _ACCESS_KINDS.get(noted.kind, str(noted.kind))
        return AccessRow(
            origin, idx, entry.noted_at_us, kind, noted.who, noted.subject, noted.purpose, noted.address
        )
    changed = entry.account_changed
    kind = _ACCOUNT_CHANGES.get(changed.change, str(changed.change))
    subject = f"{changed.who} {changed.subject}".strip()
    return AccessRow(origin, idx, entry.noted_at_us, kind, changed.by, subject, "", "")


def alert_record(origin: str, idx: int, noted_at_us: int, alert: AlertRaised) -> AlertRecord:
    """The alert row of an ``alert_raised`` entry at ``idx``."""
    return AlertRecord(
        origin=origin,
        alert_id=alert.alert_id,
        case_id=alert.case_id,
        subject=alert.subject,
        domain=alert.domain,
        rule=alert.rule,
        level=alert.level,
        episode=alert.episode,
        state=alert.state,
        since_us=alert.since_us,
        due_at_us=alert.due_at_us,
        raised_at_us=noted_at_us,
        idx=idx,
        agency=alert.agency,
        item=alert.item,
        actor=alert.actor,
        over=alert.over,
        journal_size=alert.journal_size,
        policy_version=alert.policy_version,
        calendar_version=alert.calendar_version,
        rule_version=alert.rule_version,
        mandates=alert.mandates,
    )
