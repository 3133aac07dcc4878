"""``python from_segments.py FOLDER SIZE [RUNS]``: evaluates the history in a folder of segments, twice unless said, prints the fastest as JSON.

A process of its own, so that its peak memory is that of reading and judging and of nothing else.
"""

import json
import resource
import sys
import time
from pathlib import Path

from synthetic import END, ZONE

from node.store.segments import Segments
from node.supervision.bulk import evaluate_all
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.fold import installed
from node.supervision.frame import concat
from node.supervision.packing import Packing

ORIGIN = "990121"


def main(folder: Path, size: int, runs: int) -> None:
    context = Context(Calendar.china(), zone=ZONE)
    domains = installed(("approval",))
    segments = Segments(folder)
    as_of_us = int(END.timestamp() * 1_000_000)
    best = None
    for _ in range(runs):
        began = time.perf_counter()
        packing = Packing()
        frames = (segments.read(ORIGIN, segment) for segment in segments.held(ORIGIN, size))
        events = concat(packing.packed(frame) for frame in frames if frame is not None)
        read = time.perf_counter()
        result = evaluate_all(events, context, as_of_us, size, domains)
        ended = time.perf_counter()
        measured = {
            "events": events.height,
            "cases": result.cases.height,
            "findings": result.findings.height,
            "read_s": read - began,
            "evaluate_s": ended - read,
        }
        if best is None or ended - began < best["read_s"] + best["evaluate_s"]:
            best = measured
        del events, result
    assert best is not None
    best["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps(best))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 2)
