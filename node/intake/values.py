"""Reading one value out of a record, as a mapping says: from which column, picked, mapped, and as what it is read.

Everything that can be decided once for a file is decided when these functions are made; a record costs only the calls.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Any, TypeAlias

from node.intake.mapping import BadMapping, Scalar, Value
from node.intake.times import NotATime, Reading, day_number, reader, zone_of
from node.intake.vocabulary import UNITS, Sense

Raw: TypeAlias = Callable[[Any, Any], Any]
"""(attributes of the case, cells) → the value, None where there is none."""

_UNIT_WORDS = {
    "工作日": "working", "个工作日": "working", "自然日": "natural", "日历日": "natural", "小时": "hour", "工作小时": "hour",
}  # fmt: skip
_TRUE = frozenset({"true", "1", "yes", "y", "t", "是", "有"})
_FALSE = frozenset({"false", "0", "no", "n", "f", "否", "无"})
_LARGEST = 2**63 - 1
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_CASE = "case:"


class Unfit(ValueError):
    """A value does not read as what it must be. ``shown`` is for the local report only and is never journalled."""

    def __init__(self, reason: str, shown: Any = "") -> None:
        super().__init__(reason)
        self.shown = str(shown)[:80]


class Columns:
    """Where columns are found, and which of them a mapping has asked for."""

    def __init__(
        self, names: tuple[str, ...] | None, empty: Sequence[str], file_name: str, xes: bool
    ) -> None:
        self.names, self.xes = names, xes
        self.file_name = file_name
        self.asked: dict[str, str] = {}
        """Names that have to turn up somewhere in the file, with the key that asks for each."""
        self._empty = frozenset(empty) | {""}

    def getter(self, name: str, key: str, optional: bool) -> Raw:
        """The cell of one column, stripped; None where it is empty.

        :raises BadMapping: when the file has fixed columns and this is none of them.
        """
        if not optional:
            self.asked.setdefault(name, key)
        empty = self._empty
        if self.names is None:
            if self.xes and name.startswith(_CASE):
                inner = name[len(_CASE) :]
                return lambda case, cells: _clean(case.get(inner), empty)
            return lambda case, cells: _clean(cells.get(name), empty)
        if name not in self.names:
            if optional:
                return lambda case, cells: None
            there = ", ".join(column for column in self.names if column)
            raise BadMapping(
                f"{key}: the file has no column {name!r}; it has: {there}. For the text itself write '={name}'"
            )
        position = self.names.index(name)

        def cell(case: Any, cells: Any) -> Any:
            value = cells[position]
            if isinstance(value, str):
                value = value.strip()
                return None if value in empty else value
            return value

        return cell


def _clean(value: Any, empty: frozenset[str]) -> Any:
    if isinstance(value, str):
        value = value.strip()
        return None if value in empty else value
    return value


def text_of(value: Any) -> str:
    """A cell as text: 7.0 is ``7``, a day is ISO 8601. Raises Unfit for a list or object."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise Unfit(f"a {type(value).__name__} where a single value should be")


def raw(
    value: Value, key: str, columns: Columns, maps: Mapping[str, Mapping[str, Scalar]], *, every: bool = False
) -> Raw:
    """The function that takes a value out of a record, before it is read as anything.

    :param every: a joined value is none at all unless every part of it is there.
    :raises BadMapping: for a column that is not in the file or a map that is not in the mapping.
    """
    get = _origin(value, key, columns, every)
    if value.pick is not None:
        get = _picked(get, value.pick)
    if value.map is not None:
        if isinstance(value.map, str) and value.map not in maps:
            raise BadMapping(f"{key}: there is no [maps.{value.map}]")
        get = _mapped(get, maps[value.map] if isinstance(value.map, str) else value.map)
    if value.default is not None:
        get = _defaulted(get, value.default)
    return get


def _origin(value: Value, key: str, columns: Columns, every: bool) -> Raw:
    if value.constant is not None:
        constant = value.constant
        return lambda case, cells: constant
    if value.file is not None:
        match = re.search(value.file, PurePath(columns.file_name).name)
        if match is None:
            raise BadMapping(f"{key}: the file's name {columns.file_name!r} does not match {value.file!r}")
        named = _group(match)
        return lambda case, cells: named
    parts = [columns.getter(name, key, value.optional) for name in value.column]
    if len(parts) == 1:
        return parts[0]
    if value.join is None:
        return lambda case, cells: next((v for part in parts if (v := part(case, cells)) is not None), None)
    glue = value.join

    def joined(case: Any, cells: Any) -> Any:
        found = [text_of(v) for part in parts if (v := part(case, cells)) is not None]
        return glue.join(found) if len(found) == len(parts) or (found and not every) else None

    return joined


def _group(match: re.Match[str]) -> str | None:
    return match.group(1) if match.re.groups else match.group()


def _picked(get: Raw, pattern: str) -> Raw:
    search = re.compile(pattern).search

    def picked(case: Any, cells: Any) -> Any:
        value = get(case, cells)
        match = None if value is None else search(text_of(value))
        return None if match is None else (_group(match) or None)

    return picked


