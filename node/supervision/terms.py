"""How many working days each step of an alert's life may take: part of policy, versioned and dated like its thresholds. Pure.

A step is due by what was in force when the entry was written that began it: a policy that is published later neither makes late what was in time
nor forgives what is late. A lower tier may tighten and never loosen. For all steps but one that is to ask for them sooner; the time for an appeal is
a right of who is accused, so there it is to leave more. The defaults are DOMAIN §2's (reply 3, appeal 5, decided 5; choice).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final, Protocol, Self

from zongheng.v1.terms_pb2 import StepDeadlines

RIGHTS: Final = frozenset({"appeal_days"})
"""Steps of which more days are the stricter rule."""

LONGEST: Final = 365
"""Working days that a policy may name."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Working days, and the policy that says so."""

    confirm_days: int = 3
    """The bureau confirms or cancels a card; a level that is issued by itself sooner shortens it."""
    reply_days: int = 3
    """The agency explains, rectifies or appeals."""
    review_days: int = 5
    """The bureau reviews what the agency answered."""
    appeal_days: int = 5
    """An appeal is taken in."""
    decide_days: int = 5
    """The bureau decides an appeal."""
    escalated_days: int = 5
    """A node decides what a node below escalated to it."""
    timeouts: Mapping[int, int] = field(default_factory=dict)
    """Level → working days after which a card is issued by itself."""
    policy_version: int = 0
    """Of the node's own policy."""
    mandates: str = ""
    """The policies from above, as alerts name them."""

    def confirmation(self, level: int) -> int:
        """Days in which a card of this level is confirmed or cancelled."""
        return max(1, min(self.confirm_days, self.timeouts.get(level) or self.confirm_days))

    def at(self, index: int) -> Self:
        """These terms are in force always: see `InForce`."""
        return self

    def above(self, at_us: int) -> Self:
        """As `at`."""
        return self


class InForce(Protocol):
    """Which terms were in force when."""

    def at(self, index: int) -> Terms:
        """For what an entry of the alert's own journal began."""
        ...

    def above(self, at_us: int) -> Terms:
        """For what is owed by the node that looks, about an alert of a node below, since an instant."""
        ...


NAMES: Final = tuple(one.name for one in fields(Terms) if one.name.endswith("_days"))
"""What a policy may name."""

_DEFAULT: Final = Terms()


def named(message: StepDeadlines) -> dict[str, int]:
    """What a policy's message names."""
    return {one.name: int(days) for one, days in message.ListFields() if one.name in NAMES}


def stricter(name: str, days: Iterable[int]) -> int:
    """Of several lengths of one step the one that holds."""
    return max(days) if name in RIGHTS else min(days)


def held(own: Mapping[str, int], mandated: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The length of every step: the strictest of a node's own (or the default) and all that is mandated above."""
    above = list(mandated)
    return {
        name: stricter(
            name, [own.get(name, getattr(_DEFAULT, name)), *(one[name] for one in above if name in one)]
        )
        for name in NAMES
    }
