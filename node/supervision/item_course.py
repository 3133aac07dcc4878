"""The way of one version of an item (事项) into the catalogue and out of it: which step may follow which, and by whom. Pure.

The agency lists it, legal review passes it or returns it with a reason, then it is published; a change is a further version, and an item that is
published can be withdrawn. Who listed a version does not review it (不相容岗位分离). What was reviewed is what was listed, word for word: whoever
wants to change it lists it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DRAFT: Final = "draft"
"""The state of a version that nobody listed yet; it is on nobody's record."""


class StepRefused(ValueError):
    """This step does not follow, or not by this person."""

    code = "bad_request"


class Kind(StrEnum):
    """A step, and the state that a version has after it."""

    LISTED = "listed"
    PASSED = "passed"
    RETURNED = "returned"
    RECALLED = "recalled"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


FOLLOWS: Final = {
    DRAFT: frozenset({Kind.LISTED}),
    Kind.LISTED: frozenset({Kind.PASSED, Kind.RETURNED, Kind.RECALLED}),
    Kind.PASSED: frozenset({Kind.PUBLISHED, Kind.RETURNED, Kind.RECALLED}),
    Kind.RETURNED: frozenset({Kind.LISTED, Kind.RECALLED}),
    Kind.RECALLED: frozenset({Kind.LISTED}),
    Kind.PUBLISHED: frozenset({Kind.WITHDRAWN}),
    Kind.WITHDRAWN: frozenset[Kind](),
}

EDITABLE: Final = frozenset({DRAFT, Kind.RETURNED, Kind.RECALLED})
"""States in which a version may be written anew."""

REASONED: Final = frozenset({Kind.RETURNED, Kind.WITHDRAWN})
"""Steps that say why."""

REVIEWS: Final = frozenset({Kind.PASSED, Kind.RETURNED})


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken."""

    kind: Kind
    by: str


def state_of(done: Sequence[Done], *, published: bool = False) -> str:
    """The last step's state, else `DRAFT`. ``published``: the catalogue has this version, whoever put it there."""
    state = done[-1].kind.value if done else DRAFT
    return Kind.PUBLISHED.value if published and state != Kind.WITHDRAWN else state


def reviewed(done: Sequence[Done]) -> bool:
    """Whether legal review passed it, and it was not sent back or taken back since."""
    kinds = [one.kind for one in done if one.kind not in (Kind.PUBLISHED, Kind.WITHDRAWN)]
    return bool(kinds) and kinds[-1] is Kind.PASSED


def check(done: Sequence[Done], kind: Kind, *, by: str, reason: str, published: bool = False) -> None:
    """Raise `StepRefused`, saying why, unless this step may be taken by this person. ``published`` as for `state_of`."""
    state = state_of(done, published=published)
    if kind not in FOLLOWS[state]:
        then = ", ".join(sorted(FOLLOWS[state])) or "nothing: a further version does"
        raise StepRefused(f"it is {state}; what follows is {then}, not {kind}")
    if not by.strip():
        raise StepRefused("say who takes this step: a staff number")
    if kind in REASONED and not reason.strip():
        raise StepRefused(f"say why it is {kind}")
    if kind in REVIEWS and by in {one.by for one in done if one.kind is Kind.LISTED}:
        raise StepRefused("who listed it does not review it")
