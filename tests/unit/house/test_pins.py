"""Every dependency is pinned by name and version alone, and the build asks for what is pinned."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


@pytest.fixture
def pins(repository: Path) -> dict[str, Version]:
    lines = (repository / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(parts) == 2 for parts in pinned)
    assert len({canonicalize_name(name) for name, _ in pinned}) == len(pinned), "a package is pinned twice"
    return {canonicalize_name(name): Version(version) for name, version in pinned}


@pytest.fixture
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


def asked(project: dict[str, Any]) -> list[Requirement]:
    extras = project["project"]["optional-dependencies"].values()
    lists = [project["build-system"]["requires"], project["project"]["dependencies"], *extras]
    return [Requirement(text) for requirements in lists for text in requirements]


def test_constraints_are_names_and_versions_and_nothing_else(repository: Path) -> None:
    for line in (repository / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), line


def test_every_package_that_the_project_asks_for_is_pinned_to_a_version_it_accepts(
    project: dict[str, Any], pins: dict[str, Version]
) -> None:
    wrong = [
        str(requirement)
        for requirement in asked(project)
        if (pin := pins.get(canonicalize_name(requirement.name))) is None
        or not requirement.specifier.contains(pin, prereleases=True)
    ]
    assert wrong == []


def test_the_build_names_its_own_versions(project: dict[str, Any], pins: dict[str, Version]) -> None:
    for text in project["build-system"]["requires"]:
        requirement = Requirement(text)
        assert str(requirement.specifier) == f"=={pins[canonicalize_name(requirement.name)]}"


def test_what_the_installed_packages_need_in_turn_is_pinned_too(
    project: dict[str, Any], pins: dict[str, Version]
) -> None:
    waiting = [(canonicalize_name(each.name), frozenset(each.extras)) for each in asked(project)]
    seen, unpinned = set[tuple[str, frozenset[str]]](), set[str]()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        if name not in pins:
            unpinned.add(name)
        try:
            needs = [Requirement(text) for text in requires(name) or []]
        except PackageNotFoundError:  # the benchmarks' packages are not installed for the tests
            continue
        for need in needs:
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras | {""}):
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))
    assert unpinned == set()
