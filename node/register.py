"""The parent's register of children: whom it invited, who came, with which keys, and who is not welcome any more.

Every change is an entry of the journal, and the register's row is written in the entry's own transaction: killed anywhere, both are there or neither.
A child is known by its public key. The certificate only lets it in as far as the register; whose key is not the registered one, or is revoked,
goes no further, however good its certificate. Revoking says so in the journal, ends the child's live link, and holds for whoever copied the key.

Invitations expire by the node's own clock, certificates by the machine's (`keyring`).
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import structlog
from zongheng.v1 import identity_pb2 as wire
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.identity_pb2 import (
    ENROLMENT_STATE_ENROLLED,
    ENROLMENT_STATE_REVOKED,
    ENROLMENT_STATE_WAITING,
    Enrolled,
    Invited,
    Renewed,
    Revoked,
)
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.authority import PublicKey, fingerprint, public_from_spki, spki
from federation.identity.enrolment import Asked
from federation.identity.invitation import Invitation, Replaced, is_secret
from federation.identity.membership import Membership
from federation.identity.names import DEPARTMENT
from federation.identity.peer import peer_of
from federation.journal.checkpoint import CheckpointError, Verifier, parse_log_id
from federation.journal.rotation import led_to
from node.config import NodeSettings
from node.keyring import Clock, KeyRing
from node.mending.renewed import follows, renamed
from node.store.drafts import Beside, Draft
from node.store.former_keys import FormerKey
from node.store.rows import ChildRow, InvitationRow
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.wallclock import Now, instant
from tiers.division import Division, MalformedDivision
from tiers.tier import UnknownTier, may_parent, tier_named

log = structlog.get_logger()

LONGEST_TTL_S: Final = 30 * 86_400

_FRESH: Final = 1 / 6
"""A certificate in the first sixth of its life is given again rather than made anew: renewals that are repeated make no entries."""


class Register:
    """Registrar of enrolments and gate of links, over one node's store."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        keyring: KeyRing,
        settings: NodeSettings,
        card: Callable[[], NodeCard],
        now: Now,
        clock: Clock,
        dismiss: Callable[[str, ZonghengError], None] = lambda node, error: None,
    ) -> None:
        """``dismiss`` ends a child's link, with what it is to be told."""
        self._store = store
        self._writer = writer
        self._keyring = keyring
        self._settings = settings
        self._card = card
        self._now = now
        self._clock = clock
        self._dismiss = dismiss
        self._turn = asyncio.Lock()

    async def invite(
        self,
        node: str,
        kind: str,
        ttl_s: float,
        *,
        approval: bool = False,
        replaces: bool = False,
        by: str = "",
    ) -> Invitation:
        """Invite one node. Raises ZonghengError `bad_request` for one that cannot be a child here."""
        kind = self._fit(node, kind)
        if not 0 < ttl_s <= LONGEST_TTL_S:
            raise ZonghengError("bad_request", "an invitation holds for at most 30 days")
        expires_at_us = self._now() + int(ttl_s * 1_000_000)
        authority = self._keyring.identity.authority.public_key
        before = await self._known(node) if replaces else None
        given = Invitation.new(
            authority,
            self._settings.enrolment_address,
            self._settings.node,
            node,
            kind,
            expires_at_us,
            Replaced(before.log_id, before.tier, before.name) if before is not None else None,
        )
        row = InvitationRow(given.id, given.digest, node, kind, approval, replaces, expires_at_us, b"")
        invited = Invited(
            invitation=given.id, node=node, tier=kind, expires_at_us=expires_at_us, approval=approval, replaces=replaces, by=by,
        )  # fmt: skip
        async with self._turn:
            known = await self._known(node)
            enrolled = known is not None and known.state == ENROLMENT_STATE_ENROLLED
            if enrolled and not replaces:
                raise ZonghengError(
                    "bad_request",
                    f"{node} is enrolled here: `--replace` invites a new box in its place, `zongheng revoke` ends it",
                )
            if known is None and replaces:
                raise ZonghengError("bad_request", f"{node} was never enrolled here: leave out `--replace`")
            await self._enter(Entry(invited=invited), lambda session: session.children.invite(row))
        return given

    async def enrol(self, asked: Asked) -> wire.EnrolResponse:
        key = spki(asked.tls_key)
        async with self._turn:
            async with self._store.read() as session:
                invitation = await session.children.invitation(asked.invitation.hex())
            invitation = self._valid(invitation, asked, key)
            known = await self._known(invitation.node)
            if known is not None and (known.invitation, known.tls_key) == (invitation.invitation, key):
                return self._answer(known)
            if known is not None and known.state == ENROLMENT_STATE_ENROLLED and not invitation.replaces:
                raise ZonghengError(
                    "invitation",
                    f"{known.node} is enrolled with other keys: ask for `zongheng invite --replace`",
                )
            _check_new_keys(asked, known)
            self._check_journal(asked.card, known)
            child = ChildRow(
                node=invitation.node,
                tier=asked.card.tier,
                kind=invitation.kind,
                name=asked.card.name,
                state=ENROLMENT_STATE_WAITING if invitation.approval else ENROLMENT_STATE_ENROLLED,
                tls_key=key,
                authority_key=spki(asked.authority_key),
                sealing_key=asked.sealing_key,
                log_id=asked.card.log_id,
                verifier=asked.card.verifier,
                invitation=invitation.invitation,
                certificates=b"",
                changed_at_us=self._now(),
                reason="",
            )
            if not invitation.approval:
                child = self._certified(child)

            async def beside(session: Session) -> None:
                await session.children.use(invitation.invitation, key)
                await session.children.put(child)
                if known is not None and known.verifier != child.verifier:
                    # The key is lost with its box: it is believed for what is held, and for nothing more.
                    head = await session.journal.head(child.node)
                    former = FormerKey(known.verifier, head.size if head is not None else 0, b"")
                    await session.former_keys.put(child.log_id, former)

            await self._enter(Entry(enrolled=_enrolled(child)), beside)
        if known is not None:
            self._dismiss(child.node, ZonghengError("not_enrolled", f"another box enrolled as {child.node}"))
        log.info("child.enrolled", child=child.node, state=child.state, tls_key=fingerprint(asked.tls_key))
        return self._answer(child)

    async def approve(self, node: str, by: str = "") -> ChildRow:
        """Let in a child that waits. Raises ZonghengError `not_found` when none of that name does."""
        async with self._turn:
            known = await self._known(node)
            if known is None or known.state == ENROLMENT_STATE_REVOKED:
                raise ZonghengError(
                    "not_found", f"{node} does not wait here: `zongheng children` lists who does"
                )
            if known.state == ENROLMENT_STATE_ENROLLED:
                return known
            child = self._certified(replace(known, state=ENROLMENT_STATE_ENROLLED, changed_at_us=self._now()))
            await self._enter(
                Entry(enrolled=_enrolled(child, by)), lambda session: session.children.put(child)
            )
        return child

    async def revoke(self, node: str, reason: str, by: str = "") -> ChildRow:
        """Take a child's keys no more, nor any invitation for it. Raises ZonghengError `not_found`. Revoking twice changes nothing."""
        async with self._turn:
            known = await self._known(node)
            if known is None:
                raise ZonghengError("not_found", f"{node} never came here: `zongheng children` lists who did")
            if known.state == ENROLMENT_STATE_REVOKED:
                return known
            child = replace(
                known,
                state=ENROLMENT_STATE_REVOKED,
                changed_at_us=self._now(),
                reason=reason,
                certificates=b"",
            )
            revoked = Revoked(
                node=node, tls_key=fingerprint(public_from_spki(child.tls_key)), reason=reason, by=by
            )

            async def beside(session: Session) -> None:
                await session.children.put(child)
                await session.children.withdraw(node)

            await self._enter(Entry(revoked=revoked), beside)
        self._dismiss(node, ZonghengError("revoked", f"the enrolment of {node} was revoked: {reason}"))
        log.warning("child.revoked", child=node, reason=reason)
        return child

    async def renew(self, node: str, key: PublicKey) -> wire.Certificates:
        async with self._turn:
            known = await self._known(node)
            self._check_registered(known, node, fingerprint(key))
            assert known is not None
            held = wire.Certificates.FromString(known.certificates)
            before = Membership.from_wire(held)
            late = before.expires <= self._clock()
            if before.chain == self._keyring.identity.authority.chain and before.age(self._clock()) < _FRESH:
                return held
            child = self._certified(known)
            after = Membership.from_wire(wire.Certificates.FromString(child.certificates))
            renewed = Renewed(
                node=node,
                tls_key=fingerprint(key),
                expires_at_us=int(after.expires.timestamp()) * 1_000_000,
                late=late,
            )
            await self._enter(Entry(renewed=renewed), lambda session: session.children.put(child))
        log.info("child.renewed", child=node, late=late)
        return wire.Certificates.FromString(child.certificates)

    async def admit(self, context: Any, card: NodeCard) -> None:
        peer = peer_of(context, lambda: self._keyring.identity.authority.anchors)
        known = await self._known(peer.name.node)
        self._check_registered(known, peer.name.node, peer.key)
        assert known is not None
        if card.node != known.node:
            raise ZonghengError(
                "untrusted", f"the certificate is {known.node}'s, and it speaks as {card.node}"
            )
        same = (card.log_id, card.verifier) == (known.log_id, known.verifier)
        if not same and not await self._goes_on(known, card) and not await self._rotated(known, card):
            raise ZonghengError(
                "wrong_log",
                f"{card.node} enrolled with journal {known.log_id} and another key than it shows, {card.log_id}."
                " A box that was set up anew enrols again: `zongheng invite --replace`",
            )

    async def _rotated(self, known: ChildRow, card: NodeCard) -> bool:
        """Whether the child's own changes of key lead from the registered journal key to the one it shows; enters them then."""
        path = led_to(known.verifier, card) if known.log_id == card.log_id else ()
        if not path:
            return False
        child = replace(known, verifier=card.verifier, changed_at_us=self._now())

        async def beside(session: Session) -> None:
            await session.children.put(child)
            for told in path:
                former = FormerKey(told.before, told.size, told.SerializeToString())
                await session.former_keys.put(told.log_id, former)

        entries = [
            Entry(
                noted_at_us=self._now(),
                source="rotation",
                serial=f"{told.log_id}/{told.size}",
                key_rotated=told,
            )
            for told in path
        ]
        async with self._turn:
            await self._writer.append([Draft.of(entry) for entry in entries], beside)
        log.warning("child.rotated", child=known.node, verifier=card.verifier)
        return True

    async def register_journal(self, node: str, log_id: str, verifier: str, by: str) -> ChildRow:
        """Take another journal, or another key of it, from a child whose other keys stay. Raises ZonghengError `not_found`, `not_enrolled`.

        Whoever calls has the decision of a person: nothing of the new journal leads back to the old one.
        """
        async with self._turn:
            known = await self._known(node)
            if known is None or known.state != ENROLMENT_STATE_ENROLLED:
                raise ZonghengError("not_found", f"{node} is not enrolled here")
            child = replace(known, log_id=log_id, verifier=verifier, changed_at_us=self._now())
            card = NodeCard(node=node, log_id=log_id, verifier=verifier)
            self._check_journal(card, None)
            await self._enter(
                Entry(enrolled=_enrolled(child, by)), lambda session: session.children.put(child)
            )
        log.warning("child.journal", child=node, log_id=log_id, by=by)
        return child

    async def _goes_on(self, known: ChildRow, card: NodeCard) -> bool:
        """Whether somebody here decided that the child goes on in the log that it shows, with the key that it has."""
        async with self._store.read() as session:
            follow = await follows(session, self._settings.node, known.node, known.log_id, card.log_id)
        return follow and card.verifier == renamed(known.verifier, card.log_id)

    async def caller(self, context: Any) -> str:
        """The child that makes a call. Raises ZonghengError `untrusted`, `not_enrolled` or `revoked`."""
        peer = peer_of(context, lambda: self._keyring.identity.authority.anchors)
        self._check_registered(await self._known(peer.name.node), peer.name.node, peer.key)
        return peer.name.node

    async def children(self) -> list[ChildRow]:
        """Everybody who ever came, by node."""
        async with self._store.read() as session:
            return await session.children.all()

    # What they are made of.

    def _fit(self, node: str, kind: str) -> str:
        """The kind of a child as it is written. Raises ZonghengError `bad_request` unless it may be a child here."""
        own = self._settings
        if own.kind == DEPARTMENT:
            raise ZonghengError("bad_request", f"{own.node} is an agency's node, and these have no children")
        if kind == DEPARTMENT:
            try:
                return self._keyring.identity.authority.name.child(DEPARTMENT, node).kind
            except ZonghengError as error:
                raise ZonghengError("bad_request", error.detail) from error
        try:
            tier = tier_named(kind)
            code = Division(node).node_id
        except (UnknownTier, MalformedDivision) as error:
            raise ZonghengError("bad_request", str(error)) from error
        if code == own.node:
            raise ZonghengError("bad_request", f"{node} is this node itself")
        if not may_parent(tier_named(own.tier), tier):
            raise ZonghengError("bad_request", f"a {own.tier} node takes no {tier} node as a child")
        return str(tier)

    def _valid(self, invitation: InvitationRow | None, asked: Asked, key: bytes) -> InvitationRow:
        if invitation is None or not is_secret(asked.secret, invitation.digest):
            raise ZonghengError("invitation", "this token was not given here")
        if invitation.used_by and invitation.used_by != key:
            raise ZonghengError("invitation", "this token was used already: ask the parent for a new one")
        if not invitation.used_by and self._now() >= invitation.expires_at_us:
            until = instant(invitation.expires_at_us)
            raise ZonghengError(
                "invitation",
                f"this token was good until {until:%Y-%m-%d %H:%M} UTC: ask the parent for a new one",
            )
        card = asked.card
        kind = DEPARTMENT if "." in card.node else card.tier
        if kind == DEPARTMENT and card.tier != self._settings.tier:
            raise ZonghengError(
                "invitation",
                f"a department below a {self._settings.tier} is of that tier, and this one of a {card.tier}'s",
            )
        if (card.node, kind) != (invitation.node, invitation.kind):
            raise ZonghengError(
                "invitation",
                f"this token is for the {invitation.kind} {invitation.node}, not for the {kind} {card.node}",
            )
        return invitation

    def _check_journal(self, card: NodeCard, known: ChildRow | None) -> None:
        try:
            named, verifier = parse_log_id(card.log_id).node, Verifier.parse(card.verifier)
        except CheckpointError as error:
            raise ZonghengError("not_enrolled", str(error)) from error
        if named != card.node or verifier.name != card.log_id:
            raise ZonghengError("not_enrolled", f"the journal {card.log_id} is not one of {card.node}")
        if known is not None and known.log_id != card.log_id:
            raise ZonghengError(
                "wrong_log",
                f"{card.node} is known here by journal {known.log_id} and comes with {card.log_id}: restore its journal first",
            )

    async def key_of(self, node: str) -> str:
        """The registered TLS key of a child, as `Peer.key`. Raises ZonghengError `not_enrolled`, `revoked`."""
        known = await self._known(node)
        key = "" if known is None else fingerprint(public_from_spki(known.tls_key))
        self._check_registered(known, node, key)
        return key

    def _check_registered(self, known: ChildRow | None, node: str, key: str) -> None:
        if known is None or fingerprint(public_from_spki(known.tls_key)) != key:
            raise ZonghengError(
                "not_enrolled",
                f"{node} is not enrolled here with this key: `zongheng join` with a token of this parent",
            )
        if known.state == ENROLMENT_STATE_REVOKED:
            raise ZonghengError("revoked", f"the enrolment of {node} was revoked: {known.reason}")
        if known.state != ENROLMENT_STATE_ENROLLED:
            raise ZonghengError("not_enrolled", f"{node} waits for approval: `zongheng approve DIR {node}`")

    def _certified(self, child: ChildRow) -> ChildRow:
        """The child with fresh certificates for its keys."""
        authority = self._keyring.identity.authority
        name = authority.name.child(child.kind, child.node)
        lasts = timedelta(days=self._settings.certificate_days)
        at = self._clock()
        given = Membership(
            authority.certify_node(public_from_spki(child.tls_key), name, at, lasts),
            authority.certify_authority(public_from_spki(child.authority_key), name, at, lasts),
            authority.chain,
            authority.anchor,
        )
        return replace(child, certificates=given.to_wire().SerializeToString())

    def _answer(self, child: ChildRow) -> wire.EnrolResponse:
        if child.state == ENROLMENT_STATE_REVOKED:
            raise ZonghengError("revoked", f"the enrolment of {child.node} was revoked: {child.reason}")
        answer = wire.EnrolResponse(state=wire.EnrolmentState.ValueType(child.state), parent=self._card())
        if child.certificates:
            answer.certificates.ParseFromString(child.certificates)
        return answer

    async def _known(self, node: str) -> ChildRow | None:
        async with self._store.read() as session:
            return await session.children.get(node)

    async def _enter(self, entry: Entry, beside: Beside) -> None:
        entry.noted_at_us = self._now()
        await self._writer.append([Draft.of(entry)], beside)


def _check_new_keys(asked: Asked, known: ChildRow | None) -> None:
    """A revoked key is not taken back, whatever token comes with it: somebody else may have it. Raises ZonghengError `revoked`."""
    if known is None or known.state != ENROLMENT_STATE_REVOKED:
        return
    revoked = {known.tls_key, known.authority_key, known.sealing_key}
    if revoked & {spki(asked.tls_key), spki(asked.authority_key), asked.sealing_key}:
        raise ZonghengError(
            "revoked",
            f"{known.node} comes with a key that was revoked ({known.reason}): stop it, remove tls.key, authority.key"
            " and sealing.key from its folder `keys`, start it and join again with the same token",
        )


def _enrolled(child: ChildRow, by: str = "") -> Enrolled:
    return Enrolled(
        node=child.node,
        tier=child.kind,
        name=child.name,
        state=wire.EnrolmentState.ValueType(child.state),
        invitation=child.invitation,
        tls_key=fingerprint(public_from_spki(child.tls_key)),
        authority_key=fingerprint(public_from_spki(child.authority_key)),
        log_id=child.log_id,
        verifier=child.verifier,
        by=by,
    )
