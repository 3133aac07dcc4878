"""The lane down at the child: what it takes, what it notices, and that nothing is lost or entered twice whatever happens."""

import asyncio
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zongheng.v1.down_pb2 import DescendResponse
from zongheng.v1.entry_pb2 import Address, Entry, PersonErased
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import Signer, Verifier, log_id, open_note
from federation.journal.merkle import leaf_hash, verify_inclusion
from federation.link.descent import (
    Acknowledge,
    Came,
    Command,
    Descent,
    Halt,
    Keep,
    Linked,
    Open,
    Pin,
    Report,
    Stored,
)
from federation.link.down_lane import begun
from federation.link.down_memory import MemoryAddressed, MemoryReceived
from federation.link.memory import MemoryJournal

CITY, COUNTY, TOWN, OTHER, VILLAGE = "9900", "990100", "990101", "990102", "990101001"


def signer(node: str) -> Signer:
    return Signer.generate(log_id(node, secrets.token_hex(4)))


def parent(node: str = COUNTY, above: tuple[MemoryAddressed, ...] = ()) -> MemoryAddressed:
    cards = [one.card for one in above]
    return MemoryAddressed(NodeCard(node=node), MemoryJournal(signer(node)), cards)


def word(text: str, node: str = "", *, subtree: bool = False) -> Entry:
    entry = Entry(person_erased=PersonErased(reason=text))
    if node:
        entry.address.CopyFrom(Address(node=node, subtree=subtree))
    return entry


class Child:
    """The machine with its end in memory, and a hand on every message."""

    def __init__(
        self, above: MemoryAddressed, node: str = TOWN, below: frozenset[str] = frozenset({VILLAGE})
    ) -> None:
        self.parent = above
        self.end = MemoryReceived(node, lambda: below)
        self.members = {node, *below}
        self.descent: Descent
        self.told: list[Command] = []
        self.asked = Open(0, 0, 0)

    async def link(self) -> None:
        """Begin anew from what is stored, as after a crash."""
        end = self.end
        self.descent = await begun(end)
        [command] = self.descent.handle(Linked())
        assert isinstance(command, Open)
        self.asked = command
        await self.obey(DescendResponse(above=await self.parent.above()))

    async def batch(self, position: int | None = None, max_bytes: int = 1 << 20) -> DescendResponse:
        """What the parent sends from where the child stands."""
        at = self.descent.position if position is None else position
        held = self.descent.kept.size
        return (await self.parent.batch(self.members, at, held, max_bytes)).message

    async def obey(self, message: DescendResponse) -> None:
        for command in self.descent.handle(Came(message)):
            self.told.append(command)
            match command:
                case Pin(above):
                    await self.end.pin(above)
                case Keep():
                    await self.end.keep(command)
                    self.told += self.descent.handle(Stored())
                case Halt(fork=fork) if fork is not None:
                    await self.end.forked(fork)

    def words(self) -> list[str]:
        return [
            Entry.FromString(entry.received.leaf).person_erased.reason
            for entry in self.end.entries
            if entry.HasField("received")
        ]

    def halts(self) -> list[str]:
        return [command.code for command in self.told if isinstance(command, Halt)]

    def withheld(self) -> list[tuple[int, int]]:
        return [
            (entry.withheld.missing, entry.withheld.shown)
            for entry in self.end.entries
            if entry.HasField("withheld")
        ]


async def test_a_child_gets_what_is_for_it_for_its_subtree_and_for_everybody_in_order() -> None:
    county = parent()
    for text, node, subtree in (
        ("to all", COUNTY, True),
        ("to nobody", "", False),
        ("to another", OTHER, False),
        ("to the town", TOWN, False),
        ("to the village", VILLAGE, False),
        ("to the town and below", TOWN, True),
        ("to another and below", OTHER, True),
    ):
        await county.write(word(text, node, subtree=subtree))
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    assert child.words() == ["to all", "to the town", "to the village", "to the town and below"]
    assert child.withheld() == child.halts() == []
    assert child.told[-1] == Acknowledge(7, 1)


async def test_a_receipt_is_evidence_of_its_own() -> None:
    county = parent()
    await county.write(word("to the town", TOWN))
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    [entry] = child.end.entries
    got = entry.received
    head = open_note(got.checkpoint, [Verifier.parse(got.verifier)])
    verify_inclusion(leaf_hash(got.leaf), got.index, head.size, list(got.proof), head.root)
    assert got.verifier == county.card.verifier


async def test_what_was_kept_while_the_child_was_away_comes_in_batches() -> None:
    county, child = parent(), None
    for number in range(40):
        await county.write(word(f"{number} " + "x" * 200, TOWN))
    child = Child(county)
    await child.link()
    while child.descent.position < 40:
        await child.obey(await child.batch(max_bytes=1_000))
    assert child.end.indexes(COUNTY) == list(range(40))
    assert child.withheld() == []


