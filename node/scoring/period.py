"""The periods that are scored: a month, a half-year, a year (DOMAIN §3: the longer ones are the mean of their months).

Written `2026-03`, `2026-H1`, `2026`. Months begin and end at midnight in the node's zone. Pure.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from node.wallclock import micros

_WRITTEN: Final = re.compile(r"(20\d\d)(?:-(?:(0[1-9]|1[0-2])|(H[12])))?", re.ASCII)


class BadPeriod(ValueError):
    """It is no period."""

    code = "bad_request"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    def bounds_us(self, zone: ZoneInfo) -> tuple[int, int]:
        """From its first microsecond to the next month's, in a zone."""
        after = (self.year + self.month // 12, self.month % 12 + 1)
        return (
            micros(datetime(self.year, self.month, 1, tzinfo=zone)),
            micros(datetime(after[0], after[1], 1, tzinfo=zone)),
        )


@dataclass(frozen=True, slots=True)
class Period:
    """A month, a half-year or a year."""

    text: str
    months: tuple[Month, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2026-03`, `2026-H1` or `2026`. Raises `BadPeriod`."""
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise BadPeriod(
                f"{text!r} is no period: write a month 2026-03, a half-year 2026-H1 or a year 2026"
            )
        year, month, half = int(match[1]), match[2], match[3]
        if month:
            numbers: range = range(int(month), int(month) + 1)
        elif half:
            numbers = range(1, 7) if half == "H1" else range(7, 13)
        else:
            numbers = range(1, 13)
        return cls(text, tuple(Month(year, number) for number in numbers))

    @property
    def is_month(self) -> bool:
        return len(self.months) == 1

    def bounds_us(self, zone: ZoneInfo) -> tuple[int, int]:
        """From its first microsecond to the first after it, in a zone."""
        return self.months[0].bounds_us(zone)[0], self.months[-1].bounds_us(zone)[1]
