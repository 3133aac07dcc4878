"""What a child makes of a parent's Welcome: reads its own journal, lets `handshake` judge, and gives the proof that the parent is owed.

The counterpart of `greeting`. Nothing is believed that the parent does not prove against a head that this node signed.
"""

from zongheng.v1 import link_pb2 as wire

from federation.journal.checkpoint import Verifier
from federation.link.handshake import Outcome, Shown, Welcomed, child_mends, child_sees
from federation.link.ports import ChildJournal, OwnHead

_TAKING = (wire.VERDICT_PUSH, wire.VERDICT_PULL_BACK, wire.VERDICT_MEND)


async def understand(
    journal: ChildJournal, head: OwnHead, welcome: wire.Welcome
) -> tuple[Outcome, wire.Prefix | None]:
    """What to do, and what shows the parent that this journal continues its copy; None where that is not asked.

    `head` is what Hello said.
    """
    quarantine = ""
    if welcome.verdict not in _TAKING:
        quarantine = welcome.instruction or "the parent takes nothing more of this journal"
    said = Welcomed(
        welcome.held_size,
        welcome.held_root,
        welcome.held_checkpoint,
        list(welcome.consistency),
        quarantine,
        welcome.verdict == wire.VERDICT_RENEW,
    )
    mine = Shown(head.log_id, head.size, head.root)
    verifiers = [Verifier.parse(vkey) for vkey in (head.verifier, *head.former_verifiers)]
    if head.size == 0:  # a node that lost everything knows its earlier keys by its parent alone
        verifiers += [Verifier.parse(vkey) for vkey in welcome.former_verifiers]
    if welcome.verdict == wire.VERDICT_MEND:
        return child_mends(mine, verifiers, said), None
    root = prefix = None
    if welcome.held_size <= head.size:
        root = await journal.root_at(welcome.held_size)
        proof = await journal.consistency(welcome.held_size, head.size)
        prefix = wire.Prefix(size=welcome.held_size, root=root, consistency=proof)
    outcome = child_sees(mine, verifiers, said, root, head.cosigned_size)
    return outcome, None if quarantine else prefix
