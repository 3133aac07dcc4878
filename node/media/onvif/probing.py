"""Devices on the node's own networks: who answers a probe (WS-Discovery 1.1, as ONVIF Core Specification 7 narrows it).

One probe goes out from each of this machine's IPv4 addresses, to the group and no further than the next router; answers are collected for `LISTEN_S`. An answer is
anybody's: it has to relate to the probe, at most `MOST_ANSWERS` are read, and an address in it counts only where it is that of the machine that sent it.
Nothing is asked of a device here.
"""

import asyncio
import ipaddress
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import psutil

from federation.errors import ZonghengError
from node.media.onvif import soap

GROUP: Final = ("239.255.255.250", 3702)
LISTEN_S: Final = 3.0
AGAIN_S: Final = 0.7
"""When the probe is sent once more: a datagram may be lost."""

MOST_ANSWERS: Final = 512
LARGEST: Final = 16 << 10

_ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_NETWORK: Final = "http://www.onvif.org/ver10/network/wsdl"
_SCOPE: Final = "/onvif://www.onvif.org/"


@dataclass(frozen=True, slots=True)
class Answerer:
    """A device that answered."""

    host: str
    address: str
    """Of its service; empty: it names none at the host that it answers from."""
    name: str = ""
    model: str = ""


def probe(message_id: str) -> bytes:
    """The question: which network video transmitters are there?"""
    names = f' xmlns:a="{_ADDRESSING}" xmlns:d="{_DISCOVERY}" xmlns:dn="{_NETWORK}"'
    header = (
        f"<a:MessageID>urn:uuid:{message_id}</a:MessageID>"
        "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
        f"<a:Action>{_DISCOVERY}/Probe</a:Action>"
    )
    return soap.envelope("<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>", header, names)


def read(content: bytes, message_id: str, host: str) -> Answerer | None:
    """An answer of `host` to the probe of that id; None: it is none."""
    if len(content) > LARGEST:
        return None
    try:
        root = soap.document(content)
    except ZonghengError:
        return None
    relates = soap.text(next(soap.found(root, "RelatesTo"), None))
    match = next(soap.found(root, "ProbeMatch"), None)
    if match is None or relates.lower().removeprefix("urn:").removeprefix("uuid:") != message_id:
        return None
    addresses = soap.text(soap.child(match, "XAddrs")).split()
    scopes = soap.text(soap.child(match, "Scopes")).split()
    return Answerer(
        host,
        next((each for each in addresses if _is_at(each, host)), ""),
        _scope(scopes, "name"),
        _scope(scopes, "hardware"),
    )


def _is_at(address: str, host: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and parts.hostname == host and parts.port != 0
    except ValueError:
        return False


def _scope(scopes: Sequence[str], kind: str) -> str:
    for scope in scopes:
        _, _, rest = f"/{scope}".partition(_SCOPE)
        if rest.startswith(f"{kind}/"):
            said = unquote(rest.removeprefix(f"{kind}/")).replace("_", " ")
            return "".join(letter for letter in said if letter.isprintable())[:200]
    return ""


def own_addresses() -> list[str]:
    """The IPv4 addresses of this machine."""
    return sorted(
        {
            each.address
            for addresses in psutil.net_if_addrs().values()
            for each in addresses
            if each.family == socket.AF_INET
        }
    )


async def answerers(
    listen_s: float = LISTEN_S, to: tuple[str, int] = GROUP, own: Sequence[str] | None = None
) -> list[Answerer]:
    """Who answers within `listen_s`, by host. `own`: the addresses to ask from; all of this machine's."""
    hearing = _Hearing(str(uuid.uuid4()))
    loop = asyncio.get_running_loop()
    transports: list[asyncio.DatagramTransport] = []
    try:
        for address in own_addresses() if own is None else own:
            if (opened := _socket(address)) is not None:
                transport, _ = await loop.create_datagram_endpoint(lambda: hearing, sock=opened)
                transports.append(transport)
        for rest_s in (min(AGAIN_S, listen_s), max(0.0, listen_s - AGAIN_S)):
            for transport in transports:
                transport.sendto(probe(hearing.message_id), to)
            await asyncio.sleep(rest_s)
    finally:
        for transport in transports:
            transport.close()
    return sorted(hearing.heard.values(), key=lambda each: ipaddress.ip_address(each.host))


class _Hearing(asyncio.DatagramProtocol):
    """What came in answer to one probe."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.heard: dict[str, Answerer] = {}
        self._read = 0

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._read += 1
        if self._read > MOST_ANSWERS:
            return
        told = read(data, self.message_id, str(addr[0]))
        if told is not None and (told.host not in self.heard or told.address):
            self.heard[told.host] = told

    def error_received(self, exc: Exception) -> None:
        """A network that lets no probe out has no devices for us."""


def _socket(address: str) -> socket.socket | None:
    """Asks from one of this machine's addresses; None where the machine has no such address any more."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        opened.bind((address, 0))
    except OSError:
        opened.close()
        return None
    return opened
