"""Cases told in lines of text, and judged: what the tests of every domain share.

A line is a day or time, a kind and what the event says: ``2024-03-01 filing by=W1 fine=20000 major=yes``. Words before ``=``: `by` the officer,
`case` (default n-1), `agency` (AG), `item` (I1), `step`, `who` the applicant's handle, `entered` the time of entry (default ten minutes
later, "-" unknown); everything else is an attribute of the kind, of the type its vocabulary gives it; days and times are written as such.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from zongheng.v1 import catalogue_pb2
from zongheng.v1.engine_pb2 import Library, LibraryRow

from node.store.rows import EventRow
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.evaluate import Evaluation, evaluate
from node.supervision.fold import installed
from node.supervision.frame import from_rows
from node.supervision.gathering import gathered
from node.supervision.library import libraries
from node.supervision.policy import Policy

ZONE = "Asia/Shanghai"
LEVELS = ("none", "notice", "yellow", "red")
_HEAD = {
    "by": "actor",
    "agency": "agency",
    "item": "item",
    "step": "step",
    "who": "applicant",
    "case": "case_id",
}


def us(text: str) -> int:
    """Microseconds of a local time; a day alone is its ten in the morning."""
    at = datetime.fromisoformat(text if "T" in text else f"{text}T10:00")
    return round(at.replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1_000_000)


def told(domain: str, text: str, start: int = 0) -> list[EventRow]:
    """The event rows of a story."""
    kinds: Mapping[str, Mapping[str, type]] = import_module(f"node.supervision.domains.{domain}.events").KINDS
    rows = []
    for line in filter(None, (line.split("#")[0].strip() for line in text.splitlines())):
        at, kind, *said = line.split()
        row: dict[str, Any] = {"actor": "W1", "agency": "AG", "item": "I1", "step": "", "applicant": "H1"}
        row["case_id"] = "n-1"
        at_us, attributes = us(at), {}
        received = at_us + 600_000_000
        for word in said:
            name, _, value = word.partition("=")
            if name == "entered":
                received = 0 if value == "-" else us(value)
            elif name in _HEAD:
                row[_HEAD[name]] = value
            else:
                attributes[name] = _value(name, value, kinds[kind][name])
        assert kind in kinds, f"{domain} has no kind {kind}"
        rows.append(
            EventRow(
                origin="n",
                idx=start + len(rows),
                at_us=at_us,
                day_only=False,
                zone="",
                domain=domain,
                kind=kind,
                received_at_us=received,
                noted_at_us=at_us,
                import_id="",
                attributes=attributes,
                **row,
            )
        )
    return rows


def _value(name: str, value: str, held: type) -> int | str | bool:
    if held is bool:
        return {"yes": True, "no": False}[value]
    if held is str:
        return value
    if name.endswith("_at"):
        return us(value)
    if name.endswith("_day"):
        return (date.fromisoformat(value) - date(1970, 1, 1)).days
    return int(value)


def judged(
    domain: str,
    *stories: str,
    as_of: str = "2024-06-28",
    items: Sequence[catalogue_pb2.Item] = (),
    published: Sequence[Library] = (),
    policy: Policy | None = None,
) -> Evaluation:
    """The stories judged under a national calendar."""
    rows: list[EventRow] = []
    for story in stories:
        rows += told(domain, story, len(rows))
    rows += gathered(tuple(rows))
    context = Context(
        Calendar.china(),
        items,
        policy or Policy(),
        zone=ZONE,
        node="n",
        libraries=libraries(published),
    )
    return evaluate(from_rows(rows), context, us(as_of), len(rows), installed((domain,)))


def raised(evaluation: Evaluation) -> dict[str, set[str]]:
    """Rule without its domain → levels that it found."""
    found: dict[str, set[str]] = {}
    for rule, level in evaluation.findings.select("rule", "level").iter_rows():
        found.setdefault(rule.partition(".")[2], set()).add(LEVELS[level])
    return found


def subjects(evaluation: Evaluation, rule: str) -> set[tuple[str, str]]:
    """(case or gathering, subject) of a rule's findings."""
    rows = evaluation.findings.select("rule", "case_id", "subject").iter_rows()
    return {(case, subject) for code, case, subject in rows if code.partition(".")[2] == rule}


def library(name: str, *rows: str) -> Library:
    """A library of rows ``code grade low high``, each with ``-`` for what it leaves out; ``ratio`` at the end for thousandths."""
    made = Library(name=name, version=1)
    for row in rows:
        code, grade, low, high, *ratio = row.split()
        one = LibraryRow(code=code, grade="" if grade == "-" else grade, ratio=bool(ratio))
        if low != "-":
            one.low = int(low)
        if high != "-":
            one.high = int(high)
        made.rows.append(one)
    return made


class Pair:
    """Two stories for one rule: one that it is raised in, one in which it just is not."""

    def __init__(
        self, level: str, breaks: str, keeps: str, *, as_of: str = "2024-06-28", **more: Any
    ) -> None:
        self.level, self.breaks, self.keeps, self.as_of, self.more = level, breaks, keeps, as_of, more

    def check(self, domain: str, rule: str) -> None:
        """Both come out so. Raises AssertionError with what was found."""
        found = raised(judged(domain, self.breaks, as_of=self.as_of, **self.more))
        assert self.level in found.get(rule, set()), f"{rule} is not {self.level} in what breaks it: {found}"
        kept = raised(judged(domain, self.keeps, as_of=self.as_of, **self.more))
        assert self.level not in kept.get(rule, set()), f"{rule} is {self.level} in what keeps it: {kept}"


def rules_of(domain: str) -> set[str]:
    """Codes of every rule of a domain and its gatherings, without the domain's name."""
    return {rule.code.partition(".")[2] for one in installed((domain,)) for rule in one.rules}
