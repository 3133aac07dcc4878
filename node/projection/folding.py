"""The second stage: the cases touched are folded into facts summaries, the days touched counted into rollup rows, and the cursor ``facts`` moves on.

Nothing is raised here: a fold says what it judged. Killed anywhere, it begins again where its cursor stands: rows are replaced, never added to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from node.mending.renewing import logs_before
from node.projection.context import Contexts, JournalContext
from node.projection.figures import in_months, rows_at
from node.projection.judging import Judgement, judge
from node.projection.owed import Owing, finished_imports
from node.projection.progress import Pace
from node.resupervision.comparison import Comparison
from node.store.rollups import EPOCH
from node.store.rows import FactsRow
from node.store.store import Store
from node.wallclock import Now

GiveWay = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold came to, for who raises alerts."""

    size: int
    """Journal size it was made at."""
    judgements: list[Judgement]
    """Of the cases folded, when they were few; of many each is woken in its turn."""


class Folding:
    """Folds the journals of one node."""

    def __init__(
        self,
        store: Store,
        own: str,
        contexts: Contexts,
        comparison: Comparison,
        owing: Owing,
        pace: Pace,
        now: Now,
        counted: Callable[[], None],
    ) -> None:
        """``counted`` is told when own rollup rows may have changed."""
        self._store = store
        self._own = own
        self._contexts = contexts
        self._comparison = comparison
        self._owing = owing
        self._pace = pace
        self._now = now
        self._counted = counted

    async def fold(self, origin: str, give_way: GiveWay) -> Folded | None:
        """Fold what is owed to this journal; None: nothing is. ``give_way`` is awaited before each batch of cases."""
        owed = await self._owing.of(origin)
        own = origin == self._own
        async with self._store.read() as session:
            low = (await session.cursors.get("facts", origin)).position
            size = (await session.cursors.get("events", origin)).position
            if low >= size:
                return None
            if owed.everything:
                owed.cases.update(await session.facts.cases_of_item(origin, None))
                # Alerts count on days of their own, and their agency's line may be another now.
                owed.days.update(await session.rollups.days(origin))
            for item in owed.items:
                owed.cases.update(await session.facts.cases_of_item(origin, item))
            finished = await finished_imports(session, origin) if own else None
        context = await self._contexts.of(origin)
        ordered = sorted(owed.cases)
        live: list[Judgement] = []
        for start in range(0, len(ordered), self._pace.fold_cases):
            batch = ordered[start : start + self._pace.fold_cases]
            await give_way()
            judgement = await self.judged(context, batch, size, finished)
            owed.days |= await self.keep_facts(origin, batch, judgement.facts)
            if len(ordered) <= self._pace.fold_cases:
                live.append(judgement)
        async with self._store.write() as session:
            for import_id in owed.imports:
                await session.facts.release(origin, import_id)
            version = EPOCH * len(await logs_before(session)) + size
            for days in in_months(owed.days) if own else ():
                rows = await rows_at(session, context, days, size)
                await session.rollups.replace(origin, days, rows, version)
            await session.cursors.set("facts", origin, size)
        self._owing.paid(origin)
        if own:
            self._counted()
        else:
            self._comparison.folded(origin, owed.days)
        return Folded(size, live)

    async def judged(
        self, context: JournalContext, cases: Sequence[str], size: int, finished: Collection[str] | None
    ) -> Judgement:
        """The cases as of now, from their event rows at journal size ``size``; ``finished`` as for `judge`."""
        async with self._store.read() as session:
            rows = await session.events.rows_of_cases(context.origin, cases)
        own = context.origin == self._own
        return await asyncio.to_thread(judge, rows, context, self._now(), size, finished, own)

    async def keep_facts(self, origin: str, cases: Sequence[str], facts: Sequence[FactsRow]) -> set[int]:
        """Replace the facts of these cases; returns the days that they counted on before or count on now."""
        async with self._store.write() as session:
            days = {int(day) for row in await session.facts.of_cases(origin, cases) for day in row.figures}
            await session.facts.upsert(facts)
        return days | {int(day) for row in facts for day in row.figures}
