"""What a node of a tier is set up with before anybody configures it: one TOML file a tier in ``profiles/``.

A profile is read once, when a node is made, and is strict: an unknown key, a missing one or a value of the wrong type
is refused with its place in the file, so that a misspelt setting never passes for a default. Numbers are defaults, to
be changed where the node stands; only those with a law named beside them in the file claim a source.
"""

import tomllib
from datetime import time
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tiers.tier import Tier

_LIST = Field(strict=False)
"""TOML has lists where a frozen profile has tuples; what is inside stays strict."""


class UnfitProfile(ValueError):
    """A tier's profile cannot be used as it is written."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class OpenHours(_Part):
    """One stretch of a working day in which the hall is open, in the profile's zone."""

    opens: time
    closes: time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"the hall closes at {self.closes} before it opens at {self.opens}")
        return self


class Place(_Part):
    """Where and when a node of the tier works."""

    calendar: Literal["china", "weekdays"]
    """Which days are working days: the published national arrangement, or Monday to Friday."""
    zone: str
    """IANA zone in which days are counted."""
    hall_hours: Annotated[tuple[OpenHours, ...], _LIST] = Field(min_length=1)

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no zone {zone!r}") from None
        return zone

    @model_validator(mode="after")
    def _one_after_another(self) -> Self:
        for before, after in zip(self.hall_hours, self.hall_hours[1:], strict=False):
            if after.opens < before.closes:
                raise ValueError(f"hall hours overlap: {before.closes} is after {after.opens}")
        return self


class Entry(_Part):
    """Who brings cases into the node, and by what."""

    by: Annotated[tuple[Literal["agency", "agent", "bookkeeper", "clerk", "window"], ...], _LIST]
    """agent: 代办员, who acts for an applicant under recorded authority."""
    through: Annotated[
        tuple[Literal["front_end_database", "interface", "kiosk", "phone", "workbench"], ...], _LIST
    ]


class Role(_Part):
    """A post that people hold at the tier."""

    code: str = Field(pattern=r"^[a-z_]+$")
    name: str = Field(min_length=1)
    """In Chinese."""
    people: int = Field(ge=1)
    """How many usually hold it."""


class Range(_Part):
    """From the least to the most that is usual."""

    least: int = Field(ge=0)
    most: int = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"the least, {self.least}, is more than the most, {self.most}")
        return self


class Devices(_Part):
    """What stands in the hall."""

    cameras: Range
    kiosks: Range
    screens: Range
    walls: Range


class Journal(_Part):
    """How the node keeps its journal."""

    head_period_minutes: int = Field(ge=1, le=24 * 60)
    """A signed head goes up at least this often even when nothing happened, so that silence is seen."""


class Retention(_Part):
    """How long is kept what may be dropped at all; the journal, the vault's mappings and evidence may not."""

    log_days: int = Field(ge=183)
    """Operating logs; six months are the least that 网络安全法 asks for."""


class Confirmation(_Part):
    """Whether a card waits for a person before it is issued."""

    confirm: bool
    confirm_timeout_days: int = Field(ge=0)
    """Working days after which it is issued by itself; 0: never."""


class RuleDefault(_Part):
    """A built-in rule's threshold where the tier's differs from the rule's own; what is absent stays as it is."""

    rule: str = Field(pattern=r"^[a-z_.]+$")
    disabled: bool = False
    notice: int | None = None
    yellow: int | None = None
    red: int | None = None
    limit_days: int | None = Field(default=None, ge=0)
    """Length of the rule's own clock, for a rule that has one."""


class PolicyDefaults(_Part):
    """The first version of a new node's policy. Days are working days."""

    yellow: Confirmation
    red: Confirmation
    confirm_days: int = Field(ge=1)
    """A card is confirmed or cancelled within these."""
    reply_days: int = Field(ge=1)
    """An agency explains an alert within these."""
    review_days: int = Field(ge=1)
    """What it answered is reviewed within these."""
    appeal_days: int = Field(ge=1)
    appeal_decided_days: int = Field(ge=1)
    escalated_days: int = Field(ge=1)
    """What a node below escalated is decided within these."""
    rules: Annotated[tuple[RuleDefault, ...], _LIST] = ()


