"""Events, facts, alerts, rollups and what else is projected, on every engine."""

from collections.abc import Callable

import pytest

from node.store.alerts import AlertCount, AlertFilter
from node.store.catalogue import Published
from node.store.cursors import Cursor
from node.store.events import COLUMNS, event_row
from node.store.facts import FactsFilter
from node.store.imports import FINISHED, UNDER_WAY, ImportRun
from node.store.rows import AlertRecord, EventRow, FactsRow, Head, RollupRow
from node.store.store import Store

NODE = "990102001"
OTHER = "990102002"

Make = Callable[..., EventRow]
MakeFacts = Callable[..., FactsRow]
MakeAlert = Callable[..., AlertRecord]


async def test_an_event_comes_back_as_it_was(store: Store, event: Make) -> None:
    row = event(
        day_only=True,
        attributes={"granted_days": 5, "notice": "sha256:ab", "complete": True, "原因": "天气\n"},
    )
    async with store.write() as session:
        assert await session.events.insert([row]) == 1
    async with store.read() as session:
        assert await session.events.of_cases(NODE, ["c-1"]) == [row]


async def test_events_are_inserted_once(store: Store, event: Make) -> None:
    async with store.write() as session:
        assert await session.events.insert([event(idx=1), event(idx=2)]) == 2
        assert await session.events.insert([event(idx=2, kind="other"), event(idx=3)]) == 1
        assert [row.kind for row in await session.events.of_cases(NODE, ["c-1"])] == ["application"] * 3


async def test_events_lie_by_case_and_index_and_apart_by_origin(store: Store, event: Make) -> None:
    rows = [event(f"c-{n % 7}", n) for n in range(100)]
    async with store.write() as session:
        await session.events.insert([*rows, event("c-1", 1, origin=OTHER)])
    async with store.read() as session:
        expected = sorted(rows, key=lambda row: (row.case_id, row.idx))
        assert await session.events.of_cases(NODE, ["c-2", "c-0"]) == [
            row for row in expected if row.case_id in ("c-0", "c-2")
        ]
        paged: list[EventRow] = []
        while page := await session.events.page(
            NODE, (paged[-1].case_id, paged[-1].idx) if paged else None, 13
        ):
            paged += page
        assert paged == expected
        streamed = [row async for rows_ in session.events.stream(NODE, 17) for row in rows_]
        assert [event_row(row) for row in streamed] == expected
        assert len(streamed[0]) == len(COLUMNS)
        assert (await session.events.count(NODE), await session.events.cases(NODE)) == (100, 7)
        assert (await session.events.count(OTHER), await session.events.cases("none")) == (1, 0)


async def test_text_is_ordered_by_its_bytes(store: Store, event: Make) -> None:
    cases = ["b", "B", "a-2", "a2", "甲", "Ä", "a_1"]
    async with store.write() as session:
        await session.events.insert([event(case, n) for n, case in enumerate(cases)])
        assert [row.case_id for row in await session.events.page(NODE, None, 10)] == sorted(cases)


async def test_a_summary_comes_back_as_it_was_and_the_newest_counts(store: Store, facts: MakeFacts) -> None:
    rows = [
        facts(
            late=True, completed_at_us=8, duration_days=3, figures={"19000": {"received": 1}, "-1": {"x": 2}}
        ),
        facts("c-2", late=False, received_at_us=None, next_at_us=None, statutory_due_us=None),
    ]
    async with store.write() as session:
        await session.facts.upsert(rows)
        assert await session.facts.of_cases(NODE, ["c-2", "c-1", "none"]) == rows
        assert await session.facts.get(NODE, "c-1") == rows[0]
        assert await session.facts.get(NODE, "none") is None
        await session.facts.upsert([facts(size=11), facts(size=12, state="completed"), facts("c-3")])
        newest = await session.facts.get(NODE, "c-1")
    assert newest == facts(size=12, state="completed")


async def test_only_what_is_due_and_not_held_back_wakes(store: Store, facts: MakeFacts) -> None:
    async with store.write() as session:
        await session.facts.upsert(
            [
                facts("later", next_at_us=500),
                facts("never", next_at_us=None),
                facts("now", next_at_us=0),
                facts("soon", next_at_us=200),
                facts("held", next_at_us=0, import_id="i"),
                facts("elsewhere", next_at_us=0, origin=OTHER),
            ]
        )
        assert await session.facts.due(NODE, 200, 10) == ["now", "soon"]
        assert await session.facts.due(NODE, 200, 1) == ["now"]
        assert await session.facts.next_due(NODE) == 0
        await session.facts.set_next(NODE, [("now", None), ("soon", 900)])
        assert await session.facts.due(NODE, 499, 10) == []
        assert await session.facts.next_due(NODE) == 500
        assert await session.facts.release(NODE, "i") == 1
        assert await session.facts.due(NODE, 0, 10) == ["held"]
        assert await session.facts.next_due("none") is None


