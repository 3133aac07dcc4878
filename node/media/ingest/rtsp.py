"""What passes between FFmpeg and a camera over RTSP (RFC 2326) on TCP, taken apart and bounded. Pure.

FFmpeg believes its camera: it takes as much memory as an answer says that it will have, follows it to another host, and gathers one picture for as long as it goes on. A camera hangs
where anybody walks by; so what it says is looked through before FFmpeg has it. Pictures (interleaved frames, section 10.12) are only stepped over.
"""

import base64
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5, sha256
from typing import Final

from federation.errors import ZonghengError

MOST_HEAD: Final = 16 << 10
MOST_BODY: Final = 256 << 10
MOST_MEDIA: Final = 32
"""Streams in one description; a camera has up to four."""

MOST_SKIPPED: Final = 1 << 20
"""Bytes that are neither: some cameras put a few between their frames."""

_FRAME: Final = ord("$")
_LINE: Final = 4_096
_END: Final = re.compile(rb"\r?\n\r?\n")
_REQUEST: Final = re.compile(rb"[A-Z_]{3,20} [^\r\n]* RTSP/")


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer."""

    head: bytes
    """With the empty line that ends it."""
    body: bytes

    @property
    def content(self) -> bytes:
        return self.head + self.body

    @property
    def status(self) -> int:
        """Of an answer; 0: it is a request."""
        found = re.match(rb"RTSP/\d\.\d (\d{3})", self.head)
        return int(found.group(1)) if found else 0

    def headers(self, name: str) -> list[str]:
        """Values of a header, as often as it is there."""
        lines = self.head.decode("latin-1").split("\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return [value.strip() for key, colon, value in pairs if colon and key.strip().lower() == name]


class Parser:
    """One direction of a connection. Raises ZonghengError `unreadable`, `too_large` for what is no camera's."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skipped = 0

    def feed(self, content: bytes) -> Iterator[bytes | Message]:
        """What is whole by now: runs of frames, and messages, in their order."""
        self._buffer += content
        at = 0
        while True:
            until = self._frames(at)
            if until > at:
                yield bytes(self._buffer[at:until])
                at = until
            if at >= len(self._buffer) or self._buffer[at] == _FRAME:
                break
            size, message = self._message(at)
            if message is not None:
                yield message
            if size == 0:
                break
            at += size
        del self._buffer[:at]

    def _frames(self, at: int) -> int:
        """Where the frames that begin here end."""
        buffer, end = self._buffer, len(self._buffer)
        while end - at >= 4 and buffer[at] == _FRAME:
            size = 4 + (buffer[at + 2] << 8 | buffer[at + 3])
            if size > end - at:
                break
            at += size
        return at

    def _message(self, at: int) -> tuple[int, Message | None]:
        """How much of what is not frames is whole, and the message, where it is one."""
        line = self._buffer.find(b"\n", at, at + _LINE)
        if line < 0 and len(self._buffer) - at < _LINE and self._buffer[at : at + 1].isupper():
            return 0, None
        if line < 0 or not (self._buffer.startswith(b"RTSP/", at) or _REQUEST.match(self._buffer, at, line)):
            return self._skip(at), None
        found = _END.search(self._buffer, at, at + MOST_HEAD)
        if found is None:
            if len(self._buffer) - at >= MOST_HEAD:
                raise ZonghengError(
                    "unreadable", f"the camera answers with more than {MOST_HEAD >> 10} KB of headers"
                )
            return 0, None
        head = bytes(self._buffer[at : found.end()])
        length = next(iter(Message(head, b"").headers("content-length")), "0")
        if not length.isdecimal() or len(length) > 9 or int(length) > MOST_BODY:
            raise ZonghengError(
                "unreadable", f"the camera describes its streams in more than {MOST_BODY >> 10} KB"
            )
        size = len(head) + int(length)
        if size > len(self._buffer) - at:
            return 0, None
        message = Message(head, bytes(self._buffer[found.end() : at + size]))
        if message.body.count(b"\nm=") > MOST_MEDIA:
            raise ZonghengError(
                "unreadable", f"the camera offers more than {MOST_MEDIA} streams under one address"
            )
        return size, message

    def _skip(self, at: int) -> int:
        """To whatever may be a frame or an answer next."""
        found = [where for sign in (b"$", b"RTSP/") if (where := self._buffer.find(sign, at + 1)) > 0]
        size = min(found, default=len(self._buffer)) - at
        self._skipped += size
        if self._skipped > MOST_SKIPPED:
            raise ZonghengError("unreadable", "what the camera sends is no RTSP")
        return size


class Login:
    """Name and password for one camera: HTTP digest (RFC 7616; MD5, SHA-256), or basic where it knows no other."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._challenge: dict[str, str] | None = None
        self._count = 0

    def challenged(self, answer: Message) -> bool:
        """The camera asks for a login; False: for none that is known here."""
        asked = answer.headers("www-authenticate")
        self._count = 0
        for one in asked:
            if one.lower().startswith("digest "):
                told = {
                    key.lower(): quoted or bare
                    for key, quoted, bare in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]*))', one[7:])
                }
                if told.get("algorithm", "MD5").upper() in _HASHES and "nonce" in told:
                    self._challenge = told
                    return True
        if any(one.lower().startswith("basic") for one in asked):
            self._challenge = {}
            return True
        return False

    def header(self, method: str, address: str) -> str:
        """For a request; empty: the camera has not asked."""
        if self._challenge is None:
            return ""
        if not self._challenge:
            login = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
            return f"Authorization: Basic {login}\r\n"
        return f"Authorization: Digest {self._digest(self._challenge, method, address)}\r\n"

    def _digest(self, asked: dict[str, str], method: str, address: str) -> str:
        algorithm = asked.get("algorithm", "MD5")
        made = _HASHES[algorithm.upper()]

        def hashed(*parts: str) -> str:
            return made(":".join(parts).encode()).hexdigest()

        realm, nonce = asked.get("realm", ""), asked["nonce"]
        who, what = hashed(self._user, realm, self._password), hashed(method, address)
        told = {"username": self._user, "realm": realm, "nonce": nonce, "uri": address}
        bare = ""
        if "auth" in re.split(r"[\s,]+", asked.get("qop", "")):
            self._count += 1
            count, own = f"{self._count:08x}", secrets.token_hex(8)
            told |= {"cnonce": own, "response": hashed(who, nonce, count, own, "auth", what)}
            bare = f", nc={count}, qop=auth"
        else:
            told["response"] = hashed(who, nonce, what)
        if "opaque" in asked:
            told["opaque"] = asked["opaque"]
        if "algorithm" in asked:
            bare += f", algorithm={algorithm}"
        return ", ".join(f'{key}="{_quoted(value)}"' for key, value in told.items()) + bare


_HASHES: Final = {"MD5": md5, "SHA-256": sha256}


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "")
