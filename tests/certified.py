"""Parents and children with certificates, made quickly and in memory."""

from datetime import UTC, datetime, timedelta

from federation.identity.authority import Authority, PrivateKey, fingerprint, new_key
from federation.identity.credentials import Identity, MutualTls
from federation.identity.membership import Membership
from federation.identity.names import Name
from federation.link.memory import MemoryGate

DAYS = timedelta(days=90)


def now() -> datetime:
    return datetime.now(UTC)


class Certifying:
    """A node with a CA of its own, and a gate that lets in whom it certified."""

    def __init__(
        self,
        tier: str,
        node: str,
        *,
        at: datetime | None = None,
        tls_key: PrivateKey | None = None,
        authority_key: PrivateKey | None = None,
    ) -> None:
        """With new keys, unless it is given some."""
        self.at = at or now()
        self.tier, self.node = tier, node
        self.tls_key = tls_key or new_key()
        self.authority = Authority.founded(Name.root(tier, node), self.at, authority_key)
        self.membership: Membership | None = None
        self.gate = MemoryGate(lambda: self.authority.anchors)
        self.credentials = MutualTls(lambda: self.identity)
        self.refresh()

    def refresh(self) -> None:
        """Certify the own server again."""
        server = self.authority.certify_server(self.tls_key.public_key(), self.at, DAYS)
        self.identity = Identity(self.tls_key, self.authority, server, self.membership)

    def adopt(self, child: "Certifying") -> None:
        """Certify and register it."""
        name = self.authority.name.child(child.tier, child.node)
        child.membership = Membership(
            self.authority.certify_node(child.tls_key.public_key(), name, self.at, DAYS),
            self.authority.certify_authority(child.authority.public_key, name, self.at, DAYS),
            self.authority.chain,
            self.authority.anchor,
        )
        chain = (child.membership.authority, *self.authority.chain)
        child.authority = Authority(child.authority.key, child.authority.anchor, chain)
        child.refresh()
        self.gate.keys[child.node] = fingerprint(child.tls_key.public_key())

    def child(self, tier: str, node: str) -> "Certifying":
        """A new node, certified and registered."""
        child = Certifying(tier, node, at=self.at)
        self.adopt(child)
        return child
