"""A whole history judged in parts, several at once: the same answer as `evaluate` gives for all of it, sooner and in less memory.

Cases do not know of each other, so any split that keeps a case's events together gives the same findings, cases and figures, and
counts that add up. Parts are bounded, so what an evaluation needs beyond its events and its answer does not grow with the history; one
part is judged on one thread (Polars lets go of the interpreter), as many at a time as there are processors.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeVar

import polars as pl

from node.supervision.context import Context
from node.supervision.evaluate import Evaluation, evaluate
from node.supervision.fold import Domain
from node.supervision.frame import by_case, case_begins
from node.supervision.packing import unpacked

T = TypeVar("T")

PART: Final = 400_000
"""Events in one part at most, about."""

WHOLE: Final = 100_000
"""Up to so many events are judged as one: splitting them would take longer than it saves."""


def evaluate_all(
    events: pl.DataFrame, context: Context, as_of_us: int, journal_size: int, domains: Sequence[Domain]
) -> Evaluation:
    """`evaluate` for any number of events, packed or not; `judged`, which holds every intermediate frame, is left empty.

    Raises what `evaluate` raises.
    """
    parts = judge_in_parts(
        events, lambda part: _slim(evaluate(unpacked(part), context, as_of_us, journal_size, domains))
    )
    if len(parts) == 1:
        return parts[0]
    counts = pl.concat(part.rules for part in parts)
    return Evaluation(
        as_of_us=as_of_us,
        journal_size=journal_size,
        policy_version=context.policy.version,
        calendar_version=context.calendar.version,
        cases=pl.concat(part.cases for part in parts),
        findings=pl.concat(part.findings for part in parts),
        rules=counts.group_by("rule", maintain_order=True).sum(),
        figures=pl.concat(part.figures for part in parts),
        judged=(),
    )


def judge_in_parts(events: pl.DataFrame, judge: Callable[[pl.DataFrame], T]) -> list[T]:
    """What `judge` says of each part of the events; every case's events are in one part. At least one part, which may be empty."""
    if events.height <= WHOLE:
        return [judge(events)]
    workers = os.cpu_count() or 1
    count = -(-events.height // (PART * workers)) * workers
    with ThreadPoolExecutor(workers, "judge") as threads:
        return list(threads.map(judge, _split(events, count)))


def _split(events: pl.DataFrame, count: int) -> Iterator[pl.DataFrame]:
    """Stretches of whole cases, at most `count` and about as long as each other: views, not copies, of the events by case."""
    events = by_case(events)
    begins = case_begins(events).arg_true().append(pl.Series([events.height], dtype=pl.UInt32))
    wanted = pl.Series([events.height * number // count for number in range(count + 1)], dtype=pl.UInt32)
    cuts = sorted(set(begins[begins.search_sorted(wanted)].to_list()))
    for begin, end in pairwise(cuts):
        yield events[begin:end]


def _slim(evaluation: Evaluation) -> Evaluation:
    """Without the intermediate frames: otherwise all parts' would be held until the last is judged."""
    return replace(evaluation, judged=())
