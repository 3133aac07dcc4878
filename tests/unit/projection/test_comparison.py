"""A parent's copy against the child's own figures: nobody is accused for what is on its way, nobody gets away with leaving out."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from node.store.rows import RollupRow
from tests.unit.projection.units import DAY, MONDAY, TOWN, VILLAGE, Unit, item

Make = Callable[..., Awaitable[Unit]]


async def _pair(unit: Make) -> tuple[Unit, Unit]:
    village, town = await unit(VILLAGE), await unit(TOWN)
    await village.told(item(), *(one for n in range(4) for one in village.late(f"c-{n}", MONDAY + n * DAY)))
    await village.catch_up()
    await village.push_to(town)
    return village, town


async def test_equal_figures_accuse_nobody_and_say_so(unit: Make) -> None:
    village, town = await _pair(unit)
    size = await village.report_to(town)
    await town.catch_up()
    assert await town.entries("rollup_mismatch") == []
    assert size == village.node.writer.size == await town.cursor("compared", VILLAGE)


async def test_a_report_that_the_journal_has_overtaken_accuses_nobody(unit: Make) -> None:
    village, town = await _pair(unit)
    await town.catch_up()
    news = await village.node.figures.news()
    await village.told(village.event("c-0", "completion", MONDAY + 30 * DAY))
    await village.catch_up()
    await village.push_to(town)
    # The new entries are read and not folded when the report at the old size comes in.
    async with town.node.store.read() as session:
        heads = await session.journal.heads()
    await town.node.projector.reader.read(next(head for head in heads if head.origin == VILLAGE))
    await town.reports.rows(VILLAGE, news.journal_size, news.rows)
    await town.node.comparison.check()
    await town.catch_up()
    await village.report_to(town)
    await town.catch_up()
    assert await town.entries("rollup_mismatch") == []
    assert await town.cursor("compared", VILLAGE) == village.node.writer.size


async def test_a_day_left_out_is_found_also_when_nothing_is_reported_at_all(unit: Make) -> None:
    village, town = await _pair(unit)
    await town.reports.rows(VILLAGE, village.node.writer.size, [])
    await town.catch_up()
    mismatches = [entry.rollup_mismatch for entry in await town.entries("rollup_mismatch")]
    assert {one.column for one in mismatches} >= {"accepted", "red"}
    assert all(one.reported == 0 for one in mismatches)


async def test_a_row_of_a_day_that_nobody_touched_is_found_across_a_restart(unit: Make) -> None:
    village, town = await _pair(unit)
    await village.report_to(town)
    await town.catch_up()
    invented = replace(
        (await village.rows())[0], day=99, figures={"on_time": 5}, durations=b"", applicants=b""
    )
    await town.reports.rows(VILLAGE, village.node.writer.size, [invented])
    town.node.comparison.__init__(town.node.store, town.node.writer, town.node.contexts, town.node.now)  # type: ignore[misc]
    await town.catch_up()
    (found,) = await town.entries("rollup_mismatch")
    assert (found.rollup_mismatch.column, found.rollup_mismatch.reported) == ("on_time", 5)


async def test_a_rebuild_above_accuses_nobody_below(unit: Make) -> None:
    village, town = await _pair(unit)
    size = await village.report_to(town)
    await town.catch_up()
    await town.node.projector.rebuild()
    await town.catch_up()
    assert await town.entries("rollup_mismatch") == []
    assert await town.cursor("compared", VILLAGE) == size


async def test_a_late_event_moves_figures_between_days_on_both_sides(unit: Make) -> None:
    village, town = await _pair(unit)
    await village.report_to(town)
    await town.catch_up()
    await village.told(village.event("c-0", "application", MONDAY - 9 * DAY))
    await village.catch_up()
    await village.push_to(town)
    await village.report_to(town)
    await town.catch_up()

    def shown(rows: list[RollupRow]) -> list[object]:
        return [(row.key, row.figures) for row in rows]

    assert shown(await town.rows(VILLAGE)) == shown(await village.rows())
    assert await town.entries("rollup_mismatch") == []
