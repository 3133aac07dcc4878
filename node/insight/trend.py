"""Which periods a trend shows, and what each is compared with: the one before, and the same one a year ago. Pure."""

from datetime import date

from node.reports.period import Period, period_of


def ending_with(last: Period, count: int) -> list[Period]:
    """So many periods of one kind, the oldest first."""
    found = [last]
    while len(found) < count:
        found.append(found[-1].before)
    return found[::-1]


def year_ago(period: Period) -> Period | None:
    """The same day, ISO week or month of the year before; None for 29 February and for a week 53 that it did not have."""
    if period.kind == "week":
        year, week, _ = period.first.isocalendar()
        try:
            return period_of("week", date.fromisocalendar(year - 1, week, 1))
        except ValueError:
            return None
    try:
        return period_of(period.kind, period.first.replace(year=period.first.year - 1))
    except ValueError:
        return None


def change_percent(now: int, then: int) -> float | None:
    """By how many per cent there are more; None where there were none."""
    return round(100 * (now - then) / then, 1) if then else None
