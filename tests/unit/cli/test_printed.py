"""What a source sends is shown as it is: it can neither colour, nor replace, nor end what a command prints."""

from typing import Any

import pytest
from rich.table import Table

from node.cli.app import out
from node.cli.ask import _print_trail
from node.cli.cases import _print_case

HOSTILE = ["[/x]", "[bold]X[/bold]", ":smile:", "A[red]1"]


@pytest.mark.parametrize("case", HOSTILE)
def test_a_case_id_is_no_markup_in_a_table(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("case", box=None)
    table.add_row(case)
    out.print(table)
    assert case in capsys.readouterr().out


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\r", "\x08", "\u202e"])
def test_a_case_id_does_not_steer_the_terminal(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("case", box=None)
    table.add_row(f"A{hostile}B")
    out.print(table)
    out.print(f"A{hostile}B")
    shown = capsys.readouterr().out
    assert shown.count("A") == shown.count("B") == 2
    assert not set(shown) & set("\x1b\x07\x9b\r\x08\u202e")


@pytest.mark.parametrize("case", HOSTILE)
def test_a_case_is_shown_with_its_own_name(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    _print_case(answer(case))
    assert capsys.readouterr().out.startswith(case)


def test_instants_and_days_of_an_event_are_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    due = 1_290_726_000_000_000
    _print_case(answer("1", statutory_due_at=due, planned_end_day=14_939, statutory_days=20))
    shown = capsys.readouterr().out
    assert "statutory_due_at=2010-11-26T07:00:00+08:00" in shown
    assert "planned_end_day=2010-11-26" in shown
    assert "statutory_days=20" in shown
    assert "2010-10-01T00:00 (2010-09-30T18:00+02:00)" in shown


def answer(case: str, **attributes: Any) -> dict[str, Any]:
    event = dict(
        index=1, at="2010-10-01T00:00:00+08:00", source_at="2010-09-30T18:00:00+02:00", kind="acceptance", step="",
        agency="A", actor="", post="",
    )  # fmt: skip
    return {
        "case": case,
        "item": "",
        "item_name": "",
        "state": "accepted",
        "as_of": "2010-12-01T00:00:00+08:00",
        "events": [{**event, "attributes": attributes}],
        "clocks": [],
        "alerts": [],
    }


def test_a_trail_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    entry = {
        "noted_at_us": "1795635743782201",
        "case_event": {"kind": "handed_over", "to_node": "990521", "case_id": "c-1"},
    }
    _print_trail([{"index": 86, "kind": "case_event", "entry": entry}], "2026-11-26T03:49:39+08:00")
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "86",
        "2026-11-26",
        "03:42",
        "case_event",
        "handed_over",
        "990521",
    ]
