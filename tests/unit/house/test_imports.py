"""Arrows run one way, node → federation → tiers, and what computes does no input or output."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("node", "federation", "tiers")

IO = {
    "aiosqlite",
    "asyncio",
    "asyncpg",
    "grpc",
    "httpx",
    "os",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
}
"""Modules that reach outside the process, or wait."""

NAMES_STATUSES = "federation/errors.py"
"""The catalogue of errors names gRPC's statuses; nothing is called there by those who only raise."""

COMPUTES = (
    "node/supervision/calendar.py",
    "node/supervision/clock.py",
    "node/supervision/evaluate.py",
    "federation/journal/merkle.py",
    "federation/files/transfer.py",
    "federation/link/backoff.py",
    "federation/link/descent.py",
    "federation/link/handshake.py",
    "federation/link/relay.py",
    "federation/trunk/backlog.py",
    "federation/trunk/frame.py",
    "federation/trunk/hub.py",
)


def imported(path: Path) -> Iterator[str]:
    """Full names of everything that a module imports, wherever in it the import stands."""
    for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(part, ast.Import):
            yield from (name.name for name in part.names)
        elif isinstance(part, ast.ImportFrom):
            assert part.level == 0, f"{path}: imports name their package in full"
            assert part.module is not None
            yield part.module
            yield from (f"{part.module}.{name.name}" for name in part.names)


def modules(repository: Path, package: str) -> list[Path]:
    return sorted((repository / package).rglob("*.py"))


def file_of(repository: Path, name: str) -> Path | None:
    """The project's file that defines a module of that name."""
    at = repository.joinpath(*name.split("."))
    for file in (at.with_suffix(".py"), at / "__init__.py"):
        if file.is_file():
            return file
    return None


@pytest.mark.parametrize(("package", "never"), [("tiers", {"federation", "node"}), ("federation", {"node"})])
def test_arrows_never_run_back(repository: Path, package: str, never: set[str]) -> None:
    found = [
        f"{path.relative_to(repository)} imports {name}"
        for path in modules(repository, package)
        for name in imported(path)
        if name.split(".")[0] in never
    ]
    assert found == []


def test_the_program_never_imports_its_tests_or_its_build(repository: Path) -> None:
    found = [
        f"{path.relative_to(repository)} imports {name}"
        for package in PACKAGES
        for path in modules(repository, package)
        for name in imported(path)
        if name.split(".")[0] in {"tests", "deploy", "pytest", "hypothesis"}
    ]
    assert found == []


def test_what_passes_between_nodes_knows_no_database_and_no_web(repository: Path) -> None:
    never = {
        "aiosqlite",
        "asyncpg",
        "fastapi",
        "rich",
        "sqlite3",
        "starlette",
        "tortoise",
        "typer",
        "uvicorn",
    }
    found = [
        f"{path.relative_to(repository)} imports {name}"
        for path in modules(repository, "federation")
        for name in imported(path)
        if name.split(".")[0] in never
    ]
    assert found == []


@pytest.mark.parametrize("module", COMPUTES)
def test_what_computes_does_no_input_or_output_nor_does_anything_it_imports(
    repository: Path, module: str
) -> None:
    waiting, seen, found = [repository / module], set[Path](), []
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imported(path):
            if name.split(".")[0] in IO and path != repository / NAMES_STATUSES:
                found.append(f"{path.relative_to(repository)} imports {name}")
            if name.split(".")[0] in PACKAGES and (file := file_of(repository, name)) is not None:
                waiting.append(file)
    assert found == []


def test_a_domain_stands_on_what_all_domains_share_and_on_nothing_that_judges(repository: Path) -> None:
    judges = {f"node.supervision.{name}" for name in ("alert", "evaluate", "explain", "wake")}
    domains = repository / "node" / "supervision" / "domains"
    found = []
    for domain in sorted(path for path in domains.iterdir() if (path / "events.py").is_file()):
        own = f"node.supervision.domains.{domain.name}"
        for path in domain.rglob("*.py"):
            for name in imported(path):
                if name.split(".")[0] not in PACKAGES or name == own or name.startswith(f"{own}."):
                    continue
                shared = name.startswith("node.supervision.") and not name.startswith(
                    "node.supervision.domains."
                )
                if name in judges or not (shared or name.split(".")[0] == "tiers"):
                    found.append(f"{path.relative_to(repository)} imports {name}")
    assert found == []


def test_every_module_opens_with_why_it_exists(repository: Path) -> None:
    bare = [
        str(path.relative_to(repository))
        for package in (*PACKAGES, "deploy", "tests")
        for path in modules(repository, package)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert bare == []


def test_no_module_is_named_after_nothing(repository: Path) -> None:
    empty = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "stuff"}
    found = [
        str(path.relative_to(repository))
        for package in (*PACKAGES, "tests")
        for path in modules(repository, package)
        if set(path.stem.strip("_").split("_")) & empty
    ]
    assert found == []
