"""Small values that must outlive the process and come from no journal: the state of the link, backoff, marks."""

from typing import Any

import orjson

from node.store.engine import Transaction


class Links:
    """Values by name."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def get(self, name: str) -> bytes | None:
        """A value; None: never put."""
        row = await self._tx.one("SELECT value FROM link WHERE name = ?", name)
        return None if row is None else bytes(row[0])

    async def put(self, name: str, value: bytes) -> None:
        """Keep a value in place of the one before."""
        await self._tx.run(
            "INSERT INTO link (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value,
        )

    async def get_json(self, name: str) -> Any:
        """A value put by `put_json`; None: never put."""
        value = await self.get(name)
        return None if value is None else orjson.loads(value)

    async def put_json(self, name: str, value: Any) -> None:
        """Keep a value that JSON can say."""
        await self.put(name, orjson.dumps(value))

    async def delete(self, name: str) -> None:
        """Forget a value."""
        await self._tx.run("DELETE FROM link WHERE name = ?", name)

    async def names(self, prefix: str) -> list[str]:
        """The names that begin so, in order."""
        rows = await self._tx.all(
            "SELECT name FROM link WHERE SUBSTR(name, 1, LENGTH(?)) = ? ORDER BY name", prefix, prefix
        )
        return [name for (name,) in rows]
