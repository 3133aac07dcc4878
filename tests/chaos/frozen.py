"""A node that is stopped in the middle of everything: its kernel still acknowledges what its process never reads.

No connection breaks, so only silence tells. Both neighbours have to see it gone within ``SEEN_WITHIN_S``; work goes on below it; and once it
goes on, the links come back without anybody's doing.
"""

import os
import signal
import time
from collections.abc import Callable
from typing import Final

from tests.e2e.tree import Node, until

FROZEN_S: Final = 25.0
SEEN_WITHIN_S: Final = 20.0
BACK_WITHIN_S: Final = 60.0


def freeze(child: Node, node: Node, parent: Node, say: Callable[[str], None]) -> None:
    """Stop ``node`` for ``FROZEN_S`` seconds; AssertionError when a neighbour does not notice, or it does not come back."""

    def linked() -> bool:
        states = [one.status()["link"]["state"] for one in (child, node)]
        states += [above.child(below.code)["state"] for above, below in ((parent, node), (node, child))]
        return set(states) == {"linked"}

    until("the links stand", linked, BACK_WITHIN_S)
    assert node.process is not None
    pid = node.process.pid
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        seen: dict[str, float] = {}

        def noticed() -> bool:
            if "above" not in seen and parent.child(node.code)["state"] == "away":
                seen["above"] = time.monotonic() - began
            if "below" not in seen and child.status()["link"]["state"] in ("backing_off", "connecting"):
                seen["below"] = time.monotonic() - began
            return len(seen) == 2

        until(f"both neighbours of the frozen {node.code} notice", noticed, SEEN_WITHIN_S)
        time.sleep(max(0.0, began + FROZEN_S - time.monotonic()))
        assert parent.child(node.code)["state"] == "away", "a frozen child came back"
        assert child.status()["link"]["state"] != "linked", "a frozen parent came back"
    finally:
        os.kill(pid, signal.SIGCONT)
    goes_on = time.monotonic()
    until(f"the links of {node.code} come back by themselves", linked, BACK_WITHIN_S)
    say(
        f"{node.tier} frozen for {FROZEN_S:.0f} s: seen from above after {seen['above']:.1f} s, from below after "
        f"{seen['below']:.1f} s, linked again {time.monotonic() - goes_on:.1f} s after it went on"
    )
