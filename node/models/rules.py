"""Rules of a node's own and libraries, as people write them down to be tried and published.

A rule is `name`, `domain` and an `expression` (docs/expressions.md); true or false with a `level`, or a number with thresholds. Its code is
`<domain>.local.<name>`. A library is a table that built-in rules hold values against (docs/domains.md).
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator
from zongheng.v1.catalogue_pb2 import Level as LevelNumber
from zongheng.v1.engine_pb2 import Library, LibraryRow, LocalRule

from node.models.forms import Code, Form
from node.models.messages import day_number
from node.supervision.expression import MOST_CHARACTERS
from node.supervision.local_rule import MARK
from node.supervision.policy import Level

Text = Annotated[str, Field(max_length=1_000)]
Number = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Amount = Annotated[int, Field(ge=-(10**15), le=10**15)]


class LocalRuleForm(Form):
    """One version of a rule of this node's own."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    domain: Code
    expression: Annotated[str, Field(min_length=1, max_length=4 * MOST_CHARACTERS)]
    """Longer ones than the grammar allows are refused by it, with its own words."""
    level: Literal["notice", "yellow", "red"] | None = None
    notice: Number | None = None
    yellow: Number | None = None
    red: Number | None = None
    legal_basis: Annotated[str, Field(min_length=1, max_length=500)]
    """The law or regulation it comes from."""
    name_zh: Annotated[str, Field(min_length=1, max_length=100)]
    name_en: Annotated[str, Field(max_length=100)] = ""
    text_zh: Text = ""
    """What a finding says; empty: the name."""
    text_en: Text = ""
    withdrawn: bool = False

    @model_validator(mode="after")
    def _plain_words(self) -> "LocalRuleForm":
        for text in (self.name_zh, self.name_en, self.text_zh, self.text_en):
            if "{" in text or "}" in text:
                raise ValueError("braces mean nothing in the words of a local rule; leave them out")
        return self

    @property
    def code(self) -> str:
        """What alerts and policies call it."""
        return f"{self.domain}{MARK}{self.name}"

    def message(self, version: int) -> LocalRule:
        """The journal form."""
        return LocalRule(
            code=self.code,
            version=version,
            domain=self.domain,
            expression=self.expression,
            level=LevelNumber.ValueType(Level[self.level.upper()] if self.level else 0),
            notice=self.notice,
            yellow=self.yellow,
            red=self.red,
            legal_basis=self.legal_basis,
            name_zh=self.name_zh,
            name_en=self.name_en or self.name,
            text_zh=self.text_zh or self.name_zh,
            text_en=self.text_en or self.name_en or self.name,
            withdrawn=self.withdrawn,
        )


class LibraryRowForm(Form):
    """One row; amounts are 分, ratios thousandths of the base."""

    code: Code
    grade: Annotated[str, Field(max_length=200)] = ""
    low: Amount | None = None
    high: Amount | None = None
    value: Amount | None = None
    """A fixed value, instead of the bounds."""
    ratio: bool = False
    text: Annotated[str, Field(max_length=500)] = ""
    valid_from: date | None = None
    valid_to: date | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "LibraryRowForm":
        if self.value is not None and (self.low is not None or self.high is not None):
            raise ValueError("say either value, or low and high")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low, {self.low}, is more than high, {self.high}")
        return self

    def message(self) -> LibraryRow:
        """The journal form."""
        return LibraryRow(
            code=self.code,
            grade=self.grade,
            low=self.low if self.value is None else self.value,
            high=self.high if self.value is None else self.value,
            ratio=self.ratio,
            text=self.text,
            valid_from_day=day_number(self.valid_from),
            valid_to_day=day_number(self.valid_to),
        )


class LibraryForm(Form):
    """A library as a whole: a new version replaces the one before."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    legal_basis: Annotated[str, Field(max_length=500)] = ""
    rows: tuple[LibraryRowForm, ...] = Field(max_length=100_000)

    def message(self, version: int) -> Library:
        """The journal form."""
        return Library(
            name=self.name,
            version=version,
            legal_basis=self.legal_basis,
            rows=[row.message() for row in self.rows],
        )
