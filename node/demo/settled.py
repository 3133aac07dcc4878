"""When the federation has come to rest: everything told is judged, relayed, reported and computed again by the parent.

At rest every node has dealt with its whole journal and has no case left to judge, its parent holds and has cosigned all of it at
the same root, has read all of it, and has found the child's figures equal to its own computation from it.
"""

import asyncio
import time
from typing import Any, Final

from node.demo.federation import Federation, Member, Told

PATIENCE_S: Final = 60.0
"""Longest wait without anything having moved."""

Statuses = dict[str, dict[str, Any]]
"""Status of each node (`GET /api/status`), by node."""

_POLL_S: Final = 0.5


async def statuses(federation: Federation) -> Statuses:
    """Every node's status, by node."""
    members = list(federation.members.values())
    answers = await asyncio.gather(*(member.get("/api/status") for member in members))
    return {member.node: answer for member, answer in zip(members, answers, strict=True)}


async def settle(federation: Federation, tell: Told, patience_s: float = PATIENCE_S) -> Statuses:
    """Wait until all is at rest; the statuses then.

    ``ZonghengError`` naming the node and what it still has to do when nothing has moved for ``patience_s`` seconds.
    """
    moved, before = time.monotonic(), ""
    while True:
        now = await statuses(federation)
        waiting = {node: what for node in now if (what := unfinished(federation.members[node], now))}
        if not waiting:
            return now
        seen = repr(
            [
                (answer["journal"], answer["cursors"], answer["due"], answer["children"])
                for answer in now.values()
            ]
        )
        if seen != before:
            moved, before = time.monotonic(), seen
            tell("; ".join(f"{node} {what}" for node, what in list(waiting.items())[:3]))
        elif time.monotonic() - moved > patience_s:
            node, what = next(iter(waiting.items()))
            raise federation.members[node].failed(f"has not come to rest: {what}")
        await asyncio.sleep(_POLL_S)


def unfinished(member: Member, now: Statuses) -> str:
    """What a node still has to do, in words; empty: it is at rest."""
    status = now[member.node]
    size = status["journal"]["size"]
    behind = {name: position for name, position in status["cursors"].items() if position < size}
    if behind:
        return f"has read {min(behind.values())} of {size} entries"
    if status["due"]:
        return f"has {status['due']} cases to judge"
    if not member.place.parent:
        return ""
    if status["journal"]["lag"]:
        return f"has {status['journal']['lag']} entries to relay ({status['link']['state']})"
    held = next(
        (child for child in now[member.place.parent]["children"] if child["node"] == member.node), None
    )
    if held is None or held["held"] < size:
        return "is not yet held by its parent"
    for name, words in (("projected", "read"), ("reported", "reported"), ("compared", "compared")):
        if held[name] < size:
            return f"is {words} by its parent up to {held[name]} of {size}"
    return ""
