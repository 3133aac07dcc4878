"""The supervision office of the city: issues directives to the village again and again while nodes are killed.

What it was told is issued has to reach the village once, over three lanes down, whoever was dead on the way. What it was told nothing about may have
been issued or not.
"""

import time
from collections import Counter
from threading import Event, Thread
from typing import Final, Self

import httpx
from zongheng.v1.entry_pb2 import Entry

from tests.e2e.tree import Node, until

REST_S: Final = 1.0


class Office:
    """Issues from a thread of its own."""

    def __init__(self, city: Node, village: Node) -> None:
        self.city, self.village = city, village
        self.issued: set[str] = set()
        self.refused = ""
        """What the last one was refused with that was not issued."""
        self._over = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def _run(self) -> None:
        with httpx.Client(base_url=f"http://{self.city.http}", timeout=30, trust_env=False) as client:
            number = 0
            while not self._over.is_set():
                number += 1
                form = {
                    "title": f"matter {number}", "text": "report what was done", "source": "office", "by": "S1",
                    "approved_by": "S2", "lead": self.village.code, "due": "2099-01-01",
                }  # fmt: skip
                try:
                    answer = client.post("/api/directives", json=form)
                except httpx.HTTPError:
                    continue
                finally:
                    time.sleep(REST_S)
                if answer.is_success:
                    self.issued.add(answer.json()["directive"])
                else:
                    self.refused = answer.text[:300]

    def faults(self, timeout_s: float) -> list[str]:
        """What did not reach the village, or was entered there twice; waits for what is on its way."""
        faults = []
        try:
            until("the village has every directive", lambda: self.issued <= self._told(), timeout_s, 1.0)
        except AssertionError:
            faults += [f"{directive} is missing" for directive in sorted(self.issued - self._told())]
        came = Counter((entry.received.origin, entry.received.index) for entry in self._received())
        faults += [f"{entry} was received {times} times" for entry, times in came.items() if times > 1]
        return faults

    def _received(self) -> list[Entry]:
        return list(self.village.entries("received"))

    def _told(self) -> set[str]:
        """Directives of which a step came down to the village."""
        leaves = (Entry.FromString(entry.received.leaf) for entry in self._received())
        return {leaf.directive_step.directive for leaf in leaves if leaf.HasField("directive_step")}
