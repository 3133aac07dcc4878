"""A real ONVIF device for tests, as a process: it answers probes and SOAP, asks for a login, and turns.

    python onvif.py [--user NAME --password WORD] [--login token|digest|both] [--ahead SECONDS] [--keeps-time] [--slow SECONDS] [--media2] [--ignores-timeout]
                    [--names HOST] [--main CODEC:WxH:rtsp://…] [--sub CODEC:WxH:rtsp://…] [--fixed]

Prints its port on loopback as soon as it listens; the same number is its port for probes (UDP). Where it looks follows from how fast it moves and for how long, so a test sees
in `GET /state` (pan, tilt, zoom, moving, preset, requests) what a person would see. Its clock is `--ahead` of the machine's, and like a real device it refuses a token that is more than a
few seconds off. What it says of addresses can be made to lie (`--names`).
"""

import argparse
import base64
import hashlib
import json
import re
import socketserver
import sys
import threading
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SCHEMA = "http://www.onvif.org/ver10/schema"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
NAMES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error" '
    f'xmlns:tt="{SCHEMA}" xmlns:tds="{DEVICE}" xmlns:trt="{MEDIA}" xmlns:tr2="{MEDIA2}" xmlns:tptz="{PTZ}"'
)
OFF_S = 5.0
REALM = "camera"


class Turned:
    """Where it looks."""

    def __init__(self, ignores_timeout: bool) -> None:
        self._lock = threading.Lock()
        self._at = [0.0, 0.0, 0.0]
        self._speed = [0.0, 0.0, 0.0]
        self._since = self._until = time.monotonic()
        self._ignores_timeout = ignores_timeout
        self.presets = {"1": ("大门", (0.5, 0.25, 0.0)), "2": ("窗口三", (-0.5, 0.0, 0.5))}
        self.preset = ""
        self.moves = self.stops = 0

    def _go(self) -> None:
        now = time.monotonic()
        for axis, speed in enumerate(self._speed):
            self._at[axis] += speed * (min(now, self._until) - self._since)
        if now >= self._until:
            self._speed = [0.0, 0.0, 0.0]
        self._since = now

    def move(self, speed: list[float], for_s: float) -> None:
        with self._lock:
            self._go()
            self._speed, self.preset = speed, ""
            self._until = time.monotonic() + (1e9 if self._ignores_timeout else for_s)
            self.moves += 1

    def stop(self) -> None:
        with self._lock:
            self._go()
            self._speed = [0.0, 0.0, 0.0]
            self.stops += 1

    def go_to(self, token: str) -> None:
        with self._lock:
            self._at, self._speed = list(self.presets[token][1]), [0.0, 0.0, 0.0]
            self.preset = self.presets[token][0]

    def told(self) -> dict[str, Any]:
        with self._lock:
            self._go()
            pan, tilt, zoom = self._at
            return {
                "pan": pan, "tilt": tilt, "zoom": zoom, "moving": any(self._speed), "preset": self.preset,
                "moves": self.moves, "stops": self.stops,
            }  # fmt: skip