def _mapped(get: Raw, table: Mapping[str, Scalar]) -> Raw:
    def mapped(case: Any, cells: Any) -> Any:
        value = get(case, cells)
        return None if value is None else table.get(text_of(value), value)

    return mapped


def _defaulted(get: Raw, default: Scalar) -> Raw:
    def defaulted(case: Any, cells: Any) -> Any:
        value = get(case, cells)
        return default if value is None else value

    return defaulted


def as_text(get: Raw) -> Callable[[Any, Any], str]:
    """A code, name or number as text; empty where there is none."""

    def read(case: Any, cells: Any) -> str:
        value = get(case, cells)
        return "" if value is None else value if isinstance(value, str) else text_of(value)

    return read


def as_time(get: Raw, value: Value, zone: str | None, what: str) -> Callable[[Any, Any], Reading | None]:
    """An instant, or a day: a value that gives only a day, or any value if the mapping says ``day = true``."""
    named = value.zone or zone
    place = zone_of(named) if named else None
    parse = reader(value.format, place)

    def read(case: Any, cells: Any) -> Reading | None:
        found = get(case, cells)
        if found is None:
            return None
        try:
            return parse(found)
        except NotATime as error:
            raise Unfit(f"{what}: {error}", found) from None

    if not value.day:
        return read
    if place is None:
        raise BadMapping(f"{what}: day = true needs a zone")
    midnight = reader((), place)

    def read_day(case: Any, cells: Any) -> Reading | None:
        found = read(case, cells)
        if found is None or found[1]:
            return found
        return midnight(date.fromordinal(day_number(found[0], place) + 719_163))

    return read_day


def as_sense(
    get: Raw, value: Value, sense: Sense, zone: str | None, what: str
) -> Callable[[Any, Any], int | str | bool | None]:
    """An attribute of the vocabulary, read as what it means.

    :raises BadMapping: when the mapping does not say what has to be known for it.
    """
    if sense is Sense.INSTANT:
        return _instant(as_time(get, value, zone, what), what)
    if sense is Sense.DAY:
        named = value.zone or zone
        if named is None:
            raise BadMapping(f"{what}: a day needs a zone; state zone in the mapping")
        return _day(as_time(get, value, zone, what), named)
    parsers: dict[Sense, Callable[[Any], int | str | bool]] = {
        Sense.COUNT: _count,
        Sense.MONEY: _yuan if value.unit == "yuan" else _count,
        Sense.FLAG: _flag,
        Sense.UNIT: _unit,
    }
    parse = parsers.get(sense, text_of)
    if sense is Sense.MONEY and value.unit is None:
        raise BadMapping(f'{what}: an amount of money; say unit = "yuan" or unit = "fen"')

    def read(case: Any, cells: Any) -> int | str | bool | None:
        found = get(case, cells)
        if found is None:
            return None
        try:
            return parse(found)
        except Unfit as error:
            raise Unfit(f"{what}: {error}", found) from None

    return read


def _instant(read: Callable[[Any, Any], Reading | None], what: str) -> Callable[[Any, Any], int | None]:
    due = what.endswith("_due_at")

    def instant(case: Any, cells: Any) -> int | None:
        found = read(case, cells)
        if found is None:
            return None
        if due and found[1]:
            name = what.removesuffix("_at")
            raise Unfit(f"{what}: a day, where the mapping promises an instant; use {name} or {name}_day")
        return found[0]

    return instant


def _day(read: Callable[[Any, Any], Reading | None], zone: str) -> Callable[[Any, Any], int | None]:
    place = zone_of(zone)

    def day(case: Any, cells: Any) -> int | None:
        found = read(case, cells)
        return None if found is None else day_number(found[0], place)

    return day


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise Unfit("not a number")
    text = str(value).replace("，", ",").removeprefix("¥").removeprefix("￥").removesuffix("元")
    if "," in text:
        # Elsewhere "1,5" is one and a half: a comma that does not part thousands is not guessed at.
        if not _THOUSANDS.fullmatch(text.strip()):
            raise Unfit("not a number: a comma parts thousands")
        text = text.replace(",", "")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Unfit("not a number") from None


def _whole(number: Decimal, otherwise: str) -> int:
    if not number.is_finite() or abs(number) > _LARGEST:
        raise Unfit("too large a number")
    if number != number.to_integral_value():
        raise Unfit(otherwise)
    return int(number)


def _count(value: Any) -> int:
    if type(value) is int and abs(value) <= _LARGEST:
        return value
    return _whole(_number(value), "not a whole number")


def _yuan(value: Any) -> int:
    number = _number(value)
    if not number.is_finite() or abs(number) > _LARGEST:
        raise Unfit("too large a number")
    return _whole(number.scaleb(2), "yuan with more than two decimals")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = text_of(value).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Unfit("neither yes nor no")


def _unit(value: Any) -> str:
    text = text_of(value)
    text = _UNIT_WORDS.get(text, text)
    if text not in UNITS:
        raise Unfit(f"a unit that is none of {', '.join(UNITS)}; map it")
    return text
