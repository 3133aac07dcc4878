"""The child's side of its membership: becoming a child, and staying one.

Joining asks the parent named by an invitation, believes nothing that the parent's CA key does not bear out, writes the certificates down, then where the parent is,
then an entry. Killed in between, or without an answer: the same command asks again and gets the same answer, for the keys are the same.

Certificates are renewed in the background through the parent's enrolment port, long before they run out; where that failed for so long that they
did, the port still hears the node, for it proves the key that is registered. The link is dialled again with what is new; nothing is restarted.

When whoever answers there does not have the parent's CA key, the parent's box may have been replaced: the node asks once more, in the name of the CA above its
parent. That it has another parent's key from then on is an entry, as joining is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.identity_pb2 import (
    ENROLMENT_STATE_ENROLLED,
    Certificates,
    EnrolRequest,
    EnrolResponse,
    Joined,
    RenewRequest,
)
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.authority import BEGINS_BEFORE, Certificate, PublicKey, fingerprint, name_in
from federation.identity.enrolment import ask, enrol, renew, renew_with_successor, renewal
from federation.identity.invitation import Invitation
from federation.identity.membership import Membership
from federation.identity.names import Name
from node import config
from node.config import NodeSettings
from node.keyring import Clock, KeyRing
from node.store.errors import StoreSealed

log = structlog.get_logger()

LOOKS_EVERY_S: Final = 3_600.0
"""How often a node looks whether its certificates are to be renewed."""

_TRIES: Final = 20
"""A renewal that failed is tried again after a twentieth of the time that the certificate still has, but"""
_SOONEST_S: Final = 1.0
_LATEST_S: Final = 3_600.0

Enter = Callable[[list[Entry]], Awaitable[list[int]]]
Enrol = Callable[[str, PublicKey, EnrolRequest], Awaitable[EnrolResponse]]
Renew = Callable[[str, PublicKey, RenewRequest], Awaitable[Certificates]]
RenewWithSuccessor = Callable[[str, PublicKey, Name, RenewRequest], Awaitable[Certificates]]


class Joining:
    """Joins a parent and keeps the certificates fresh. One to a node."""

    def __init__(
        self,
        folder: Path,
        settings: NodeSettings,
        keyring: KeyRing,
        card: Callable[[], NodeCard],
        enter: Enter,
        clock: Clock,
        joined: Callable[[bool], None],
        enrol: Enrol = enrol,
        renew: Renew = renew,
        renew_with_successor: RenewWithSuccessor = renew_with_successor,
    ) -> None:
        """``joined`` is told when there is a parent to dial, or new certificates to dial it with, and whether children should know of it at once;
        ``enrol``, ``renew`` and ``renew_with_successor`` speak to a parent.
        """
        self._folder = folder
        self._settings = settings
        self._keyring = keyring
        self._card = card
        self._enter = enter
        self._clock = clock
        self._joined = joined
        self._enrol, self._renew, self._renew_with_successor = enrol, renew, renew_with_successor
        self._turn = asyncio.Lock()
        self._bell = asyncio.Event()
        self._stale = False

    async def join(self, parent: str, token: str) -> bool:
        """Become the child of the parent whose link is at ``parent``, "host:port"; false: an operator there must approve first.

        Raises ZonghengError `invitation`, `untrusted`, `unreachable`, or what the parent refuses with.
        """
        invitation = Invitation.parse(token)
        at = invitation.enrolment_at(parent)
        async with self._turn:
            member = await self.admitted(at, invitation)
            if member is None:
                return False
            config.set_parent(self._folder, parent, at)
            self._settings.parent, self._settings.parent_enrolment = parent, at
            await self._say(member)
        log.info("node.joined", parent=member.name.above.node, address=parent, name=str(member.name))
        # The certificates may be short ones.
        self._bell.set()
        self._joined(True)
        return True

    async def admitted(self, at: str, invitation: Invitation) -> Membership | None:
        """Enrol with the keys that are here at the parent's "host:port", and keep what it certifies; None: an operator there must approve
        first. Raises as `join`.
        """
        self._check(invitation)
        answer = await self._enrol(
            at, invitation.authority, ask(invitation, self._card(), self._keyring.keys)
        )
        if answer.state != ENROLMENT_STATE_ENROLLED:
            return None
        member = self._checked(answer.certificates, invitation.authority)
        self._keyring.adopt(member)
        return member

    async def run(self) -> None:
        """Renew whenever it is time, until cancelled."""
        while True:
            self._bell.clear()
            rest_s = await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._bell.wait()
            if self._stale:
                self._stale = False
                await self._renew_now()

    def renew_soon(self) -> None:
        """The parent's certificates are others than this node was given."""
        self._stale = True
        self._bell.set()

    async def _renew_now(self) -> None:
        try:
            await self.renew()
        except ZonghengError as error:
            log.warning("renewal.failed", code=error.code, words=error.detail)

    async def look(self) -> float:
        """Renew what is due; returns the seconds until the next look."""
        identity = self._keyring.identity
        if self._clock() >= self._due(identity.server):
            self._keyring.certify_server_again()
        server_s = max(self._left_s(self._keyring.identity.server), _SOONEST_S)
        member = identity.membership
        left_s = self._left_s(member.node) if member is not None else LOOKS_EVERY_S
        if member is None or left_s > 0:
            return min(left_s, server_s, LOOKS_EVERY_S)
        try:
            await self.renew()
        except ZonghengError as error:
            log.warning(
                "renewal.failed", code=error.code, words=error.detail, expires=member.expires.isoformat()
            )
            still_s = (member.expires - self._clock()).total_seconds()
            return min(max(still_s / _TRIES, _SOONEST_S), server_s, _LATEST_S)
        return _SOONEST_S

    async def renew(self) -> None:
        """Have the certificates renewed now. Raises ZonghengError when the parent does not."""
        async with self._turn:
            member, at = self._keyring.identity.membership, self._settings.parent_enrolment
            if member is None or at is None:
                raise ZonghengError(
                    "not_enrolled", "this node has no parent that could renew its certificates"
                )
            request = renewal(self._settings.node, self._keyring.keys)
            try:
                told = await self._renew(at, member.parent_key, request)
            except ZonghengError as error:
                if error.code != "untrusted":
                    raise
                fresh = await self._succeeded(at, member, request, error)
            else:
                fresh = self._checked(told, member.parent_key)
            succeeded = fingerprint(fresh.parent_key) != fingerprint(member.parent_key)
            if succeeded:
                await self._say(
                    fresh
                )  # first: killed after it, the same certificates come again, and the same entry
            if fresh != member:
                self._keyring.adopt(fresh)
        log.info("certificates.renewed", expires=fresh.expires.isoformat())
        if fresh != member:
            self._joined(succeeded or fresh.chain[-1] != member.chain[-1])

    async def _succeeded(
        self, at: str, member: Membership, request: RenewRequest, refused: ZonghengError
    ) -> Membership:
        """What the parent's new box certifies, if it is one. Raises ``refused`` where nobody there was certified in the parent's place."""
        above = member.above_parent
        if above is None:
            raise refused  # the parent is the root: a person says who it is now
        try:
            told = await self._renew_with_successor(at, above, name_in(member.chain[0]), request)
        except ZonghengError as error:
            raise (refused if error.code == "untrusted" else error) from None
        key = member.succeeded(Membership.from_wire(told), self._clock())
        fresh = self._checked(told, key)
        log.warning(
            "parent.replaced", parent=name_in(fresh.chain[0]).node, before=fingerprint(member.parent_key), authority=fingerprint(key),
        )  # fmt: skip
        return fresh

    async def _say(self, member: Membership) -> None:
        """Enter whose child this node is from now on."""
        try:
            await self._enter([_entry(member)])
        except StoreSealed:
            # Put back from a backup: the parent's own entry says that it was enrolled again.
            log.warning("node.joined_sealed", name=str(member.name))

    def _left_s(self, certificate: Certificate) -> float:
        return (self._due(certificate) - self._clock()).total_seconds()

    def _due(self, certificate: Certificate) -> datetime:
        issued = certificate.not_valid_before_utc + BEGINS_BEFORE
        life = certificate.not_valid_after_utc - issued
        return issued + min(timedelta(days=self._settings.renew_from_day), life / 3)

    def _check(self, invitation: Invitation) -> None:
        settings = self._settings
        if (invitation.node, invitation.tier) != (settings.node, settings.kind):
            raise ZonghengError(
                "invitation",
                f"this token is for the {invitation.tier} {invitation.node}, and this is the {settings.kind} {settings.node}",
            )
        member = self._keyring.identity.membership
        # The same node with another key is its new box: whoever brings the token vouches for it.
        if member is not None and name_in(member.chain[0]).node != invitation.parent:
            raise ZonghengError(
                "bad_request",
                f"this node is the child of {name_in(member.chain[0]).node} already, and a journal rises to one parent",
            )

    def _checked(self, told: Certificates, parent: PublicKey) -> Membership:
        member = Membership.from_wire(told)
        keys, settings = self._keyring.keys, self._settings
        member.check(
            parent,
            keys.tls.public_key(),
            keys.authority.public_key(),
            settings.node,
            settings.kind,
            self._clock(),
        )
        return member


def _entry(member: Membership) -> Entry:
    joined = Joined(
        parent=name_in(member.chain[0]).node,
        parent_tier=name_in(member.chain[0]).kind,
        parent_authority=fingerprint(member.parent_key),
        root_authority=fingerprint(member.root_key),
        name=str(member.name),
    )
    return Entry(source="membership", serial=f"{member.node.serial_number:x}", joined=joined)