async def test_a_case_folded_again_in_the_meantime_stays_due(store: Store, facts: MakeFacts) -> None:
    async with store.write() as session:
        await session.facts.upsert([facts("a", size=10), facts("b", size=12)])
        await session.facts.set_next(NODE, [("a", 900), ("b", 900)], folded_at={"a": 10, "b": 11})
        assert await session.facts.due(NODE, 0, 10) == ["b"]


async def test_a_changed_item_wakes_its_cases(store: Store, facts: MakeFacts) -> None:
    async with store.write() as session:
        await session.facts.upsert(
            [facts("a", item="I-1", next_at_us=None), facts("b", item="I-2", next_at_us=None)]
        )
        assert await session.facts.cases_of_item(NODE, "I-1") == ["a"]
        assert await session.facts.wake_item(NODE, "I-1") == 1
        assert await session.facts.due(NODE, 0, 10) == ["a"]
        assert await session.facts.wake_item(NODE, None) == 2
        assert await session.facts.due(NODE, 0, 10) == ["a", "b"]
        assert await session.facts.cases_of_item(NODE, None) == ["a", "b"]


async def test_cases_are_found_by_what_is_asked(store: Store, facts: MakeFacts, alert: MakeAlert) -> None:
    async with store.write() as session:
        await session.facts.upsert(
            [
                facts("a", state="received", received_at_us=100, item="I-1", statutory_due_us=400),
                facts("b", state="completed", received_at_us=200, item="I-2", late=True, agency="A2"),
                facts("c", state="completed", received_at_us=300, item="I-1", late=False),
                facts("d", state="paused", received_at_us=None, statutory_due_us=None, domain="penalty"),
            ]
        )
        await session.alerts.insert(
            [alert("1", case_id="a", level=2), alert("2", case_id="b", level=2, state=11)]
        )
    expectations = [
        (FactsFilter(), ["c", "b", "a", "d"]),
        (FactsFilter(states=("received", "paused")), ["a", "d"]),
        (FactsFilter(item="I-1"), ["c", "a"]),
        (FactsFilter(agency="A2"), ["b"]),
        (FactsFilter(domain="penalty"), ["d"]),
        (FactsFilter(received_from_us=200), ["c", "b"]),
        (FactsFilter(received_to_us=200), ["a"]),
        (FactsFilter(late=True), ["b"]),
        (FactsFilter(late=True, as_of_us=401), ["b", "a"]),
        (FactsFilter(late=True, as_of_us=400), ["b"]),
        (FactsFilter(late=False, as_of_us=401), ["c", "d"]),
        (FactsFilter(late=False), ["c", "a", "d"]),
        (FactsFilter(level=2), ["a"]),
        (FactsFilter(level=3), []),
    ]
    async with store.read() as session:
        for narrow, expected in expectations:
            assert [row.case_id for row in await session.facts.page(NODE, narrow, 10)] == expected, narrow
            assert await session.facts.count(NODE, narrow) == len(expected)
        assert [row.case_id for row in await session.facts.page(NODE, FactsFilter(), 2, 1)] == ["b", "a"]
        assert await session.facts.by_state(NODE) == {"completed": 2, "paused": 1, "received": 1}
        assert await session.facts.count(OTHER) == 0


async def test_the_cases_that_touch_a_day_follow_their_figures(store: Store, facts: MakeFacts) -> None:
    def figures(*days: int) -> dict[str, dict[str, int]]:
        return {f"{day}": {"received": 1} for day in days}

    async with store.write() as session:
        await session.facts.upsert(
            [facts("a", figures=figures(1, 2)), facts("b", figures=figures(2, 3)), facts("c", figures={})]
        )
        await session.facts.upsert([facts("a", figures=figures(9), origin=OTHER)])
        assert [row.case_id for row in await session.facts.touching(NODE, [2])] == ["a", "b"]
        assert await session.facts.days(NODE) == [1, 2, 3]
        await session.facts.upsert([facts("a", figures=figures(3, 4))])
        assert [row.case_id for row in await session.facts.touching(NODE, [1, 2])] == ["b"]
        assert [row.case_id for row in await session.facts.touching(NODE, [3, 4])] == ["a", "b"]
        assert await session.facts.days(NODE) == [2, 3, 4]
        assert await session.facts.days(OTHER) == [9]


