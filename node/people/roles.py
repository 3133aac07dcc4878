"""Roles (岗位), the acts that each of them gives, and which of them nobody holds together.

Kept apart as graded protection asks (等保, GB/T 22239—2019 §8.1.5: 系统管理, 审计管理 and 安全管理 are three people's): the system
administrator makes accounts and runs the node, the security administrator gives roles, the auditor reads what both did. A role of these three
stands alone: whoever administers neither supervises nor handles cases. Pure: nothing here asks or writes anything.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is at this node."""

    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDITOR = "auditor"
    SUPERVISOR = "supervisor"
    EMBEDDED_SUPERVISOR = "embedded_supervisor"
    LEGAL_REVIEWER = "legal_reviewer"
    OFFICER = "officer"
    CLERK = "clerk"
    LEADER = "leader"
    KIOSK = "kiosk"


ROLE_WORDS: Final[Mapping[Role, str]] = {
    Role.SYSTEM_ADMINISTRATOR: "系统管理员",
    Role.SECURITY_ADMINISTRATOR: "安全管理员",
    Role.AUDITOR: "审计员",
    Role.SUPERVISOR: "监察员",
    Role.EMBEDDED_SUPERVISOR: "派驻监察员",
    Role.LEGAL_REVIEWER: "法制审核人员",
    Role.OFFICER: "工作人员",
    Role.CLERK: "录入员",
    Role.LEADER: "领导",
    Role.KIOSK: "自助终端",
}


class Act(StrEnum):
    """What somebody may be allowed to do; every address of the HTTP API asks for one of them."""

    READ_STATUS = "status.read"
    READ_ALERTS = "alerts.read"
    READ_CASES = "cases.read"
    READ_FIGURES = "figures.read"
    """Figures over the whole node and its subtree, and questions to it."""
    ENTER_CASES = "cases.enter"
    ANSWER_ALERTS = "alerts.answer"
    """Explain, rectify, appeal: for the agency concerned."""
    DECIDE_ALERTS = "alerts.decide"
    """Issue, cancel, uphold, escalate, close."""
    RAISE_ALERTS = "alerts.raise"
    URGE = "alerts.urge"
    HOLD_ACCOUNTABLE = "accountability.hold"
    LIST_ITEMS = "items.list"
    """Draft, list and take back items of the agency concerned."""
    REVIEW_ITEMS = "items.review"
    """Legal review of items that were listed."""
    PUBLISH = "catalogue.publish"
    READ_SCORES = "scores.read"
    MAKE_SCORES = "scores.make"
    """Draft, review, give points, decide appeals of scores."""
    PUBLISH_SCORES = "scores.publish"
    READ_PERSONS = "persons.read"
    """Who a handle stands for, and free texts; each look is an entry."""
    READ_SEALED = "sealed.read"
    """What was sealed to this node, and answering it; each look is an entry."""
    READ_EVIDENCE = "evidence.read"
    ERASE_PERSONS = "persons.erase"
    VERIFY = "journal.verify"
    OPERATE = "node.operate"
    MANAGE_ACCOUNTS = "accounts.manage"
    GIVE_ROLES = "roles.give"
    READ_AUDIT = "audit.read"
    KEEP_KEYS = "matching.keys"
    """Issue and close keys of the matching."""
    WATCH = "cameras.watch"
    """Look through cameras, of this node and of those below; which of them is said camera by camera, and each look is an entry."""
    STEER = "cameras.steer"
    """Turn cameras, of this node and of those below; which of them is said camera by camera, and each time is an entry."""
    READ_PATROLS = "patrols.read"
    """Plans and rounds of video patrols, with their pictures; each look at somebody else's picture is an entry."""
    PATROL = "patrols.walk"
    """Make plans, walk rounds."""
    SHOW = "cameras.show"
    """Be a camera: send a picture of one's own to a stream that is set up for it."""
    CALL = "calls.join"
    """Ask for help, be called, and take part in what one is called to."""
    ANSWER_CALLS = "calls.answer"
    """Be rung by help calls of this node and of those below it."""
    CONVENE = "meetings.convene"
    """Open inspection calls and meetings, and end those of this node."""


_A = Act

