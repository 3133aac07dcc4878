"""Opened nodes on real SQLite stores, and what passes between a child and its parent, step by step."""

from dataclasses import dataclass
from datetime import datetime

from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.catalogue_pb2 import LIMIT_UNIT_WORKING_DAY, Item, Limit
from zongheng.v1.entry_pb2 import Entry

from federation.rollup.row import RollupRow
from node.downlink import Reports
from node.run import Node
from node.store.alerts import AlertFilter
from node.store.rows import AlertRecord
from node.uplink import OwnJournal
from node.wallclock import micros

VILLAGE, TOWN, COUNTY = "990102001001", "990102001", "990102"
DAY = 86_400_000_000
MONDAY = micros(datetime.fromisoformat("2026-03-02T10:00:00+08:00"))
NOW = MONDAY + 60 * DAY


@dataclass
class Hands:
    """A clock that stands where a test puts it; microseconds since 1970."""

    at: int = NOW

    def __call__(self) -> int:
        return self.at


@dataclass
class Unit:
    """A node with a clock of the test's own."""

    node: Node
    serial: int = 0
    now: int = NOW

    @property
    def reports(self) -> Reports:
        return self.node.reports

    @property
    def code(self) -> str:
        return self.node.settings.node

    async def told(self, *entries: Entry) -> list[int]:
        return await self.node.write_entries(entries)

    def event(self, case: str, kind: str, at_us: int, import_id: str = "") -> Entry:
        self.serial += 1
        event = CaseEvent(
            case_id=case,
            kind=kind,
            domain="approval",
            at_us=at_us,
            received_at_us=at_us,
            agency="A1",
            actor="S7",
            item="I-9",
        )
        return Entry(source="test", serial=str(self.serial), import_id=import_id, case_event=event)

    def late(self, case: str, at_us: int = MONDAY) -> list[Entry]:
        """A case that was accepted long ago and never completed."""
        return [self.event(case, "application", at_us), self.event(case, "acceptance", at_us + 1)]

    async def catch_up(self) -> None:
        await self.node.projector.catch_up()

    async def alerts(self, origin: str = "") -> list[AlertRecord]:
        async with self.node.store.read() as session:
            return await session.alerts.page(origin or self.code, AlertFilter(), 10_000)

    async def rows(self, origin: str = "") -> list[RollupRow]:
        async with self.node.store.read() as session:
            return await session.rollups.rows(origin or self.code)

    async def entries(self, kind: str) -> list[Entry]:
        async with self.node.store.read() as session:
            leaves = await session.journal.leaves(self.code, 0, 100_000)
        entries = [Entry.FromString(leaf) for leaf in leaves]
        return [entry for entry in entries if entry.WhichOneof("body") == kind]

    async def cursor(self, name: str, origin: str = "") -> int:
        async with self.node.store.read() as session:
            return (await session.cursors.get(name, origin or self.code)).position

    async def push_to(self, parent: "Unit", upto: int | None = None) -> None:
        """Relay this node's journal, as the link does."""
        node = self.node
        own = OwnJournal(node.store, node.writer, node.signer, node.branch)
        card = node.tree.own
        await parent.node.children.enrol(card)
        await parent.reports.cards(self.code, [card, *node.tree.descendants()])
        held = (await parent.node.children.held(self.code)).size
        size = upto or node.writer.size
        leaves = await own.leaves(held, size, 1 << 30)
        await parent.node.children.accept(self.code, held, leaves, await own.note_at(held + len(leaves)))

    async def report_to(self, parent: "Unit") -> int:
        """Report this node's figures; returns the size they are reported at."""
        news = await self.node.figures.news()
        await parent.reports.rows(self.code, news.journal_size, news.rows)
        await self.node.figures.reported(news.mark)
        return news.journal_size


def item() -> Entry:
    """An item with a statutory limit of five working days."""
    limit = Limit(amount=5, unit=LIMIT_UNIT_WORKING_DAY)
    return Entry(
        source="test",
        serial="item",
        item_published=Item(code="I-9", version=1, domain="approval", agency="A1", statutory=limit),
    )
