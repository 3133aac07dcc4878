"""The one seam through which every connection between nodes gets its security.

Nothing else in the project opens a port or a channel to another node, so what is enforced here holds
everywhere. As long as nodes have no certificates there is a single implementation, `InsecureLoopback`: it
neither encrypts nor authenticates, so it refuses every address that is not this machine's own (ZonghengError
`not_loopback`) and says each time in the log that it is used.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final, Protocol

import grpc.aio
import structlog

from federation.errors import ZonghengError

Options = Sequence[tuple[str, str | int]]
"""gRPC channel arguments."""

_log = structlog.get_logger(__name__)


class Credentials(Protocol):
    """Secures the two ends of a connection."""

    def server_port(self, server: grpc.aio.Server, address: str) -> int:
        """Let the server listen on `address`, "host:port"; returns the port, which port 0 leaves to the
        system.

        Raises ZonghengError `not_loopback` for an address that must not be used, `bad_request` for one that
        cannot be had.
        """
        ...

    def channel(self, address: str, options: Options = ()) -> grpc.aio.Channel:
        """A channel to the node at `address`, "host:port". Raises ZonghengError `not_loopback` likewise."""
        ...


class InsecureLoopback:
    """No encryption and no authentication: for nodes that share one machine."""

    def server_port(self, server: grpc.aio.Server, address: str) -> int:
        self._permit(address, "serve")
        try:
            return server.add_insecure_port(address)
        except RuntimeError as error:
            raise ZonghengError(
                "bad_request",
                f"cannot listen on {address}: another process may have it; choose another --grpc",
            ) from error

    def channel(self, address: str, options: Options = ()) -> grpc.aio.Channel:
        self._permit(address, "dial")
        return grpc.aio.insecure_channel(address, options=list(options))

    def _permit(self, address: str, purpose: str) -> None:
        if not is_loopback(address):
            raise ZonghengError(
                "not_loopback",
                f"{address} is not an address of this machine alone, and without certificates nodes may only"
                " talk on loopback, for example 127.0.0.1:7401",
            )
        _log.warning("credentials.insecure", address=address, purpose=purpose, words=_LOUD)


_LOUD: Final = "no encryption, no authentication: anybody on this machine can pose as a node"


def is_loopback(address: str) -> bool:
    """Whether "host:port" names this machine alone: an address in 127.0.0.0/8, [::1] or `localhost`.

    Any other name is refused without being looked up: what a name server says may change between the check
    and the use.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()):
        return False
    if host == "localhost":
        return True
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