async def test_an_ancestors_entry_is_proven_by_the_ancestor_and_passed_on_through_two_tiers() -> None:
    city = parent(CITY)
    county = parent(COUNTY, (city,))
    town = parent(TOWN, (county, city))
    await city.write(word("for the whole city", CITY, subtree=True))
    at_county = Child(city, COUNTY, frozenset({TOWN, VILLAGE}))
    await at_county.link()
    await at_county.obey(await at_county.batch())
    for entry in at_county.end.entries:
        await county.write(entry)
    at_town = Child(county)
    await at_town.link()
    await at_town.obey(await at_town.batch())
    for entry in at_town.end.entries:
        await town.write(entry)
    at_village = Child(town, VILLAGE, frozenset())
    await at_village.link()
    await at_village.obey(await at_village.batch())
    assert at_village.words() == ["for the whole city"]
    [entry] = at_village.end.entries
    assert (entry.received.origin, entry.received.index) == (CITY, 0)
    assert entry.received.leaf == city.journal.tree.leaves[0]


async def test_a_parent_cannot_make_up_an_ancestors_entry() -> None:
    city, liar = parent(CITY), parent(CITY)
    county = parent(COUNTY, (city,))
    await liar.write(word("you may close early", CITY, subtree=True))
    forger = Child(liar, COUNTY, frozenset({TOWN}))
    await forger.link()
    await forger.obey(await forger.batch())
    await county.write(forger.end.entries[0])
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    assert child.words() == []
    assert [command.code for command in child.told if isinstance(command, Report)] == ["bad_proof"]


async def test_an_entry_kept_back_is_shown_by_the_next_one_of_its_sender() -> None:
    county = parent()
    for number in range(4):
        await county.write(word(str(number), TOWN))
    hidden = county.rows.pop(1)
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    assert child.words() == ["0", "2", "3"]
    assert child.withheld() == [(2, 3)]
    [shown] = [entry.withheld for entry in child.end.entries if entry.HasField("withheld")]
    assert (shown.missing_index, shown.sender, shown.node) == (hidden[0], COUNTY, TOWN)


async def test_a_parent_that_keeps_back_what_its_own_parent_wrote_is_shown_by_that_ones_signature() -> None:
    city = parent(CITY)
    county = parent(COUNTY, (city,))
    for number in range(3):
        await city.write(word(str(number), TOWN))
    at_county = Child(city, COUNTY, frozenset({TOWN}))
    await at_county.link()
    await at_county.obey(await at_county.batch())
    for entry in (at_county.end.entries[0], at_county.end.entries[2]):
        await county.write(entry)
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    assert child.withheld() == [(2, 3)]
    [shown] = [entry.withheld for entry in child.end.entries if entry.HasField("withheld")]
    assert (shown.parent, shown.sender) == (COUNTY, CITY)


async def test_a_parent_that_rewrites_its_journal_is_found_out_and_both_heads_are_kept() -> None:
    county = parent()
    await county.write(word("first", TOWN))
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    other = MemoryAddressed(county.card, MemoryJournal(county.journal.signer))
    for text in ("another first", "second"):
        await other.write(word(text, TOWN))
    child.parent = other
    await child.link()
    await child.obey(await child.batch())
    assert child.halts() == ["root_mismatch"]
    assert [command.passing for command in child.told if isinstance(command, Halt)] == [False]
    [fork] = child.end.forks
    key = Verifier.parse(county.card.verifier)
    assert open_note(fork.held, [key]).size == 1
    assert open_note(fork.shown, [key]).size == 2
    assert child.words() == ["first"]


async def test_a_parent_restored_from_an_old_backup_is_told_apart_from_one_that_lies() -> None:
    county = parent()
    for text in ("first", "second"):
        await county.write(word(text, TOWN))
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    old = MemoryAddressed(county.card, MemoryJournal(county.journal.signer))
    await old.journal.append(county.journal.tree.leaves[:1])
    child.parent = old
    await child.link()
    await child.obey(await child.batch())
    assert child.halts() == ["parent_behind"]
    assert [command.passing for command in child.told if isinstance(command, Halt)] == [True]
    assert child.end.forks == []


@pytest.mark.parametrize("fault", ["leaf", "proof", "order", "signature", "stranger", "gap"])
async def test_nothing_that_is_not_proven_gets_in(fault: str) -> None:
    county = parent()
    for number in range(5):
        await county.write(word(str(number), TOWN))
    await county.write(word("for another", OTHER))
    child = Child(county)
    await child.link()
    batch = await child.batch()
    match fault:
        case "leaf":
            batch.entries[2].leaf = word("changed", TOWN).SerializeToString()
        case "proof":
            batch.entries[2].proof[0] = bytes(32)
        case "order":
            batch.entries[2].index = batch.entries[1].index
        case "signature":
            batch.checkpoint = (await parent().batch({TOWN}, 0, 0, 1)).message.checkpoint
        case "stranger":
            stray = (await county.batch({OTHER}, 5, 0, 1 << 20)).message
            batch.entries.append(stray.entries[0])
        case "gap":
            batch = await child.batch(position=3)
    await child.obey(batch)
    if fault == "stranger":
        assert child.words() == ["0", "1", "2", "3", "4"]
        assert any(isinstance(command, Report) for command in child.told)
    else:
        assert child.words() == []
        assert len(child.halts()) == 1


