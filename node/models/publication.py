"""The form of a publication: what a file or a request may ask to be published in one act, and the answer.

What the form alone can tell is checked here; what depends on what is published already, in `node.views.publication`.
"""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field, field_validator

from node.models.forms import AgencyForm, Code, Form, ItemForm, OfficerForm, SourceForm, distinct
from node.models.posts import PostForm
from node.models.rules import LibraryForm, LocalRuleForm
from node.models.sheets import ScoreSheetForm
from node.people.roles import Role
from node.supervision.calendar import EPOCH_ORDINAL, FIRST_DAY, LAST_DAY
from node.supervision.terms import LONGEST, NAMES

_FIRST: Final = date.fromordinal(FIRST_DAY + EPOCH_ORDINAL)
_LAST: Final = date.fromordinal(LAST_DAY + EPOCH_ORDINAL)


def _written(value: Any) -> Any:
    """A time as TOML or JSON gives it, as text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        datetime.fromisoformat(value)
    return value


Threshold = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Days = Annotated[int, Field(ge=0, le=36_500)]


class DayForm(Form):
    """A day that differs from the national calendar."""

    day: date
    working: bool
    name: str = Field(default="", max_length=200)
    """Why, for example a holiday's name."""

    @field_validator("day")
    @classmethod
    def _in_the_tables(cls, day: date) -> date:
        if not _FIRST <= day <= _LAST:
            raise ValueError(f"the calendar reaches from {_FIRST} to {_LAST}")
        return day


class RuleForm(Form):
    """What a policy changes in one rule; what is absent keeps the rule's own default."""

    rule: Code
    disabled: bool = False
    notice: Threshold | None = None
    yellow: Threshold | None = None
    red: Threshold | None = None
    """Thresholds are `over` of the rule's clock (DOMAIN §1), or the rule's own number."""
    limit_days: Days | None = None
    """Length of the rule's own clock."""


class LevelForm(Form):
    """Whether alerts of a level wait for a person."""

    level: Literal["notice", "yellow", "red"]
    confirm: bool
    confirm_timeout_days: Days = 0
    """Working days after which they are issued without an answer; 0: never."""


Length = Annotated[int, Field(ge=1, le=LONGEST)]


class DeadlinesForm(Form):
    """Working days in which the steps of an alert's life are taken; what is absent is the default."""

    confirm_days: Length | None = None
    reply_days: Length | None = None
    review_days: Length | None = None
    appeal_days: Length | None = None
    decide_days: Length | None = None
    escalated_days: Length | None = None

    @property
    def named(self) -> dict[str, int]:
        """What it names."""
        return {name: days for name in NAMES if (days := getattr(self, name)) is not None}


class AudienceForm(Form):
    """Who is told of the alerts of a level."""

    level: Literal["notice", "yellow", "red"]
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=len(Role))]


class PolicyForm(Form):
    """A policy as a whole: it replaces the one before, so what it does not name is the default again."""

    version: Annotated[int, Field(ge=1, lt=2**32)] | None = None
    """Absent: one more than the newest."""
    valid_from: Annotated[str, BeforeValidator(_written)] | None = None
    """ISO 8601 time or day, in the node's zone when it has no offset; absent: from now on; not later than now."""
    rules: tuple[RuleForm, ...] = ()
    levels: tuple[LevelForm, ...] = ()
    deadlines: DeadlinesForm = DeadlinesForm()
    audiences: tuple[AudienceForm, ...] = ()

    @field_validator("rules")
    @classmethod
    def _one_for_each_rule(cls, rules: tuple[RuleForm, ...]) -> tuple[RuleForm, ...]:
        return distinct(rules, "rule")

    @field_validator("levels", "audiences")
    @classmethod
    def _one_for_each_level(cls, levels: tuple[Any, ...]) -> tuple[Any, ...]:
        return distinct(levels, "level")


class Publication(Form):
    """What is published in one act."""

    by: str = Field(default="", max_length=200)
    """Staff number of who publishes."""
    agencies: tuple[AgencyForm, ...] = ()
    officers: tuple[OfficerForm, ...] = ()
    sources: tuple[SourceForm, ...] = ()
    items: tuple[ItemForm, ...] = ()
    calendar: tuple[DayForm, ...] = ()
    published_years: tuple[Annotated[int, Field(ge=_FIRST.year, le=_LAST.year)], ...] = ()
    """Years whose whole arrangement of holidays ``calendar`` brings, so that their days are no longer provisional."""
    policy: PolicyForm | None = None
    rules: tuple[LocalRuleForm, ...] = ()
    """Rules of this node's own."""
    libraries: tuple[LibraryForm, ...] = ()
    posts: tuple[PostForm, ...] = ()
    """Responsible posts with who held them."""
    sheets: tuple[ScoreSheetForm, ...] = ()
    """Score sheets."""
    to: str = Field(default="", max_length=100)
    """A node below that this is for; empty: this node itself, or with ``subtree`` everybody below it and itself."""
    subtree: bool = False
    """For everybody below that node too."""

    @field_validator("rules", "libraries", "sheets")
    @classmethod
    def _one_for_each_name(cls, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return distinct(
            entries,
            *(("domain", "name") if isinstance(next(iter(entries), None), LocalRuleForm) else ("name",)),
        )

    @field_validator("agencies", "sources", "posts")
    @classmethod
    def _one_for_each_code(cls, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return distinct(entries, "code")

    @field_validator("officers")
    @classmethod
    def _one_for_each_number(cls, officers: tuple[OfficerForm, ...]) -> tuple[OfficerForm, ...]:
        return distinct(officers, "number")

    @field_validator("items")
    @classmethod
    def _one_for_each_version(cls, items: tuple[ItemForm, ...]) -> tuple[ItemForm, ...]:
        return distinct(items, "code", "version")

    @field_validator("calendar")
    @classmethod
    def _one_for_each_day(cls, days: tuple[DayForm, ...]) -> tuple[DayForm, ...]:
        return distinct(days, "day")


class Published(BaseModel):
    """What became of it: how many of each were entered."""

    items: int
    agencies: int
    officers: int
    """Rows of the registry; officers and sources are not entries."""
    sources: int
    days: int
    """Calendar days."""
    years: int
    policy: int | None
    """Version of the policy entered; null: none."""
    rules: int
    """Rules of this node's own."""
    libraries: int
    posts: int
    """Responsible posts."""
    sheets: int
    """Score sheets."""
    unchanged: int
    """Items, agencies, days, years, policies, rules, libraries, posts and sheets that were published already, with the same content."""
    indexes: list[int]
    """Journal indexes of the entries."""
    to: str
    """Whom it was published for below; empty: this node alone."""
    subtree: bool
