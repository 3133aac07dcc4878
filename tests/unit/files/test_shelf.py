"""What lies under a digest has it, whatever was interrupted."""

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest

from federation.errors import ZonghengError
from node.files.shelf import Shelf, disk_full


def name_of(content: bytes) -> str:
    return sha256(content).hexdigest()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "files")


def test_a_file_under_way_becomes_one_only_with_its_digest(shelf: Shelf) -> None:
    digest = name_of(b"vouchers")
    assert shelf.extend("part", b"vouch") == 5
    assert not shelf.keep("part", digest)
    assert shelf.part_size("part") == 5
    assert shelf.extend("part", b"ers") == 8
    assert shelf.keep("part", digest)
    assert shelf.has(digest)
    assert shelf.read(digest, 2, 4) == b"uche"
    assert shelf.part_size("part") == 0


def test_an_empty_file_is_a_file(shelf: Shelf) -> None:
    assert shelf.keep("part", name_of(b""))
    assert shelf.read(name_of(b""), 0, 10) == b""


def test_what_is_not_here_is_said_and_dropping_it_changes_nothing(shelf: Shelf) -> None:
    with pytest.raises(ZonghengError) as refused:
        shelf.read(name_of(b"x"), 0, 1)
    assert refused.value.code == "not_found"
    shelf.drop(name_of(b"x"))
    shelf.forget("part")
    assert shelf.used() == 0


def test_a_name_that_is_no_digest_leads_nowhere(shelf: Shelf, tmp_path: Path) -> None:
    """Another node's journal says what it likes."""
    other = tmp_path / "key"
    other.write_text("secret", encoding="utf-8")
    for name in ("", "..", str(other), "../key", "g" * 64):
        assert not shelf.has(name)
        with pytest.raises(ZonghengError) as refused:
            shelf.read(name, 0, 10)
        assert refused.value.code == "not_found"


def test_used_counts_parts_too(shelf: Shelf) -> None:
    shelf.extend("part", bytes(1_000))
    shelf.extend("other", bytes(500))
    shelf.add("other")
    assert shelf.used() == 1_500


def test_a_write_that_the_disk_cuts_short_is_taken_off_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.extend("part", b"whole")
    real = os.write

    def half(descriptor: int, content: bytes) -> int:
        if len(content) > 3:
            return real(descriptor, content[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(ZonghengError) as refused:
        shelf.extend("part", b"halves")
    assert refused.value.code == "disk_full"
    assert shelf.part_size("part") == 5


def test_other_trouble_of_the_disk_is_not_called_full() -> None:
    with pytest.raises(PermissionError), disk_full("no room"):
        raise PermissionError(errno.EACCES, "no")
