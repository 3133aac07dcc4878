"""Files on their way up through real processes: hop by hop to the portal's node, through kills, shed and asked for again."""

import random
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.e2e.commands import zongheng
from tests.e2e.tree import Node, Tree, until

VILLAGE: Final = "330101001001"
VOUCHERS: Final = random.Random(7).randbytes(30_000_000)


def setting(node: Node, line: str) -> None:
    """One more line in its settings."""
    path = node.folder / "node.toml"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")


@pytest.fixture
def line(tree: Tree) -> list[Node]:
    """A city that serves the portal, a town directly under it, a village."""
    nodes = tree.line(("city", "330100"), ("town", "330101001"), ("village", VILLAGE))
    setting(nodes[0], "portal = true")
    return nodes


def disclose(village: Node, title: str, *files: Path) -> Any:
    words: list[object] = [word for file in files for word in ("--file", file)]
    return village.run(
        "disclose", "--matter", "村级财务", "--element", "收支明细", "--basis", "村民委员会组织法 §30", "--title", title,
        "--period", "2026-Q3", "--by", "1001", "--json", *words,
    ).ended(0).json  # fmt: skip


def shown(node: Node) -> list[Any]:
    found: list[Any] = node.get("/api/disclosures")
    return found


def state(node: Node, digest: str) -> str:
    return next((str(file["state"]) for file in node.get("/api/files") if file["sha256"] == digest), "")


def content(node: Node, digest: str) -> httpx.Response:
    return node.client.get(f"/api/files/{digest}/content")


def test_disclosures_and_their_files_reach_the_portal_through_kills(line: list[Node], tmp_path: Path) -> None:
    city, town, village = line
    for node in line:
        node.start()
    city.stop()
    town.stop()
    large, small = tmp_path / "vouchers.pdf", tmp_path / "notice.txt"
    large.write_bytes(VOUCHERS)
    small.write_text("公示", encoding="utf-8")
    entered = disclose(village, "第三季度收支", large, small)
    part = town.folder / "files" / "parts"
    town.begin()  # it takes files while it starts
    until("some of it is at the town", lambda: part.exists() and any(part.iterdir()), every_s=0.005)
    town.kill()
    town.start()
    until(
        "all of it is at the town",
        lambda: [file["state"] for file in town.get("/api/files")] == ["here"] * 2,
        180,
    )
    part = city.folder / "files" / "parts"
    city.begin()
    until("some of it is at the city", lambda: part.exists() and any(part.iterdir()), 120, every_s=0.005)
    city.kill()
    city.start()
    until("the city shows it", lambda: shown(city), 120)
    [one] = shown(city)
    assert (one["origin"], one["index"], one["proven"]) == (VILLAGE, entered["index"], True)
    digests = {file["name"]: file["sha256"] for file in one["files"]}
    assert digests.keys() == {"vouchers.pdf", "notice.txt"}
    for digest in digests.values():
        until(f"{digest} is at the city", lambda digest=digest: state(city, digest) == "here", 180)  # type: ignore[misc]
    answer = content(city, digests["vouchers.pdf"])
    assert answer.content == VOUCHERS
    assert answer.headers["content-type"] == "application/pdf"
    assert "attachment" in answer.headers["content-disposition"]
    # The evidence that the portal shows is checked by anybody, with nothing else at hand.
    proof = tmp_path / "one.tlog-proof"
    proof.write_text(one["evidence"], encoding="utf-8")
    key = village.status()["journal"]["verifier"]
    assert one["verifier"] == key
    zongheng("verify", proof, "--verifier", key).ended(0)
    listed = city.run("disclosures", "--json").ended(0).lines
    assert [file["state"] for file in listed[0]["files"]] == ["here", "here"]


def test_what_a_town_shed_it_asks_for_again_from_below(line: list[Node], tmp_path: Path) -> None:
    city, town, village = line
    # Room for two files of half a megabyte.
    setting(town, "files_budget_mb = 1")
    for node in line:
        node.start()
    digests = []
    for number in range(4):
        file = tmp_path / f"{number}.bin"
        file.write_bytes(random.Random(number).randbytes(450_000))
        disclose(village, f"第 {number} 份", file)
        until("the city has it", lambda number=number: len(shown(city)) == number + 1, 120)  # type: ignore[misc]
        digests.append(shown(city)[0]["files"][0]["sha256"])
        until("its file is there", lambda: state(city, digests[-1]) == "here", 120)
    states = [state(town, digest) for digest in digests]
    assert states[0] == "shed", states
    assert states[-1] == "here", states
    [told] = [file for file in town.get("/api/files") if file["sha256"] == digests[0]]
    assert "asked for again" in told["words"]
    assert not (town.folder / "files" / digests[0][:2] / digests[0]).exists()
    town.run("files", "--again", f"{VILLAGE}/{digests[0]}").ended(0)
    until("it is back", lambda: state(town, digests[0]) == "here", 120)
    assert content(town, digests[0]).content == random.Random(0).randbytes(450_000)


def test_a_file_that_was_changed_below_never_counts(line: list[Node], tmp_path: Path) -> None:
    _, town, village = line
    for node in line:
        node.start()
    town.stop()
    file = tmp_path / "notice.txt"
    file.write_text("as published", encoding="utf-8")
    disclose(village, "通知", file)
    [digest] = [entry.disclosure.files[0].sha256 for entry in village.entries("disclosure")]
    lies = village.folder / "files" / digest[:2] / digest
    lies.write_text("as amended  ", encoding="utf-8")
    assert lies.stat().st_size == len("as published")
    town.start()
    until(
        "the village knows that it is not taken",
        lambda: any("changed" in one["words"] for one in village.get("/api/files")),
        120,
    )
    assert state(town, digest) == "below"
    assert content(town, digest).status_code == 404
