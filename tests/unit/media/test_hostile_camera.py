"""Cameras that are made to hurt the node that reads them: each is refused with words, soon, and takes no memory with it."""

import asyncio
import contextlib
import hashlib
import os
import re
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ZonghengError
from node.media.ingest.gate import Gate
from node.media.ingest.normalise import Numbered
from node.media.ingest.reading import read
from node.media.ingest.rtsp import MOST_BODY, Login, Message, Parser
from node.media.ingest.source import Source

Camera = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n"


@asynccontextmanager
async def camera(behaves: Camera) -> AsyncIterator[str]:
    """A camera that does as it likes with each connection; its address."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaves(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the node had enough
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/main"
    finally:
        server.close()


async def refusal(behaves: Camera, user: str = "") -> ZonghengError:
    """With which error reading it ends."""
    async with camera(behaves) as address:
        with pytest.raises(ZonghengError) as told:
            async with asyncio.timeout(120):
                await read(Source(address, user, "word" if user else ""), Numbered(), lambda frame: None)
    return told.value


async def request(reader: asyncio.StreamReader) -> tuple[str, str]:
    """The next request's method, and its number."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    return head.split(" ")[0], re.search(r"(?i)cseq: *(\d+)", head).group(1)  # type: ignore[union-attr]


def answer(number: str, *headers: str, status: str = "200 OK", body: str = "") -> bytes:
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"RTSP/1.0 {status}", f"CSeq: {number}", *headers, *length, "", body]).encode()


def describing(described: Callable[[asyncio.StreamWriter, str], Awaitable[None]]) -> Camera:
    """One that is like others until it is asked for its description."""

    async def behaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            method, number = await request(reader)
            if method == "DESCRIBE":
                await described(writer, number)
            else:
                writer.write(answer(number, "Public: DESCRIBE, SETUP, PLAY"))
            await writer.drain()

    return behaves


def playing(packets: Iterator[bytes], at_once: int = 50) -> Camera:
    """One that is like others until it plays."""

    async def behaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            method, number = await request(reader)
            if method == "DESCRIBE":
                writer.write(answer(number, "Content-Type: application/sdp", body=SDP))
            elif method == "SETUP":
                writer.write(answer(number, "Session: 1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"))
            else:
                writer.write(answer(number, "Session: 1"))
            if method == "PLAY":
                while True:
                    for _ in range(at_once):
                        packet = next(packets)
                        writer.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
                    await writer.drain()
            await writer.drain()

    return behaves


def rtp(payload: Callable[[int], bytes], step: int = 3_600) -> Iterator[bytes]:
    for seq in range(1_000_000):
        yield (
            b"\x80\x60" + (seq & 0xFFFF).to_bytes(2, "big") + (seq * step & 0xFFFFFFFF).to_bytes(4, "big")
            + b"\0\0\0\1" + payload(seq)
        )  # fmt: skip


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "305 Use Proxy"])
@pytest.mark.parametrize("user", ["", "viewer"])
async def test_a_camera_that_sends_on_to_another_host_is_not_followed(status: str, user: str) -> None:
    visited: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visited.append(await reader.read(100))

    async with camera(elsewhere) as other:

        async def sends_on(writer: asyncio.StreamWriter, number: str) -> None:
            writer.write(answer(number, f"Location: {other}", status=status))

        told = await refusal(describing(sends_on), user)
    assert (told.code, "not followed" in told.detail, visited) == ("unreadable", True, [])


async def test_a_description_of_two_gigabytes_is_refused_before_memory_is_taken_for_it() -> None:
    async def describes(writer: asyncio.StreamWriter, number: str) -> None:
        head = f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nContent-Type: application/sdp\r\nContent-Length: 2000000000\r\n\r\n"
        writer.write(head.encode())
        while True:
            writer.write(b"a=x:" + b"y" * 60_000 + b"\r\n")
            await writer.drain()

    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (await refusal(describing(describes))).code == "unreadable"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 400_000


async def test_a_description_of_a_thousand_streams_is_refused() -> None:
    async def describes(writer: asyncio.StreamWriter, number: str) -> None:
        body = SDP + "m=video 0 RTP/AVP 96\r\na=control:t\r\n" * 1_000
        writer.write(answer(number, "Content-Type: application/sdp", body=body))

    told = await refusal(describing(describes))
    assert (told.code, "streams" in told.detail) == ("unreadable", True)


async def test_headers_without_an_end_are_left() -> None:
    async def describes(writer: asyncio.StreamWriter, number: str) -> None:
        writer.write(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n".encode())
        while True:
            writer.write(b"X: " + b"a" * 1_000 + b"\r\n")
            await writer.drain()

    assert (await refusal(describing(describes))).code == "unreadable"


async def test_what_is_no_rtsp_at_all_is_left() -> None:
    async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(os.urandom(16_384))
            await writer.drain()

    assert (await refusal(noise)).code in ("unreadable", "too_large", "camera_lost")


async def test_an_answer_of_a_byte_now_and_then_is_left() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"R")
            await writer.drain()
            await asyncio.sleep(0.2)

    assert (await refusal(slow)).code in ("unreadable", "camera_lost")


