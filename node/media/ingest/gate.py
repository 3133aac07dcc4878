"""Between FFmpeg and a camera: one connection on loopback that FFmpeg takes for the camera, and the real one behind it.

So the password is the camera's alone (FFmpeg does not hear of it), and what the camera says is bounded before FFmpeg has it (`rtsp`): a redirect to another host, a
description of two gigabytes, a picture without an end are refused with words. The first request has to name a secret, so that no other program of this
machine watches through an open gate.
"""

import asyncio
import contextlib
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from federation.errors import ZonghengError, first_of, of
from node.media.ingest.normalise import Rate
from node.media.ingest.rtsp import Login, Message, Parser
from node.media.ingest.source import OPEN_S, Source, failure

_Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CHUNK: Final = 64 << 10
_AS_IT_IS: Final = "/?%:@!$&'()*+,;=~[]#"
_PORTS: Final = {"rtsp": 554, "rtsps": 322}


class Gate:
    """One connection to one camera. Make it with `opened`."""

    def __init__(self, source: Source, camera: _Way) -> None:
        self._from_camera, self._to_camera = camera
        self._source = source
        self._secret = secrets.token_urlsafe(24)
        self._own = ""
        self._login = Login(source.user, source.password) if source.user else None
        self._last: tuple[str, str, bytes] | None = None
        """The newest request: method, address, and the rest of it."""
        self._answered = False
        self._rate = Rate()
        self.error: ZonghengError | None = None
        """Why it was shut."""
        self.place = ""
        """What FFmpeg opens."""

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, source: Source) -> AsyncIterator["Gate"]:
        """A gate before a camera, for one who comes through. Raises ZonghengError where the camera cannot be reached."""
        gate = cls(source, await _reached(source))
        came: asyncio.Future[_Way] = asyncio.get_running_loop().create_future()

        def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if came.done():
                writer.close()
            else:
                came.set_result((reader, writer))

        try:
            server = await asyncio.start_server(arrived, "127.0.0.1", 0, limit=_CHUNK)
        except OSError as error:
            gate._to_camera.close()
            raise failure(error, source) from error
        parts = urlsplit(source.address)
        gate._own = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/{gate._secret}"
        gate.place = gate._own + quote(urlunsplit(("", "", parts.path, parts.query, "")), safe=_AS_IT_IS)
        async with asyncio.TaskGroup() as tasks:
            passing = tasks.create_task(gate._pass(came))
            try:
                yield gate
            finally:
                server.close()
                passing.cancel()

    async def _pass(self, came: "asyncio.Future[_Way]") -> None:
        """Between who comes first and the camera, until one of them ends."""
        writer = self._to_camera
        try:
            reader, writer = await came
            async with asyncio.TaskGroup() as tasks:
                asking = tasks.create_task(self._up(reader))
                await self._down(writer)
                asking.cancel()
        except* ZonghengError as shut:
            self.error = of(first_of(shut))
        except* OSError:
            pass  # one of both is gone: FFmpeg says what that means
        finally:
            for each in (writer, self._to_camera):
                each.close()

    async def _up(self, reader: asyncio.StreamReader) -> None:
        """What FFmpeg asks, in the camera's own words."""
        parser = Parser()
        while content := await reader.read(_CHUNK):
            for part in parser.feed(content):
                if isinstance(part, bytes):
                    self._to_camera.write(part)
                elif part.status:
                    self._to_camera.write(part.content)
                else:
                    self._ask(part)
            await self._to_camera.drain()
        raise ConnectionResetError

    def _ask(self, request: Message) -> None:
        line, _, rest = request.content.partition(b"\r\n")
        method, address, version = line.decode("latin-1").split(" ", 2)
        if self._last is None and not address.startswith(self._own):
            raise ConnectionAbortedError("somebody else came to the gate")
        if address.startswith(self._own):
            parts = urlsplit(self._source.address)
            address = f"{parts.scheme}://{parts.netloc}{address.removeprefix(self._own)}"
        self._last = method, address, f" {version}\r\n".encode("latin-1") + rest
        self._answered = False
        self._send()

    def _send(self) -> None:
        assert self._last is not None
        method, address, rest = self._last
        version, _, headers = rest.partition(b"\r\n")
        login = self._login.header(method, address) if self._login else ""
        self._to_camera.write(
            f"{method} {address}".encode("latin-1", "replace") + version + b"\r\n" + login.encode() + headers
        )

    async def _down(self, writer: asyncio.StreamWriter) -> None:
        """What the camera answers and sends, until it ends."""
        parser = Parser()
        while content := await self._from_camera.read(_CHUNK):
            self._rate.count(len(content), time.time_ns())
            for part in parser.feed(content):
                if isinstance(part, bytes):
                    writer.write(part)
                elif self._is_for_ffmpeg(part):
                    writer.write(part.content)
            await writer.drain()

    def _is_for_ffmpeg(self, message: Message) -> bool:
        status = message.status
        if 300 <= status < 400 or message.head.startswith(b"REDIRECT "):
            raise ZonghengError(
                "unreadable",
                f"{self._source.address} sends on to another address, which is not followed: register the camera by that address, if it is right",
            )
        if status == 401 and self._login is not None and not self._answered and self._last is not None:
            self._answered = True
            if self._login.challenged(message):
                self._send()
                return False
        return True


async def _reached(source: Source) -> _Way:
    parts = urlsplit(source.address)
    tls = None
    if parts.scheme == "rtsps":
        # Cameras sign their own certificates.
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(OPEN_S):
            return await asyncio.open_connection(
                parts.hostname, parts.port or _PORTS[parts.scheme], ssl=tls, limit=_CHUNK
            )
    except (OSError, ValueError) as error:
        raise failure(error, source) from error
