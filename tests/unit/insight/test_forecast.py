"""Which open cases will be late: shares that can be counted by hand, and a year of a real log foretold from what was known before."""

import csv
import gzip
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import iterparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.insight.forecast import MIN_SAMPLE, Course, Survival, back_test, forecast

LIMIT = 100
DAY_US = 86_400_000_000


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


def stepped(case: int, took: int | None, *steps: tuple[int, str], began: int = 0) -> Course:
    """A case with steps that it came to after so long."""
    return replace(
        course(case, took, began=began), stages=tuple((began + after, step) for after, step in steps)
    )


def test_cases_that_were_in_the_same_step_then_are_counted() -> None:
    checked = [stepped(n, 150, (0, "filed"), (20, "check")) for n in range(20)]
    # They had left the check when half of the limit was used: they tell nothing of who is still in it.
    through = [stepped(n + 30, 60, (0, "filed"), (20, "check"), (40, "decide")) for n in range(40)]
    now = 1_000 + 50
    here = stepped(99, None, (0, "filed"), (10, "check"), began=1_000)
    there = stepped(98, None, (0, "filed"), (45, "decide"), began=1_000)
    found = {one.course.case: one for one in forecast([*checked, *through, here, there], now)}
    assert (found["c99"].of_step, found["c99"].step, found["c99"].sample, found["c99"].chance) == (
        True, "check", 21, 1.0,
    )  # fmt: skip
    assert (found["c98"].of_step, found["c98"].step, found["c98"].chance) == (True, "decide", 0.0)
    without = {one.course.case: one for one in forecast([*checked, *through, here], now, steps=False)}
    assert (without["c99"].of_step, without["c99"].chance) == (False, pytest.approx(20 / 60))


def test_of_a_step_with_too_few_the_item_is_taken() -> None:
    past = [stepped(n, 80, (0, "filed")) for n in range(40)]
    rare = stepped(99, None, (0, "filed"), (10, "hearing"), began=1_000)
    (one,) = forecast([*past, rare], 1_050)
    assert (one.of_step, one.of_item, one.step) == (False, True, "hearing")


def test_a_step_that_came_later_is_not_known_yet() -> None:
    later = stepped(1, 90, (0, "filed"), (70, "decide"))
    assert [later.stage(at) for at in (-1, 0, 69, 70)] == ["", "filed", "filed", "decide"]


@pytest.fixture(scope="module")
def permits(shared_data: Path) -> list[Course]:
    """The permit log, read here and nowhere else: limits out of the list of answers, steps out of the events."""
    stages: dict[str, list[tuple[int, str]]] = {}
    with gzip.open(shared_data / "wabo" / "receipt.xes.gz") as file:
        for _, element in iterparse(file):
            if element.tag.endswith("trace"):
                said = {one.get("key"): one.get("value") for one in element}
                events = [
                    {one.get("key"): one.get("value") for one in event}
                    for event in element
                    if event.tag.endswith("event")
                ]
                stages[str(said["concept:name"])] = sorted(
                    (us(str(one["time:timestamp"])), str(one["concept:name"])) for one in events
                )
                element.clear()
    with gzip.open(shared_data / "wabo" / "expected.csv.gz", "rt", encoding="utf-8") as file:
        return [
            Course(
                row["case_id"], "wabo", us(row["start"]), us(row["deadline"]), us(row["enddate"]) if row["enddate"] else None,
                tuple(stages[row["case_id"]]),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def test_on_a_real_log_the_forecast_beats_the_plain_share_and_steps_better_it(permits: list[Course]) -> None:
    now_us = us("2012-01-23T15:42:54.644+01:00")
    found = back_test(permits, now_us)
    assert found is not None
    assert (found.forecasts, found.late, round(found.expected)) == (1_822, 696, 699)
    errors = [round(one, 3) for one in (found.error, found.error_without_steps, found.error_of_share)]
    assert errors == [0.225, 0.227, 0.241]
    assert (found.flagged, found.flagged_late) == (227, 129)
    # Calibrated: in every part what came lies within three standard deviations of what was expected.
    assert sum(one.forecasts for one in found.bins) == found.forecasts
    for one in found.bins:
        share = one.expected / one.forecasts
        assert abs(one.late - one.expected) <= 3 * (one.forecasts * share * (1 - share)) ** 0.5 + 1
    plain = back_test([replace(one, stages=()) for one in permits], now_us)
    assert plain is not None
    assert plain.error == found.error_without_steps == plain.error_without_steps
    assert back_test([], 0) is None


def test_fines_that_will_be_sent_late_are_foretold_from_how_others_were_sent(shared_data: Path) -> None:
    """Sending within 90 days, of the fines that were sent: 3,970 of 6,570 were not. Those past a third of the limit are likelier to be late."""
    courses = []
    with gzip.open(shared_data / "fines" / "expected.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["create_to_send_days"]:
                began = us(f"{row['create']}T00:00:00+00:00")
                took = round(float(row["create_to_send_days"]) * DAY_US)
                courses.append(
                    Course(row["case_id"], "fine", began, began + 90 * DAY_US, began + max(took, 1))
                )
    assert len(courses) == 6_570
    assert sum(one.late(2**62) is True for one in courses) == 3_970
    ends = sorted(one.began_us for one in courses)
    found = back_test(courses, ends[len(ends) // 2])
    assert found is not None
    assert found.forecasts > 300
    assert found.error < found.error_of_share
