"""Journals that disagree, with real processes and real old copies of real folders: each case ends as DESIGN §4's table says."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.mending_pb2 import QUARANTINE_DECISION_MEND, QUARANTINE_DECISION_REFUSE

from federation.journal.checkpoint import Verifier, open_note
from federation.journal.merkle import leaf_hash
from tests.e2e.tree import Node, Tree, caught_up, judged, until

CITY: Final = "330100"
TOWN: Final = "330101001"
VILLAGE: Final = "330101001001"


def case(node: Node, day: str) -> str:
    """A case by hand, accepted an hour later."""
    form = {"item": "V-01", "agency": "CWH", "actor": "1001", "at": f"{day}T09:00:00"}
    opened: str = node.post("/api/cases", form)["case"]
    node.post(f"/api/cases/{opened}/events", {"kind": "acceptance", "actor": "1001", "at": f"{day}T10:00:00"})
    return opened


def cases(node: Node) -> set[str]:
    return {one["case"] for one in node.get("/api/cases", limit=10_000)["cases"]}


@contextmanager
def stopped(node: Node) -> Iterator[None]:
    node.stop()
    yield
    node.start()


class Backup:
    """A copy of a stopped node's folder."""

    def __init__(self, node: Node, place: Path) -> None:
        self.node = node
        self.copy = place / f"backup-{node.code}"
        shutil.copytree(node.folder, self.copy, ignore=shutil.ignore_patterns("test.log"))

    def put_back(self, *, without: str = "") -> None:
        """As an operator does: the old folder in place of the present one; but for one file, if asked."""
        kept = self.node.folder / without if without else None
        newest = kept.read_bytes() if kept is not None else b""
        log = (self.node.folder / "test.log").read_bytes()
        shutil.rmtree(self.node.folder)
        shutil.copytree(self.copy, self.node.folder)
        (self.node.folder / "test.log").write_bytes(log)
        if kept is not None:
            kept.write_bytes(newest)


@pytest.fixture
def line(tree: Tree) -> list[Node]:
    """City, town and village, linked, with a case."""
    nodes = tree.line(("city", CITY), ("town", TOWN), ("village", VILLAGE))
    for node in nodes:
        node.start()
    case(nodes[-1], "2024-03-05")
    settled(nodes)
    return nodes


def settled(line: list[Node]) -> None:
    for parent, child in pairwise(line):
        caught_up(child, parent)


def linked(node: Node) -> None:
    until(f"{node.code} is linked", lambda: node.status()["link"]["state"] == "linked")


def told(node: Node, kind: str) -> list[Any]:
    return [getattr(entry, kind) for entry in node.entries(kind)]


@pytest.mark.parametrize("whole", [True, False], ids=["the-whole-folder", "only-the-database"])
def test_a_child_restored_from_an_old_backup_is_as_it_was(
    line: list[Node], tmp_path: Path, whole: bool
) -> None:
    _, town, village = line
    village.stop()
    backup = Backup(village, tmp_path)
    village.start()
    linked(village)
    lost = {case(village, f"2024-03-{day:02}") for day in range(6, 16)}
    caught_up(village, town)
    before, alerts = village.leaves(), village.alerts()
    village.stop()
    backup.put_back(without="" if whole else "journal.mark")

    village.start()
    until("the journal is open", lambda: not village.status()["journal"]["sealed"])
    until("all is back", lambda: len(village.leaves()) >= len(before))
    linked(village)
    assert village.leaves()[: len(before)] == before
    until("the cases are back", lambda: lost <= cases(village))
    until("the alerts are as they were", lambda: village.alerts() == alerts)
    (restored,) = told(town, "child_restored")
    assert (restored.origin, restored.held_size) == (VILLAGE, len(before))
    assert told(town, "fork_found") == []
    (unsealed,) = told(village, "journal_unsealed")
    assert unsealed.by == ""
    case(village, "2024-03-20")
    settled(line)


