"""Whether each layer acted in time: who did what the bureau owed, what nobody did, and where it shows."""

from datetime import date
from io import BytesIO
from typing import Any

import openpyxl

from node.reports.made import made
from node.reports.workbook import HEADER_ROW
from node.views.report import report
from tests.unit.alerting.conftest import Alerted


async def rows(alerted: Alerted) -> dict[tuple[str, str, str], dict[str, Any]]:
    answer = (await alerted.house.owner.get("/api/alert-times")).json()
    return {(row["layer"], row["agency"], row["duty"]): row for row in answer["rows"]}


async def test_what_an_embedded_supervisor_did_is_told_apart_from_the_bureaus(alerted: Alerted) -> None:
    card = await alerted.issued()
    assert (await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "x"})).is_success
    # Owed by nobody in particular yet: what nobody did is the bureau's.
    assert (await rows(alerted))["bureau", "", "review"]["open"] == 1
    assert (await alerted.embedded.post(f"/api/alerts/{card}/closing")).is_success
    found = await rows(alerted)
    assert ("bureau", "", "review") not in found
    review = found["embedded", "ZR", "review"]
    assert (review["due"], review["in_time"], review["late"], review["median_days"]) == (1, 1, 0, 0)
    assert found["bureau", "", "confirmation"]["in_time"] == 1
    assert found["agency", "ZR", "reply"]["in_time"] == 1


async def test_a_card_that_nobody_decided_about_was_not_confirmed_by_anybody(alerted: Alerted) -> None:
    await alerted.card()
    alerted.house.clock.go(days=7)
    await alerted.house.node.raising.issue_overdue()
    await alerted.house.node.projector.settled()
    found = await rows(alerted)
    assert ("embedded", "ZR", "confirmation") not in found
    confirmation = found["bureau", "", "confirmation"]
    assert (confirmation["in_time"], confirmation["late"]) == (0, confirmation["due"])


async def test_what_is_late_shows_in_the_status_and_the_score_and_all_of_it_in_the_report(
    alerted: Alerted,
) -> None:
    house = alerted.house
    before = (await house.owner.get("/api/status")).json()["late_steps"]
    assert before == {"agency": 0, "bureau": 0, "parent": 0}
    card = await alerted.issued()
    house.clock.go(days=9)
    await house.node.alerting.late.look()
    assert (await house.owner.get("/api/status")).json()["late_steps"]["agency"] == 1
    for late in await alerted.about("life.reply"):
        if late["state"] == "pending":
            assert (
                await house.owner.post(f"/api/alerts/{late['alert_id']}/decision", {"by": "b1"})
            ).is_success
    scores = (await house.owner.get("/api/scores", kind="agency", period="2026-03", subject="ZR")).json()
    # Yellow and red of one late step are one late step.
    assert scores["scores"][0]["figures"]["late_steps"] == 1

    view = await report(house.node, "month", "2026-03", "")
    acted = {(one.layer, one.agency, one.duty): one for one in view.acted}
    reply = acted["agency", "ZR", "reply"]
    assert (reply.due, reply.in_time, reply.late, reply.open) == (1, 0, 1, 1)
    book = openpyxl.load_workbook(BytesIO(made(view, "xlsx")))
    shown = [list(line)[:8] for line in book["处置时限"].iter_rows(min_row=HEADER_ROW + 1, values_only=True)]
    assert ["责任部门", "990121", "ZR", "说明整改", 1, 0, 1, 1] in shown
    trend = [line[0] for line in book["趋势"].iter_rows(min_row=HEADER_ROW + 1, values_only=True)]
    assert trend[:13] == [*_months(date(2025, 3, 1), 12), "2026-03（未结束）"]
    assert "集中点" in book.sheetnames
    # A later period has none of it.
    assert (await house.owner.get("/api/alert-times", **{"from": "2027-01-01"})).json()["rows"] == []
    assert card


def _months(first: date, count: int) -> list[str]:
    return [
        f"{first.year + (first.month - 1 + at) // 12}-{(first.month - 1 + at) % 12 + 1:02}"
        for at in range(count)
    ]
