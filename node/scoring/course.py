"""The course of a run of scores: draft → review → published, appeals and a further draft (DOMAIN: draft → review → leading group → published). Pure.

Who drafted does not review, who appealed does not decide. A published score stays as it is: what changes since is a further draft of the same run.
A half-year or a year is a mean: who disagrees appeals the month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_DAY_US: Final = 86_400_000_000

APPEAL_DAYS: Final = 15
"""Natural days after the publication within which a score is appealed (choice)."""


class StepRefused(ValueError):
    """This step does not follow, or not by this person."""

    code = "bad_request"


class Kind(StrEnum):
    """What is done to a run."""

    MARKED = "marked"
    DRAFTED = "drafted"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
    APPEALED = "appealed"
    APPEAL_DECIDED = "appeal_decided"


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken."""

    kind: Kind
    at_us: int
    by: str
    revision: int = 0
    subject: str = ""
    item: str = ""


def state_of(done: Sequence[Done]) -> str:
    """none, drafted, reviewed or published: how far the newest draft has come."""
    for one in reversed(done):
        if one.kind in (Kind.DRAFTED, Kind.REVIEWED, Kind.PUBLISHED):
            return one.kind.value
    return "none"


def revision_of(done: Sequence[Done]) -> int:
    """Number of the newest draft; 0: there is none."""
    return sum(one.kind is Kind.DRAFTED for one in done)


def open_appeals(done: Sequence[Done]) -> dict[tuple[str, str], str]:
    """(subject, item) → who appealed, of appeals that wait for a decision."""
    waiting: dict[tuple[str, str], str] = {}
    for one in done:
        if one.kind is Kind.APPEALED:
            waiting[one.subject, one.item] = one.by
        elif one.kind is Kind.APPEAL_DECIDED:
            waiting.pop((one.subject, one.item), None)
    return waiting


def check(
    done: Sequence[Done],
    kind: Kind,
    *,
    by: str,
    reason: str,
    now_us: int,
    subject: str = "",
    item: str = "",
    month: bool = True,
) -> None:
    """Raise `StepRefused`, saying why, unless this step may be taken."""
    state = state_of(done)
    if not by.strip():
        raise StepRefused("say who takes this step: a staff number")
    if kind in (Kind.MARKED, Kind.APPEALED, Kind.APPEAL_DECIDED):
        if not month:
            raise StepRefused("a half-year or a year is the mean of its months: name the month")
        if not reason.strip():
            raise StepRefused(f"{kind} needs a reason")
    if kind is Kind.REVIEWED:
        if state != Kind.DRAFTED:
            raise StepRefused(f"a draft is reviewed; this is {state}")
        if by == _last(done, Kind.DRAFTED).by:
            raise StepRefused("who drafted does not review")
    if kind is Kind.PUBLISHED and state != Kind.REVIEWED:
        raise StepRefused(f"what is published was reviewed first; this is {state}")
    if kind is Kind.APPEALED:
        if Kind.PUBLISHED not in {one.kind for one in done}:
            raise StepRefused("a score is appealed once it is published")
        if now_us >= _last(done, Kind.PUBLISHED).at_us + APPEAL_DAYS * _DAY_US:
            raise StepRefused(f"a score is appealed within {APPEAL_DAYS} days of its publication")
        if (subject, item) in open_appeals(done):
            raise StepRefused("it is appealed already and waits for a decision")
    if kind is Kind.APPEAL_DECIDED:
        appealed_by = open_appeals(done).get((subject, item))
        if appealed_by is None:
            raise StepRefused(f"no appeal of {subject} about {item} waits for a decision")
        if by == appealed_by:
            raise StepRefused("who appealed does not decide")


def _last(done: Sequence[Done], kind: Kind) -> Done:
    return next(one for one in reversed(done) if one.kind is kind)
