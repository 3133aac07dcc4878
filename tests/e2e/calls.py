"""People in calls and meetings of real nodes: a page that waits for news, a picture that is sent, one that is decoded."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.e2e.player import gstreamer
from tests.e2e.tree import Node, until


class _Page:
    """A page that waits for news of calls, for as long as it is open; asked for again whenever the node ends it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._over = threading.Event()
        self._there = threading.Event()
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def opened(self) -> None:
        assert self._there.wait(120), self._node.told("nobody could wait for calls")

    def close(self) -> None:
        self._over.set()
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(120)

    def _wait(self) -> None:
        host, _, port = self._node.http.rpartition(":")
        while not self._over.is_set():
            with suppress(OSError), socket.create_connection((host, int(port)), 120) as line:
                self._line = line
                line.settimeout(None)
                line.sendall(b"GET /api/meetings/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                while not self._over.is_set() and line.recv(65_536):
                    self._there.set()


@contextmanager
def on_duty(node: Node) -> Iterator[None]:
    """Somebody at a node has a page open that waits for calls; they have it when the context begins."""
    page = _Page(node)
    try:
        page.opened()
        yield
    finally:
        page.close()


@contextmanager
def speaking(node: Node, stream: str) -> Iterator[None]:
    """A picture is sent to a seat, by GStreamer, until the seat or the context ends; it is there when the context begins."""
    purpose = f"meeting {stream.split('/')[1].split('-')[1]}"
    sending = [_sending(node, stream)]

    def is_there() -> bool:
        if sending[-1].poll() is not None:  # a busy machine lets nobody in for a moment
            sending.append(_sending(node, stream))
        form = {"stream": stream, "seconds": 2, "purpose": purpose}
        answer = node.client.post("/api/streams/trials", json=form, timeout=120)
        return answer.is_success and answer.json()["pictures"] > 0

    try:
        until(f"{node.code} sees its own picture", is_there)
        yield
    finally:
        for each in sending:
            each.terminate()
            each.communicate(timeout=60)


def _sending(node: Node, stream: str) -> "subprocess.Popen[str]":
    return gstreamer(f"http://{node.http}/api/whip/{stream}", "1000000", "--publish")


def decoded(node: Node, stream: str, pictures: int) -> int:
    """So many pictures of a stream decoded at a node, by GStreamer; the number that came. Asked for again while the node lets nobody in."""

    def watch() -> int:
        watching = gstreamer(f"http://{node.http}/api/whep/{stream}", str(pictures))
        told, _ = watching.communicate(timeout=240)
        return int(told) if watching.returncode == 0 else 0

    return until(f"{node.code} sees {stream}", watch, timeout_s=240.0)


def refusal(node: Node, path: str) -> Any:
    """The code with which a node refuses an offer of somebody who does not belong."""
    answer = node.client.post(path, content="v=0", headers={"Content-Type": "application/sdp"})
    return answer.json()["code"]


def meeting_at(node: Node, meeting: str) -> Any:
    """How a meeting stands there; null: the node does not know of it."""
    answer = node.client.get(f"/api/meetings/{meeting}")
    return answer.json() if answer.is_success else None
