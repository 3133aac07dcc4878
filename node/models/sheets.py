"""A score sheet as people write it down to be published (docs/scores.md). Points are written as points, at most two digits after the point."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator
from zongheng.v1.score_pb2 import ScoreIndicator, ScoreItem, ScoreSheet

from node.models.forms import Form
from node.scoring.sheet import POINT, Sheet, SheetRefused
from node.supervision.expression import MOST_CHARACTERS
from node.supervision.tokens import BadExpression

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Words = Annotated[str, Field(max_length=100)]
Points = Annotated[Decimal, Field(ge=-1_000, le=1_000, decimal_places=2)]
Cost = Annotated[Decimal, Field(ge=0, le=1_000, decimal_places=2)]
Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.*]{1,100}$")]


class ScoreItemForm(Form):
    """A part of the sheet."""

    code: Name
    name_zh: Words
    name_en: Words = ""
    points: Cost
    rules: tuple[Pattern, ...] = Field(default=(), max_length=200)
    """Patterns of rule codes whose alerts cost points here."""


class ScoreIndicatorForm(Form):
    """Points by a formula, or by hand where there is none."""

    code: Name
    item: Annotated[str, Field(max_length=60)] = ""
    name_zh: Words
    name_en: Words = ""
    formula: Annotated[str, Field(max_length=4 * MOST_CHARACTERS)] = ""
    low: Points
    high: Points
    step: Cost = Decimal(0)


class ScoreSheetForm(Form):
    """A sheet as a whole: it replaces the version before. ``performance`` scores every kind that has no sheet of its own name."""

    name: Literal["performance", "node", "agency", "officer", "window"] = "performance"
    title: Words = ""
    items: tuple[ScoreItemForm, ...] = Field(min_length=1, max_length=100)
    indicators: tuple[ScoreIndicatorForm, ...] = Field(default=(), max_length=100)
    notices_in_a_row: Annotated[int, Field(ge=0, le=1_000)] = 3
    notices_points: Cost = Decimal(3)
    yellow_points: Cost = Decimal(5)
    red_points: Cost = Decimal(10)
    sample: Name = "handled"
    minimum_sample: Annotated[int, Field(ge=0, le=1_000_000)] = 10

    @model_validator(mode="after")
    def _scores(self) -> "ScoreSheetForm":
        try:
            Sheet(self.message(1)).check()
        except (SheetRefused, BadExpression) as refused:
            raise ValueError(str(refused)) from None
        return self

    def message(self, version: int) -> ScoreSheet:
        """The journal form."""
        return ScoreSheet(
            name=self.name,
            version=version,
            title=self.title,
            items=[
                ScoreItem(
                    code=one.code,
                    name_zh=one.name_zh,
                    name_en=one.name_en or one.code,
                    worth=_hundredths(one.points),
                    rules=one.rules,
                )
                for one in self.items
            ],
            indicators=[
                ScoreIndicator(
                    code=one.code,
                    item=one.item,
                    name_zh=one.name_zh,
                    name_en=one.name_en or one.code,
                    formula=one.formula,
                    low=_hundredths(one.low),
                    high=_hundredths(one.high),
                    step=_hundredths(one.step),
                )
                for one in self.indicators
            ],
            notices_in_a_row=self.notices_in_a_row,
            notices_points=_hundredths(self.notices_points),
            yellow_points=_hundredths(self.yellow_points),
            red_points=_hundredths(self.red_points),
            sample=self.sample,
            minimum_sample=self.minimum_sample,
        )


def _hundredths(points: Decimal) -> int:
    return int(points * POINT)