class Refused(Exception):
    """A SOAP fault."""

    def __init__(self, code: str, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.code, self.words, self.status = code, words, status


class Camera:
    """What the device is and what it answers."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.turned = Turned(asked.ignores_timeout)
        self.requests: list[str] = []
        self.port = 0
        self._nonces: set[str] = set()

    def now(self) -> float:
        return time.time() + self.asked.ahead

    def streams(self) -> list[tuple[str, str, int, int, str]]:
        told = []
        for name in ("main", "sub"):
            if given := getattr(self.asked, name):
                codec, size, address = given.split(":", 2)
                width, height = map(int, size.split("x"))
                told.append((name, codec, width, height, address))
        return told

    def at(self, path: str) -> str:
        return f"http://{self.asked.names or '127.0.0.1'}:{self.port}{path}"

    def answer(self, content: bytes, by_digest: bool) -> str:
        """Raises Refused."""
        root = ET.fromstring(content)
        body = root.find("{http://www.w3.org/2003/05/soap-envelope}Body")
        assert body is not None
        request = body[0]
        space, name = re.fullmatch(r"\{(.*)\}(.*)", request.tag).groups()  # type: ignore[union-attr]
        self.requests.append(name)
        time.sleep(self.asked.slow)
        if self.asked.keeps_time and name == "GetSystemDateAndTime":
            raise Refused("ter:NotAuthorized", "the time is not for strangers", 401)
        if name != "GetSystemDateAndTime" and self.asked.user:
            if self.asked.login in ("digest", "both") and not by_digest:
                raise Refused("digest", "", 401)
            if self.asked.login in ("token", "both"):
                self._check_token(root)
        answering = {DEVICE: self._device, MEDIA: self._media, MEDIA2: self._media2, PTZ: self._ptz}.get(
            space
        )
        if answering is None:
            raise Refused("ter:ActionNotSupported", f"no service {space}")
        return answering(name, request)

    def _check_token(self, root: ET.Element) -> None:
        wsse = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
        wsu = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
        token = root.find(f".//{wsse}UsernameToken")
        if token is None:
            raise Refused("ter:NotAuthorized", "no token")
        user, password, nonce, created = (
            token.findtext(part) or ""
            for part in (f"{wsse}Username", f"{wsse}Password", f"{wsse}Nonce", f"{wsu}Created")
        )
        wanted = base64.b64encode(
            hashlib.sha1(base64.b64decode(nonce) + created.encode() + self.asked.password.encode()).digest()
        ).decode()
        at = datetime.strptime(created, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp()
        if (
            (user, password) != (self.asked.user, wanted)
            or nonce in self._nonces
            or abs(at - self.now()) > OFF_S
        ):
            raise Refused("ter:NotAuthorized", "name, password or time is wrong")
        self._nonces.add(nonce)

    def _device(self, name: str, request: ET.Element) -> str:
        if name == "GetSystemDateAndTime":
            at = datetime.fromtimestamp(self.now(), UTC)
            return (
                "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
                "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>"
                f"<tt:Time><tt:Hour>{at.hour}</tt:Hour><tt:Minute>{at.minute}</tt:Minute><tt:Second>{at.second}</tt:Second></tt:Time>"
                f"<tt:Date><tt:Year>{at.year}</tt:Year><tt:Month>{at.month}</tt:Month><tt:Day>{at.day}</tt:Day></tt:Date>"
                "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
            )
        if name == "GetDeviceInformation":
            return (
                "<tds:GetDeviceInformationResponse><tds:Manufacturer>Test</tds:Manufacturer><tds:Model>Turns 1</tds:Model>"
                "<tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>1</tds:SerialNumber>"
                "<tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>"
            )
        if name == "GetServices":
            there = [(DEVICE, "/onvif/device_service"), (MEDIA, "/onvif/media")]
            there += [(MEDIA2, "/onvif/media2")] if self.asked.media2 else []
            there += [] if self.asked.fixed else [(PTZ, "/onvif/ptz")]
            parts = "".join(
                f"<tds:Service><tds:Namespace>{space}</tds:Namespace><tds:XAddr>{self.at(path)}</tds:XAddr>"
                "<tds:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tds:Version></tds:Service>"
                for space, path in there
            )
            return f"<tds:GetServicesResponse>{parts}</tds:GetServicesResponse>"
        raise Refused("ter:ActionNotSupported", name)

    def _media(self, name: str, request: ET.Element) -> str:
        if name == "GetProfiles":
            ptz = (
                ""
                if self.asked.fixed
                else '<tt:PTZConfiguration token="ptz"><tt:Name>ptz</tt:Name></tt:PTZConfiguration>'
            )
            parts = "".join(
                f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{token} stream</tt:Name>'
                f'<tt:VideoEncoderConfiguration token="v-{token}"><tt:Name>v</tt:Name><tt:UseCount>1</tt:UseCount>'
                f"<tt:Encoding>{codec.upper()}</tt:Encoding>"
                f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
                f"<tt:Quality>5</tt:Quality></tt:VideoEncoderConfiguration>{ptz}</trt:Profiles>"
                for token, codec, width, height, _ in self.streams()
                if codec != "h265"  # what the older service cannot name
            )
            return f"<trt:GetProfilesResponse>{parts}</trt:GetProfilesResponse>"
        if name == "GetStreamUri":
            wanted = request.findtext(f"{{{MEDIA}}}ProfileToken")
            protocol = request.findtext(f"{{{MEDIA}}}StreamSetup/{{{SCHEMA}}}Transport/{{{SCHEMA}}}Protocol")
            assert protocol == "RTSP"
            return (
                f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{self._uri(wanted)}</tt:Uri>"
                "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>"
                "<tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
            )
        raise Refused("ter:ActionNotSupported", name)

    def _media2(self, name: str, request: ET.Element) -> str:
        if name == "GetProfiles":
            ptz = "" if self.asked.fixed else '<tr2:PTZ token="ptz"><tt:Name>ptz</tt:Name></tr2:PTZ>'
            parts = "".join(
                f'<tr2:Profiles token="{token}" fixed="true"><tr2:Name>{token} stream</tr2:Name><tr2:Configurations>'
                f'<tr2:VideoEncoder token="v-{token}"><tt:Name>v</tt:Name><tt:Encoding>{codec.upper()}</tt:Encoding>'
                f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
                f"</tr2:VideoEncoder>{ptz}</tr2:Configurations></tr2:Profiles>"
                for token, codec, width, height, _ in self.streams()
            )
            return f"<tr2:GetProfilesResponse>{parts}</tr2:GetProfilesResponse>"
        if name == "GetStreamUri":
            assert request.findtext(f"{{{MEDIA2}}}Protocol") == "RTSP"
            uri = self._uri(request.findtext(f"{{{MEDIA2}}}ProfileToken"))
            return f"<tr2:GetStreamUriResponse><tr2:Uri>{uri}</tr2:Uri></tr2:GetStreamUriResponse>"
        raise Refused("ter:ActionNotSupported", name)

    def _uri(self, wanted: str | None) -> str:
        for token, *_, address in self.streams():
            if token == wanted:
                return address.replace("&", "&amp;")
        raise Refused("ter:NoProfile", f"no profile {wanted}")

    def _ptz(self, name: str, request: ET.Element) -> str:
        if self.asked.fixed:
            raise Refused("ter:ActionNotSupported", name)
        if request.findtext(f"{{{PTZ}}}ProfileToken") not in {each[0] for each in self.streams()}:
            raise Refused("ter:NoProfile", "no such profile")
        if name == "ContinuousMove":
            speed = request.find(f"{{{PTZ}}}Velocity")
            assert speed is not None
            pan_tilt, zoom = speed.find(f"{{{SCHEMA}}}PanTilt"), speed.find(f"{{{SCHEMA}}}Zoom")
            assert pan_tilt is not None
            timeout = re.fullmatch(r"PT([0-9]+)S", request.findtext(f"{{{PTZ}}}Timeout") or "")
            assert timeout is not None
            speeds = [float(pan_tilt.get("x", 0)), float(pan_tilt.get("y", 0)), 0.0]
            if zoom is not None:
                speeds[2] = float(zoom.get("x", 0))
            if any(abs(each) > 1 for each in speeds):
                raise Refused("ter:InvalidVelocity", "too fast")
            self.turned.move(speeds, float(timeout.group(1)))
        elif name == "Stop":
            self.turned.stop()
        elif name == "GotoPreset":
            token = request.findtext(f"{{{PTZ}}}PresetToken") or ""
            if token not in self.turned.presets:
                raise Refused("ter:NoToken", "no such preset")
            self.turned.go_to(token)
        elif name == "GetPresets":
            parts = "".join(
                f'<tptz:Preset token="{token}"><tt:Name>{name}</tt:Name></tptz:Preset>'
                for token, (name, _) in self.turned.presets.items()
            )
            return f"<tptz:GetPresetsResponse>{parts}</tptz:GetPresetsResponse>"
        else:
            raise Refused("ter:ActionNotSupported", name)
        return f"<tptz:{name}Response/>"


class Http(BaseHTTPRequestHandler):
    """SOAP over HTTP."""

    protocol_version = "HTTP/1.1"
    camera: Camera

    def do_GET(self) -> None:
        self._say(
            200,
            "application/json",
            json.dumps({**self.camera.turned.told(), "requests": self.camera.requests}),
        )

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            body = self.camera.answer(content, self._by_digest())
            self._say(
                200, "application/soap+xml", f"<s:Envelope {NAMES}><s:Body>{body}</s:Body></s:Envelope>"
            )
        except Refused as refused:
            if refused.code == "digest":
                challenge = (
                    f'Digest realm="{REALM}", qop="auth", nonce="{time.monotonic_ns():x}", algorithm=MD5'
                )
                self._say(401, "text/plain", "log in", {"WWW-Authenticate": challenge})
                return
            fault = (
                f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{refused.code}</s:Value></s:Subcode></s:Code>"
                f'<s:Reason><s:Text xml:lang="en">{refused.words}</s:Text></s:Reason></s:Fault>'
            )
            self._say(
                refused.status,
                "application/soap+xml",
                f"<s:Envelope {NAMES}><s:Body>{fault}</s:Body></s:Envelope>",
            )

    def _by_digest(self) -> bool:
        told = self.headers.get("Authorization", "")
        if not told.startswith("Digest "):
            return False
        parts = dict(re.findall(r'(\w+)="?([^",]+)"?', told))

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        ours = md5(f"{self.camera.asked.user}:{REALM}:{self.camera.asked.password}")
        asked = md5(f"{self.command}:{parts['uri']}")
        wanted = md5(f"{ours}:{parts['nonce']}:{parts['nc']}:{parts['cnonce']}:{parts['qop']}:{asked}")
        return parts["username"] == self.camera.asked.user and parts["response"] == wanted

    def _say(self, status: int, kind: str, text: str, more: dict[str, str] | None = None) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            **(more or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """What is asked of it is in `/state`."""


class Probed(socketserver.BaseRequestHandler):
    """Probes."""

    camera: Camera

    def handle(self) -> None:
        content, opened = self.request
        asked = re.search(rb"<\w+:MessageID[^>]*>([^<]+)<", content)
        if asked is None or b"NetworkVideoTransmitter" not in content:
            return
        space = 'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
        answer = (
            f"<s:Envelope {NAMES} {space}><s:Header><a:RelatesTo>{asked.group(1).decode()}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>"
            "<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference>"
            "<d:Types>dn:NetworkVideoTransmitter</d:Types>"
            "<d:Scopes>onvif://www.onvif.org/name/%E5%A4%A7%E5%8E%85 onvif://www.onvif.org/hardware/Turns_1</d:Scopes>"
            f"<d:XAddrs>http://169.254.1.1/onvif/device_service {self.camera.at('/onvif/device_service')}</d:XAddrs>"
            "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
        )
        opened.sendto(answer.encode(), self.client_address)


def _servers() -> tuple[ThreadingHTTPServer, socketserver.ThreadingUDPServer]:
    """Both on one port, which may be taken for one of them alone."""
    while True:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Http)
        try:
            return server, socketserver.ThreadingUDPServer(server.server_address[:2], Probed)
        except OSError:
            server.server_close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--login", default="token", choices=["token", "digest", "both"])
    parser.add_argument("--ahead", type=float, default=0.0)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--keeps-time", action="store_true")
    parser.add_argument("--media2", action="store_true")
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--ignores-timeout", action="store_true")
    parser.add_argument("--names", default="")
    parser.add_argument("--main", default="h264:1280x720:rtsp://127.0.0.1:554/main")
    parser.add_argument("--sub", default="h264:640x360:rtsp://127.0.0.1:554/sub")
    camera = Camera(parser.parse_args())
    Http.camera = Probed.camera = camera
    server, probes = _servers()
    camera.port = server.server_address[1]
    for each in (server, probes):
        each.daemon_threads = True
    threading.Thread(target=probes.serve_forever, daemon=True).start()
    print(camera.port, flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
