"""Devices that are made to hurt whoever asks them: nothing else is asked for them, and nothing grows."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ZonghengError
from node.media.onvif import answers, device, probing, soap
from node.media.onvif.device import Device
from tests.plugins.onvif import StartDevice

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

BOMB = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    f'<!ENTITY a{n} "{"&a" + (str(n - 1) if n else "") + ";"}{"&a" + (str(n - 1) if n else "") + ";"}">'.encode()
    for n in range(40)
) + b"]><b>&a39;</b>"  # fmt: skip

OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><b>&a;</b>'


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A device that does as it likes with each connection."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller had enough
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/onvif/device_service"
    finally:
        server.close()


async def asked(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))  # fmt: skip
    await reader.readexactly(length)


def saying(content: bytes, status: str = "200 OK", *more: str) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *more, "", ""))
        writer.write(head.encode() + content)
        await writer.drain()

    return serve


async def told_of(serve: Serve, user: str = "") -> ZonghengError:
    async with serving(serve) as address, Device(address, user, "word" if user else "") as asking:
        with pytest.raises(ZonghengError) as told:
            await asking.profiles()
    return told.value


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        OUTSIDE,
        BOMB.decode().encode("utf-16"),
        b"",
        b"no xml",
        b"<a/>",
        b"<Envelope><Body/></Envelope>",
        b"\xff\xfe\x00<",
        b"<a>" * 100_000,
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE b+AD4-<b/>',
    ],
)
async def test_an_answer_that_is_none_is_told_as_one(content: bytes) -> None:
    assert (await told_of(saying(content))).code == "camera_fault"


async def test_a_bomb_takes_no_memory_and_a_file_is_not_read() -> None:
    tracemalloc.start()
    try:
        for content in (BOMB, OUTSIDE):
            with pytest.raises(ZonghengError):
                soap.document(content)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


async def test_a_redirect_is_not_followed() -> None:
    visited = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visited.append(await reader.read(1))

    async with serving(elsewhere) as address:
        told = await told_of(saying(b"", "307 Temporary Redirect", f"Location: {address}"))
    assert (told.code, visited) == ("camera_fault", [])


async def test_a_compressed_answer_is_not_unfolded() -> None:
    content = gzip.compress(bytes(50_000_000))
    assert (await told_of(saying(content, "200 OK", "Content-Encoding: gzip"))).code == "camera_fault"


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
@pytest.mark.parametrize("user", ["", "viewer"])
async def test_an_answer_without_an_end_is_left(status: str, user: str) -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await asked(reader)
        challenge = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n'
        writer.write(f"HTTP/1.1 {status}\r\n{challenge}\r\n".encode())
        while True:
            writer.write(bytes(65_536))
            sent += 65_536
            await writer.drain()

    told = await told_of(endless, user)
    assert told.code in ("camera_fault", "camera_refused")
    assert sent < 30_000_000


async def test_a_device_that_answers_a_byte_at_a_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "EXCHANGE_S", 1.0)

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    assert (await told_of(slow)).code == "camera_lost"


async def test_a_device_with_many_streams_that_takes_its_time_for_each_is_left(
    onvif: StartDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "PROFILES_S", 1.0)
    camera = onvif("--slow", "0.6")
    async with Device(camera.address) as asking:
        with pytest.raises(ZonghengError) as told:
            await asking.profiles()
    assert (told.value.code, "what it offers" in told.value.detail) == ("camera_lost", True)


async def test_headers_without_an_end_are_left() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"A: " + b"a" * 10_000 + b"\r\n")
            await writer.drain()

    assert (await told_of(endless)).code == "camera_lost"


@pytest.mark.parametrize(
    "challenge", ['Digest realm="r", nonce="n", algorithm=NONE', "Digest", 'Basic realm="r"', "Digest qop=x"]
)
async def test_a_login_that_is_none_gets_no_password(challenge: str) -> None:
    heard = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            await reader.read(65_536)
            writer.write(
                f"HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: {challenge}\r\n\r\n".encode()
            )
            await writer.drain()

    told = await told_of(serve, "viewer")
    assert told.code in ("camera_fault", "camera_refused", "camera_lost")
    assert not any(b"word" in part or b"Basic" in part for part in heard)


@pytest.mark.parametrize("host", ["192.0.2.9", "localhost", "169.254.169.254", "[::1]"])
async def test_services_at_another_host_are_not_asked(onvif: StartDevice, host: str) -> None:
    camera = onvif("--names", host)
    async with Device(camera.address) as asking:
        with pytest.raises(ZonghengError) as told:
            await asking.profiles()
    assert (told.value.code, "another host" in told.value.detail) == ("camera_fault", True)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:8403/api/status",
        "rtsp://192.0.2.9/main",
        "rtsp:///main",
        "rtsp://127.0.0.1@192.0.2.9/main",
        "rtsp://127.0.0.1:99999/",
        "rtsp://127.0.0.1/" + "a" * 600,
        "concat:a|b",
    ],
)
async def test_streams_that_are_elsewhere_are_not_believed(onvif: StartDevice, address: str) -> None:
    camera = onvif("--main", f"h264:1280x720:{address}")
    async with Device(camera.address) as asking:
        with pytest.raises(ZonghengError) as told:
            await asking.profiles()
    assert told.value.code == "camera_fault"


async def test_a_login_in_a_streams_address_is_left_out(onvif: StartDevice) -> None:
    camera = onvif("--main", "h264:1280x720:rtsp://admin:12345@127.0.0.1:554/main?a=1&b=2")
    async with Device(camera.address) as asking:
        main, _ = await asking.profiles()
    assert main.address == "rtsp://127.0.0.1:554/main?a=1&b=2"


@given(st.binary(max_size=400))
def test_whatever_comes_instead_of_an_answer_is_refused_in_the_catalogues_words(content: bytes) -> None:
    with pytest.raises((ZonghengError, soap.Fault)):
        soap.answered(content)
    assert probing.read(content, "id", "192.0.2.7") is None


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=200),
    st.text("0123456789-x", max_size=9),
)
def test_names_and_numbers_of_a_device_are_cut_to_size(name: str, number: str) -> None:
    name = name.replace("&", "").replace("<", "")
    content = (
        f'<r><Profiles token="t"><Name>{name * 5}</Name><VideoEncoderConfiguration><Encoding>H264</Encoding>'
        f"<Resolution><Width>{number}</Width><Height>1</Height></Resolution></VideoEncoderConfiguration></Profiles></r>"
    )
    (profile,) = answers.profiles(soap.document(content.encode()))
    assert len(profile.name) <= 200
    assert profile.name.isprintable() or not profile.name
    assert 0 <= profile.width < 100_000


def test_a_prefix_that_is_declared_nowhere_is_a_mistake_and_no_attack() -> None:
    answer = soap.answered(
        b"<s:Envelope xmlns:s='s'><s:Body><p:GetPresetsResponse><p:Preset token='1'><t:Name>a</t:Name></p:Preset></p:GetPresetsResponse></s:Body></s:Envelope>"
    )
    assert answers.presets(answer) == [answers.Preset("1", "a")]
    with pytest.raises(ZonghengError):
        soap.answered(b"<p:Envelope><p:Body><p:a></p:b></p:Body></p:Envelope>")


def test_of_a_thousand_profiles_a_few_are_read() -> None:
    content = b"<r>" + b'<Profiles token="t"/>' * 1_000 + b"</r>"
    assert len(answers.profiles(soap.document(content))) == answers.MOST_PROFILES


def test_an_answer_to_another_probe_or_with_others_addresses_counts_for_nothing() -> None:
    def answer(relates: str, address: str) -> bytes:
        return (
            f"<e><RelatesTo>urn:uuid:{relates}</RelatesTo><ProbeMatch><XAddrs>{address}</XAddrs></ProbeMatch></e>"
        ).encode()

    ours = probing.read(answer("id", "http://192.0.2.7/onvif"), "id", "192.0.2.7")
    assert ours is not None
    assert ours.address == "http://192.0.2.7/onvif"
    assert probing.read(answer("other", "http://192.0.2.7/onvif"), "id", "192.0.2.7") is None
    elsewhere = probing.read(
        answer("id", "http://127.0.0.1:8403/ file:/a http://192.0.2.8/"), "id", "192.0.2.7"
    )
    assert elsewhere is not None
    assert elsewhere.address == ""
