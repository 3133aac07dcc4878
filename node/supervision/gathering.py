"""What several cases have in common (one payee, one bidder, one agency's month), judged as if it were a case.

Some things are wrong in no single case: a payee is paid twice, an object is never inspected, a third sole bidder wins in a row. A
*gathering* takes the events of a domain that name the same key, whatever case they belong to, and puts them together under an id of their
own (`@funds.payee/H12`). From there on everything is as for a case: the same fold, clocks, findings, next look, alerts, and the same code at
a parent that judges the journal again. What an event gathers under follows from that event alone, so the order in which journals are read and
how often changes nothing, and a late event finds its gathering as it finds its case.

An id that begins with `@` is never a case's: the door refuses one. Months are the calendar months of the journal's node, whatever zone a source
counts its days in: a window's month is one month, from however many sources its events come.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final
from zoneinfo import ZoneInfo

from node.store.rows import EventRow
from node.supervision import domains

MARK: Final = "@"
"""How the id of a gathering begins."""

OF_CASE: Final = "of_case"
"""The attribute of a gathered event that says of which case it is."""

ZONE: Final = "Asia/Shanghai"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Events of these kinds, of whatever case, gathered by what they say under `by` (a base column or an attribute)."""

    name: str
    """What its findings are about: payee, bidder, object, agency_month …"""
    kinds: tuple[str, ...]
    by: tuple[str, ...]
    """An event that leaves one of them empty gathers under nothing."""
    monthly: bool = False
    """A gathering for each calendar month of the node."""


@cache
def gatherings(domain: str) -> tuple[Gathering, ...]:
    """What the events of a domain gather under; empty for a domain that is not installed."""
    return _declared().get(domain, ())


def stream(domain: str, name: str) -> str:
    """What the events of a gathering have in the place of their domain."""
    return f"{domain}.{name}"


def gathered(rows: Iterable[EventRow], zone: str = ZONE) -> Iterator[EventRow]:
    """For each event a row more for every gathering that it belongs to; ``zone``: the IANA zone of the journal's node."""
    for row in rows:
        for one in gatherings(row.domain):
            if row.kind in one.kinds and (key := _key(row, one, zone)):
                own = stream(row.domain, one.name)
                told = {**row.attributes, OF_CASE: row.case_id}
                yield replace(row, case_id=f"{MARK}{own}/{key}", domain=own, attributes=told)


def is_gathering(case_id: str) -> bool:
    """Whether an id is a gathering's and no case's."""
    return case_id.startswith(MARK)


def _key(row: EventRow, gathering: Gathering, zone: str) -> str:
    parts = [_said(row, name) for name in gathering.by]
    if not all(parts):
        return ""
    if gathering.monthly:
        at = _EPOCH + timedelta(microseconds=row.at_us)
        parts.append(f"{at.astimezone(ZoneInfo(zone)):%Y-%m}")
    return "/".join(parts)


def _said(row: EventRow, name: str) -> str:
    value = getattr(row, name) if name in _BASE else row.attributes.get(name)
    return "" if value is None or value is False else str(value)


_BASE: Final = frozenset({"agency", "actor", "item", "step", "applicant", "case_id"})


@cache
def _declared() -> Mapping[str, tuple[Gathering, ...]]:
    declared = {}
    for package in (module.name for module in iter_modules(domains.__path__) if module.ispkg):
        events = import_module(f"{domains.__name__}.{package}.events")
        declared[package] = tuple(getattr(events, "GATHERINGS", ()))
    return declared
