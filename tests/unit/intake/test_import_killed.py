"""``kill -9`` in the middle of an import: nothing acknowledged is lost, nothing is doubled."""

import ast
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from zongheng.v1.entry_pb2 import Entry

from node.store.store import Store

IMPORTER = Path(__file__).with_name("importer.py")
CASES = 600
MAPPING = """
source = "s"
zone = "Asia/Shanghai"
[case]
id = "id"
[event]
activity = "what"
time = "at"
agency = "=A01"
applicant = { name = "who" }
[[events]]
is = "accepted"
kind = "acceptance"
[[events]]
is = "done"
kind = "completion"
"""


KILLS = 4


def until_killed(arguments: list[str], patience: int, acknowledged: set[str]) -> dict[str, Any] | None:
    """Run the importer and kill it after so many acknowledged batches; its report, if it came to that."""
    report = None
    with subprocess.Popen(
        [sys.executable, str(IMPORTER), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            word, _, rest = line.partition(" ")
            if word == "report":
                report = json.loads(rest)
                continue
            acknowledged.update(ast.literal_eval(rest))
            patience -= 1
            if patience <= 0:
                process.send_signal(signal.SIGKILL)
                break
        assert process.wait() in (0, -signal.SIGKILL), process.stderr.read()
    return report


async def test_an_import_that_is_killed_again_and_again_comes_in_whole(tmp_path: Path) -> None:
    log, mapping, store = tmp_path / "log.csv", tmp_path / "map.toml", tmp_path / "node.db"
    rows = [
        f"{n},{what},2024-03-05,P{n % 50}\n" for n in range(CASES) for what in ("accepted", "done", "dreamt")
    ]
    log.write_text("id,what,at,who\n" + "".join(rows))
    mapping.write_text(MAPPING)
    dice = random.Random(7)
    acknowledged: set[str] = set()
    arguments = [str(store), str(log), str(mapping)]
    for _ in range(KILLS):
        assert until_killed(arguments, dice.randint(1, 8), acknowledged) is None
    report = until_killed(arguments, 10_000, acknowledged)
    assert report is not None
    assert report["resumed_after_row"] > 1
    assert (report["accepted"], report["rejected"], report["repeated"]) == (2 * CASES, CASES, 0)

    opened = await Store.open(str(store), read_only=True)
    try:
        async with opened.read() as session:
            head = await session.journal.own()
            assert head is not None
            entries = [
                Entry.FromString(leaf) for leaf in await session.journal.leaves(head.origin, 0, head.size)
            ]
    finally:
        await opened.close()
    serials = [entry.serial for entry in entries]
    assert len(serials) == len(set(serials))
    assert acknowledged <= set(serials)
    assert Counter(entry.WhichOneof("body") for entry in entries) == {
        "import_started": 1,
        "case_event": 2 * CASES,
        "rejected": CASES,
        "import_finished": 1,
    }
    assert len({entry.case_event.applicant for entry in entries if entry.HasField("case_event")}) == 50
