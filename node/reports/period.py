"""A day, a week or a month of which a report tells. Weeks are ISO 8601's: Monday to Sunday. Pure."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, get_args

from federation.errors import ZonghengError

Kind = Literal["day", "week", "month"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_EPOCH: Final = date(1970, 1, 1).toordinal()
_MONTH: Final = re.compile(r"(\d{4})-(\d\d)")
_WEEK: Final = re.compile(r"(\d{4})-W(\d\d)")


@dataclass(frozen=True, slots=True)
class Period:
    """``first`` is its first day, ``end`` the day after its last."""

    kind: Kind
    first: date
    end: date

    @property
    def label(self) -> str:
        """2026-11-25, 2026-W48, 2026-11: what `period_named` reads."""
        if self.kind == "day":
            return self.first.isoformat()
        if self.kind == "week":
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02d}"
        return f"{self.first:%Y-%m}"

    @property
    def words(self) -> str:
        """The period in Chinese."""
        if self.kind == "day":
            return _day_words(self.first)
        if self.kind == "week":
            year, week, _ = self.first.isocalendar()
            last = self.end - timedelta(days=1)
            return f"{year}年第{week}周（{_day_words(self.first)}至{_day_words(last)}）"
        return f"{self.first.year}年{self.first.month}月"

    @property
    def name(self) -> str:
        """日报, 周报, 月报."""
        return {"day": "日报", "week": "周报", "month": "月报"}[self.kind]

    @property
    def days(self) -> range:
        """Its days, since 1970-01-01."""
        return range(self.first.toordinal() - _EPOCH, self.end.toordinal() - _EPOCH)

    @property
    def before(self) -> "Period":
        """The period of the same kind that ends where this one begins."""
        return period_of(self.kind, self.first - timedelta(days=1))


def period_of(kind: Kind, day: date) -> Period:
    """The period of this kind in which a day lies."""
    if kind == "day":
        return Period(kind, day, day + timedelta(days=1))
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(kind, monday, monday + timedelta(days=7))
    first = day.replace(day=1)
    return Period(kind, first, (first + timedelta(days=31)).replace(day=1))


def period_named(kind: str, of: str, today: date) -> Period:
    """The period ``of`` names: a month 2026-11, a week 2026-W48, or a day in it; empty: the last one that was over before ``today``.

    Raises ``ZonghengError`` ``bad_request`` for what is no period, and for one that has not begun.
    """
    if kind not in KINDS:
        raise ZonghengError("bad_request", f"there is no period {kind!r}: day, week or month")
    if not of:
        return period_of(kind, today).before
    try:
        if kind == "month" and (month := _MONTH.fullmatch(of)):
            day = date(int(month[1]), int(month[2]), 1)
        elif kind == "week" and (week := _WEEK.fullmatch(of)):
            day = date.fromisocalendar(int(week[1]), int(week[2]), 1)
        else:
            day = date.fromisoformat(of)
        if not 1900 < day.year < 2500:
            raise ValueError(of)
    except ValueError:
        raise ZonghengError(
            "bad_request",
            f"{of!r} is no {kind}: 2026-11-25, of a week also 2026-W48, of a month also 2026-11",
        ) from None
    if day > today:
        raise ZonghengError("bad_request", f"{of} has not begun: today is {today.isoformat()}")
    return period_of(kind, day)


def _day_words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
