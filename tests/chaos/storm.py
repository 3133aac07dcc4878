"""SIGKILL at random moments, to random nodes: while they append, relay, judge and report, and while they start.

The moments follow from the seed; what they fall on does not, so a seed repeats a storm and not its every outcome. A victim is started again
after a random rest, in which its neighbours go on; nobody waits for it to be ready, so that some starts are cut short too. Some kills come in
twos: both ends of a link at once, and any other pair.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from tests.e2e.tree import Node

PAIRED: Final = 0.25
"""How often two nodes are killed at once."""

_BETWEEN_S: Final = (0.1, 2.4)
_DOWN_S: Final = (0.0, 0.6)
_LONG_DOWN_S: Final = (2.0, 5.0)
_LONG: Final = 0.08
"""How often a victim stays down long enough for its neighbours' links to fail more than once."""


class Storm:
    """Kills, one after the other."""

    def __init__(self, nodes: list[Node], kills: int, seed: int, say: Callable[[str], None]) -> None:
        self._nodes = nodes
        self._wanted = kills
        self._random = random.Random(seed)
        self._say = say
        self._due: dict[str, float] = {}
        """Code of a victim → when it is started again, on the monotonic clock."""
        self.kills = 0
        self.by_tier: dict[str, int] = {node.tier: 0 for node in nodes}

    def rage(self, alive: Callable[[], None]) -> None:
        """Kill as often as was asked for, then start all again and wait until they answer.

        ``alive`` is called now and then; what it raises ends the storm. AssertionError when a node ended by itself.
        """
        while self.kills < self._wanted:
            self._sleep(self._random.uniform(*_BETWEEN_S), alive)
            standing = [node for node in self._nodes if node.code not in self._due]
            count = 2 if self._random.random() < PAIRED else 1
            victims = self._random.sample(standing, min(count, len(standing), self._wanted - self.kills))
            for node in victims:
                self._kill(node)
            alive()
        self._sleep(max([0.0, *(due - time.monotonic() for due in self._due.values())]) + 0.05, alive)
        for node in self._nodes:
            node.await_ready()

    def _kill(self, node: Node) -> None:
        if not node.running:
            raise node.told("ended by itself")
        node.kill()
        self.kills += 1
        self.by_tier[node.tier] += 1
        rest = _LONG_DOWN_S if self._random.random() < _LONG else _DOWN_S
        self._due[node.code] = time.monotonic() + self._random.uniform(*rest)
        if self.kills % 20 == 0 or self.kills == self._wanted:
            self._say(f"{self.kills} kills: {self.by_tier}")

    def _sleep(self, duration_s: float, alive: Callable[[], None]) -> None:
        """Let time pass, and start again whoever is due."""
        end = time.monotonic() + duration_s
        while True:
            now = time.monotonic()
            for node in self._nodes:
                if self._due.get(node.code, now + 1) <= now:
                    del self._due[node.code]
                    node.begin()
            if now >= end:
                return
            alive()
            time.sleep(min(0.02, end - now))
