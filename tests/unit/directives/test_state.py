"""A directive is the sum of its steps: whatever the order, however often, and never more than its parties may do."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.directive_pb2 import DirectiveContent, DirectiveStep

from node.directives.state import Directive, Stage, next_number, of, refusal

CITY, LEAD, ASSIST, STRANGER = "330100", "330101001001", "330101002", "330199"
ID = f"{CITY}-D000001"
DUE = 1_000_000

ISSUER_KINDS = (2, 3, 8, 9, 10, 11, 12, 13, 14)
HANDLER_KINDS = (4, 5, 6, 7)


def drafted(*assisting: str) -> DirectiveStep:
    content = DirectiveContent(title="t", source=3, lead=LEAD, assisting=assisting, due_at_us=DUE)
    return DirectiveStep(
        directive=ID,
        kind=1,
        issuer=CITY,
        node=CITY,
        number=1,
        by="a",
        at_us=1,
        text="sha256:0",
        content=content,
    )


def known(*steps: DirectiveStep) -> Directive:
    made = of(steps)
    assert made is not None
    return made


def step(
    state: Directive, kind: int, node: str, handler: str = "", *, at: int = 2, due: int = 0, by: str = "b"
) -> DirectiveStep:
    """The next step of this kind as the desk makes it."""
    made = DirectiveStep(
        directive=ID,
        kind=wire.DirectiveKind.ValueType(kind),
        issuer=CITY,
        node=node,
        handler=handler,
        number=next_number(state, kind, handler),
        by=by,
        at_us=at,
        text="sha256:1",
        due_at_us=due,
    )
    about = state.handlers.get(handler)
    if about is not None and kind in (8, 9) and about.answered is not None:
        made.answers = about.answered.number
    if about is not None and kind in (11, 12) and (asked := about.last(7)) is not None:
        made.answers = asked.number
    return made


def after(*kinds: int, lead: str = LEAD) -> tuple[list[DirectiveStep], Directive]:
    """The usual course as far as these kinds, at one handler."""
    steps = [drafted()]
    for at, kind in enumerate(kinds, 2):
        state = known(*steps)
        node = lead if kind in HANDLER_KINDS else CITY
        handler = lead if kind in (*HANDLER_KINDS, 8, 9, 11, 12) else ""
        made = step(state, kind, node, handler, at=at, due=DUE + 10 * at)
        assert refusal(state, made) == "", (kind, refusal(state, made))
        steps.append(made)
    return steps, known(*steps)


@pytest.mark.parametrize(
    ("course", "stage"),
    [
        ((), Stage.DRAFTED),
        ((2,), Stage.APPROVED),
        ((2, 3), Stage.NOTIFIED),
        ((2, 3, 4), Stage.SIGNED),
        ((2, 3, 4, 5), Stage.HANDLED),
        ((2, 3, 4, 6), Stage.ANSWERED),
        ((2, 3, 4, 6, 9), Stage.SENT_BACK),
        ((2, 3, 4, 6, 9, 6), Stage.ANSWERED),
        ((2, 3, 4, 6, 9, 6, 8), Stage.ACCEPTED),
        ((2, 3, 4, 6, 8, 13), Stage.CLOSED),
        ((2, 3, 4, 14), Stage.WITHDRAWN),
    ],
)
def test_the_usual_course(course: tuple[int, ...], stage: Stage) -> None:
    assert after(*course)[1].stage is stage


@pytest.mark.parametrize(
    ("course", "kind", "node", "handler", "why"),
    [
        ((), 3, CITY, "", "not approved"),
        ((2,), 4, LEAD, LEAD, "did not go out"),
        ((2, 3), 6, LEAD, LEAD, "sign for it first"),
        ((2, 3), 7, LEAD, LEAD, "sign for it first"),
        ((2, 3), 8, CITY, LEAD, "no such answer"),
        ((2, 3), 13, CITY, "", "not accepted yet"),
        ((2, 3, 4), 4, LEAD, LEAD, "already"),
        ((2, 3, 4), 11, CITY, LEAD, "no such extension"),
        ((2, 3, 4, 6), 6, LEAD, LEAD, "waits for"),
        ((2, 3, 4, 6, 8), 9, CITY, LEAD, "already"),
        ((2, 3, 4, 6, 8), 6, LEAD, LEAD, "nothing more"),
        ((2, 3, 4, 6, 8, 13), 10, CITY, "", "closed already"),
        ((2, 3, 14), 4, LEAD, LEAD, "withdrawn already"),
        ((2, 3), 4, STRANGER, STRANGER, "no handler"),
        ((2, 3), 4, STRANGER, LEAD, "speaks for"),
        ((2, 3, 4, 6), 8, LEAD, LEAD, "only"),
        ((2, 3), 13, LEAD, "", "only"),
    ],
)
def test_what_may_not_be_done_is_refused_with_the_reason(
    course: tuple[int, ...], kind: int, node: str, handler: str, why: str
) -> None:
    _, state = after(*course)
    assert why in refusal(state, step(state, kind, node, handler, due=DUE + 1_000))


def test_who_drafted_it_does_not_approve_it() -> None:
    _, state = after()
    assert "somebody else" in refusal(state, step(state, 2, CITY, by="a"))


def test_an_extension_is_asked_for_before_the_due_and_for_a_later_one() -> None:
    _, state = after(2, 3, 4)
    assert "before the due" in refusal(state, step(state, 7, LEAD, LEAD, at=DUE + 1, due=DUE + 9))
    assert "later due" in refusal(state, step(state, 7, LEAD, LEAD, due=DUE))
    _, granted = after(2, 3, 4, 7, 11)
    assert granted.content is not None
    assert granted.handlers[LEAD].due_at_us(granted.content) > DUE
    _, refused = after(2, 3, 4, 7, 12)
    assert refused.content is not None
    assert refused.handlers[LEAD].due_at_us(refused.content) == DUE


def test_it_is_closed_only_when_every_handler_is_done() -> None:
    steps = [drafted(ASSIST)]
    for kind, node, handler in (
        (2, CITY, ""),
        (3, CITY, ""),
        (4, LEAD, LEAD),
        (6, LEAD, LEAD),
        (8, CITY, LEAD),
    ):
        steps.append(step(known(*steps), kind, node, handler))
    state = known(*steps)
    assert state.stage is Stage.NOTIFIED
    assert ASSIST in refusal(state, step(state, 13, CITY))


MOVES = st.lists(
    st.tuples(
        st.sampled_from((*ISSUER_KINDS, *HANDLER_KINDS)),
        st.sampled_from((LEAD, ASSIST)),
        st.integers(0, 10),
        st.integers(0, 3),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(MOVES, st.randoms(use_true_random=False))
def test_three_nodes_that_act_out_of_each_others_sight_end_with_the_same_state(
    moves: list[tuple[int, str, int, int]], chance: random.Random
) -> None:
    """Each party takes what its own knowledge allows; what it knows of the others lags by as much as it likes."""
    first = drafted(ASSIST)
    everything = [first]
    sight: dict[str, list[DirectiveStep]] = {CITY: [first], LEAD: [first], ASSIST: [first]}
    taken: list[DirectiveStep] = []
    for kind, handler, lag, due in moves:
        node = handler if kind in HANDLER_KINDS else CITY
        state = known(*sight[node])
        about = handler if kind in (*HANDLER_KINDS, 8, 9, 11, 12) else ""
        made = step(state, kind, node, about, at=len(everything) + 1, due=DUE + due)
        if refusal(state, made) == "":
            everything.append(made)
            taken.append(made)
            sight[node].append(made)
        # Some of what the others did arrives, in any order, some of it twice.
        for one in sight:
            news = [seen for seen in everything if seen not in sight[one]]
            chance.shuffle(news)
            sight[one] += news[:lag]
            sight[one] += news[: lag // 2]
    shuffled = list(everything)
    chance.shuffle(shuffled)
    told = [known(*everything), known(*shuffled), known(*shuffled, *everything)]
    for state in told:
        assert not state.aside
        assert state.stage == told[0].stage
        assert state.content is not None
        assert {n: (h.stage, h.due_at_us(state.content)) for n, h in state.handlers.items()} == {
            n: (h.stage, h.due_at_us(state.content)) for n, h in told[0].handlers.items()
        }
    # Whoever knows everything takes each step at most once.
    keys = [(one.kind, one.node, one.handler, one.number) for one in taken]
    assert len(keys) == len(set(keys))
