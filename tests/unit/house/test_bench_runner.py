"""The benchmarks' runner: what it runs, what it writes, and how it ends."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FAST = """
from measure import Measured, Workspace, benchmark

@benchmark("part.fast", unit="events/s", aim=100, better="higher")
def fast(workspace: Workspace) -> Measured:
    assert list(workspace.folder.iterdir()) == []
    (workspace.folder / "left").touch()
    return Measured(200.0, beside="a peer", beside_value=50.0)

@benchmark("part.alone", unit="s", better="lower")
async def alone(workspace: Workspace) -> Measured:
    assert list(workspace.folder.iterdir()) == []
    return Measured(0.25)
"""

BROKEN = """
from measure import Measured, Workspace, benchmark

@benchmark("part.broken", unit="s", better="lower")
def broken(workspace: Workspace) -> Measured:
    raise RuntimeError("the peer is not there")

@benchmark("part.nothing", unit="s", better="lower")
def nothing(workspace: Workspace) -> Measured:
    return Measured(0.0)
"""


class Bench:
    """A repository that has nothing but benchmarks."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder = folder
        self.benches = folder / "tests" / "bench"
        self.benches.mkdir(parents=True)
        for name in ("run.py", "measure.py"):
            shutil.copy(repository / "tests" / "bench" / name, self.benches)

    def add(self, name: str, text: str) -> None:
        (self.benches / name).write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(self.benches / "run.py"), *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def results(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(
            (self.folder / "bench-results.json").read_text(encoding="utf-8")
        )
        return rows


@pytest.fixture
def bench(tmp_path: Path, repository: Path) -> Bench:
    return Bench(tmp_path, repository)


def test_every_benchmark_found_is_run_and_written_with_its_ratio_to_the_peer(bench: Bench) -> None:
    bench.add("bench_part.py", FAST)
    told = bench.run()
    assert told.returncode == 0, told.stderr
    assert bench.results() == [
        {
            "name": "part.alone",
            "value": 0.25,
            "unit": "s",
            "aim": None,
            "beside": None,
            "beside_value": None,
            "ratio": None,
        },
        {
            "name": "part.fast",
            "value": 200.0,
            "unit": "events/s",
            "aim": 100,
            "beside": "a peer",
            "beside_value": 50.0,
            "ratio": 4.0,
        },
    ]
    assert "part.fast" in told.stdout


def test_a_benchmarks_folder_is_gone_afterwards(bench: Bench) -> None:
    bench.add("bench_part.py", FAST)
    bench.run()
    assert list((bench.folder / "build").iterdir()) == []


def test_only_those_asked_for_are_run(bench: Bench) -> None:
    bench.add("bench_broken.py", BROKEN)
    bench.add("bench_part.py", FAST)
    told = bench.run("--only", "part.alone, part.fast")
    assert told.returncode == 0, told.stderr
    assert [row["name"] for row in bench.results()] == ["part.alone", "part.fast"]


def test_a_name_that_nobody_has_is_wrong_use_and_runs_nothing(bench: Bench) -> None:
    bench.add("bench_part.py", FAST)
    told = bench.run("--only", "part.fast,part.slow")
    assert told.returncode == 2
    assert "no benchmark part.slow" in told.stdout
    assert "part.alone, part.fast" in told.stdout
    assert not (bench.folder / "bench-results.json").exists()


def test_a_benchmark_that_fails_is_named_and_the_others_still_count(bench: Bench) -> None:
    bench.add("bench_broken.py", BROKEN)
    bench.add("bench_part.py", FAST)
    told = bench.run()
    assert told.returncode == 1
    assert "failed: part.broken, part.nothing" in told.stdout
    assert "the peer is not there" in told.stderr
    assert "0.0 is not a measurement" in told.stderr
    assert [row["name"] for row in bench.results()] == ["part.alone", "part.fast"]


def test_two_benchmarks_of_one_name_are_refused(bench: Bench) -> None:
    bench.add("bench_one.py", FAST)
    bench.add("bench_two.py", FAST)
    told = bench.run()
    assert told.returncode != 0
    assert "two benchmarks are called part.fast" in told.stderr
