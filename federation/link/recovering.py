"""A child's end of mending: fetches its own entries back, finds where two histories part, hands over its branch.

A batch that comes back is believed only as far as it is proven: its root must lead to the head that Welcome named, which this
node once signed, and the journal with it must come to that root. Each batch is durable before the next is looked at, so whatever breaks off
goes on from there after the next handshake.
"""

from typing import Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1.mending_pb2 import DivertRequest, PullRequest, RootsRequest

from federation.journal.merkle import ProofError, verify_consistency
from federation.link.lanes import LinkLost, Stub
from federation.link.ports import ChildJournal

BATCH_ENTRIES: Final = 500
BATCH_BYTES: Final = 1024 * 1024
_SIZES_AT_ONCE: Final = 16
_ROOTS_WITHIN_S: Final = 30.0

_log = structlog.get_logger(__name__)


async def pull_back(stub: Stub, session: str, journal: ChildJournal, size: int, root: bytes) -> None:
    """Fetch everything up to `size`, the parent's proven head. Raises LinkLost when it breaks off or does not hold."""
    first = (await journal.head()).size
    call = stub.Pull(PullRequest(session=session, first=first, size=size))
    try:
        while first < size:
            batch = await call.read()
            if batch is EOF:
                raise LinkLost("unreachable", f"the parent gave back {first} of {size} entries")
            until = first + len(batch.leaves)
            if batch.first != first or not first < until <= size:
                raise LinkLost("protocol", f"asked for entries from {first}, the parent gives {batch.first}")
            try:
                verify_consistency(until, batch.root, size, root, list(batch.consistency))
            except ProofError as error:
                raise LinkLost("bad_proof", f"entries up to {until} are not proven: {error}") from None
            first = await journal.adopt(first, list(batch.leaves), batch.root)
            _log.info("mending.pulled", size=first, of=size)
    except grpc.aio.AioRpcError as error:
        raise LinkLost.because(error) from None
    finally:
        call.cancel()


async def last_common(stub: Stub, session: str, journal: ChildJournal, at_most: int) -> int:
    """The largest size up to `at_most` at which both histories have the same root. Raises LinkLost."""
    low, high = 0, at_most
    # Same root at one size, same root at every smaller one; so the range shrinks to a sixteenth with each question.
    while low < high:
        step = max(1, (high - low) // _SIZES_AT_ONCE)
        sizes = [*range(low + step, high, step)][: _SIZES_AT_ONCE - 1]
        sizes.append(high)
        try:
            answer = await stub.Roots(RootsRequest(session=session, sizes=sizes), timeout=_ROOTS_WITHIN_S)
        except grpc.aio.AioRpcError as error:
            raise LinkLost.because(error) from None
        if len(answer.roots) != len(sizes):
            raise LinkLost("protocol", "the parent answers with another number of roots than was asked for")
        for size, root in zip(sizes, answer.roots, strict=True):
            if await journal.root_at(size) != root:
                high = size - 1
                break
            low = size
    return low


async def proven_common(
    stub: Stub, session: str, journal: ChildJournal, held_size: int, held_root: bytes
) -> int:
    """The last common size, proven to belong to the head that the parent holds. Raises LinkLost."""
    common = await last_common(stub, session, journal, min(held_size, (await journal.head()).size))
    try:
        answer = await stub.Roots(RootsRequest(session=session, sizes=[common]), timeout=_ROOTS_WITHIN_S)
        root = await journal.root_at(common)
        verify_consistency(common, root, held_size, held_root, list(answer.consistency))
    except grpc.aio.AioRpcError as error:
        raise LinkLost.because(error) from None
    except ProofError as error:
        raise LinkLost("bad_proof", f"the last common size {common} is not proven: {error}") from None
    return common


async def divert(stub: Stub, session: str, journal: ChildJournal, held_size: int) -> None:
    """Hand over the branch that the parent does not take, and what is entered on it from now on. Returns when the
    parent wants none of it; raises LinkLost when the link ends.

    It goes on where what is kept ends; a branch that is another than the kept one (a node put back twice) is handed over
    whole.
    """
    head = await journal.head()
    common = await last_common(stub, session, journal, min(held_size, head.size))
    for again in (False, True):
        try:
            await _hand_over(stub, session, journal, common, again)
        except grpc.aio.AioRpcError as error:
            lost = LinkLost.because(error)
            if lost.code in ("unreachable", "fenced"):
                raise lost from None
            _log.warning("mending.branch_refused", code=lost.code, words=lost.words)
            if lost.code not in ("root_mismatch", "gap"):
                return


async def _hand_over(stub: Stub, session: str, journal: ChildJournal, common: int, whole: bool) -> None:
    call = stub.Divert()
    try:
        await call.write(DivertRequest(session=session))
        answer = await call.read()
        kept = common if whole or answer is EOF else max(common, answer.size)
        if kept > (await journal.head()).size:
            return  # more than there is here: it is another branch
        while answer is not EOF:
            size = await journal.wait_beyond(kept)
            leaves = await journal.leaves(kept, min(size, kept + BATCH_ENTRIES), BATCH_BYTES)
            note = await journal.note_at(kept + len(leaves))
            batch = DivertRequest(session=session, common=common, first=kept, leaves=leaves, checkpoint=note)
            await call.write(batch)
            answer = await call.read()
            if answer is not EOF:
                kept = answer.size
    finally:
        call.cancel()
