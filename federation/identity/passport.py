"""A node's passport: who it is, which key signs its journal, which key opens what is sealed to it.

Ancestors and descendants that never talk to each other need this: a complaint about the town is sealed to the county's key, and a county gives
its word on the village's journal. The node's TLS key signs the statement, the CAs above it say whose key that is. So the passport is worth
as much as the CAs on the way from the node to whoever reads it: it does not say that the node is enrolled still, which its parent alone
knows.

It is checked at the instant it arrives; what was right then is kept, for certificates run out and a sealed letter must still find its reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from google.protobuf.message import DecodeError
from zongheng.v1 import passport_pb2 as wire
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.authority import DEEPEST, Certificate, fingerprint, name_in, p256, verified
from federation.identity.credentials import Identity
from federation.identity.membership import der, from_der
from federation.identity.names import Name
from federation.journal.checkpoint import CheckpointError, Verifier, parse_log_id

LARGEST: Final = 16_384
"""Most bytes of a passport."""

_CONTEXT: Final = b"zongheng passport 1\n"
_SEALING_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a checked passport is about."""

    name: Name
    tier: str
    title: str
    """The node's name, for people."""
    log_id: str
    verifier: str
    """C2SP vkey of its journal key."""
    sealing_key: bytes
    """Raw X25519 public key."""
    tls_key: str
    """SHA-256 of its TLS key's SubjectPublicKeyInfo, in hex."""
    issued_at_us: int

    @property
    def node(self) -> str:
        return self.name.node


def issue(identity: Identity, card: NodeCard, sealing_key: bytes, at_us: int) -> bytes:
    """The passport of the node with this identity, serialised."""
    statement = wire.PassportStatement(
        node=card.node,
        tier=card.tier,
        name=card.name,
        log_id=card.log_id,
        verifier=card.verifier,
        sealing_key=sealing_key,
        issued_at_us=at_us,
    ).SerializeToString()
    signature = identity.tls_key.sign(_CONTEXT + statement, ec.ECDSA(SHA256()))
    member = identity.membership
    # A root vouches for itself: its server's certificate is of its own CA.
    chain = (identity.server, *identity.authority.chain) if member is None else (member.node, *member.chain)
    passport = wire.Passport(statement=statement, signature=signature, chain=[der(one) for one in chain])
    return passport.SerializeToString()


def check(passport: bytes, trusted: Sequence[Sequence[Certificate]], at: datetime) -> Holder:
    """Who it is about, if a chain leads from it to one of the trusted CAs, each given by its certificates.

    Raises ZonghengError `untrusted`.
    """
    if len(passport) > LARGEST:
        raise ZonghengError("untrusted", f"a passport has at most {LARGEST} bytes")
    try:
        read = wire.Passport.FromString(passport)
        told = wire.PassportStatement.FromString(read.statement)
    except DecodeError as error:
        raise ZonghengError("untrusted", "this is no passport") from error
    if not 2 <= len(read.chain) <= DEEPEST:
        raise ZonghengError("untrusted", "a passport shows the way from its node to the root")
    leaf, *above = (from_der(one) for one in read.chain)
    name = _named(leaf, above, trusted, at)
    key = p256(leaf.public_key())
    try:
        key.verify(read.signature, _CONTEXT + read.statement, ec.ECDSA(SHA256()))
        verifier = Verifier.parse(told.verifier)
        writes = parse_log_id(told.log_id).node
    except InvalidSignature as error:
        raise ZonghengError("untrusted", f"the passport of {name} is not signed by its key") from error
    except CheckpointError as error:
        raise ZonghengError("untrusted", f"the passport of {name}: {error}") from error
    holder = _holder(told, leaf)
    if not told.node == writes == name.node or verifier.name != told.log_id:
        raise ZonghengError(
            "untrusted", f"the passport of {name} speaks of {told.node} and the journal {told.log_id}"
        )
    if len(told.sealing_key) != _SEALING_BYTES:
        raise ZonghengError("untrusted", f"the passport of {name} has no sealing key")
    return holder


def read_again(passport: bytes) -> Holder:
    """Who a passport is about that was checked before."""
    read = wire.Passport.FromString(passport)
    return _holder(wire.PassportStatement.FromString(read.statement), from_der(read.chain[0]))


def _holder(told: wire.PassportStatement, leaf: Certificate) -> Holder:
    return Holder(
        name_in(leaf),
        told.tier,
        told.name,
        told.log_id,
        told.verifier,
        told.sealing_key,
        fingerprint(leaf.public_key()),
        told.issued_at_us,
    )


def _named(
    leaf: Certificate, above: Sequence[Certificate], trusted: Sequence[Sequence[Certificate]], at: datetime
) -> Name:
    refused = ZonghengError("untrusted", "nobody is trusted")
    for anchors in trusted:
        try:
            return verified(leaf, above, anchors, at)
        except ZonghengError as error:
            refused = error
    raise refused
