"""Decisions that come back from above: an escalated appeal, cancelled or upheld by the node that it was escalated to.

What an ancestor addressed here is an entry of the own journal by the time it is looked at (its proof was checked when it was entered), so
nothing is taken on anybody's word. A follower applies each once; killed in between, it looks again and the guard answers.
"""

from typing import Final

import structlog
from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry

from node.alerting.desk import AlertDesk
from node.store.store import Store

log = structlog.get_logger()

CURSOR: Final = "decisions"


class Decisions:
    """Takes decisions about own alerts out of the own journal."""

    def __init__(self, store: Store, desk: AlertDesk, own: str) -> None:
        self._store = store
        self._desk = desk
        self._own = own

    async def look(self) -> int:
        """Read on; returns how many alerts were moved."""
        moved = 0
        async with self._store.read() as session:
            begun = int(await session.links.get(CURSOR) or b"0")
            # An alert that is not projected yet cannot be moved.
            upto = (await session.cursors.get("events", self._own)).position
            if upto <= begun:
                return 0
            receipts = await session.receipts.between(self._own, begun, upto)
            leaves = await session.journal.entries(self._own, receipts)
        for _, leaf in leaves:
            moved += await self._received(leaf)
        async with self._store.write() as session:
            await session.links.put(CURSOR, str(upto).encode())
        return moved

    async def _received(self, leaf: bytes) -> bool:
        try:
            entry = Entry.FromString(leaf)
            if not entry.HasField("received"):
                return False
            inner = Entry.FromString(entry.received.leaf)
        except DecodeError:
            return False
        if not inner.HasField("alert_decided"):
            return False
        origin, decided = entry.received.origin, inner.alert_decided
        taken = await self._desk.take_decision(decided, origin, f"{origin}/{entry.received.index}")
        log.info("alert.decided_above", alert=decided.alert_id, origin=origin, taken=taken)
        return taken
