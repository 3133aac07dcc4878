"""Fingerprints of texts of which there may be copies: see `node.intake.copies`. Primary, like the vault: no journal has the texts."""

from collections.abc import Sequence

from node.store.engine import Transaction


class Copies:
    """Fingerprints by scope (domain, kind and agency)."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def knows(self, scope: str, fingerprint: str) -> bool:
        """Whether a text has this fingerprint as its own."""
        found = await self._tx.one(
            "SELECT 1 FROM copied WHERE scope = ? AND fingerprint = ? LIMIT 1", scope, fingerprint
        )
        return found is not None

    async def sharing(self, scope: str, bands: Sequence[str], most: int) -> list[tuple[str, str]]:
        """(fingerprint, digest in the vault) of texts that share a band, those that share most first."""
        rows = await self._tx.all(
            "SELECT fingerprint, digest, COUNT(*) FROM copied WHERE scope = ? AND band = ANY(?)"
            " GROUP BY fingerprint, digest ORDER BY 3 DESC, fingerprint LIMIT ?",
            scope,
            list(bands),
            most,
        )
        return [(fingerprint, digest) for fingerprint, digest, _ in rows]

    async def put(self, scope: str, fingerprint: str, digest: str, bands: Sequence[str]) -> None:
        """Keep a text that is no copy of an earlier one."""
        await self._tx.insert(
            "copied",
            ("scope", "band", "fingerprint", "digest"),
            [(scope, band, fingerprint, digest) for band in bands],
            "ON CONFLICT DO NOTHING",
        )
