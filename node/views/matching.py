"""The matching as people and programs read it: keys, how far it is, what was found, and the doors for keys and registers."""

from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.matching_pb2 import MatchFound

from federation.errors import ZonghengError
from node.matching import registers
from node.matching.keys import year_of
from node.matching.matching import CURSOR
from node.matching.rules import BY_CODE, DOMAIN, NOTICE
from node.matching.words import ROLES
from node.people.caller import Caller
from node.store.alerts import AlertFilter
from node.store.rows import AlertRecord
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.levels import LEVELS, STATES
from node.views.message import message
from node.views.present import day_text, time_text
from node.views.sight import seen_by

if TYPE_CHECKING:
    from node.run import Node

_PAGE = 500


class IssueKey(BaseModel):
    """A new key: for a year, or for a stretch of days."""

    model_config = ConfigDict(extra="forbid")

    purpose: str
    """payee or bidder."""
    year: int | None = Field(default=None, ge=1990, le=2098)
    from_day: date | None = None
    to_day: date | None = None
    replaces: list[int] = []
    """Numbers of this node's keys of the purpose that are closed with it."""
    by: str = ""
    reason: str = Field(min_length=1, max_length=1_000)


class CloseKey(BaseModel):
    """A key destroyed, here and at every node below."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    reason: str = Field(min_length=1, max_length=1_000)


class RegisterLine(BaseModel):
    id_number: str = Field(max_length=200)
    day: date
    """Of death."""


class LoadRegister(BaseModel):
    """Rows of a register that payees are held against."""

    model_config = ConfigDict(extra="forbid")

    register_name: str = Field(alias="register", default="deaths")
    rows: list[RegisterLine] = Field(max_length=50_000)
    by: str = ""


class Loaded(BaseModel):
    rows: int
    new: int
    """Rows that were not there before."""
    nobody: int
    """Rows whose number is that of nobody: a check digit that is wrong, a date that is none."""


class KeyView(BaseModel):
    key: str
    """issuer/purpose/number."""
    issuer: str
    purpose: str
    number: int
    from_day: str | None
    to_day: str | None
    open: bool
    """Whether tokens are computed under it; a closed key is destroyed."""
    read: int
    """Entries of the own journal for which tokens under it are computed."""
    tokens: int
    """Tokens held here under it, of this node and those below."""
    nodes: int
    """Nodes that they are of."""


class MatchingStatus(BaseModel):
    node: str
    keys: list[KeyView]
    journal_size: int
    waiting: int
    """Tokens, bidders and tenders that are yet to be compared."""
    behind: dict[str, int]
    """Journal → entries of it that are yet to be read; journals that are read are left out."""


class HalfView(BaseModel):
    node: str
    case: str
    """Empty for another node's half, as a node that was told of the match sees it."""
    role: str
    """What is shared: person, household, deaths; representative, phone, account, guarantee, address, machine, company."""
    role_zh: str
    group: str
    """Programme and period, batch, or tender."""
    at: str | None
    amount: int
    agency: str
    actor: str
    index: int
    """Entry in that node's journal."""
    state: str | None
    """How far that node is in explaining its half: the state of its own alert; null where that is not known here."""


class FindingView(BaseModel):
    alert: str
    rule: str
    level: str
    state: str
    subject: str
    message: str
    """Chinese."""
    message_en: str
    legal_basis: str
    measure: int
    at_least: int | None
    """The threshold that it reached."""
    since: str | None
    raised_at: str | None
    from_above: bool
    """It was found by a node above, and this is this node's half."""
    halves: list[HalfView]


class FindingPage(BaseModel):
    findings: list[FindingView]
    next: int | None
    """What ``after`` continues with; null: this is the end."""


async def status(node: "Node") -> MatchingStatus:
    """Keys, and how far the matching is."""
    async with node.store.read() as session:
        counts = await session.linkage.counts()
        waiting = await session.linkage.waiting()
        heads = {head.origin: head.size for head in await session.journal.heads()}
        read = await session.cursors.of(CURSOR)
    return MatchingStatus(
        node=node.settings.node,
        keys=await _keys(node, counts),
        journal_size=node.writer.size,
        waiting=waiting,
        behind={
            origin: size - read.get(origin, 0)
            for origin, size in sorted(heads.items())
            if size > read.get(origin, 0)
        },
    )


