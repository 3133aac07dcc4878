"""A child's reported figures against the same figures computed here from its own journal (DESIGN §5).

A report names the journal size it was computed at. The parent folds the child's journal to exactly that size, computes the rows of every day
touched since the last comparison with the same code the child used, and compares them key by key and column by column. Each
difference is an entry of the parent's own journal (``RollupMismatch``), once. When the journal ran ahead of the report before the
parent could stop there, the days stay owed to the next report: late, never wrong.
"""

from collections import defaultdict

import structlog
from zongheng.v1.entry_pb2 import Entry, RollupMismatch

from federation.rollup.merge import compare
from node.projection.context import Contexts
from node.projection.figures import rows_of_days
from node.store.store import Store
from node.store.writer import Draft, JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

_DAY_US = 86_400_000_000


class Comparison:
    """Compares the figures of all children of one node."""

    def __init__(self, store: Store, writer: JournalWriter, contexts: Contexts, now: Now) -> None:
        self._store = store
        self._writer = writer
        self._contexts = contexts
        self._now = now
        self._reported: dict[str, int] = {}
        self._owed: defaultdict[str, set[int]] = defaultdict(set)
        self._waiting: set[str] = set()
        self._known: set[str] = set()

    def forget(self) -> None:
        """Projections were dropped: every day of every child is owed again."""
        self._owed.clear()
        self._known.clear()

    def bound(self, origin: str, position: int, top: int) -> int:
        """How far the child's journal may be read in one go, so that the fold stops where a report was made."""
        reported = self._reported.get(origin, 0)
        return reported if position < reported < top else top

    def reported(self, origin: str, size: int, days: set[int]) -> None:
        """Rows of ``origin`` were stored that changed these days; they stand at journal ``size`` now, 0: at no one size."""
        self._reported[origin] = size
        self._owed[origin] |= days
        self._waiting.add(origin)

    def folded(self, origin: str, days: set[int]) -> None:
        """The child's facts were folded further; ``days`` were touched on the way."""
        self._owed[origin] |= days
        self._waiting.add(origin)

    async def check(self) -> None:
        """Compare every child whose facts and report stand at the same size.

        Call it between two readings, when everything that was read is folded: alerts are read ahead of facts.
        """
        while self._waiting:
            origin = self._waiting.pop()
            # A report may come meanwhile and owe more.
            days = self._owed.pop(origin, set())
            try:
                done = await self._check(origin, days)
            except BaseException:
                self._owed[origin] |= days
                self._waiting.add(origin)
                raise
            if not done:
                self._owed[origin] |= days

    async def _check(self, origin: str, owed: set[int]) -> bool:
        async with self._store.read() as session:
            size = (await session.cursors.get("facts", origin)).position
            reported = (await session.cursors.get("reported", origin)).position
            self._reported.setdefault(origin, reported)
            if size == 0 or size != reported:
                return False
            days = set(owed)
            if origin not in self._known:
                # After a start nobody remembers what was owed: everything is.
                days |= set(await session.facts.days(origin))
                days |= {row.day for row in await session.rollups.rows(origin)}
            context = await self._contexts.of(origin)
            if not days:
                differences = []
            else:
                ordered = sorted(days)
                computed = rows_of_days(
                    origin,
                    days,
                    await session.facts.touching(origin, ordered),
                    await session.alerts.on_days(
                        origin, (ordered[0] - 1) * _DAY_US, (ordered[-1] + 2) * _DAY_US
                    ),
                    context.lines,
                    context.zone,
                    size,
                )
                shown = [row for row in await session.rollups.rows(origin, days=ordered) if row.figures]
                differences = compare(shown, computed)
        self._known.add(origin)
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
        if drafts:
            await self._writer.append(drafts)
        async with self._store.write() as session:
            await session.cursors.set("compared", origin, size, version=len(drafts))
        return True