async def test_a_case_is_found_in_every_journal_that_speaks_of_it(store: Store, facts: MakeFacts) -> None:
    async with store.write() as session:
        for origin in (NODE, OTHER):
            await session.journal.open(Head(origin, "l", "v", 0, b"", "", 0, 0, ""), own=origin == NODE)
            await session.facts.upsert([facts("a", origin=origin)])
        assert [row.origin for row in await session.facts.everywhere("a")] == [NODE, OTHER]
        assert await session.facts.everywhere("b") == []


async def test_an_alert_is_kept_once_and_moves(store: Store, alert: MakeAlert) -> None:
    async with store.write() as session:
        alerts = session.alerts
        assert await alerts.insert([alert("1"), alert("2", level=2)]) == 2
        assert (
            await alerts.insert([alert("3"), alert("1", case_id="z"), alert("4", subject="step:T02#1")]) == 1
        )
        assert await alerts.set_state(NODE, "1", 6)
        assert not await alerts.set_state(NODE, "none", 6)
        await alerts.set_states(NODE, [("2", 3), ("2", 5)])
        assert [(a.alert_id, a.state) for a in await alerts.of_cases(NODE, ["c-1"])] == [
            ("1", 6),
            ("2", 5),
            ("4", 2),
        ]
        assert await alerts.get(NODE, "2") == alert("2", level=2, state=5)
        assert await alerts.get(OTHER, "2") is None
        assert await alerts.insert([alert("1", origin=OTHER)]) == 1


async def test_alerts_are_found_by_what_is_asked(store: Store, alert: MakeAlert) -> None:
    async with store.write() as session:
        await session.alerts.insert(
            [
                alert("a", case_id="c-1", level=1, since_us=100, idx=10, state=1),
                alert("b", case_id="c-2", level=2, since_us=200, idx=11, rule="fee", agency="A2"),
                alert("c", case_id="c-2", level=3, since_us=300, idx=12, state=11, raised_at_us=9_000),
                alert("d", case_id="c-3", level=3, since_us=400, idx=13, item="I-1", domain="penalty"),
            ]
        )
    expectations = [
        (AlertFilter(), "abcd"),
        (AlertFilter(level=3), "cd"),
        (AlertFilter(rule="fee"), "b"),
        (AlertFilter(agency="A2"), "b"),
        (AlertFilter(item="I-1"), "d"),
        (AlertFilter(domain="penalty"), "d"),
        (AlertFilter(case_id="c-2"), "bc"),
        (AlertFilter(states=(1, 11)), "ac"),
        (AlertFilter(active=True), "abd"),
        (AlertFilter(since_from_us=200, since_to_us=400), "bc"),
        (AlertFilter(raised_to_us=6_000), "abd"),
        (AlertFilter(below_idx=12), "ab"),
    ]
    async with store.read() as session:
        alerts = session.alerts
        for narrow, expected in expectations:
            assert "".join(a.alert_id for a in await alerts.page(NODE, narrow, 10)) == expected, narrow
            assert "".join(a.alert_id for a in await alerts.latest(NODE, narrow, 10)) == expected[::-1]
            assert sum(count.alerts for count in await alerts.counts(NODE, narrow)) == len(expected)
        assert [a.alert_id for a in await alerts.page(NODE, AlertFilter(), 2, after_idx=10)] == ["b", "c"]
        assert [a.alert_id for a in await alerts.on_days(NODE, 200, 400)] == ["b", "c"]
        assert AlertCount("penalty", "approval.statutory", 3, 2, 1) in await alerts.counts(NODE)
        assert await alerts.top_levels(NODE, ["c-1", "c-2", "c-3", "c-4"]) == {"c-1": 1, "c-2": 2, "c-3": 3}


async def test_the_last_episode_is_known(store: Store, alert: MakeAlert) -> None:
    async with store.write() as session:
        await session.alerts.insert(
            [alert("a"), alert("b", episode=2), alert("c", level=2), alert("d", case_id="z")]
        )
        assert await session.alerts.episodes(NODE, ["c-1"]) == {
            ("c-1", "case", "approval.statutory", 3): 2,
            ("c-1", "case", "approval.statutory", 2): 1,
        }


