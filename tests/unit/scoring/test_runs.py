"""Scores of a node with one case left undecided: drafted, published, appealed, and the same again whenever they are computed."""

from typing import Any

from tests.unit.alerting.conftest import Alerted
from tests.unit.people.conftest import CODE, Visitor

RUN = f"{CODE}-jx-agency-2026-02"


async def score(visitor: Visitor, subject: str = "ZR", **more: str) -> dict[str, Any]:
    asked = {"kind": "agency", "period": "2026-02", "subject": subject, **more}
    answer = await visitor.get("/api/scores", **asked)
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["scores"]
    assert isinstance(one, dict)
    return one


async def test_a_red_card_costs_ten_once_it_is_issued_and_names_its_case(alerted: Alerted) -> None:
    # Two notices, in two items, are no row; a card that waits for a person is no card yet.
    before = await score(alerted.bureau)
    assert (before["total"], before["sample"], before["rank"], before["lines"]) == (100, 1, None, [])
    card = await alerted.issued()
    after = await score(alerted.bureau)
    assert (after["total"], after["parts"]["time_limits"]) == (90, 4)
    (line,) = after["lines"]
    assert (line["item"], line["why"], line["points"]) == ("time_limits", "red", -10)
    assert (line["alerts"], line["cases"]) == ([card], [alerted.case])
    assert after["figures"]["reds"] == 1
    nothing = await score(alerted.bureau, "MZ")
    assert (nothing["total"], nothing["sample"]) == (None, 0)


async def test_an_appealed_card_gives_its_points_back_and_an_upheld_one_takes_them_again(
    alerted: Alerted,
) -> None:
    card = await alerted.issued()
    appealed = await alerted.officer.post(f"/api/alerts/{card}/appeal", {"reason": "系统停机"})
    assert appealed.is_success, appealed.text
    back = await score(alerted.bureau)
    assert (back["total"], back["lines"]) == (100, [])
    (trace,) = [one for one in back["returned"] if one["alert"] == card]
    assert (trace["state"], trace["reason"], trace["item"]) == ("appealed", "系统停机", "time_limits")
    ruled = await alerted.bureau.post(
        f"/api/alerts/{card}/ruling", {"verdict": "uphold", "reason": "查无停机"}
    )
    assert ruled.is_success, ruled.text
    assert (await score(alerted.bureau))["total"] == 90


async def test_a_published_score_stays_and_what_changed_is_a_further_draft(alerted: Alerted) -> None:
    bureau, house = alerted.bureau, alerted.house
    reviewer = await house.inside("b2", "supervisor")
    early = await bureau.post("/api/scores/drafts", {"kind": "agency", "period": "2026-03"})
    assert "is not over" in early.json()["detail"]
    card = await alerted.issued()
    drafted = await bureau.post("/api/scores/drafts", {"kind": "agency", "period": "2026-02"})
    assert drafted.status_code == 201, drafted.text
    path = f"/api/scores/runs/{RUN}"
    assert "who drafted" in (await bureau.post(f"{path}/review")).json()["detail"]
    assert (await alerted.leader.post(f"{path}/publication")).status_code == 400
    assert (await reviewer.post(f"{path}/review")).status_code == 201
    assert (await reviewer.post(f"{path}/publication")).status_code == 403
    published = (await alerted.leader.post(f"{path}/publication")).json()
    assert (published["state"], published["revision"], published["equal"]) == ("published", 1, True)
    (frozen,) = [one for one in published["frozen"] if one["subject"] == "ZR"]
    assert (frozen["total"], frozen["recomputed"], frozen["now"]) == (90, 90, 90)

    appeal = {"subject": "ZR", "item": "time_limits", "reason": "停电"}
    assert (await alerted.officer.post(f"{path}/appeals", {**appeal, "subject": "MZ"})).status_code == 404
    assert (await alerted.officer.post(f"{path}/appeals", appeal)).status_code == 201
    granted = await reviewer.post(f"{path}/rulings", {**appeal, "points": 4, "reason": "属实"})
    assert granted.status_code == 201, granted.text
    mark = {
        "kind": "agency", "period": "2026-02", "subject": "ZR", "indicator": "attitude_by_hand", "points": -2.5,
        "reason": "明察暗访",
    }  # fmt: skip
    assert (
        "takes -10 to 0" in (await bureau.post("/api/scores/marks", {**mark, "points": 3})).json()["detail"]
    )
    assert (await bureau.post("/api/scores/marks", mark)).status_code == 201
    cancelled = await alerted.officer.post(f"/api/alerts/{card}/appeal", {"reason": "停电"})
    assert cancelled.is_success, cancelled.text

    # 90 as published. Now: the card is appealed (+10), the item is full again (the 4 find no room), 2.5 by hand.
    after = (await bureau.get(path)).json()
    (frozen,) = [one for one in after["frozen"] if one["subject"] == "ZR"]
    assert (frozen["total"], frozen["recomputed"], frozen["now"], after["equal"]) == (90, 90, 97.5, True)
    again = (await bureau.post("/api/scores/drafts", {"kind": "agency", "period": "2026-02"})).json()
    assert (again["state"], again["revision"], again["equal"]) == ("drafted", 2, True)
    (frozen,) = [one for one in again["frozen"] if one["subject"] == "ZR"]
    assert frozen["total"] == 97.5
    assert (await house.owner.post("/api/rebuild")).is_success
    assert (await bureau.get(path)).json() == again


