"""Plans of video patrols as people write them, and the rows they are kept in.

A plan is what is to be walked; a round keeps the plan as it was, in the journal. So a plan may be changed or removed at any time, and what was walked stays.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator
from tortoise.backends.base.client import BaseDBAsyncClient

from federation.errors import ZonghengError
from node.models.forms import Code, Form, distinct
from node.models.registry import Registry

PlanCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$")]
ItemCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Place = Annotated[str, StringConstraints(pattern=r"^[^/\s]{1,100}(/[0-9A-Za-z][0-9A-Za-z_-]{0,63})?$")]
"""A node (each of its halls), or one camera: NODE/CAMERA."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class PatrolItemForm(Form):
    """Something to look at, at every stop."""

    code: ItemCode
    zh: Words
    en: str = Field(default="", max_length=200)


class PlanForm(Form):
    """A plan."""

    code: PlanCode
    name: Words
    places: tuple[Place, ...] = Field(min_length=1, max_length=300)
    items: tuple[PatrolItemForm, ...] = Field(min_length=1, max_length=50)
    every_days: Annotated[int, Field(ge=0, le=366)] = 0
    """Natural days within which a round is due; 0: when somebody thinks of it."""
    responsible: Code | None = None
    """Staff number of who is to walk it."""

    @property
    def duty(self) -> tuple[int, str | None]:
        """What is owed: within how many days, by whom. Another one begins anew; any other change of a plan puts nothing off."""
        return self.every_days, self.responsible

    @field_validator("places")
    @classmethod
    def _each_once(cls, places: tuple[str, ...]) -> tuple[str, ...]:
        for place in places:
            if places.count(place) > 1:
                raise ValueError(f"{place} is there twice")
        return places

    @field_validator("items")
    @classmethod
    def _items_apart(cls, items: tuple[PatrolItemForm, ...]) -> tuple[PatrolItemForm, ...]:
        return distinct(items, "code")


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that is kept."""

    form: PlanForm
    since_us: int
    """Since when it has its period and who is to walk it (µs since the epoch): the first round is counted from there."""
    changed_by: str
    changed_at_us: int


class PlanRows:
    """The plans of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._table = registry.tables.patrol_plan

    async def all(self) -> list[Plan]:
        """Every plan, by code."""
        rows = await self._registry.transact(lambda tx: self._table.all(using_db=tx).order_by("code"))
        return [
            Plan(PlanForm.model_validate_json(row.body), row.since_us, row.changed_by, row.changed_at_us)
            for row in rows
        ]

    async def get(self, code: str) -> Plan:
        """One of them; ZonghengError `not_found`."""
        for plan in await self.all():
            if plan.form.code == code:
                return plan
        raise ZonghengError("not_found", f"there is no patrol plan {code} here: see `zongheng patrol list`")

    async def put(self, form: PlanForm, by: str, at_us: int) -> Plan:
        """Add a plan, or replace the one of its code."""

        async def put(tx: BaseDBAsyncClient) -> Plan:
            row = await self._table.get_or_none(code=form.code, using_db=tx)
            if row is None:
                row = self._table(code=form.code, since_us=at_us)
            elif form.duty != PlanForm.model_validate_json(row.body).duty:
                row.since_us = at_us
            row.body, row.changed_by, row.changed_at_us = form.model_dump_json(), by, at_us
            await row.save(using_db=tx)
            return Plan(form, row.since_us, by, at_us)

        return await self._registry.transact(put)

    async def remove(self, code: str) -> None:
        """Forget a plan; nothing happens when there is none."""
        await self._registry.transact(lambda tx: self._table.filter(code=code).using_db(tx).delete())