async def test_an_alert_id_is_found_in_every_journal(store: Store, alert: MakeAlert) -> None:
    async with store.write() as session:
        for origin in (NODE, OTHER):
            await session.journal.open(Head(origin, "l", "v", 0, b"", "", 0, 0, ""), own=origin == NODE)
            await session.alerts.insert([alert("a", origin=origin)])
        assert [a.origin for a in await session.alerts.find("a")] == [NODE, OTHER]


def rollup(day: int = 1, item: str = "I", version: int = 5, node: str = NODE, **figures: int) -> RollupRow:
    return RollupRow(node, day, "approval", "A1", "", item, figures or {"received": 1}, b"", b"", version)


async def test_only_a_changed_row_gets_a_new_version(store: Store) -> None:
    async with store.write() as session:
        rollups = session.rollups
        assert await rollups.replace(NODE, [1, 2], [rollup(1), rollup(2), rollup(2, "J", x=2)], 5) == 3
        assert await rollups.replace(NODE, [2], [rollup(2), rollup(2, "J", x=3, y=0)], 9) == 1
        assert await rollups.rows(NODE) == [rollup(1), rollup(2), rollup(2, "J", 9, x=3)]
        assert await rollups.changed_since(NODE, 5) == [rollup(2, "J", 9, x=3)]
        assert await rollups.version(NODE) == 9
        with pytest.raises(ValueError, match="these days"):
            await rollups.replace(NODE, [1], [rollup(2)], 9)


async def test_a_row_without_figures_is_corrected_upward_and_not_shown(store: Store) -> None:
    async with store.write() as session:
        rollups = session.rollups
        await rollups.replace(NODE, [1], [rollup(1), rollup(1, "J")], 5)
        assert await rollups.replace(NODE, [1], [rollup(1)], 7) == 1
        assert await rollups.rows(NODE) == [rollup(1)]
        empty = RollupRow(NODE, 1, "approval", "A1", "", "J", {}, b"", b"", 7)
        assert await rollups.changed_since(NODE, 5) == [empty]
        assert await rollups.replace(NODE, [1], [rollup(1)], 8) == 0
        await rollups.upsert([empty])
        assert await rollups.totals() == {NODE: {"received": 1}}


async def test_of_two_reports_the_newer_stays(store: Store) -> None:
    async with store.write() as session:
        rollups = session.rollups
        assert (
            await rollups.upsert([rollup(node=OTHER, version=5, a=1), rollup(node=OTHER, version=4, a=9)])
            == 1
        )
        assert await rollups.upsert([rollup(node=OTHER, version=3, a=7)]) == 0
        assert await rollups.upsert([rollup(node=OTHER, version=8, a=2), rollup(2, node=OTHER, a=5)]) == 2
        assert await rollups.rows(OTHER) == [rollup(node=OTHER, version=8, a=2), rollup(2, node=OTHER, a=5)]
        assert await rollups.rows(days=[2]) == [rollup(2, node=OTHER, a=5)]
        assert await rollups.rows(nodes=[NODE, OTHER], days=[1]) == [rollup(node=OTHER, version=8, a=2)]
        assert await rollups.rows(nodes=[]) == []
        assert await rollups.totals() == {OTHER: {"a": 7}}
        assert await rollups.nodes() == [OTHER]
        assert await rollups.version("none") == 0


async def test_changes_come_in_whole_versions(store: Store) -> None:
    async with store.write() as session:
        rollups = session.rollups
        for version, days in ((5, [1, 2, 3]), (6, [4]), (7, [5, 6])):
            await rollups.replace(NODE, days, [rollup(day) for day in days], version)
        seen, calls, at = [], 0, 0
        while rows := await rollups.changed_since(NODE, at, limit=2):
            seen += [row.day for row in rows]
            at, calls = rows[-1].version, calls + 1
        assert (seen, calls) == ([1, 2, 3, 4, 5, 6], 2)


async def test_sketches_count_as_content(store: Store) -> None:
    with_sketch = RollupRow(NODE, 1, "approval", "A1", "", "I", {"received": 1}, b"\x01", b"\x02", 9)
    async with store.write() as session:
        await session.rollups.replace(NODE, [1], [rollup(1)], 5)
        assert await session.rollups.replace(NODE, [1], [with_sketch], 9) == 1
        assert await session.rollups.rows(NODE) == [with_sketch]


