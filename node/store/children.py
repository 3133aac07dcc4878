"""The register of children, and the invitations they come with. Written in the transaction of the entry that says so."""

from typing import Final

from node.store.engine import Row, Transaction
from node.store.rows import ChildRow, InvitationRow

_CHILD: Final = (
    "node", "tier", "kind", "name", "state", "tls_key", "authority_key", "sealing_key", "log_id", "verifier",
    "invitation", "certificates", "changed_at_us", "reason",
)  # fmt: skip
_INVITATION: Final = (
    "invitation", "digest", "node", "kind", "approval", "replaces", "expires_at_us", "used_by",
)  # fmt: skip


class Children:
    """Children by node, invitations by id."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, child: ChildRow) -> None:
        """Register a child, in place of what was registered of it."""
        row = tuple(getattr(child, name) for name in _CHILD)
        changes = ", ".join(f"{name} = excluded.{name}" for name in _CHILD[1:])
        await self._tx.insert("child", _CHILD, [row], f"ON CONFLICT (node) DO UPDATE SET {changes}")

    async def get(self, node: str) -> ChildRow | None:
        """One child; None: nobody of that name came."""
        row = await self._tx.one(f"SELECT {', '.join(_CHILD)} FROM child WHERE node = ?", node)
        return None if row is None else _child(row)

    async def all(self) -> list[ChildRow]:
        """Every child, by node."""
        return [
            _child(row) for row in await self._tx.all(f"SELECT {', '.join(_CHILD)} FROM child ORDER BY node")
        ]

    async def invite(self, invitation: InvitationRow) -> None:
        """Keep an invitation."""
        row = tuple(
            int(value) if isinstance(value, bool) else value
            for value in (getattr(invitation, name) for name in _INVITATION)
        )
        await self._tx.insert("invitation", _INVITATION, [row])

    async def invitation(self, invitation: str) -> InvitationRow | None:
        """One invitation; None: never given."""
        row = await self._tx.one(
            f"SELECT {', '.join(_INVITATION)} FROM invitation WHERE invitation = ?", invitation
        )
        return None if row is None else _invitation(row)

    async def use(self, invitation: str, tls_key: bytes) -> None:
        """Somebody came with it: it is good for this key alone from now on."""
        await self._tx.run("UPDATE invitation SET used_by = ? WHERE invitation = ?", tls_key, invitation)

    async def withdraw(self, node: str) -> None:
        """Nobody may come with an invitation of this node that was not used yet."""
        await self._tx.run("UPDATE invitation SET expires_at_us = 0 WHERE node = ?", node)


def _child(row: Row) -> ChildRow:
    return ChildRow(*row)


def _invitation(row: Row) -> InvitationRow:
    name, digest, node, kind, approval, replaces, expires_at_us, used_by = row
    return InvitationRow(
        name, bytes(digest), node, kind, bool(approval), bool(replaces), expires_at_us, bytes(used_by)
    )
