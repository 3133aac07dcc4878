"""Somebody at a node who looks at a stream, as its command does, and how the stream is there meanwhile."""

import secrets
import threading
from typing import Any

import psutil

from tests.e2e.tree import Node, until


def look(node: Node, stream: str, seconds: float = 3.0) -> Any:
    return node.post("/api/streams/trials", {"stream": stream, "seconds": seconds, "purpose": "巡查"})


class Looking:
    """Somebody who looks from a node until they have seen enough, while other things happen."""

    def __init__(self, node: Node, stream: str) -> None:
        self.node = node
        self.purpose = secrets.token_hex(8)
        self._stream = stream
        self._told: Any = None
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        until(f"{node.code} lets them look", lambda: self._names)
        until(f"{node.code} sees {stream}", lambda: state(node, stream) == "live")

    def _look(self) -> None:
        body = {"stream": self._stream, "seconds": 290, "purpose": self.purpose}
        answer = self.node.client.post("/api/streams/trials", json=body, timeout=300)
        self._told = answer.json()

    @property
    def _names(self) -> list[str]:
        return [one["viewing"] for one in self.node.get("/api/viewings") if one["purpose"] == self.purpose]

    @property
    def viewing(self) -> str:
        (viewing,) = self._names
        return viewing

    def over(self) -> Any:
        """What came, when somebody has put them out."""
        self._thread.join(120)
        assert self._told is not None
        return self._told

    def enough(self) -> Any:
        """What came until now."""
        self.node.post(f"/api/viewings/{self.viewing}/removal", {"reason": "enough"})
        told = self.over()
        assert told["code"] == "viewer_removed", told
        assert "enough" in told["detail"]
        return told


def state(node: Node, stream: str) -> str:
    """How a stream is in a node's worker; empty: it is not open there."""
    streams = node.get("/api/streams")["streams"]
    return next((one["state"] for one in streams if one["stream"] == stream), "")


def worker_of(node: Node) -> psutil.Process:
    assert node.process is not None
    (found,) = [
        child
        for child in psutil.Process(node.process.pid).children(recursive=True)
        if "node.media.worker" in child.cmdline()
    ]
    return found
