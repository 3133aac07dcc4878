"""Which replica runs a tick of a schedule: the one whose row comes first."""

from node.store.engine import Transaction


class Ticks:
    """Ticks that were won."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def win(self, schedule: str, fire_at_us: int) -> bool:
        """Claim a tick; False: somebody has it already."""
        return (
            await self._tx.run(
                "INSERT INTO schedule_tick (schedule, fire_at_us) VALUES (?, ?) ON CONFLICT DO NOTHING",
                schedule,
                fire_at_us,
            )
            == 1
        )

    async def forget(self, before_us: int) -> int:
        """Drop ticks that fired before an instant; returns how many."""
        return await self._tx.run("DELETE FROM schedule_tick WHERE fire_at_us < ?", before_us)