async def issue(node: "Node", caller: Caller, form: IssueKey) -> MatchingStatus:
    """Issue a key. ``bad_request`` for what makes none."""
    if (form.year is None) == (form.from_day is None or form.to_day is None):
        raise ZonghengError("bad_request", "say for which year, or from which day to which")
    if form.year is not None:
        from_day, to_day = year_of(date(form.year, 12, 31).toordinal() - EPOCH_ORDINAL)
    else:
        assert form.from_day is not None
        assert form.to_day is not None
        from_day, to_day = (one.toordinal() - EPOCH_ORDINAL for one in (form.from_day, form.to_day))
    by = _signed(caller, form.by)
    await node.linkage_keys.issue(form.purpose, from_day, to_day, by, form.reason, form.replaces)
    return await status(node)


async def close(node: "Node", caller: Caller, purpose: str, number: int, form: CloseKey) -> MatchingStatus:
    """Destroy a key everywhere. ``not_found`` where this node issued none of that number."""
    await node.linkage_keys.close(purpose, number, _signed(caller, form.by), form.reason)
    return await status(node)


async def load(node: "Node", caller: Caller, form: LoadRegister) -> Loaded:
    """Load a register. ``bad_request`` for one that is none."""
    rows = [(one.id_number, one.day.toordinal() - EPOCH_ORDINAL) for one in form.rows]
    new, nobody = await registers.load(node, form.register_name, rows, _signed(caller, form.by))
    return Loaded(rows=len(rows), new=new, nobody=nobody)


async def findings(
    node: "Node", caller: Caller, everything: bool = False, after: int = -1, limit: int = 100
) -> FindingPage:
    """What was found here, and what nodes above found of which this node has a half; those that stand, or all, in the order of their raising."""
    own = node.settings.node
    seen = await seen_by(node, caller)
    narrow = AlertFilter(domain=DOMAIN, active=not everything, agencies=seen)
    async with node.store.read() as session:
        alerts = await session.alerts.page(own, narrow, limit, after)
        indexes = await session.journal.seen("matched", [alert.alert_id for alert in alerts])
        leaves = dict(await session.journal.entries(own, sorted(set(indexes.values()))))
        children = [head.origin for head in await session.journal.heads() if head.origin != own]
        abouts = [f"{NOTICE}{alert.alert_id}" for alert in alerts]
        states = {
            (child, told.case_id): STATES[told.state]
            for child in children
            for told in await session.alerts.of_cases(child, abouts)
        }
    views = []
    for alert in alerts:
        leaf = leaves.get(indexes.get(alert.alert_id, -1))
        found = MatchFound() if leaf is None else Entry.FromString(leaf).match_found
        views.append(_view(node, alert, found, states))
    return FindingPage(findings=views, next=alerts[-1].idx if len(alerts) == limit else None)


def _view(
    node: "Node", alert: AlertRecord, found: MatchFound, states: dict[tuple[str, str], str]
) -> FindingView:
    zone = node.settings.zone
    return FindingView(
        alert=alert.alert_id,
        rule=alert.rule,
        level=LEVELS[alert.level],
        state=STATES[alert.state],
        subject=alert.subject,
        message=message(alert, zone),
        message_en=message(alert, zone, "en"),
        legal_basis=BY_CODE[alert.rule].legal_basis if alert.rule in BY_CODE else "",
        measure=alert.over,
        at_least=found.at_least or None,
        since=time_text(alert.since_us, zone),
        raised_at=time_text(alert.raised_at_us, zone),
        from_above=alert.case_id.startswith(NOTICE),
        halves=[
            HalfView(
                node=half.node,
                case=half.case_id,
                role=half.role,
                role_zh=ROLES.get(half.role, (half.role, ""))[0],
                group=half.group,
                at=time_text(half.at_us, zone),
                amount=half.amount,
                agency=half.agency,
                actor=half.actor,
                index=half.index,
                state=states.get((half.node, f"{NOTICE}{alert.alert_id}")),
            )
            for half in found.halves
        ],
    )


async def _keys(node: "Node", counts: dict[str, tuple[int, int]]) -> list[KeyView]:
    return [
        KeyView(
            key=row.name,
            issuer=row.issuer,
            purpose=row.purpose,
            number=row.number,
            from_day=day_text(row.from_day),
            to_day=day_text(row.to_day),
            open=not row.closed,
            read=row.position,
            tokens=counts.get(row.name, (0, 0))[0],
            nodes=counts.get(row.name, (0, 0))[1],
        )
        for row in await node.linkage_keys.rows()
    ]


def _signed(caller: Caller, by: str) -> str:
    signed = caller.signing(by)
    if not signed.strip():
        raise ZonghengError("bad_request", "say who does it (by): a staff number")
    return signed
