"""The reports that a node makes by itself: of each period that is over, once, into the folder's ``reports/``.

A file is written beside its place, synced and renamed; then an entry of the journal names it with its digest, and that entry is what says that it is
done. Killed before the entry: the report is made again and put in place of the file; after it: nothing is left to do. A node that was off catches up
with the newest periods that it missed. One that fails (no font, a full disk) is told in the log and by ``zongheng report --filed``, holds up no
other, and is tried again.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.report_pb2 import ReportFiled

from federation.errors import of
from node.config import NodeSettings, replace
from node.reports.made import Format, file_name, made
from node.reports.period import Kind, Period, period_of
from node.store.store import Store
from node.store.writer import JournalWriter
from node.wallclock import Now, instant, micros

if TYPE_CHECKING:
    from node.views.report import ReportView

log = structlog.get_logger()

FOLDER: Final = "reports"

FILED: Final = "reports.filed"
"""Name of the list of the entries' indexes, the newest last, among the store's small values."""

PROBLEM: Final = "reports.problem"
"""Name of what went wrong last: ``at_us`` and ``words``; null: nothing."""

MOST_KEPT: Final = 1_000
"""Entries in that list."""

CATCH_UP: Final[dict[Kind, int]] = {"day": 7, "week": 4, "month": 3}
"""How many periods back a node catches up."""

LOOKS_EVERY_S: Final = 60.0
AGAIN_S: Final = 600.0
"""Rest after one that failed."""

SOURCE: Final = "node"

Compile = Callable[[str, str], Awaitable["ReportView"]]
Enter = Callable[[Sequence[Entry]], Awaitable[list[int]]]


class ReportSchedule:
    """Makes the reports of one node."""

    def __init__(
        self,
        folder: Path,
        settings: NodeSettings,
        store: Store,
        writer: JournalWriter,
        enter: Enter,
        compiled: Compile,
        now: Now,
    ) -> None:
        self._folder = folder / FOLDER
        self._settings = settings
        self._store = store
        self._writer = writer
        self._enter = enter
        self._compiled = compiled
        self._now = now

    async def run(self) -> None:
        """Make them when they are due, until cancelled."""
        while True:
            try:
                failed = self._writer.accepts and await self.look()
            except Exception:
                log.exception("reports.failed", instruction="it is tried again by itself")
                failed = True
            await asyncio.sleep(AGAIN_S if failed else LOOKS_EVERY_S)

    async def look(self) -> bool:
        """Make all that is due now, the oldest first; whether one failed."""
        problem = ""
        for period in [one for kind in self._settings.reports.periods for one in await self._due(kind)]:
            for form in self._settings.reports.formats:
                try:
                    await self._file(period, form)
                except Exception as error:
                    words = f"{period.label} ({form}): {of(error)}"
                    log.warning(
                        "report.failed", period=period.label, form=form, words=str(of(error)), exc_info=of(error).code == "internal",
                        instruction="it is tried again by itself",
                    )  # fmt: skip
                    problem = problem or words
        async with self._store.write() as session:
            told = {"at_us": self._now(), "words": problem} if problem else None
            if told or await session.links.get_json(PROBLEM) is not None:
                await session.links.put_json(PROBLEM, told)
        return bool(problem)

    async def _due(self, kind: Kind) -> list[Period]:
        """Periods that are over since the hour of the settings, as far back as this node catches up, the oldest first."""
        zone = ZoneInfo(self._settings.zone)
        now_us = self._now()
        async with self._store.read() as session:
            leaves = await session.journal.leaves(self._settings.node, 0, 1)
        if not leaves:
            return []
        born = instant(Entry.FromString(leaves[0]).noted_at_us).astimezone(zone).date()
        hour = timedelta(hours=self._settings.reports.hour)
        last = period_of(kind, instant(now_us).astimezone(zone).date()).before
        due = [
            one
            for one in _back(last, CATCH_UP[kind])
            if one.end > born and micros(datetime.combine(one.end, time(), zone) + hour) <= now_us
        ]
        return due[::-1]

    async def _file(self, period: Period, form: Format) -> None:
        serial = f"report/{period.kind}/{period.label}/{form}"
        async with self._store.read() as session:
            known = (await session.journal.seen(SOURCE, [serial])).get(serial)
        if known is None:
            known = await self._make(period, form, serial)
        async with self._store.write() as session:
            filed = await session.links.get_json(FILED) or []
            if known not in filed:
                await session.links.put_json(FILED, [*filed, known][-MOST_KEPT:])

    async def _make(self, period: Period, form: Format, serial: str) -> int:
        report = await self._compiled(period.kind, period.first.isoformat())
        content = await asyncio.to_thread(made, report, form, self._settings.reports.font)
        name = file_name(report.subtree, report.label, form)
        await asyncio.to_thread(self._put, name, content)
        entry = ReportFiled(
            subtree=report.subtree,
            period=report.period,
            label=report.label,
            format=form,
            file=name,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            journal_size=self._writer.size,
        )
        (index,) = await self._enter([Entry(source=SOURCE, serial=serial, report_filed=entry)])
        log.info("report.filed", period=report.label, form=form, size=len(content), index=index)
        return index

    def _put(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        replace(self._folder / name, content)


def _back(period: Period, count: int) -> Iterator[Period]:
    for _ in range(count):
        yield period
        period = period.before
