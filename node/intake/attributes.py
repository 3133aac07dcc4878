"""One attribute of an event, made ready: a function that adds it where the record has it."""

from collections.abc import Callable
from typing import Any, TypeAlias

from zongheng.v1.case_pb2 import Attribute

from node.intake import values
from node.intake.mapping import BadMapping, Value
from node.intake.times import day_number, zone_of
from node.intake.values import Unfit
from node.intake.vocabulary import Sense

Filled: TypeAlias = Callable[[Any, Any, list[Attribute]], None]
"""(attributes of the case, cells, what is said of the event so far)."""


def filled(
    name: str, value: Value, get: values.Raw, sense: Sense | None, zone: str | None, key: str
) -> Filled:
    """
    :param sense: what the vocabulary says of it; None: a due date that is an instant or a day, whichever its value is.
    :param key: where the mapping says it, for messages.
    :raises BadMapping: for a constant that does not read as what it must be.
    """
    if sense is None:
        return _due(name, value, get, zone)
    read = values.as_sense(get, value, sense, zone, name)
    if value.constant is not None and value.map is None and value.pick is None:
        try:
            constant = read({}, {})
        except Unfit as error:
            raise BadMapping(f"{key}: {error}") from error
        if constant is None:
            return lambda case, cells, said: None
        fixed = attribute(name, constant)
        return lambda case, cells, said: said.append(fixed)

    def fill(case: Any, cells: Any, said: list[Attribute]) -> None:
        found = read(case, cells)
        if found is not None and found != "":
            said.append(attribute(name, found))

    return fill


def _due(name: str, value: Value, get: values.Raw, zone: str | None) -> Filled:
    """``statutory_due``: becomes ``statutory_due_at`` or ``statutory_due_day``."""
    read = values.as_time(get, value, zone, name)
    named = value.zone or zone
    as_at, as_day = f"{name}_at", f"{name}_day"

    def due(case: Any, cells: Any, said: list[Attribute]) -> None:
        found = read(case, cells)
        if found is None:
            return
        if not found[1]:
            said.append(Attribute(name=as_at, integer=found[0]))
        elif named is not None:
            said.append(Attribute(name=as_day, integer=day_number(found[0], zone_of(named))))

    return due


def attribute(name: str, value: int | str | bool) -> Attribute:
    """The message; which of its values is set follows from the type."""
    if isinstance(value, bool):
        return Attribute(name=name, flag=value)
    if isinstance(value, str):
        return Attribute(name=name, text=value)
    return Attribute(name=name, integer=value)
