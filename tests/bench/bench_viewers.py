"""What somebody who watches costs, beside Janus; how many a core serves; and how soon the first packet of a picture is there.

One stream of 720p25 at 1.5 Mb/s. Those who watch are a process of their own with real ICE, DTLS and receiver reports. Ours and Janus (Debian's package,
its streaming plugin, fed the same access units at the same pace) are measured in one run after each other, with as many who watch. go2rtc is in none
of the registries that the project takes packages from.
"""

import statistics
import sys
from functools import cache
from pathlib import Path

from clip import make
from janus import janus
from measure import Measured, Workspace, benchmark
from watchers_pool import Window, ours, watching

_VIEWERS = 100
_SECONDS = 10.0
_STEP = 50
_MOST = 1_000
_LOST = 0.001


def _clip(workspace: Workspace) -> Path:
    path = workspace.folder / "clip"
    make(path)
    return path


@cache
def _side_by_side(folder: Path) -> tuple[Window, Window]:
    """Ours and Janus', with as many who watch."""
    clip = folder / "clip"
    make(clip)
    with ours(folder, clip) as (pid, where), watching("ours", where, pid) as pool:
        pool.join(_VIEWERS)
        pool.window(2.0)
        here = pool.window(_SECONDS)
    with janus(folder / "janus", clip) as (pid, where), watching("janus", where, pid) as pool:
        pool.join(_VIEWERS)
        pool.window(2.0)
        there = pool.window(_SECONDS)
    print(
        f"  {_VIEWERS} viewers: {here.ms:.2f} ms and {here.lost:.3%} lost; janus {there.ms:.2f} ms and {there.lost:.3%} lost",
        file=sys.stderr,
    )
    return here, there


@benchmark("video.viewer_ms", unit="ms/viewer-s", aim=1.5, better="lower")
def viewer_ms(workspace: Workspace) -> Measured:
    """CPU of one viewer's second."""
    here, there = _side_by_side(workspace.folder)
    return Measured(here.ms, beside="Janus 1.1, its own", beside_value=there.ms)


@benchmark("video.vs_janus", unit="x", aim=1.0, better="lower")
def vs_janus(workspace: Workspace) -> Measured:
    """The same as a share of what Janus takes, in a run of its own."""
    here, there = _side_by_side(workspace.folder)
    return Measured(here.ms / there.ms)


@benchmark("video.viewers_per_core", unit="viewers", aim=400, better="higher")
def viewers_per_core(workspace: Workspace) -> Measured:
    """How many watch at once while less than one packet in a thousand is lost: the server has one core's worth of one process, those who watch
    have the rest of the machine."""
    clip, best = _clip(workspace), 0
    with ours(workspace.folder, clip) as (pid, where), watching("ours", where, pid) as pool:
        pool.join(100)
        while pool.count < _MOST:
            pool.join(_STEP)
            pool.window(1.0)
            seen = pool.window(4.0)
            print(f"  {pool.count} viewers: {seen.lost:.4%} lost, {seen.core:.2f} of a core", file=sys.stderr)
            if seen.lost >= _LOST:
                break
            best = pool.count
    return Measured(float(best))


@benchmark("video.first_packet_warm", unit="ms", better="lower")
def first_packet_warm(workspace: Workspace) -> Measured:
    """From the wish to watch to the first packet of a stream that others watch already: offer, answer, ICE and DTLS; the median of forty."""
    clip = _clip(workspace)
    with ours(workspace.folder, clip) as (pid, where), watching("ours", where, pid) as pool:
        for _ in range(40):
            pool.join(1)
        return Measured(statistics.median(pool.window(1.0).first_ms))
