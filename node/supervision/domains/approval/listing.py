"""What is wrong with an item as it is listed, before anybody applies for it (事前监督).

The same four questions are asked of a draft on its way to being published, where nothing has happened yet, and of every case under
a version that was published all the same. `faults` answers for one version, `beside` for the versions of many cases.

A limit in natural days or hours is not measured against working days: whether it is longer depends on the day it begins, so it is
undetermined unless it is shorter on any day. A limit that names its own law may be longer than §42 allows.

Sources: 行政许可法 §4, §17 (item and procedure by law), §42 (twenty working days, unless laws or regulations say otherwise; promised
is no longer), §45 (special procedures), §58, §59 (fees by law).
"""

from collections.abc import Sequence
from typing import Final

import polars as pl
from zongheng.v1 import catalogue_pb2

from node.supervision.clock import NATURAL, WORKING
from node.supervision.columns import take
from node.supervision.context import Catalogue
from node.supervision.domains.approval.events import DOMAIN
from node.supervision.domains.approval.facts import EXTENSION

__all__ = ["DOMAIN", "FAULTS", "beside", "faults", "faults_of"]

STATUTORY_DAYS: Final = 20
"""Working days that §42 gives an item whose own law says nothing."""

SPECIAL: Final = (
    "hearing",
    "tender",
    "auction",
    "inspection",
    "testing",
    "quarantine",
    "appraisal",
    "expert_review",
    EXTENSION,
)
"""Special procedures that 行政许可法 §45 names, and the extension of §42."""

LIMIT: Final = "listed_limit"
PROMISE: Final = "listed_promise"
FEE: Final = "listed_fee"
PROCEDURE: Final = "listed_procedure"

FAULTS: Final = (LIMIT, PROMISE, FEE, PROCEDURE)
"""Columns of `beside`: true where the version is at fault, null where it cannot be told."""


def faults(item: catalogue_pb2.Item) -> tuple[str, ...]:
    """What of `FAULTS` this version of an item has."""
    return faults_of([item])[0]


def faults_of(items: Sequence[catalogue_pb2.Item]) -> list[tuple[str, ...]]:
    """The same for each of several versions, at once."""
    judged = _judged(Catalogue.of(items, "")).select(FAULTS)
    return [
        tuple(name for name, at_fault in zip(FAULTS, row, strict=True) if at_fault)
        for row in judged.iter_rows()
    ]


def beside(cases: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """The cases with `FAULTS` of their version; null where the catalogue has none."""
    judged = catalogue.worked_out("approval.listing", _judged)
    return cases.hstack([take(judged[name], cases["version"]).alias(name) for name in FAULTS])


def _judged(catalogue: Catalogue) -> pl.DataFrame:
    versions = catalogue.versions
    bare = catalogue.procedures.filter(~pl.col("kind").is_in(SPECIAL))["version"].unique()
    amount, unit = pl.col("statutory_amount"), pl.col("statutory_unit")
    beyond = amount > STATUTORY_DAYS
    return versions.with_row_index("version").select(
        # So many natural days are never more working days; more of them may be.
        pl.when(pl.col("statutory_law") | (amount.is_not_null() & ~beyond & unit.is_in((WORKING, NATURAL))))
        .then(pl.lit(False))
        .when(unit == WORKING)
        .then(beyond)
        .alias(LIMIT),
        pl.when(unit == pl.col("promised_unit")).then(pl.col("promised_amount") > amount).alias(PROMISE),
        ((pl.col("fee_due") > 0) & (pl.col("fee_basis") == "")).alias(FEE),
        (pl.col("version").is_in(bare.implode()) & ~pl.col("law")).alias(PROCEDURE),
    )
