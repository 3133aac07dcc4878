"""A process killed in the middle of appending: nothing acknowledged is lost, nothing is doubled."""

import asyncio
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from federation.journal.checkpoint import Signer, Verifier, open_note
from node.store.drafts import Draft
from node.store.store import Store
from node.store.writer import JournalWriter

NODE = "990102001"
APPENDER = Path(__file__).with_name("appender.py")
ROUNDS = 5


async def append_until_killed(place: str, serial: int, seconds: float) -> list[tuple[int, int, int, int]]:
    """Start the appender, kill it so long after its first acknowledgement; returns all it acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(APPENDER), place, str(serial), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    first = await process.stdout.readline()
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest = await process.stdout.read()
    assert await process.wait() == -signal.SIGKILL
    # A line that was cut off was not an acknowledgement.
    lines = (first + rest).decode().split("\n")[:-1]
    assert lines
    acknowledged = []
    for line in lines:
        start, end, low, high = map(int, line.split())
        acknowledged.append((start, end, low, high))
    return acknowledged


async def test_killed_while_appending_nothing_acknowledged_is_lost_or_doubled(
    lasting_place: str, signer: Signer, log: str, clock: Callable[[], int]
) -> None:
    luck = random.Random(7)
    serial = 0
    index_of: dict[int, int] = {}
    for _ in range(ROUNDS):
        for start, end, low, high in await append_until_killed(lasting_place, serial, luck.uniform(0, 0.4)):
            assert high - low == end - start - 1
            for n in range(start, end):
                assert index_of.setdefault(n, low + n - start) == low + n - start
            serial = end
    store = await Store.open(lasting_place)
    writer = await JournalWriter.open(store, signer, log, NODE, clock)
    async with store.read() as session:
        leaves = await session.journal.leaves(NODE, 0, 1 << 40)
        head = await session.journal.own()
        assert head is not None
        assert await session.journal.reader(NODE, head.size).root(head.size) == head.root
    assert head.size == len(leaves) == len(set(leaves))
    assert open_note(head.note, [Verifier.parse(head.verifier)]).root == head.root
    for n, index in index_of.items():
        assert leaves[index] == b"leaf %d" % n
    # Beyond what was acknowledged there is at most one batch, whole; sent again, it keeps its place.
    unanswered = leaves[len(index_of) :]
    assert len(unanswered) <= 90
    again = await writer.append([Draft(leaf, "s", leaf.decode().split()[1]) for leaf in leaves])
    assert list(again.indexes) == list(range(len(leaves)))
    assert writer.size == len(leaves)
    await store.close()