async def test_another_parent_or_another_key_is_not_taken_for_the_old_one() -> None:
    county = parent()
    await county.write(word("first", TOWN))
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    child.parent = parent(COUNTY)
    await child.link()
    assert child.halts() == ["wrong_log"]
    child.parent = parent(CITY)
    await child.link()
    assert child.halts() == ["wrong_log", "wrong_log"]


async def test_a_key_that_a_passport_names_follows_the_old_one_and_what_the_old_one_signed_still_counts() -> (
    None
):
    city = parent(CITY)
    await city.write(word("by the old key", CITY, subtree=True))
    at_county = Child(city, COUNTY, frozenset({TOWN, VILLAGE}))
    await at_county.link()
    await at_county.obey(await at_county.batch())
    county = parent(COUNTY, (city,))
    child = Child(county)
    await child.link()
    await county.write(at_county.end.entries[0])
    newer = MemoryAddressed(NodeCard(node=CITY), MemoryJournal(Signer.generate(city.card.log_id)))
    county.ancestors = [newer.card]
    await child.link()
    assert child.halts() == ["wrong_log"], "nobody vouches for the new key"
    child.end.passports[CITY] = newer.card.verifier
    await child.link()
    await child.obey(await child.batch())
    assert child.words() == ["by the old key"]
    [entry] = child.end.entries
    assert entry.received.verifier == city.card.verifier
    child.end.passports[CITY] = city.card.verifier
    await child.link()
    assert child.halts() == ["wrong_log", "untrusted"], "the parent names another key than the passport"


async def test_after_a_person_opened_it_again_another_history_comes_and_nothing_comes_twice() -> None:
    county = parent()
    for text in ("first", "second"):
        await county.write(word(text, TOWN))
    child = Child(county)
    await child.link()
    await child.obey(await child.batch())
    other = MemoryAddressed(county.card, MemoryJournal(county.journal.signer))
    for text in ("first", "another second", "third"):
        await other.write(word(text, TOWN))
    child.parent = other
    await child.link()
    await child.obey(await child.batch())
    assert child.halts() == ["root_mismatch"]
    child.end.reopen()
    await child.link()
    await child.obey(await child.batch())
    assert child.words() == ["first", "second", "another second", "third"]
    assert child.withheld() == []


ADDRESSES = st.sampled_from(
    [("", False), (COUNTY, True), (TOWN, False), (TOWN, True), (VILLAGE, False), (OTHER, False), (CITY, True)]
)
MISHAPS = st.sampled_from(
    ["write", "write", "carry", "drop", "repeat", "crash before", "crash after", "older"]
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(MISHAPS, ADDRESSES), max_size=40), st.integers(200, 2_000))
def test_whatever_happens_on_the_way_all_arrives_once_and_in_order(
    story: list[tuple[str, tuple[str, bool]]], room: int
) -> None:
    asyncio.run(_story(story, room))


async def _story(story: list[tuple[str, tuple[str, bool]]], room: int) -> None:
    city = parent(CITY)
    county = parent(COUNTY, (city,))
    up = Child(city, COUNTY, frozenset({TOWN, OTHER, VILLAGE}))
    down = Child(county)
    await up.link()
    await down.link()
    older = await down.batch(max_bytes=room)
    expected: list[str] = []
    count = 0

    async def pass_on() -> None:
        """The city's entries reach the county, whose receipts are entries of its journal."""
        held = len(up.end.entries)
        await up.obey(await up.batch())
        for entry in up.end.entries[held:]:
            await county.write(entry)

    for mishap, (node, subtree) in story:
        match mishap:
            case "write":
                count += 1
                sender = city if node == CITY or (count % 3 == 0 and node != COUNTY) else county
                await sender.write(word(f"{count}", node, subtree=subtree))
                await pass_on()
                if node in (TOWN, VILLAGE) or subtree:
                    expected.append(f"{count}")
            case "carry":
                older = await down.batch(max_bytes=room)
                await down.obey(older)
            case "drop":
                await down.batch(max_bytes=room)
                await down.link()
            case "repeat":
                batch = await down.batch(max_bytes=room)
                await down.obey(batch)
                await down.obey(batch)
            case "crash before":
                down.descent.handle(Came(await down.batch(max_bytes=room)))
                await down.link()
            case "crash after":
                for command in down.descent.handle(Came(await down.batch(max_bytes=room))):
                    if isinstance(command, Keep):
                        await down.end.keep(command)
                await down.link()
            case "older":
                await down.obey(older)
        assert down.words() == expected[: len(down.words())]
    while down.descent.position < len(county.journal.tree.leaves) and not down.halts():
        await down.obey(await down.batch(max_bytes=room))
    assert down.words() == expected
    assert down.withheld() == []
    assert down.halts() == []
