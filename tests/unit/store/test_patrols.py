"""Rounds of video patrols, and the cards that a wall shows, on every engine."""

from federation.rollup.row import RollupRow
from node.store.patrols import BEGUN, CHECKED, ENDED, PatrolRow
from node.store.store import Store

OWN, OTHER = "9901", "990121"


def row(round_id: str, idx: int, kind: str, plan: str = "", origin: str = OWN) -> PatrolRow:
    return PatrolRow(origin, round_id, idx, 100 + idx, kind, plan, b"\x00\xff")


async def test_rounds_are_kept_by_journal_in_order_and_once(store: Store) -> None:
    rows = [
        row("P1", 1, BEGUN, "halls"),
        row("P1", 4, CHECKED),
        row("P2", 5, BEGUN, "night"),
        row("P1", 9, ENDED),
    ]
    async with store.write() as session:
        await session.patrols.put(rows[::-1])
        await session.patrols.put(rows)
        await session.patrols.put([row("P1", 1, BEGUN, "halls", OTHER)])
    async with store.read() as session:
        assert await session.patrols.round(OWN, "P1") == [rows[0], rows[1], rows[3]]
        assert await session.patrols.rounds(OWN) == ["P2", "P1"]
        assert await session.patrols.rounds(OWN, "halls") == ["P1"]
        assert await session.patrols.rounds(OWN, limit=1) == ["P2"]
        assert (await session.patrols.count(OWN), await session.patrols.count(OTHER)) == (2, 1)


async def test_cards_are_summed_of_the_nodes_that_are_asked_for(store: Store) -> None:
    def figures(node: str, day: int, **told: int) -> RollupRow:
        named = {name.replace("_", "."): amount for name, amount in told.items()}
        return RollupRow(node, day, "approval", "MZ", "", "", named, b"", b"", 1)

    async with store.write() as session:
        await session.rollups.upsert(
            [
                figures(OWN, 1, red=2, red_closed=1, received=9),
                figures(OWN, 2, yellow=1),
                figures(OWN, 3, received=4),
            ]
        )
        await session.rollups.upsert([figures(OTHER, 1, red=7)])
    async with store.read() as session:
        cards = await session.rollups.cards([OWN, "nobody"])
    assert cards == {OWN: {"red": 2, "red.closed": 1, "yellow": 1}, "nobody": {}}
