"""A child that rewrites its history, and one whose figures are not what its journal gives: the parent finds both.

The tampering goes past the program, into the stopped village's SQLite file, with the village's own key at hand: what somebody
could do who owns the machine.
"""

import sqlite3
from contextlib import closing
from datetime import datetime
from typing import Final

import pytest
from zongheng.v1.entry_pb2 import Entry

from federation.journal.checkpoint import Checkpoint, Signer, Verifier, open_note, sign
from federation.journal.merkle import Frontier, leaf_hash
from federation.journal.tile import TileBuilder
from node import config
from tests.e2e.tree import Node, Tree, caught_up, until

VILLAGE: Final = "330101001001"


def _case(node: Node, day: str) -> str:
    form = {"item": "V-01", "agency": "CWH", "actor": "1001", "at": f"{day}T09:00:00"}
    case: str = node.post("/api/cases", form)["case"]
    node.post(f"/api/cases/{case}/events", {"kind": "acceptance", "actor": "1001", "at": f"{day}T10:00:00"})
    return case


@pytest.fixture
def line(tree: Tree) -> list[Node]:
    """City, town and village; the town directly under the city."""
    nodes = tree.line(("city", "330100"), ("town", "330101001"), ("village", VILLAGE))
    for node in nodes:
        node.start()
    _case(nodes[-1], "2024-03-05")
    caught_up(nodes[2], nodes[1])
    caught_up(nodes[1], nodes[0])
    return nodes


def rewrite(node: Node, old: str, new: str) -> None:
    """Write another case number into the journal, and make tiles, head and signature fit: a perfect forgery of the own log. The mark beside
    the database would tell; who owns the machine takes it away."""
    (node.folder / "journal.mark").unlink()
    settings = config.load(node.folder)
    signer: Signer = config.journal_signer(node.folder, settings)
    with closing(sqlite3.connect(node.database)) as store, store:
        leaves = [
            leaf
            for (leaf,) in store.execute(
                "SELECT leaf FROM journal WHERE origin = ? ORDER BY idx", (node.code,)
            )
        ]
        changed = [leaf.replace(old.encode(), new.encode()) for leaf in leaves]
        assert changed != leaves
        store.executemany(
            "UPDATE journal SET leaf = ? WHERE origin = ? AND idx = ?",
            [(leaf, node.code, index) for index, leaf in enumerate(changed)],
        )
        builder = TileBuilder()
        tiles = builder.extend([leaf_hash(leaf) for leaf in changed])
        store.execute("DELETE FROM tile WHERE origin = ?", (node.code,))
        store.executemany(
            "INSERT INTO tile (origin, level, n, hashes) VALUES (?, ?, ?, ?)",
            [(node.code, tile.level, tile.index, tile.hashes) for tile in tiles],
        )
        note = sign(Checkpoint(settings.log_id, len(changed), builder.root()), signer)
        store.execute("UPDATE log SET root = ?, note = ? WHERE origin = ?", (builder.root(), note, node.code))


def test_a_rewritten_journal_is_quarantined_and_word_of_it_rises(line: list[Node]) -> None:
    city, town, village = line
    held = town.child(VILLAGE)
    case = village.get("/api/cases")["cases"][0]["case"]
    village.stop()
    forged = case[:-1] + ("X" if case[-1] != "X" else "Y")
    rewrite(village, case, forged)
    # The forgery is sound in itself: only who held it to its word can tell.
    assert village.run("verify", "--json").ended(0).json["verified"] is True

    village.start()
    until("the link is quarantined", lambda: village.status()["link"]["state"] == "quarantined")
    assert village.status()["link"]["instruction"]
    status = village.run("status").ended(0).out
    assert village.status()["link"]["instruction"][:30] in status
    forks = until("the town entered the fork", lambda: town.entries("fork_found"))
    (fork,) = (entry.fork_found for entry in forks)
    assert fork.origin == VILLAGE
    # Both signed heads are kept: each opens under the village's one key, and they contradict each other.
    key = Verifier.parse(village.status()["journal"]["verifier"])
    kept, shown = open_note(fork.held, [key]), open_note(fork.shown, [key])
    assert kept.root != shown.root
    # Nothing of it is taken, also not what comes later.
    _case(village, "2024-03-06")
    after = town.child(VILLAGE)
    assert (after["held"], after["root"]) == (held["held"], held["root"])
    leaves = town.leaves(VILLAGE)
    frontier = Frontier()
    frontier.extend([leaf_hash(leaf) for leaf in leaves])
    assert frontier.root().hex() == held["root"]
    assert all(forged.encode() not in leaf for leaf in leaves)

    def risen() -> bool:
        inner = [Entry.FromString(entry.forwarded.leaf) for entry in city.entries("forwarded")]
        return [one.fork_found.origin for one in inner if one.HasField("fork_found")] == [VILLAGE]

    until("the fork rose to the city", risen)


def test_figures_that_the_journal_does_not_give_are_named(line: list[Node]) -> None:
    _, town, village = line
    assert town.entries("rollup_mismatch") == []
    village.stop()
    day = datetime(2024, 3, 5).toordinal() - datetime(1970, 1, 1).toordinal()
    with closing(sqlite3.connect(village.database)) as store, store:
        (figures, size) = store.execute(
            "SELECT figures, (SELECT size FROM log WHERE own = 1) FROM rollup WHERE node = ? AND day = ?",
            (VILLAGE, day),
        ).fetchone()
        assert '"received":1' in figures.replace(" ", "")
        better = figures.replace(" ", "").replace('"received":1', '"received":5')
        # A newer version, as a change of the figures would have: it goes up with the next report.
        store.execute(
            "UPDATE rollup SET figures = ?, version = ? WHERE node = ? AND day = ?",
            (better, size + 1, VILLAGE, day),
        )
    village.start()
    found = until("the town names the difference", lambda: town.entries("rollup_mismatch"))
    (mismatch,) = (entry.rollup_mismatch for entry in found)
    assert (mismatch.origin, mismatch.column) == (VILLAGE, "received")
    assert (mismatch.reported, mismatch.computed) == (5, 1)
    assert "2024-03-05" in mismatch.key
    assert mismatch.journal_size == village.status()["journal"]["size"]
