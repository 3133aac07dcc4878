"""Who asks: a person with roles in a territory, an agency or a line; or the operator at the folder's own door.

Whoever opens the folder's socket owns the folder, keys included; there is nothing to refuse him, but what he does is entered under his
name like everybody's. What a person sees follows from the roles: an embedded supervisor, an officer and a clerk see their agency, or the
agencies of their line; everybody else sees the node.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from zongheng.v1.catalogue_pb2 import Agency

from federation.errors import ZonghengError
from node.people.roles import OF_AN_AGENCY, Act, Role, acts_of

OPERATOR_NAME: Final = "operator"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do."""

    who: str
    """Staff number, or ``operator``."""
    roles: frozenset[Role] = frozenset()
    agency: str = ""
    line: str = ""
    acts: frozenset[Act] = field(default_factory=frozenset)
    address: str = ""
    """Network address; empty: the folder's socket."""
    by_token: bool = False
    """A program asks with a token, for its owner."""

    @property
    def is_operator(self) -> bool:
        return self.who == OPERATOR_NAME

    @property
    def bound(self) -> bool:
        """Whether what they see ends at an agency or a line."""
        return not self.is_operator and bool(self.roles) and self.roles <= OF_AN_AGENCY

    def may(self, act: Act) -> bool:
        return act in self.acts

    def signing(self, given: str) -> str:
        """The staff number under which they act: their own; the operator's is given. ``forbidden`` for another's."""
        if self.is_operator:
            return given
        if given and given != self.who:
            raise ZonghengError("forbidden", f"you act as {self.who}, not as {given}")
        return self.who

    def acting(self, given: str) -> str:
        """The staff number under which something happened in a case. Somebody who is logged in acts as themselves; the operator, and a
        business system with its token, say who did. ``bad_request`` when nobody is named, ``forbidden`` for another's number.
        """
        who = (given or self.who) if self.by_token else self.signing(given)
        if not who.strip():
            raise ZonghengError("bad_request", "say who acts (actor): a staff number")
        return who


OPERATOR: Final = Caller(OPERATOR_NAME, acts=frozenset(Act))
"""The owner of the folder."""


def person(
    number: str,
    roles: Iterable[Role],
    agency: str,
    line: str,
    acts: Iterable[Act] | None,
    address: str,
    *,
    by_token: bool = False,
) -> Caller:
    """A caller out of an account; ``acts`` narrows what the roles give (a token's scope)."""
    held = frozenset(roles)
    given = acts_of(held)
    may = given if acts is None else given & frozenset(acts)
    return Caller(number, held, agency, line, may, address, by_token)


def agencies_seen(caller: Caller, agencies: Mapping[str, Agency]) -> frozenset[str] | None:
    """Codes of the agencies whose cases and alerts the caller sees; None: all of them.

    Their own and, with a line (条), all of that line.
    """
    if not caller.bound:
        return None
    seen = {caller.agency} if caller.agency else set()
    if caller.line:
        seen.update(code for code, agency in agencies.items() if agency.line == caller.line)
    return frozenset(seen)
