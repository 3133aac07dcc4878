"""Copied texts: every text that is a copy of an earlier one, with some words changed, gets that one's fingerprint (`likeness`).

A domain says which text of which event is looked at, and under which attribute its fingerprint stands (`COPIES` in its vocabulary). The fingerprint
is made here, in the transaction in which the text goes to the vault, whatever the sender says; so a rule that counts equal fingerprints counts
copies, here and at a parent that judges the journal again. Texts are compared within one agency of one domain. A text that was erased is
not compared with any more, but the very same text is still known.

Killed between this and the entry, the fingerprint stays known and the text that is sent again gets it.
"""

from typing import Final

from node.intake.likeness import ALIKE, bands, letters, likeness
from node.intake.vocabulary import UnknownDomain, vocabulary
from node.store.store import Session
from node.store.vault import Vault

CANDIDATES: Final = 20
"""Earlier texts that one is compared with at most: those that share most bands."""

_PURPOSE: Final = "copies"
_PRINT_BYTES: Final = 12


def copied(domain: str, kind: str) -> tuple[str, str] | None:
    """(text, attribute of its fingerprint) of an event kind; None: it has none."""
    try:
        return vocabulary(domain).copies.get(kind)
    except UnknownDomain:
        return None


async def fingerprint(session: Session, vault: Vault, scope: str, text: str, digest: str) -> str:
    """The fingerprint of a text within a scope, which lies in the vault under ``digest``; needs a write."""
    plain = letters(text)
    own = vault.mac(_PURPOSE, plain)[:_PRINT_BYTES].hex()
    if await session.copies.knows(scope, own):
        return own
    shared = bands(plain, vault.mac(_PURPOSE, "bands"))
    best, found = ALIKE, ""
    known = await session.copies.sharing(scope, shared, CANDIDATES)
    texts = await vault.texts(session.vault, [one for _, one in known])
    for earlier, where in known:
        if where in texts and (measure := likeness(plain, letters(texts[where]))) >= best:
            best, found = measure, earlier
    if not found:
        await session.copies.put(scope, own, digest, shared)
    return found or own


def scope_of(domain: str, kind: str, agency: str) -> str:
    """Within what texts are compared."""
    return "/".join((domain, kind, agency))
