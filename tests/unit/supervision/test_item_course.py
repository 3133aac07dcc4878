"""An item's way into the catalogue: in every course that the rules of it allow, nothing is published that nobody else reviewed as it was listed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.supervision.item_course import DRAFT, FOLLOWS, Done, Kind, StepRefused, check, reviewed, state_of

STEPS = st.lists(st.tuples(st.sampled_from(Kind), st.sampled_from(["A", "B", "C"])), max_size=25)


def taken(asked: list[tuple[Kind, str]]) -> list[Done]:
    """The steps that are allowed, of those that somebody tries to take."""
    done: list[Done] = []
    for kind, by in asked:
        try:
            check(done, kind, by=by, reason="so")
        except StepRefused:
            continue
        done.append(Done(kind, by))
    return done


@given(STEPS)
def test_nothing_is_published_that_nobody_else_passed_as_it_was_listed_last(
    asked: list[tuple[Kind, str]],
) -> None:
    done = taken(asked)
    for place, step in enumerate(done):
        if step.kind is not Kind.PUBLISHED:
            continue
        before = done[:place]
        assert [one.kind for one in before[-2:]] == [Kind.LISTED, Kind.PASSED]
        assert before[-1].by not in {one.by for one in before if one.kind is Kind.LISTED}
        assert reviewed(before)


@given(STEPS)
def test_a_version_is_published_once_and_ends_withdrawn(asked: list[tuple[Kind, str]]) -> None:
    kinds = [one.kind for one in taken(asked)]
    assert kinds.count(Kind.PUBLISHED) <= 1
    assert kinds.count(Kind.WITHDRAWN) <= kinds.count(Kind.PUBLISHED)
    if Kind.PUBLISHED in kinds:
        assert kinds[kinds.index(Kind.PUBLISHED) + 1 :] in ([], [Kind.WITHDRAWN])


@given(STEPS)
def test_reviewed_means_passed_and_not_sent_back_since(asked: list[tuple[Kind, str]]) -> None:
    done = taken(asked)
    assert reviewed(done) == (state_of(done) in {Kind.PASSED, Kind.PUBLISHED, Kind.WITHDRAWN})


def test_every_state_can_be_reached_and_says_what_follows() -> None:
    reached, todo = {DRAFT}, [DRAFT]
    while todo:
        new = [kind.value for kind in FOLLOWS[todo.pop()] if kind.value not in reached]
        reached.update(new)
        todo += new
    assert reached == set(FOLLOWS) == {DRAFT, *Kind}


LISTED = [Done(Kind.LISTED, "A")]


@pytest.mark.parametrize(
    ("done", "kind", "by", "reason", "words"),
    [
        ([], Kind.PUBLISHED, "C", "", "what follows is listed"),
        (LISTED, Kind.PUBLISHED, "C", "", "passed, recalled, returned, not published"),
        (LISTED, Kind.PASSED, "A", "", "who listed it does not review it"),
        (LISTED, Kind.RETURNED, "A", "so", "who listed it does not review it"),
        (LISTED, Kind.RETURNED, "B", " ", "say why it is returned"),
        (LISTED, Kind.PASSED, " ", "", "say who takes this step"),
        ([*LISTED, Done(Kind.PASSED, "B"), Done(Kind.PUBLISHED, "C")], Kind.WITHDRAWN, "C", "", "say why"),
    ],
)
def test_a_step_that_may_not_be_taken_is_refused_in_words(
    done: list[Done], kind: Kind, by: str, reason: str, words: str
) -> None:
    with pytest.raises(StepRefused, match=words):
        check(done, kind, by=by, reason=reason)


def test_what_came_into_the_catalogue_another_way_can_be_withdrawn() -> None:
    assert state_of([], published=True) == Kind.PUBLISHED
    check([], Kind.WITHDRAWN, by="C", reason="so", published=True)
    with pytest.raises(StepRefused):
        check([], Kind.LISTED, by="A", reason="", published=True)
