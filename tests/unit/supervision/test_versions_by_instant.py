"""Which version of an item a case is under, to the instant: the one it began with, whatever is published or withdrawn afterwards."""

import pytest

from node.supervision import context

RED = 3


@pytest.fixture(params=["few", "many"])
def looked_up(request, monkeypatch):
    """Versions are looked up one by one or by a join; the answer is the same."""
    monkeypatch.setattr(context, "_FEW", 64 if request.param == "few" else 0)


def versions(item, at):
    """Twenty days, from 1 March at noon two days, and from 4 March at noon nothing."""
    return [
        item(promised=None),
        item(version=2, statutory=2, promised=None, valid_from_us=at("2024-03-01 12:00")),
        item(version=3, statutory=2, promised=None, valid_from_us=at("2024-03-04 12:00"), withdrawn=True),
    ]


@pytest.mark.usefixtures("looked_up")
@pytest.mark.parametrize(
    ("accepted", "late", "unlisted"),
    [
        ("2024-03-01 11:59", False, False),
        ("2024-03-01 12:00", True, False),
        ("2024-03-04 11:59", True, False),
        ("2024-03-04 12:00", False, True),
    ],
)
def test_the_version_that_rules_at_the_instant_of_acceptance_is_the_cases(
    story, judge, found, item, at, accepted, late, unlisted
) -> None:
    told = story().then(accepted, "application", channel="window").then(accepted, "acceptance")
    told.then("2024-03-11 09:00", "completion", result="issued")
    judged = judge(told, items=versions(item, at), as_of="2024-03-11 10:00")
    assert (("case", RED) in found(judged, "time.case")) == late
    assert bool(found(judged, "procedure.unlisted")) == unlisted


@pytest.mark.usefixtures("looked_up")
def test_a_case_received_before_its_item_was_withdrawn_goes_on_when_it_is_accepted_after(
    story, judge, found, item, at
) -> None:
    told = story().then("2024-03-04 11:00", "application", channel="window")
    told.then("2024-03-05 09:00", "acceptance")
    judged = judge(told, items=versions(item, at), as_of="2024-03-08 12:00")
    assert found(judged, "procedure.unlisted") == set()
    assert ("case", RED) in found(judged, "time.case")


def test_a_catalogue_without_instants_is_looked_up_by_days_alone(story, judge, found, item) -> None:
    told = story().then("2024-03-01 09:00", "application", channel="window")
    told.then("2024-03-01 10:00", "acceptance")
    judged = judge(told, items=[item(statutory=2, promised=None)], as_of="2024-03-11 10:00")
    assert ("case", RED) in found(judged, "time.case")
