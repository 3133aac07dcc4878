"""Another log for a child: what a person's decision lets it go on in, and how the parent changes over (DESIGN §4).

The decision (``QuarantineDecided`` with *accept*) names the log that the child goes on in. Its entries are the child's journal as the child has it; its
heads are signed by the key that signed before, under the new name. So from the decision alone everybody knows what to take: the parent, from the
moment it decided; its ancestors, once the decision reached their own journals, signed by the parent. An ancestor takes another log id of a known
node in no other way.

The parent changes over when the child first shows the new log, in one transaction: what it held is kept apart as evidence, with its signed head, and
the new log is taken from its first entry on. Killed before: the child is asked to renew once more. Killed after: everything is there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.mending_pb2 import ChildMended
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from node.mending.renewed import follows, forget_before
from node.mending.telling import Telling
from node.projection.projector import Projector
from node.store.errors import StoreError
from node.store.forks import RENEWED, RENEWING, UNKNOWN, Fork
from node.store.inbox import Inbox
from node.store.store import Session, Store
from node.wallclock import Now

log = structlog.get_logger()

_AGAIN_MS: Final = 1_000


class Renewal:
    """The parent's change-over."""

    def __init__(
        self, store: Store, inbox: Inbox, projector: Projector, telling: Telling, own: str, now: Now
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._projector = projector
        self._telling = telling
        self._own = own
        self._now = now
        self._asked: dict[str, NodeCard] = {}
        self._bell = asyncio.Event()

    async def ask(self, card: NodeCard) -> None:
        """Have the log that a child shows taken. It may take longer than a handshake may, and must not end with one.

        Raises ZonghengError: `unreachable`, so that the child comes again, or `wrong_log` where nobody decided so.
        """
        node = card.node
        async with self._store.read() as session:
            head = await session.journal.head(node)
            if head is None or not await follows(session, self._own, node, head.log_id, card.log_id):
                raise ZonghengError(
                    "wrong_log",
                    f"{node} is known here by journal {head.log_id if head else ''}; it shows {card.log_id}. A child that was set up anew"
                    " needs a code of its own or its old folder back; one that goes on in another log begins that: `zongheng renew-log`",
                )
        self._asked[node] = card
        self._bell.set()
        raise ZonghengError(
            "unreachable", f"the new log of {node} is being taken: come again", retry_after_ms=_AGAIN_MS
        )

    async def run(self) -> None:
        """Take what was asked for, until cancelled."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._asked:
                _, card = self._asked.popitem()
                try:
                    await self.take(card)
                except StoreError as error:
                    log.warning(
                        "child.not_renewed", child=card.node, error=str(error), instruction="it comes again"
                    )

    async def take(self, card: NodeCard) -> None:
        """Hold the log that a child shows in place of the one that is held; a second time it changes nothing."""
        node = card.node
        async with self._store.read() as session:
            head = await session.journal.head(node)
            newest = await session.forks.newest(node)
        if head is None or head.log_id == card.log_id:
            return
        if newest is None or newest.state != RENEWING:
            # This node was put back from a backup: its own journal says what was decided.
            n = newest.n + 1 if newest else 1
            newest = Fork(node, n, self._now(), RENEWING, "decided before this node was restored", head.note, "", UNKNOWN, 0, "", "", "")  # fmt: skip
        over = replace(
            newest, state=RENEWED, held=head.note, shown=newest.note or newest.shown, common=max(0, newest.common), note="",
        )  # fmt: skip
        over = replace(over, kept=head.size - over.common)

        async def transact(drop: Callable[[Session], Awaitable[None]]) -> None:
            async def beside(session: Session) -> None:
                await session.forks.drop_apart(node, over.n)
                await session.forks.set_aside(node, over.n, over.common)
                await session.forks.put(over)
                await session.journal.renew(node, card.log_id, card.verifier)
                if (known := await session.children.get(node)) is not None:
                    await session.children.put(replace(known, log_id=card.log_id, verifier=card.verifier))
                await drop(session)
                await session.cursors.set("reported", node, 0)
                await forget_before(session, self._own, node)

            told = Entry(child_mended=ChildMended(origin=node, checkpoint=card.checkpoint))
            await self._telling.tell(f"renewed/{card.log_id}", told, beside)

        log.warning("child.renewed_log", child=node, before=head.log_id, log_id=card.log_id)
        async with self._inbox.beginning_again(node):
            await self._projector.begin_again(transact)
