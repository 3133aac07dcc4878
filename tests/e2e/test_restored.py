"""A village's box dies and its folder is gone: a new one takes its place, from what the parent keeps, or from a file."""

import random
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from node import config
from node.store.sealing import Sealer
from tests.e2e.tree import Node, Tree, until

VILLAGE: Final = "330101001001"
KEY: Final = "ZONGHENG_RECOVERY_KEY"


@pytest.fixture
def line(tree: Tree) -> list[Node]:
    """City, town and village, running."""
    nodes = tree.line(("city", "330100"), ("town", "330101001"), ("village", VILLAGE))
    for node in nodes:
        node.start()
    return nodes


def case(node: Node, number: int) -> str:
    """A case of a citizen, late by now."""
    form = {
        "item": "V-01", "agency": "CWH", "actor": "1001", "at": f"2024-03-{number % 20 + 1:02d}T09:00:00",
        "applicant": f"张{number}", "id_number": f"3301011990010{number:05d}",
    }  # fmt: skip
    opened: str = node.post("/api/cases", form)["case"]
    node.post(
        f"/api/cases/{opened}/events", {"kind": "acceptance", "actor": "1001", "at": "2024-03-25T10:00:00"}
    )
    return opened


def persons(node: Node) -> Mapping[str, bytes]:
    """Every person in its vault, opened with the vault's key."""
    sealer = Sealer(config.vault_key(node.folder))
    with closing(sqlite3.connect(f"file:{node.database}?mode=ro", uri=True, timeout=30)) as store:
        rows = store.execute("SELECT handle, sealed FROM vault ORDER BY handle").fetchall()
    return {handle: sealer.open(bytes(sealed), handle) for handle, sealed in rows}


def counted(node: Node) -> tuple[Any, Any, list[Any]]:
    """Cases, figures and alerts, once nothing is left to judge."""
    until("nothing is due", lambda: node.status()["due"] == 0, 120)
    alerts = [(one["case"], one["rule"], one["level"], one["state"], one["since"]) for one in node.alerts()]
    return node.status()["cases"], node.get("/api/rollup")["total"], sorted(alerts)


def bury(node: Node) -> None:
    """Its box is dead and its folder gone."""
    node.kill()
    shutil.rmtree(node.folder)


def arrived(town: Node) -> list[Any]:
    return [one for one in town.get("/api/files") if one["purpose"] == "backup" and one["state"] == "here"]


def test_a_node_without_a_parent_comes_back_from_a_file(tree: Tree, tmp_path: Path) -> None:
    root = tree.add("town", "330101001").start()
    key = root.run("recovery-key", "--json").ended(0).json["recovery_key"]
    for number in range(5):
        case(root, number)
    before, kept = counted(root), persons(root)
    backup = tmp_path / "backup"
    root.run("backup", "--to", backup).ended(0)
    leaves = root.leaves()
    bury(root)
    root.run("restore", "--from", backup, **{KEY: key}).ended(0)
    assert root.leaves() == leaves
    assert persons(root) == kept
    root.start()
    root.run("unseal", "--by", "1001", "--reason", "box replaced").ended(0)
    assert counted(root) == before
    assert case(root, 50)


def test_backups_go_up_by_themselves_and_the_three_newest_stay(line: list[Node]) -> None:
    _, town, village = line
    village.run("recovery-key").ended(0)
    dice = random.Random(3)
    digests = []
    for _ in range(4):
        case(village, dice.randrange(1_000))
        digests.append(village.run("backup", "--to-parent", "--json").ended(0).json["sha256"])
        until("it is there", lambda: digests[-1] in [one["sha256"] for one in arrived(town)], 120)
    assert {one["sha256"] for one in arrived(town)} == set(digests[1:])
    # The village keeps no copy.
    assert [one["state"] for one in village.get("/api/files")] == ["shed"] * 4
