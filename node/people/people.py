"""The people of one node, put together: their rows, their accounts, their way in."""

from dataclasses import dataclass
from typing import Self

from node.models.people import AccountRows
from node.models.registry import Registry
from node.people.accounts import Accounts, Enter
from node.people.entrance import Entrance
from node.people.passwords import Passwords
from node.wallclock import Now


@dataclass(frozen=True, slots=True)
class People:
    """Accounts, and the way in."""

    accounts: Accounts
    entrance: Entrance

    @classmethod
    def over(cls, registry: Registry, enter: Enter, now: Now) -> Self:
        """The people of an open registry; ``enter`` appends entries to the node's journal."""
        rows, passwords = AccountRows(registry), Passwords()
        return cls(Accounts(rows, passwords, enter, now), Entrance(rows, passwords, enter, now))
