"""One device, asked over HTTP: what it is, where its streams are, and to move.

The device is a machine of another make in a place that anybody walks through, so everything it can do to its caller is bounded: an exchange takes at most `EXCHANGE_S`, all that it takes to know its streams `PROFILES_S`, an answer has
at most `soap.LARGEST` bytes and is read as it comes (compressed ones are not), a redirect is not followed, and every address that it gives has to be at the
device itself: the host that it was asked under, or the address that this turned out to be. So no device makes the node ask, or read, anything
else: no file, no service of the node's own, no machine behind it.

The password never goes out: a request carries a digest of it by the device's own clock (WS-UsernameToken), and where the device asks for HTTP digest (RFC 7616), that as
well. HTTP basic is not answered. The certificate of a device that is asked over https is not checked: cameras sign their own.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape

import httpx

from federation.errors import ZonghengError
from node.media.onvif import answers, soap
from node.media.onvif.answers import Model, Preset, Profile
from node.media.onvif.soap import Element, Fault

EXCHANGE_S: Final = 8.0
PROFILES_S: Final = 30.0
"""Until all streams are known: one question for each."""

LONGEST_ADDRESS: Final = 500

_PLAYED: Final = ("h264", "h265")


def service_address(given: str) -> str:
    """The address of a device's service out of what a person gives: a host, host:port, or the address itself. ZonghengError `bad_request`."""
    address = given if "://" in given else f"http://{given}/onvif/device_service"
    try:
        parts = urlsplit(address)
        if parts.port == 0 or any(letter.isspace() for letter in address):
            raise ValueError("no port")
    except ValueError:
        raise ZonghengError("bad_request", f"{given[:200]!r} is no address of a device") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or len(address) > LONGEST_ADDRESS:
        raise ZonghengError("bad_request", f"{given[:200]!r}: give HOST, HOST:PORT or http://HOST/PATH")
    if parts.username or parts.password:
        raise ZonghengError("bad_request", "name and password do not belong in the address: give them apart")
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/onvif/device_service", parts.query, ""))


