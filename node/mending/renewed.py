"""Which log a node goes on in after a quarantine: what its parent decided, as this node knows it.

A decision is kept beside the journal it is entered in, and read from there again when the store was put back from a backup; what an ancestor keeps
comes from its own journal, where it is entered with the parent's signature.
"""

from typing import Final

from federation.journal.checkpoint import Verifier
from node.store.rollups import EPOCH
from node.store.store import Session

_DECIDED: Final = "renewed/"


def renamed(verifier: str, log_id: str) -> str:
    """The C2SP vkey of the same key for another log. Raises CheckpointError for a key that is none."""
    known = Verifier.parse(verifier)
    return str(Verifier(log_id, known.public_key, known.type))


async def learn(session: Session, by: str, node: str, log_id: str) -> None:
    """Keep what ``by`` decided about ``node``; a second time it changes nothing."""
    known = await session.links.get_json(_DECIDED + node) or []
    if [by, log_id] not in known:
        await session.links.put_json(_DECIDED + node, [*known, [by, log_id]])


async def decided(session: Session, by: str, node: str) -> list[str]:
    """The logs that ``by``, the parent of ``node``, let it go on in, in order."""
    known = await session.links.get_json(_DECIDED + node) or []
    return [log_id for decider, log_id in known if decider == by]


async def follows(session: Session, by: str, node: str, before: str, log_id: str) -> bool:
    """Whether ``by`` decided that ``node`` goes on in ``log_id`` after the log ``before``."""
    logs = await decided(session, by, node)
    return log_id in logs and (before not in logs or logs.index(before) < logs.index(log_id))


async def forget_before(session: Session, by: str, node: str) -> None:
    """Drop the figures that ``node`` reported before its present log."""
    await session.rollups.forget(node, EPOCH * len(await decided(session, by, node)))
