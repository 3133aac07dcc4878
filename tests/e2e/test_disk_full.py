"""A disk that fills while a node runs: what cannot be kept is refused as such, nothing is kept by half, and room brings it back by itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.tree import Node, Tree, caught_up, until
from tests.plugins.disk import SmallDisk

SMALL: Final = 40 * 1024 * 1024


@pytest.fixture
def disk(small_disk: SmallDisk) -> Path:
    """A folder on a small disk of its own."""
    return small_disk(SMALL)


@pytest.fixture
def line(disk: Path, tmp_path: Path) -> Iterator[list[Node]]:
    """A town and a village on the small disk; their logs on another, so that they tell what happened."""
    with Tree(disk) as tree:
        nodes = tree.line(("town", "330101001"), ("village", "330101001001"))
        for node in nodes:
            path = node.folder / "node.toml"
            path.write_text(path.read_text(encoding="utf-8") + "disk_reserve_mb = 1\n", encoding="utf-8")
            (node.folder / "test.log").symlink_to(tmp_path / f"{node.code}.log")
        for node in nodes:
            node.start()
        yield nodes


def ballast(disk: Path) -> Path:
    """Something that takes all the room there is."""
    path = disk / "ballast"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            pass
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            pass
    return path


def opened(node: Node, number: int) -> Any:
    """What the node answers to a case; each with a text of 20 kB."""
    form = {
        "item": "V-01", "agency": "CWH", "actor": "1001", "at": f"2024-03-{number % 20 + 1:02d}T09:00:00",
        "applicant": f"{number}" + "张" * 200, "id_number": f"{number:018d}",
    }  # fmt: skip
    return node.client.post("/api/cases", json=form)


def test_a_full_disk_refuses_entries_keeps_nothing_by_half_and_recovers(line: list[Node], disk: Path) -> None:
    town, village = line
    assert opened(village, 0).status_code == 201
    caught_up(village, town)
    filled = ballast(disk)
    answers = [opened(village, number) for number in range(1, 400)]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert refused, "the disk took everything"
    assert {answer.json()["code"] for answer in refused} == {"disk_full"}
    assert {answer.status_code for answer in refused} == {507}
    taken = 1 + len(answers) - len(refused)
    # Both nodes stand: they answer, and their journals hold what was acknowledged and nothing more.
    assert village.running
    assert town.running
    assert village.status()["cases"]["total"] <= taken
    filled.unlink()
    until("it takes entries again", lambda: opened(village, 1_000).status_code == 201, 60)
    caught_up(village, town, 120)
    village.run("verify").ended(0)
    town.run("verify").ended(0)
    applications = [
        entry for entry in village.entries("case_event") if entry.case_event.kind == "application"
    ]
    assert len(applications) == taken + 1
    assert village.status()["cases"]["total"] == taken + 1
