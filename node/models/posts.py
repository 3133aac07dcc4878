"""A responsible post (责任岗位) as people write it down: its agency, what it answers for, and who held it from when to when."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator
from zongheng.v1.items_pb2 import Post, Tenure

from node.models.forms import Code, Form
from node.models.messages import day_number

Words = Annotated[str, Field(max_length=1_000)]


class HoldingForm(Form):
    """Somebody who held it."""

    officer: Code
    """Staff number."""
    since: date
    until: date | None = None
    """The last day; absent: until now."""

    @model_validator(mode="after")
    def _in_order(self) -> "HoldingForm":
        if self.since <= date(1970, 1, 1):
            raise ValueError("give a day after 1970-01-01")
        if self.until is not None and self.until < self.since:
            raise ValueError(f"until {self.until} is before since {self.since}")
        return self


class PostForm(Form):
    """A post as a whole: it replaces the version before, so everybody who ever held it stands in it."""

    code: Code
    name: Words = ""
    agency: Code
    duty: Words = ""
    holdings: tuple[HoldingForm, ...] = Field(default=(), max_length=10_000)

    @model_validator(mode="after")
    def _nobody_twice_at_once(self) -> "PostForm":
        last: dict[str, date] = {}
        for one in sorted(self.holdings, key=lambda one: (one.since, one.until or date.max)):
            if one.since <= last.get(one.officer, date.min):
                raise ValueError(f"{one.officer} holds it twice on {one.since}")
            last[one.officer] = one.until or date.max
        return self

    def message(self, version: int) -> Post:
        """The journal form."""
        return Post(
            code=self.code,
            version=version,
            name=self.name,
            agency=self.agency,
            duty=self.duty,
            holdings=[
                Tenure(officer=one.officer, from_day=day_number(one.since), to_day=day_number(one.until))
                for one in self.holdings
            ],
        )
