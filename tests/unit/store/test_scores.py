"""Steps of runs of scores, on every engine."""

from node.store.scores import ScoreStepRow
from node.store.store import Store

NODE, OTHER = "990101", "990102"


async def test_steps_come_back_by_run_and_in_order(store: Store) -> None:
    rows = [
        ScoreStepRow(NODE, run, idx, idx * 10, bytes([idx, 0, 255]))
        for run, idx in (("a", 4), ("a", 9), ("b", 2))
    ]
    async with store.write() as session:
        await session.scores.put(rows[::-1])
        await session.scores.put(rows)
        await session.scores.put([ScoreStepRow(OTHER, "a", 1, 1, b"x")])
        assert await session.scores.run(NODE, "a") == rows[:2]
        assert await session.scores.all(NODE) == rows
        assert await session.scores.run(OTHER, "b") == []
