"""What the demo found, put beside what it knows: roots, figures, questions, and the faults it planted.

Every comparison is between two answers that came about independently: a node's root and the one its parent holds, the city's
total and the sum of what each node says of itself, the alerts raised and the plan. `disagreements` lists in words whatever
differs; it is empty exactly when the demo is in order.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from node.demo.crossing import ABOUT
from node.demo.federation import Federation, Member
from node.demo.generator import EVERY_FAULT, Finding, Plan
from node.demo.questions import Asked
from node.demo.settled import Statuses

_LEVELS = {"notice": 1, "yellow": 2, "red": 3}
_WORDS = {number: word for word, number in _LEVELS.items()}
_OVER = {"corrected", "cancelled"}
_PAGE = 2_000
_SHOWN = 20


@dataclass
class Report:
    """The report file and what disagreed."""

    content: dict[str, Any]
    disagreements: list[str] = field(default_factory=list)


async def found_alerts(member: Member) -> tuple[Counter[Finding], int]:
    """Every alert that holds at a node, and how many were raised and corrected again."""
    found: Counter[Finding] = Counter()
    corrected = 0
    after: int | None = -1
    while after is not None:
        page = await member.get("/api/alerts", after=after, limit=_PAGE)
        for alert in page["alerts"]:
            if alert["state"] in _OVER:
                corrected += 1
            else:
                case = (
                    f"{ABOUT}{alert['subject']}" if alert["case"].startswith("@matching.") else alert["case"]
                )
                found[(member.node, case, alert["rule"], _LEVELS[alert["level"]])] += 1
        after = page["next"]
    return found, corrected


async def compare(
    federation: Federation, plan: Plan, asked: list[Asked], now: Statuses, began: float
) -> Report:
    """The report of a federation at rest, `now` being its statuses then.

    Nodes note each other's heads once a minute all the time, so sizes and roots are those of that moment.
    """
    wrong: list[str] = []
    found: Counter[Finding] = Counter()
    corrected = 0
    own: dict[str, dict[str, int]] = {}
    for member in federation.members.values():
        alerts, undone = await found_alerts(member)
        found += alerts
        corrected += undone
        own[member.node] = (await member.get("/api/rollup"))["nodes"][0]["totals"]
    nodes = [_node(member, now, found, wrong) for member in federation.members.values()]
    city = await federation.root.get("/api/rollup")
    total, together = _figures(city, own, wrong)
    faults = _faults(plan, found, wrong)
    wrong += [
        f"question not answered in full and proven: {one.question} ({one.words})"
        for one in asked
        if not one.sound
    ]
    return Report(
        {
            "nodes": nodes,
            "city_total": total,
            "sum_of_nodes": together,
            "questions": [one.content() for one in asked],
            "faults": faults,
            "alerts": {"planted": plan.findings.total(), "found": found.total(), "corrected": corrected},
            "rules": _rules(plan, found),
            "seed": plan.seed,
            "cases": plan.filed.total(),
            "events": plan.events.total(),
            "disagreements": wrong,
            "wall_s": round(time.monotonic() - began, 2),
        },
        wrong,
    )


def _node(member: Member, now: Statuses, found: Counter[Finding], wrong: list[str]) -> dict[str, Any]:
    status = now[member.node]
    journal = status["journal"]
    children = now[member.place.parent]["children"] if member.place.parent else []
    held = next((child for child in children if child["node"] == member.node), None)
    holds, root = (held["held"], held["root"]) if held else (None, None)
    if member.place.parent and (holds, root) != (journal["size"], journal["root"]):
        wrong.append(
            f"{member.node}: its journal is {journal['size']} {journal['root']}, its parent holds {holds} {root}"
        )
    raised = Counter(
        _WORDS[level]
        for (node, _, _, level), count in found.items()
        if node == member.node
        for _ in range(count)
    )
    alerts = {word: raised[word] for word in _LEVELS}
    if alerts != status["alerts"]:
        wrong.append(f"{member.node}: its status counts alerts {status['alerts']}, its list has {alerts}")
    return {
        "id": member.node,
        "tier": member.place.tier,
        "name": member.place.name,
        "parent": member.place.parent or None,
        "journal_size": journal["size"],
        "root": journal["root"],
        "parent_holds": holds,
        "parent_root": root,
        "cases": status["cases"]["total"],
        "alerts": alerts,
        "rss_mb": status["rss_mb"],
        "start_s": status["start_s"],
    }


def _figures(
    city: dict[str, Any], own: dict[str, dict[str, int]], wrong: list[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """The city's total and the sum of the nodes' own figures, with the same names."""
    seen = {entry["node"]: entry["totals"] for entry in city["nodes"]}
    for node, totals in own.items():
        if seen.get(node) != totals:
            wrong.append(f"{node}: it counts {totals}, the city has {seen.get(node)}")
    wrong.extend(
        f"{node}: the city counts a node that is not of the demo" for node in seen.keys() - own.keys()
    )
    together: Counter[str] = Counter()
    for totals in own.values():
        together.update(totals)
    names = sorted(together.keys() | city["total"].keys())
    total = {name: int(city["total"].get(name, 0)) for name in names}
    summed = {name: int(together[name]) for name in names}
    wrong.extend(
        f"figure {name}: the city has {total[name]}, its nodes together {summed[name]}"
        for name in names
        if total[name] != summed[name]
    )
    return total, summed


def _faults(plan: Plan, found: Counter[Finding], wrong: list[str]) -> list[dict[str, Any]]:
    """Planted and found for each fault; what is missing or was not planned goes to `wrong`."""
    planted = plan.by_fault()
    missing, unplanned = plan.difference(found)
    for words, differing in (("planted and not found", missing), ("found and not planted", unplanned)):
        wrong.extend(f"{words}: {_finding(one)}" for one in sorted(differing)[:_SHOWN])
        if len(differing) > _SHOWN:
            wrong.append(f"{words}: {len(differing) - _SHOWN} more")
    return [
        {
            "fault": fault.name,
            "words": fault.words,
            "rule": fault.rule,
            "level": _WORDS[fault.level],
            "planted": len(planted[fault.name]),
            "found": sum(
                (one.node, one.case_id, fault.rule, fault.level) in found for one in planted[fault.name]
            ),
            "cases": [one.case_id for one in planted[fault.name]],
        }
        for fault in EVERY_FAULT
    ]


def _rules(plan: Plan, found: Counter[Finding]) -> list[dict[str, Any]]:
    """Planned and found by rule and level, accompanying alerts included."""
    planned, there = (_by_rule(findings) for findings in (plan.findings, found))
    return [
        {
            "rule": rule,
            "level": _WORDS[level],
            "planned": planned[(rule, level)],
            "found": there[(rule, level)],
        }
        for rule, level in sorted(planned.keys() | there.keys())
    ]


def _by_rule(findings: Counter[Finding]) -> Counter[tuple[str, int]]:
    counted: Counter[tuple[str, int]] = Counter()
    for (_, _, rule, level), count in findings.items():
        counted[(rule, level)] += count
    return counted


def _finding(one: Finding) -> str:
    node, case_id, rule, level = one
    return f"{_WORDS[level]} {rule} on {case_id} at {node}"
