"""Steps of directives (督办) as the own journal has them: own ones, received ones and forwarded ones, by directive.

A projection of the own journal: drop it and the journal gives it back.
"""

from collections.abc import Sequence

from zongheng.v1.directive_pb2 import DirectiveStep

from node.store.engine import Transaction


class Directives:
    """Directives and their steps."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def add(self, steps: Sequence[tuple[int, DirectiveStep]]) -> None:
        """Keep steps with the index of the own entry that shows each; one that is there stays."""
        rows = [
            (one.directive, one.kind, one.node, one.handler, one.number, idx, one.SerializeToString())
            for idx, one in steps
        ]
        columns = ("directive", "kind", "node", "handler", "number", "idx", "body")
        await self._tx.insert("directive_step", columns, rows, "ON CONFLICT DO NOTHING")
        ids = sorted({one.directive for _, one in steps})
        await self._tx.insert(
            "directive", ("id", "ended"), [(one, 0) for one in ids], "ON CONFLICT DO NOTHING"
        )

    async def steps(self, directive: str) -> list[tuple[int, DirectiveStep]]:
        """The steps of one directive with their indexes, in the order in which they came."""
        rows = await self._tx.all(
            "SELECT idx, body FROM directive_step WHERE directive = ? ORDER BY idx, kind", directive
        )
        return [(idx, DirectiveStep.FromString(bytes(body))) for idx, body in rows]

    async def page(self, after: str, limit: int, ended: bool | None = None) -> list[str]:
        """Ids of directives after one, in order; with ``ended`` only those that are, or are not, over."""
        where, parameters = ("", []) if ended is None else (" AND ended = ?", [int(ended)])
        rows = await self._tx.all(
            f"SELECT id FROM directive WHERE id > ?{where} ORDER BY id LIMIT ?", after, *parameters, limit
        )
        return [directive for (directive,) in rows]

    async def end(self, directives: Sequence[str]) -> None:
        """These have ended: nothing about them changes by itself any more."""
        await self._tx.run("UPDATE directive SET ended = 1 WHERE id = ANY(?)", list(directives))

    async def issued_by(self, issuer: str) -> int:
        """How many directives of one issuer are known."""
        row = await self._tx.one(
            "SELECT COUNT(*) FROM directive WHERE SUBSTR(id, 1, LENGTH(?)) = ?", f"{issuer}-D", f"{issuer}-D"
        )
        return 0 if row is None else int(row[0])
