"""Which open cases will be late: shares that can be counted by hand, and a year of a real log foretold from what was known before."""

import csv
import gzip
from datetime import datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from node.supervision.forecast import MIN_SAMPLE, Course, Survival, back_test, forecast

LIMIT = 100


def course(case: int, took: int | None, item: str = "A", began: int = 0) -> Course:
    """A case with a limit of 100."""
    return Course(f"c{case}", item, began, began + LIMIT, None if took is None else began + took)


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def test_the_chance_is_the_share_of_those_that_came_as_far() -> None:
    past = [course(n, took) for n, took in enumerate([10] * 20 + [90] * 15 + [150] * 5)]
    (one,) = forecast([*past, course(99, None, began=1_000)], 1_000 + 50)
    # Of the twenty that took longer than half of their limit, five were late; this case stands among them.
    assert (one.course.case, one.sample, one.of_item) == ("c99", 21, True)
    assert one.chance == 5 / 20


def test_with_too_few_of_the_item_all_items_are_counted_and_with_too_few_of_all_nothing_is_said() -> None:
    now = 1_000 + 50
    rare = course(99, None, "B", began=1_000)
    (one,) = forecast([*(course(n, 120) for n in range(MIN_SAMPLE)), rare], now)
    assert (one.of_item, one.chance) == (False, 1.0)
    assert forecast([*(course(n, 120) for n in range(MIN_SAMPLE - 2)), rare], now) == []


def test_cases_that_are_late_or_over_are_not_forecast() -> None:
    past = [course(n, 80) for n in range(40)]
    assert forecast([*past, course(98, None, began=0), course(99, 20, began=1_000)], 1_050) == []


@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=60), st.floats(0, 0.999))
def test_a_chance_is_a_share_and_grows_with_what_is_used(ends: list[tuple[int, bool]], used: float) -> None:
    survival = Survival([course(n, None if is_open else took) for n, (took, is_open) in enumerate(ends)], 400)
    assert 0 <= survival.chance(used / 2) <= survival.chance(used) <= 1


def test_nothing_is_known_that_came_later() -> None:
    cases = [course(n, 60 + n, began=n * 7) for n in range(60)]
    later = [
        Course(one.case, one.item, one.began_us, one.due_us, None if one.ended_us and one.ended_us > 250 else one.ended_us)
        for one in cases
        if one.began_us < 250
    ]  # fmt: skip
    assert [(one.course.case, one.chance) for one in forecast(cases, 250)] == [
        (one.course.case, one.chance) for one in forecast(later, 250)
    ]


def test_on_a_real_log_the_forecast_beats_the_plain_share(shared_data: Path) -> None:
    with gzip.open(shared_data / "wabo" / "expected.csv.gz", "rt", encoding="utf-8") as file:
        courses = [
            Course(
                row["case_id"], "wabo", us(row["start"]), us(row["deadline"]), us(row["enddate"]) if row["enddate"] else None
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip
    found = back_test(courses, us("2012-01-23T15:42:54.644+01:00"))
    assert found is not None
    assert (found.forecasts, found.late, round(found.expected)) == (1_822, 696, 746)
    assert (round(found.error, 3), round(found.error_of_share, 3)) == (0.227, 0.241)
    assert back_test([], 0) is None
