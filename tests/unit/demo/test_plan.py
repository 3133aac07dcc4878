"""Planted and found are two answers to one question: the engine, node by node, finds the plan and nothing beside it."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from zongheng.v1 import case_pb2

from node.demo.crossing import ABOUT
from node.demo.expected import RED
from node.demo.generator import Demo, Finding, generate
from node.demo.hall import NOW
from node.demo.items import catalogue
from node.demo.places import ZONE, place, places
from node.matching.comparing import of_payee
from node.matching.identifiers import normal
from node.store.linkage import LinkRow
from node.store.rows import EventRow
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.evaluate import evaluate
from node.supervision.fold import installed
from node.supervision.frame import from_rows
from node.supervision.gathering import gathered
from node.wallclock import micros
from tiers.profile import profile_of
from tiers.tier import tier_named


def found(demo: Demo) -> Counter[Finding]:
    """What each node finds in what it was told, as of the demo's now."""
    rows: dict[str, list[EventRow]] = defaultdict(list)
    for one in demo.sent:
        for submission in one.submissions:
            texts = {name: "sha256:00" for name in submission.texts}
            row = _row(one.node, len(rows[one.node]), submission.event, texts)
            rows[one.node].append(replace(row, applicant=submission.applicant.name or "handle"))
    findings: Counter[Finding] = Counter()
    for node, told in rows.items():
        here = place(node)
        context = Context(Calendar.china(), catalogue(here), zone=ZONE, tier=here.tier, node=node)
        told += list(gathered(tuple(told)))
        judged = evaluate(
            from_rows(told),
            context,
            micros(NOW),
            len(told),
            installed(profile_of(tier_named(here.tier)).domains),
        )
        for one in judged.finding_values():
            findings[(node, one.case_id, one.rule, int(one.level))] += 1
    return findings + matched(demo)


def matched(demo: Demo) -> Counter[Finding]:
    """What the payments of several nodes show together, at each node that has them on different ways."""
    payments = [
        (one.node, submission)
        for one in demo.sent
        for submission in one.submissions
        if submission.event.domain == "funds" and normal("person", submission.applicant.id_number)
    ]
    findings: Counter[Finding] = Counter()
    for here in places():

        def way(node: str, here: str = here.node) -> str:
            while node and place(node).parent != here:
                node = place(node).parent
            return node

        by_person: dict[str, list[LinkRow]] = defaultdict(list)
        for index, (node, submission) in enumerate(payments):
            if node == here.node or way(node):
                event = submission.event
                said = {one.name: one.text for one in event.attributes}
                person = normal("person", submission.applicant.id_number)
                group = f"{said['programme']}/{said['period']}"
                by_person[person].append(
                    LinkRow(
                        "k",
                        person,
                        "person",
                        node,
                        index,
                        event.case_id,
                        group,
                        "",
                        "h",
                        event.at_us,
                        1,
                        "",
                        "",
                    )
                )
        for rows in by_person.values():
            for match in of_payee(here.node, rows, lambda node, way=way: way(node) or node, {}):
                findings[(here.node, f"{ABOUT}{match.subject}", match.rule, RED)] += 1
    return findings


def _row(node: str, index: int, event: case_pb2.CaseEvent, texts: dict[str, str]) -> EventRow:
    attributes: dict[str, object] = dict(texts)
    for attribute in event.attributes:
        attributes[attribute.name] = getattr(attribute, attribute.WhichOneof("value") or "text")
    return EventRow(
        origin=node,
        case_id=event.case_id,
        idx=index,
        at_us=event.at_us,
        day_only=event.day_only,
        zone=event.zone,
        domain=event.domain,
        kind=event.kind,
        received_at_us=event.received_at_us,
        noted_at_us=micros(NOW),
        agency=event.agency,
        actor=event.actor,
        item=event.item,
        step=event.step,
        applicant="handle",
        import_id="",
        attributes=attributes,
    )


@pytest.mark.parametrize(("cases", "seed"), [(12, 3), (60, 2), (600, 1), (600, 7), (2_000, 20)])
def test_the_rules_find_what_was_planted_and_nothing_else(cases: int, seed: int) -> None:
    demo = generate(cases, seed)
    missing, unplanned = demo.plan.difference(found(demo))
    assert not missing, sorted(missing)[:10]
    assert not unplanned, sorted(unplanned)[:10]


def test_a_finding_that_nobody_planted_would_be_seen() -> None:
    demo = generate(60, 2)
    every = found(demo)
    lost = next(iter(every))
    every[lost] -= 1
    every[("990100", "990100-999999", "approval.time.case", 3)] += 1
    missing, unplanned = demo.plan.difference(every)
    assert list(missing) == [lost]
    assert list(unplanned) == [("990100", "990100-999999", "approval.time.case", 3)]
