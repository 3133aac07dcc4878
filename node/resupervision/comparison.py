"""A child's reported figures against the same figures computed here from its own journal (DESIGN §5).

A report names the journal size it was computed at. The parent folds the child's journal to exactly that size, computes the rows of every day
touched since the last comparison with the same code the child used, and compares them key by key and column by column. Each
difference is an entry of the parent's own journal (``RollupMismatch``), once. When the journal ran ahead of the report before the
parent could stop there, the days stay owed to the next report: late, never wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import structlog
from zongheng.v1.entry_pb2 import Entry, RollupMismatch

from federation.rollup.merge import Difference, compare
from node.projection.context import Contexts
from node.projection.figures import in_months, rows_at
from node.store.drafts import Draft
from node.store.store import Store
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

_AT_ONCE = 1_000
"""Differences in one append."""


class Comparison:
    """Compares the figures of all children of one node. Belongs to the projector's task, except for `reported`."""

    def __init__(self, store: Store, writer: JournalWriter, contexts: Contexts, now: Now) -> None:
        self._store = store
        self._writer = writer
        self._contexts = contexts
        self._now = now
        self.told: Callable[[str], None] = lambda origin: None
        """Told of every child whose figures were compared."""
        self._owed: defaultdict[str, set[int]] = defaultdict(set)
        self._waiting: set[str] = set()
        self._sure: set[str] = set()
        """Children of which every day that was touched since the last comparison is in `_owed`."""
        self._begun = False

    def forget(self) -> None:
        """Projections were dropped: every day of every child is owed again."""
        self._owed.clear()
        self._sure.clear()
        self._begun = False

    def unsure(self, origin: str) -> None:
        """Days of this child may have been touched that nobody remembers: every one of them is owed."""
        self._sure.discard(origin)

    def reported(self, origin: str, days: set[int]) -> None:
        """A report of ``origin`` was stored that changed these days."""
        self.folded(origin, days)

    def folded(self, origin: str, days: set[int]) -> None:
        """The child's facts were folded further; ``days`` were touched on the way."""
        self._owed[origin] |= days
        self._waiting.add(origin)

    async def check(self) -> None:
        """Compare every child whose facts and report stand at the same size.

        Call it between two readings, when everything that was read is folded: alerts are read ahead of facts.
        """
        if not self._begun:
            await self._begin()
        while self._waiting:
            origin = self._waiting.pop()
            # A report may come meanwhile and owe more.
            days = self._owed.pop(origin, set())
            try:
                done = await self._check(origin, days)
            except BaseException:
                self.folded(origin, days)
                raise
            if not done:
                self._owed[origin] |= days

    async def _begin(self) -> None:
        """After a start nobody remembers what was owed: everything, where a comparison is due."""
        async with self._store.read() as session:
            reported, compared = await session.cursors.of("reported"), await session.cursors.of("compared")
        self._sure |= {origin for origin, size in reported.items() if size and compared.get(origin) == size}
        self._waiting |= reported.keys() - self._sure
        self._begun = True

    async def _check(self, origin: str, owed: set[int]) -> bool:
        differences: list[Difference] = []
        async with self._store.read() as session:
            read, size, reported = [
                (await session.cursors.get(name, origin)).position for name in ("events", "facts", "reported")
            ]
            if not size or not read == size == reported:
                return False
            days = set(owed)
            if origin not in self._sure:
                days.update(await session.facts.days(origin), await session.rollups.days(origin))
                # A local day lies within 14 hours of the same UTC day.
                for day in await session.alerts.days(origin):
                    days.update((day - 1, day, day + 1))
            context = await self._contexts.of(origin)
            for month in in_months(days):
                shown = await session.rollups.rows(origin, days=month)
                differences += compare(shown, await rows_at(session, context, month, size))
        await self._accuse(origin, size, differences)
        self._sure.add(origin)
        differ = Counter(difference.key.day for difference in differences)
        async with self._store.write() as session:
            await session.conduct.differ(origin, sorted(days), differ, self._now())
            await session.cursors.set("compared", origin, size, version=len(differences))
        self.told(origin)
        return True

    async def _accuse(self, origin: str, size: int, differences: Sequence[Difference]) -> None:
        drafts = []
        for difference in differences:
            mismatch = RollupMismatch(
                origin=origin,
                journal_size=size,
                key=str(difference.key),
                column=difference.column,
                reported=difference.reported,
                computed=difference.computed,
            )
            log.warning("rollup.mismatch", origin=origin, key=str(difference.key), column=difference.column)
            serial = f"{size}/{difference.key}/{difference.column}"
            entry = Entry(
                noted_at_us=self._now(), source=f"compare/{origin}", serial=serial, rollup_mismatch=mismatch
            )
            drafts.append(Draft.of(entry))
        for start in range(0, len(drafts), _AT_ONCE):
            await self._writer.append(drafts[start : start + _AT_ONCE])
