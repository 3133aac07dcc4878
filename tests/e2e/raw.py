"""Bytes on a port, below everything that the program means to hear."""

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.e2e.tree import Node

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""How an HTTP/2 connection begins (RFC 9113 §3.4)."""

DECLARED: Final = 0xFFFFFFFF
"""Length of a message, in bytes, as the largest that gRPC's prefix can name."""

_SETTINGS, _HEADERS, _DATA = 4, 1, 0
_END_HEADERS: Final = 4


@contextmanager
def plain(address: str) -> Iterator[socket.socket]:
    """A connection, and nothing said on it."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        yield connection


@contextmanager
def tls(address: str, child: Node) -> Iterator[ssl.SSLSocket]:
    """The same with a child's certificate, up to where HTTP/2 would begin. Who the parent is, is not looked at."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(child.folder / "certificates" / "node.pem", _key(child.folder))
    with plain(address) as connection, context.wrap_socket(connection) as secured:
        yield secured


def _key(folder: Path) -> Path:
    return folder / "keys" / "tls.key"


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """An HTTP/2 frame (RFC 9113 §4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def begin_call(path: str) -> bytes:
    """Preface, settings and the headers of a gRPC call; each header is a literal that is not indexed (RFC 7541 §6.2.2)."""
    headers = {
        ":method": "POST", ":scheme": "https", ":path": path, ":authority": "parent", "te": "trailers",
        "content-type": "application/grpc",
    }  # fmt: skip
    block = b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in headers.items()
    )
    return PREFACE + frame(_SETTINGS, 0, 0, b"") + frame(_HEADERS, _END_HEADERS, 1, block)


def message_of_four_gigabytes() -> bytes:
    """The beginning of a message that names its length as `DECLARED`, and a few of its bytes."""
    return frame(_DATA, 0, 1, b"\x00" + struct.pack(">I", DECLARED) + bytes(1_000))


def answer(connection: socket.socket, patience_s: float = 30.0) -> bytes:
    """What comes back until the other side ends the stream or the connection."""
    connection.settimeout(patience_s)
    told = b""
    try:
        while piece := connection.recv(65_536):
            told += piece
            if b"grpc-status" in told:
                break
    except (OSError, TimeoutError):
        pass
    return told
