"""A withdrawn item takes no new case; what is under way, was filed before, or comes from another node is taken in."""

from collections.abc import Collection, Sequence

import pytest
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.catalogue_pb2 import Item
from zongheng.v1.intake_pb2 import Submission, SubmitRequest

from node.intake.service import Intake
from node.intake.withdrawn import Withdrawn, withdrawn_since
from tests.unit.intake.conftest import NOW_US, Desk

HOUR = 3_600_000_000
SINCE = NOW_US - 2 * HOUR
CATALOGUE = [
    Item(code="A", version=1),
    Item(code="A", version=2, withdrawn=True, valid_from_us=SINCE),
    Item(code="B", version=1),
]


def event(case: str, item: str = "A", *, hours: int = -1, kind: str = "application") -> Submission:
    return Submission(
        serial=f"{case}/{kind}/{hours}",
        event=CaseEvent(
            case_id=case, domain="approval", kind=kind, at_us=NOW_US + hours * HOUR, agency="MZ", item=item
        ),
    )


@pytest.fixture
def intake(desk: Desk) -> Intake:
    async def items() -> Sequence[Item]:
        return CATALOGUE

    async def begun(cases: Collection[str]) -> Collection[str]:
        return {case for case in cases if case.startswith("old")}

    return Intake(desk.store, desk.writer, desk.vault, lambda: NOW_US, withdrawn=Withdrawn(items, begun))


async def codes(intake: Intake, *submissions: Submission) -> tuple[int, list[str]]:
    answer = await intake.submit(SubmitRequest(source="s", submissions=submissions))
    return answer.accepted, [one.code for one in answer.rejected]


async def test_a_new_case_is_turned_away_with_all_its_events_and_that_is_an_entry(
    intake: Intake, desk: Desk
) -> None:
    assert await codes(intake, event("new"), event("new", kind="acceptance")) == (
        0,
        ["withdrawn", "withdrawn"],
    )
    assert [entry.rejected.code for entry in await desk.entries()] == ["withdrawn", "withdrawn"]


@pytest.mark.parametrize(
    "submission",
    [
        event("old-1", kind="acceptance"),
        event("new", "B"),
        event("new", ""),
        event("new", hours=-3),
        event("elsewhere-1", kind="signed_for"),
    ],
    ids=["under way", "another item", "no item named", "filed before", "from another node"],
)
async def test_everything_else_is_taken_in(intake: Intake, submission: Submission) -> None:
    assert await codes(intake, submission) == (1, [])


async def test_a_case_that_was_filed_before_goes_on_in_the_same_batch(intake: Intake) -> None:
    assert await codes(intake, event("new", hours=-3), event("new", kind="acceptance")) == (2, [])


def test_an_item_that_is_listed_again_is_open() -> None:
    assert withdrawn_since(CATALOGUE) == {"A": SINCE}
    assert withdrawn_since([*CATALOGUE, Item(code="A", version=3)]) == {}
