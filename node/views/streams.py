"""Streams of a node and who looks at or through it: listed, put out, tried."""

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.camera_pb2 import Viewer

from federation.errors import ZonghengError, first_of
from federation.trunk.frame import VIDEO
from node.media.frames import frames
from node.media.viewing import Viewing
from node.people.caller import Caller
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node

LONGEST_S = 300.0


class ViewingLine(BaseModel):
    """Somebody who looks at this node or through it."""

    viewing: str
    """Its name at every node on the way."""
    stream: str
    who: str
    node: str
    """Where they sit."""
    tier: str
    roles: list[str]
    purpose: str
    since: str | None
    hop: int
    """How many nodes this one is from the camera's."""
    child: str
    """The child through which the camera is reached; empty: it is this node's, or reached through the node above."""
    from_above: bool


class StreamLine(BaseModel):
    """A stream that is open in this node's media worker."""

    stream: str
    state: str
    """``opening``, ``live``, ``lost``."""
    code: str
    """Why it is lost."""
    detail: str


class ShowingLine(BaseModel):
    """A process for viewers."""

    runs: bool
    starts: int
    """How often it was started since the node was."""
    watching: int
    """How many watch through it."""


class StreamsView(BaseModel):
    """What the media worker has open."""

    worker: bool
    """It runs."""
    starts: int
    """How often it was started since the node was."""
    port: int | None
    """Where children's workers dial in; null while none runs."""
    showing: list[ShowingLine]
    """The processes for viewers beside it."""
    streams: list[StreamLine]


class PutOut(BaseModel):
    """Why somebody is put out."""

    model_config = ConfigDict(extra="forbid")

    reason: str = ""
    by: str = ""


class Trial(BaseModel):
    """A stream to try."""

    model_config = ConfigDict(extra="forbid")

    stream: str
    seconds: float = Field(5.0, gt=0, le=LONGEST_S)
    purpose: str = ""


class Tried(BaseModel):
    """What came of a stream."""

    stream: str
    viewing: str
    allowed_ms: float
    """Until every node on the way had said that the viewer may look."""
    first_frame_ms: float | None
    """From the question until the first picture; null: none came."""
    pictures: int
    keyframes: int
    bytes: int
    holes: int
    """Places where pictures are missing in the sequence."""
    longest_gap_ms: float
    """Longest time between two pictures."""
    delay_ms_p50: float | None
    """From the camera's node to here, half of the pictures faster; by the clocks of both, so only as true as these agree."""
    delay_ms_p99: float | None
    code: str
    """Why the stream ended before the time was up; empty: it did not."""
    detail: str


def viewer_of(node: "Node", caller: Caller, purpose: str) -> Viewer:
    """Who asks, as every node on the way is told."""
    return Viewer(
        who=caller.who,
        node=node.settings.node,
        tier=node.settings.kind,
        roles=sorted(caller.roles),
        agency=caller.agency,
        purpose=purpose,
    )


def viewings(node: "Node") -> list[ViewingLine]:
    """Who looks at this node or through it, the longest first."""
    return [_line(node, viewing) for viewing in node.media.viewings.now_looking]


async def put_out(node: "Node", caller: Caller, viewing: str, form: PutOut) -> ViewingLine:
    """Put a viewer out, wherever they sit. ZonghengError `not_found`."""
    by = caller.signing(form.by) or caller.who
    return _line(node, await node.media.viewings.remove(viewing, by, form.reason))


def streams(node: "Node") -> StreamsView:
    """What the media worker has open."""
    worker = node.media.supervisor.now
    return StreamsView(
        worker=worker is not None,
        starts=node.media.supervisor.starts,
        port=None if worker is None else worker.port,
        showing=[
            ShowingLine(runs=one.now is not None, starts=one.starts, watching=watching)
            for one, watching in zip(node.media.showing, node.webrtc.watching, strict=True)
        ],
        streams=[
            StreamLine(stream=state.stream, state=state.state, code=state.code, detail=state.words)
            for _, state in sorted(node.media.streams.states.items())
        ],
    )


