"""People act on alerts: each step by who may, when they may, with everything they say kept and nothing taken back."""

import hashlib

from zongheng.v1.entry_pb2 import AlertState

from tests.unit.alerting.conftest import Alerted
from tests.unit.people.conftest import House


async def test_a_card_is_explained_urged_rectified_and_closed(alerted: Alerted) -> None:
    card = await alerted.issued()
    named = {
        "name": "现场照片.jpg",
        "sha256": hashlib.sha256(b"photo").hexdigest(),
        "size": 5,
        "media_type": "image/jpeg",
    }
    missing = await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "x", "files": [named]})
    assert (missing.status_code, "uploads" in missing.json()["detail"]) == (404, True)
    uploaded = await alerted.officer.client.post(
        "/api/uploads",
        params={"name": "现场照片.jpg"},
        content=b"photo",
        headers={"X-CSRF-Token": alerted.officer.csrf},
    )
    assert (uploaded.status_code, uploaded.json()) == (201, named)
    file = uploaded.json()
    explained = await alerted.officer.post(
        f"/api/alerts/{card}/explanation",
        {"reason": "系统故障", "text": "机房停电三日，附照片。", "files": [file]},
    )
    assert explained.status_code == 201, explained.text
    life = explained.json()
    assert (life["alert"]["state"], life["owed"]["duty"], life["owed"]["layer"]) == (
        "explained", "review", "bureau",
    )  # fmt: skip
    step = life["steps"][-1]
    assert (step["by"], step["reason"], step["files"], step["words"]) == ("1001", "系统故障", [file], None)
    assert step["text"].startswith("sha256:")
    urged = await alerted.leader.post(f"/api/alerts/{card}/urging", {"reason": "三日内整改"})
    assert urged.json()["owed"]["duty"] == "reply"
    assert (await alerted.officer.post(f"/api/alerts/{card}/rectification", {"reason": "已办结"})).is_success
    closed = await alerted.embedded.post(f"/api/alerts/{card}/closing")
    assert closed.json()["alert"]["state"] == "closed"
    assert closed.json()["owed"] is None
    states = [AlertState.Name(one.state)[12:].lower() for one in await alerted.house.entries("alert_moved")]
    assert states == ["issued", "explained", "urged", "rectified", "closed"]
    # The full text is in the vault and not in the journal; who reads it says why, and that is an entry.
    assert "机房" not in repr(await alerted.house.entries("alert_moved"))
    read = (await alerted.bureau.get(f"/api/alerts/{card}", purpose="复核")).json()
    assert read["steps"][2]["words"] == "机房停电三日，附照片。"
    photo = await alerted.bureau.get(f"/api/alerts/{card}/files/{file['sha256']}", purpose="复核")
    assert (photo.content, photo.headers["content-disposition"][:10]) == (b"photo", "attachment")
    looks = [one for one in await alerted.house.entries("access_noted") if one.kind == 6]
    assert [(one.who, one.subject, one.purpose) for one in looks] == [
        ("b1", f"texts of alert {card}", "复核"), ("b1", f"file {file['sha256']} of alert {card}", "复核"),
    ]  # fmt: skip


async def test_an_appeal_is_decided_by_the_bureau_and_an_officer_decides_nothing(alerted: Alerted) -> None:
    card = await alerted.issued()
    base = f"/api/alerts/{card}"
    assert (await alerted.bureau.post(f"{base}/appeal", {"reason": "x"})).status_code == 403
    assert (await alerted.officer.post(f"{base}/appeal", {})).status_code == 400
    appealed = await alerted.officer.post(f"{base}/appeal", {"reason": "申请人撤回"})
    assert appealed.json()["alert"]["state"] == "appealed"
    ruling = {"verdict": "cancel", "reason": "情况属实"}
    assert (await alerted.officer.post(f"{base}/ruling", ruling)).status_code == 403
    assert (await alerted.leader.post(f"{base}/ruling", ruling)).status_code == 403
    assert (await alerted.bureau.post(f"{base}/escalation", {"reason": "疑难"})).status_code == 400
    assert (await alerted.bureau.post(f"{base}/ruling", {**ruling, "reason": ""})).status_code == 400
    decided = await alerted.bureau.post(f"{base}/ruling", ruling)
    assert (decided.json()["alert"]["state"], decided.json()["steps"][-1]["by"]) == ("cancelled", "b1")
    again = await alerted.bureau.post(f"{base}/ruling", ruling)
    assert (again.status_code, "cancelled" in again.json()["detail"]) == (400, True)