async def test_a_picture_without_an_end_is_refused_by_its_size() -> None:
    def part(seq: int) -> bytes:
        return b"\x7c" + (b"\x85" if seq == 0 else b"\x05") + b"\xaa" * 1_300

    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (await refusal(playing(rtp(part, step=0)))).code == "too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 400_000


async def test_pictures_of_noise_end_with_a_code_of_the_catalogue() -> None:
    told = await refusal(playing(rtp(lambda seq: os.urandom(1_300))))
    assert told.code in ("unreadable", "b_frames", "too_large", "camera_lost", "codec_unsupported")


async def test_nobody_without_the_secret_comes_through_a_gate() -> None:
    heard: list[bytes] = []

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while content := await reader.read(1_000):
            heard.append(content)

    async with camera(listens) as address, Gate.opened(Source(address, "viewer", "word")) as gate:
        port = int(gate.place.split("/")[2].split(":")[1])
        assert "word" not in gate.place
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"DESCRIBE rtsp://127.0.0.1:{port}/main RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
        async with asyncio.timeout(60):
            assert await reader.read() == b""
        writer.close()
    assert heard == []


frames = st.binary(max_size=300).map(lambda content: b"$\0" + len(content).to_bytes(2, "big") + content)
messages = st.builds(
    lambda status, body: answer("1", f"Content-Length: {len(body)}", status=f"{status} x") + body,
    st.sampled_from([200, 401, 404]),
    st.binary(max_size=300),
)


@given(st.lists(frames | messages, max_size=8), st.data())
def test_however_it_is_cut_frames_and_messages_come_out_as_they_went_in(
    parts: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    parser, given_back = Parser(), b""
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        for part in parser.feed(whole[begin:end]):
            given_back += part.content if isinstance(part, Message) else part
    assert given_back == whole


@given(st.binary(max_size=2_000))
def test_whatever_comes_the_parser_ends_and_keeps_little(content: bytes) -> None:
    passed = 0
    with contextlib.suppress(ZonghengError):
        for part in Parser().feed(content):
            passed += len(part.content if isinstance(part, Message) else part)
    assert passed <= len(content)


def test_a_description_that_is_too_long_is_refused_by_its_header_alone() -> None:
    with pytest.raises(ZonghengError):
        list(Parser().feed(b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY + 1)))


def test_a_few_bytes_between_frames_are_left_out() -> None:
    frame = b"$\0\0\x02ab"
    assert (
        b"".join(part for part in Parser().feed(frame + b"\0\xff" + frame) if isinstance(part, bytes))
        == frame * 2
    )


def told(challenge: str) -> Message:
    return Message(f"RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n\r\n".encode(), b"")


def test_the_digest_is_that_of_the_standard() -> None:
    """RFC 7616, 3.9.1, with what is random there put in from what we chose."""
    login = Login("Mufasa", "Circle of Life")
    assert login.challenged(
        told(
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf", opaque="FQhe"'
        )
    )
    header = login.header("GET", "/dir/index.html")
    parts = dict(re.findall(r'(\w+)="?([^",\r]+)"?', header))
    who = hashlib.sha256(b"Mufasa:http-auth@example.org:Circle of Life").hexdigest()
    what = hashlib.sha256(b"GET:/dir/index.html").hexdigest()
    wanted = hashlib.sha256(f"{who}:7ypf:00000001:{parts['cnonce']}:auth:{what}".encode()).hexdigest()
    assert (parts["response"], parts["opaque"], parts["algorithm"]) == (wanted, "FQhe", "SHA-256")
    assert "Circle of Life" not in header


def test_an_old_digest_and_basic_are_answered_and_digest_before_basic() -> None:
    login = Login("viewer", "word")
    assert login.header("DESCRIBE", "rtsp://h/") == ""
    both = Message(
        b'RTSP/1.0 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n\r\n',
        b"",
    )
    assert login.challenged(both)
    header = login.header("DESCRIBE", "rtsp://h/")
    who, what = (hashlib.md5(text).hexdigest() for text in (b"viewer:r:word", b"DESCRIBE:rtsp://h/"))
    assert hashlib.md5(f"{who}:n:{what}".encode()).hexdigest() in header
    assert login.challenged(told('Basic realm="r"'))
    assert login.header("DESCRIBE", "rtsp://h/").startswith("Authorization: Basic ")
    assert not Login("viewer", "word").challenged(told('Digest realm="r", nonce="n", algorithm=NONE'))
