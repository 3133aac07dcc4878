"""The shell scripts behind the Makefile: a Python that is too old, a contract that was broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def script(path: Path, *lines: str) -> None:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")), encoding="utf-8")
    path.chmod(0o755)


def run(
    *command: str | Path, path: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHON", "GIT_DIR"}}
    if path is not None:
        env["PATH"] = path
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH with the shell's own tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "echo", "env"):
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    return folder


def test_a_python_that_is_too_old_is_refused_with_what_to_do(
    repository: Path, bare_path: Path, tmp_path: Path
) -> None:
    script(bare_path / "python3", '[ "$1" = --version ] && echo "Python 3.9.2" && exit 0', "exit 1")
    told = run("sh", repository / "deploy" / "venv.sh", tmp_path / "venv", path=str(bare_path))
    assert told.returncode == 1
    assert "needs Python 3.11 or newer; this machine has Python 3.9.2" in told.stderr
    assert not (tmp_path / "venv").exists()


def test_no_python_at_all_is_told_too(repository: Path, bare_path: Path, tmp_path: Path) -> None:
    told = run("sh", repository / "deploy" / "venv.sh", tmp_path / "venv", path=str(bare_path))
    assert told.returncode == 1
    assert "this machine has no python3 at all" in told.stderr


def test_a_newer_python_beside_an_old_one_is_found(repository: Path, bare_path: Path, tmp_path: Path) -> None:
    script(bare_path / "python3", '[ "$1" = --version ] && echo "Python 3.9.2" && exit 0', "exit 1")
    script(
        bare_path / "python3.12",
        f'echo "$@" >>{tmp_path}/called',
        '[ "$1" != --version ] || echo "Python 3.12.1"',
    )
    told = run("sh", repository / "deploy" / "venv.sh", tmp_path / "venv", path=str(bare_path))
    assert told.returncode == 0, told.stderr
    assert f"-m venv --clear {tmp_path}/venv" in (tmp_path / "called").read_text(encoding="utf-8")


def test_a_python_without_venv_is_told_which_package_to_install(
    repository: Path, bare_path: Path, tmp_path: Path
) -> None:
    script(bare_path / "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    told = run("sh", repository / "deploy" / "venv.sh", tmp_path / "venv", path=str(bare_path))
    assert told.returncode == 1
    assert "python3-venv" in told.stderr


def test_an_environment_that_works_stays(repository: Path, bare_path: Path, tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    script(tmp_path / "venv" / "bin" / "python", f'exec {sys.executable} "$@"')
    told = run("sh", repository / "deploy" / "venv.sh", tmp_path / "venv", path=str(bare_path))
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


PROTO = """syntax = "proto3";

package zongheng.v1;

message Case {{
{fields}
}}
"""


class Contract:
    """A small repository with a wire contract of its own."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder = folder
        self.repository = repository
        (folder / "proto" / "zongheng" / "v1").mkdir(parents=True)
        shutil.copy(repository / "buf.yaml", folder)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> None:
        told = run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments, cwd=self.folder)
        assert told.returncode == 0, told.stderr

    def write(self, *fields: str) -> None:
        file = self.folder / "proto" / "zongheng" / "v1" / "case.proto"
        file.write_text(PROTO.format(fields="\n".join(f"  {field};" for field in fields)), encoding="utf-8")

    def commit(self, *fields: str) -> None:
        self.write(*fields)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "contract")

    def check(self) -> subprocess.CompletedProcess[str]:
        buf = Path(sys.executable).parent / "buf"
        return run("sh", self.repository / ".ci" / "breaking", buf, cwd=self.folder)


@pytest.fixture
def contract(tmp_path: Path, repository: Path) -> Contract:
    return Contract(tmp_path, repository)


def test_a_first_contract_breaks_nothing(contract: Contract) -> None:
    contract.commit("string id = 1")
    told = contract.check()
    assert (told.returncode, "no wire contract to break" in told.stdout) == (0, True)


def test_a_field_more_is_accepted_and_a_field_renumbered_is_refused(contract: Contract) -> None:
    contract.commit("string id = 1")
    contract.commit("string id = 1", "string item = 2")
    assert contract.check().returncode == 0
    contract.commit("string id = 1", "string item = 3")
    told = contract.check()
    assert told.returncode != 0
    assert "item" in told.stdout + told.stderr


def test_a_change_not_yet_committed_is_held_against_the_last_commit(contract: Contract) -> None:
    contract.commit("string id = 1")
    contract.write("int64 id = 1")
    assert contract.check().returncode != 0


def test_a_branch_is_held_against_where_it_left_main(contract: Contract) -> None:
    contract.commit("string id = 1")
    contract.git("switch", "-q", "-c", "change")
    contract.commit("int64 id = 1")
    contract.commit("int64 id = 1", "string item = 2")
    assert contract.check().returncode != 0


def test_main_is_held_against_its_newest_release(contract: Contract) -> None:
    contract.commit("string id = 1")
    contract.git("tag", "v1")
    contract.commit("int64 id = 1")
    contract.commit("int64 id = 1", "string item = 2")
    assert contract.check().returncode != 0
