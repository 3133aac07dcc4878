"""What the facts of a node's cases are judged by: its calendar, its item catalogue, its policy, its zone and its tier.

A context is a value: the same events, context, instant and journal size give the same findings at every node. The catalogue
is laid out as columns once and shared by every evaluation in the context.

What holds when something is missing: an item that the catalogue does not have on the day in question gives no limits, roles or fees,
so whatever rests on them is undetermined; only a node that has a catalogue at all can call an item unlisted.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import polars as pl
from zongheng.v1 import catalogue_pb2

from node.supervision.calendar import Calendar
from node.supervision.clock import HALL_HOURS, HOUR, NATURAL, WORKING, HallHours
from node.supervision.columns import coalesce, local_day, where
from node.supervision.library import Libraries
from node.supervision.policy import Policy

ZONE: Final = "Asia/Shanghai"

_UNITS: Final[dict[int, str]] = {
    catalogue_pb2.LIMIT_UNIT_UNSPECIFIED: WORKING,
    catalogue_pb2.LIMIT_UNIT_WORKING_DAY: WORKING,
    catalogue_pb2.LIMIT_UNIT_NATURAL_DAY: NATURAL,
    catalogue_pb2.LIMIT_UNIT_WORKING_HOUR: HOUR,
}

_FOREVER: Final = 2**31 - 1

_FEW: Final = 64
"""Up to so many rows are looked up one by one, which is quicker than a join; the answer is the same."""

_LIMIT: Final[dict[str, type[pl.DataType]]] = {"amount": pl.Int32, "unit": pl.String, "roll": pl.Boolean}

_VERSIONS: Final[dict[str, type[pl.DataType]]] = {
    "item": pl.String,
    "number": pl.Int64,
    "valid_from": pl.Int32,
    "valid_to": pl.Int32,
    "fee_due": pl.Int64,
    "fee_basis": pl.String,
    "fee_standard": pl.String,
    "fee_grade": pl.String,
    "required_steps": pl.Int32,
    "named_procedures": pl.Boolean,
    "law": pl.Boolean,
    "statutory_law": pl.Boolean,
    "from_us": pl.Int64,
    "withdrawn": pl.Boolean,
    **{
        f"{clock}_{name}": kind
        for clock in ("statutory", "promised", "tier")
        for name, kind in _LIMIT.items()
    },
}

_STEPS: Final[dict[str, type[pl.DataType]]] = {
    "version": pl.UInt32,
    "step": pl.String,
    "position": pl.Int32,
    "role": pl.String,
    "required": pl.Boolean,
    "named_officers": pl.Boolean,
    "ordered": pl.Boolean,
    "responsible": pl.String,
    **_LIMIT,
}


@dataclass(frozen=True)
class Catalogue:
    """The published item versions (实施清单) as columns. A version is known by its row in `versions`."""

    versions: pl.DataFrame
    steps: pl.DataFrame
    after: pl.DataFrame
    """(version, step, before): `step` comes after `before`."""
    authorised: pl.DataFrame
    """(version, step, actor)"""
    procedures: pl.DataFrame
    """(version, kind): special procedures that the version allows, where it names any."""
    _worked_out: dict[str, pl.DataFrame] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def of(cls, items: Iterable[catalogue_pb2.Item], tier: str) -> "Catalogue":
        """The columns of `items`; `tier` says which of the limits per tier is this node's."""
        versions: list[tuple[Any, ...]] = []
        steps: list[tuple[Any, ...]] = []
        after: list[tuple[int, str, str]] = []
        authorised: list[tuple[int, str, str]] = []
        procedures: list[tuple[int, str]] = []
        for version, item in enumerate(items):
            stays = next((one.limit for one in item.tier_limits if tier and one.tier == tier), None)
            versions.append(
                (
                    item.code,
                    item.version,
                    item.valid_from_day,
                    item.valid_to_day or _FOREVER,
                    None if item.fee_standard else item.fee_fen if item.has_fee else 0,
                    item.fee_basis or item.fee_standard,
                    item.fee_standard,
                    item.fee_grade,
                    sum(step.required for step in item.steps),
                    bool(item.special_procedures),
                    bool(item.legal_basis),
                    bool(item.statutory.legal_basis),
                    item.valid_from_us,
                    item.withdrawn,
                    *_limit(item.statutory if item.HasField("statutory") else None),
                    *_limit(item.promised if item.HasField("promised") else None),
                    *_limit(stays),
                )
            )
            for position, step in enumerate(item.steps):
                limit = _limit(step.limit if step.HasField("limit") else None)
                officers = bool(step.authorised)
                duty = (step.role, step.required, officers, bool(step.after), step.responsible)
                steps.append((version, step.code, position, *duty, *limit))
                after += [(version, step.code, before) for before in step.after]
                authorised += [(version, step.code, actor) for actor in step.authorised]
            procedures += [(version, kind) for kind in item.special_procedures]
        pair = {"version": pl.UInt32, "step": pl.String}
        return cls(
            versions=pl.DataFrame(versions, schema=_VERSIONS, orient="row"),
            steps=pl.DataFrame(steps, schema=_STEPS, orient="row").unique(
                ["version", "step"], keep="first", maintain_order=True
            ),
            after=pl.DataFrame(after, schema={**pair, "before": pl.String}, orient="row"),
            authorised=pl.DataFrame(authorised, schema={**pair, "actor": pl.String}, orient="row"),
            procedures=pl.DataFrame(
                procedures, schema={"version": pl.UInt32, "kind": pl.String}, orient="row"
            ),
        )

    def versions_on(self, item: pl.Series, day: pl.Series, at: pl.Series) -> pl.Series:
        """For each row the version of `item` that is in force at the instant `at` of `day` (the newest of several); null where none is.

        `at` is µs since the epoch and matters to versions that rule from an instant alone. An item that is withdrawn by then has none.
        """
        none = pl.Series([None], dtype=pl.UInt32).new_from_index(0, item.len())
        if self.versions.is_empty():
            return none
        if item.len() <= _FEW:
            asked = zip(item.to_list(), day.to_list(), at.to_list(), strict=True)
            return pl.Series([self._version_on(*row) for row in asked], dtype=pl.UInt32)
        rows = pl.DataFrame({"row": pl.int_range(item.len(), eager=True), "item": item, "day": day})
        if self.by_instant:
            rows = rows.with_columns(at.alias("at"))
        known = rows.join(self._validity, on="item").filter(
            pl.col("day").is_between(pl.col("valid_from"), pl.col("valid_to"))
        )
        if self.by_instant:
            known = known.filter(pl.col("at") >= pl.col("from_us"))
        if not self._one_version_each:
            known = known.sort("row", "number", "version").unique("row", keep="last")
        if self.by_instant:
            known = known.filter(~self.versions["withdrawn"][known["version"]])
        return none.scatter(known["row"], known["version"])

    def versions_begun(
        self, item: pl.Series, began_at: pl.Series, received_at: pl.Series, zone: pl.Series
    ) -> pl.Series:
        """For each case the version in force when it began (was accepted, else received); where its item was withdrawn between its receipt
        and its acceptance, the one it was received under.
        """
        version = self.versions_on(item, local_day(began_at, zone), began_at)
        if self.withdrawn.is_empty():
            return version
        before = self.versions_on(item, local_day(received_at, zone), received_at)
        return where(item.is_in(self.withdrawn.implode()), coalesce(version, before), version)

    @cached_property
    def by_instant(self) -> bool:
        """Whether any version rules from an instant on; an item that is withdrawn does."""
        return bool((self.versions["from_us"] > 0).any())

    @cached_property
    def by_standard(self) -> bool:
        """Whether the fee of any version is what the library of fee standards says."""
        return bool((self.versions["fee_standard"] != "").any())

    @cached_property
    def withdrawn(self) -> pl.Series:
        """Items that some version withdraws."""
        return self.versions.filter("withdrawn")["item"].unique()

    def step_places(self, version: pl.Series, step: pl.Series) -> pl.Series:
        """For each row the row of `steps` that says what `step` is in that `version`; null where none does."""
        if step.len() <= _FEW:
            found = [self._places.get(row) for row in zip(version.to_list(), step.to_list(), strict=True)]
            return pl.Series(found, dtype=pl.UInt32)
        rows = pl.DataFrame({"version": version, "step": step})
        told = self.steps.select("version", "step").with_row_index("place")
        return rows.join(told, on=["version", "step"], how="left", maintain_order="left")["place"]

    def worked_out(self, name: str, work: Callable[["Catalogue"], pl.DataFrame]) -> pl.DataFrame:
        """What a domain works out about every version under a name of its own, once for a catalogue."""
        if name not in self._worked_out:
            self._worked_out[name] = work(self)
        return self._worked_out[name]

    def _version_on(self, item: str, day: int | None, at: int | None) -> int | None:
        valid = [
            (number, version, withdrawn)
            for number, version, begins, ends, from_us, withdrawn in self._by_item.get(item, ())
            if day is not None and at is not None and begins <= day <= ends and from_us <= at
        ]
        _, version, withdrawn = max(valid, default=(0, None, True))
        return None if withdrawn else version

    @cached_property
    def _by_item(self) -> dict[str, list[tuple[int, int, int, int, int, bool]]]:
        columns = self.versions.select("item", "number", "valid_from", "valid_to", "from_us", "withdrawn")
        known: dict[str, list[tuple[int, int, int, int, int, bool]]] = {}
        for version, (item, number, *rest) in enumerate(columns.iter_rows()):
            begins, ends, from_us, withdrawn = rest
            known.setdefault(item, []).append((number, version, begins, ends, from_us, withdrawn))
        return known

    @cached_property
    def _places(self) -> dict[tuple[int, str], int]:
        pairs = self.steps.select("version", "step").iter_rows()
        return {pair: place for place, pair in enumerate(pairs)}

    @cached_property
    def listed_in_order(self) -> bool:
        """Whether every version lists its steps such that none comes before one that it must come after."""
        place = self.steps.select("version", "step", "position")
        pairs = self.after.join(place, on=["version", "step"]).join(
            place, left_on=["version", "before"], right_on=["version", "step"], suffix="_before"
        )
        return bool((pairs["position_before"] < pairs["position"]).all())

    @cached_property
    def due_steps(self) -> pl.DataFrame:
        """Steps that must be done and have a limit."""
        return self.steps.filter(self.steps["required"] & self.steps["amount"].is_not_null())

    @cached_property
    def _validity(self) -> pl.DataFrame:
        instants = ("from_us",) if self.by_instant else ()
        columns = self.versions.select("item", "number", "valid_from", "valid_to", *instants)
        return columns.with_row_index("version")

    @cached_property
    def _one_version_each(self) -> bool:
        return self.versions["item"].n_unique() == self.versions.height


@dataclass(frozen=True)
class Context:
    """What a node's cases are judged by."""

    calendar: Calendar
    items: Sequence[catalogue_pb2.Item] = ()
    """Every published version of every item."""
    policy: Policy = field(default_factory=Policy)
    zone: str = ZONE
    """IANA zone of cases that name none."""
    tier: str = ""
    node: str = ""
    libraries: Libraries = field(default_factory=dict)
    """What values are held against, by the library's name."""
    hours: HallHours = HALL_HOURS
    """Opening hours, for limits in hours."""

    @cached_property
    def catalogue(self) -> Catalogue:
        """The items as columns, laid out when first asked for."""
        return Catalogue.of(self.items, self.tier)


def _limit(limit: catalogue_pb2.Limit | None) -> tuple[int | None, str | None, bool]:
    if limit is None:
        return None, None, False
    return limit.amount, _UNITS.get(limit.unit, WORKING), limit.roll_forward
