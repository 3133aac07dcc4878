"""A finding: something in a case that a rule found, from when on and by how much.

Where there are many they are rows of a frame (`FINDINGS`), where there are few they are values; both say the same. A finding is
computed and forgotten; what becomes of it is an alert (`alert`).
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from node.supervision.policy import Level

FINDINGS: Final[dict[str, type[pl.DataType]]] = {
    "case_id": pl.String,
    "subject": pl.String,
    "domain": pl.String,
    "rule": pl.String,
    "rule_version": pl.Int32,
    "level": pl.Int32,
    "since_us": pl.Int64,
    "due_at_us": pl.Int64,
    "over": pl.Int32,
    "agency": pl.String,
    "item": pl.String,
    "actor": pl.String,
}
"""One row a finding; (case_id, subject, rule, level) is unique. `due_at_us` null: it rests on no deadline."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding as a value, for those who handle few of them."""

    case_id: str
    subject: str
    domain: str
    rule: str
    rule_version: int
    level: Level
    since_us: int
    due_at_us: int
    """0: it rests on no deadline."""
    over: int
    agency: str
    item: str
    actor: str


def finding_values(findings: pl.DataFrame) -> list[Finding]:
    """The rows of `FINDINGS` as values."""
    return [
        Finding(
            case_id, subject, domain, rule, version, Level(level), since, due or 0, over, agency, item, actor
        )
        for case_id, subject, domain, rule, version, level, since, due, over, agency, item, actor in (
            findings.select(*FINDINGS).iter_rows()
        )
    ]
