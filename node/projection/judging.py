"""Cases judged for the projection: events in, facts summaries and findings out, nothing else."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from node.projection.context import JournalContext
from node.store.rows import EventRow, FactsRow
from node.supervision.evaluate import Finding, evaluate
from node.supervision.frame import from_rows

_AT_ONCE = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one evaluation of some cases gives."""

    as_of_us: int
    size: int
    """Journal size it was made at."""
    policy_version: int
    calendar_version: str
    facts: list[FactsRow]
    findings: list[Finding]
    """Of cases that no unfinished import holds back."""
    next_at: dict[str, int | None]
    """When to look at each case again."""


def judge(
    rows: Sequence[EventRow],
    context: JournalContext,
    as_of_us: int,
    size: int,
    held: Collection[str],
    own: bool,
) -> Judgement:
    """Judge the cases of ``rows`` as of (``as_of_us``, ``size``).

    ``held`` are unfinished imports. Facts of own cases are due at once (their findings are still to be raised), those of a child never: a
    parent does not raise a child's alerts. Pure and safe to run in a thread.
    """
    # The door lets five minutes of the future in, and clocks differ. Facts are folded from everything the journal holds, so that figures
    # never depend on whose now it is; findings as of now, so that nobody is accused ahead of time.
    newest = max((row.at_us for row in rows), default=as_of_us)
    frame = from_rows(rows)
    whole = evaluate(frame, context.context, max(as_of_us, newest), size, context.domains)
    judged = (
        whole if newest <= as_of_us else evaluate(frame, context.context, as_of_us, size, context.domains)
    )
    imported = {row.case_id: row.import_id for row in rows if row.import_id in held}
    facts = []
    # A case of which nothing had happened yet by then is looked at again when something has.
    next_at: dict[str, int | None] = (
        {row.case_id: row.at_us for row in reversed(rows)} if newest > as_of_us else {}
    )
    next_at.update(judged.cases.select("case_id", "next_at_us").iter_rows())
    for row in whole.facts_rows(context.origin):
        facts.append(
            replace(
                row,
                next_at_us=_AT_ONCE if own else None,
                import_id=imported.get(row.case_id, "") if own else "",
            )
        )
    return Judgement(
        as_of_us=as_of_us,
        size=size,
        policy_version=judged.policy_version,
        calendar_version=judged.calendar_version,
        facts=facts,
        findings=[finding for finding in judged.finding_values() if finding.case_id not in imported],
        next_at={case: at for case, at in next_at.items() if case not in imported},
    )