GRANTS: Final[Mapping[Role, frozenset[Act]]] = {
    Role.SYSTEM_ADMINISTRATOR: frozenset({_A.READ_STATUS, _A.VERIFY, _A.OPERATE, _A.MANAGE_ACCOUNTS}),
    Role.SECURITY_ADMINISTRATOR: frozenset({_A.READ_STATUS, _A.VERIFY, _A.GIVE_ROLES, _A.KEEP_KEYS}),
    Role.AUDITOR: frozenset(
        {
            _A.READ_PATROLS,
            _A.READ_STATUS,
            _A.READ_ALERTS,
            _A.READ_CASES,
            _A.READ_FIGURES,
            _A.READ_SCORES,
            _A.VERIFY,
            _A.READ_AUDIT,
        }
    ),
    Role.SUPERVISOR: frozenset(
        {
            _A.CALL,
            _A.CONVENE,
            _A.WATCH,
            _A.STEER,
            _A.READ_PATROLS,
            _A.PATROL,
            _A.SHOW,
            _A.READ_STATUS,
            _A.READ_ALERTS,
            _A.READ_CASES,
            _A.READ_FIGURES,
            _A.READ_SEALED,
            _A.READ_PERSONS,
            _A.READ_EVIDENCE,
            _A.DECIDE_ALERTS,
            _A.RAISE_ALERTS,
            _A.URGE,
            _A.HOLD_ACCOUNTABLE,
            _A.PUBLISH,
            _A.READ_SCORES,
            _A.MAKE_SCORES,
            _A.ERASE_PERSONS,
            _A.VERIFY,
        }
    ),
    Role.EMBEDDED_SUPERVISOR: frozenset(
        {
            _A.CALL,
            _A.CONVENE,
            _A.WATCH,
            _A.STEER,
            _A.READ_PATROLS,
            _A.PATROL,
            _A.SHOW,
            _A.READ_STATUS,
            _A.READ_ALERTS,
            _A.READ_CASES,
            _A.READ_PERSONS,
            _A.READ_EVIDENCE,
            _A.DECIDE_ALERTS,
            _A.RAISE_ALERTS,
            _A.URGE,
            _A.READ_SCORES,
        }
    ),
    Role.LEGAL_REVIEWER: frozenset({_A.READ_STATUS, _A.REVIEW_ITEMS}),
    Role.OFFICER: frozenset(
        {
            _A.CALL,
            _A.ANSWER_CALLS,
            _A.WATCH,
            _A.STEER,
            _A.LIST_ITEMS,
            _A.SHOW,
            _A.READ_STATUS,
            _A.READ_ALERTS,
            _A.READ_CASES,
            _A.READ_PERSONS,
            _A.ENTER_CASES,
            _A.ANSWER_ALERTS,
            _A.READ_SCORES,
        }
    ),
    Role.CLERK: frozenset({_A.CALL, _A.READ_STATUS, _A.READ_CASES, _A.ENTER_CASES}),
    Role.LEADER: frozenset(
        {
            _A.CALL,
            _A.CONVENE,
            _A.WATCH,
            _A.STEER,
            _A.READ_PATROLS,
            _A.READ_STATUS,
            _A.READ_ALERTS,
            _A.READ_CASES,
            _A.READ_FIGURES,
            _A.READ_SCORES,
            _A.PUBLISH_SCORES,
            _A.URGE,
        }
    ),
    Role.KIOSK: frozenset({_A.CALL, _A.READ_STATUS}),
}

APART: Final = frozenset({Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDITOR})
"""Roles that stand alone."""

DUTIES_APART: Final = (frozenset({Role.LEGAL_REVIEWER, Role.OFFICER}),)
"""Roles that nobody holds together: who lists items does not review them."""

OF_AN_AGENCY: Final = frozenset({Role.EMBEDDED_SUPERVISOR, Role.OFFICER, Role.CLERK})
"""Roles whose holder sees an agency (or a line) and not the whole node."""


class RolesRefused(ValueError):
    """These roles do not go together, or not without an agency."""

    code = "bad_request"


def acts_of(roles: Collection[Role]) -> frozenset[Act]:
    """Everything that these roles give together."""
    return frozenset().union(*(GRANTS[role] for role in roles))


def check_roles(roles: Collection[Role], agency: str, line: str) -> None:
    """Raise `RolesRefused` unless one person may hold all of these, in this agency or line."""
    alone = sorted(APART.intersection(roles))
    if alone and len(set(roles)) > 1:
        others = ", ".join(sorted(set(roles) - {alone[0]}))
        raise RolesRefused(f"{alone[0]} stands alone: take {others} away first, or give it to somebody else")
    for pair in DUTIES_APART:
        if pair <= set(roles):
            raise RolesRefused(f"{' and '.join(sorted(pair))} are two people's: take one of them away first")
    bound = sorted(OF_AN_AGENCY.intersection(roles))
    if bound and not agency and not line:
        raise RolesRefused(f"{bound[0]} belongs to an agency or a line: say which")
