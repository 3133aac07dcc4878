"""What mends the own journal: entries that the parent held are taken back, and a branch is given up. Each in one transaction, after which
the tree leads to the head again. Killed before the commit: nothing happened. `JournalWriter` calls both between two appends.
"""

from collections.abc import Sequence

from node.store.addressed import rows_of
from node.store.drafts import Beside
from node.store.errors import StoreConflict
from node.store.guards import serials_of
from node.store.journal import leaf_hashes
from node.store.standing import Standing


async def adopt(
    standing: Standing, first: int, leaves: Sequence[bytes], root: bytes, beside: Beside | None = None
) -> int:
    """Append ``leaves`` again, with which the journal must come to ``root``; returns the size then."""
    tree = standing.tree or await standing.take_up()
    if first != tree.size:
        raise StoreConflict(f"the journal has {tree.size} entries, the ones to adopt begin at {first}")
    grown = tree.copy()
    tiles = grown.extend(leaf_hashes(leaves))
    if grown.root() != root:
        raise StoreConflict(f"with the entries to adopt the journal has another root at {grown.size}")
    standing.tree = None
    async with standing.store.write() as session:
        await session.journal.remember(serials_of(leaves, first))
        addressed = rows_of(standing.node, first, leaves)
        await session.addressed.put(addressed)
        await session.journal.append(standing.node, first, leaves)
        await session.journal.put_tiles(standing.node, tiles)
        head = standing.signed(grown)
        await session.journal.advance(head, tree.size)
        if beside is not None:
            await beside(session)
    standing.tree, standing.note, standing.signed_at_us = grown, head.note, head.signed_at_us
    standing.growth.rise(head.size)
    if addressed:
        standing.addressed.rise(head.size)
    return head.size


async def cut(standing: Standing, size: int, beside: Beside) -> None:
    """Give up everything beyond ``size``, where the journal is sealed and the parent cosigned none of it."""
    tree = standing.tree or await standing.take_up()
    if not standing.sealed or not 0 <= size <= tree.size:
        raise StoreConflict(f"a journal of {tree.size} entries is cut to {size} only under seal")
    standing.tree = None
    async with standing.store.write() as session:
        held = await session.journal.own()
        if held is None or held.cosigned_size > size:
            raise StoreConflict(f"what the parent cosigned beyond {size} is not given up")
        await beside(session)
        await session.addressed.cut(size)
        kept = await session.journal.reader(standing.node, tree.size).builder_at(size)
        await session.journal.cut(standing.signed(kept), tree.size)
    standing.growth.fall(size)
    standing.addressed.fall(size)
    await standing.take_up()
