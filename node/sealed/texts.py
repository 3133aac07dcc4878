"""Full texts on their way to the node above: what stands in the vault here under a digest, sealed to that node beside the digest.

So whoever decides an appeal reads all that was said, and no journal in between has it in clear. What comes is kept in the reader's vault only when it is
what the digest stands for, and reading it there is an entry like reading any text. A text that is too long for an entry stays where it is: its
digest shows that there is more.
"""

from collections.abc import Callable, Sequence
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from zongheng.v1.life_pb2 import SealedText

from federation.errors import ZonghengError
from federation.sealing.envelope import ALGORITHM, padded, seal, unpadded, unseal
from node.store.store import Session, Store
from node.store.vault import Vault

log = structlog.get_logger()

BYTES_MOST: Final = 48 * 1024
"""Of all texts in one entry."""

_PURPOSE: Final = "text"


class SealedTexts:
    """Encloses texts for another node, and takes in those for this one."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        key_of: Callable[[str], bytes | None],
        private: Callable[[], X25519PrivateKey],
    ) -> None:
        """``key_of``: a node's sealing key, None while it is not known; ``private``: this node's own."""
        self._store = store
        self._vault = vault
        self._key_of = key_of
        self._private = private

    async def enclosed(self, digests: Sequence[str], reader: str) -> list[SealedText]:
        """The texts of these digests, as far as they are here and fit. ``ZonghengError`` ``not_enrolled`` while the reader's key is not known."""
        async with self._store.read() as session:
            said = {digest: await self._vault.said(session.vault, digest) for digest in digests}
        there = {digest: one for digest, one in said.items() if one is not None}
        key = self._key_of(reader)
        if there and key is None:
            raise ZonghengError(
                "not_enrolled",
                f"the passport of {reader} has not come yet: try again once it has been connected",
            )
        made: list[SealedText] = []
        room = BYTES_MOST
        for digest, one in there.items():
            assert key is not None
            sealed = seal(key, padded(one), _PURPOSE, digest, reader)
            if len(sealed) <= room:
                room -= len(sealed)
                made.append(SealedText(text=digest, reader=reader, algorithm=ALGORITHM, said=sealed))
        return made

    async def kept(self, session: Session, texts: Sequence[SealedText], own: str) -> None:
        """Keep what is for this node in its vault. What does not open or is another text is left out, and the log says so."""
        for one in texts:
            if one.reader != own:
                continue
            try:
                said = unpadded(unseal(self._private(), one.algorithm, one.said, _PURPOSE, one.text, own))
            except ZonghengError as error:
                log.warning("text.sealed", text=one.text, words=error.detail)
                continue
            if not await self._vault.keep(session.vault, one.text, said):
                log.warning("text.differs", text=one.text)
