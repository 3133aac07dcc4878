"""WHEP and WHIP over HTTP, from the request to the worker and back: what a player of another make relies on."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import httpx
import pytest
from aiortc import RTCSessionDescription
from zongheng.v1.webrtc_pb2_grpc import add_WebRtcServiceServicer_to_server

from federation.errors import ZonghengError
from federation.trunk.hubs import Hubs
from node.media.handed_on import HandedOn
from node.media.ingest.source import Mask
from node.media.webrtc.desk import Shown, WebRtcDesk
from node.media.webrtc.limits import Limits
from node.media.webrtc.service import WebRtc
from node.people.caller import Caller
from node.web.guard import CSRF_HEADER
from tests.unit.link.units import eventually
from tests.unit.media.test_publishing import Publisher, moving
from tests.unit.media.watching import STREAM, Camera, Player
from tests.unit.people.conftest import PASSWORD, House, Visitor, house

__all__ = ["house"]

WHEP, WHIP = f"/api/whep/{STREAM}", "/api/whip/330106/phone/main"
SDP = {"Content-Type": "application/sdp"}


@dataclass
class Cameras:
    """Who may look, kept in memory."""

    forbidden: set[str] = field(default_factory=set)
    viewings: dict[str, tuple[str, str]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    removing: dict[str, Callable[[ZonghengError], None]] = field(default_factory=dict)

    async def opened(
        self, caller: Caller, stream: str, purpose: str, removed: Callable[[ZonghengError], None]
    ) -> str:
        if caller.who in self.forbidden:
            raise ZonghengError("forbidden", f"{stream} is not for {caller.who}")
        viewing = f"v{len(self.viewings)}"
        self.viewings[viewing] = (caller.who, stream)
        self.removing[viewing] = removed
        return viewing

    async def closed(self, viewing: str, error: ZonghengError | None) -> None:
        self.reasons.append(error.code if error else "")

    async def shown(self, caller: Caller, stream: str) -> Shown:
        return Shown(stream, "大厅 <一>", "办事大厅", (Mask(0.1, 0.2, 0.3, 0.25),))

    async def may_publish(self, caller: Caller, stream: str) -> None:
        if stream == STREAM:
            raise ZonghengError("bad_request", f"{stream} is a camera of its own")


@dataclass
class Video:
    """A node whose media worker runs in the same process."""

    house: House
    cameras: Cameras
    worker: WebRtc
    server: grpc.aio.Server

    async def supervisor(self, number: str = "J001") -> Visitor:
        return await self.house.inside(number, "supervisor")


@asynccontextmanager
async def _worker(folder: Path, limits: Limits) -> AsyncIterator[tuple[WebRtc, grpc.aio.Server]]:
    async with WebRtc.running(["127.0.0.1"], limits) as webrtc:
        camera = Camera()

        async def source(hub: object) -> None:
            feed = camera.feed if hub.stream == STREAM else webrtc.publishers.feed  # type: ignore[attr-defined]
            await feed(hub)  # type: ignore[arg-type]

        async with Hubs.running(source, time.monotonic_ns) as hubs:
            webrtc.serve(hubs)
            server = grpc.aio.server()
            add_WebRtcServiceServicer_to_server(webrtc, server)
            server.add_insecure_port(f"unix:{folder}/media.sock")
            await server.start()
            try:
                yield webrtc, server
            finally:
                webrtc.end_all()
                await server.stop(None)


@pytest.fixture
async def video(house: House, tmp_path: Path) -> AsyncIterator[Video]:
    async with AsyncExitStack() as stack:
        webrtc, server = await stack.enter_async_context(_worker(tmp_path, Limits(connect_s=60, lag_s=60)))
        channel = await stack.enter_async_context(
            grpc.aio.insecure_channel(f"unix:{tmp_path}/media.sock", [("grpc.use_local_subchannel_pool", 1)])
        )

        async def reached() -> grpc.aio.Channel:
            return channel

        cameras = Cameras()
        house.node.webrtc = WebRtcDesk(reached, cameras)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        house.node.handed_on = HandedOn(house.node.webrtc, house.node.store, house.node.vault, house.node.now)
        running = [tasks.create_task(work()) for work in (house.node.webrtc.run, house.node.handed_on.run)]
        yield Video(house, cameras, webrtc, server)
        for task in running:
            task.cancel()


async def _offer(visitor: Visitor, path: str, offer: str, **headers: str) -> httpx.Response:
    return await visitor.client.post(
        path, content=offer, headers={**SDP, CSRF_HEADER: visitor.csrf, **headers}
    )


async def test_a_player_gets_its_answer_its_session_and_pictures(video: Video) -> None:
    visitor, player = await video.supervisor(), Player("audio", "video")
    told = await _offer(visitor, WHEP, await player.offer())
    assert told.status_code == 201, told.text
    assert told.headers["content-type"] == "application/sdp"
    assert told.headers["location"].startswith("/api/webrtc-sessions/")
    assert re.fullmatch(r'"[^"]+"', told.headers["etag"])
    await player.connection.setRemoteDescription(RTCSessionDescription(told.text, "answer"))
    assert len(await player.shown(10)) == 10
    assert video.cameras.viewings == {"v0": ("J001", STREAM)}
    ended = await visitor.client.delete(told.headers["location"], headers={CSRF_HEADER: visitor.csrf})
    assert ended.status_code == 200
    await eventually(lambda: not video.worker.sessions())
    assert video.cameras.reasons == [""]
    again = await visitor.client.delete(told.headers["location"], headers={CSRF_HEADER: visitor.csrf})
    assert again.status_code == 404
    await player.close()


async def test_who_goes_without_a_word_is_noted_as_gone(video: Video) -> None:
    visitor, player = await video.supervisor(), Player()
    told = await _offer(visitor, WHEP, await player.offer())
    await player.connection.setRemoteDescription(RTCSessionDescription(told.text, "answer"))
    await player.shown(1)
    await player.close()
    await eventually(lambda: video.cameras.reasons == ["unreachable"])


async def test_who_is_put_out_sees_nothing_more(video: Video) -> None:
    visitor, player = await video.supervisor(), Player()
    told = await _offer(visitor, WHEP, await player.offer())
    await player.connection.setRemoteDescription(RTCSessionDescription(told.text, "answer"))
    await player.shown(1)
    video.cameras.removing["v0"](ZonghengError("forbidden", "the hall is closed"))
    await eventually(lambda: not video.worker.sessions())
    await eventually(lambda: video.cameras.reasons == ["forbidden"])
    await player.close()


async def test_a_session_is_its_owners_alone(video: Video) -> None:
    visitor, other, player = await video.supervisor(), await video.supervisor("J002"), Player()
    told = await _offer(visitor, WHEP, await player.offer())
    foreign = await other.client.delete(told.headers["location"], headers={CSRF_HEADER: other.csrf})
    assert foreign.status_code == 404
    assert len(video.worker.sessions()) == 1
    await player.close()


async def test_what_keeps_somebody_from_watching_is_said(video: Video) -> None:
    visitor, reviewer, player = (
        await video.supervisor(),
        await video.house.inside("F001", "legal_reviewer"),
        Player(),
    )
    offer = await player.offer()
    video.cameras.forbidden.add("J001")
    assert (await _offer(visitor, WHEP, offer)).status_code == 403
    assert (await _offer(reviewer, WHEP, offer)).status_code == 403
    assert (await _offer(video.house.visitor(), WHEP, offer)).status_code == 401
    assert not video.worker.sessions()
    await player.close()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("v=0\r\n" * 1_100_000, "application/sdp", 413),
        ("v=0\r\n" + "a=x\r\n" * 20_000, "application/sdp", 413),
        ("hello", "application/sdp", 400),
        ("", "application/sdp", 400),
        ("v=0\r\n", "text/plain", 400),
    ],
)
async def test_what_is_no_offer_is_refused_and_the_viewing_is_over(
    video: Video, body: str, kind: str, status: int
) -> None:
    visitor = await video.supervisor()
    told = await _offer(visitor, WHEP, body, **{"Content-Type": kind})
    assert told.status_code == status, told.text
    assert len(video.cameras.reasons) == len(video.cameras.viewings)
    assert not video.worker.sessions()


async def test_a_player_that_sends_instead_of_receiving_is_told_so(video: Video) -> None:
    visitor, player = await video.supervisor(), Player()
    offer = await player.offer()
    for way in ("a=sendonly", "a=inactive"):
        told = await _offer(visitor, WHEP, offer.replace("a=recvonly", way))
        assert (told.status_code, told.json()["code"]) == (400, "bad_request")
    told = await _offer(visitor, WHIP, offer)
    assert (told.status_code, told.json()["code"]) == (400, "bad_request")
    assert not video.worker.sessions()
    await player.close()


async def test_a_stream_that_nobody_publishes_is_to_be_asked_for_again(
    video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.media.webrtc.viewing.FIRST_PICTURE_S", 0.2)
    visitor, player = await video.supervisor(), Player()
    told = await _offer(visitor, "/api/whep/330106/phone/main", await player.offer())
    assert (told.status_code, told.headers["retry-after"]) == (409, "2")
    assert "nobody publishes" in told.json()["detail"]
    assert video.cameras.reasons == ["unreachable"]
    await player.close()


async def test_beyond_what_the_worker_serves_it_says_when_to_ask_again(video: Video) -> None:
    visitor, player = await video.supervisor(), Player()
    video.worker.admission.inside = 10_000
    told = await _offer(visitor, WHEP, await player.offer())
    assert (told.status_code, told.json()["code"], told.headers["retry-after"]) == (503, "at_capacity", "10")
    video.worker.admission.inside = 0
    await player.close()


async def test_further_addresses_are_taken_for_the_offer_they_belong_to(video: Video) -> None:
    visitor, player = await video.supervisor(), Player()
    offer = await player.offer()
    told = await _offer(visitor, WHEP, re.sub(r"a=candidate:.*\r\n", "", offer))
    [line] = re.findall(r"a=candidate:.*", offer)[:1]
    ufrag = re.findall(r"a=ice-ufrag:(\S+)", offer)[0]
    fragment = f"a=ice-ufrag:{ufrag}\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n{line}\r\n"
    kind = {"Content-Type": "application/trickle-ice-sdpfrag", CSRF_HEADER: visitor.csrf}
    session, etag = told.headers["location"], told.headers["etag"]

    async def patch(text: str, **headers: str) -> int:
        return (await visitor.client.patch(session, content=text, headers={**kind, **headers})).status_code

    assert await patch(fragment) == 428
    assert await patch(fragment, **{"If-Match": '"another"'}) == 412
    assert await patch(fragment, **{"If-Match": "*"}) == 422
    assert await patch(fragment, **{"If-Match": etag}) == 204
    assert await patch(fragment.replace(ufrag, "zzzz"), **{"If-Match": etag}) == 422
    assert (await visitor.get(session)).status_code == 204
    assert await patch("a=mid:0\r\na=candidate:nonsense\r\n", **{"If-Match": etag}) == 204
    await player.connection.setRemoteDescription(RTCSessionDescription(told.text, "answer"))
    assert await player.shown(1)
    await player.close()


async def test_a_player_on_a_page_of_another_site_comes_with_a_token_and_not_with_a_session(
    video: Video,
) -> None:
    visitor, player = await video.supervisor(), Player()
    made = await visitor.post("/api/users/J001/tokens", {"label": "player", "days": 1})
    assert made.status_code == 201, made.text
    token = made.json()["secret"]
    stranger = video.house.visitor("10.4.4.4")
    asked = await stranger.client.options(WHEP, headers={"Origin": "https://wall.example"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, "*")
    assert asked.headers["accept-post"] == "application/sdp"
    shown = await stranger.client.get(WHEP)
    assert (shown.status_code, shown.content) == (204, b"")
    unasked = await stranger.client.put(WHEP)
    assert (unasked.status_code, unasked.json()["code"]) == (405, "bad_request")
    assert "allow" in unasked.headers
    offer = await player.offer()
    foreign = {"Origin": "https://wall.example", "Sec-Fetch-Site": "cross-site"}
    told = await stranger.client.post(
        WHEP, content=offer, headers={**SDP, **foreign, "Authorization": f"Bearer {token}"}
    )
    assert told.status_code == 201, told.text
    assert "Location" in told.headers["access-control-expose-headers"]
    # What is refused can be read there too.
    nobody = await stranger.client.post(
        WHEP, content=offer, headers={**SDP, **foreign, "Authorization": "Bearer no"}
    )
    assert (nobody.status_code, nobody.headers["access-control-allow-origin"]) == (401, "*")
    assert nobody.headers["content-type"] == "application/problem+json"
    refused = await _offer(visitor, WHEP, offer, **foreign)
    assert refused.status_code == 403
    await player.close()


async def test_what_a_phone_publishes_is_watched(video: Video) -> None:
    visitor = await video.supervisor()
    publisher, player = Publisher(moving()), Player()
    told = await _offer(visitor, WHIP, await publisher.offer())
    assert told.status_code == 201, told.text
    await publisher.connection.setRemoteDescription(RTCSessionDescription(told.text, "answer"))
    watched = await _offer(visitor, "/api/whep/330106/phone/main", await player.offer())
    assert watched.status_code == 201, watched.text
    await player.connection.setRemoteDescription(RTCSessionDescription(watched.text, "answer"))
    assert len(await player.shown(10)) == 10
    assert (await _offer(visitor, f"/api/whip/{STREAM}", await publisher.offer())).status_code == 400
    for one in (publisher, player):
        await one.close()


async def test_a_stream_is_handed_on_by_the_operator_as_one_more_who_looks(video: Video) -> None:
    form = {"stream": STREAM, "endpoint": "http://127.0.0.1:9/whip", "token": "t"}
    begun = await video.house.owner.post("/api/webrtc-sessions", form)
    assert begun.status_code == 201, begun.text
    assert video.cameras.viewings == {"v0": ("operator", STREAM)}
    [told] = video.worker.sessions()
    assert (told.session, told.who) == (begun.json()["session"], form["endpoint"])
    [order] = (await video.house.owner.get("/api/handed-on")).json()
    assert order == begun.json()
    assert (order["stream"], order["endpoint"], order["code"]) == (STREAM, form["endpoint"], "")
    ended = await video.house.owner.delete(f"/api/handed-on/{order['order']}")
    assert ended.status_code == 200
    assert (await video.house.owner.get("/api/handed-on")).json() == []
    assert (await video.house.owner.delete(f"/api/handed-on/{order['order']}")).status_code == 404
    await eventually(lambda: not video.worker.sessions() and video.cameras.reasons == [""])
    refused = await video.house.owner.post(
        "/api/webrtc-sessions", {**form, "endpoint": "http://media.example/"}
    )
    assert (refused.status_code, video.cameras.reasons) == (400, ["", "bad_request"])


async def test_a_worker_that_dies_takes_its_sessions_with_it(video: Video) -> None:
    visitor, player = await video.supervisor(), Player()
    await _offer(visitor, WHEP, await player.offer())
    # Followed by now, or the end is seen by its absence.
    await video.server.stop(None)
    await eventually(lambda: video.cameras.reasons == ["unreachable"])
    await player.close()


async def test_the_page_shows_its_camera_whose_it_is_and_what_nobody_is_to_see(video: Video) -> None:
    visitor = await video.supervisor()
    page = await visitor.get(f"/watch/{STREAM}")
    assert page.status_code == 200
    assert "大厅 &lt;一&gt;" in page.text
    assert "left: 10.0%; top: 20.0%; width: 30.0%; height: 25.0%" in page.text
    [nonce] = set(re.findall(r'nonce="([^"]+)"', page.text))
    assert f"script-src 'nonce-{nonce}'" in page.headers["content-security-policy"]
    assert '"who": "J001"' in page.text
    assert "camera=()" in page.headers["permissions-policy"]
    stranger = await video.house.visitor().get(f"/watch/{STREAM}")
    assert (stranger.status_code, stranger.headers["location"]) == (303, f"/login?then=/watch/{STREAM}")


async def test_the_page_on_which_a_phone_publishes_may_ask_for_its_camera(video: Video) -> None:
    visitor = await video.supervisor()
    page = await visitor.get("/publish/330106/phone")
    assert page.status_code == 200
    assert f'"whip": "{WHIP}"' in page.text
    assert page.headers["permissions-policy"].startswith("camera=(self), microphone=(self)")
    of_its_own = await visitor.get(f"/publish/{STREAM.removesuffix('/main')}")
    assert (of_its_own.status_code, of_its_own.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("then", ["https://elsewhere.example/", "//elsewhere.example/watch/", "/api/me"])
async def test_who_logs_in_comes_to_a_page_of_this_node_alone(video: Video, then: str) -> None:
    await video.supervisor()
    visitor = video.house.visitor()
    form = await visitor.client.get("/login", params={"then": f"/watch/{STREAM}"})
    assert f'name="then" value="/watch/{STREAM}"' in form.text
    assert 'name="then"' not in (await visitor.client.get("/login", params={"then": then})).text
    for asked, location in ((f"/watch/{STREAM}", f"/watch/{STREAM}"), (then, "/")):
        came = await visitor.client.post(
            "/login", data={"number": "J001", "password": PASSWORD, "then": asked}
        )
        assert (came.status_code, came.headers["location"]) == (303, location)
