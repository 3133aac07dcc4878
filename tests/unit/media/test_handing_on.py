"""A stream handed on to a media server over WHIP: here the server is another node's worker behind a real HTTP address."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from federation.errors import ZonghengError
from federation.trunk.hub import Hub
from federation.trunk.hubs import Hubs
from node.media.webrtc.handing_on import HandedOn, checked
from node.media.webrtc.limits import Admission, Limits
from node.media.webrtc.publishing import Publishers
from tests.unit.link.units import eventually
from tests.unit.media.watching import STREAM, Camera, watched


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            await eventually(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True


@asynccontextmanager
async def media_server(tokens: list[str]) -> AsyncIterator[tuple[str, Publishers, Hub]]:
    """A WHIP server, and the hub of what is published to it."""
    limits = Limits()
    async with asyncio.TaskGroup() as tasks:
        publishers = Publishers(tasks, ["127.0.0.1"], limits, Admission(limits))
        app = FastAPI()

        @app.post("/whip")
        async def whip(request: Request) -> Response:
            tokens.append(request.headers.get("authorization", ""))
            if not tokens[-1].endswith("right"):
                return Response(status_code=401)
            told = await publishers.publish("room", (await request.body()).decode())
            return Response(
                told.answer,
                status_code=201,
                media_type="application/sdp",
                headers={"Location": f"/s/{told.session}"},
            )

        @app.delete("/s/{session}")
        async def end(session: str) -> None:
            if (found := publishers.find(session)) is not None:
                found.end()

        async with Hubs.running(publishers.feed, time.monotonic_ns) as hubs, served(app) as url:
            hub = await hubs.open("room")
            try:
                yield f"{url}/whip", publishers, hub
            finally:
                for one in list(publishers.publications.values()):
                    one.end()


@asynccontextmanager
async def going_on(run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())  # type: ignore[arg-type]
        yield
        task.cancel()


async def test_a_stream_is_published_at_a_media_server_and_ended_there() -> None:
    tokens: list[str] = []
    async with media_server(tokens) as (url, publishers, hub), watched(Camera()) as viewers:
        handed = HandedOn(STREAM, url, "right", viewers)
        async with going_on(handed.run):
            await eventually(lambda: hub.frames > 60)
            assert handed.is_connected
            assert tokens == ["Bearer right"]
            assert {frame.codec for frame in hub.gop()} <= {"h264", "opus"}
        await eventually(lambda: not publishers.publications)


async def test_a_connection_that_is_lost_is_made_again() -> None:
    async with media_server([]) as (url, publishers, hub), watched(Camera()) as viewers:
        handed = HandedOn(STREAM, url, "right", viewers)
        async with going_on(handed.run):
            await eventually(lambda: hub.frames > 10)
            publishers.publications["room"].end()
            await eventually(lambda: not handed.is_connected)
            before = hub.frames
            await eventually(lambda: hub.frames > before + 20)


async def test_a_server_that_refuses_is_not_asked_again() -> None:
    tokens: list[str] = []
    async with media_server(tokens) as (url, _, _), watched(Camera()) as viewers:
        with pytest.raises(ZonghengError, match="answered 401"):
            await HandedOn(STREAM, url, "wrong", viewers).run()
        assert len(tokens) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "ftp://media.example/whip",
        "http://media.example/whip",
        "https://",
        "whip",
        "https://media.example:port/",
    ],
)
def test_what_is_no_address_of_a_media_server_is_refused(endpoint: str) -> None:
    with pytest.raises(ZonghengError) as told:
        checked(endpoint)
    assert told.value.code == "bad_request"
