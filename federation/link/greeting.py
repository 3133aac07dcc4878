"""What a parent makes of a child's Hello: reads its inbox, lets `handshake` judge, and keeps what was found.

Everything that follows from a Hello is durable before Welcome says it: a fork with both heads, a child or a parent that was
restored, the end of a quarantine.
"""

from dataclasses import dataclass, field

from zongheng.v1 import link_pb2 as wire
from zongheng.v1.tree_pb2 import NodeCard

from federation.link.handshake import Decision, Outcome, Shown, parent_sees
from federation.link.hello import shown_cosigned
from federation.link.ports import Held, ParentInbox


@dataclass(frozen=True, slots=True)
class Greeting:
    """What Welcome says of the child's journal."""

    verdict: wire.Verdict.ValueType
    instruction: str = ""
    consistency: list[bytes] = field(default_factory=list)
    common_size: int = 0
    renewed_log_id: str = ""
    quarantine: str = ""
    """Words where nothing is taken on this session."""


async def greet(
    inbox: ParentInbox, hello: wire.Hello, shown: Shown, held: Held, parent: NodeCard
) -> Greeting:
    """Judge the child's signed head, as `hello.shown_head` gave it."""
    node, note = hello.card.node, hello.card.checkpoint
    cosigned = shown_cosigned(hello, parent)
    outcome = await _see(inbox, node, shown, cosigned, held)
    fits = outcome.decision is not Decision.QUARANTINE
    if held.quarantine and held.mend_from is not None:
        if fits and shown.size == held.size:
            await inbox.mended(node, note)
        elif not (fits and shown.size < held.size):
            return Greeting(
                wire.VERDICT_MEND, held.quarantine, [], held.mend_from, quarantine=held.quarantine
            )
    elif held.quarantine:
        verdict = wire.VERDICT_RENEW if held.renew else wire.VERDICT_QUARANTINE
        return Greeting(verdict, held.quarantine, renewed_log_id=held.renew, quarantine=held.quarantine)
    elif not fits:
        await inbox.fork(node, held.note, note, outcome.words)
        return Greeting(wire.VERDICT_QUARANTINE, outcome.words, quarantine=outcome.words)
    if outcome.decision is Decision.PULL_BACK:
        await inbox.child_restored(node, shown.size, held.size, note)
        proof = await inbox.consistency(node, shown.size, held.size)
        return Greeting(wire.VERDICT_PULL_BACK, outcome.words, list(proof))
    if outcome.decision is Decision.SEND_AGAIN and cosigned is not None:
        await inbox.parent_restored(node, cosigned.size, held.size, hello.cosigned)
    return Greeting(wire.VERDICT_PUSH, outcome.words)


async def _see(inbox: ParentInbox, node: str, shown: Shown, cosigned: Shown | None, held: Held) -> Outcome:
    """What the child's head means, together with the head of it that we once cosigned ourselves."""
    known = await inbox.root_at(node, shown.size) if shown.size <= held.size else None
    most = max(held.cosigned_size, cosigned.size if cosigned else 0)
    outcome = parent_sees(shown, Shown(held.log_id, held.size, held.root), known, most)
    if cosigned is None or cosigned.log_id != held.log_id or cosigned.size > held.size:
        return outcome
    if await inbox.root_at(node, cosigned.size) == cosigned.root:
        return outcome
    return Outcome(
        Decision.QUARANTINE,
        f"the child shows a head of {cosigned.size} entries that we cosigned ourselves, and what is held here is another"
        " history: this node was restored and took it since, both signed heads are kept",
    )
