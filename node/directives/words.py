"""Words of a directive on their way to another node: sealed to its key, so that nobody in between, and no journal, can read them.

The keys of those above and below are known from their passports. Words for a node whose passport has not come yet are not sent at all:
they would lie in journals in clear for ever. An envelope opens only at its reader and only for the digest it was sealed under.
"""

from collections.abc import Callable
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from zongheng.v1.directive_pb2 import DirectiveStep

from federation.errors import ZonghengError
from federation.sealing.envelope import ALGORITHM, padded, seal, unpadded, unseal

log = structlog.get_logger()

_PURPOSE: Final = "directive"


class SealedWords:
    """Seals to other nodes, opens what is sealed to this one."""

    def __init__(
        self, key_of: Callable[[str], bytes | None], private: Callable[[], X25519PrivateKey]
    ) -> None:
        """``key_of``: a node's sealing key, None while it is not known; ``private``: this node's own."""
        self._key_of = key_of
        self._private = private

    def enclose(self, step: DirectiveStep, said: bytes, reader: str) -> None:
        """Put salt and text into a step, for one reader. ``ZonghengError`` ``not_enrolled`` while its key is not known."""
        key = self._key_of(reader)
        if key is None:
            raise ZonghengError(
                "not_enrolled",
                f"the passport of {reader} has not come yet: try again once it has been connected",
            )
        step.algorithm, step.reader = ALGORITHM, reader
        step.said = seal(key, padded(said), _PURPOSE, step.text, reader)

    def open(self, step: DirectiveStep) -> bytes | None:
        """Salt and text that a step brings for this node; None: none that opens (which the log says)."""
        try:
            return unpadded(
                unseal(self._private(), step.algorithm, step.said, _PURPOSE, step.text, step.reader)
            )
        except ZonghengError as error:
            log.warning("directive.sealed", directive=step.directive, node=step.node, words=error.detail)
            return None
