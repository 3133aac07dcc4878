"""The mapping file: how one source's log is to be read. Documented for those who write one in docs/import.md.

A mapping is checked in three places, each before anything is written: here (TOML, keys, types), against the domain's
vocabulary and the file's columns (``translation``), and by translating the whole file once (``import_run``).
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping as AbstractMapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from node.intake.published import Agency as Agency
from node.intake.published import Fee as Fee
from node.intake.published import Item as Item
from node.intake.published import Limit as Limit
from node.intake.published import Part, Texts
from node.intake.published import Step as Step
from node.intake.published import TierLimit as TierLimit
from node.intake.readers.record import MIB, ReadOptions
from node.intake.times import zone_of

Scalar: TypeAlias = bool | int | str
Unit: TypeAlias = Literal["working", "natural", "hour"]


class BadMapping(Exception):
    """The mapping cannot be used; the message names the key and says what to do. Nothing was written."""


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


def _zone(value: str) -> str:
    zone_of(value)
    return value


Pattern = Annotated[str, Field(min_length=1), BeforeValidator(_pattern)]
Zone = Annotated[str, BeforeValidator(_zone)]


class Value(Part):
    """Where a value comes from and how it is read. Short forms: ``"column"``, ``"=constant"``, a number, a flag."""

    column: Texts = ()
    constant: Scalar | None = None
    file: Pattern | None = None
    """A regular expression searched in the file's name."""
    join: str | None = None
    """Between several columns; without it the first that is not empty counts."""
    pick: Pattern | None = None
    map: str | dict[str, Scalar] | None = None
    default: Scalar | None = None
    format: Texts = ()
    zone: Zone | None = None
    day: bool = False
    unit: Literal["yuan", "fen"] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> "Value":
        if (bool(self.column) + (self.constant is not None) + (self.file is not None)) != 1:
            raise ValueError("say exactly one of column, constant, file")
        if self.join is not None and len(self.column) < 2:
            raise ValueError("join needs several columns")
        return self


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return {"constant": value[1:]} if value.startswith("=") else {"column": value}
    if isinstance(value, bool | int):
        return {"constant": value}
    if isinstance(value, list):
        return {"column": value}
    return value


AnyValue = Annotated[Value, BeforeValidator(_value)]
Attributes: TypeAlias = dict[str, AnyValue]


class Condition(Part):
    """What a column must hold. Short forms: a text or number (is), a list (is one of)."""

    is_: tuple[Scalar, ...] | None = Field(default=None, alias="is")
    not_: tuple[Scalar, ...] | None = Field(default=None, alias="not")
    matches: Pattern | None = None
    empty: bool | None = None

    @field_validator("is_", "not_", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list | tuple) or value is None else (value,)

    @model_validator(mode="after")
    def _says_something(self) -> "Condition":
        if self.is_ is None and self.not_ is None and self.matches is None and self.empty is None:
            raise ValueError("say one of is, not, matches, empty")
        return self


def _condition(value: Any) -> Any:
    return value if isinstance(value, dict) else {"is": value}


Conditions: TypeAlias = dict[str, Annotated[Condition, BeforeValidator(_condition)]]


class Applicant(Part):
    """The citizen or company; goes to the vault, never into the journal."""

    name: AnyValue | None = None
    id_number: AnyValue | None = None


