"""Items and agencies as a mapping writes them, to be published with an import. Documented in docs/import.md."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator


class Part(BaseModel):
    """A part of a mapping: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


def _texts(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class Limit(Part):
    """A length of time."""

    days: int | None = Field(default=None, ge=0, le=36_500)
    hours: int | None = Field(default=None, ge=0, le=100_000)
    unit: Literal["working", "natural"] | None = None
    roll_forward: bool | None = None
    basis: str = ""

    @model_validator(mode="after")
    def _whole(self) -> "Limit":
        if (self.days is None) == (self.hours is None):
            raise ValueError("say days (with unit) or hours")
        if self.days is not None and self.unit is None:
            raise ValueError('say unit = "working" or "natural"; 日 is not always a working day')
        if self.hours is not None and (self.unit is not None or self.roll_forward is not None):
            raise ValueError("hours are working hours: leave out unit and roll_forward")
        return self


class Risk(Part):
    """A risk to integrity (廉政风险点) at a step, and what is done about it."""

    level: Literal["high", "middle", "low"]
    risk: str = Field(min_length=1, max_length=1_000)
    measure: str = Field(default="", max_length=1_000)
    post: str = ""


class Step(Part):
    """A step of an item's process."""

    code: str = Field(min_length=1)
    name: str = ""
    role: Literal["handle", "review", "approve", ""] = ""
    limit: Limit | None = None
    after: Texts = ()
    required: bool = False
    authorised: Texts = ()
    responsible: str = ""
    post: str = ""
    risks: tuple[Risk, ...] = ()


class Fee(Part):
    """The standard fee: an amount, or the row of the library ``fee_standards`` that says it."""

    yuan: Decimal | None = Field(default=None, ge=0, le=Decimal(10) ** 12, max_digits=15, decimal_places=2)
    standard: str = ""
    grade: str = ""
    basis: str = ""

    @model_validator(mode="after")
    def _told_once(self) -> "Fee":
        if (self.yuan is None) == (not self.standard):
            raise ValueError("say either yuan, or the standard in the library fee_standards")
        if self.grade and not self.standard:
            raise ValueError("a grade is one of a standard")
        return self

    @field_validator("yuan", mode="before")
    @classmethod
    def _exact(cls, value: Any) -> Any:
        if isinstance(value, float):
            raise ValueError('write it as text, so that it stays exact: yuan = "80.00"')
        return value


class TierLimit(Part):
    """How long a case may lie at one tier."""

    tier: str = Field(min_length=1)
    limit: Limit


class Item(Part):
    """One item (事项) to be published with the import."""

    code: str = Field(min_length=1)
    name: str = ""
    agency: str = ""
    version: int = Field(default=1, ge=1, le=2**31)
    valid_from: date | None = None
    valid_to: date | None = None
    statutory: Limit | None = None
    promised: Limit | None = None
    steps: tuple[Step, ...] = ()
    fee: Fee | None = None
    legal_basis: str = ""
    tier_limits: tuple[TierLimit, ...] = ()
    special_procedures: Texts = ()

    @model_validator(mode="after")
    def _steps_known(self) -> "Item":
        codes = [step.code for step in self.steps]
        if len(set(codes)) != len(codes):
            raise ValueError("two steps have one code")
        for step in self.steps:
            for before in step.after:
                if before not in codes:
                    raise ValueError(
                        f"step {step.code} comes after {before!r}, which is no step of this item"
                    )
        return self


class Agency(Part):
    """One agency (部门) to be published with the import."""

    code: str = Field(min_length=1)
    name: str = ""
    superior: str = ""
    line: str = ""
