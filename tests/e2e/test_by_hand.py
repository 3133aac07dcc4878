"""A village without a business system: cases entered by hand, alerts confirmed, cancelled and corrected, evidence checked offline.

The calendar is China's of April 2024: 4 to 6 April are holidays (清明), Sunday the 7th is worked.
"""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.commands import zongheng
from tests.e2e.tree import Node, Tree, until

CATALOGUE: Final = """
by = "1001"

[[agencies]]
code = "CWH"
name = "村委会"
line = "civil"

[[items]]
code = "V-01"
name = "临时救助初审"
agency = "CWH"
statutory = { days = 5, unit = "working", basis = "社会救助暂行办法" }
promised = { days = 3, unit = "working" }
special_procedures = ["inspection"]

[[items.steps]]
code = "H"
name = "入户核查"
role = "handle"

[[items.steps]]
code = "A"
name = "签字"
role = "approve"
after = ["H"]
"""

CASE_RULE: Final = "approval.time.case"
DUE: Final = "2024-04-09T23:59:59.999999+08:00"
"""Five working days after 1 April: the 2nd, 3rd, 7th, 8th and 9th."""


def _catalogue(folder: Path) -> Path:
    file = folder / "catalogue.toml"
    file.write_text(CATALOGUE, encoding="utf-8")
    return file


@pytest.fixture
def village(tree: Tree) -> Node:
    return tree.add("village", "330101001001", clock="2024-04-01T09:00:00+08:00")


def _alerts(node: Node, case: str, rule: str = CASE_RULE) -> dict[tuple[str, int], Any]:
    """By level and episode."""
    return {(one["level"], one["episode"]): one for one in node.alerts(case=case, rule=rule)}


def test_a_case_by_hand_from_application_to_evidence(village: Node, tmp_path: Path) -> None:
    village.start()
    published = village.run("publish", _catalogue(tmp_path), "--json").ended(0).json
    assert (published["items"], published["agencies"]) == (1, 1)
    opened = village.run(
        "open", "--item", "V-01", "--agency", "CWH", "--actor", "1001", "--applicant", "王小明",
        "--id-number", "110101199003070011", "--set", "channel=window", "--json",
    ).ended(0).json  # fmt: skip
    case = opened["case"]
    assert case.startswith("330101001001-20240401-")
    assert opened["journal_size"] == village.status()["journal"]["size"]
    village.run("move", case, "acceptance", "--actor", "1001").ended(0)
    village.post(f"/api/cases/{case}/events", {"kind": "step", "step": "H", "actor": "1001"})
    assert village.alerts(case=case) == []
    village.stop()

    # Nothing happens for nine days. The clock alone finds it, with nobody there.
    village.start(clock="2024-04-10T10:00:00+08:00")
    until("the clock raises the red card", lambda: ("red", 1) in _alerts(village, case))
    red = _alerts(village, case)["red", 1]
    assert (red["state"], red["over"], red["due_at"], red["item"], red["agency"]) == (
        "pending", 1, DUE, "V-01", "CWH",
    )  # fmt: skip
    assert red["since"] == "2024-04-10T00:00:00+08:00"
    village.run("move", case, "step", "--step", "A", "--actor", "1002").ended(0)
    village.run("move", case, "completion", "--actor", "1002", "--set", "result=issued").ended(0)

    shown = village.run("case", case, "--explain", "--json").ended(0).json
    assert (shown["state"], shown["late"], shown["level"]) == ("completed", True, "red")
    assert [event["kind"] for event in shown["events"]] == [
        "application", "acceptance", "step", "step", "completion",
    ]  # fmt: skip
    applicant = shown["events"][0]["applicant"]
    assert applicant
    assert "王小明" not in str(shown)
    clocks = {clock["clock"]: clock for clock in shown["clocks"]}
    assert (clocks["statutory"]["due_at"], clocks["statutory"]["over"]) == (DUE, 1)
    assert clocks["promised"]["due_at"] == "2024-04-07T23:59:59.999999+08:00"
    days = {day["day"]: day for day in clocks["statutory"]["days"]}
    counted = [day for day, view in days.items() if view["counted"]]
    assert counted[:5] == ["2024-04-02", "2024-04-03", "2024-04-07", "2024-04-08", "2024-04-09"]
    assert [days[day]["counted"] for day in ("2024-04-04", "2024-04-05", "2024-04-06")] == [False] * 3
    assert all(view["reason"] and view["reason_en"] for view in days.values())

    evidence = tmp_path / "evidence"
    words = village.run("case", case, "--explain", "--evidence", evidence).ended(0).out
    assert all(day in words for day in days)
    vkey = village.get(f"/api/cases/{case}/evidence")["verifier"]
    village.stop()

    # Offline: the file and the key are enough.
    proven = zongheng("verify", evidence, "--verifier", vkey, "--json").ended(0).json
    assert proven["verified"] is True
    assert proven["entry"]["noted_at_us"]
    key = evidence.with_name(evidence.name + ".vkey")
    assert key.read_text().strip() == vkey
    assert zongheng("verify", evidence, "--json").ended(0).json["verified"] is True
    key.unlink()
    assert zongheng("verify", evidence, "--json").ended(1).json["verified"] is False
    text = evidence.read_text(encoding="utf-8")
    forged = tmp_path / "forged"
    lines = text.splitlines(keepends=True)
    # One character of one hash or leaf, wherever it lies: in the middle of the longest line.
    at = max(range(len(lines)), key=lambda number: len(lines[number]))
    middle = len(lines[at]) // 2
    lines[at] = lines[at][:middle] + ("A" if lines[at][middle] != "A" else "B") + lines[at][middle + 1 :]
    forged.write_text("".join(lines), encoding="utf-8")
    told = zongheng("verify", forged, "--verifier", vkey, "--json").ended(1).json
    assert told["verified"] is False
    assert village.run("verify").ended(0).out.strip().endswith("verified")


