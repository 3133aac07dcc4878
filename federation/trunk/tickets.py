"""Tickets: each lets one child bring one stream up, once.

A parent's worker hears of a call from whoever has its port and a certificate. What entitles the caller is the ticket that travelled in the order,
and with it the key that the order went to: a ticket that was overheard, kept, or shown for another stream opens nothing.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from federation.errors import ZonghengError
from federation.trunk.hub import NS

TICKET_BYTES: Final = 24
VALID_NS: Final = 30 * NS
"""How long an order may take until the child dials."""

MOST: Final = 4_096


@dataclass(frozen=True, slots=True)
class _Issued:
    stream: str
    key: str
    until_ns: int


class Tickets:
    """Those that are out."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._out: dict[bytes, _Issued] = {}

    def __len__(self) -> int:
        return len(self._out)

    @staticmethod
    def fresh() -> bytes:
        """A ticket nobody has."""
        return secrets.token_bytes(TICKET_BYTES)

    def issue(self, ticket: bytes, stream: str, key: str) -> None:
        """From now on this ticket is good for `stream` in the hands of the peer with this key, `Peer.key`.

        Raises ZonghengError `busy` when too many are out.
        """
        now = self._now_ns()
        if len(self._out) >= MOST:
            self._out = {one: issued for one, issued in self._out.items() if issued.until_ns > now}
        if len(self._out) >= MOST:
            raise ZonghengError("busy", "too many streams are being opened at once: try again in a while")
        self._out[ticket] = _Issued(stream, key, now + VALID_NS)

    def withdraw(self, ticket: bytes) -> None:
        self._out.pop(ticket, None)

    def redeem(self, ticket: bytes, stream: str, key: str) -> None:
        """Use a ticket up. Raises ZonghengError `forbidden`, without saying what was wrong with it: a wrong guess leaves it as it was."""
        issued = self._out.get(ticket)
        if (
            issued is None
            or issued.until_ns <= self._now_ns()
            or (issued.stream, issued.key) != (stream, key)
        ):
            raise ZonghengError(
                "forbidden", "this ticket is not for you, not for this stream, or not valid any more"
            )
        del self._out[ticket]
