"""How the node is doing, on one page."""

import os
from typing import TYPE_CHECKING, Any

import psutil
from pydantic import BaseModel

from federation.errors import ZonghengError
from node.supervision.levels import LEVELS
from node.views.present import time_text
from zongheng.v1.entry_pb2 import (
    ALERT_STATE_CANCELLED,
    ALERT_STATE_CLOSED,
    ALERT_STATE_CORRECTED,
)
from zongheng.v1.tree_pb2 import NodeCard

if TYPE_CHECKING:
    from node.run import Node

_OVER = {int(ALERT_STATE_CANCELLED), int(ALERT_STATE_CLOSED), int(ALERT_STATE_CORRECTED)}


class JournalStatus(BaseModel):
    log_id: str
    size: int
    root: str
    """Hex."""
    checkpoint: str
    """The newest signed head, a C2SP tlog-checkpoint note."""
    cosigned_size: int
    """What the parent has acknowledged as durable and cosigned."""
    lag: int
    """Entries the parent does not hold yet; 0 without a parent."""


class LinkStatus(BaseModel):
    state: str
    """none, connecting, linked, backing_off, quarantined, behind, stopped."""
    instruction: str
    """What an operator should do; empty: nothing."""


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
    """Journal size at which its figures were last computed again and found equal."""


class UnfinishedImport(BaseModel):
    import_id: str
    file: str
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
    due: int
    """Cases that wait to be judged."""
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
        states = await session.facts.counts(own)
        cursors = {name: await session.cursors.position(name, own) for name in ("events", "facts")}
        due = await session.facts.due_count(own, node.now())
        children = []
        for held in await session.journal.heads():
            if held.origin == own:
                continue
            body = await session.cards.get(held.origin)
            card = NodeCard.FromString(body) if body else NodeCard(node=held.origin)
            children.append(
                ChildStatus(
                    node=held.origin,
                    tier=card.tier,
                    name=card.name,
                    state="linked" if node.is_linked(held.origin) else "away",
                    held=held.size,
                    root=held.root.hex(),
                    projected=await session.cursors.position("facts", held.origin),
                    reported=await session.cursors.position("reported", held.origin),
                    compared=await session.cursors.position("compared", held.origin),
                )
            )
        imports = [
            UnfinishedImport(import_id=run.import_id, file=run.file_name, settled_rows=run.settled_row)
            for run in await session.imports.unfinished()
        ]
    open_alerts = dict.fromkeys(LEVELS[1:], 0)
    raised = dict.fromkeys(LEVELS[1:], 0)
    for (_, level, state), count in counts.items():
        raised[LEVELS[level]] += count
        if state not in _OVER:
            open_alerts[LEVELS[level]] += count
    settings = node.settings
    has_parent = settings.parent is not None
    return Status(
        node=own,
        tier=settings.tier,
        name=settings.name,
        division=settings.division,
        running=node.serving,
        now=time_text(node.now(), settings.zone),
        pid=os.getpid(),
        rss_mb=round(process.memory_info().rss / 1e6, 1),
        start_s=round(node.start_s, 3),
        grpc=settings.grpc,
        http=settings.http,
        parent=settings.parent,
        link=LinkStatus(state=node.link_state, instruction=node.link_instruction),
        journal=JournalStatus(
            log_id=head.log_id,
            size=head.size,
            root=head.root.hex(),
            checkpoint=head.note,
            cosigned_size=head.cosigned_size,
            lag=head.size - head.cosigned_size if has_parent else 0,
        ),
        cursors=cursors,
        cases=CaseCounts(
            total=sum(states.values()),
            open=sum(count for state, count in states.items() if state not in ("completed", "refused")),
        ),
        alerts=open_alerts,
        raised=raised,
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
