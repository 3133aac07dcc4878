"""Who may open what, and answer for whom, by role. Pure.

Everybody of a hall may ask for help; officers answer. Who supervises or leads opens inspection calls and meetings. For a hall or a window answers whoever works there: officers, clerks, the kiosk itself.
"""

from typing import Final

from federation.errors import ZonghengError
from node.meetings.meeting import Called, Kind
from node.meetings.meetings import Person
from node.people.caller import Caller
from node.people.roles import Act, Role

_IN_THE_HALL: Final = frozenset({Role.OFFICER, Role.CLERK, Role.KIOSK})


def person_of(caller: Caller) -> Person:
    """Somebody as meetings know them."""

    def answers(called: Called) -> bool:
        if called.officers:
            return caller.may(Act.ANSWER_CALLS)
        return caller.is_operator or (caller.may(Act.CALL) and bool(caller.roles & _IN_THE_HALL))

    return Person(
        caller.who, answers, caller.may(Act.ANSWER_CALLS), caller.is_operator or caller.may(Act.CONVENE)
    )


def check_opening(caller: Caller, kind: Kind) -> None:
    """Raises ZonghengError `forbidden`."""
    if kind is not Kind.HELP and not (caller.is_operator or caller.may(Act.CONVENE)):
        raise ZonghengError(
            "forbidden", f"{caller.who} may ask for help: a {kind} is opened by who supervises or leads"
        )
