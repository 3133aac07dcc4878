"""``make chaos``: four nodes under load, killed again and again, then one of them frozen; nothing acknowledged may be lost or doubled.

The last line reads ``kills=N acknowledged=N lost=0 doubled=0``. Exit code 0 only when everything held; else the sentences that did
not, the seed and the end of every node's log are printed, and the folder with the nodes is kept. Bounded in time; whatever happens, the
processes that were started are ended by their pid.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from tests.chaos.frozen import freeze
from tests.chaos.line import Line
from tests.chaos.settled import Verdict, judged
from tests.chaos.storm import Storm
from tests.e2e.tree import Tree, until

Say = Callable[[str], None]

_A_KILL_S: Final = 4.0
_REST_S: Final = 300.0
_ENDING_S: Final = 120.0
_CATCH_UP_S: Final = 180.0


class OutOfTime(Exception):
    """The run took longer than it may."""


def storm(tree: Tree, kills: int, seed: int, verdict: Verdict, say: Say, *, frozen: bool = False) -> None:
    """A storm, then a freeze if so wished; what does not hold goes to ``verdict``."""
    line = Line.made(tree)
    raging = Storm(line.nodes, kills, seed, say)
    try:
        with line:
            # Who has never heard of a node cannot direct it: the storm begins once the city has heard of the village.
            until("the office issues its first directive", lambda: bool(line.office.issued), _CATCH_UP_S)
            line.stand()
            raging.rage(lambda: _unharmed(line))
            village = line.nodes[-1]
            held = {parent.code: parent.child(child.code)["held"] for child, parent in line.links}
            say(f"storm over: sent {[hall.sent for hall in line.halls]}, held by parents {held}")
            if frozen:
                # The business systems go on handing in meanwhile.
                county, town = line.nodes[1:3]
                freeze(village, town, county, say)
            line.finish()
        judged(line, verdict, tree.folder, _CATCH_UP_S)
    except AssertionError as error:
        verdict.faults.append(str(error))
    finally:
        verdict.kills = raging.kills
        verdict.acknowledged = sum(len(hall.acknowledged) for hall in line.halls)


def _unharmed(line: Line) -> None:
    for hall in line.halls:
        if hall.trouble is not None:
            raise AssertionError(f"{hall.node.code} was handed in no more: {hall.trouble}")


def main() -> int:
    """Run as the command line says; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="repeat a storm; default: a new one")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**31)
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {words}", flush=True)

    say(f"seed {seed}, {arguments.kills} kills")
    folder = Path(tempfile.mkdtemp(prefix="zongheng-chaos-"))
    tree = Tree(folder)
    _guard(tree, arguments.kills * _A_KILL_S + _REST_S)
    verdict = Verdict()
    try:
        with tree:
            storm(tree, arguments.kills, seed, verdict, say, frozen=True)
    except AssertionError as error:
        # A node that is told to end while it starts, because something else went wrong, ends as it must.
        if verdict.sound:
            verdict.faults.append(str(error))
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        verdict.faults.append(f"{type(error).__name__}: {error}")
    signal.alarm(0)
    if verdict.sound:
        shutil.rmtree(folder)
    else:
        _tell(tree, verdict, seed, folder)
    print(
        f"kills={verdict.kills} acknowledged={verdict.acknowledged} lost={verdict.lost} doubled={verdict.doubled}"
    )
    return 0 if verdict.sound and verdict.kills == arguments.kills else 1


def _guard(tree: Tree, longest_s: float) -> None:
    """After ``longest_s`` seconds, or on SIGTERM, end as after any failure; when even that takes too long, end the nodes and this process."""

    def over(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGALRM, last_resort)
        signal.alarm(round(_ENDING_S))
        raise OutOfTime(f"not done within {longest_s:.0f} s" if number == signal.SIGALRM else "told to end")

    def last_resort(number: int, frame: FrameType | None) -> None:
        for node in tree.nodes.values():
            if node.process is not None and node.process.poll() is None:
                node.process.kill()
        os._exit(3)

    signal.signal(signal.SIGALRM, over)
    signal.signal(signal.SIGTERM, over)
    signal.alarm(round(longest_s))


def _tell(tree: Tree, verdict: Verdict, seed: int, folder: Path) -> None:
    for node in tree.nodes.values():
        print(node.told("— its part of what follows"), flush=True)
    for fault in verdict.faults:
        print(f"VIOLATED {fault}", flush=True)
    print(f"seed {seed}; the nodes are kept in {folder}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
