"""An invitation: what a parent hands its future child, out of band, as one line of text.

It holds the parent's CA key, so the joiner can tell the parent from everybody else before it sends a byte, and a secret that the parent will
know again. The parent keeps only the secret's digest: who reads its store cannot use an invitation.
"""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from google.protobuf.message import DecodeError
from zongheng.v1 import identity_pb2 as wire

from federation.errors import ZonghengError
from federation.identity.authority import PublicKey, point, public_from_point

_PREFIX: Final = "zongheng-1."
_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 16
_LONGEST: Final = 2_000
_EVERYWHERE: Final = ("0.0.0.0", "[::]", "")


@dataclass(frozen=True, slots=True)
class Replaced:
    """A node whose box is replaced, as its parent knows it."""

    log_id: str
    tier: str
    """Of a department the tier of the node that it is below."""
    name: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """A token, read."""

    invitation: bytes
    secret: bytes
    authority: PublicKey
    """The parent's CA key."""
    enrolment: str
    """"host:port" where the parent enrols."""
    parent: str
    node: str
    tier: str
    """A tier, or `department`."""
    expires_at_us: int
    replaces: Replaced | None = None
    """Of an invitation for a new box of a node that is enrolled: who it was."""

    @classmethod
    def new(
        cls,
        authority: PublicKey,
        enrolment: str,
        parent: str,
        node: str,
        tier: str,
        expires_at_us: int,
        replaces: Replaced | None = None,
    ) -> Self:
        """With a fresh secret."""
        invitation, secret = secrets.token_bytes(_ID_BYTES), secrets.token_bytes(_SECRET_BYTES)
        return cls(invitation, secret, authority, enrolment, parent, node, tier, expires_at_us, replaces)

    @property
    def id(self) -> str:
        """Hex."""
        return self.invitation.hex()

    @property
    def digest(self) -> bytes:
        """What the parent keeps of the secret."""
        return sha256(self.secret).digest()

    def __str__(self) -> str:
        """The token."""
        message = wire.Token(
            invitation=self.invitation,
            secret=self.secret,
            authority=point(self.authority),
            enrolment=self.enrolment,
            parent=self.parent,
            node=self.node,
            tier=self.tier,
            expires_at_us=self.expires_at_us,
        )
        if self.replaces is not None:
            message.replaces.log_id = self.replaces.log_id
            message.replaces.tier = self.replaces.tier
            message.replaces.name = self.replaces.name
        return _PREFIX + base64.urlsafe_b64encode(message.SerializeToString()).decode().rstrip("=")

    @classmethod
    def parse(cls, token: str) -> Self:
        """Inverse of `str`. Raises ZonghengError `invitation`."""
        body = token.strip().removeprefix(_PREFIX)
        try:
            if not token.strip().startswith(_PREFIX) or len(body) > _LONGEST:
                raise ValueError("it does not begin as one")
            raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            told = wire.Token.FromString(raw)
            authority = public_from_point(told.authority)
        except (ValueError, binascii.Error, DecodeError, ZonghengError) as error:
            raise ZonghengError(
                "invitation", f"this is not a token as `zongheng invite` prints it: copy it whole ({error})"
            ) from error
        before = told.replaces
        replaces = Replaced(before.log_id, before.tier, before.name) if told.HasField("replaces") else None
        return cls(
            told.invitation, told.secret, authority, told.enrolment, told.parent, told.node, told.tier,
            told.expires_at_us, replaces,
        )  # fmt: skip

    def enrolment_at(self, parent: str) -> str:
        """Where to enrol, given "host:port" at which the joiner reaches the parent's link: the same host unless the parent listens for enrolment
        at an address of its own.
        """
        host, _, port = self.enrolment.rpartition(":")
        way = parent.rpartition(":")[0]
        return f"{way if host in _EVERYWHERE else host}:{port}"


def is_secret(secret: bytes, digest: bytes) -> bool:
    """Whether this is the secret with that digest, in constant time."""
    return hmac.compare_digest(sha256(secret).digest(), digest)
