"""Cases judged for the projection: events in, facts summaries and findings out, nothing else."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from node.projection.context import JournalContext
from node.store.rows import FactsRow
from node.supervision.evaluate import Finding, evaluate
from node.supervision.frame import from_tuples

_AT_ONCE = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one evaluation of some cases gives."""

    as_of_us: int
    size: int
    """Journal size it was made at."""
    policy_version: int
    calendar_version: str
    mandates: str
    """The policies from above that applied."""
    facts: list[FactsRow]
    findings: list[Finding]
    """Of cases that no unfinished import holds back."""
    next_at: dict[str, int | None]
    """When to look at each case again."""


class EngineFailed(RuntimeError):
    """The table engine itself broke down; nothing was judged, and it can be tried again."""


def _judge(
    rows: Sequence[tuple[Any, ...]],
    context: JournalContext,
    as_of_us: int,
    size: int,
    finished: Collection[str] | None,
    own: bool,
) -> Judgement:
    """Judge the cases of ``rows`` (plain rows of the event table, ordered by case and index) as of (``as_of_us``, ``size``).

    ``finished`` are the imports that are finished at ``size``; every other holds its cases back; None: nothing does. Facts are due at once: the
    findings of own cases are still to be raised, those of a child's to be held against what the child raised. Pure and safe to run in a thread.
    """
    # The door lets five minutes of the future in, and clocks differ. Facts are folded from everything the journal holds, so that figures
    # never depend on whose now it is; findings as of now, so that nobody is accused ahead of time.
    frame = from_tuples([row[1:] for row in rows])
    newest = max((row[3] for row in rows), default=as_of_us)
    whole = evaluate(frame, context.context, max(as_of_us, newest), size, context.domains)
    judged = (
        whole if newest <= as_of_us else evaluate(frame, context.context, as_of_us, size, context.domains)
    )
    imported: dict[str, str] = {}
    if finished is not None:
        under_way = (pl.col("import_id") != "") & ~pl.col("import_id").is_in(list(finished))
        imported = dict(frame.filter(under_way).select("case_id", "import_id").iter_rows())
    facts = []
    # A case of which nothing had happened yet by then is looked at again when something has.
    next_at: dict[str, int | None] = {row[1]: row[3] for row in reversed(rows)} if newest > as_of_us else {}
    next_at.update(judged.cases.select("case_id", "next_at_us").iter_rows())
    for row in whole.facts_rows(context.origin):
        facts.append(
            replace(
                row,
                next_at_us=_AT_ONCE,
                import_id=imported.get(row.case_id, "") if own else "",
            )
        )
    return Judgement(
        as_of_us=as_of_us,
        size=size,
        policy_version=judged.policy_version,
        calendar_version=judged.calendar_version,
        mandates=context.context.policy.mandated,
        facts=facts,
        findings=[finding for finding in judged.finding_values() if finding.case_id not in imported],
        next_at={case: at for case, at in next_at.items() if case not in imported},
    )


def judge(
    rows: Sequence[tuple[Any, ...]],
    context: JournalContext,
    as_of_us: int,
    size: int,
    finished: Collection[str] | None,
    own: bool,
) -> Judgement:
    """As `_judge`; a panic inside the table engine, which is no ``Exception``, becomes one, so that it cannot take the node down."""
    try:
        return _judge(rows, context, as_of_us, size, finished, own)
    except pl.exceptions.PanicException as panic:
        raise EngineFailed(f"{len(rows)} events of {context.origin}: {panic}") from panic
