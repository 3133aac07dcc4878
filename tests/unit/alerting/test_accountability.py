"""Somebody is held to account for alerts, step by step; departments' own alerts are taken in and judged again."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.supervision.accountability import APPEAL_DAYS, FOLLOWS, Done, Kind, check
from node.supervision.alert import MoveRefused
from tests.unit.alerting.conftest import Alerted

DAY = 86_400_000_000


def may(done: list[Done], kind: Kind, by: str = "b1", now_us: int = 0) -> str:
    try:
        check(done, kind, by=by, measure="诫勉", document="〔2026〕1号", reason="x", now_us=now_us)
    except MoveRefused as refused:
        return str(refused)
    return ""


def test_a_review_is_asked_for_within_thirty_days_and_decided_by_somebody_else() -> None:
    done = [Done(Kind.OPENED, 0, "b1"), Done(Kind.DECIDED, 1, "b1"), Done(Kind.DOCUMENT, 2, "b1")]
    assert may(done, Kind.APPEALED, "1001", 2 + APPEAL_DAYS * DAY - 1) == ""
    assert "30 days" in may(done, Kind.APPEALED, "1001", 2 + APPEAL_DAYS * DAY)
    done.append(Done(Kind.APPEALED, 3, "1001"))
    assert "does not decide the review" in may(done, Kind.APPEAL_DECIDED, "b1")
    assert may(done, Kind.APPEAL_DECIDED, "b2") == ""
    with pytest.raises(MoveRefused, match="measure"):
        check(done, Kind.APPEAL_DECIDED, by="b2", measure="", document="", reason="x", now_us=4)


@given(st.lists(st.tuples(st.sampled_from(sorted(Kind)), st.sampled_from(["b1", "b2", "1001"])), max_size=30))
def test_whatever_people_try_a_record_goes_one_way(attempts: list[tuple[Kind, str]]) -> None:
    done = [Done(Kind.OPENED, 0, "b1")]
    for at, (kind, by) in enumerate(attempts, 1):
        if not may(done, kind, by, at):
            done.append(Done(kind, at, by))
    kinds = [one.kind for one in done]
    assert len(set(kinds)) == len(kinds), "no step comes twice"
    assert all(after in FOLLOWS[before] for before, after in itertools.pairwise(kinds))
    if Kind.CIRCULATED in kinds:
        assert Kind.DOCUMENT in kinds


async def test_a_record_rests_on_alerts_and_is_seen_by_their_agency(alerted: Alerted) -> None:
    card = await alerted.issued()
    opening = {"who": "1001", "alerts": [card], "reason": "超期二十日"}
    assert (await alerted.officer.post("/api/accountability", opening)).status_code == 403
    assert (
        await alerted.bureau.post("/api/accountability", {**opening, "alerts": ["nosuch"]})
    ).status_code == 404
    opened = await alerted.bureau.post("/api/accountability", opening)
    assert opened.status_code == 201, opened.text
    record = opened.json()["record"]
    path = f"/api/accountability/{record}/steps"

    async def step(kind: str, **more: str) -> dict[str, Any]:
        answer = await alerted.bureau.post(path, {"kind": kind, **more})
        return {"status": answer.status_code, **answer.json()}

    assert "after opened comes" in (await step("document", document="1"))["detail"]
    assert (await step("decided", measure="诫勉", reason="情节较轻"))["measure"] == "诫勉"
    assert (await step("document", document="霁监〔2026〕1号", text="决定书全文"))["state"] == "document"
    assert (await step("appealed", reason="不服"))["state"] == "appealed"
    refused = await step("appeal_decided", measure="维持", reason="x")
    assert "who decided" in refused["detail"]
    other = await alerted.house.inside("b2", "supervisor")
    ruled = await other.post(path, {"kind": "appeal_decided", "measure": "维持", "reason": "查明"})
    assert ruled.json()["measure"] == "维持"
    assert (await step("circulated"))["state"] == "circulated"
    closed = await step("closed", reason="办结")
    assert [one["kind"] for one in closed["steps"]] == [
        "opened", "decided", "document", "appealed", "appeal_decided", "circulated", "closed",
    ]  # fmt: skip
    assert closed["steps"][2]["text"].startswith("sha256:")
    assert "决定书" not in repr(await alerted.house.entries("accountability_step"))
    (linked,) = (await alerted.embedded.get("/api/accountability", alert=card)).json()
    assert (linked["record"], linked["agency"], linked["who"]) == (record, "ZR", "1001")
    stranger = await alerted.house.inside("e9", "embedded_supervisor", agency="MZ")
    assert (await stranger.get("/api/accountability")).json() == []
    assert (await stranger.get(f"/api/accountability/{record}")).status_code == 404
    assert (await alerted.house.owner.post("/api/rebuild")).is_success
    assert (await alerted.bureau.get(f"/api/accountability/{record}")).json() == {
        name: value for name, value in closed.items() if name != "status"
    }


async def test_departments_own_alerts_are_taken_in_once_and_judged_again(alerted: Alerted) -> None:
    card = await alerted.issued()
    other = {"item": "ZR-01", "agency": "ZR", "actor": "1001", "at": "2026-02-27T09:00:00+08:00"}
    fresh = (await alerted.house.owner.post("/api/cases", other)).json()["case"]

    def issued(serial: str, case: str, level: str, at: str = "2026-03-02T09:00:00+08:00") -> dict[str, str]:
        return {"serial": serial, "case": case, "agency": "ZR", "level": level, "issued_at": at}

    body = {
        "source": "zr-oa",
        "alerts": [
            issued("1", alerted.case, "notice"),
            issued("2", fresh, "red"),
            issued("3", "elsewhere", "yellow"),
            issued("4", fresh, "red", "2026-02-01T09:00:00+08:00"),
        ],
    }
    clerk = await alerted.house.inside("1002", "clerk", agency="ZR")
    taken = await clerk.post("/api/department-alerts", body)
    assert (taken.status_code, taken.json()) == (201, {"taken": 4, "repeated": 0})
    assert (await clerk.post("/api/department-alerts", body)).json() == {"taken": 0, "repeated": 4}
    foreign = await alerted.house.inside("1003", "clerk", agency="MZ")
    assert (await foreign.post("/api/department-alerts", body)).status_code == 404
    ahead = {**body, "alerts": [issued("5", fresh, "red", "2027-01-01")]}
    assert (await clerk.post("/api/department-alerts", ahead)).json()["code"] == "future"
    seen = (await alerted.bureau.get("/api/department-alerts/inspection")).json()
    marks = {(one["mark"], one["serial"], one["case"], one["level"]) for one in seen["alerts"]}
    assert (seen["right"], seen["undetermined"]) == (1, 2)
    assert {("wrong", "2", fresh, "red"), ("undetermined", "3", "elsewhere", "yellow")} <= marks
    assert ("undetermined", "4", fresh, "red") in marks
    # The red card that we issued for the first case has no counterpart there.
    assert ("missing", "", alerted.case, "red") in marks
    assert [one["alert_id"] for one in seen["alerts"] if one["mark"] == "missing"] == [card]
    assert (await alerted.bureau.get("/api/department-alerts/inspection", **{"from": "2026-03-05"})).json()[
        "right"
    ] == 0
