"""When the federation has come to rest: everything told is judged, relayed, reported and computed again by the parent.

At rest every node has dealt with its whole journal and has no case left to judge, its parent holds and has cosigned all of it at
the same root, has read all of it, and has found the child's figures equal to its own computation from it.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from node.demo.crossing import ABOUT
from node.demo.federation import Federation, Member, Told
from node.demo.generator import Plan

PATIENCE_S: Final = 60.0
"""Longest wait without anything having moved."""

Statuses = dict[str, dict[str, Any]]
"""Status of each node (`GET /api/status`), by node."""

_POLL_S: Final = 0.5
_TELL_S: Final = 2.0


async def statuses(federation: Federation) -> Statuses:
    """Every node's status, by node."""
    members = list(federation.members.values())
    answers = await asyncio.gather(*(member.get("/api/status") for member in members))
    return {member.node: answer for member, answer in zip(members, answers, strict=True)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a node still has to do, and how far it is with that."""

    words: str
    position: tuple[str, int]
    """(which work, how far): it has moved when this changes."""


async def settle(federation: Federation, tell: Told, patience_s: float = PATIENCE_S) -> Statuses:
    """Wait until all is at rest; the statuses then.

    ``ZonghengError`` naming the node and what it still has to do when that has not moved for ``patience_s`` seconds.
    """
    moved: dict[str, tuple[Waiting, float]] = {}
    told = 0.0
    while True:
        now = await statuses(federation)
        waiting = {node: left for node in now if (left := unfinished(federation.members[node], now))}
        if not waiting:
            return now
        clock = time.monotonic()
        for node, left in waiting.items():
            before = moved.get(node)
            if before is None or before[0].position != left.position:
                moved[node] = (left, clock)
            elif clock - before[1] > patience_s:
                raise federation.members[node].failed(f"has not come to rest: it {left.words}")
        if clock - told > _TELL_S:
            told = clock
            tell("; ".join(f"{node} {left.words}" for node, left in list(waiting.items())[:3]))
        await asyncio.sleep(_POLL_S)


async def figures_arrive(federation: Federation, tell: Told, patience_s: float = PATIENCE_S) -> None:
    """Wait until the city has everybody's newest figures, which rise tier by tier after the journals.

    At most ``patience_s`` seconds: figures that still differ then are a disagreement, and the report says which.
    """
    deadline = time.monotonic() + patience_s
    members = list(federation.members.values())
    while True:
        answers = await asyncio.gather(*(member.get("/api/rollup") for member in members))
        own = {answer["nodes"][0]["node"]: answer["nodes"][0]["totals"] for answer in answers}
        at_the_city = {entry["node"]: entry["totals"] for entry in answers[0]["nodes"]}
        behind = [node for node, totals in own.items() if at_the_city.get(node) != totals]
        if not behind or time.monotonic() > deadline:
            return
        tell(f"the city waits for the figures of {', '.join(behind)}")
        await asyncio.sleep(_POLL_S)


async def matches_arrive(
    federation: Federation, plan: Plan, tell: Told, patience_s: float = 3 * PATIENCE_S
) -> None:
    """Wait until every node has found what tokens show it: keys come down and tokens rise by their own looks, every few seconds.

    At most ``patience_s`` seconds: what is missing then is a disagreement, and the report says what.
    """
    wanted = Counter(node for node, case, _, _ in plan.findings if case.startswith(ABOUT))
    deadline = time.monotonic() + patience_s
    while True:
        found = {
            node: len((await federation.members[node].get("/api/matching/findings"))["findings"])
            for node in wanted
        }
        missing = [node for node in wanted if found[node] < wanted[node]]
        if not missing or time.monotonic() > deadline:
            return
        tell(f"tokens are on their way to {', '.join(missing)}")
        await asyncio.sleep(_TELL_S)


def unfinished(member: Member, now: Statuses) -> Waiting | None:
    """What a node still has to do; None: it is at rest."""
    status = now[member.node]
    journal = status["journal"]
    size = journal["size"]
    read = min(status["cursors"].values())
    if read < size:
        return Waiting(f"has read {read} of {size} entries", ("read", read))
    if status["due"]:
        return Waiting(f"has {status['due']} cases to judge", ("judge", status["due"]))
    if not member.place.parent:
        return None
    if journal["lag"]:
        words = f"has {journal['lag']} entries to relay ({status['link']['state']})"
        return Waiting(words, ("relay", journal["cosigned_size"]))
    children = now[member.place.parent]["children"]
    held = next((child for child in children if child["node"] == member.node), None)
    if held is None:
        return Waiting("is not yet held by its parent", ("held", 0))
    for name, words in (
        ("held", "held"),
        ("projected", "read"),
        ("reported", "known"),
        ("compared", "compared"),
    ):
        if held[name] < size:
            return Waiting(f"is {words} by its parent up to {held[name]} of {size}", (name, held[name]))
    return None
