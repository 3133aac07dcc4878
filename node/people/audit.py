"""The audit trail as entries: who came in, who was refused, what was looked at, which account changed.

They are entries of the node's journal like any other: signed, relayed to the parent, beyond the reach of whoever administers the node.
"""

from zongheng.v1 import access_pb2
from zongheng.v1.entry_pb2 import Entry

from node.people.caller import Caller

_LONGEST = 500
"""Characters of what somebody else wrote."""


def came_in(number: str, address: str) -> Entry:
    """Somebody logged in."""
    return _access(access_pb2.ACCESS_KIND_LOGIN, number, "", "", address)


def failed(number: str, address: str) -> Entry:
    """A wrong password for ``number``; empty: for nobody of this node (what was typed may be a password)."""
    return _access(access_pb2.ACCESS_KIND_LOGIN_FAILED, number, "", "", address)


def locked(key: str, address: str) -> Entry:
    """From now on further attempts have to wait; ``key`` says whose."""
    return _access(access_pb2.ACCESS_KIND_LOCKED, "", key, "", address)


def went_out(caller: Caller) -> Entry:
    """Somebody logged out."""
    return _access(access_pb2.ACCESS_KIND_LOGOUT, caller.who, "", "", caller.address)


def refused(caller: Caller, subject: str) -> Entry:
    """Somebody asked for what their roles do not give."""
    return _access(access_pb2.ACCESS_KIND_REFUSED, caller.who, subject, "", caller.address)


def looked(caller: Caller, subject: str, purpose: str = "") -> Entry:
    """Somebody looked at evidence, a person or a text."""
    return _access(access_pb2.ACCESS_KIND_READ, caller.who, subject, purpose, caller.address)


def changed(number: str, change: access_pb2.AccountChange.ValueType, subject: str, by: str) -> Entry:
    """An account, its roles or its tokens changed."""
    return Entry(account_changed=access_pb2.AccountChanged(who=number, change=change, subject=subject, by=by))


def _access(
    kind: access_pb2.AccessKind.ValueType, who: str, subject: str, purpose: str, address: str
) -> Entry:
    return Entry(
        access_noted=access_pb2.AccessNoted(
            kind=kind, who=who, subject=subject[:_LONGEST], purpose=purpose[:_LONGEST], address=address
        )
    )
