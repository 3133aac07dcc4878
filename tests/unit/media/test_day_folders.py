"""What cameras' files take is counted anew where something changed, and nowhere else."""

import os
import time
from pathlib import Path

import pytest

from node.media.day_folders import DayFolders

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
LONG_AGO_NS = 1_000_000_000_000_000_000


@pytest.fixture
def folders(tmp_path: Path) -> DayFolders:
    return DayFolders(tmp_path / "recordings", (".mp4",))


def put(
    folders: DayFolders, camera: str, at_us: int, content: bytes = b"x" * 10, ending: str = ".mp4"
) -> Path:
    path = folders.made(camera, at_us) / f"{at_us}{ending}"
    path.write_bytes(content)
    return path


def settle(folders: DayFolders) -> None:
    """As if nothing had changed for a while."""
    for number, folder in enumerate(folders.path.glob("*/*")):
        os.utime(folder, ns=(LONG_AGO_NS + number, LONG_AGO_NS + number))


def test_a_day_in_which_nothing_changed_is_not_looked_into_again(folders: DayFolders) -> None:
    path = put(folders, "hall", DAY_US)
    settle(folders)
    assert folders.used() == 10
    # Nobody writes to what is whole; here it says that it is not read again.
    path.write_bytes(b"y" * 1_000)
    assert folders.used() == 10
    assert DayFolders(folders.path, (".mp4",)).used() == 1_000


def test_what_comes_goes_and_grows_is_counted(folders: DayFolders) -> None:
    first, other = put(folders, "hall", DAY_US), put(folders, "door", 5 * DAY_US)
    growing = put(folders, "hall", DAY_US + MINUTE_US, ending=".part.mp4")
    settle(folders)
    assert folders.used() == 30
    growing.write_bytes(b"x" * 25)
    assert folders.used() == 45
    growing.rename(growing.with_name(f"{DAY_US + MINUTE_US}-9.mp4"))
    assert folders.used() == 45
    settle(folders)
    first.unlink()
    put(folders, "door", 5 * DAY_US + MINUTE_US)
    assert folders.used() == 45
    other.unlink()
    (folders.path / "door" / "19700106" / f"{5 * DAY_US + MINUTE_US}.mp4").unlink()
    (folders.path / "door" / "19700106").rmdir()
    assert folders.used() == 25


def test_what_changed_just_now_is_counted_again_though_its_folder_shows_the_same_time(
    folders: DayFolders,
) -> None:
    put(folders, "hall", DAY_US)
    folder = folders.path / "hall" / "19700102"
    now_ns = time.time_ns() + 3_600 * 10**9
    os.utime(folder, ns=(now_ns, now_ns))
    assert folders.used() == 10
    put(folders, "hall", DAY_US + MINUTE_US)
    os.utime(folder, ns=(now_ns, now_ns))
    assert folders.used() == 20


def test_the_oldest_of_all_cameras_comes_first(folders: DayFolders) -> None:
    began = [90 * MINUTE_US, 5 * MINUTE_US, 3 * DAY_US, 2 * DAY_US + 7, 100 * MINUTE_US]
    for number, at_us in enumerate(began):
        put(folders, ("hall", "door")[number % 2], at_us)
    (folders.path / "hall" / "19700101" / "notes.txt").write_text("not of a camera")
    (folders.path / "hall.part").write_bytes(b"neither")
    found = list(folders.oldest_first())
    assert [int(path.stem) for _, path in found] == sorted(began)
    assert [camera for camera, _ in found] == ["door", "hall", "hall", "door", "hall"]
    assert folders.cameras() == ["door", "hall"]


def test_with_the_last_file_its_folders_go(folders: DayFolders) -> None:
    one, two = put(folders, "hall", DAY_US), put(folders, "hall", 2 * DAY_US)
    folders.delete(one)
    assert [path.name for path in (folders.path / "hall").iterdir()] == ["19700103"]
    folders.delete(two)
    folders.delete(two)
    assert folders.cameras() == []
    assert folders.used() == 0
