"""What lies in the repository, and what must not."""

import re
from pathlib import Path

TOP = {
    ".ci",
    ".gitignore",
    "LICENSE",
    "Makefile",
    "README.md",
    "README.zh-CN.md",
    "buf.yaml",
    "constraints.txt",
    "deploy",
    "docs",
    "federation",
    "node",
    "proto",
    "pyproject.toml",
    "tests",
    "tiers",
}

GENERATED = re.compile(r"_pb2(_grpc)?\.pyi?$|\.(whl|pyc|db|sqlite3?)$|(^|/)(dist|build|node_modules)/")

# Written so that this file does not hold what it looks for.
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|farm|home/\w+|tmp/bash_jobs\S*|Users/\w+)/")
REGISTRY = re.compile(
    r"(?:pypi|pythonhosted|npmjs|npmmirror|debian)\.(?:org|com|net)|--(?:extra-)?index[-]url|find[-]links"
)


def test_the_top_level_holds_exactly_what_the_house_names(tracked: list[Path]) -> None:
    assert {path.parts[0] for path in tracked} == TOP


def test_nothing_generated_is_tracked(tracked: list[Path]) -> None:
    assert [str(path) for path in tracked if GENERATED.search(path.as_posix())] == []


def test_no_file_names_a_folder_of_one_machine_or_a_registrys_address(
    tracked: list[Path], repository: Path
) -> None:
    found = []
    for path in tracked:
        content = (repository / path).read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), start=1):
            if MACHINE.search(line) or REGISTRY.search(line):
                found.append(f"{path}:{number}: {line.strip()}")
    assert found == []


def test_what_is_generated_is_ignored(repository: Path) -> None:
    ignored = (repository / ".gitignore").read_text(encoding="utf-8").split()
    assert {".venv/", "build/", "dist/", "__pycache__/", "bench-results.json"} <= set(ignored)


def test_scripts_that_are_called_by_name_may_be_executed(repository: Path) -> None:
    assert (repository / ".ci" / "run").stat().st_mode & 0o111
