"""`zongheng demo` as a visitor or a machine runs it: real processes, a report that agrees with itself, a clean end."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from node import config, control
from node.demo.generator import generate
from tests.e2e.commands import zongheng
from tests.e2e.tree import until

CASES = 120
SEED = 4


@contextlib.asynccontextmanager
async def demo(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, in a session of its own; ended by its pid if it is still there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "node",
        "demo",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


def nodes_running_in(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(word.startswith(str(folder)) for word in words) and "run" in words:
            found.append(process.pid)
    return found


def node_folders(folder: Path) -> list[Path]:
    return [settings.parent for settings in folder.glob("*/node.toml")]


async def read_until(process: asyncio.subprocess.Process, words: str) -> str:
    """Everything said up to the line with these words; fails when the command ends before."""
    assert process.stdout is not None
    said = ""
    while words not in said:
        line = await process.stdout.readline()
        assert line, f"ended before {words!r}:\n{said}"
        said += line.decode()
    return said


@pytest.fixture(scope="module")
def headless(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, dict[str, Any], Path]:
    """One headless run: exit code, what it said, its report, the folder of its nodes."""
    folder = tmp_path_factory.mktemp("demo")
    file = folder / "report.json"

    async def run() -> tuple[int, str]:
        async with demo(
            "--headless",
            "--report",
            str(file),
            "--cases",
            str(CASES),
            "--seed",
            str(SEED),
            "--dir",
            str(folder / "nodes"),
        ) as process:
            said, _ = await process.communicate()
            assert process.returncode is not None
            return process.returncode, said.decode()

    code, said = asyncio.run(run())
    assert file.exists(), said
    return code, said, json.loads(file.read_text(encoding="utf-8")), folder / "nodes"


def test_headless_finds_what_it_planted_and_exits_0(headless: tuple[int, str, dict[str, Any], Path]) -> None:
    code, said, report, _ = headless
    assert report["disagreements"] == [], said
    assert code == 0, said
    for fault in report["faults"]:
        assert fault["found"] == fault["planted"] == len(fault["cases"]) > 0, fault
    assert report["alerts"]["found"] == report["alerts"]["planted"] > len(report["faults"])
    assert report["alerts"]["corrected"] == 0


def test_the_tree_is_the_one_promised_and_every_parent_holds_its_childs_root(
    headless: tuple[int, str, dict[str, Any], Path],
) -> None:
    report = headless[2]
    tiers = Counter(node["tier"] for node in report["nodes"])
    assert (tiers["city"], tiers["county"], tiers["town"], tiers["village"]) == (1, 2, 3, 4)
    by_id = {node["id"]: node for node in report["nodes"]}
    assert any(node["tier"] == "town" and by_id[node["parent"]]["tier"] == "city" for node in report["nodes"])
    for node in report["nodes"]:
        assert node["journal_size"] > 0
        assert len(bytes.fromhex(node["root"])) == 32
        assert node["rss_mb"] > 0
        assert node["start_s"] > 0
        if node["parent"] is None:
            assert node["parent_holds"] is None
        else:
            assert (node["parent_holds"], node["parent_root"]) == (node["journal_size"], node["root"])


def test_the_citys_figures_are_the_sum_of_its_nodes(headless: tuple[int, str, dict[str, Any], Path]) -> None:
    report = headless[2]
    assert report["city_total"] == report["sum_of_nodes"]
    handed_in = {sent.case_id for sent in generate(CASES, SEED).sent}
    assert report["city_total"]["received"] == len(handed_in) > report["cases"] == CASES
    for level in ("notice", "yellow", "red"):
        assert report["city_total"][level] == sum(node["alerts"][level] for node in report["nodes"]) > 0


def test_three_questions_are_answered_in_full_and_proven(
    headless: tuple[int, str, dict[str, Any], Path],
) -> None:
    questions = headless[2]["questions"]
    assert len(questions) == 3
    for question in questions:
        assert question["verified"] is True
        assert question["coverage"]["answered"] == question["coverage"]["expected"] >= 4
        assert question["ms"] > 0


def test_nobody_is_accused_of_an_alert_that_is_right(headless: tuple[int, str, dict[str, Any], Path]) -> None:
    report, folder = headless[2:]
    parents = {node["parent"] for node in report["nodes"]} - {None}
    seen = 0
    for place in node_folders(folder):
        if config.load(place).node not in parents:
            continue
        answer = zongheng("inspect", place, "--json").ended(0).json
        seen += sum(one["right"] for one in answer["nodes"])
        assert all(one["wrong"] == one["missing"] == 0 for one in answer["nodes"])
        assert zongheng("alerts", place, "--domain", "resupervision", "--json").ended(0).lines == []
    assert seen > 0


def test_no_node_is_left_running(headless: tuple[int, str, dict[str, Any], Path]) -> None:
    assert nodes_running_in(headless[3]) == []


async def test_a_folder_that_holds_nodes_already_is_refused(
    headless: tuple[int, str, dict[str, Any], Path],
) -> None:
    async with demo("--headless", "--cases", "20", "--dir", str(headless[3])) as process:
        said, _ = await process.communicate()
    assert process.returncode == 2
    assert "already holds a node" in said.decode()


async def test_too_few_cases_are_wrong_use() -> None:
    async with demo("--headless", "--cases", "3") as process:
        said, _ = await process.communicate()
    assert process.returncode == 2
    assert "too few" in said.decode()


async def test_ctrl_c_while_starting_ends_every_node(tmp_path: Path) -> None:
    async with demo("--headless", "--cases", "20", "--dir", str(tmp_path)) as process:
        await read_until(process, "county")
        assert nodes_running_in(tmp_path)
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130
    assert nodes_running_in(tmp_path) == []


async def test_by_hand_it_shows_a_tour_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    async with demo("--cases", "40", "--seed", "2", "--dir", str(tmp_path)) as process:
        said = await read_until(process, "Ctrl-C ends the demo.")
        for number in range(1, 7):
            assert f"\n{number}. " in said
        assert "nothing disagrees" in said
        assert len(nodes_running_in(tmp_path)) == 10
        # What the tour prints can be run as it stands.
        verify = next(line.strip() for line in said.splitlines() if " verify " in line)
        checked = await asyncio.create_subprocess_shell(verify, stdout=asyncio.subprocess.PIPE)
        words, _ = await checked.communicate()
        assert checked.returncode == 0, words.decode()
        assert "proven" in words.decode()
        page = next(line.strip() for line in said.splitlines() if "/watch/" in line)
        code, camera, _ = page.rpartition("/watch/")[2].split("/")
        city = page.partition("/watch/")[0]
        await asyncio.to_thread(
            until,
            "the city knows that the hall is seen",
            lambda: any(
                (one["node"], one["camera"], one["state"]) == (code, camera, "seeing")
                for one in httpx.get(f"{city}/api/cameras", trust_env=False, timeout=60).json()
            ),
        )
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            assert (await client.get(page)).status_code == 200
        unplug = next(line.strip() for line in said.splitlines() if line.strip().startswith("kill "))
        again = await asyncio.create_subprocess_shell(
            unplug,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        await again.communicate()
        folders = node_folders(tmp_path)
        await asyncio.to_thread(
            until, "all ten run again", lambda: all(control.is_running(folder) for folder in folders)
        )
        assert len(nodes_running_in(tmp_path)) == len(folders) == 10
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
    assert nodes_running_in(tmp_path) == []
