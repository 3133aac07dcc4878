"""A node's certificate authority: it certifies the node's own server and the nodes directly below, and nobody else.

A CA's key makes it what it is. Its subject and the DNS name of its server follow from the key alone, so that whoever knows the key, from an
invitation or from an earlier meeting, can tell its certificates and its server from all others, before and after it gets a parent:

- *anchor*: signed by itself, for the node's life. Neighbours in the tree trust each other through it.
- *authority*: the same key certified by the parent's CA. Chains of these end at the root's anchor; passports are checked along them.
- *node*: a child's TLS key, for dialling. *Server*: the own TLS key, for being dialled. Neither can serve as the other.

A certified CA may give servers only the DNS names of its own key and of its own place in the tree (RFC 5280 §4.2.1.10), so it cannot pose as its
parent's server or a sibling's. The name of the place is for the node's children, should its box be lost: whoever the CA above then certified at that
place is their parent. That names nest is checked by us, in `verified`: TLS libraries do not know the rule.

Validity is judged by the machine's clock, as TLS does; certificates begin a day before they are made, for neighbours whose clock is late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from federation.errors import ZonghengError
from federation.identity.names import Name, nest

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey
Certificate = x509.Certificate

BEGINS_BEFORE: Final = timedelta(days=1)
ANCHOR_LASTS: Final = timedelta(days=365 * 30)
DEEPEST: Final = 8
"""Most certificates in a chain: five tiers, a department, and the node's own."""


def new_key() -> PrivateKey:
    """A P-256 key: of what gRPC's TLS takes, the smallest."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def private_from_pem(pem: bytes) -> PrivateKey:
    """Inverse of `private_pem`. Raises ZonghengError `untrusted`."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise ZonghengError("untrusted", f"this is no private key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ZonghengError("untrusted", "keys of nodes are P-256 keys")
    return key


def spki(key: CertificatePublicKeyTypes) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_from_spki(der: bytes) -> PublicKey:
    """Inverse of `spki` for a P-256 key. Raises ZonghengError `untrusted`."""
    try:
        key = load_der_public_key(der)
    except ValueError as error:
        raise ZonghengError("untrusted", f"this is no public key: {error}") from error
    return p256(key)


def p256(key: object) -> PublicKey:
    """The key, if it is what nodes use. Raises ZonghengError `untrusted`."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ZonghengError("untrusted", "keys of nodes are P-256 keys")
    return key


def point(key: PublicKey) -> bytes:
    """The 33 bytes of a compressed point (SEC 1 §2.3.3)."""
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def public_from_point(raw: bytes) -> PublicKey:
    """Inverse of `point`. Raises ZonghengError `untrusted`."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError as error:
        raise ZonghengError("untrusted", f"this is no point of P-256: {error}") from error


def fingerprint(key: CertificatePublicKeyTypes) -> str:
    """What a key is known by: SHA-256 of its SubjectPublicKeyInfo, in hex."""
    return sha256(spki(key)).hexdigest()


def server_name(key: PublicKey) -> str:
    """DNS name of the server of the node whose CA key this is. No name server knows it."""
    return f"{fingerprint(key)[:40]}.zongheng.internal"


def place_name(name: Name) -> str:
    """DNS name of the server of whoever is this node, with whatever key. No name server knows it."""
    return f"{sha256(f'{name.kind}/{name.node}'.encode()).hexdigest()[:40]}.place.zongheng.internal"


def _subject(key: PublicKey) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"zongheng authority {fingerprint(key)[:16]}")])


