"""How the node is doing, on one page."""

import os
from typing import TYPE_CHECKING, Any, Final

import psutil
from pydantic import BaseModel
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from node.alerting.words import rule_of
from node.mending.quarantine import instruction
from node.store.alerts import INACTIVE
from node.store.facts import RUNNING
from node.supervision.alert import LIFE_DOMAIN
from node.supervision.levels import LEVELS
from node.supervision.life import DUTIES, Layer
from node.supervision.policy import Level
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node

_DUE_AT_MOST = 1_000

_OWED_BY: Final = {rule_of(duty): str(layer) for duty, layer in DUTIES.values()}


class JournalStatus(BaseModel):
    log_id: str
    verifier: str
    """The journal key, a C2SP vkey: what an evidence file of this node is checked with."""
    size: int
    root: str
    """Hex."""
    checkpoint: str
    """The newest signed head, a C2SP tlog-checkpoint note."""
    cosigned_size: int
    """What the parent has acknowledged as durable and cosigned."""
    lag: int
    """Entries the parent does not hold yet; 0 without a parent."""
    sealed: str
    """Why nothing may be entered; empty: it may."""


class LinkStatus(BaseModel):
    state: str
    """none, connecting, linked, backing_off, quarantined, behind, stopped."""
    instruction: str
    """What an operator should do; empty: nothing."""
    code: str
    """What that is about, a code of the catalogue of errors; empty: nothing."""
    clock_offset_ms: int | None
    """The parent's clock minus this node's, as last heard; null: never heard since the start."""


class ChildStatus(BaseModel):
    node: str
    tier: str
    name: str
    state: str
    """linked or away."""
    held: int
    root: str
    projected: int
    """How far the held journal has been read."""
    reported: int
    """Journal size of its newest report of figures."""
    compared: int
    """Journal size at which its figures were last computed again and compared; what differed is in the own journal."""
    clock_offset_ms: int | None
    """Its clock minus this node's, as last heard; null: it is away."""
    quarantine: str
    """open, refused or mending: its journal forked, and nothing of it is taken; empty: it did not."""
    instruction: str
    """What an operator should do about it; empty: nothing."""


class UnfinishedImport(BaseModel):
    import_id: str
    source: str
    settled_rows: int


class CaseCounts(BaseModel):
    total: int
    open: int


class Status(BaseModel):
    node: str
    tier: str
    name: str
    division: str
    running: bool
    now: str | None
    """The node's own clock."""
    zone: str
    """IANA zone in which its days are counted."""
    pid: int
    rss_mb: float
    start_s: float
    """Seconds from the start of the process until it was ready."""
    grpc: str
    http: str
    parent: str | None
    link: LinkStatus
    journal: JournalStatus
    cursors: dict[str, int]
    """Projector → journal size it has dealt with."""
    cases: CaseCounts
    alerts: dict[str, int]
    """Open alerts by level."""
    raised: dict[str, int]
    """All alerts ever raised by level, corrected ones included."""
    late_steps: dict[str, int]
    """Layer (agency, bureau, parent) → steps of alerts that are or were done late, and nobody has settled it."""
    due: int
    """Cases that wait to be judged, 1,000 at most."""
    children: list[ChildStatus]
    imports: list[UnfinishedImport]
    parked: int
    """Entries that could not be read."""


async def status(node: "Node") -> Status:
    """The status now, from one snapshot of the store."""
    own = node.settings.node
    process = psutil.Process()
    async with node.store.read() as session:
        head = await session.journal.head(own)
        if head is None:
            raise ZonghengError("store_damaged", f"{node.folder} has no journal: restore it from its backup")
        counts = await session.alerts.counts(own)
        states = await session.facts.by_state(own)
        cursors = {name: (await session.cursors.get(name, own)).position for name in ("events", "facts")}
        due = len(await session.facts.due(own, node.now(), _DUE_AT_MOST))
        children = []
        offsets = {session.node: session.clock_offset_ms for session in node.listener.sessions()}
        for held in await session.journal.heads():
            if held.origin == own:
                continue
            card = node.tree.get(held.origin) or NodeCard(node=held.origin)
            fork = await session.forks.standing(held.origin)
            children.append(
                ChildStatus(
                    node=held.origin,
                    tier=card.tier,
                    name=card.name,
                    state="linked" if node.is_linked(held.origin) else "away",
                    held=held.size,
                    root=held.root.hex(),
                    projected=(await session.cursors.get("facts", held.origin)).position,
                    reported=(await session.cursors.get("reported", held.origin)).position,
                    compared=(await session.cursors.get("compared", held.origin)).position,
                    clock_offset_ms=offsets.get(held.origin),
                    quarantine=fork.state if fork else "",
                    instruction=instruction(fork, held.origin) if fork else "",
                )
            )
        imports = [
            UnfinishedImport(import_id=run.import_id, source=run.source, settled_rows=run.settled_row)
            for run in await session.imports.under_way()
        ]
    open_alerts = dict.fromkeys(LEVELS[1:], 0)
    raised = dict.fromkeys(LEVELS[1:], 0)
    for count in counts:
        raised[LEVELS[count.level]] += count.alerts
        if count.state not in INACTIVE:
            open_alerts[LEVELS[count.level]] += count.alerts
    settings = node.settings
    has_parent = settings.parent is not None
    late_steps: dict[str, int] = {str(layer): 0 for layer in Layer}
    for count in counts:
        # A step that is late enough for a red card has its yellow one too.
        if count.domain == LIFE_DOMAIN and count.level == Level.YELLOW and count.state not in INACTIVE:
            late_steps[_OWED_BY.get(count.rule, str(Layer.BUREAU))] += count.alerts
    return Status(
        node=own,
        tier=settings.tier,
        name=settings.name,
        division=settings.division,
        running=node.serving,
        now=time_text(node.now(), settings.zone),
        zone=settings.zone,
        pid=os.getpid(),
        rss_mb=round(process.memory_info().rss / 1e6, 1),
        start_s=round(node.start_s, 3),
        grpc=settings.grpc,
        http=settings.http,
        parent=settings.parent,
        link=LinkStatus(
            state=node.link.state,
            instruction=node.link.instruction,
            code=node.link.code,
            clock_offset_ms=node.link.clock_offset_ms,
        ),
        journal=JournalStatus(
            log_id=head.log_id,
            verifier=head.verifier,
            size=head.size,
            root=head.root.hex(),
            checkpoint=head.note,
            cosigned_size=head.cosigned_size,
            lag=head.size - head.cosigned_size if has_parent else 0,
            sealed=node.writer.sealed,
        ),
        cursors=cursors,
        cases=CaseCounts(
            total=sum(states.values()),
            open=sum(count for state, count in states.items() if state in RUNNING),
        ),
        alerts=open_alerts,
        raised=raised,
        late_steps=late_steps,
        due=due,
        children=children,
        imports=imports,
        parked=node.projector.parked,
    )


async def readiness(node: "Node") -> dict[str, Any]:
    """``{"status": "ready", …}``; ``ZonghengError`` (503) while the store does not answer or the node is still starting."""
    async with node.store.read() as session:
        head = await session.journal.head(node.settings.node)
    if head is None or not node.ready:
        raise ZonghengError("store_unavailable", "the node is still starting: try again in a moment")
    return {"status": "ready", "journal_size": head.size}
