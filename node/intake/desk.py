"""Cases opened and moved on by hand, for the towns and villages that have no business system.

What a clerk fills in becomes the same submission that a business system would send; the door and the rules treat it alike.
A form sent twice (a double click, a lost answer) is one event, because what it says is its serial.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.intake_pb2 import Person, Submission

from federation.errors import ZonghengError
from node.intake import values
from node.intake.attributes import attribute
from node.intake.identity import counts_for_identity, derived_serial
from node.intake.mapping import BadMapping, Value
from node.intake.times import NotATime, Reading, day_number, reader, zone_of
from node.intake.values import Unfit
from node.intake.vocabulary import Sense, UnknownDomain, vocabulary

SOURCE: Final = "desk"
"""The source of everything that is entered by hand."""

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_case_id(node: str, at_us: int, zone: str) -> str:
    """``<node>-<day>-<six characters>``: unique without asking anybody, and short enough to be read out."""
    day = datetime.fromtimestamp(at_us / 1_000_000, zone_of(zone))
    return f"{node}-{day:%Y%m%d}-{''.join(secrets.choice(_ALPHABET) for _ in range(6))}"


def open_case(
    node: str,
    *,
    at: str | datetime,
    agency: str,
    item: str,
    zone: str,
    now_us: int,
    actor: str = "",
    applicant_name: str = "",
    applicant_id_number: str = "",
    attributes: Mapping[str, Any] | None = None,
    domain: str = "approval",
    kind: str = "application",
    case_id: str = "",
) -> Submission:
    """A new case of this node, as it was filed.

    :param at: when it was filed: a time or a day, as text or as a datetime; without a zone it is in ``zone``.
    :param now_us: microseconds since the epoch, noted as the time of receipt.
    :param case_id: for a form that is sent again; empty: a new one is made.
    :raises ZonghengError: see :func:`move_case`.
    """
    return move_case(
        case_id or new_case_id(node, now_us, zone),
        kind,
        at=at,
        agency=agency,
        zone=zone,
        now_us=now_us,
        actor=actor,
        item=item,
        applicant_name=applicant_name,
        applicant_id_number=applicant_id_number,
        attributes=attributes,
        domain=domain,
    )


def move_case(
    case_id: str,
    kind: str,
    *,
    at: str | datetime,
    agency: str,
    zone: str,
    now_us: int,
    actor: str = "",
    item: str = "",
    step: str = "",
    applicant_name: str = "",
    applicant_id_number: str = "",
    attributes: Mapping[str, Any] | None = None,
    domain: str = "approval",
) -> Submission:
    """The next event of a case, to be submitted with :data:`SOURCE`.

    :param attributes: by the domain's names. Text is read as an import reads a cell: a time or day, 是 or true, and money in
        yuan; a whole number is taken as it is (microseconds, days since 1970-01-01, 分). ``statutory_due`` and
        ``promised_due`` take an instant or a day.
    :raises ZonghengError: ``unknown_kind`` for a kind or domain that is none, ``unreadable`` for an attribute that the kind
        does not have or a value that does not read as what it must be, ``unattributable`` without case or agency.
    """
    try:
        words = vocabulary(domain)
    except UnknownDomain as error:
        raise ZonghengError("unknown_kind", str(error)) from error
    if kind not in words.kinds:
        raise ZonghengError("unknown_kind", f"{kind!r} is none of: {', '.join(words.kinds)}")
    if not case_id or not agency:
        raise ZonghengError("unattributable", "name the case and the agency")
    senses = words.kinds[kind]
    at_us, day_only = _time(at, zone, "at")
    said: list[Attribute] = []
    texts: dict[str, str] = {}
    for name, value in (attributes or {}).items():
        if value is None or value == "":
            continue
        sense = senses.get(name)
        if sense is Sense.TEXT:
            texts[name] = str(value)
        elif sense is not None:
            said.append(_attribute(name, value, sense, zone))
        elif words.due_pair(kind, name):
            due_us, is_day = _time(value, zone, name)
            number = day_number(due_us, zone_of(zone)) if is_day else due_us
            said.append(Attribute(name=f"{name}_{'day' if is_day else 'at'}", integer=number))
        else:
            raise ZonghengError(
                "unreadable", f"{kind} has no {name!r}; it has: {', '.join(senses) or 'nothing'}"
            )
    distinct = counts_for_identity(senses)
    sums = [one.integer for one in said if one.name in distinct]
    event = CaseEvent(
        case_id=case_id,
        domain=domain,
        kind=kind,
        at_us=at_us,
        day_only=day_only,
        zone=zone,
        received_at_us=now_us,
        agency=agency,
        actor=actor,
        item=item,
        step=step,
        attributes=said,
    )
    serial = derived_serial(case_id, kind, step, at_us, day_only, actor, sums)
    submission = Submission(serial=serial, event=event, texts=texts)
    if applicant_name or applicant_id_number:
        submission.applicant.CopyFrom(Person(name=applicant_name, id_number=applicant_id_number))
    return submission


def _time(value: Any, zone: str, what: str) -> Reading:
    try:
        return reader((), zone_of(zone))(value.strip() if isinstance(value, str) else value)
    except (NotATime, ValueError) as error:
        raise ZonghengError("unreadable", f"{what}: {error}") from error


def _attribute(name: str, value: Any, sense: Sense, zone: str) -> Attribute:
    try:
        if type(value) is int and sense in (Sense.INSTANT, Sense.DAY, Sense.MONEY):
            return Attribute(name=name, integer=value)
        written = Value(constant="-", unit="yuan" if sense is Sense.MONEY else None)
        read = values.as_sense(lambda case, cells: value, written, sense, zone, name)({}, {})
    except (Unfit, BadMapping) as error:
        raise ZonghengError("unreadable", str(error)) from error
    return attribute(name, "" if read is None else read)
