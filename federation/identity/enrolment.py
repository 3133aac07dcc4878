"""Becoming a child: the words of both sides, the service that hears them, the client that says them.

The joiner knows its parent's CA key from the invitation, or from its enrolment, and connects to nobody else (`credentials.enrolment_channel`). It
proves both its keys by signing its requests with them; the secret of the invitation proves that it is meant. Asked twice with the same keys the
parent gives the same answer, so an answer that was lost is asked for again; with other keys a used invitation is refused.

Renewal needs no invitation: it proves the key that is registered. That works before the certificate's end and after it; only a revoked
key is refused.

A parent whose box was replaced has another CA key. Its child finds it again by the CA above, which it knows from its chain: whoever that CA certified at
the parent's place is heard, and believed when its certificate is newer than the one before (`Membership.succeeded`). So no one has to travel to the children.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import grpc.aio
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from zongheng.v1 import identity_pb2 as wire
from zongheng.v1.identity_pb2_grpc import (
    EnrolmentServiceServicer,
    EnrolmentServiceStub,
    add_EnrolmentServiceServicer_to_server,
)
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError, abort, from_rpc
from federation.identity.authority import PrivateKey, PublicKey, p256
from federation.identity.credentials import Options, enrolment_channel, is_stranger, successor_channel
from federation.identity.invitation import Invitation
from federation.identity.names import Name

ENROLMENT_OPTIONS: Final[Options] = (
    ("grpc.max_receive_message_length", 65_536),
    ("grpc.so_reuseport", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
)
"""Channel arguments of both ends. Who is heard here is nobody yet, and has little to say."""

_ANSWERS_WITHIN_S: Final = 15.0
_REQUEST: Final = x509.Name([])

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Keys:
    """A node's private keys, but for the journal's: made by the node, never leaving it."""

    tls: PrivateKey
    authority: PrivateKey
    sealing: X25519PrivateKey

    @property
    def sealing_public(self) -> bytes:
        return self.sealing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose keys are proven."""

    invitation: bytes
    secret: bytes
    card: NodeCard
    tls_key: PublicKey
    authority_key: PublicKey
    sealing_key: bytes


def ask(invitation: Invitation, card: NodeCard, keys: Keys) -> wire.EnrolRequest:
    """What the joiner says."""
    return wire.EnrolRequest(
        invitation=invitation.invitation,
        secret=invitation.secret,
        card=card,
        tls_request=_proof(keys.tls),
        authority_request=_proof(keys.authority),
        sealing_key=keys.sealing_public,
    )


def read(request: wire.EnrolRequest) -> Asked:
    """What the parent makes of it. Raises ZonghengError `untrusted` unless the keys are proven, `protocol` for what is malformed."""
    if len(request.sealing_key) != 32:
        raise ZonghengError("protocol", "a sealing key has 32 bytes")
    tls_key, authority_key = _proven(request.tls_request), _proven(request.authority_request)
    if tls_key == authority_key:
        raise ZonghengError("protocol", "the keys for TLS and for the CA differ")
    return Asked(
        request.invitation, request.secret, request.card, tls_key, authority_key, request.sealing_key
    )


def renewal(node: str, keys: Keys) -> wire.RenewRequest:
    """What a child says whose certificate is to be renewed."""
    return wire.RenewRequest(node=node, tls_request=_proof(keys.tls))


def renewing_key(request: wire.RenewRequest) -> PublicKey:
    """The key that a renewal proves. Raises ZonghengError `untrusted`."""
    return _proven(request.tls_request)


def _proof(key: PrivateKey) -> bytes:
    request = x509.CertificateSigningRequestBuilder().subject_name(_REQUEST).sign(key, SHA256())
    return request.public_bytes(Encoding.DER)


def _proven(request: bytes) -> PublicKey:
    try:
        read = x509.load_der_x509_csr(request)
        key = p256(read.public_key())
        if not read.is_signature_valid:
            raise ZonghengError("untrusted", "the request is not signed by the key in it")
    except ValueError as error:
        raise ZonghengError("untrusted", f"this is no certificate request: {error}") from error
    return key


class Registrar(Protocol):
    """The parent's register of children. What it returns is durable."""

    async def enrol(self, asked: Asked) -> wire.EnrolResponse:
        """Raises ZonghengError `invitation`, `not_enrolled`, `revoked`."""
        ...

    async def renew(self, node: str, key: PublicKey) -> wire.Certificates:
        """Raises ZonghengError `not_enrolled`, `revoked`."""
        ...


class Enrolment(EnrolmentServiceServicer):
    """The service of one parent."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    def add_to(self, server: grpc.aio.Server) -> None:
        add_EnrolmentServiceServicer_to_server(self, server)

    async def Enrol(self, request: wire.EnrolRequest, context: Any) -> wire.EnrolResponse:
        try:
            return await self._registrar.enrol(read(request))
        except ZonghengError as error:
            _log.warning("enrolment.refused", node=request.card.node, code=error.code, words=error.detail, peer=context.peer())  # fmt: skip
            await abort(context, error)

    async def Renew(self, request: wire.RenewRequest, context: Any) -> wire.RenewResponse:
        try:
            certificates = await self._registrar.renew(request.node, renewing_key(request))
            return wire.RenewResponse(certificates=certificates)
        except ZonghengError as error:
            _log.warning("renewal.refused", node=request.node, code=error.code, words=error.detail, peer=context.peer())  # fmt: skip
            await abort(context, error)


async def enrol(address: str, parent: PublicKey, request: wire.EnrolRequest) -> wire.EnrolResponse:
    """Say it to the parent with that CA key at "host:port". Raises ZonghengError: `untrusted` when somebody else is there, who then has
    heard nothing; `unreachable`; what the parent refuses with.
    """
    async with enrolment_channel(address, parent, ENROLMENT_OPTIONS) as channel:
        try:
            answer: wire.EnrolResponse = await EnrolmentServiceStub(channel).Enrol(
                request, timeout=_ANSWERS_WITHIN_S
            )
        except grpc.aio.AioRpcError as error:
            raise _said(error, address) from None
        return answer


async def renew(address: str, parent: PublicKey, request: wire.RenewRequest) -> wire.Certificates:
    """Likewise."""
    return await _renew(enrolment_channel(address, parent, ENROLMENT_OPTIONS), address, request)


async def renew_with_successor(
    address: str, above: PublicKey, place: Name, request: wire.RenewRequest
) -> wire.Certificates:
    """Likewise, to whoever the CA with the key `above` certified as the node that `place` names."""
    return await _renew(successor_channel(address, above, place, ENROLMENT_OPTIONS), address, request)


async def _renew(channel: grpc.aio.Channel, address: str, request: wire.RenewRequest) -> wire.Certificates:
    async with channel:
        try:
            answer: wire.RenewResponse = await EnrolmentServiceStub(channel).Renew(
                request, timeout=_ANSWERS_WITHIN_S
            )
        except grpc.aio.AioRpcError as error:
            raise _said(error, address) from None
        return answer.certificates


def _said(error: grpc.aio.AioRpcError, address: str) -> ZonghengError:
    if is_stranger(error.details()):
        return ZonghengError(
            "untrusted",
            f"whoever answers at {address} does not have the CA key of the parent; nothing was sent. Check the address, ask the parent for its"
            " fingerprint, and see that this machine's clock is right",
        )
    return from_rpc(error)