def test_a_restored_parent_is_sent_again_what_it_once_cosigned(line: list[Node], tmp_path: Path) -> None:
    city, town, village = line
    town.stop()
    backup = Backup(town, tmp_path)
    town.start()
    linked(village)
    for day in range(6, 12):
        case(village, f"2024-03-{day:02}")
    case(town, "2024-03-07")
    settled(line)
    cosigned, own = village.status()["journal"]["cosigned_size"], town.leaves()
    town.stop()
    backup.put_back()
    town.start()
    settled(line)
    assert town.leaves(VILLAGE) == village.leaves()
    assert town.leaves()[: len(own)] == own
    (restored,) = told(town, "parent_restored")
    assert (restored.origin, restored.cosigned_size) == (VILLAGE, cosigned)
    assert (
        open_note(restored.cosigned, [Verifier.parse(village.status()["journal"]["verifier"])]).size
        == cosigned
    )
    assert [one.origin for one in told(city, "child_restored")] == [TOWN]
    assert told(city, "fork_found") == told(town, "fork_found") == []


@pytest.fixture
def forked(line: list[Node], tmp_path: Path) -> list[Any]:
    """The village was restored from an old backup and wrote before its town could be reached. With what was lost, and what it wrote."""
    _, town, village = line
    village.stop()
    backup = Backup(village, tmp_path)
    village.start()
    linked(village)
    lost = {case(village, f"2024-03-{day:02}") for day in range(6, 10)}
    settled(line)
    held = town.child(VILLAGE)["held"]
    village.stop()
    town.stop()
    backup.put_back()
    village.start()
    own = {case(village, f"2024-04-{day:02}") for day in range(10, 13)}
    town.start()
    until("the link is quarantined", lambda: village.status()["link"]["state"] == "quarantined")
    return [line, lost, own, held]


def shown(town: Node) -> Any:
    return town.run("quarantine", VILLAGE, "--json").ended(0).json


def test_a_village_that_wrote_while_it_was_offline_is_mended(forked: list[Any]) -> None:
    line, lost, own, held = forked
    city, town, village = line
    more = case(village, "2024-04-20")  # work goes on
    judged(village)
    until(
        "the branch is kept apart",
        lambda: shown(town)["kept_apart"] == len(village.leaves()) - shown(town)["common_size"],
    )
    quarantine = shown(town)
    common = quarantine["common_size"]
    assert quarantine["differs_held"]["index"] == quarantine["differs_shown"]["index"] == common
    assert town.child(VILLAGE)["held"] == held
    assert "zongheng quarantine" in town.run("status").ended(0).out
    until("word of it rose", lambda: "fork_found" in risen(city))
    branch = village.leaves()[common:]

    town.run("quarantine", VILLAGE, "--mend").ended(2)  # nobody says who and why
    town.run("quarantine", VILLAGE, "--mend", "--by", "Li", "--reason", "an old backup").ended(0)
    until("the town took the mended journal", lambda: shown(town)["state"] == "mended")
    until("the village is open", lambda: not village.status()["journal"]["sealed"])
    settled(line)
    until("every case is there", lambda: lost | own | {more} <= cases(village))
    leaves = village.leaves()
    assert town.leaves(VILLAGE) == leaves
    again = [
        (leaf, entry)
        for leaf, entry in zip(leaves, village.entries(), strict=True)
        if entry.HasField("reappended")
    ]
    events = [leaf for leaf in branch if Entry.FromString(leaf).HasField("case_event")]
    for leaf, entry in again:
        mark = entry.reappended
        assert leaf_hash(leaf[: mark.length]) == mark.leaf_hash
        assert leaf[: mark.length] == branch[mark.index - common]
    assert {leaf[: entry.reappended.length] for leaf, entry in again} >= set(events)
    serials = [(entry.source, entry.serial) for entry in village.entries() if entry.serial]
    assert len(serials) == len(set(serials))
    keys = [
        (one["case"], one["subject"], one["rule"], one["level"], one["episode"]) for one in village.alerts()
    ]
    assert len(keys) == len(set(keys))
    (mended,) = told(village, "journal_mended")
    assert (mended.common_size, mended.adopted_size) == (common, held)
    assert mended.reappended + mended.repeated == len(branch)
    assert [one.decision for one in told(town, "quarantine_decided")] == [QUARANTINE_DECISION_MEND]
    assert village.run("verify", "--json").ended(0).json["verified"] is True
    assert town.run("verify", "--json").ended(0).json["verified"] is True
    until("the decision rose", lambda: "quarantine_decided" in risen(city))


