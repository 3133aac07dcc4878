"""An item of any domain held against the laws, fee standards and posts that the node has published; and the fee that a standard says."""

import pytest
from zongheng.v1.catalogue_pb2 import Item, Limit, RiskPoint, Step
from zongheng.v1.engine_pb2 import Library, LibraryRow
from zongheng.v1.items_pb2 import Post

from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.evaluate import evaluate
from node.supervision.fold import installed
from node.supervision.frame import from_rows
from node.supervision.item_listing import FEE, LAW, POST, faults
from node.supervision.library import libraries

DAY = 20_000
LAWS = Library(
    name="laws",
    version=1,
    rows=[
        LibraryRow(code="行政许可法"),
        LibraryRow(code="旧条例", valid_to_day=DAY - 1),
        LibraryRow(code="新条例", valid_from_day=DAY + 1),
    ],
)
FEES = Library(
    name="fee_standards",
    version=1,
    rows=[
        LibraryRow(code="登记费", grade="住宅", low=8_000, high=8_000, valid_to_day=19_782),  # 2024-02-29
        LibraryRow(code="登记费", grade="住宅", low=6_000, high=6_000, valid_from_day=19_783),
    ],
)
POSTS = {"SC": Post(code="SC", agency="ZR"), "JD": Post(code="JD", agency="MZ")}


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (Item(legal_basis="《行政许可法》第四十二条"), ()),
        (Item(), ()),
        (Item(legal_basis="旧条例 §3"), (LAW,)),
        (Item(legal_basis="行政许可法 §42", statutory=Limit(amount=1, legal_basis="新条例 §1")), (LAW,)),
        (Item(steps=[Step(code="A", limit=Limit(amount=1, legal_basis="没有的法"))]), (LAW,)),
        (Item(fee_standard="登记费", fee_grade="住宅"), ()),
        (Item(fee_standard="登记费", fee_grade="车库"), (FEE,)),
        (Item(agency="ZR", steps=[Step(code="A", post="SC")]), ()),
        (Item(agency="ZR", steps=[Step(code="A", post="JD")]), (POST,)),
        (Item(agency="ZR", steps=[Step(code="A", risks=[RiskPoint(post="none")])]), (POST,)),
    ],
)
def test_what_libraries_and_posts_do_not_have_is_a_fault(item: Item, found: tuple[str, ...]) -> None:
    assert faults(item, libraries([LAWS, FEES]), POSTS, DAY) == found


def test_a_library_that_nobody_published_accuses_nobody() -> None:
    item = Item(legal_basis="没有的法", fee_standard="登记费")
    assert faults(item, {}, {}, DAY) == ()
    assert faults(item, libraries([Library(name="laws")]), {}, DAY) == ()


@pytest.mark.parametrize(
    ("accepted", "charged", "unlawful"),
    [
        ("2024-02-29 10:00", 8_000, False),
        ("2024-02-29 10:00", 6_000, True),
        ("2024-03-01 10:00", 8_000, True),
        ("2024-03-01 10:00", 6_000, False),
    ],
)
def test_the_fee_is_what_the_standard_said_when_the_case_began(
    story, item, found, at, accepted, charged, unlawful
) -> None:
    told = story().then(accepted, "application", channel="window").then(accepted, "acceptance")
    told.then("2024-03-05 10:00", "fee", amount=charged, basis="票据").then(
        "2024-03-06 10:00", "completion", result="issued"
    )
    listed = item(has_fee=True, fee_standard="登记费", fee_grade="住宅")

    def judged(published):
        context = Context(Calendar.china(), [listed], libraries=libraries(published))
        return evaluate(from_rows(told.rows), context, at("2024-03-07 10:00"), 9, installed(("approval",)))

    assert bool(found(judged([FEES]), "fee.unlawful")) == unlawful
    # Without the library nobody can say what was lawful.
    assert found(judged([]), "fee.unlawful") == set()
