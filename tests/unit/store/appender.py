"""Appends to a journal until somebody kills it: the program that `test_kill` runs.

Each line it prints is an acknowledgement: first serial, last serial (exclusive), first index. It is told where the store is and
from which serial to go on; it sends the last ten serials before that again, as a sender without an answer would.
"""

import asyncio
import sys
import time

from federation.journal.checkpoint import Signer, log_id
from node.store.drafts import Draft
from node.store.store import Store
from node.store.writer import JournalWriter

NODE = "990102001"
LOG = log_id(NODE, "3f9a2c1d")


async def main(place: str, serial: int) -> None:
    store = await Store.open(place)
    signer = Signer.from_bytes(LOG, bytes(range(32)))
    writer = await JournalWriter.open(store, signer, LOG, NODE, lambda: time.time_ns() // 1_000)
    serial = max(0, serial - 10)
    while True:
        size = 1 + serial * 7 % 90
        drafts = [Draft(b"leaf %d" % n, "s", f"{n}") for n in range(serial, serial + size)]
        appended = await writer.append(drafts)
        print(serial, serial + size, appended.indexes[0], appended.indexes[-1], flush=True)
        serial += size


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
