"""What the main process has done for cameras: office hours as instants, and which cameras saw what an alert is about."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from zongheng.v1.camera_pb2 import CAMERA_RECORDED_OFFICE_HOURS
from zongheng.v1.entry_pb2 import ALERT_STATE_ISSUED, AlertRaised, Entry

from node.media.care import AFTER_US, open_spans
from node.media.permission import Hours
from node.media.recording.archive import recordings
from node.media.recording.recorder import Recorder
from node.supervision.calendar import Calendar
from node.wallclock import micros
from tests.unit.media.clip_frames import frames_of
from tests.unit.people.conftest import House

SHANGHAI = ZoneInfo("Asia/Shanghai")
S = 1_000_000


async def register(house: House, code: str, **other: Any) -> None:
    camera = {"code": code, "address": "rtsp://192.0.2.7/main", **other}
    answer = await house.owner.post("/api/cameras", {"camera": camera})
    assert answer.status_code == 201, answer.text


def test_office_hours_are_told_as_instants_of_working_days() -> None:
    hours = Hours(9 * 60, 24 * 60, SHANGHAI, Calendar.china())
    # 2024-04-30 is a Tuesday; 1 to 5 May are the holiday.
    spans = open_spans(hours, micros(datetime(2024, 4, 30, 23, 0, tzinfo=SHANGHAI)), 3)
    assert [(span.from_us, span.to_us) for span in spans] == [
        (
            micros(datetime(2024, 4, 30, 9, 0, tzinfo=SHANGHAI)),
            micros(datetime(2024, 5, 1, 0, 0, tzinfo=SHANGHAI)),
        )
    ]


async def test_the_worker_is_told_what_to_record_and_what_to_cover(house: House) -> None:
    mask = {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}
    recording = {"when": "office_hours", "days": 7, "before_min": 3}
    await register(house, "w3", window="3", masks=[mask], recording=recording)
    (told,) = (await house.node.care.tended()).cameras
    assert told.recording.when == CAMERA_RECORDED_OFFICE_HOURS
    assert (told.recording.days, told.recording.before_min) == (7, 3)
    assert (told.masks[0].left, told.masks[0].height) == (100, 400)
    assert told.open


async def test_the_cameras_of_an_alerts_hall_are_its_witnesses_with_what_they_recorded(
    house: House, clip: Path
) -> None:
    await register(house, "hall", agency="MZ", recording={"when": "always", "before_min": 1})
    await register(house, "yard", agency="ZR")
    since_us = house.clock() - 600 * S
    recorder = Recorder(recordings(house.node.folder, house.node.settings))
    for frame in frames_of(clip, since_us * 1_000)[:101]:
        recorder.take("hall", lambda from_us, to_us: True, frame)
    recorder.stop()
    alert = AlertRaised(
        alert_id="a-1", case_id="c-1", subject="case", domain="hall", rule="window.late", level=2, episode=1,
        since_us=since_us, agency="MZ", state=ALERT_STATE_ISSUED,
    )  # fmt: skip
    await house.node.write_entries([Entry(source="node", serial="a-1", alert_raised=alert)])
    await house.node.projector.settled()
    (witness,) = (await house.owner.get("/api/alerts/a-1/cameras")).json()
    assert (witness["camera"], witness["recorded_s"]) == (f"{house.node.settings.node}/hall", 10)
    assert micros(datetime.fromisoformat(witness["since"])) == since_us - 60 * S
    assert micros(datetime.fromisoformat(witness["until"])) == since_us + AFTER_US
    body = {"camera": witness["camera"], "from": witness["since"], "to": witness["until"], "alert": "a-1"}
    cut = await house.owner.post("/api/clips", body)
    assert cut.status_code == 201, cut.text
    (entry,) = await house.entries("clip_exported")
    assert (entry.alert_id, entry.sha256, entry.viewer.who) == ("a-1", cut.json()["sha256"], "operator")
    assert house.node.shelf.has(entry.sha256)
    assert (await house.owner.post("/api/clips", {**body, "camera": "yard"})).status_code == 404


async def test_a_worker_that_is_started_hears_what_the_alerts_of_the_day_want(house: House) -> None:
    await register(house, "hall", agency="MZ", recording={"when": "on_alert", "before_min": 1})
    await register(house, "yard", agency="MZ", recording={"when": "never"})
    day_us = 86_400 * S
    now_us = house.clock()
    raised = [
        AlertRaised(
            alert_id=name, case_id="c-1", subject="case", domain="hall", rule="window.late", level=2, episode=1,
            since_us=since_us, agency=agency, state=ALERT_STATE_ISSUED,
        )
        for name, since_us, agency in (
            ("a-1", now_us - 60 * S, "MZ"),
            ("a-2", now_us - 2 * day_us, "MZ"),
            ("a-3", now_us - 30 * S, "ZR"),
        )
    ]  # fmt: skip
    await house.node.write_entries(
        [Entry(source="node", serial=alert.alert_id, alert_raised=alert) for alert in raised]
    )
    wanted = await house.node.care.wanted_lately()
    assert [(keep.camera, keep.span.from_us, keep.span.to_us) for keep in wanted] == [
        ("hall", now_us - 120 * S, now_us - 60 * S + AFTER_US)
    ]
