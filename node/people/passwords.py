"""Passwords: argon2id (RFC 9106), never stored, never logged, never compared but by their hash.

The parameters suit the smallest node, a village's box: 19 MiB, two passes, one lane (the second choice of OWASP's list), some 50 ms. Hashing
runs in a thread, two at a time, so that somebody who guesses neither stops the node's loop nor takes its memory.
"""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from federation.errors import ZonghengError

SHORTEST: Final = 10
LONGEST: Final = 256
"""Characters of a password."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE: Final = 2

_NOBODY: Final = _HASHER.hash("nobody has this password")
"""What a password is compared with when there is no such account: the answer takes as long."""


class Passwords:
    """Hashes and checks."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hashed(self, password: str, number: str) -> str:
        """The hash to keep. ``bad_request`` for a password that is too short, too long, too plain or the staff number."""
        check_strength(password, number)
        async with self._turns:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def fits(self, kept: str, password: str) -> bool:
        """Whether the password is the one hashed; takes as long where nothing is kept (``kept`` empty)."""
        async with self._turns:
            return await asyncio.to_thread(_fits, kept, password)


def check_strength(password: str, number: str) -> None:
    """Raise ``bad_request`` with what to choose instead (等保 §8.1.4.1: length and variety)."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ZonghengError("bad_request", f"choose a password of {SHORTEST} to {LONGEST} characters")
    kinds = sum(
        (
            any(one.islower() for one in password),
            any(one.isupper() for one in password),
            any(one.isdigit() for one in password),
            any(not one.isalnum() for one in password),
            any(one.isalpha() and not one.isascii() for one in password),
        )
    )
    if kinds < 2 or len(set(password)) < 5:
        raise ZonghengError(
            "bad_request", "choose a password that mixes letters, digits or signs, with five different ones"
        )
    if number and number.lower() in password.lower():
        raise ZonghengError("bad_request", "choose a password that does not hold the staff number")


def _fits(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept or _NOBODY, password) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False
