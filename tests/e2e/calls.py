"""People in calls and meetings of real nodes: a page that waits for news, a picture that is sent, one that is decoded."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.e2e.player import gstreamer
from tests.e2e.tree import Node, until


@contextmanager
def on_duty(node: Node) -> Iterator[None]:
    """Somebody at a node has a page open that waits for calls; they have it when the context begins."""
    over, there = threading.Event(), threading.Event()

    def listen() -> None:
        while not over.is_set():
            try:
                with httpx.stream("GET", f"http://{node.http}/api/meetings/events", timeout=60) as events:
                    for _ in events.iter_lines():
                        there.set()
                        if over.is_set():
                            return
            except httpx.HTTPError:
                continue

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        assert there.wait(120), node.told("nobody could wait for calls")
        yield
    finally:
        over.set()
        thread.join(120)


@contextmanager
def speaking(node: Node, stream: str) -> Iterator["subprocess.Popen[str]"]:
    """A picture is sent to a seat, by GStreamer, until the seat or the context ends; it is there when the context begins."""
    sending = gstreamer(f"http://{node.http}/api/whip/{stream}", "1000000", "--publish")
    purpose = f"meeting {stream.split('/')[1].split('-')[1]}"

    def is_there() -> bool:
        form = {"stream": stream, "seconds": 2, "purpose": purpose}
        answer = node.client.post("/api/streams/trials", json=form, timeout=120)
        return answer.is_success and answer.json()["pictures"] > 0

    try:
        until(f"{node.code} sees its own picture", is_there)
        yield sending
    finally:
        sending.terminate()
        sending.wait(60)


def decoded(node: Node, stream: str, pictures: int) -> int:
    """So many pictures of a stream decoded at a node, by GStreamer; the number that came."""
    watching = gstreamer(f"http://{node.http}/api/whep/{stream}", str(pictures))
    told, _ = watching.communicate(timeout=240)
    assert watching.returncode == 0, f"{node.code} saw {told} pictures of {stream}"
    return int(told)


def refusal(node: Node, path: str) -> Any:
    """The code with which a node refuses an offer of somebody who does not belong."""
    answer = node.client.post(path, content="v=0", headers={"Content-Type": "application/sdp"})
    return answer.json()["code"]


def meeting_at(node: Node, meeting: str) -> Any:
    """How a meeting stands there; null: the node does not know of it."""
    answer = node.client.get(f"/api/meetings/{meeting}")
    return answer.json() if answer.is_success else None
