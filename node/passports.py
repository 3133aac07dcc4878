"""Passports of the nodes above and below: who they are, by the CAs on the way between them and this node.

Those above come down with every welcome, parent first, root last; those below rise with the cards. Each is checked once, when it arrives, and kept: a
sealed letter must find its reader also after the certificate has run out. What does not check is left out and said in the log; nothing that was
known before is lost by it.
"""

import base64
from collections.abc import Sequence
from typing import Final

import structlog
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.credentials import Identity
from federation.identity.passport import Holder, check, issue, read_again
from node.keyring import Clock, KeyRing
from node.store.store import Session, Store
from node.tree import Tree
from node.wallclock import Now

log = structlog.get_logger()

_ABOVE: Final = "passports.above"
_MOST_ABOVE: Final = 8


class Passports:
    """The passports that one node holds."""

    def __init__(self, store: Store, keyring: KeyRing, tree: Tree, now: Now, clock: Clock) -> None:
        self._store = store
        self._keyring = keyring
        self._tree = tree
        self._now = now
        self._clock = clock
        self._issued: tuple[Identity, str, bytes] | None = None
        self._above: list[bytes] = []

    async def load(self, session: Session) -> None:
        """Read those above from the store."""
        kept = await session.links.get_json(_ABOVE) or []
        self._above = [base64.b64decode(one) for one in kept]

    @property
    def own(self) -> bytes:
        """This node's own, issued again with each change of its certificates or its journal key."""
        identity, card = self._keyring.identity, self._tree.own
        if self._issued is None or self._issued[:2] != (identity, card.verifier):
            passport = issue(identity, card, self._keyring.keys.sealing_public, self._now())
            self._issued = (identity, card.verifier, passport)
        return self._issued[2]

    def card(self) -> NodeCard:
        """This node's card with its passport."""
        card = NodeCard()
        card.CopyFrom(self._tree.own)
        card.passport = self.own
        return card

    def handed_down(self) -> list[bytes]:
        """What a child is given: this node's, and those of everybody above."""
        return [self.own, *self._above]

    async def take_above(self, passports: Sequence[bytes]) -> None:
        """Keep what the parent handed down. What does not lead up from this node to its root is left out."""
        kept = []
        for passport in passports[:_MOST_ABOVE]:
            try:
                holder = self._checked_above(passport)
            except ZonghengError as error:
                log.warning("passport.refused", words=error.detail)
            else:
                log.debug("passport.above", node=holder.node)
                kept.append(passport)
        if kept != self._above:
            async with self._store.write() as session:
                await session.links.put_json(_ABOVE, [base64.b64encode(one).decode() for one in kept])
            self._above = kept

    def check_below(self, card: NodeCard) -> Holder | None:
        """The holder of the passport in a card from below; None where there is none, or it is not this node's or does not check."""
        if not card.passport:
            return None
        try:
            holder = check(card.passport, [self._keyring.identity.authority.anchors], self._clock())
            if (holder.node, holder.log_id, holder.verifier) != (card.node, card.log_id, card.verifier):
                raise ZonghengError(
                    "untrusted", f"the card of {card.node} carries a passport of {holder.node}"
                )
        except ZonghengError as error:
            log.warning("passport.refused", node=card.node, words=error.detail)
            return None
        return holder

    def of(self, node: str) -> Holder | None:
        """Who an ancestor or a descendant is, as it was checked when its passport came; None: unknown."""
        for holder in self.above():
            if holder.node == node:
                return holder
        card = self._tree.get(node)
        return read_again(card.passport) if card is not None and card.passport else None

    def above(self) -> list[Holder]:
        """Everybody above, the parent first."""
        return [read_again(passport) for passport in self._above]

    def _checked_above(self, passport: bytes) -> Holder:
        member = self._keyring.identity.membership
        if member is None:
            raise ZonghengError("not_enrolled", "this node has no parent")
        holder = check(passport, [(member.chain[-1],)], self._clock())
        mine, theirs = member.name, holder.name
        if theirs.domain != mine.domain or mine.steps[: len(theirs.steps)] != theirs.steps or mine == theirs:
            raise ZonghengError("untrusted", f"{theirs} is not above {mine}")
        return holder