class Read(Part):
    """How to read the file."""

    format: Literal["xes", "csv", "xlsx", "jsonl"] | None = None
    encoding: str = ""
    delimiter: str = Field(default="", max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    sheet: str = ""
    header: int = Field(default=1, ge=0)
    columns: tuple[str, ...] = ()
    ragged: bool = False
    max_value: int = Field(default=MIB, ge=1024, le=64 * MIB)
    empty: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_columns(self) -> "Read":
        if (self.header == 0) != bool(self.columns):
            raise ValueError(
                "columns is for files without a header, and those need it: header = 0, columns = [...]"
            )
        return self

    def options(self) -> ReadOptions:
        """What the reader needs to know."""
        return ReadOptions(
            encoding=self.encoding,
            delimiter=self.delimiter,
            quote=self.quote,
            sheet=self.sheet,
            header=self.header,
            columns=self.columns,
            max_value=self.max_value,
            ragged=self.ragged,
        )


class Case(Part):
    """Which case a record belongs to."""

    id: AnyValue = Value(column=("case:concept:name",))
    prefix: AnyValue | None = None
    separator: str = "-"
    when: Conditions = Field(default_factory=dict)
    classified: Conditions = Field(default_factory=dict)
    """Records that the source marks as state secrets: they are turned away, and nothing of them is kept."""


class _Said(Part):
    """What can be said of an event, for all in ``[event]`` and for one in ``[[events]]``."""

    time: AnyValue | None = None
    received: AnyValue | None = None
    agency: AnyValue | None = None
    actor: AnyValue | None = None
    item: AnyValue | None = None
    step: AnyValue | None = None
    serial: AnyValue | None = None
    applicant: Applicant | None = None
    attributes: Attributes = Field(default_factory=dict)


class Event(_Said):
    """What holds for every event."""

    activity: AnyValue | None = None
    kind: AnyValue | None = None


class Rule(_Said):
    """Which records become which event."""

    name: str = ""
    per: Literal["row", "case"] = "row"
    kind: str = ""
    ignore: bool = False
    is_: Texts = Field(default=(), alias="is")
    matches: Pattern | None = None
    otherwise: bool = False
    when: Conditions = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> "Rule":
        if self.ignore == bool(self.kind):
            raise ValueError("say either kind or ignore = true")
        if bool(self.is_) + (self.matches is not None) + self.otherwise > 1:
            raise ValueError("say only one of is, matches, otherwise")
        if self.per == "case" and (self.chooses or self.ignore):
            raise ValueError(
                "a rule per case looks at no activity: leave out is, matches, otherwise and ignore"
            )
        if self.ignore and not (self.chooses or self.when):
            raise ValueError("say what to ignore: is, matches, otherwise or when")
        return self

    @property
    def chooses(self) -> bool:
        """The rule looks at the activity."""
        return bool(self.is_) or self.matches is not None or self.otherwise

    @property
    def label(self) -> str:
        """The rule's name, else its kind and step."""
        step = self.step.constant if self.step is not None and self.step.constant is not None else ""
        return self.name or (f"{self.kind}:{step}" if step else self.kind)


class Mapping(Part):
    """A whole mapping file."""

    source: str = Field(min_length=1, max_length=100)
    domain: str = "approval"
    zone: Zone | None = None
    read: Read = Read()
    case: Case = Case()
    event: Event = Event()
    events: tuple[Rule, ...] = ()
    maps: dict[str, dict[str, Scalar]] = Field(default_factory=dict)
    items: tuple[Item, ...] = ()
    agencies: tuple[Agency, ...] = ()
    digest: str = Field(default="", exclude=True)
    """SHA-256 of the mapping's own text; not a key of the file."""

    @model_validator(mode="after")
    def _whole(self) -> "Mapping":
        if not self.events and self.event.kind is None:
            raise ValueError("no event can come of it: add [[events]], or kind under [event]")
        if self.events and self.event.kind is not None:
            raise ValueError("kind under [event] is for mappings without [[events]]")
        labels = [rule.label for rule in self.events if not rule.chooses and not rule.ignore]
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"two of [[events]] are both {label!r}: give them names (name = ...)")
        for item in {(item.code, item.version) for item in self.items}:
            if sum((other.code, other.version) == item for other in self.items) > 1:
                raise ValueError(f"[[items]] has {item[0]!r} version {item[1]} twice")
        return self


def load(path: Path) -> Mapping:
    """Read a mapping file.

    :raises BadMapping: when it is not TOML, has a key that no mapping has, or contradicts itself.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadMapping(f"{path.name}: {error.strerror or error}") from error
    return parse(text, path.name)


def parse(text: bytes, name: str = "mapping") -> Mapping:
    """Read a mapping from its text; ``name`` is for messages. Raises as :func:`load` does."""
    try:
        tree = tomllib.loads(text.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMapping(f"{name}: not TOML: {error}") from error
    if "digest" in tree:
        raise BadMapping(f"{name}: digest: no mapping has this key")
    try:
        return Mapping.model_validate({**tree, "digest": hashlib.sha256(text).hexdigest()})
    except ValidationError as error:
        told = "\n".join(f"  {_where(one['loc'], tree)}: {_what(one)}" for one in error.errors())
        raise BadMapping(f"{name}:\n{told}") from error


def _where(loc: tuple[int | str, ...], tree: AbstractMapping[str, Any]) -> str:
    """``events[2].step``: array elements counted from 1, as a reader of the file counts them."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part + 1}]"
        elif part not in ("bool", "int", "str"):
            path += f".{part}" if path else part
    return path or "the mapping"


def _what(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "no mapping has this key here"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")