async def test_cursors_links_cards_and_ticks_are_remembered(store: Store) -> None:
    async with store.write() as session:
        assert await session.cursors.get("facts", NODE) == Cursor(0, 0)
        await session.cursors.set("facts", NODE, 10, 2)
        await session.cursors.set("facts", NODE, 11, 2)
        await session.cursors.set("facts", OTHER, 1)
        await session.links.put_json("backoff/parent", {"attempt": 3})
        await session.links.put("backoff%", b"\x00\xff")
        await session.links.put("other", b"")
        await session.links.delete("other")
        await session.cards.put([("b", b"1"), ("a", b"2"), ("b", b"3")])
        assert await session.ticks.win("sign", 100)
        assert not await session.ticks.win("sign", 100)
        assert await session.ticks.win("sign", 200)
        assert await session.ticks.forget(200) == 1
        assert await session.ticks.win("sign", 100)
    async with store.read() as session:
        assert await session.cursors.get("facts", NODE) == Cursor(11, 2)
        assert set(await session.cursors.all()) == {("facts", NODE), ("facts", OTHER)}
        assert await session.links.get_json("backoff/parent") == {"attempt": 3}
        assert await session.links.get_json("none") is None
        assert await session.links.get("other") is None
        assert await session.links.names("backoff/") == ["backoff/parent"]
        assert await session.links.names("") == ["backoff%", "backoff/parent"]
        assert await session.cards.all() == {"a": b"2", "b": b"3"}
        assert await session.cards.get("a") == b"2"
        assert await session.cards.get("c") is None


async def test_an_import_goes_on_from_its_settled_row(store: Store) -> None:
    run = ImportRun("i", "file", UNDER_WAY, 0, 0, 0)
    async with store.write() as session:
        assert await session.imports.get("i") is None
        await session.imports.put(run)
        await session.imports.put(ImportRun("j", "file", FINISHED, 9, 9, 0))
        await session.imports.put(ImportRun("i", "file", UNDER_WAY, 500, 490, 10))
        assert await session.imports.under_way() == [ImportRun("i", "file", UNDER_WAY, 500, 490, 10)]


async def test_every_version_of_what_was_published_is_kept(store: Store) -> None:
    first = Published(NODE, "item", "I-1", 1, 3, b"one")
    second = Published(NODE, "item", "I-1", 2, 8, b"two")
    other = Published(NODE, "item", "I-0", 1, 5, b"other")
    async with store.write() as session:
        catalogue = session.catalogue
        await catalogue.put([second, first, other, Published(NODE, "agency", "A", 1, 4, b"a")])
        assert await catalogue.all(NODE, "item") == [first, other, second]
        assert await catalogue.versions(NODE, "item", "I-1") == [first, second]
        again = Published(NODE, "item", "I-1", 1, 9, b"again")
        await catalogue.put([again, first])
        await catalogue.put([first])
        assert await catalogue.versions(NODE, "item", "I-1") == [again, second]
        assert await catalogue.all(OTHER, "item") == []


async def test_dropping_projections_keeps_what_is_primary(
    store: Store, event: Make, facts: MakeFacts, alert: MakeAlert
) -> None:
    async with store.write() as session:
        await session.journal.open(Head(NODE, "l", "v", 0, b"", "", 0, 0, ""), own=True)
        await session.journal.append(NODE, 0, [b"leaf"])
        await session.journal.remember([("s", "1", 0)])
        await session.vault.put([("h", "l", b"sealed")])
        await session.links.put("a", b"1")
        await session.rollups.upsert([rollup(node=OTHER), rollup()])
        await session.events.insert([event()])
        await session.facts.upsert([facts()])
        await session.alerts.insert([alert()])
        await session.cursors.set("facts", NODE, 1)
        await session.catalogue.put([Published(NODE, "item", "I-1", 1, 0, b"")])
        await session.drop_projections()
    async with store.read() as session:
        assert await session.journal.leaves(NODE, 0, 9) == [b"leaf"]
        assert await session.journal.seen("s", ["1"]) == {"1": 0}
        assert await session.vault.get("h") == b"sealed"
        assert await session.links.get("a") == b"1"
        # Own rows too: only a row that is still there can tell the ancestors that it no longer holds.
        assert await session.rollups.nodes() == sorted([NODE, OTHER])
        assert await session.events.count(NODE) == 0
        assert await session.facts.count(NODE) == 0
        assert await session.facts.days(NODE) == []
        assert await session.alerts.counts(NODE) == []
        assert await session.cursors.all() == {}
        assert await session.catalogue.all(NODE, "item") == []
