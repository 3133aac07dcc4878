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

    @classmethod
    def new(
        cls, authority: PublicKey, enrolment: str, parent: str, node: str, tier: str, expires_at_us: int
    ) -> Self:
        """With a fresh secret."""
        invitation, secret = secrets.token_bytes(_ID_BYTES), secrets.token_bytes(_SECRET_BYTES)
        return cls(invitation, secret, authority, enrolment, parent, node, tier, expires_at_us)

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
        return cls(
            told.invitation, told.secret, authority, told.enrolment, told.parent, told.node, told.tier,
            told.expires_at_us,
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
