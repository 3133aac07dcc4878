"""What the demo sends is believable and the same on every run, and the nodes' own rules find exactly what it planted."""

from collections import Counter
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from node.demo.expected import NOTICE
from node.demo.generator import EVERY_FAULT, Demo, generate
from node.demo.hall import NOW, PERIOD, Moment
from node.demo.places import ZONE, place, places
from node.intake.vocabulary import vocabulary
from node.supervision.calendar import Calendar
from node.supervision.clock import HALL_HOURS
from node.supervision.domains.approval import events
from node.wallclock import instant, micros

CASES = 600


@pytest.fixture(scope="module")
def demo() -> Demo:
    return generate(CASES, 1)


def test_same_seed_sends_the_same_bytes_and_another_seed_others() -> None:
    def sent(seed: int) -> list[bytes]:
        return [
            submission.SerializeToString(deterministic=True)
            for one in generate(120, seed).sent
            for submission in one.submissions
        ]

    assert sent(5) == sent(5)
    assert sent(5) != sent(6)


def test_as_many_cases_are_filed_as_asked_for_and_every_node_has_some(demo: Demo) -> None:
    assert demo.plan.filed.total() == CASES
    assert set(demo.plan.filed) == {one.node for one in places()}
    assert min(demo.plan.filed.values()) >= 1
    assert demo.plan.filed["990121"] > demo.plan.filed["990121101"] > demo.plan.filed["990121101201"]


def test_fewer_cases_than_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        generate(len(places()) - 1, 1)


def test_every_event_happens_before_now_in_an_open_hall_and_is_entered_after_it_happened(demo: Demo) -> None:
    calendar = Calendar.china()
    for one in demo.sent:
        for submission in one.submissions:
            at = instant(submission.event.at_us).astimezone(ZoneInfo(ZONE))
            assert at < NOW
            assert calendar.is_working(at.date())
            assert not calendar.is_provisional(at.date())
            minute = at.hour * 60 + at.minute
            assert any(since <= minute < until for since, until in HALL_HOURS)
            assert submission.event.at_us < submission.event.received_at_us < micros(NOW)


def test_only_the_words_of_the_vocabulary_are_used(demo: Demo) -> None:
    for one in demo.sent:
        for submission in one.submissions:
            allowed = vocabulary(submission.event.domain).kinds[submission.event.kind]
            assert {attribute.name for attribute in submission.event.attributes} <= allowed.keys()
            assert set(submission.texts) <= allowed.keys()


def test_events_of_a_case_follow_one_another_unless_the_fault_is_that_they_do_not(demo: Demo) -> None:
    faulty = {one.case_id for one in demo.plan.by_fault()["completed_first"]}
    for one in demo.sent:
        if one.case_id not in faulty:
            times = [submission.event.at_us for submission in one.submissions]
            assert all(before < after for before, after in pairwise(times)), one.case_id


def test_serials_are_unique_at_each_node(demo: Demo) -> None:
    serials = Counter((one.node, submission.serial) for one in demo.sent for submission in one.submissions)
    assert max(serials.values()) == 1


def test_every_kind_of_fault_is_planted_in_a_case_of_its_own(demo: Demo) -> None:
    planted = demo.plan.by_fault()
    assert {name for name, ones in planted.items() if ones} == {fault.name for fault in EVERY_FAULT}
    assert max(Counter(one.case_id for one in demo.plan.planted).values()) == 1


def test_cases_without_a_fault_raise_nothing_above_a_notice(demo: Demo) -> None:
    faulty = {one.case_id for one in demo.plan.planted}
    assert {level for _, case, _, level in demo.plan.findings if case not in faulty} == {NOTICE}


def test_a_case_that_rises_is_signed_for_at_each_tier_with_what_its_clocks_need(demo: Demo) -> None:
    passed: dict[str, list[str]] = {}
    for one in demo.sent:
        passed.setdefault(one.case_id, []).append(one.node)
        if one.node != one.case_id.split("-")[0]:
            first = one.submissions[0].event
            carried = {attribute.name for attribute in first.attributes}
            assert first.kind == events.SIGNED_FOR
            assert {"filed_at", "accepted_at", "from_node", "hand_over", "statutory_days"} <= carried
    assert ["990121101201", "990121101", "990121"] in passed.values()


def test_a_case_from_the_branch_without_a_county_is_decided_at_the_city(demo: Demo) -> None:
    deciding = {
        one.node
        for one in demo.sent
        if one.case_id.startswith("990100101201-")
        and one.submissions[-1].event.kind in (events.COMPLETION, events.COLLECTION)
        and one.node != "990100101201"
    }
    assert deciding <= {"990100101", "990100"}
    assert "990100" in deciding


def test_some_cases_are_returned_and_handed_over_again(demo: Demo) -> None:
    returned = [one for one in demo.sent if any(s.event.kind == events.RETURNED for s in one.submissions)]
    assert returned
    for one in returned:
        below = next(
            other
            for other in demo.sent
            if other.case_id == one.case_id and other.node == one.case_id.split("-")[0]
        )
        assert place(below.node).parent == one.node


def test_some_cases_are_open_at_now(demo: Demo) -> None:
    closing = {events.COMPLETION, events.REFUSAL}
    over = {
        one.case_id for one in demo.sent for submission in one.submissions if submission.event.kind in closing
    }
    share = 1 - len(over) / CASES
    assert 0.03 < share < 0.4


def test_the_period_ends_on_the_working_day_of_now() -> None:
    assert PERIOD.days[PERIOD.today] == NOW.date()
    opening = instant(PERIOD.instant(Moment(PERIOD.today, 0))).astimezone(ZoneInfo(ZONE))
    assert (opening.hour, opening.minute) == (9, 0)
