"""Who is told of what: the circle widens with the level (DOMAIN §2), and a step is told to who has to act on it. Pure.

A notice goes to the agency: its officers and its embedded supervisors. A yellow card also to the bureau, a red one also to the leaders. What an
agency answers goes to who reviews it, a decision back to the agency.
"""

from collections.abc import Collection, Mapping
from typing import Final

from node.people.roles import Role
from node.supervision import life

_AGENCY: Final = frozenset({Role.OFFICER, Role.EMBEDDED_SUPERVISOR})
_REVIEW: Final = frozenset({Role.EMBEDDED_SUPERVISOR, Role.SUPERVISOR})

BY_LEVEL: Final[Mapping[int, frozenset[Role]]] = {
    1: _AGENCY,
    2: _AGENCY | {Role.SUPERVISOR},
    3: _AGENCY | {Role.SUPERVISOR, Role.LEADER},
}

REVIEWED: Final = frozenset({life.PENDING, life.EXPLAINED, life.RECTIFIED, life.APPEALED})
"""States that are told to who reviews, and to nobody else."""


def audience(level: int, state: int) -> frozenset[Role]:
    """The roles that are told when an alert of this level comes into this state."""
    if state in REVIEWED:
        return _REVIEW
    if state == life.ESCALATED:
        return _REVIEW | {Role.LEADER}
    return BY_LEVEL.get(level, frozenset())


def told_in(roles: Collection[Role]) -> list[tuple[int, tuple[int, ...]]]:
    """(level, the states in which somebody with these roles is told); levels of which they are never told are left out."""
    held = frozenset(roles)
    found = []
    for level in BY_LEVEL:
        states = tuple(state for state in _STATES if held & audience(level, state))
        if states:
            found.append((level, states))
    return found


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
