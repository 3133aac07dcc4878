"""The process in which a draft is tried: it reads a folder, judges, prints one JSON object, and can do the node no harm.

Usage: ``python -m node.trial.work FOLDER``. The folder holds ``events.parquet`` and ``trial.json``; see `node.trial.run`. Whatever goes wrong in it
(too much time, too much memory, a panic of the table engine) ends this process alone.
"""

import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

CPU_SECONDS: Final = 60
MEMORY_BYTES: Final = 6 << 30
"""Of addresses, most of which nobody touches: the table engine reserves more than it uses."""

EXAMPLES: Final = 20
"""Cases named for a rule."""


def limit() -> None:
    """Bound this process; before the table engine starts its threads."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(folder: Path) -> None:
    """Judge what the folder says and print what came of it."""
    import orjson
    import polars as pl

    told = orjson.loads((folder / "trial.json").read_bytes())
    events = pl.read_parquet(folder / "events.parquet")
    sys.stdout.buffer.write(orjson.dumps(tried(events, told)))


def tried(events: Any, told: dict[str, Any]) -> dict[str, Any]:
    """What the draft's rules find in the events, beside what the rules in force find."""
    from base64 import b64decode

    from node.projection.context import context_of
    from node.supervision.bulk import evaluate_all

    pieces, draft = (
        {kind: [b64decode(body) for body in bodies] for kind, bodies in told[name].items()}
        for name in ("pieces", "draft")
    )
    drafted = {kind: [*bodies, *draft.get(kind, [])] for kind, bodies in pieces.items()}
    codes, result = set(told["rules"]), {}
    for name, published in (("now", pieces), ("draft", drafted)):
        context = context_of(told["origin"], published)
        domains = [
            replace(domain, rules=tuple(rule for rule in domain.rules if rule.code in codes))
            for domain in context.domains
        ]
        domains = [domain for domain in domains if domain.rules]
        evaluation = evaluate_all(events, context.context, told["as_of_us"], told["size"], domains)
        result[name] = _counted(evaluation, codes)
    return result


def _counted(evaluation: Any, codes: set[str]) -> dict[str, Any]:
    import polars as pl

    from node.supervision.levels import LEVELS

    counts = {row["rule"]: row for row in evaluation.rules.iter_rows(named=True)}
    told = {}
    for code in sorted(codes):
        found = evaluation.findings.filter(pl.col("rule") == code)
        by_agency: dict[str, dict[str, int]] = {}
        for agency, level, number in (
            found.group_by("agency", "level").len().sort("agency", "level").iter_rows()
        ):
            by_agency.setdefault(agency, {})[LEVELS[level]] = number
        levels = {
            LEVELS[level]: number for level, number in found.group_by("level").len().sort("level").iter_rows()
        }
        row = counts.get(code, {})
        told[code] = {
            "checked": row.get("checked", 0),
            "undetermined": row.get("undetermined", 0),
            "findings": found.height,
            "levels": levels,
            "agencies": by_agency,
            "cases": found["case_id"].unique().sort().head(EXAMPLES).to_list(),
        }
    return told


if __name__ == "__main__":
    limit()
    main(Path(sys.argv[1]))
