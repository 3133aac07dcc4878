"""Who is on the other end of a call, out of what TLS saw.

TLS has proven that the peer holds the key in its certificate and that some chain leads from there to the own CA. That is not enough: the CA of a
child can sign whatever it likes, and gRPC accepts it. So the chain is walked again with the names nesting (`authority.verified`), and which
key a node is registered with is for the node to say (`Peer.key`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from federation.errors import ZonghengError
from federation.identity.authority import Certificate, fingerprint, verified
from federation.identity.membership import from_pem
from federation.identity.names import Name

LEAF: Final = "x509_pem_cert"
CHAIN: Final = "x509_pem_cert_chain"
"""gRPC's GRPC_X509_PEM_CERT_PROPERTY_NAME and GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME. On a server the chain is what the client sent,
without its own certificate."""

Anchors = Callable[[], Sequence[Certificate]]
"""Certificates of the own CA, as it is certified now."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The verified other end of a call."""

    name: Name
    key: str
    """SHA-256 of its TLS key's SubjectPublicKeyInfo, in hex."""


def peer_of(context: Any, anchors: Anchors) -> Peer:
    """The peer of a call in progress. Raises ZonghengError `untrusted`."""
    shown: Mapping[str, Sequence[bytes]] = context.auth_context()
    leaves = shown.get(LEAF, ())
    if len(leaves) != 1:
        raise ZonghengError("untrusted", "nodes talk over TLS and show one certificate")
    return _peer(leaves[0], b"".join(shown.get(CHAIN, ())), tuple(anchors()), datetime.now(UTC))


def certificate_of(context: Any) -> bytes:
    """The certificate that the peer of a call showed, PEM; empty without one. Equal bytes: the same peer."""
    shown: Mapping[str, Sequence[bytes]] = context.auth_context()
    return b"".join(shown.get(LEAF, ()))


def _peer(leaf: bytes, chain: bytes, anchors: tuple[Certificate, ...], at: datetime) -> Peer:
    certificates = from_pem(leaf)
    above = _chain(chain) if chain else ()
    name = verified(certificates[0], above, anchors, at)
    return Peer(name, fingerprint(certificates[0].public_key()))


@lru_cache(256)
def _chain(pem: bytes) -> tuple[Certificate, ...]:
    """Neighbours show the same chain, call after call."""
    return tuple(from_pem(pem))
