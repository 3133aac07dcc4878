"""A process that imports a file into a store and says so, for a test that kills it.

Usage: importer.py STORE FILE MAPPING. Prints a line for each batch that was acknowledged, and the report at the end.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from federation.journal.checkpoint import Signer, log_id
from node.intake.import_run import run_import
from node.intake.mapping import load
from node.intake.service import Intake
from node.store.store import Store
from node.store.vault import Vault
from node.store.writer import JournalWriter

LOG = log_id("990102001", "0123456789abcdef")


def now() -> int:
    return time.time_ns() // 1_000


async def main(place: str, file: str, mapping: str) -> None:
    store = await Store.open(place)
    try:
        writer = await JournalWriter.open(
            store, Signer.from_bytes(LOG, bytes(range(32))), LOG, "990102001", now
        )
        intake = Intake(store, writer, Vault(bytes(32)), now)

        class Loud:
            start_import, finish_import = intake.start_import, intake.finish_import

            async def submit(self, request: Any) -> Any:
                answer = await intake.submit(request)
                print("batch", [one.serial for one in request.submissions if one.serial], flush=True)
                return answer

        got = await run_import(Path(file), load(Path(mapping)), Loud(), now_us=now(), batch=40)
        print("report", json.dumps(got.as_json()), flush=True)
    finally:
        await store.close()


if __name__ == "__main__":
    # What structlog prints would be taken for ours.
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(*sys.argv[1:]))
