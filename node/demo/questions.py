"""The three questions that the demo asks at the city, and what makes an answer to them sound.

An answer is sound when every node of the subtree answered, nothing in it failed its proof, and it says what the plan knows.
"""

import time
from dataclasses import dataclass
from typing import Any

from node.demo.expected import CASE, RED
from node.demo.faults import SLOW_DESK
from node.demo.federation import Federation, Member
from node.demo.generator import Plan, origin_of
from node.demo.hall import PERIOD
from node.demo.items import VILLAGE
from node.demo.places import place


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its answer in short, and whether it is sound."""

    question: str
    expected: int
    answered: int
    ms: float
    verified: bool
    words: str
    """What it says, or why it is not sound."""
    sound: bool

    def content(self) -> dict[str, Any]:
        """Its part of the report."""
        return {
            "question": self.question,
            "coverage": {"expected": self.expected, "answered": self.answered},
            "ms": round(self.ms, 1),
            "verified": self.verified,
            "words": self.words,
        }


async def ask_three(federation: Federation, plan: Plan) -> list[Asked]:
    """Red cards of the whole tree; one case's trail through all tiers; a rule again with a stricter limit over a county."""
    city = federation.root
    reds = sum(count for (_, _, _, level), count in plan.findings.items() if level == RED)
    questions = [
        await _ask(city, {"subtree": city.node, "question": "alerts", "level": "red"}, "alerts", reds),
    ]
    case_id = _of_a_village(plan)
    entries = sum(count for (_, case), count in plan.events.items() if case == case_id)
    entries += sum(count for (_, case, _, _), count in plan.findings.items() if case == case_id)
    body = {"subtree": city.node, "question": "case", "subject": case_id}
    questions.append(await _ask(city, body, "entries", entries))
    county = next(member for member in federation.members.values() if member.place.tier == "county")
    stricter: dict[str, Any] = {
        "subtree": county.node,
        "question": "rerun",
        "subject": CASE,
        "limit_days": 10,
        "from": PERIOD.first.isoformat(),
        "to": PERIOD.now.isoformat(),
    }
    questions.append(await _ask(city, stricter, "rerun", None))
    return questions


def _of_a_village(plan: Plan) -> str:
    """A case that was filed in a village: one whose town spent the days, where there is one."""
    slow = plan.by_fault()[SLOW_DESK]
    if slow:
        return slow[0].case_id
    return min(case for _, case in plan.events if place(origin_of(case)).tier == VILLAGE)


async def _ask(city: Member, body: dict[str, Any], rows: str, expected_rows: int | None) -> Asked:
    began = time.perf_counter()
    answer = await city.post("/api/ask", {"proof": True, "deadline_s": 30.0, **body})
    ms = (time.perf_counter() - began) * 1_000
    got = sum(len(part[rows]) for part in answer["nodes"])
    coverage = answer["coverage"]
    expected, answered = _count(coverage["expected"]), _count(coverage["answered"])
    counted = expected_rows is None or got == expected_rows
    words = f"{got} {rows}" if counted else f"{got} {rows}, {expected_rows} expected"
    verified = answer["verified"] is True
    problems = [f"{part['node']}: {part['problem']}" for part in answer["nodes"] if part["problem"]]
    words = "; ".join([words, *problems])
    return Asked(
        " ".join(str(value) for value in body.values()),
        expected,
        answered,
        ms,
        verified,
        words,
        counted and verified and answered == expected and bool(answer["complete"]),
    )


def _count(of: Any) -> int:
    return of if isinstance(of, int) else len(of)