def bare_anchor(key: PublicKey, at: datetime) -> Certificate:
    """A CA known by its key alone, in the container that TLS libraries take trust anchors in.

    A trust anchor is a name and a key (RFC 5280 §6.1.1 d); nobody checks the signature on it, and this one is by a key that is thrown away.
    """
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(key))
        .issuer_name(_subject(key))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BEGINS_BEFORE)
        .not_valid_after(at + ANCHOR_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .sign(new_key(), SHA256())
    )


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA: its key, its anchor, and what its parent certified, lowest first up to the root's anchor; that is the anchor alone while
    there is no parent.
    """

    key: PrivateKey
    anchor: Certificate
    chain: tuple[Certificate, ...]

    @classmethod
    def founded(cls, name: Name, at: datetime, key: PrivateKey | None = None) -> Self:
        """A new CA of a node without a parent."""
        key = key or new_key()
        public = key.public_key()
        anchor = _certificate(key, public, _subject(public), name, at, ANCHOR_LASTS, ca=True)
        return cls(key, anchor, (anchor,))

    @property
    def name(self) -> Name:
        """The node's name, as it is certified now."""
        return name_in(self.chain[0])

    @property
    def public_key(self) -> PublicKey:
        return self.key.public_key()

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        """Certificates of this very CA, the newest name first."""
        return (self.chain[0], self.anchor)

    def certify_node(self, key: PublicKey, name: Name, at: datetime, lasts: timedelta) -> Certificate:
        """For a child's TLS key. Raises ZonghengError `untrusted` for a name that is not directly below."""
        nest([name, self.name])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"zongheng node {name.node}")])
        return self._sign(key, subject, name, at, lasts, usage=ExtendedKeyUsageOID.CLIENT_AUTH)

    def certify_authority(self, key: PublicKey, name: Name, at: datetime, lasts: timedelta) -> Certificate:
        """For a child's CA key. Raises ZonghengError `untrusted` for a name that is not directly below."""
        if not self.name.is_directly_above(name):
            raise ZonghengError("untrusted", f"the CA of {self.name} may not name {name}")
        servers = (server_name(key), place_name(name))
        return self._sign(key, _subject(key), name, at, lasts, ca=True, servers=servers)

    def certify_server(self, key: PublicKey, at: datetime, lasts: timedelta) -> Certificate:
        """For the own TLS key."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"zongheng server {self.name.node}")])
        usage, servers = (
            ExtendedKeyUsageOID.SERVER_AUTH,
            (server_name(self.public_key), place_name(self.name)),
        )
        return self._sign(key, subject, self.name, at, lasts, usage=usage, servers=servers)

    def _sign(
        self,
        key: PublicKey,
        subject: x509.Name,
        name: Name,
        at: datetime,
        lasts: timedelta,
        *,
        ca: bool = False,
        usage: x509.ObjectIdentifier | None = None,
        servers: Sequence[str] = (),
    ) -> Certificate:
        return _certificate(self.key, key, subject, name, at, lasts, ca=ca, usage=usage, servers=servers)


def _certificate(
    signer: PrivateKey,
    key: PublicKey,
    subject: x509.Name,
    name: Name,
    at: datetime,
    lasts: timedelta,
    *,
    ca: bool = False,
    usage: x509.ObjectIdentifier | None = None,
    servers: Sequence[str] = (),
) -> Certificate:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(str(name))]
    hosts = [x509.DNSName(server) for server in servers]
    if not ca:
        names += hosts
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_subject(signer.public_key()))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BEGINS_BEFORE)
        .not_valid_after(at + lasts)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not ca,
                key_cert_sign=ca,
                crl_sign=ca,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if usage is not None:
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if ca and hosts:
        made = made.add_extension(x509.NameConstraints(hosts, None), critical=True)
    return made.sign(signer, SHA256())


def name_in(certificate: Certificate) -> Name:
    """The node that a certificate names. Raises ZonghengError `untrusted` when it names none, or several."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, ValueError) as error:
        raise ZonghengError("untrusted", f"the certificate names no node: {error}") from error
    if len(uris) != 1:
        raise ZonghengError("untrusted", f"the certificate names {len(uris)} nodes")
    return Name.parse(uris[0])


def verified(
    leaf: Certificate, above: Sequence[Certificate], anchors: Sequence[Certificate], at: datetime
) -> Name:
    """The name of `leaf`, if a chain leads from it through `above` to the CA that `anchors` are certificates of.

    Each certificate is signed by the next, none has run out or not begun at `at`, all but the first are CAs, and the names nest. Raises
    ZonghengError `untrusted`. Which key the node ought to have, this does not know.
    """
    trusted = anchors[0].public_key()
    path = [leaf]
    while (issuer := _issuer(path[-1], anchors)) is None:
        issuer = _issuer(path[-1], above)
        if issuer is None or len(path) > DEEPEST:
            raise ZonghengError(
                "untrusted", f"{_said(leaf)} is not certified by the CA {fingerprint(trusted)}"
            )
        path.append(issuer)
    for certificate in path:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise ZonghengError(
                "untrusted",
                f"{_said(certificate)} holds from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} to"
                f" {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, and it is {at:%Y-%m-%d %H:%M}",
            )
    if not all(_is_ca(certificate) for certificate in path[1:]):
        raise ZonghengError("untrusted", f"{_said(leaf)} is signed by one that is no CA")
    names = [name_in(certificate) for certificate in path]
    # A CA that got a parent, or another one, is known by more than one name for a while.
    tops = [name_in(anchor) for anchor in anchors]
    nest(
        [*names, next((top for top in tops if top.is_directly_above(names[-1]) or top == names[-1]), tops[0])]
    )
    return names[0]


def _issuer(certificate: Certificate, among: Sequence[Certificate]) -> Certificate | None:
    for candidate in among:
        if candidate.subject == certificate.issuer and candidate is not certificate:
            try:
                certificate.verify_directly_issued_by(candidate)
            except (ValueError, TypeError, InvalidSignature):
                continue
            return candidate
    return None


def _is_ca(certificate: Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, ValueError):
        return False


def _said(certificate: Certificate) -> str:
    try:
        return f"the certificate of {name_in(certificate)}"
    except ZonghengError:
        return "a certificate without a name"
