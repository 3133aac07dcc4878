"""The certificate with which a node serves HTTPS: a given one, or one that it made for itself.

A node's own certificate is made once, in ``keys/https.pem`` (mode 0600, certificate and key together), good for 825 days and made again when
thirty are left. Nobody vouches for it: whoever connects compares its fingerprint with the one that the node prints at every start. It goes when
the operator gives one (``[https] certificate``, ``key``), which is read at each start and never copied.
"""

import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from federation.errors import ZonghengError

OWN: Final = "https.pem"
_GOOD_FOR: Final = timedelta(days=825)
_MADE_AGAIN: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Served:
    """A certificate ready to serve with."""

    certificate: Path
    key: Path
    fingerprint: str
    """SHA-256 of the certificate, in pairs of hexadecimal digits."""
    names: tuple[str, ...]
    """The DNS names and addresses it is good for."""
    own: bool
    """The node made it for itself."""


def given(certificate: Path, key: Path) -> Served:
    """A certificate of the operator's. ``bad_request`` when it cannot be read or the key is not its own."""
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ValueError, ssl.SSLError) as error:
        raise ZonghengError("bad_request", f"{certificate} with {key}: {error}") from error
    return Served(certificate, key, _fingerprint(loaded), _names(loaded), own=False)


def own(keys: Path, names: Sequence[str], now: datetime) -> Served:
    """The node's own certificate for these names, made when there is none that is good for them."""
    path = keys / OWN
    try:
        kept = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        kept = None
    begun = kept is not None and kept.not_valid_before_utc <= now
    if (
        kept is None
        or not begun
        or kept.not_valid_after_utc - now < _MADE_AGAIN
        or not set(names) <= set(_names(kept))
    ):
        kept = _make(path, names, now)
    return Served(path, path, _fingerprint(kept), _names(kept), own=True)


def names_here(host: str) -> tuple[str, ...]:
    """Names and addresses by which this machine is reached when it listens on ``host``."""
    parsed = _address(host.strip("[]"))
    if parsed is None:
        return (host,)
    if not parsed.is_unspecified:
        return (str(parsed),)
    found = {socket.gethostname(), "localhost"}
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family in {socket.AF_INET, socket.AF_INET6}:
                found.add(one.address.split("%")[0])
    return tuple(sorted(found))


def context(served: Served) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(served.certificate, served.key)
    return made


def _make(path: Path, names: Sequence[str], now: datetime) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    san = x509.SubjectAlternativeName(
        [
            x509.DNSName(name) if (parsed := _address(name)) is None else x509.IPAddress(parsed)
            for name in names
        ]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _GOOD_FOR)
        .add_extension(san, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    content = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    return made


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *san.get_values_for_type(x509.DNSName),
        *(str(address) for address in san.get_values_for_type(x509.IPAddress)),
    )


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
