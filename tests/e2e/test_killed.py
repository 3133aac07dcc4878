"""Processes killed with SIGKILL in the middle of an import, an append and a relay: nothing acknowledged is lost, nothing is doubled.

The moments are random and bound to progress, not to time: a kill comes when the journal has grown by a random number of entries.
"""

import random
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.entry_pb2 import Entry

from federation.journal.merkle import Frontier, leaf_hash
from tests.e2e.commands import begun
from tests.e2e.hall import Hall
from tests.e2e.tree import WABO, Node, Tree, caught_up, until

EVENTS: Final = 12_774


def _size(node: Node) -> int:
    """Size of its own journal as its store says it, whoever has it open; 0 before it has one."""
    return _held(node, node.code)


def _held(node: Node, origin: str) -> int:
    """Size of a journal that it keeps, as its store says it."""
    try:
        with closing(sqlite3.connect(f"file:{node.database}?mode=ro", uri=True, timeout=30)) as store:
            row = store.execute("SELECT size FROM log WHERE origin = ?", (origin,)).fetchone()
    except sqlite3.OperationalError:
        return 0  # not made yet
    return int(row[0]) if row else 0


def _grown(node: Node, to: int, process: subprocess.Popen[Any], timeout_s: float = 90.0) -> bool:
    """Wait until its journal has this size; False when the process was done before."""
    end = time.monotonic() + timeout_s
    while _size(node) < to:
        if process.poll() is not None:
            return False
        assert time.monotonic() < end, node.told(f"did not grow to {to} entries, it has {_size(node)}")
        time.sleep(0.002)
    return True


def _events(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    return [(entry.source, entry.serial) for entry in entries if entry.HasField("case_event")]


def _alerts(entries: Iterable[Entry]) -> list[tuple[str, str, str, int, int]]:
    raised = [entry.alert_raised for entry in entries if entry.HasField("alert_raised")]
    return sorted((one.case_id, one.subject, one.rule, one.level, one.episode) for one in raised)


def test_an_import_killed_again_and_again_ends_as_a_clean_one(tree: Tree, shared_data: Path) -> None:
    log = shared_data / "wabo" / "receipt.xes.gz"
    killed, clean = tree.add("county", "330101"), tree.add("county", "330102")
    command = ("import", killed.folder, log, "--mapping", WABO, "--json")
    untouched = begun("import", clean.folder, log, "--mapping", WABO, "--json")
    settled = 0
    kills = 0
    # The node is stopped, and the command itself writes: in the first batches, and far along.
    for _ in range(2):
        with begun(*command) as process:
            if _grown(killed, settled + random.randint(1, 5_000), process):
                process.kill()
                kills += 1
            process.communicate(timeout=90)
        settled = _size(killed)
    # Now the node runs and the command hands in: the node is killed under it.
    killed.start()
    with begun(*command) as process:
        assert killed.process is not None
        if _grown(killed, min(settled + random.randint(1, 2_000), EVENTS - 200), process):
            killed.kill()
            kills += 1
        _, err = process.communicate(timeout=90)
    if kills == 3:
        assert process.returncode == 1, err
        assert len(err.strip().splitlines()) == 1, err
        assert "Traceback" not in err
    else:
        killed.stop()
    assert kills >= 2, "the import was done before it could be killed"

    report = killed.run("import", log, "--mapping", WABO, "--json").ended(0).json
    assert (report["outcome"], report["accepted"], report["rejected"]) == ("imported", EVENTS, 0)
    assert report["resumed_after_row"] > 0
    out, err = untouched.communicate(timeout=120)
    assert untouched.returncode == 0, f"{out}\n{err}"

    after, expected = killed.entries(), clean.entries()
    assert Counter(_events(after)) == Counter(_events(expected))
    assert len(set(_events(after))) == len(_events(after)) == EVENTS
    assert _alerts(after) == _alerts(expected)
    assert len(set(_alerts(after))) == len(_alerts(after)) > 0
    ends = [
        entry.WhichOneof("body") for entry in after if entry.import_id and not entry.HasField("case_event")
    ]
    assert ends == ["import_started", "import_finished"]
    assert killed.run("verify", "--json").ended(0).json["verified"] is True
    again = killed.run("import", log, "--mapping", WABO, "--json").ended(1).json
    assert (again["outcome"], again["accepted"]) == ("already_imported", 0)
    assert len(killed.entries()) == len(after)


def _event(number: int) -> CaseEvent:
    """Two events a case: the application and its acceptance."""
    return CaseEvent(
        case_id=f"case-{number // 2}",
        domain="approval",
        kind="application" if number % 2 == 0 else "acceptance",
        at_us=1_700_000_000_000_000 + number * 1_000_000,
        zone="Asia/Shanghai",
        agency="A01",
        actor="1001",
        item="X",
    )


def _wait_for(node: Node, more: int, size: Callable[[], int]) -> None:
    target = size() + more
    until(f"{node.code} has {target} entries", lambda: size() >= target, every_s=0.005)


@pytest.mark.parametrize("kills", [("child", "parent", "child")])
def test_child_and_parent_killed_while_entries_come_in_and_rise(tree: Tree, kills: tuple[str, ...]) -> None:
    town, village = tree.line(("town", "330101001"), ("village", "330101001001"))
    town.start()
    village.start()

    def held() -> int:
        return _held(town, village.code)

    with Hall(village, _event) as hall:
        for victim in kills:
            # Each kill falls into a moment in which the child appends and the parent takes in.
            _wait_for(village, random.randint(100, 1_500), lambda: _size(village))
            _wait_for(town, random.randint(50, 500), held)
            node = town if victim == "parent" else village
            known = set(hall.acknowledged)
            cosigned = held()
            node.kill()
            if victim == "child":
                assert known <= {serial for _, serial in _events(village.entries())}
            else:
                assert held() >= cosigned
            node.start()
        _wait_for(town, 100, held)
        hall.finish()

    caught_up(village, town)
    entries = village.entries()
    serials = [serial for _, serial in _events(entries)]
    assert len(set(serials)) == len(serials), "an event is in the journal twice"
    assert set(serials) == hall.acknowledged == {f"s{number}" for number in range(hall.sent)}
    # The copy at the parent is the journal byte for byte, and the root is computed from its leaves.
    own, copy = village.leaves(), town.leaves(village.code)
    assert own == copy
    frontier = Frontier()
    frontier.extend([leaf_hash(leaf) for leaf in copy])
    assert frontier.root().hex() == village.status()["journal"]["root"] == town.child(village.code)["root"]
    assert village.get("/api/status")["cases"]["total"] == len({number // 2 for number in range(hall.sent)})
    assert town.entries("fork_found") == []
    assert town.entries("rollup_mismatch") == []
