"""What the lane down keeps beside the journal, on every engine."""

from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.entry_pb2 import Address, Entry, PersonErased, Received

from federation.link.descent import Last, Stream
from node.store.addressed import AddressedRow
from node.store.arrivals import ArrivalRow
from node.store.drafts import Draft
from node.store.rows import EventRow
from node.store.store import Store
from node.store.writer import JournalWriter

COUNTY, TOWN, OTHER = "990100", "990101", "990102"


def word(node: str, *, subtree: bool = False) -> Entry:
    return Entry(person_erased=PersonErased(reason="r"), address=Address(node=node, subtree=subtree))


async def test_addressed_entries_are_numbered_in_their_append_and_found_again(
    store: Store, writer: JournalWriter
) -> None:
    inner = word(TOWN, subtree=True)
    inner.address.number, inner.address.previous = 7, 30
    receipt = Entry(received=Received(origin=COUNTY, index=40, leaf=inner.SerializeToString()))
    entries = [word(TOWN), word(OTHER), Entry(), receipt, word(TOWN), word(TOWN, subtree=True)]
    await writer.append([Draft.of(entry) for entry in entries])
    own = writer.node
    async with store.read() as session:
        assert await session.addressed.page(0, 10, 10) == [
            AddressedRow(0, own, TOWN, 0, 1, 0),
            AddressedRow(1, own, OTHER, 0, 1, 1),
            AddressedRow(3, COUNTY, TOWN, 1, 7, 40),
            AddressedRow(4, own, TOWN, 0, 2, 4),
            AddressedRow(5, own, TOWN, 1, 1, 5),
        ]
        assert [row.idx for row in await session.addressed.page(1, 5, 2)] == [1, 3]
        assert await session.addressed.last(Stream(own, TOWN, False)) == Last(2, 4)
        assert await session.addressed.last(Stream(own, "9", False)) == Last()
        assert await session.addressed.streams(but=own) == {Stream(COUNTY, TOWN, True): Last(7, 40)}
    async with store.write() as session:
        await session.addressed.cut(4)
        await session.addressed.put(
            [AddressedRow(4, own, OTHER, 0, 2, 4), AddressedRow(0, "x", "x", 0, 9, 9)]
        )
        assert [row.node for row in await session.addressed.page(0, 10, 10)] == [TOWN, OTHER, TOWN, OTHER]


async def test_an_append_that_comes_again_keeps_its_number(store: Store, writer: JournalWriter) -> None:
    entry = word(TOWN)
    entry.source, entry.serial = "s", "1"
    for _ in range(2):
        await writer.append([Draft.of(entry)])
    await writer.append([Draft.of(word(TOWN))])
    async with store.read() as session:
        assert [row.number for row in await session.addressed.page(0, 10, 10)] == [1, 2]


def signed(case: str, idx: int) -> EventRow:
    return EventRow(TOWN, case, idx, 1, False, "", "approval", "signed_for", 1, 1, "A", "1", "I", "", "", "")


async def test_a_case_waits_until_it_is_signed_for_after_its_newest_arrival(store: Store) -> None:
    event = CaseEvent(case_id="c").SerializeToString()

    def row(case: str, idx: int, origin: str = TOWN) -> ArrivalRow:
        return ArrivalRow(origin, idx, case, COUNTY, idx + 100, 1, event)

    async with store.write() as session:
        await session.arrivals.put([row("a", 1), row("b", 2), row("a", 5), row("c", 6), row("d", 7, OTHER)])
        await session.arrivals.put([row("a", 1)])
        await session.events.insert([signed("a", 3), signed("b", 4)])
    async with store.read() as session:
        assert [(one.case_id, one.idx) for one in await session.arrivals.unsigned(TOWN, 10)] == [
            ("a", 5),
            ("c", 6),
        ]
        assert [one.case_id for one in await session.arrivals.unsigned(TOWN, 1)] == ["a"]
    async with store.write() as session:
        await session.events.insert([signed("a", 8)])
        assert [one.case_id for one in await session.arrivals.unsigned(TOWN, 10)] == ["c"]
