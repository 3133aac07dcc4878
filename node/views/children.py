"""Who may be a child of this node, and this node becoming one: inviting, approving, revoking, joining."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.identity_pb2 import (
    ENROLMENT_STATE_ENROLLED,
    ENROLMENT_STATE_REVOKED,
    ENROLMENT_STATE_WAITING,
    Certificates,
)

from federation.identity.authority import fingerprint, public_from_spki
from federation.identity.invitation import Invitation
from federation.identity.membership import Membership
from node.store.rows import ChildRow
from node.views.present import time_text
from node.wallclock import micros

if TYPE_CHECKING:
    from node.run import Node

_STATES: dict[int, str] = {
    ENROLMENT_STATE_WAITING: "waiting",
    ENROLMENT_STATE_ENROLLED: "enrolled",
    ENROLMENT_STATE_REVOKED: "revoked",
}


class Invite(BaseModel):
    """Whom to invite."""

    model_config = ConfigDict(extra="forbid")

    node: str = Field(min_length=1)
    tier: str = Field(min_length=1)
    ttl_s: float = 86_400.0
    approve: bool = False
    """An operator must approve who comes with it."""
    replace: bool = False
    """A new box in place of one that is enrolled."""


class Invited(BaseModel):
    """An invitation, given."""

    token: str
    node: str
    tier: str
    expires_at: str | None
    authority: str
    """Fingerprint of this node's CA key: the joiner is shown the same."""
    parent: str
    """Where this node listens for its children."""


class ChildView(BaseModel):
    """A node that is, was or wants to be a child here."""

    node: str
    tier: str
    kind: str
    """Its tier, or ``department``."""
    name: str
    state: str
    """waiting, enrolled, revoked."""
    connected: bool
    key: str
    """Fingerprint of its TLS key: SHA-256 of the SubjectPublicKeyInfo, in hex."""
    authority: str
    """Fingerprint of its CA key."""
    log_id: str
    certified_until: str | None
    """When its certificate runs out."""
    changed_at: str | None
    reason: str
    """Why it was revoked."""


class Join(BaseModel):
    """Which parent to join, and the token it gave."""

    model_config = ConfigDict(extra="forbid")

    parent: str = Field(min_length=3)
    token: str = Field(min_length=1)


class Joined(BaseModel):
    """How far joining is."""

    joined: bool
    """False: an operator at the parent must approve first; ask again."""
    parent: str
    """The parent's node."""
    parent_authority: str
    """Fingerprint of the parent's CA key."""
    key: str
    """Fingerprint of this node's TLS key: what the parent sees."""
    name: str | None
    """The name this node is certified under, a SPIFFE ID."""


class KeyChange(BaseModel):
    """The journal's new key."""

    verifier: str
    """C2SP vkey."""
    index: int
    """Journal index of the entry that says so, signed by both keys."""


class Revoke(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


async def invite(node: "Node", form: Invite, by: str) -> Invited:
    """Invite a child."""
    given = await node.register.invite(
        form.node, form.tier, form.ttl_s, approval=form.approve, replaces=form.replace, by=by
    )
    return Invited(
        token=str(given),
        node=given.node,
        tier=given.tier,
        expires_at=time_text(given.expires_at_us, node.settings.zone),
        authority=fingerprint(given.authority),
        parent=node.settings.grpc,
    )


async def children(node: "Node") -> list[ChildView]:
    """Everybody who ever came."""
    return [_view(node, child) for child in await node.register.children()]


async def approve(node: "Node", child: str, by: str) -> ChildView:
    """Let in a child that waits."""
    return _view(node, await node.register.approve(child, by))


async def revoke(node: "Node", child: str, form: Revoke, by: str) -> ChildView:
    """Take a child's keys no more, and end its link now."""
    return _view(node, await node.register.revoke(child, form.reason, by))


async def join(node: "Node", form: Join) -> Joined:
    """Become a child."""
    invitation = Invitation.parse(form.token)
    joined = await node.joining.join(form.parent, form.token)
    member = node.keyring.identity.membership
    return Joined(
        joined=joined,
        parent=invitation.parent,
        parent_authority=fingerprint(invitation.authority),
        key=fingerprint(node.keyring.keys.tls.public_key()),
        name=str(member.name) if joined and member else None,
    )


async def rotate_key(node: "Node") -> KeyChange:
    """Sign the journal with a new key from now on."""
    index = await node.rotate_key()
    return KeyChange(verifier=node.writer.verifier, index=index)


def _view(node: "Node", child: ChildRow) -> ChildView:
    until = None
    if child.certificates:
        member = Membership.from_wire(Certificates.FromString(child.certificates))
        until = time_text(micros(member.expires), node.settings.zone)
    return ChildView(
        node=child.node,
        tier=child.tier,
        kind=child.kind,
        name=child.name,
        state=_STATES[child.state],
        connected=node.is_linked(child.node),
        key=fingerprint(public_from_spki(child.tls_key)),
        authority=fingerprint(public_from_spki(child.authority_key)),
        log_id=child.log_id,
        certified_until=until,
        changed_at=time_text(child.changed_at_us, node.settings.zone),
        reason=child.reason,
    )