class Device:
    """A device; use it in ``async with``. Raises ZonghengError: `camera_lost` where nothing answers in time, `camera_refused` for name or password,
    `camera_fault` for an answer that is none, is not believed, or says no.
    """

    def __init__(
        self, address: str, user: str = "", password: str = "", now_s: Callable[[], float] = time.time
    ) -> None:
        """`now_s`: Unix time, where the device itself has none."""
        self.address = service_address(address)
        self._user = user
        self._password = password
        self._now_s = now_s
        self._digest = httpx.DigestAuth(user, password) if user else None
        self._hosts = {str(urlsplit(self.address).hostname).lower()}
        self._services: dict[str, str] | None = None
        self._ahead_s: float | None = None
        """The device's clock against this one; None: it was not asked yet."""
        self._zooms = False
        self._client = httpx.AsyncClient(
            timeout=EXCHANGE_S,
            trust_env=False,
            follow_redirects=False,
            verify=False,
            limits=httpx.Limits(max_connections=2, keepalive_expiry=5.0),
        )

    async def __aenter__(self) -> "Device":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def model(self) -> Model:
        """What it says that it is."""
        return answers.model(await self._ask(self.address, f'<GetDeviceInformation xmlns="{soap.DEVICE}"/>'))

    async def profiles(self) -> list[Profile]:
        """Its streams, those that can be played with their addresses, which are at this device."""
        try:
            async with asyncio.timeout(PROFILES_S):
                return await self._profiles()
        except TimeoutError:
            raise ZonghengError(
                "camera_lost",
                f"the device at {self._name} did not say within {PROFILES_S:.0f} s what it offers",
            ) from None

    async def _profiles(self) -> list[Profile]:
        services = await self._at()
        if soap.MEDIA2 in services:
            asked = "<Type>VideoEncoder</Type><Type>PTZ</Type>"
            answer = await self._ask(
                services[soap.MEDIA2], f'<GetProfiles xmlns="{soap.MEDIA2}">{asked}</GetProfiles>'
            )
        elif soap.MEDIA in services:
            answer = await self._ask(services[soap.MEDIA], f'<GetProfiles xmlns="{soap.MEDIA}"/>')
        else:
            raise ZonghengError("camera_fault", "the device has no media service: it gives no pictures")
        return [
            each.at(await self._stream(services, each.token)) if each.codec in _PLAYED else each
            for each in answers.profiles(answer)
        ]

    async def _stream(self, services: dict[str, str], profile: str) -> str:
        named = f"<ProfileToken>{escape(profile)}</ProfileToken>"
        if soap.MEDIA2 in services:
            request = f'<GetStreamUri xmlns="{soap.MEDIA2}"><Protocol>RTSP</Protocol>{named}</GetStreamUri>'
            answer = await self._ask(services[soap.MEDIA2], request)
        else:
            setup = (
                f'<StreamSetup><Stream xmlns="{soap.SCHEMA}">RTP-Unicast</Stream>'
                f'<Transport xmlns="{soap.SCHEMA}"><Protocol>RTSP</Protocol></Transport></StreamSetup>'
            )
            request = f'<GetStreamUri xmlns="{soap.MEDIA}">{setup}{named}</GetStreamUri>'
            answer = await self._ask(services[soap.MEDIA], request)
        return self._own(answers.stream_address(answer), ("rtsp", "rtsps"))

    # Turning (云台).

    async def moves(self, profile: str, pan: float, tilt: float, zoom: float, for_s: float) -> None:
        """Move until told otherwise, or for so many seconds: the device stops by itself then. Speeds are -1 to 1: right, up and in are positive."""
        zooms, self._zooms = self._zooms or zoom != 0, zoom != 0
        speed = f'<PanTilt xmlns="{soap.SCHEMA}" x="{pan:.3f}" y="{tilt:.3f}"/>'
        if zooms:  # a camera without zoom refuses it
            speed += f'<Zoom xmlns="{soap.SCHEMA}" x="{zoom:.3f}"/>'
        # In whole seconds: some devices read no fractions.
        await self._ptz(
            "ContinuousMove", profile, f"<Velocity>{speed}</Velocity><Timeout>PT{math.ceil(for_s)}S</Timeout>"
        )

    async def stops(self, profile: str) -> None:
        """Stop whatever moves."""
        self._zooms = False
        await self._ptz("Stop", profile, "<PanTilt>true</PanTilt><Zoom>true</Zoom>")

    async def presets(self, profile: str) -> list[Preset]:
        """The positions that it keeps."""
        return answers.presets(await self._ptz("GetPresets", profile))

    async def goes_to(self, profile: str, preset: str) -> None:
        """Go to a position, by its token."""
        await self._ptz("GotoPreset", profile, f"<PresetToken>{escape(preset)}</PresetToken>")

    async def _ptz(self, request: str, profile: str, rest: str = "") -> Element:
        services = await self._at()
        if soap.PTZ not in services:
            raise ZonghengError("camera_fault", "the device cannot be steered: it has no service for that")
        named = f"<ProfileToken>{escape(profile)}</ProfileToken>"
        return await self._ask(services[soap.PTZ], f'<{request} xmlns="{soap.PTZ}">{named}{rest}</{request}>')

    # How it is asked.

    async def _at(self) -> dict[str, str]:
        """Its services, each at the device itself."""
        if self._services is None:
            try:
                request = f'<GetServices xmlns="{soap.DEVICE}"><IncludeCapability>false</IncludeCapability></GetServices>'
                answer = await self._ask(self.address, request, plain=True)
            except Fault as refused:
                if refused.not_let_in:
                    raise
                request = f'<GetCapabilities xmlns="{soap.DEVICE}"><Category>All</Category></GetCapabilities>'
                answer = await self._ask(self.address, request)
            given = answers.services(answer).items()
            self._services = {space: self._own(address, ("http", "https")) for space, address in given}
        return self._services

    async def _ask(self, address: str, body: str, *, plain: bool = False) -> Element:
        """Ask one thing. `plain`: a refusal is raised as it is (`Fault`)."""
        try:
            async with asyncio.timeout(EXCHANGE_S):
                header = await self._token() if self._user else ""
                return soap.answered(await self._post(address, soap.envelope(body, header)))
        except TimeoutError:
            raise ZonghengError(
                "camera_lost", f"the device at {self._name} did not answer within {EXCHANGE_S:.0f} s"
            ) from None
        except Fault as refused:
            if refused.not_let_in:
                raise self._refuses() from None
            if plain:
                raise
            raise ZonghengError("camera_fault", f"the device says no: {refused.words}") from None

    async def _token(self) -> str:
        if self._ahead_s is None:
            # The one request that every device answers to everybody (Core Specification 5.12.1).
            request = soap.envelope(f'<GetSystemDateAndTime xmlns="{soap.DEVICE}"/>')
            try:
                told = answers.clock(soap.answered(await self._post(self.address, request)))
            except Fault:
                told = None
            except ZonghengError as error:
                if error.code != "camera_refused":
                    raise
                told = None  # it keeps even its time from strangers: ours will have to do
            self._ahead_s = 0.0 if told is None else told.timestamp() - self._now_s()
        created = datetime.fromtimestamp(self._now_s(), UTC) + timedelta(seconds=self._ahead_s)
        return soap.token(self._user, self._password, secrets.token_bytes(16), created)

    async def _post(self, address: str, content: bytes) -> bytes:
        headers = {"Content-Type": "application/soap+xml; charset=utf-8", "Accept-Encoding": "identity"}
        request = self._client.build_request("POST", address, content=content, headers=headers)
        try:
            if self._digest is None:
                return await self._exchange(request)
            # The client's own way through a digest reads the first answer whole, of whatever size.
            flow = self._digest.auth_flow(request)
            request = next(flow)
            while True:
                response = await self._client.send(request, stream=True)
                try:
                    if response.status_code != 401:
                        return await self._read(response)
                    request = flow.send(response)
                except StopIteration:
                    raise self._refuses() from None
                finally:
                    await response.aclose()
        except ZonghengError:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise ZonghengError(
                "camera_lost",
                f"the device at {self._name} cannot be asked: {str(error)[:200] or type(error).__name__}",
            ) from error
        except (KeyError, ValueError) as error:  # a digest that asks for what there is not
            raise ZonghengError(
                "camera_fault", "the device asks for a login in a way that is none"
            ) from error

    async def _exchange(self, request: httpx.Request) -> bytes:
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code == 401:
                raise self._refuses()
            return await self._read(response)
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response) -> bytes:
        if response.is_redirect:
            raise ZonghengError(
                "camera_fault", "the device sends on to another address: that is not followed"
            )
        if response.status_code in (401, 403):
            raise self._refuses()
        # A SOAP fault comes with 400 or 500; anything else is no device that answers.
        if response.status_code not in (200, 400, 500):
            raise ZonghengError("camera_fault", f"the device at {self._name} answers {response.status_code}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ZonghengError("camera_fault", "the device sends a compressed answer that was not asked for")
        content = bytearray()
        async for part in response.aiter_raw():
            content += part
            if len(content) > soap.LARGEST:
                break  # `soap.document` says it
        stream = response.extensions.get("network_stream")
        peer = None if stream is None else stream.get_extra_info("server_addr")
        if peer:
            self._hosts.add(str(peer[0]).lower())
        return bytes(content)

    def _own(self, address: str, schemes: tuple[str, ...]) -> str:
        """An address that the device gave, without a login in it. Raises ZonghengError `camera_fault` where it is not the device's own."""
        try:
            parts = urlsplit(address)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        if parts.scheme not in schemes or not address.isprintable() or len(address) > LONGEST_ADDRESS:
            raise ZonghengError(
                "camera_fault", f"the device names {address[:200]!r}, which is no address to ask"
            )
        if host not in self._hosts:
            raise ZonghengError(
                "camera_fault",
                f"the device at {self._name} names another host, {host[:200]!r}, for its services or streams: that is not believed. "
                "Ask it under that address, or register the camera by its RTSP address",
            )
        netloc = f"[{host}]" if ":" in host else host
        return urlunsplit(
            (parts.scheme, netloc if port is None else f"{netloc}:{port}", parts.path, parts.query, "")
        )

    def _refuses(self) -> ZonghengError:
        words = "name and password" if self._user else "it asks for a login: give --user and --password-stdin"
        return ZonghengError(
            "camera_refused", f"the device at {self._name} lets nobody in with this: {words}"
        )

    @property
    def _name(self) -> str:
        return urlsplit(self.address).netloc