async def test_an_agency_sees_its_own_scores_alone(alerted: Alerted) -> None:
    answer = await alerted.officer.get("/api/scores", kind="agency", period="2026-02")
    assert [one["subject"] for one in answer.json()["scores"]] == ["ZR"]
    assert (
        await alerted.officer.post("/api/scores/drafts", {"kind": "agency", "period": "2026-02"})
    ).status_code == 403


async def test_half_years_are_the_mean_of_the_months_in_which_something_was(alerted: Alerted) -> None:
    await alerted.issued()
    half = await score(alerted.bureau, period="2026-H1")
    totals = {one["month"]: one["total"] for one in half["months"]}
    assert totals["2026-01"] is None
    there = [total for total in totals.values() if total is not None]
    assert totals["2026-02"] == 90
    assert half["total"] == round(sum(there) / len(there), 2)
    for month, total in totals.items():
        assert (await score(alerted.bureau, period=month))["total"] == total
    for kind, subject in (("officer", "1001"), ("node", CODE)):
        answer = await alerted.bureau.get("/api/scores", kind=kind, period="2026-02")
        assert [one["subject"] for one in answer.json()["scores"]] == [subject]


async def test_a_sheet_of_ones_own_is_versioned_and_scored_by(alerted: Alerted) -> None:
    await alerted.issued()
    sheet: dict[str, Any] = {
        "name": "agency",
        "items": [{"code": "all", "name_zh": "全部", "points": 50, "rules": ["*"]}],
        "indicators": [
            {"code": "busy", "name_zh": "办件", "formula": "received / 2", "low": 0, "high": 3},
        ],
        "red_points": 20,
        "minimum_sample": 1,
    }
    published = await alerted.bureau.post("/api/publications", {"sheets": [sheet]})
    assert (published.status_code, published.json()["sheets"]) == (201, 1)
    assert (await alerted.bureau.post("/api/publications", {"sheets": [sheet]})).json()["unchanged"] == 1
    one = await score(alerted.bureau)
    assert (one["total"], one["rank"], one["parts"]) == (30.5, 1, {"all": 30})
    held = (await alerted.bureau.get("/api/scores/sheet", kind="agency")).json()
    assert (held["name"], held["version"], held["red_points"]) == ("agency", 1, 20)
    sheet["indicators"][0]["formula"] = "received / tomorrow"
    refused = await alerted.bureau.post("/api/publications", {"sheets": [sheet]})
    assert refused.status_code == 400
    assert "tomorrow" in refused.json()["detail"]
