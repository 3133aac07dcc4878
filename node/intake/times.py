"""Reading times as sources write them.

A reading is (microseconds since the epoch, whether the source gave only a day). A day's microseconds are 00:00 of that day
in the zone. A local time that a change of clocks makes ambiguous is the earlier of the two; one that it skips is read with
the offset before the change.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

Reading: TypeAlias = tuple[int, bool]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EARLIEST, _LATEST = 1900, 2199
_NUMBERED = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
_DAYS_KEPT = 65_536
_EXCEL_DAYS = 25_569  # Excel's day number of 1970-01-01 (1900 system)

# Year first, so that day and month cannot be confused; anything else needs a stated format.
_COMMON = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[T\s]*(\d{1,2})[:时点](\d{1,2})分?(?::?(\d{1,2})(?:[.,](\d{1,9}))?秒?)?\s*(Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?", re.ASCII)


class NotATime(ValueError):
    """The value is no time in any of the formats; the message does not quote it."""


def micros(at: datetime) -> int:
    """Microseconds since the epoch of an aware ``at``."""
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def day_number(micros_: int, zone: tzinfo) -> int:
    """Days since 1970-01-01 of the day in which the instant lies in ``zone``."""
    return (EPOCH + timedelta(microseconds=micros_)).astimezone(zone).toordinal() - _EPOCH_DAY


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name; raises ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def reader(formats: Sequence[str], zone: tzinfo | None) -> Callable[[Any], Reading]:
    """A function that reads a cell as a time.

    :param formats: strptime formats (one without hours gives a day), ``iso``, ``epoch_s``, ``epoch_ms``, ``epoch_us``
        or ``excel``; tried in order. None: ISO 8601 and the usual ways to write a time with the year first.
    :param zone: zone of times that do not carry their own; None: such a time is refused.
    """
    ways = [_way(format_, zone) for format_ in formats] or [_usual(zone)]
    typed = _typed(zone)

    def read(value: Any) -> Reading:
        if not isinstance(value, str):
            if isinstance(value, date):
                return typed(value)
            if isinstance(value, time):
                raise NotATime("a time of day without a day")
        last = "not a time"
        for way in ways:
            try:
                return way(value)
            except NotATime as error:
                last = str(error)
            except (ValueError, OverflowError, TypeError):
                continue
        raise NotATime(last)

    return read


def _way(format_: str, zone: tzinfo | None) -> Callable[[Any], Reading]:
    if format_ == "iso":
        return _iso(zone)
    if format_ in _NUMBERED:
        factor = _NUMBERED[format_]
        return lambda value: _believable(EPOCH + timedelta(microseconds=round(float(value) * factor)), False)
    typed = _typed(zone)
    if format_ == "excel":
        return lambda value: typed(datetime(1970, 1, 1) + timedelta(days=float(value) - _EXCEL_DAYS))
    has_time = any(code in format_ for code in ("%H", "%I", "%M", "%X", "%c"))
    if has_time:
        return lambda value: typed(datetime.strptime(str(value), format_))
    return lambda value: typed(datetime.strptime(str(value), format_).date())


def _typed(zone: tzinfo | None) -> Callable[[date], Reading]:
    # Days repeat, and midnight in a zone is the dearest part of reading one.
    midnight = lru_cache(maxsize=_DAYS_KEPT)(
        lambda day: _believable(_placed(datetime.combine(day, time()), zone), True)
    )

    def read(value: date) -> Reading:
        if isinstance(value, datetime):
            return _believable(_placed(value, zone), False)
        return midnight(value)

    return read


def _iso(zone: tzinfo | None) -> Callable[[Any], Reading]:
    typed = _typed(zone)
    parse = datetime.fromisoformat
    days: dict[str, Reading] = {}
    evenly: dict[str, int | None] = {}

    def read(value: Any) -> Reading:
        text = str(value)
        if len(text) <= 10:
            known = days.get(text)
            if known is None:
                known = typed(date.fromisoformat(text))
                if len(days) < _DAYS_KEPT:
                    days[text] = known
            return known
        at = parse(text)
        if at.tzinfo is not None:
            return _believable(at, False)
        # Most days keep one offset, and then the day's midnight is all that the zone has to be asked for.
        day = text[:10]
        midnight = evenly.get(day, -1)
        if midnight == -1:
            midnight = _even_midnight(at, zone)
            if len(evenly) < _DAYS_KEPT:
                evenly[day] = midnight
        if midnight is None or text[4] != "-":
            return _believable(_placed(at, zone), False)
        return midnight + ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond, False

    return read


def _even_midnight(at: datetime, zone: tzinfo | None) -> int | None:
    """Microseconds since the epoch of 00:00 of the day of ``at``; None where the day changes its offset."""
    start = _placed(datetime.combine(at.date(), time()), zone)
    begun, _ = _believable(start, True)
    # 26 hours: no day is longer, and the next one's midnight may be the change itself.
    end = (EPOCH + timedelta(microseconds=begun, hours=26)).astimezone(zone)
    return begun if start.utcoffset() == end.utcoffset() else None


def _usual(zone: tzinfo | None) -> Callable[[Any], Reading]:
    iso, typed = _iso(zone), _typed(zone)

    def read(value: Any) -> Reading:
        if not isinstance(value, str):
            value = f"{value:.0f}" if isinstance(value, float) else str(value)
        try:
            return iso(value)
        except NotATime:
            raise
        except ValueError:
            pass
        match = _COMMON.fullmatch(value)
        if match is not None:
            return typed(_from_parts(*match.groups()))
        match = _PACKED.fullmatch(value)
        if match is not None:
            year, month, day, hour, minute, second = match.groups()
            return typed(_from_parts(year, month, day, hour, minute, second, None, None))
        raise NotATime("not a time with the year first; state its format")

    return read


def _from_parts(
    year: str,
    month: str,
    day: str,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    offset: str | None,
) -> date:
    if hour is None:
        return date(int(year), int(month), int(day))
    digits = ((fraction or "") + "000000")[:6]
    at = datetime(int(year), int(month), int(day), int(hour), int(minute or 0), int(second or 0), int(digits))
    if offset is None:
        return at
    if offset == "Z":
        return at.replace(tzinfo=UTC)
    signed = -1 if offset[0] == "-" else 1
    return at.replace(tzinfo=timezone(signed * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))))


def _placed(at: datetime, zone: tzinfo | None) -> datetime:
    if at.tzinfo is not None:
        return at
    if zone is None:
        raise NotATime("a time without a zone, and the mapping states none")
    return at.replace(tzinfo=zone)


def _believable(at: datetime, day_only: bool) -> Reading:
    if not _EARLIEST <= at.year <= _LATEST:
        raise NotATime(
            f"a year outside {_EARLIEST} to {_LATEST}; list the source's way to say 'none' under [read] empty"
        )
    return micros(at), day_only
