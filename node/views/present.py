"""How values are written for people and programs: times with their offset, levels and states as words."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from federation.errors import ZonghengError
from node.supervision.levels import LEVELS, STATES
from node.wallclock import instant, micros

_EPOCH = date(1970, 1, 1).toordinal()


def time_text(at_us: int | None, zone: str) -> str | None:
    """ISO 8601 with offset in ``zone``; None for an absent time (None or 0)."""
    if not at_us:
        return None
    return instant(at_us).astimezone(ZoneInfo(zone)).isoformat()


def source_time(at_us: int | None, source_zone: str, zone: str) -> str | None:
    """An instant as `time_text` writes it in its source's zone; None where ``zone`` has the same offset then: there is nothing to add."""
    told = time_text(at_us, source_zone)
    return None if told == time_text(at_us, zone) else told


def day_text(number: int) -> str | None:
    """The ISO date of a day since 1970-01-01; None for 0."""
    return date.fromordinal(_EPOCH + number).isoformat() if number else None


def level_number(word: str | None) -> int:
    """1 to 3 for notice, yellow, red; 0 for None; ``ZonghengError`` naming the choices otherwise."""
    if not word:
        return 0
    try:
        return LEVELS.index(word)
    except ValueError:
        raise ZonghengError("bad_request", f"there is no level {word!r}: notice, yellow or red") from None


def state_number(word: str | None) -> int:
    """The alert state's number for its word; 0 for None."""
    if not word:
        return 0
    for number, name in STATES.items():
        if name == word and number:
            return number
    raise ZonghengError(
        "bad_request", f"there is no alert state {word!r}: {', '.join(s for n, s in STATES.items() if n)}"
    )


def time_us(text: str | None, zone: str) -> int:
    """Microseconds of an ISO 8601 time or day (taken in ``zone`` when it has no offset); 0 for None."""
    if not text:
        return 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ZonghengError(
            "bad_request", f"{text!r} is no ISO 8601 time, for example 2026-06-30T10:00:00+08:00"
        ) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(zone))
    if not 1900 < at.year < 2500:
        raise ZonghengError("bad_request", f"{text!r} is too far away: give a year from 1901 to 2499")
    return micros(at)


def day_of(text: str | None, zone: str) -> int:
    """The day, since 1970-01-01 in ``zone``, of an ISO 8601 time or day; 0 for None."""
    at_us = time_us(text, zone)
    return instant(at_us).astimezone(ZoneInfo(zone)).toordinal() - _EPOCH if at_us else 0
