"""What a parent gave its child: certificates for both its keys, the chain up to the root, and the parent's anchor.

A child believes nothing of it that it cannot check against the one thing it knew before: the parent's CA key, from the invitation or from
the enrolment. A membership that checks is kept as a whole and replaces the one before. Where the parent's box was replaced, the CA above it, known from
the chain, says who is in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from zongheng.v1 import identity_pb2 as wire

from federation.errors import ZonghengError
from federation.identity.authority import (
    BEGINS_BEFORE,
    DEEPEST,
    Certificate,
    PublicKey,
    fingerprint,
    name_in,
    p256,
    verified,
)
from federation.identity.names import Name

_LARGEST: Final = 16_384


@dataclass(frozen=True, slots=True)
class Membership:
    """A child's place in the tree."""

    node: Certificate
    """For the TLS key."""
    authority: Certificate
    """For the own CA key."""
    chain: tuple[Certificate, ...]
    """From the parent's CA up to the root's anchor."""
    anchor: Certificate
    """The parent's CA as it signed itself."""

    @property
    def name(self) -> Name:
        return name_in(self.node)

    @property
    def parent_key(self) -> PublicKey:
        return p256(self.anchor.public_key())

    @property
    def root_key(self) -> PublicKey:
        return p256(self.chain[-1].public_key())

    @property
    def expires(self) -> datetime:
        """UTC; the earlier of the two."""
        return min(self.node.not_valid_after_utc, self.authority.not_valid_after_utc)

    @property
    def issued(self) -> datetime:
        """UTC."""
        return self.node.not_valid_before_utc + BEGINS_BEFORE

    def age(self, at: datetime) -> float:
        """How much of its life is over at an instant: 0 when it was issued, 1 when it runs out."""
        return (at - self.issued) / (self.expires - self.issued)

    @property
    def above_parent(self) -> PublicKey | None:
        """The CA key of the node above the parent; None: the parent is the root."""
        return p256(self.chain[1].public_key()) if len(self.chain) > 1 else None

    def succeeded(self, told: "Membership", at: datetime) -> PublicKey:
        """The CA key of the parent's new box, by what that box says. Raises ZonghengError `untrusted` unless the CA above certified it as this
        parent, later than the box before: whoever has the old box's keys is not taken for the new one.
        """
        if len(self.chain) < 2:
            raise ZonghengError("untrusted", "nobody is above the parent who could say who is in its place")
        before, after = self.chain[0], told.chain[0]
        name, known = verified(after, told.chain[1:], [self.chain[1]], at), name_in(before)
        if (name.node, name.kind) != (known.node, known.kind):
            raise ZonghengError("untrusted", f"the CA above named {name}, and the parent is {known}")
        if after.not_valid_before_utc <= before.not_valid_before_utc:
            raise ZonghengError("untrusted", f"the certificate of {name} is not newer than the one before")
        return p256(after.public_key())

    def to_wire(self) -> wire.Certificates:
        return wire.Certificates(
            node=der(self.node),
            authority=der(self.authority),
            chain=[der(certificate) for certificate in self.chain],
            anchor=der(self.anchor),
        )

    @classmethod
    def from_wire(cls, told: wire.Certificates) -> Self:
        """Inverse of `to_wire`; nothing of it is checked. Raises ZonghengError `untrusted` for what is no certificate."""
        if not 1 <= len(told.chain) <= DEEPEST:
            raise ZonghengError(
                "untrusted", f"a chain has 1 to {DEEPEST} certificates, not {len(told.chain)}"
            )
        return cls(
            from_der(told.node),
            from_der(told.authority),
            tuple(from_der(one) for one in told.chain),
            from_der(told.anchor),
        )

    def check(
        self,
        parent: PublicKey,
        tls_key: PublicKey,
        authority_key: PublicKey,
        node: str,
        kind: str,
        at: datetime,
    ) -> None:
        """Raise ZonghengError `untrusted` unless it comes from the parent with that CA key and is for this node and its keys."""
        if fingerprint(self.anchor.public_key()) != fingerprint(parent):
            raise ZonghengError(
                "untrusted", "the certificates come from another parent than the one that was asked"
            )
        for certificate, key in ((self.node, tls_key), (self.authority, authority_key)):
            if fingerprint(certificate.public_key()) != fingerprint(key):
                raise ZonghengError("untrusted", "the parent certified a key that is not this node's")
        if fingerprint(self.chain[0].public_key()) != fingerprint(parent):
            raise ZonghengError("untrusted", "the chain does not begin with the parent")
        root = self.chain[-1]
        for leaf in (self.node, self.authority):
            name = verified(leaf, self.chain[:-1], [root], at)
            if (name.node, name.kind) != (node, kind):
                raise ZonghengError(
                    "untrusted", f"the parent certified {name}, and this is the {kind} {node}"
                )


def digest(chain: Sequence[Certificate]) -> bytes:
    """SHA-256 of a chain's certificates, one after the other."""
    return sha256(b"".join(der(certificate) for certificate in chain)).digest()


def der(certificate: Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def pem(*certificates: Certificate) -> bytes:
    """One after the other, as TLS libraries and `openssl` read them."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def from_der(raw: bytes) -> Certificate:
    """Raises ZonghengError `untrusted` for what is no certificate."""
    if len(raw) > _LARGEST:
        raise ZonghengError("untrusted", f"a certificate has at most {_LARGEST} bytes")
    try:
        return x509.load_der_x509_certificate(raw)
    except ValueError as error:
        raise ZonghengError("untrusted", f"this is no certificate: {error}") from error


def from_pem(raw: bytes) -> list[Certificate]:
    """Raises ZonghengError `untrusted` for what holds anything but certificates."""
    if len(raw) > _LARGEST * DEEPEST:
        raise ZonghengError("untrusted", "a chain is not as long as that")
    try:
        return x509.load_pem_x509_certificates(raw)
    except ValueError as error:
        raise ZonghengError("untrusted", f"these are no certificates: {error}") from error
