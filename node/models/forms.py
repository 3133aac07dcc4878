"""What people fill in, as typed values: the same for a file, a request and a row of the registry.

Items and agencies are written as in an import's mapping (docs/import.md); here an item may name its domain and an agency its
node. An unknown key is refused, so that a misspelt one never passes for a default.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from node.intake.mapping import Agency, Item

Code = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
"""Neither begins nor ends with a blank, and is one line."""

DraftState = Literal["draft", "published", "withdrawn"]


class Form(BaseModel):
    """Something filled in: frozen, and without keys of its own invention."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemForm(Item):
    """One version of an item (事项)."""

    domain: str = "approval"


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
