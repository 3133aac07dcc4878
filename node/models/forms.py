"""What people fill in, as typed values: the same for a file, a request and a row of the registry.

Items and agencies are written as in an import's mapping (docs/import.md); here an item may name its domain and an agency its
node. An unknown key is refused, so that a misspelt one never passes for a default.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from node.intake.mapping import Agency, Item, Step, TierLimit
from node.intake.vocabulary import UnknownDomain, vocabulary
from tiers.tier import Tier

Code = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
"""Neither begins nor ends with a blank, and is one line."""

DraftState = Literal["draft", "published", "withdrawn"]


class Form(BaseModel):
    """Something filled in: frozen, and without keys of its own invention."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def distinct(entries: tuple[Any, ...], *keys: str) -> tuple[Any, ...]:
    """The entries; ValueError when two of them have the same key."""
    seen = set()
    for entry in entries:
        key = tuple(getattr(entry, name) for name in keys)
        if key in seen:
            raise ValueError(f"{' '.join(map(str, key))} is there twice")
        seen.add(key)
    return entries


class ItemForm(Item):
    """One version of an item (事项)."""

    domain: str = "approval"
    classified: bool = False
    """An item that is a state secret (涉密) is not supervised here: publishing it is refused."""

    @field_validator("domain")
    @classmethod
    def _installed(cls, domain: str) -> str:
        try:
            vocabulary(domain)
        except UnknownDomain as error:
            raise ValueError(str(error)) from None
        return domain

    @field_validator("valid_from", "valid_to")
    @classmethod
    def _since_the_epoch(cls, day: date | None) -> date | None:
        # Day 0 means "open" in the journal's form.
        if day is not None and day <= date(1970, 1, 1):
            raise ValueError("give a day after 1970-01-01, or leave it out")
        return day

    @field_validator("valid_to")
    @classmethod
    def _not_over_before_it_begins(cls, last: date | None, others: ValidationInfo) -> date | None:
        first = others.data.get("valid_from")
        if last is not None and first is not None and last < first:
            raise ValueError(f"it would end on {last}, before it begins on {first}")
        return last

    @field_validator("steps")
    @classmethod
    def _in_an_order(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        waiting = {step.code: set(step.after) for step in steps}
        while waiting:
            ready = [code for code, before in waiting.items() if not before & waiting.keys()]
            if not ready:
                raise ValueError(f"these steps wait for each other: {', '.join(sorted(waiting))}")
            for code in ready:
                del waiting[code]
        return steps

    @field_validator("tier_limits")
    @classmethod
    def _one_for_each_tier(cls, limits: tuple[TierLimit, ...]) -> tuple[TierLimit, ...]:
        for limit in limits:
            if limit.tier not in set(Tier):
                raise ValueError(f"there is no tier {limit.tier!r}: {', '.join(Tier)}")
        return distinct(limits, "tier")


class AgencyForm(Agency):
    """A department (部门)."""

    node: str = ""
    """Its territory node; empty: the node that publishes it."""


class OfficerForm(Form):
    """Somebody who acts for an agency (工作人员). The name stays in the registry; the journal knows the number alone."""

    number: Code
    """Staff number (工号)."""
    name: str = Field(default="", max_length=200)
    agency: Code
    posts: tuple[Code, ...] = ()
    active: bool = True


class SourceForm(Form):
    """A business system that sends events."""

    code: Code
    """What it calls itself when it submits."""
    agency: Code
    contact: str = Field(default="", max_length=1_000)
    """Whom to ask when it falls silent."""
    enabled: bool = True


class Draft(Form):
    """One version of an item on its way to being published."""

    id: int
    item: ItemForm
    state: DraftState
    edited_by: str
    """Staff number of who edited, published or withdrew it last; empty: not said."""
    edited_at_us: int
    """When, microseconds since the epoch."""
