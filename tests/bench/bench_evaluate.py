"""How fast a whole history is judged again: from segments on the disk, and beside pm4py on a real log.

``evaluate.scratch`` reads 1.2 million made-up events from Parquet segments and applies every rule, in a process of its own. Its peer is the
least that any evaluation has to do: one vectorised group-by over the same segments (the duration of every case). ``evaluate.million`` is the
same for a million cases, in seconds.

``evaluate.vs_pm4py`` judges the real permit log, repeated, by three rules, and pm4py checks the same three on the same events: the interval
from acceptance to completion (temporal profile), the order of steps (LTL, eventually follows) and two persons (LTL, four eyes). Our
side is a whole evaluation under a policy that switches the other rules off, so it tells states, dues and daily figures besides.
``evaluate.vs_durations`` is the same beside pm4py's ``get_all_case_durations``, which judges nothing: a limit to approach, not a peer.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import polars as pl
import wabo
from from_segments import ORIGIN
from measure import Measured, Workspace, benchmark
from synthetic import EVENTS_A_CASE, as_tuples, cases

from node.store.segments import Segments
from node.supervision.bulk import evaluate_all
from node.supervision.fold import installed
from node.supervision.frame import from_tuples
from node.supervision.policy import Policy, Setting

_CASES = 150_000
_MILLION = 1_000_000
_MOST_MB = 4 * 2**30 / 1e6
_SEGMENT = 200_000
_COPIES = 16
_DAY_S = 86_400
_SAME_RULES = ("approval.time.case", "approval.procedure.order", "approval.procedure.same_person")


def _history(folder: Path, number: int = _CASES) -> int:
    """Segments of a made-up history; returns how many events they hold."""
    segments = Segments(folder)
    stream = chain.from_iterable(cases(7, number, ORIGIN))
    lo = 0
    while events := as_tuples(islice(stream, _SEGMENT), lo):
        segments.write(ORIGIN, lo, lo + len(events), from_tuples(events))
        lo += len(events)
    assert lo == number * EVENTS_A_CASE
    return lo


def _group_by(folder: Path, number: int = _CASES) -> float:
    """Seconds of the plainest question one can ask of the segments: how long each case took."""
    began = time.perf_counter()
    taken = (
        pl.scan_parquet(folder / ORIGIN / "*.parquet", missing_columns="insert", extra_columns="ignore")
        .group_by("case_id")
        .agg((pl.col("at_us").max() - pl.col("at_us").min()).alias("took"))
        .collect()
    )
    assert taken.height == number
    return time.perf_counter() - began


@benchmark("evaluate.scratch", unit="events/s", aim=1_000_000, better="higher")
def scratch(workspace: Workspace) -> Measured:
    """Read and judge everything; the better of two runs in one process."""
    folder = workspace.folder / "segments"
    told = _judged(workspace, folder, _history(folder))
    plain = min(_group_by(folder) for _ in range(2))
    return Measured(
        told["events"] / (told["read_s"] + told["evaluate_s"]), "a group-by by case", told["events"] / plain
    )


@benchmark("evaluate.million", unit="s", aim=60, better="lower")
def million(workspace: Workspace) -> Measured:
    """A million cases of eight events each, from scratch; peak memory below 4 GiB."""
    folder = workspace.folder / "million"
    told = _judged(workspace, folder, _history(folder, _MILLION), runs=1)
    assert (told["cases"], told["events"]) == (_MILLION, _MILLION * EVENTS_A_CASE), told
    assert told["peak_mb"] < _MOST_MB, told
    return Measured(told["read_s"] + told["evaluate_s"], "a group-by by case", _group_by(folder, _MILLION))


def _judged(workspace: Workspace, folder: Path, size: int, runs: int = 2) -> Any:
    """What a process that judges these segments says of itself."""
    program = [
        sys.executable,
        str(Path(__file__).with_name("from_segments.py")),
        str(folder),
        str(size),
        str(runs),
    ]
    paths = os.pathsep.join([str(workspace.repository), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        program,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": paths},
    )
    told = json.loads(done.stdout)
    print(
        f"  {told['events']:,} events, {told['cases']:,} cases, {told['findings']:,} findings: read {told['read_s']:.2f} s, "
        f"judged {told['evaluate_s']:.2f} s, "
        f"peak memory {told['peak_mb']:.0f} MB, {told['peak_mb'] / _MOST_MB:.2f} of the most it may take",
        file=sys.stderr,
    )
    return told


def _best(work: Callable[[], Any], times: int) -> float:
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


@cache
def _log(repository: Path, shared: Path) -> tuple[pl.DataFrame, float]:
    """The log and the seconds in which all its cases are judged by the rules that pm4py has too; the best of five."""
    events, context = wabo.log(repository, shared, _COPIES)
    domains = installed(("approval",))
    others = {rule.code for rule in domains[0].rules}.difference(_SAME_RULES)
    context = replace(context, policy=Policy(settings=dict.fromkeys(others, Setting(disabled=True))))
    as_of = wabo.LAST_EVENT_US
    result = evaluate_all(events, context, as_of, events.height, domains)
    assert sorted(result.rules["rule"]) == sorted(_SAME_RULES)
    late = result.cases.filter("late").height
    assert late == 416 * _COPIES, late
    return events, _best(lambda: evaluate_all(events, context, as_of, events.height, domains), 5)


def _for_pm4py(events: pl.DataFrame) -> Any:
    """The same events as pm4py likes them: a pandas frame with its column names."""
    import pandas

    activity = pl.when(pl.col("kind") == "step").then("step").otherwise("kind")
    columns = events.sort("case_id", "at_us", "idx").select(
        pl.col("case_id").alias("case:concept:name"),
        activity.alias("concept:name"),
        pl.col("actor").alias("org:resource"),
        "at_us",
    )
    frame = pandas.DataFrame(columns.to_dict(as_series=False))
    frame["time:timestamp"] = pandas.to_datetime(frame.pop("at_us"), unit="us", utc=True)
    return frame


@benchmark("evaluate.vs_pm4py", unit="events/s", aim=None, better="higher")
def vs_pm4py(workspace: Workspace) -> Measured:
    """Three rules of ours; the same three as pm4py checks them."""
    with contextlib.redirect_stdout(io.StringIO()):
        import pm4py
        from pm4py.algo.filtering.pandas.ltl import ltl_checker
        from pm4py.util import constants
    constants.SHOW_PROGRESS_BAR = False

    events, ours = _log(workspace.repository, workspace.shared)
    frame = _for_pm4py(events)
    # From acceptance to completion within 56 days: a mean and one deviation of 28.
    profile = {("acceptance", "completion"): (28.0 * _DAY_S, 28.0 * _DAY_S)}

    def check() -> None:
        pm4py.conformance_temporal_profile(frame, profile, zeta=1.0)
        for wrong_order in (["T04", "T02"], ["T05", "T04"]):
            ltl_checker.eventually_follows(frame, wrong_order)
        same = ltl_checker.four_eyes_principle(
            frame, "T02", "T04", parameters={ltl_checker.Parameters.POSITIVE: False}
        )
        assert same["case:concept:name"].nunique() >= 1_000 * _COPIES

    theirs = _best(check, 1)
    print(f"  {events.height:,} events: ours {ours:.3f} s, pm4py {theirs:.1f} s", file=sys.stderr)
    return Measured(events.height / ours, "pm4py: temporal profile, order, four eyes", events.height / theirs)


@benchmark("evaluate.vs_durations", unit="events/s", aim=None, better="higher")
def vs_durations(workspace: Workspace) -> Measured:
    """The limit to approach."""
    with contextlib.redirect_stdout(io.StringIO()):
        import pm4py

    events, ours = _log(workspace.repository, workspace.shared)
    frame = _for_pm4py(events)
    theirs = _best(lambda: pm4py.get_all_case_durations(frame), 3)
    return Measured(events.height / ours, "pm4py.get_all_case_durations", events.height / theirs)
