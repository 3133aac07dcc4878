"""Who steers: one at a time, the higher tier first, and no movement without an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ZonghengError
from node.media.permission import Viewer
from node.media.steering.holds import HOLD_S, LONGEST_S, Holds, NotHeld, rank

VILLAGER = Viewer("2001", "990121101001", "village", frozenset({"supervisor"}))
TOWNSMAN = Viewer("1001", "990121101", "town", frozenset({"supervisor"}))
TOWNSWOMAN = Viewer("1002", "990121101", "town", frozenset({"supervisor"}))


def test_one_has_it_and_others_are_told_who() -> None:
    holds = Holds()
    hold, before = holds.take("hall", "hold-of-1001", TOWNSMAN, 0.0)
    assert before is None
    for other in (TOWNSWOMAN, VILLAGER):
        with pytest.raises(ZonghengError) as told:
            holds.take("hall", f"hold-of-{other.who}", other, 5.0)
        assert (told.value.code, "1001 of 990121101" in told.value.detail) == ("steered", True)
    assert holds.of("hall", 5.0) is hold
    assert holds.take("door", "hold-of-2001", VILLAGER, 5.0)[0].who is VILLAGER


def test_a_higher_tier_takes_it_over_and_the_lower_is_told() -> None:
    holds = Holds()
    first, _ = holds.take("hall", "hold-of-2001", VILLAGER, 0.0)
    second, before = holds.take("hall", "hold-of-1001", TOWNSMAN, 1.0)
    assert before is first
    with pytest.raises(NotHeld):
        holds.command("hall", "hold-of-2001", 5, 2.0)
    with pytest.raises(ZonghengError) as told:
        holds.take("hall", "hold-of-2001", VILLAGER, 2.0)
    assert told.value.code == "steered"
    assert holds.command("hall", "hold-of-1001", 1, 2.0) is second


def test_a_hold_runs_out_after_its_last_movement_and_is_anybodys_then() -> None:
    holds = Holds()
    hold, _ = holds.take("hall", "hold-of-1001", TOWNSMAN, 0.0)
    holds.moves(hold, 2.0, 5.0)
    assert holds.of("hall", 7.0 + HOLD_S - 0.1) is hold
    with pytest.raises(NotHeld):
        holds.command("hall", "hold-of-1001", 1, 7.0 + HOLD_S)
    assert holds.take("hall", "hold-of-2001", VILLAGER, 7.0 + HOLD_S)[1] is hold


def test_the_same_person_has_it_still_from_another_page_and_keeps_it_by_its_name() -> None:
    holds = Holds()
    hold, _ = holds.take("hall", "hold-of-1001", TOWNSMAN, 0.0)
    assert holds.take("hall", "hold-of-1001", TOWNSMAN, 1.0) == (hold, None)
    assert holds.take("hall", "another-of-1001", TOWNSMAN, 2.0)[1] is hold


def test_a_command_that_was_overtaken_is_left_out() -> None:
    holds = Holds()
    hold, _ = holds.take("hall", "hold-of-1001", TOWNSMAN, 0.0)
    assert holds.command("hall", hold.id, 2, 1.0) is hold
    assert holds.command("hall", hold.id, 1, 1.0) is None
    assert holds.command("hall", hold.id, 2, 1.0) is None
    assert holds.command("hall", hold.id, 3, 1.0) is hold


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, LONGEST_S)), min_size=1, max_size=20))
def test_whatever_is_commanded_the_camera_is_stopped_within_the_longest_movement_after_the_last(
    commands: list[tuple[float, float]],
) -> None:
    holds = Holds()
    hold, _ = holds.take("hall", "hold-of-1001", TOWNSMAN, 0.0)
    at_s = 0.0
    for rest_s, for_s in commands:
        at_s += rest_s
        holds.moves(hold, for_s, at_s)
    due_s = holds.next_s()
    assert due_s is not None
    assert due_s <= at_s + LONGEST_S
    assert holds.due(due_s)[0] == [hold]
    holds.stands(hold, due_s)
    assert holds.next_s() == due_s + HOLD_S
    assert holds.due(due_s + HOLD_S)[1] == [hold]
    assert holds.end(hold)
    assert not holds.end(hold)


def test_an_agencys_node_and_tiers_of_later_versions_come_after_the_village() -> None:
    assert rank(VILLAGER) > rank(Viewer("3001", "990121.MZ", "department")) == rank(Viewer("1", "1", "state"))
