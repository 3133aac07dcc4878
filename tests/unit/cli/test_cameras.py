"""What `zongheng camera` prints and writes of a camera of this node."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from federation.trunk.frame import Codec
from node import config
from node.cli.cameras import camera_app
from node.media.recording.archive import Archive
from node.media.recording.recorder import Recorder
from tests.unit.media import clips

T0 = 1_709_258_400_000_000  # 2024-03-01T10:00:00+08:00


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node that does not run."""
    folder = tmp_path / "node"
    config.initialise(
        folder, tier="county", name="霁川县", division="990121", grpc="127.0.0.1:1", http="127.0.0.1:2",
    )  # fmt: skip
    return folder


def camera(*words: object) -> str:
    """What a command prints."""
    answer = CliRunner().invoke(camera_app, [str(word) for word in words])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.parametrize(("codec", "name"), [(Codec.H264, "clip.mp4"), (Codec.VP8, "clip.webm")])
def test_a_clip_is_named_after_what_it_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: Codec, name: str
) -> None:
    camera("add", folder, "kiosk", "whip:", "--record", "always")
    recorder = Recorder(Archive(folder / "recordings", 10**12, 0))
    for frame in clips.frames(codec, 75):
        taken = replace(frame, captured_ns=T0 * 1_000 + frame.captured_ns)
        recorder.take("kiosk", lambda from_us, to_us: True, taken)
    recorder.stop()
    monkeypatch.chdir(tmp_path)
    since, until = (datetime.fromtimestamp(T0 // 10**6 + each, UTC).isoformat() for each in (0, 2))
    assert camera("clip", folder, "kiosk", "--from", since, "--to", until).startswith(f"{name}: ")
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        name, f"{name}.tlog-proof", f"{name}.tlog-proof.vkey",
    }  # fmt: skip


def test_a_camera_is_shown_in_words(folder: Path) -> None:
    camera(
        "add", folder, "hall", "rtsp://192.0.2.7/main", "--record", "on_alert", "--mask", "0.1,0.2,0.3,0.4",
        "--permit", "role=leader,officer;hours=office", "--permit", "tier=city", "--snapshot-every", 10,
    )  # fmt: skip
    shown = [line.split(maxsplit=1) for line in camera("show", folder, "hall").splitlines()]
    assert [words for key, words in shown if key == "permissions"] == [
        "roles leader officer, office_hours yes",
        "tiers city, office_hours no",
    ]
    told = dict(shown)
    assert told["recording"] == "when on_alert, days 30, before_min 5"
    assert told["snapshots"] == "every_min 10, days 30"
    assert told["masks"] == "left 0.1, top 0.2, width 0.3, height 0.4"
    assert (told["transcode"], told["state"]) == ("no", "unknown")
    assert "sub_address" not in told
