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
from node.backup.recovery import RecoveryKey
from node.store.sealing import Sealer
from tests.e2e.commands import zongheng
from tests.e2e.tree import Node, Tree, caught_up, until

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


def replaced(town: Node) -> str:
    words = ("--tier", "village", "--code", VILLAGE, "--replace", "--json")
    return str(town.run("invite", *words).ended(0).json["token"])


def bury(node: Node) -> None:
    """Its box is dead and its folder gone."""
    node.kill()
    shutil.rmtree(node.folder)


def arrived(town: Node) -> list[Any]:
    return [one for one in town.get("/api/files") if one["purpose"] == "backup" and one["state"] == "here"]


def test_a_dead_village_comes_back_from_what_its_parent_keeps(line: list[Node]) -> None:
    city, town, village = line
    key = village.run("recovery-key", "--json").ended(0).json["recovery_key"]
    for number in range(30):
        case(village, number)
    caught_up(village, town)
    kept = persons(village)
    assert len(kept) == 30
    sent = village.run("backup", "--to-parent", "--json").ended(0).json
    assert sent["reader"] == town.code
    until("the backup is at the town", lambda: arrived(town), 120)
    for number in range(30, 35):
        case(village, number)
    caught_up(village, town)
    before, leaves = counted(village), village.leaves()
    bury(village)

    # What the town keeps opens for nobody there.
    stored = (town.folder / "files" / sent["sha256"][:2] / sent["sha256"]).read_bytes()
    assert all(person not in stored for person in kept.values())
    assert "张1".encode() not in stored

    token = replaced(town)
    from_parent = ("--from-parent", town.grpc, "--token", token)
    wrong = village.run("restore", *from_parent, **{KEY: str(RecoveryKey.new())}).ended(1)
    assert "not the recovery key" in wrong.err
    assert village.run("restore", *from_parent, **{KEY: key[:-1] + ("0" if key[-1] != "0" else "1")}).ended(2)
    assert not (village.folder / "node.toml").exists()
    back = village.run("restore", *from_parent, "--json", **{KEY: key}).ended(0).json
    assert (back["node"], back["journal_size"] <= len(leaves)) == (VILLAGE, True)
    village.start()
    until("the journal is open again", lambda: not village.status()["journal"]["sealed"], 180)
    caught_up(village, town, 180)
    assert village.leaves()[: len(leaves)] == leaves
    assert persons(village) == kept
    cases, figures, alerts = counted(village)
    assert (cases, alerts) == (before[0], before[2])
    assert figures == before[1]
    # It goes on: what is entered now rises, and the tier above the parent saw no fork.
    case(village, 99)
    caught_up(village, town)
    caught_up(town, city)
    for node in (city, town):
        assert node.entries("fork_found") == []
        assert node.entries("quarantine_decided") == []


def test_a_token_of_a_dead_box_is_good_once_and_for_that_node_alone(line: list[Node], tmp_path: Path) -> None:
    _, town, village = line
    key = village.run("recovery-key", "--json").ended(0).json["recovery_key"]
    village.run("backup", "--to-parent").ended(0)
    until("the backup is at the town", lambda: arrived(town), 120)
    bury(village)
    token = replaced(town)
    village.run("restore", "--from-parent", town.grpc, "--token", token, **{KEY: key}).ended(0)
    other = zongheng(
        "restore", tmp_path / "other", "--from-parent", town.grpc, "--token", token, **{KEY: key}
    )
    assert "used already" in other.ended(2).err
    again = village.run("restore", "--from-parent", town.grpc, "--token", token, **{KEY: key}).ended(2)
    assert "already holds a node" in again.err


def test_a_dead_village_comes_back_from_a_file_and_waits_for_its_parent(
    line: list[Node], tmp_path: Path
) -> None:
    _, town, village = line
    key = village.run("recovery-key", "--json").ended(0).json["recovery_key"]
    for number in range(10):
        case(village, number)
    caught_up(village, town)
    backup = tmp_path / "backup"
    village.run("backup", "--to", backup).ended(0)
    case(village, 20)
    caught_up(village, town)
    kept, leaves = persons(village), village.leaves()
    bury(village)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(backup.read_bytes()[:-1_000])
    assert "cut off" in village.run("restore", "--from", damaged, **{KEY: key}).ended(1).err
    village.run("restore", "--from", backup, **{KEY: key}).ended(0)
    assert persons(village).items() <= kept.items()
    village.begin()
    until("it answers", village._ready)
    assert village.status()["journal"]["sealed"]
    refused = village.client.post("/api/cases", json={"item": "V-01", "agency": "CWH", "actor": "1001"})
    assert refused.json()["code"] == "sealed"
    village.run("join", "--parent", town.grpc, "--token", replaced(town)).ended(0)
    until("the journal is open again", lambda: not village.status()["journal"]["sealed"], 180)
    caught_up(village, town, 180)
    assert village.leaves()[: len(leaves)] == leaves


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
    until(
        "the village keeps no copy",
        lambda: [one["state"] for one in village.get("/api/files")] == ["shed"] * 4,
    )


def test_a_dead_town_comes_back_with_other_keys_and_its_village_finds_it(
    line: list[Node], tmp_path: Path
) -> None:
    city, town, village = line
    key = town.run("recovery-key", "--json").ended(0).json["recovery_key"]
    caught_up(village, town)
    town.run("backup", "--to-parent").ended(0)
    until("the backup is at the city", lambda: arrived(city), 120)
    case(village, 1)
    caught_up(village, town)
    caught_up(town, city)
    before = (village.folder / "certificates" / "parent.pem").read_bytes()
    bury(town)
    case(village, 2)
    words = ("--tier", "town", "--code", town.code, "--replace", "--json")
    token = city.run("invite", *words).ended(0).json["token"]
    town.run("restore", "--from-parent", city.grpc, "--token", token, **{KEY: key}).ended(0)
    town.start()
    # Nobody travels to the village: the city vouches for the new box.
    until("the village is linked", lambda: village.status()["link"]["state"] == "linked", 180)
    assert (village.folder / "certificates" / "parent.pem").read_bytes() != before
    caught_up(village, town, 180)
    caught_up(town, city, 180)
    assert town.leaves(village.code) == village.leaves()
    assert len(village.entries("joined")) == 2
    # And what the town says in its new name goes down.
    policy = tmp_path / "town.toml"
    policy.write_text('[policy]\nrules = [{ rule = "approval.time.case", yellow = -3 }]\n', encoding="utf-8")
    town.run("publish", policy, "--subtree").ended(0)
    until("the village has it", lambda: _yellow(village) == -3)
    assert "--reopen" not in village.status()["link"]["instruction"]


def _yellow(node: Node) -> int:
    rules = node.get("/api/policy")["rules"]
    return next(int(one["thresholds"]["yellow"]) for one in rules if one["rule"] == "approval.time.case")
