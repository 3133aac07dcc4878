"""Daily figures, own and reported from below.

A row's version is the journal size at which its content last changed. A key that no longer has figures stays as an empty row
with a new version: the correction must reach every ancestor, and a deleted row could not. A journal that goes on in another log may be shorter than
it was: its number among the node's logs leads the version (`EPOCH`), so that its rows count as newer than those of the log before.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from node.store.engine import Row, Transaction
from node.store.rows import RollupRow

COLUMNS: Final = (
    "node",
    "day",
    "domain",
    "agency",
    "line",
    "item",
    "figures",
    "durations",
    "applicants",
    "version",
)

EPOCH: Final = 1 << 40
"""Versions of one log: the journal size never reaches it."""

_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM rollup"
_ORDER: Final = "ORDER BY node, day, domain, agency, line, item"
_KEY: Final = "(node, day, domain, agency, line, item)"
_UPSERT: Final = (
    f"ON CONFLICT {_KEY} DO UPDATE SET figures = excluded.figures, durations = excluded.durations,"
    " applicants = excluded.applicants, version = excluded.version WHERE rollup.version <= excluded.version"
)

_CARDS: Final = ("red", "yellow")

Key = tuple[str, int, str, str, str, str]
"""(node, day, domain, agency, line, item)."""


class Rollups:
    """Daily figures of every node of the subtree."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def replace(self, node: str, days: Sequence[int], rows: Sequence[RollupRow], version: int) -> int:
        """Make ``rows`` the whole content of these days of a node; returns how many rows changed.

        What changed gets ``version``, what did not keeps its own. Raises ValueError for a row of another node or day.
        """
        if not {row.day for row in rows} <= set(days) or not {row.node for row in rows} <= {node}:
            raise ValueError("the rows are not of this node and these days")
        present = {
            row[:6]: row
            for row in await self._tx.all(f"{_SELECT} WHERE node = ? AND day = ANY(?)", node, list(days))
        }
        changed: list[Row] = []
        for row in rows:
            plain = (*_plain(row)[:9], version)
            before = present.pop(plain[:6], None)
            if before is None or before[6:9] != plain[6:9]:
                changed.append(plain)
        for before in present.values():
            if before[6:9] != ("{}", b"", b""):
                changed.append((*before[:6], "{}", b"", b"", version))
        return await self._tx.insert("rollup", COLUMNS, changed, _UPSERT)

    async def upsert(self, rows: Sequence[RollupRow]) -> int:
        """Take in reported rows; of two versions of one row the newer stays. Returns how many were taken."""
        newest: dict[Key, RollupRow] = {}
        for row in rows:
            known = newest.get(_key(row))
            if known is None or known.version <= row.version:
                newest[_key(row)] = row
        return await self._tx.insert("rollup", COLUMNS, [_plain(row) for row in newest.values()], _UPSERT)

    async def renew(self, node: str) -> None:
        """The node goes on in another log: all its rows are newer than they were."""
        await self._tx.run("UPDATE rollup SET version = version + ? WHERE node = ?", EPOCH, node)

    async def forget(self, node: str, version: int) -> None:
        """Drop a node's rows with smaller versions."""
        await self._tx.run("DELETE FROM rollup WHERE node = ? AND version < ?", node, version)

    async def rows(
        self, node: str | None = None, days: Sequence[int] | None = None, nodes: Sequence[str] | None = None
    ) -> list[RollupRow]:
        """Rows with figures, of one node, of several, or of all; of some days or of all."""
        terms, parameters = ["figures <> '{}'"], list[Any]()
        if node is not None:
            terms.append("node = ?")
            parameters.append(node)
        if nodes is not None:
            terms.append("node = ANY(?)")
            parameters.append(list(nodes))
        if days is not None:
            terms.append("day = ANY(?)")
            parameters.append(list(days))
        found = await self._tx.all(f"{_SELECT} WHERE {' AND '.join(terms)} {_ORDER}", *parameters)
        return [_row(row) for row in found]

    async def changed_since(self, node: str, version: int, limit: int | None = None) -> list[RollupRow]:
        """Rows of a node, empty ones too, that changed after the journal size ``version``; the oldest change first.

        With ``limit``, rows of the last version given are complete: the next call may go on from it.
        """
        if limit is not None:
            last = await self._tx.one(
                "SELECT version FROM rollup WHERE node = ? AND version > ? ORDER BY version LIMIT 1 OFFSET ?",
                node,
                version,
                max(limit - 1, 0),
            )
            if last is not None:
                found = await self._tx.all(
                    f"{_SELECT} WHERE node = ? AND version > ? AND version <= ? ORDER BY version, day, domain, agency, line, item",
                    node,
                    version,
                    last[0],
                )
                return [_row(row) for row in found]
        found = await self._tx.all(
            f"{_SELECT} WHERE node = ? AND version > ? ORDER BY version, day, domain, agency, line, item",
            node,
            version,
        )
        return [_row(row) for row in found]

    async def version(self, node: str) -> int:
        """The newest version among a node's rows; 0: none."""
        row = await self._tx.one("SELECT MAX(version) FROM rollup WHERE node = ?", node)
        return 0 if row is None or row[0] is None else int(row[0])

    async def days(self, node: str) -> list[int]:
        """Every day on which a node has a row, empty ones too, in order."""
        rows = await self._tx.all("SELECT DISTINCT day FROM rollup WHERE node = ? ORDER BY day", node)
        return [day for (day,) in rows]

    async def nodes(self) -> list[str]:
        """Every node that has rows, in order."""
        return [node for (node,) in await self._tx.all("SELECT DISTINCT node FROM rollup ORDER BY node")]

    async def totals(self) -> dict[str, dict[str, int]]:
        """Each node's figures summed over all its days, domains, agencies, lines and items."""
        sums: dict[str, dict[str, int]] = {node: {} for node in await self.nodes()}
        for node, figures in await self._tx.all("SELECT node, figures FROM rollup WHERE figures <> '{}'"):
            add(sums[node], orjson.loads(figures).items())
        return sums

    async def cards(self, nodes: Sequence[str]) -> dict[str, dict[str, int]]:
        """The figures of cards (yellow and red, by state too) of some nodes, summed over all their rows."""
        sums: dict[str, dict[str, int]] = {node: {} for node in nodes}
        found = await self._tx.all(
            "SELECT node, figures FROM rollup WHERE node = ANY(?) AND (figures LIKE ? OR figures LIKE ?)",
            list(nodes),
            '%"red"%',
            '%"yellow"%',
        )
        for node, figures in found:
            told = orjson.loads(figures).items()
            add(sums[node], ((name, amount) for name, amount in told if name.partition(".")[0] in _CARDS))
        return sums


def add(total: dict[str, int], figures: Iterable[tuple[str, int]]) -> None:
    """Add figures to a total, name by name."""
    for name, amount in figures:
        total[name] = total.get(name, 0) + amount


def _key(row: RollupRow) -> Key:
    return row.node, row.day, row.domain, row.agency, row.line, row.item


def _row(row: Row) -> RollupRow:
    values = list(row)
    values[6] = orjson.loads(row[6])
    return RollupRow(*values)


def _plain(row: RollupRow) -> Row:
    # Sorted and without zeroes: equal figures have equal texts.
    figures = orjson.dumps(
        {name: amount for name, amount in row.figures.items() if amount}, option=orjson.OPT_SORT_KEYS
    ).decode()
    return (*_key(row), figures, row.durations, row.applicants, row.version)
