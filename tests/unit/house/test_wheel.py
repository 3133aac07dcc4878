"""What a wheel carries: every file the program reads at run time, the generated code, and nothing of the tests."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PACKAGES = ("node", "federation", "tiers")


@pytest.fixture(scope="module")
def wheel(tracked: list[Path], repository: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built from a copy of the tracked files, so that the working tree's own generated code stays where it is."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in tracked:
        if path.parts[0] != "tests":
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / path, source / path)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return zipfile.ZipFile(built)


def test_every_file_of_the_program_is_in_the_wheel(wheel: zipfile.ZipFile, tracked: list[Path]) -> None:
    packed = set(wheel.namelist())
    ours = {path.as_posix() for path in tracked if path.parts[0] in PACKAGES}
    assert any(name.endswith(".toml") for name in ours)
    assert ours - packed == set()


def test_the_generated_code_is_in_the_wheel(wheel: zipfile.ZipFile, repository: Path) -> None:
    packed = set(wheel.namelist())
    for proto in (repository / "proto").rglob("*.proto"):
        stem = proto.relative_to(repository / "proto").with_suffix("").as_posix()
        assert {f"{stem}_pb2.py", f"{stem}_pb2.pyi", f"{stem}_pb2_grpc.py"} <= packed


def test_nothing_else_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {*PACKAGES, "zongheng"}


def test_the_command_comes_with_the_wheel(wheel: zipfile.ZipFile) -> None:
    (points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert b"zongheng = node.cli.app:main" in wheel.read(points)