def risen(node: Node) -> set[str]:
    inner = [Entry.FromString(entry.forwarded.leaf) for entry in node.entries("forwarded")]
    return {str(entry.WhichOneof("body")) for entry in inner}


def test_a_refused_journal_stays_closed(forked: list[Any]) -> None:
    line, _, _, held = forked
    _, town, village = line
    until("the branch is kept apart", lambda: shown(town)["kept_apart"])
    town.run("quarantine", VILLAGE, "--refuse", "--by", "Li", "--reason", "it was tampered with").ended(0)
    until("the village hears it", lambda: "refuses" in village.status()["link"]["instruction"])
    case(village, "2024-04-21")
    with stopped(village):
        pass
    until("it is still closed", lambda: "refuses" in village.status()["link"]["instruction"])
    assert town.child(VILLAGE)["held"] == held
    assert [one.decision for one in told(town, "quarantine_decided")] == [QUARANTINE_DECISION_REFUSE]
    assert [one["state"] for one in town.run("quarantine", "--json").ended(0).lines] == ["refused"]


def test_a_root_whose_database_went_back_is_sealed_until_a_person_opens_it(
    tree: Tree, tmp_path: Path
) -> None:
    city = tree.add("city", CITY)
    city.start()
    case(city, "2024-03-05")
    city.stop()
    backup = Backup(city, tmp_path)
    with stopped(city):
        pass
    case(city, "2024-03-06")
    size = city.status()["journal"]["size"]
    city.stop()
    backup.put_back(without="journal.mark")
    city.start()
    status = city.status()["journal"]
    assert str(size) in status["sealed"]
    refused = city.client.post("/api/cases", json={"item": "V-01", "agency": "CWH", "actor": "1001"})
    assert (refused.status_code, refused.json()["code"]) == (409, "sealed")
    assert "zongheng status" in refused.json()["detail"]
    assert len(cases(city)) == 1  # reading goes on
    assert "SEALED" in city.run("status").ended(0).out
    assert len(city.leaves()) == status["size"]
    city.run("unseal", "--by", "Li", "--reason", " ").ended(2)
    city.run("unseal", "--by", "Li", "--reason", "the disk died, nothing else is left").ended(0)
    case(city, "2024-03-07")
    (unsealed,) = told(city, "journal_unsealed")
    assert (unsealed.by, unsealed.size, unsealed.known_size) == ("Li", status["size"], size)
    with stopped(city):
        pass
    assert not city.status()["journal"]["sealed"]


def test_a_folder_marked_as_restored_writes_nothing_before_its_parent_is_asked(line: list[Node]) -> None:
    _, town, village = line
    village.stop()
    town.stop()
    (village.folder / "restored").write_text("new box", encoding="utf-8")
    size = len(village.leaves())
    village.start()
    assert "new box" in village.status()["journal"]["sealed"]
    with stopped(village):
        pass
    assert "new box" in village.status()["journal"]["sealed"]
    village.run("unseal", "--by", "Li", "--reason", "no").ended(2)
    assert len(village.leaves()) == size
    town.start()
    until("the handshake opened it", lambda: not village.status()["journal"]["sealed"])
    settled(line)
