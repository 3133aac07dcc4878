"""The third stage: own cases whose ``next_at_us`` has come, and that no unfinished import holds back, are judged; alerts are raised or corrected.

Raising is guarded by the alert's key, so a case that is woken twice raises nothing twice.
"""

from node.projection.context import Contexts
from node.projection.folding import Folded, Folding
from node.projection.owed import finished_imports
from node.projection.progress import Pace, Progress
from node.projection.raising import Raising
from node.store.store import Store
from node.store.writer import JournalWriter
from node.wallclock import Now


class Waking:
    """Wakes the cases of one node."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        contexts: Contexts,
        raising: Raising,
        folding: Folding,
        progress: Progress,
        pace: Pace,
        now: Now,
    ) -> None:
        self._store = store
        self._writer = writer
        self._own = writer.node
        self._contexts = contexts
        self._raising = raising
        self._folding = folding
        self._progress = progress
        self._pace = pace
        self._now = now

    async def follow(self, folded: Folded) -> None:
        """Raise what own cases gave when they were folded, without waiting for their turn; where nothing may be raised yet they are due all the same."""
        for judgement in folded.judgements if self._may_raise else ():
            await self._raising.raise_and_schedule(judgement, dict.fromkeys(judgement.next_at, folded.size))

    @property
    def _may_raise(self) -> bool:
        # Until the alert rows are back nothing may be raised: the guard against raising twice is among them.
        return self._progress.caught_up and not self._progress.rebuilding and self._writer.accepts

    async def wake(self) -> bool:
        """Judge what is due now, as much as is done at a time; false: nothing is, or nothing may be raised yet."""
        if not self._may_raise:
            return False
        async with self._store.read() as session:
            cases = await session.facts.due(self._own, self._now(), self._pace.wake_cases)
            if not cases:
                return False
            size = (await session.cursors.get("facts", self._own)).position
            folded_at = {row.case_id: row.size for row in await session.facts.of_cases(self._own, cases)}
            finished = await finished_imports(session, self._own)
        judgement = await self._folding.judged(await self._contexts.of(self._own), cases, size, finished)
        held = [row for row in judgement.facts if row.import_id]
        if held:
            # Two imports brought events of the same case, and only one of them is finished.
            async with self._store.write() as session:
                await session.facts.upsert(held)
        await self._raising.raise_and_schedule(judgement, folded_at)
        return True