class Watched(_Part):
    """From which measure on a child is told of, at each level; an absent level is not used. At least one is given."""

    notice: int | None = Field(default=None, ge=1)
    yellow: int | None = Field(default=None, ge=1)
    red: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        given = [value for value in (self.notice, self.yellow, self.red) if value is not None]
        if not given:
            raise ValueError("give at least one level")
        if given != sorted(set(given)):
            raise ValueError("a higher level begins at a higher measure")
        return self


class Resupervision(_Part):
    """What a node of the tier holds its children to (再监察). The unit is in each name's own words."""

    silence: Watched
    """Head periods of the child's tier missed within its opening hours."""
    absence: Watched
    """Natural days without a sign of life, nights and holidays included."""
    never_heard: Watched
    """Natural days since a child was introduced that has never been heard of."""
    lag: Watched
    """Minutes, of those it was connected, that entries which its heads name have not come."""
    reports_behind: Watched
    """Minutes, of those it was connected, that its figures stand behind its journal."""
    unanswered: Watched
    """Working days past the reply's due of the oldest card that nobody answered."""
    cancelled: Watched
    """Per cent of the cards decided in `days` that were cancelled."""
    back_filled: Watched
    """Per cent of an agency's events in `days` that were entered later than `entered_within_days`."""
    clock: Watched
    """Seconds that the child's clock is away from this node's, or was turned back."""
    days: int = Field(ge=1, le=366)
    """Natural days that shares are taken over."""
    least_cards: int = Field(ge=1)
    """Cards decided below which a share says nothing."""
    least_events: int = Field(ge=1)
    """Events below which a share says nothing."""
    entered_within_days: int = Field(ge=0)
    """Working days in which an event is to be entered."""
    settle_minutes: int = Field(ge=1)
    """Minutes connected that a child is given to raise what is found here, before it counts as missing."""


class Profile(_Part):
    """Everything that a tier's file says."""

    tier: Annotated[Tier, Field(strict=False)]
    domains: Annotated[tuple[str, ...], _LIST] = Field(min_length=1)
    """Codes of the domains that are supervised (``node/supervision/domains``)."""
    cases_a_day: Range
    place: Place
    entry: Entry
    roles: Annotated[tuple[Role, ...], _LIST] = Field(min_length=1)
    devices: Devices
    journal: Journal
    retention: Retention
    policy: PolicyDefaults
    resupervision: Resupervision | None = None
    """None: a node of this tier has no children."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for what, codes in (
            ("domain", self.domains),
            ("role", tuple(role.code for role in self.roles)),
            ("rule", tuple(rule.rule for rule in self.policy.rules)),
        ):
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise ValueError(f"{what} {', '.join(twice)} is named twice")
        return self


@cache
def profile_of(tier: Tier) -> Profile:
    """The profile that comes with the program."""
    file = resources.files("tiers") / "profiles" / f"{tier}.toml"
    return parse(file.read_text(encoding="utf-8"), named=f"profiles/{tier}.toml")


def read(path: Path) -> Profile:
    """A profile of an administration's own. Raises UnfitProfile, also where the file cannot be read."""
    try:
        return parse(path.read_text(encoding="utf-8"), named=str(path))
    except (OSError, UnicodeDecodeError) as failure:
        raise UnfitProfile(f"{path}: {failure}") from failure


def parse(text: str, *, named: str) -> Profile:
    """A profile from its TOML text; `named` is what an error calls it. Raises UnfitProfile naming every fault."""
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as failure:
        raise UnfitProfile(f"{named}: {failure}") from failure
    except ValidationError as failure:
        faults = "; ".join(
            f"{'.'.join(str(step) for step in fault['loc']) or 'file'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in failure.errors()
        )
        raise UnfitProfile(f"{named}: {faults}") from failure
