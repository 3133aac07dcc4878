"""A node that is stopped in the middle of everything: its kernel still acknowledges what its process never reads.

No connection breaks, so only silence tells. Both neighbours have to see it gone, in a run of `make chaos` within ``SEEN_WITHIN_S``; work
goes on below it; and once it goes on, the links come back without anybody's doing.
"""

import os
import signal
import time
from collections.abc import Callable
from typing import Final

from tests.e2e.tree import Node, until

SEEN_WITHIN_S: Final = 20.0
BACK_WITHIN_S: Final = 120.0
_LONGER_S: Final = 3.0
"""How long it stays stopped after both noticed."""


def freeze(
    child: Node, node: Node, parent: Node, say: Callable[[str], None], within_s: float = SEEN_WITHIN_S
) -> None:
    """Stop ``node`` until both its neighbours noticed; AssertionError when one does not in ``within_s`` seconds, or it does not come back."""

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

        until(f"both neighbours of the frozen {node.code} notice", noticed, within_s)
        time.sleep(_LONGER_S)
        assert parent.child(node.code)["state"] == "away", "a frozen child came back"
        assert child.status()["link"]["state"] != "linked", "a frozen parent came back"
    finally:
        os.kill(pid, signal.SIGCONT)
    frozen_s, goes_on = time.monotonic() - began, time.monotonic()
    until(f"the links of {node.code} come back by themselves", linked, BACK_WITHIN_S)
    say(
        f"{node.tier} frozen for {frozen_s:.0f} s: seen from above after {seen['above']:.1f} s, from below after "
        f"{seen['below']:.1f} s, linked again {time.monotonic() - goes_on:.1f} s after it went on"
    )
