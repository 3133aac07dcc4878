"""Who is told of what: the circle widens with the level (DOMAIN §2), and a step is told to who has to act on it. Pure.

A notice goes to the agency: its officers and its embedded supervisors. A yellow card also to the bureau, a red one also to the leaders. What an
agency answers goes to who reviews it, a decision back to the agency. Who is told of a level may be changed by policy (``[[policy.audiences]]``); a
lower tier may tell more people than is mandated above, never fewer.
"""

from collections.abc import Collection, Mapping
from typing import Final

from node.people.roles import Role
from node.supervision import life
from node.supervision.policy import Level, Policy

_AGENCY: Final = frozenset({Role.OFFICER, Role.EMBEDDED_SUPERVISOR})
_REVIEW: Final = frozenset({Role.EMBEDDED_SUPERVISOR, Role.SUPERVISOR})

BY_LEVEL: Final[Mapping[int, frozenset[Role]]] = {
    1: _AGENCY,
    2: _AGENCY | {Role.SUPERVISOR},
    3: _AGENCY | {Role.SUPERVISOR, Role.LEADER},
}

REVIEWED: Final = frozenset({life.PENDING, life.EXPLAINED, life.RECTIFIED, life.APPEALED})
"""States that are told to who reviews, and to nobody else."""


def told(level: int, policy: Policy) -> frozenset[Role]:
    """The roles that are told of alerts of a level. A role that this version does not know is left out."""
    named = policy.told(Level(level), BY_LEVEL[level])
    return frozenset(Role(one) for one in named if one in _KNOWN)


def audience(level: int, state: int, policy: Policy) -> frozenset[Role]:
    """The roles that are told when an alert of this level comes into this state."""
    if state in REVIEWED:
        return _REVIEW
    if state == life.ESCALATED:
        return _REVIEW | {Role.LEADER}
    return told(level, policy) if level in BY_LEVEL else frozenset()


def told_in(roles: Collection[Role], policy: Policy) -> list[tuple[int, tuple[int, ...]]]:
    """(level, the states in which somebody with these roles is told); levels of which they are never told are left out."""
    held = frozenset(roles)
    found = []
    for level in BY_LEVEL:
        states = tuple(state for state in _STATES if held & audience(level, state, policy))
        if states:
            found.append((level, states))
    return found


_KNOWN: Final = frozenset(Role)

_STATES: Final = (
    life.PENDING,
    life.ISSUED,
    life.EXPLAINED,
    life.RECTIFIED,
    life.APPEALED,
    life.CANCELLED,
    life.UPHELD,
    life.ESCALATED,
    life.URGED,
    life.CLOSED,
    life.CORRECTED,
)

EVERYTHING: Final = [(level, _STATES) for level in BY_LEVEL]
"""Every level in every state, for programs that are told all."""
