"""The one seam through which every connection between nodes gets its security: mutual TLS.

Nothing else in the project opens a port or a channel to another node, so what is enforced here holds everywhere. A child trusts its parent's CA
key and the DNS name that follows from it, no other CA and no name server; a server trusts its own CA for clients, and who exactly a client
is, `peer` finds out of what it showed. Both ends read the identity each time they need it: a certificate that was renewed is used from the next
handshake on, without a restart.

gRPC's server in Python demands a client certificate or takes none; it cannot ask without insisting. So whoever has none yet, or one that ran
out, is heard on a port of its own (`enrolment_port`), by a server that offers nothing but enrolment.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import grpc
import grpc.aio

from federation.errors import ZonghengError
from federation.identity.authority import (
    Authority,
    Certificate,
    PrivateKey,
    PublicKey,
    bare_anchor,
    place_name,
    private_pem,
    server_name,
)
from federation.identity.membership import Membership, pem
from federation.identity.names import Name

Options = Sequence[tuple[str, str | int]]
"""gRPC channel arguments."""

_NOT_THE_PARENT: Final = ("CERTIFICATE_VERIFY_FAILED", "Hostname Verification Check failed")
"""What gRPC says of a server that does not have the key. Its status alone, `UNAVAILABLE`, would be that of a parent that is down."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a node is by its keys, now."""

    tls_key: PrivateKey
    authority: Authority
    server: Certificate
    """For the TLS key, from the own CA."""
    membership: Membership | None = None
    """Absent as long as there is no parent."""


class Credentials(Protocol):
    """Secures the two ends of a connection."""

    def server_port(self, server: grpc.aio.Server, address: str) -> int:
        """Let the server listen on `address`, "host:port", for peers with a certificate; returns the port, which port 0 leaves
        to the system. Raises ZonghengError `bad_request` for an address that cannot be had.
        """
        ...

    def channel(self, address: str, options: Options = ()) -> grpc.aio.Channel:
        """A channel to the parent at `address`, "host:port". Raises ZonghengError `not_enrolled` without a certificate."""
        ...


class MutualTls:
    """Credentials out of a node's identity, as it is each time."""

    def __init__(self, identity: Callable[[], Identity]) -> None:
        self._identity = identity

    def server_port(self, server: grpc.aio.Server, address: str) -> int:
        return self._listen(server, address, clients=True)

    def enrolment_port(self, server: grpc.aio.Server, address: str) -> int:
        """Likewise, for peers without a certificate: the server must offer them enrolment and nothing else."""
        return self._listen(server, address, clients=False)

    def channel(self, address: str, options: Options = ()) -> grpc.aio.Channel:
        identity = self._identity()
        member = identity.membership
        if member is None:
            raise ZonghengError(
                "not_enrolled", "this node has no certificate of a parent: run `zongheng join DIR …`"
            )
        credentials = grpc.ssl_channel_credentials(
            pem(member.anchor), private_pem(identity.tls_key), pem(member.node, *member.chain)
        )
        return _channel(address, credentials, server_name(member.parent_key), options)

    def _listen(self, server: grpc.aio.Server, address: str, *, clients: bool) -> int:
        shown = self._identity()

        def renewed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal shown
            identity = self._identity()
            if identity is shown:
                return None
            shown = identity
            return _configuration(identity, clients)

        credentials = grpc.dynamic_ssl_server_credentials(
            _configuration(shown, clients),
            renewed,  # type: ignore[arg-type]  # None: nothing changed; the stubs do not know that
            require_client_authentication=clients,
        )
        try:
            return server.add_secure_port(address, credentials)
        except RuntimeError as error:
            option = "--grpc" if clients else "--enrolment"
            raise ZonghengError(
                "bad_request",
                f"cannot listen on {address}: another process may have it; choose another {option}",
            ) from error


def enrolment_channel(address: str, parent: PublicKey, options: Options = ()) -> grpc.aio.Channel:
    """A channel to the enrolment port of the parent with that CA key: nothing is sent to anybody else."""
    anchor = bare_anchor(parent, datetime.now(UTC))
    return _channel(address, grpc.ssl_channel_credentials(pem(anchor)), server_name(parent), options)


def successor_channel(address: str, above: PublicKey, place: Name, options: Options = ()) -> grpc.aio.Channel:
    """Likewise to whoever the CA with the key `above` certified as the node that `place` names, whatever its own key."""
    anchor = bare_anchor(above, datetime.now(UTC))
    return _channel(address, grpc.ssl_channel_credentials(pem(anchor)), place_name(place), options)


def is_stranger(words: str | None) -> bool:
    """Whether a channel failed because whoever answered does not have the key, by what gRPC says of it."""
    return any(sign in (words or "") for sign in _NOT_THE_PARENT)


def _channel(
    address: str, credentials: grpc.ChannelCredentials, server: str, options: Options
) -> grpc.aio.Channel:
    named = ("grpc.ssl_target_name_override", server)
    return grpc.aio.secure_channel(address, credentials, options=[*options, named])


def _configuration(identity: Identity, clients: bool) -> grpc.ServerCertificateConfiguration:
    shown = pem(identity.server, *identity.authority.chain)
    return grpc.ssl_server_certificate_configuration(
        [(private_pem(identity.tls_key), shown)],
        root_certificates=pem(identity.authority.anchor) if clients else None,
    )


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
