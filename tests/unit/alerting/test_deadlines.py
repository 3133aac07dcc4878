"""Deadlines of an alert's steps are policy: published, versioned, in force from then on, tightened here and never loosened."""

from typing import Any

from node.supervision.terms import Terms
from tests.unit.alerting.conftest import Alerted


async def published(alerted: Alerted, **policy: Any) -> Any:
    return await alerted.house.owner.post("/api/publications", {"by": "b1", "policy": policy})


async def owed(alerted: Alerted, card: str) -> dict[str, Any]:
    shown = (await alerted.house.owner.get(f"/api/alerts/{card}")).json()["owed"]
    assert isinstance(shown, dict)
    return shown


async def test_a_step_is_due_by_the_policy_that_was_in_force_when_it_began(alerted: Alerted) -> None:
    card = await alerted.issued()
    before = await owed(alerted, card)
    assert (before["duty"], before["due_at"][:10], before["policy_version"]) == ("reply", "2026-03-05", 1)
    answer = await published(alerted, deadlines={"reply_days": 1, "review_days": 2})
    assert (answer.status_code, answer.json()["policy"]) == (201, 2)
    # Neither sooner nor later than it was: what is owed already is owed as it was.
    assert await owed(alerted, card) == before
    explained = await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "系统故障"})
    review = explained.json()["owed"]
    assert (review["duty"], review["due_at"][:10], review["policy_version"]) == ("review", "2026-03-04", 2)
    urged = await alerted.bureau.post(f"/api/alerts/{card}/urging", {"reason": "再说明"})
    again = urged.json()["owed"]
    assert (again["duty"], again["due_at"][:10], again["policy_version"]) == ("reply", "2026-03-03", 2)


async def test_lateness_follows_the_published_days_and_the_published_thresholds(alerted: Alerted) -> None:
    rules = [{"rule": "life.reply", "yellow": 1, "red": 2}]
    assert (await published(alerted, deadlines={"reply_days": 1}, rules=rules)).status_code == 201
    card = await alerted.issued()
    late = alerted.house.node.alerting.late
    alerted.house.clock.go(days=1)
    assert await late.look() == 0
    # Wednesday the 4th: one working day past Tuesday; Thursday: two, which this policy makes red.
    alerted.house.clock.go(days=1)
    assert await late.look() == 1
    alerted.house.clock.go(days=1)
    assert await late.look() == 1
    found = await alerted.about("life.reply")
    assert [(one["level"], one["due_at"][:10], one["policy_version"]) for one in found] == [
        ("yellow", "2026-03-03", 2), ("red", "2026-03-03", 2),
    ]  # fmt: skip
    assert all(one["subject"] == f"{card}#1" for one in found)
    unknown = await published(alerted, rules=[{"rule": "life.lunch"}])
    assert (unknown.status_code, "life.reply" in unknown.json()["detail"]) == (400, True)


async def test_what_is_mandated_is_tightened_and_not_loosened(alerted: Alerted) -> None:
    house = alerted.house
    mandated = {"policy": {"deadlines": {"reply_days": 2, "appeal_days": 6}}, "subtree": True}
    assert (await house.owner.post("/api/publications", mandated)).status_code == 201
    looser = await published(alerted, deadlines={"reply_days": 3, "appeal_days": 5})
    assert looser.status_code == 400
    for words in ("deadlines.reply_days is 3 working days", "deadlines.appeal_days is 5 working days"):
        assert words in looser.json()["detail"]
    assert (await published(alerted, deadlines={"reply_days": 1, "appeal_days": 7})).status_code == 201
    shown = (await house.owner.get("/api/policy")).json()
    days = {one["step"]: (one["days"], one["own"], one["mandated"]) for one in shown["deadlines"]}
    assert days == {
        "confirm": (3, None, None), "reply": (1, 1, 2), "review": (5, None, None), "appeal": (7, 7, 6),
        "decide": (5, None, None), "escalated": (5, None, None),
    }  # fmt: skip
    card = await alerted.issued()
    assert (await owed(alerted, card))["mandates"] == "990121:1"


async def test_who_is_told_of_a_level_is_policy(alerted: Alerted) -> None:
    async def told(card: str) -> set[str]:
        people = {"officer": alerted.officer, "bureau": alerted.bureau, "leader": alerted.leader}
        found = set()
        for name, one in people.items():
            items = (await one.get("/api/inbox")).json()["items"]
            if any(item["alert"]["alert_id"] == card and item["state"] == "issued" for item in items):
                found.add(name)
        return found

    card = await alerted.issued()
    assert await told(card) == {"officer", "bureau", "leader"}
    nobody_else = [{"level": "red", "roles": ["officer"]}]
    assert (await published(alerted, audiences=nobody_else)).status_code == 201
    assert await told(card) == {"officer"}
    shown = (await alerted.house.owner.get("/api/policy")).json()["audiences"]
    assert {"level": "red", "roles": ["officer"]} in shown
    assert (await published(alerted, audiences=[{"level": "red", "roles": ["mayor"]}])).status_code == 400


async def test_what_a_parent_owes_is_due_by_the_parents_own_policy_of_that_instant(alerted: Alerted) -> None:
    house = alerted.house
    began = house.clock.at_us
    house.clock.go(minutes=5)
    assert (await published(alerted, deadlines={"escalated_days": 2})).status_code == 201
    house.clock.go(minutes=5)
    terms = await house.node.alert_desk.terms()
    assert terms.above(began).escalated_days == Terms().escalated_days == 5
    held = terms.above(house.clock.at_us)
    assert (held.escalated_days, held.policy_version) == (2, 2)
