"""How often somebody may try to come in: by account and by network address, pure.

After a few failures each further attempt has to wait, and the wait doubles up to an hour; after a day of quiet all is forgotten. What is kept is
in the registry, so that a restart helps nobody. An account that does not exist is throttled like one that does: no answer tells which.
"""

from dataclasses import dataclass
from typing import Final

_S_US: Final = 1_000_000

ACCOUNT_FREE: Final = 5
"""Failures of one account that cost no waiting."""

ADDRESS_FREE: Final = 20
"""Failures from one address that cost no waiting: an office shares one."""

FIRST_WAIT_US: Final = 30 * _S_US
LONGEST_WAIT_US: Final = 3_600 * _S_US
FORGOTTEN_AFTER_US: Final = 86_400 * _S_US


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures in a row, and when the last was."""

    failures: int = 0
    last_at_us: int = 0

    def failed(self, now_us: int) -> "Attempts":
        """One more."""
        kept = 0 if self._quiet(now_us) else self.failures
        return Attempts(kept + 1, now_us)

    def wait_us(self, free: int, now_us: int) -> int:
        """How long the next attempt has to wait from now; 0: not at all."""
        if self.failures < free or self._quiet(now_us):
            return 0
        doubled = FIRST_WAIT_US << min(self.failures - free, 20)
        return max(0, self.last_at_us + min(doubled, LONGEST_WAIT_US) - now_us)

    def _quiet(self, now_us: int) -> bool:
        return now_us - self.last_at_us >= FORGOTTEN_AFTER_US