async def test_an_appeal_comes_in_time_or_not_at_all(alerted: Alerted) -> None:
    card = await alerted.issued()
    shown = (await alerted.officer.get(f"/api/alerts/{card}")).json()
    assert shown["appeal_until"] == "2026-03-09T23:59:59.999999+08:00"
    alerted.house.clock.go(days=8)
    await alerted.officer.log_in("1001")
    late = await alerted.officer.post(f"/api/alerts/{card}/appeal", {"reason": "x"})
    assert late.json()["detail"] == "the time for an appeal ended on 2026-03-09"


async def test_another_agencys_alert_is_not_there(alerted: Alerted) -> None:
    card = await alerted.issued()
    stranger = await alerted.house.inside("1009", "officer", agency="MZ")
    assert (await stranger.get(f"/api/alerts/{card}")).status_code == 404
    assert (await stranger.post(f"/api/alerts/{card}/explanation", {"reason": "x"})).status_code == 404
    assert (await stranger.get("/api/inbox")).json()["items"] == []


async def test_what_somebody_found_by_hand_stands_beside_what_rules_find(alerted: Alerted) -> None:
    finding = {"level": "yellow", "case": alerted.case, "reason": "窗口态度恶劣", "text": "群众当面反映。"}
    raised = await alerted.embedded.post("/api/alerts", finding)
    assert raised.status_code == 201, raised.text
    alert = raised.json()["alert"]
    assert (alert["domain"], alert["state"], alert["agency"], alert["rule"]) == (
        "hand", "issued", "ZR", "hand.finding",
    )  # fmt: skip
    assert raised.json()["owed"]["duty"] == "reply"
    twice = await alerted.bureau.post("/api/alerts", finding)
    assert (twice.status_code, alert["alert_id"] in twice.json()["detail"]) == (400, True)
    assert (await alerted.officer.post("/api/alerts", finding)).status_code == 403
    # An event of the case judges it again: what the rules found is corrected, what a person found stands.
    done = {
        "kind": "completion",
        "actor": "1001",
        "at": "2026-02-03T10:00:00+08:00",
        "attributes": {"result": "issued"},
    }
    assert (await alerted.house.owner.post(f"/api/cases/{alerted.case}/events", done)).status_code == 201
    assert (await alerted.card())["state"] == "corrected"
    assert (await alerted.bureau.get(f"/api/alerts/{alert['alert_id']}")).json()["alert"]["state"] == "issued"
    # Once it is settled the same may be raised again, as the next episode.
    await alerted.bureau.post(f"/api/alerts/{alert['alert_id']}/closing")
    again = await alerted.bureau.post("/api/alerts", finding)
    assert again.json()["alert"]["episode"] == 2
    about = await alerted.bureau.post(
        "/api/alerts", {"level": "notice", "agency": "MZ", "reason": "公示栏空置"}
    )
    assert about.json()["alert"]["case"] == "agency/MZ"


