"""Who is in: a session that just began, and who a request is from."""

import hmac
from dataclasses import dataclass
from typing import Final

from node.people.account import Account
from node.people.caller import Caller

_S_US: Final = 1_000_000

IDLE_US: Final = 1_800 * _S_US
"""A session ends after so long without a request (等保 §8.1.4.1: an idle connection is ended)."""

LONGEST_US: Final = 12 * 3_600 * _S_US
"""A session ends after so long in any case."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that just began."""

    secret: str
    csrf: str
    account: Account


@dataclass(frozen=True, slots=True)
class Inside:
    """Who a request is from, and what it has to show for changing anything."""

    caller: Caller
    csrf: str
    """What a session's request that changes something must show; empty: nothing (a token shows itself)."""
    must_change: bool = False


def same_secret(kept: str, shown: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(kept.encode(), shown.encode())
