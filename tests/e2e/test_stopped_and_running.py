"""The same commands on a stopped node and on a running one; one owner at a time; exit codes that scripts can rely on."""

import re
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from node import control
from tests.e2e.commands import Ran, zongheng
from tests.e2e.tree import Node, Tree, caught_up

MAPPING: Final = """
source = "permits"
zone = "Asia/Shanghai"

[case]
id = "case"

[event]
activity = "activity"
time = "time"
agency = "=A01"
item = "=X-01"
actor = "who"

[[events]]
is = "received"
kind = "application"

[[events]]
is = "accepted"
kind = "acceptance"
attributes = { statutory_due = "due" }

[[events]]
is = "done"
kind = "completion"

[[items]]
code = "X-01"
name = "示例许可"
"""

ROWS: Final = """case,activity,time,who,due
P1,received,2024-03-05 09:12,1001,
P1,accepted,2024-03-06 10:00,1001,2024-03-18
P1,done,2024-03-20 16:30,1002,
P2,received,2024-03-05 09:30,1001,
P2,accepted,2024-03-06 11:00,1001,2024-04-18
P2,done,2024-03-21 16:30,1002,
P3,received,2024-03-07 09:30,1001,
"""

CODE: Final = "330101"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "map.toml").write_text(MAPPING, encoding="utf-8")
    (folder / "rows.csv").write_text(ROWS, encoding="utf-8")
    (folder / "bad.csv").write_text(
        "case,activity,time,who,due\nQ1,received,2024-03-05 09:12,1001,\nQ1,accepted,yesterday,1001,\nQ1,flown,2024-03-06,1,\n",
        encoding="utf-8",
    )
    (folder / "column.toml").write_text(MAPPING.replace('"who"', '"officer"'), encoding="utf-8")
    (folder / "garbage.toml").write_text("= = not [toml", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def node(shared_tree: Tree, files: Path) -> Node:
    """A county without a parent, that begins stopped."""
    node = shared_tree.add("county", CODE)
    told = node.run("import", files / "rows.csv", "--mapping", files / "map.toml", "--json").ended(0).json
    assert (told["outcome"], told["accepted"], told["cases"]) == ("imported", 7, 3)
    return node


def _steady(answer: Any) -> Any:
    """Without what says when and where it was asked."""
    drop = {
        "running",
        "now",
        "pid",
        "rss_mb",
        "start_s",
        "ms",
        "as_of",
        "coverage",
        "complete",
        "state_since",
    }
    if isinstance(answer, dict):
        return {name: _steady(value) for name, value in answer.items() if name not in drop}
    if isinstance(answer, list):
        return [_steady(value) for value in answer]
    return answer


READS: Final[tuple[tuple[tuple[object, ...], int], ...]] = (
    (("status", "--json"), 0),
    (("evaluate", "--as-of", "2024-04-01", "--json"), 0),
    (("case", "P1", "--explain", "--as-of", "2024-04-01", "--json"), 0),
    (("rollup", "--json"), 0),
    (("verify", "--json"), 0),
)


def _answers(node: Node) -> dict[str, Any]:
    answers = {str(words[0]): _steady(node.run(*words).ended(code).json) for words, code in READS}  # type: ignore[arg-type]
    answers["alerts"] = node.run("alerts", "--json").ended(0).lines
    return answers


def test_every_command_says_the_same_of_a_stopped_node_and_of_a_running_one(node: Node, files: Path) -> None:
    stopped = _answers(node)
    asked_stopped = node.run("ask", ".", "alerts", "--json")
    rebuilt = node.run("rebuild", "--json").ended(0).json
    node.start()
    assert _answers(node) == stopped
    asked = node.run("ask", ".", "alerts", "--json").ended(0).json
    assert node.post("/api/rebuild", {}) == rebuilt
    assert node.alerts() == stopped["alerts"]
    assert stopped["alerts"], "there is something to compare"
    assert stopped["evaluate"]["late_cases"] == ["P1"]

    # A stopped node answers from its own store, says so, and the rows are the same.
    alone = asked_stopped.json
    assert _steady(alone["nodes"]) == _steady(asked["nodes"])
    assert asked["complete"] is True


def test_a_stopped_node_with_children_answers_in_part(tree: Tree) -> None:
    town, village = tree.line(("town", "330101001"), ("village", "330101001001"))
    town.start()
    village.start()
    caught_up(village, town)
    village.stop()
    town.stop()
    answer = town.run("ask", ".", "cases", "--json").ended(1).json
    assert answer["complete"] is False
    assert (answer["coverage"]["expected"], answer["coverage"]["answered"]) == (2, 1)
    assert village.code in answer["coverage"]["stale"] + answer["coverage"]["unreachable"]


def test_one_process_owns_a_folder(node: Node, files: Path) -> None:
    if not node.running:
        node.start()
    second = zongheng("run", node.folder).ended(1)
    assert "in use by another process" in second.err
    assert len(second.err.strip().splitlines()) == 1
    assert node.status()["running"] is True
    node.stop()
    # A command that holds the stopped node's lock refuses a second node just so.
    with control.FolderLock(node.folder):
        refused = node.run("status", "--json").ended(1)
    assert "in use by another process" in refused.err


def _one_line(ran: Ran, code: int, *words: str) -> None:
    ran.ended(code)
    told = ran.err.strip()
    assert "Traceback" not in told, str(ran)
    assert all(re.search(word, told) for word in words), str(ran)


def test_exit_codes(node: Node, files: Path, tmp_path: Path) -> None:
    ports = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
    named = ("--name", "县", "--division", CODE)
    runs: dict[str, Ran] = {}

    def run(name: str, *words: object) -> None:
        runs[name] = zongheng(*words)

    # Two at once: they have nothing to do with each other.
    commands: dict[str, tuple[object, ...]] = {
        "tier": ("init", tmp_path / "tier", "--tier", "hamlet", *named, *ports),
        "again": ("init", node.folder, "--tier", "county", *named, *ports),
        "toml": ("publish", node.folder, files / "garbage.toml"),
        "missing": ("status", tmp_path / "nowhere", "--json"),
        "run missing": ("run", tmp_path / "nowhere"),
        "as-of": ("evaluate", node.folder, "--as-of", "yesterday", "--json"),
    }
    held = {"toml", "as-of"}
    free = [name for name in commands if name not in held]
    threads = [threading.Thread(target=run, args=(name, *commands[name])) for name in free]
    for first, second in zip(threads[::2], threads[1::2], strict=True):
        first.start()
        second.start()
        first.join()
        second.join()
    for name in held:
        run(name, *commands[name])
    _one_line(runs["tier"], 2, "hamlet")
    assert not (tmp_path / "tier" / "node.toml").exists()
    _one_line(runs["again"], 2, "already holds a node")
    _one_line(runs["toml"], 2, "garbage.toml")
    _one_line(runs["missing"], 2, "holds no node")
    _one_line(runs["run missing"], 2, "does not exist")
    _one_line(runs["as-of"], 2, "yesterday")


def test_an_import_says_by_its_exit_code_what_came_of_it(node: Node, files: Path) -> None:
    node.start()
    size = node.status()["journal"]["size"]
    rows, mapping = files / "rows.csv", files / "map.toml"
    again = node.run("import", rows, "--mapping", mapping, "--json").ended(1).json
    assert again["outcome"] == "already_imported"
    column = node.run("import", rows, "--mapping", files / "column.toml", "--json")
    _one_line(column, 1, "officer")
    garbage = node.run("import", rows, "--mapping", files / "garbage.toml", "--json")
    _one_line(garbage, 1, "garbage.toml")
    assert node.status()["journal"]["size"] == size, "nothing of these was written"
    bad = node.run("import", files / "bad.csv", "--mapping", mapping, "--json").ended(1).json
    assert (bad["accepted"], bad["rejected"]) == (1, 2)
    assert sorted(one["row"] for one in bad["rejections"]) == [3, 4]
    assert {one["code"] for one in bad["rejections"]} == set(bad["rejected_by_code"])
    rejected = node.entries("rejected")
    assert len(rejected) == 2, "what was rejected is in the journal too"