async def try_stream(node: "Node", caller: Caller, form: Trial) -> Tried:
    """Look at a stream for some seconds, as a viewer would. ZonghengError where it may not be looked at."""
    began = time.monotonic()
    ended: asyncio.Future[ZonghengError] = asyncio.get_running_loop().create_future()

    def removed(error: ZonghengError) -> None:
        if not ended.done():
            ended.set_result(error)

    async with node.media.watching(viewer_of(node, caller, form.purpose), form.stream, removed) as viewing:
        course = _Course(began, allowed_ms=_ms(began))
        error: ZonghengError | None = None
        try:
            async with asyncio.timeout(form.seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(_follow(node, form.stream, course))
                raise await ended
        except* (ZonghengError, TimeoutError) as over:
            first = first_of(over)
            error = first if isinstance(first, ZonghengError) else None
    return course.summed(form.stream, viewing.id, error)


class _Course:
    """What came, and when."""

    def __init__(self, began: float, allowed_ms: float) -> None:
        self.began = began
        self.allowed_ms = allowed_ms
        self.first_ms: float | None = None
        self.pictures = self.keyframes = self.bytes = self.holes = 0
        self.gap_s = 0.0
        self.delays: list[float] = []
        self.last_seq: int | None = None
        self.last_at = 0.0

    def summed(self, stream: str, viewing: str, error: ZonghengError | None) -> Tried:
        delays = sorted(self.delays)
        return Tried(
            stream=stream,
            viewing=viewing,
            allowed_ms=round(self.allowed_ms, 1),
            first_frame_ms=self.first_ms and round(self.first_ms, 1),
            pictures=self.pictures,
            keyframes=self.keyframes,
            bytes=self.bytes,
            holes=self.holes,
            longest_gap_ms=round(self.gap_s * 1_000, 1),
            delay_ms_p50=_quantile(delays, 0.5),
            delay_ms_p99=_quantile(delays, 0.99),
            code="" if error is None else error.code,
            detail="" if error is None else error.detail,
        )


async def _follow(node: "Node", stream: str, course: _Course) -> None:
    """Count what comes, also from the next worker where one died."""
    while True:
        worker = await node.media.supervisor.worker()
        joined_ns = time.time_ns()
        try:
            async with aclosing(frames(worker.channel, stream)) as coming:
                async for frame in coming:
                    if frame.track != VIDEO:
                        continue
                    now = time.monotonic()
                    if course.first_ms is None:
                        course.first_ms = (now - course.began) * 1_000
                    else:
                        course.gap_s = max(course.gap_s, now - course.last_at)
                    course.last_at = now
                    if course.last_seq is not None and frame.seq != course.last_seq + 1:
                        course.holes += 1
                    course.last_seq = frame.seq
                    course.pictures += 1
                    course.keyframes += frame.keyframe
                    course.bytes += len(frame.unit)
                    if (
                        frame.captured_ns >= joined_ns
                    ):  # what is given again at the beginning is old by nature
                        course.delays.append((time.time_ns() - frame.captured_ns) / 1_000_000)
        except ZonghengError as error:
            if error.code not in ("unreachable", "internal"):
                raise
        await asyncio.sleep(0.2)


def _line(node: "Node", viewing: Viewing) -> ViewingLine:
    viewer = viewing.viewer
    return ViewingLine(
        viewing=viewing.id,
        stream=str(viewing.stream),
        who=viewer.who,
        node=viewer.node,
        tier=viewer.tier,
        roles=list(viewer.roles),
        purpose=viewer.purpose,
        since=time_text(viewing.since_us, node.settings.zone),
        hop=viewing.hop,
        child=viewing.way or "",
        from_above=viewing.from_above,
    )


def _ms(began: float) -> float:
    return (time.monotonic() - began) * 1_000


def _quantile(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None
