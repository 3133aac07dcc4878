"""The node's keys and certificates in its folder, and the identity that they make.

`keys/` (mode 0700, files 0600): `tls.key`, `authority.key`, `sealing.key`, beside the journal's and the vault's. They are made here, with the
node, and never leave it. `certificates/` holds nothing secret, as PEM: `anchor.pem`, the own CA as it signed itself; and of a parent's child `node.pem`
and `authority.pem`, what the parent certified with the chain up to the root behind it, and `parent.pem`, the parent's CA. Files are put in place as
wholes. Killed between two of them a node may hold a chain that does not fit its parent: `zongheng join` asked again gives it the rest.

Certificates are judged by the machine's clock, whatever the node's own clock was started at: TLS knows no other.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation.errors import ZonghengError
from federation.identity.authority import (
    Authority,
    Certificate,
    new_key,
    private_from_pem,
    private_pem,
)
from federation.identity.credentials import Identity
from federation.identity.enrolment import Keys
from federation.identity.membership import Membership, from_pem, pem
from federation.identity.names import DEPARTMENT, Name
from node.config import NodeSettings, read_secret, write_secret
from node.config import replace as put_in_place

Clock = Callable[[], datetime]
"""The machine's clock, UTC."""

_TLS: Final = "tls.key"
_AUTHORITY: Final = "authority.key"
_SEALING: Final = "sealing.key"


def machine_clock() -> datetime:
    return datetime.now(UTC)


class KeyRing:
    """Keys and certificates of one node. Make it with `open`."""

    def __init__(
        self, folder: Path, settings: NodeSettings, keys: Keys, identity: Identity, clock: Clock
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self.keys = keys
        self.identity = identity
        """What the node is by its keys now; replaced as a whole."""

    @classmethod
    def open(cls, folder: Path, settings: NodeSettings, clock: Clock = machine_clock) -> "KeyRing":
        """Read them, or make them where the node has none yet. Raises ZonghengError `not_found` when some are missing."""
        place = folder / "keys"
        if not any((place / name).exists() for name in (_TLS, _AUTHORITY, _SEALING)):
            _make(place)
        keys = Keys(
            private_from_pem(read_secret(place / _TLS)),
            private_from_pem(read_secret(place / _AUTHORITY)),
            X25519PrivateKey.from_private_bytes(read_secret(place / _SEALING)),
        )
        certificates = folder / "certificates"
        certificates.mkdir(exist_ok=True, mode=0o700)
        own = certificates / "anchor.pem"
        if own.exists():
            (anchor,) = from_pem(own.read_bytes())
            authority = Authority(keys.authority, anchor, (anchor,))
        else:
            authority = Authority.founded(own_name(settings), clock(), keys.authority)
            put_in_place(own, pem(authority.anchor))
        membership = _membership(certificates)
        if membership is not None:
            authority = replace(authority, chain=(membership.authority, *membership.chain))
        server = _server(settings, keys, authority, clock())
        return cls(folder, settings, keys, Identity(keys.tls, authority, server, membership), clock)

    def adopt(self, membership: Membership) -> None:
        """Take on what the parent certified; it is checked already. Durable when this returns."""
        certificates = self._folder / "certificates"
        put_in_place(certificates / "parent.pem", pem(membership.anchor))
        put_in_place(certificates / "authority.pem", pem(membership.authority, *membership.chain))
        put_in_place(certificates / "node.pem", pem(membership.node, *membership.chain))
        authority = replace(self.identity.authority, chain=(membership.authority, *membership.chain))
        server = _server(self._settings, self.keys, authority, self._clock())
        self.identity = Identity(self.keys.tls, authority, server, membership)

    def certify_server_again(self) -> None:
        """Give the own server a fresh certificate; connections that stand keep theirs."""
        server = _server(self._settings, self.keys, self.identity.authority, self._clock())
        self.identity = replace(self.identity, server=server)


def own_name(settings: NodeSettings) -> Name:
    """The name a node gives itself, before any parent does."""
    name = Name.root(settings.tier, settings.division)
    return name.child(DEPARTMENT, settings.node) if settings.kind == DEPARTMENT else name


def _make(place: Path) -> None:
    write_secret(place / _TLS, private_pem(new_key()))
    write_secret(place / _AUTHORITY, private_pem(new_key()))
    sealing = X25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    write_secret(place / _SEALING, sealing)


def _server(settings: NodeSettings, keys: Keys, authority: Authority, at: datetime) -> Certificate:
    return authority.certify_server(keys.tls.public_key(), at, timedelta(days=settings.certificate_days))


def _membership(certificates: Path) -> Membership | None:
    try:
        node, *chain = from_pem((certificates / "node.pem").read_bytes())
        authority = from_pem((certificates / "authority.pem").read_bytes())[0]
        (anchor,) = from_pem((certificates / "parent.pem").read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ZonghengError(
            "not_found", f"{certificates} holds something else than this node wrote: join the parent again"
        ) from error
    return Membership(node, authority, tuple(chain), anchor)