def test_cards_are_confirmed_cancelled_and_corrected_and_the_journal_keeps_it_all(
    tree: Tree, tmp_path: Path
) -> None:
    village = tree.add("village", "330101001001", clock="2024-04-10T10:00:00+08:00").start()
    village.run("publish", _catalogue(tmp_path)).ended(0)

    def accepted(day: str) -> str:
        form = {"item": "V-01", "agency": "CWH", "actor": "1001", "at": f"2024-04-01T{day}"}
        case: str = village.post("/api/cases", form)["case"]
        moved(case, "acceptance", f"2024-04-01T{day}")
        return case

    def moved(case: str, kind: str, at: str, attributes: dict[str, str] | None = None) -> None:
        form = {"kind": kind, "actor": "1001", "at": at, "attributes": attributes or {}}
        village.post(f"/api/cases/{case}/events", form)

    decided, early, paused = accepted("09:00:00"), accepted("09:10:00"), accepted("09:20:00")
    for case in (decided, early, paused):
        assert {level: one["state"] for (level, _), one in _alerts(village, case).items()} == {
            "notice": "issued", "yellow": "pending", "red": "pending",
        }  # fmt: skip

    # A person decides: one card is issued, one cancelled; neither can be decided twice.
    cards = {level: one["alert_id"] for (level, _), one in _alerts(village, decided).items()}
    assert village.run("confirm", cards["red"], "--by", "9001").ended(0).out.strip().endswith("issued")
    village.run("confirm", cards["yellow"], "--by", "9001", "--cancel", "防汛期间").ended(0)
    again = village.run("confirm", cards["yellow"], "--by", "9001").ended(2)
    assert "cancelled" in again.err
    village.run("confirm", "nosuchalert", "--by", "9001").ended(2)
    states = {level: one["state"] for (level, _), one in _alerts(village, decided).items()}
    assert states == {"notice": "issued", "yellow": "cancelled", "red": "issued"}
    moves = [entry.alert_moved for entry in village.entries("alert_moved")]
    assert [(one.alert_id, one.by, one.reason) for one in moves] == [
        (cards["red"], "9001", ""),
        (cards["yellow"], "9001", "防汛期间"),
    ]

    # A completion that was entered late takes the red card away; the promised limit was missed all the same.
    moved(early, "completion", "2024-04-08T16:00:00", {"result": "issued"})
    states = {level: one["state"] for (level, _), one in _alerts(village, early).items()}
    assert (states["red"], states["yellow"]) == ("corrected", "pending")

    # A special procedure entered late stops the clock; once it is over the clock goes on, and the card comes back as a new one.
    basis = {"legal_basis": "行政许可法 §45", "approver": "9001", "granted_days": "10"}
    moved(paused, "pause", "2024-04-02T10:00:00", {"pause": "1", "kind": "inspection", **basis})
    states = {level: one["state"] for (level, _), one in _alerts(village, paused).items()}
    assert (states["red"], states["yellow"]) == ("corrected", "corrected")
    moved(paused, "resume", "2024-04-03T10:00:00", {"pause": "1"})
    assert ("red", 2) not in _alerts(village, paused), "the day of the pause moved the deadline to today"
    village.stop()
    village.start(clock="2024-04-11T08:00:00+08:00")
    until("the finding is back", lambda: ("red", 2) in _alerts(village, paused))
    back = _alerts(village, paused)
    assert (back["red", 1]["state"], back["red", 2]["state"]) == ("corrected", "pending")
    assert back["red", 2]["due_at"] == "2024-04-10T23:59:59.999999+08:00"

    raised = [entry.alert_raised for entry in village.entries("alert_raised")]
    corrected = [entry.alert_corrected for entry in village.entries("alert_corrected")]
    reds = [(one.case_id, one.episode) for one in raised if one.rule == CASE_RULE and one.level == 3]
    assert sorted(reds) == sorted([(decided, 1), (early, 1), (paused, 1), (paused, 2)])
    assert {_alerts(village, early)["red", 1]["alert_id"], back["red", 1]["alert_id"]} <= {
        one.alert_id for one in corrected
    }
    assert all(one.cause == "late event" for one in corrected)

    # All of it is in the journal: dropped and read again, the alerts are the same.
    before = village.alerts()
    village.run("rebuild").ended(0)
    assert village.alerts() == before