async def test_a_late_reply_is_an_alert_about_the_agency_and_stays_one_when_the_reply_comes(
    alerted: Alerted,
) -> None:
    house, card = alerted.house, await alerted.issued()
    await house.node.alerting.look(None)
    assert await alerted.about("life.reply") == []
    # Issued on Monday the 2nd: due on Thursday the 5th.
    house.clock.go(days=4)
    await house.node.alerting.look(None)
    (late,) = await alerted.about("life.reply")
    assert (late["level"], late["agency"], late["case"], late["subject"], late["over"]) == (
        "yellow", "ZR", alerted.case, f"{card}#1", 1,
    )  # fmt: skip
    assert late["due_at"] == "2026-03-05T23:59:59.999999+08:00"
    assert late["state"] == "pending", "a card touches a career: it waits for a person"
    await house.node.alerting.look(None)
    assert len(await alerted.about("life.reply")) == 1
    await alerted.officer.log_in("1001")
    assert (await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "x"})).is_success
    await house.node.alerting.look(None)
    assert [one["state"] for one in await alerted.about("life.reply")] == ["pending"]
    # Nobody reviews: the bureau is late, and the reply that came is late no further.
    house.clock.go(days=20)
    await house.node.alerting.look(None)
    assert {(one["level"], one["agency"]) for one in await alerted.about("life.review")} == {
        ("yellow", ""), ("red", ""),
    }  # fmt: skip
    assert {one["level"] for one in await alerted.about("life.reply")} == {"yellow"}
    # There is no end to lateness about lateness.
    assert all(
        not one["subject"].startswith(late["alert_id"]) for one in await alerted.about("life.confirmation")
    )


async def test_times_say_who_acted_in_time(alerted: Alerted) -> None:
    card = await alerted.issued()
    alerted.house.clock.go(days=7)
    await alerted.officer.log_in("1001")
    await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "x"})
    await alerted.bureau.log_in("b1")
    rows = {
        (row["layer"], row["agency"], row["duty"]): row
        for row in (await alerted.bureau.get("/api/alert-times")).json()["rows"]
    }
    reply = rows["agency", "ZR", "reply"]
    assert (reply["due"], reply["in_time"], reply["late"], reply["open"], reply["median_days"]) == (
        1,
        0,
        1,
        0,
        5,
    )
    confirmation = rows["bureau", "", "confirmation"]
    assert confirmation["in_time"] == 1
    assert rows["bureau", "", "review"]["open"] == 1
    later = (await alerted.bureau.get("/api/alert-times", **{"from": "2027-01-01"})).json()["rows"]
    assert later == []


async def test_everybody_finds_in_the_inbox_what_they_are_told(alerted: Alerted) -> None:
    card = (await alerted.card())["alert_id"]

    async def told(visitor: object) -> set[tuple[str, str]]:
        items = (await visitor.get("/api/inbox")).json()["items"]  # type: ignore[attr-defined]
        return {(one["state"], one["alert"]["level"]) for one in items if one["alert"]["alert_id"] == card}

    # A card that waits is told to who confirms it, and not to whom it would touch.
    assert await told(alerted.bureau) == await told(alerted.embedded) == {("pending", "red")}
    assert await told(alerted.officer) == await told(alerted.leader) == set()
    await alerted.issued()
    assert await told(alerted.officer) == await told(alerted.leader) == {("issued", "red")}
    await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "x"})
    assert ("explained", "red") in await told(alerted.bureau)
    assert ("explained", "red") not in await told(alerted.leader)
    inbox = (await alerted.officer.get("/api/inbox")).json()
    assert inbox["unread"] == len(inbox["items"]) > 0
    assert (
        await alerted.officer.post("/api/inbox", {"index": inbox["items"][0]["index"]})
    ).status_code == 204
    assert (await alerted.officer.get("/api/inbox")).json()["unread"] == 0


async def test_steps_and_the_trail_come_back_from_the_journal(alerted: Alerted) -> None:
    card = await alerted.issued()
    await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "x", "text": "全文"})
    before = (await alerted.house.owner.get(f"/api/alerts/{card}")).json()
    assert (await alerted.house.owner.post("/api/rebuild")).is_success
    assert (await alerted.house.owner.get(f"/api/alerts/{card}")).json() == before


async def test_two_who_decide_at_once_decide_once(house: House, alerted: Alerted) -> None:
    import asyncio

    card = await alerted.issued()
    await alerted.officer.post(f"/api/alerts/{card}/appeal", {"reason": "x"})
    both = await asyncio.gather(
        alerted.bureau.post(f"/api/alerts/{card}/ruling", {"verdict": "cancel", "reason": "a"}),
        alerted.embedded.post(f"/api/alerts/{card}/ruling", {"verdict": "uphold", "reason": "b"}),
    )
    assert sorted(one.status_code for one in both) == [201, 400]
    assert len([one for one in await house.entries("alert_moved") if one.alert_id == card]) == 3
