"""Seeds of draws: a parent gives one for each request in a child's journal, and only once (`supervision.draw`).

The seed is the parent's cosignature under the head of the child's journal that ends with the request. The child cannot know it before the
request is in the parent's hands, and cannot ask for another: the seed is an entry of the parent's journal, guarded by (child, request), and comes
down the lane like anything addressed. Killed anywhere the parent reads the stretch again and finds the seed given.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.matching_pb2 import DrawSeed

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, Signer, cosign_checkpoint
from federation.journal.tile import TileBuilder
from node.lane_down import AddressedEntries
from node.store.drafts import Draft
from node.store.store import Store
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

SOURCE: Final = "draw-seed"


class Seeding:
    """Gives seeds to children."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        signer: Callable[[], Signer],
        addressed: AddressedEntries,
        edge: Callable[[str, int], TileBuilder | None],
        now: Now,
    ) -> None:
        self._store = store
        self._writer = writer
        self._signer = signer
        self._addressed = addressed
        self._edge = edge
        self._now = now

    async def give(self, child: str, requests: Sequence[int]) -> None:
        """Enter the seed of each request that has none."""
        if not requests:
            return
        drafts = []
        async with self._store.read() as session:
            head = await session.journal.head(child)
            seen = await session.journal.seen(SOURCE, [f"{child}/{index}" for index in requests])
            if head is None:
                return
            reader = session.journal.reader(child, head.size, self._edge(child, head.size))
            for index in requests:
                serial = f"{child}/{index}"
                if serial in seen:
                    continue
                checkpoint = Checkpoint(head.log_id, index + 1, await reader.root(index + 1))
                at = datetime.fromtimestamp(self._now() // 1_000_000, UTC)
                signer = self._signer()
                seed = DrawSeed(
                    child=child,
                    request_index=index,
                    checkpoint=cosign_checkpoint(checkpoint, signer, at),
                    verifier=str(signer.verifier),
                )
                entry = Entry(noted_at_us=self._now(), source=SOURCE, serial=serial, draw_seed=seed)
                try:
                    entry.address.CopyFrom(self._addressed.address(child))
                except ZonghengError as error:
                    log.warning("draw.unseeded", child=child, index=index, words=error.detail)
                    continue
                drafts.append(Draft.of(entry))
        if drafts:
            await self._writer.append(drafts)
            log.info("draw.seeded", child=child, requests=len(drafts))
