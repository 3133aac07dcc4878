"""Cases told in a few lines, and judged: what the tests of supervision share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from zongheng.v1 import catalogue_pb2

from node.store.rows import EventRow
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.evaluate import Evaluation, evaluate
from node.supervision.fold import installed
from node.supervision.frame import from_rows
from node.supervision.policy import Policy

ZONE = "Asia/Shanghai"


def us(text: str, zone: str = ZONE) -> int:
    """Microseconds of a local time such as "2024-03-01 10:00"."""
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
    return round(at.timestamp() * 1_000_000)


@dataclass
class Story:
    """The events of one case at one node, told one after the other; by default entered ten minutes after they happened."""

    case: str = "n-1"
    item: str = "A1"
    agency: str = "AG"
    rows: list[EventRow] = field(default_factory=list)
    start: int = 0

    def then(
        self,
        at: str,
        kind: str,
        actor: str = "W1",
        /,
        *,
        step: str = "",
        entered: str | None = "soon",
        zone: str = "",
        day_only: bool = False,
        **attributes: Any,
    ) -> "Story":
        at_us = us(at)
        received = {"soon": at_us + 600_000_000, None: 0}.get(entered)
        self.rows.append(
            EventRow(
                origin="n",
                case_id=self.case,
                idx=self.start + len(self.rows),
                at_us=at_us,
                day_only=day_only,
                zone=zone,
                domain="approval",
                kind=kind,
                received_at_us=us(entered) if received is None and entered else received or 0,
                noted_at_us=at_us,
                agency=self.agency,
                actor=actor,
                item=self.item,
                step=step,
                applicant="handle",
                import_id="",
                attributes=attributes,
            )
        )
        return self


@pytest.fixture
def story() -> type[Story]:
    return Story


@pytest.fixture
def at() -> Callable[[str], int]:
    return us


@pytest.fixture
def item() -> Callable[..., catalogue_pb2.Item]:
    """An item of ten promised and twenty statutory working days, or what else is asked for."""

    def build(
        *,
        code: str = "A1",
        statutory: int | None = 20,
        promised: int | None = 10,
        unit: int = catalogue_pb2.LIMIT_UNIT_WORKING_DAY,
        roll_forward: bool = False,
        steps: Iterable[catalogue_pb2.Step] = (),
        **more: Any,
    ) -> catalogue_pb2.Item:
        def limit(days: int | None) -> catalogue_pb2.Limit | None:
            if days is None:
                return None
            return catalogue_pb2.Limit(
                amount=days, unit=catalogue_pb2.LimitUnit.ValueType(unit), roll_forward=roll_forward
            )

        return catalogue_pb2.Item(
            code=code,
            version=more.pop("version", 1),
            statutory=limit(statutory),
            promised=limit(promised),
            steps=steps,
            **more,
        )

    return build


Judge = Callable[..., Evaluation]


@pytest.fixture
def judge(item: Callable[..., catalogue_pb2.Item]) -> Judge:
    """Judge stories at a node whose catalogue has the item A1, unless told otherwise."""

    def run(
        *stories: Story,
        as_of: str = "2024-06-28 12:00",
        items: Sequence[catalogue_pb2.Item] | None = None,
        policy: Policy | None = None,
        calendar: Calendar | None = None,
        tier: str = "",
        size: int = 0,
    ) -> Evaluation:
        context = Context(
            calendar or Calendar.china(),
            [item()] if items is None else items,
            policy or Policy(),
            zone=ZONE,
            tier=tier,
            node="n",
        )
        rows = [row for one in stories for row in one.rows]
        return evaluate(from_rows(rows), context, us(as_of), size or len(rows), installed(("approval",)))

    return run


@pytest.fixture
def found() -> Callable[[Evaluation, str], set[tuple[str, int]]]:
    """What a rule found: (subject, level)."""

    def pick(evaluation: Evaluation, rule: str) -> set[tuple[str, int]]:
        rows = evaluation.findings.filter(pl.col("rule") == f"approval.{rule}").select("subject", "level")
        return set(rows.iter_rows())

    return pick


@pytest.fixture
def counted() -> Callable[[Evaluation, str], tuple[int, int]]:
    """How many subjects a rule checked, and how many it could not."""

    def pick(evaluation: Evaluation, rule: str) -> tuple[int, int]:
        row = evaluation.rules.filter(pl.col("rule") == f"approval.{rule}")
        return row["checked"].item(), row["undetermined"].item()

    return pick
