"""An alert about a step says its risk points, its post and who held it then; who held it is told; findings count by risk."""

from datetime import datetime
from typing import Any

import pytest
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import Entry

from node.alerting.telling import Telling
from node.wallclock import micros
from tests.unit.people.conftest import CODE, House, Visitor

RISK = {"level": "high", "risk": "审查走过场", "measure": "双人审查", "post": ""}
PUBLISHED: dict[str, Any] = {
    "agencies": [{"code": "ZR", "name": "自然资源局"}, {"code": "CZ", "name": "财政局"}],
    "officers": [{"number": "1001", "name": "王某", "agency": "ZR"}],
    "posts": [
        {
            "code": "ZR-SC",
            "name": "审查岗",
            "agency": "ZR",
            "holdings": [
                {"officer": "1000", "since": "2024-01-01", "until": "2026-02-10"},
                {"officer": "1001", "since": "2026-02-11"},
            ],
        }
    ],
    "items": [
        {
            "code": "ZR-01",
            "name": "登记",
            "agency": "ZR",
            "statutory": {"days": 60, "unit": "working", "basis": "x"},
            "steps": [
                {"code": "受理", "limit": {"days": 2, "unit": "working"}, "post": "ZR-SC"},
                {
                    "code": "审查",
                    "limit": {"days": 3, "unit": "working"},
                    "post": "ZR-SC",
                    "risks": [RISK, {"level": "low", "risk": "漏项", "post": "ZR-JD"}],
                },
            ],
        },
        {
            "code": "CZ-01",
            "name": "危房改造款",
            "agency": "CZ",
            "domain": "funds",
            "steps": [{"code": "passed_on", "risks": [{"level": "middle", "risk": "滞留资金"}]}],
        },
    ],
}


async def told(owner: Visitor, path: str, form: dict[str, Any]) -> Any:
    answer = await owner.post(path, form)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def late_case(house: House) -> str:
    """A case whose step 审查 was due on 9 February and done on the 13th: late since the 10th, the last day of who held the post before."""
    await told(house.owner, "/api/publications", PUBLISHED)
    form = {"item": "ZR-01", "agency": "ZR", "actor": "1001", "at": "2026-02-02T09:00:00+08:00"}
    case = str((await told(house.owner, "/api/cases", form))["case"])
    for kind, step, at in (
        ("acceptance", "", "2026-02-03T09:00:00+08:00"),
        ("step", "受理", "2026-02-04T09:00:00+08:00"),
        ("step", "审查", "2026-02-13T09:00:00+08:00"),
    ):
        await told(
            house.owner, f"/api/cases/{case}/events", {"kind": kind, "step": step, "actor": "1001", "at": at}
        )
    return case


@pytest.fixture
async def late(house: House) -> str:
    return await late_case(house)


async def issue(house: House, case: str) -> None:
    for one in (await house.owner.get("/api/alerts", case=case)).json()["alerts"]:
        if one["state"] == "pending":
            await house.owner.post(f"/api/alerts/{one['alert_id']}/decision", {"by": "b1"})
    await house.node.projector.settled()


async def card(house: House, case: str) -> str:
    page = (await house.owner.get("/api/alerts", case=case, rule="approval.time.step")).json()
    return str(page["alerts"][0]["alert_id"])


async def test_an_alert_about_a_step_says_its_risks_its_post_and_who_held_it_when_it_began(
    house: House, late: str
) -> None:
    alert = await card(house, late)
    for path in (f"/api/alerts/{alert}/grounds", f"/api/alerts/{alert}"):
        concern = (await house.owner.get(path)).json()["concern"]
        assert (concern["step"], concern["post_name"], concern["holders"]) == ("审查", "审查岗", ["1000"])
        assert [(one["level"], one["post"]) for one in concern["risks"]] == [
            ("high", "ZR-SC"),
            ("low", "ZR-JD"),
        ]
        assert concern["risks"][0]["measure"] == "双人审查"


async def test_a_case_shows_who_held_the_post_of_each_step_on_its_day(house: House, late: str) -> None:
    case = (await house.owner.get(f"/api/cases/{late}")).json()
    assert [(one["step"], one["post"], one["holders"]) for one in case["events"] if one["step"]] == [
        ("受理", "ZR-SC", ["1000"]),
        ("审查", "ZR-SC", ["1001"]),
    ]
    assert case["concerns"][await card(house, late)]["risks"][0]["risk"] == "审查走过场"


async def test_findings_count_by_risk(house: House, late: str) -> None:
    counted = (await house.owner.get("/api/risks")).json()
    found = {(one["item"], one["step"], one["level"]): one["findings"] for one in counted["risks"]}
    assert found[("ZR-01", "审查", "high")] == found[("ZR-01", "审查", "low")] > 0
    assert found[("CZ-01", "passed_on", "middle")] == 0
    # A finding counts once, under the highest risk of its step.
    assert counted["findings"] == {"high": found[("ZR-01", "审查", "high")], "middle": 0, "low": 0}
    assert counted["risks"][0]["holders"] == ["1001"]
    later = (await house.owner.get("/api/risks", **{"from": "2026-03-01"})).json()
    assert later["findings"]["high"] == 0
    assert (await house.owner.get("/api/risks", level="grave")).status_code == 400


async def test_the_funds_domain_says_which_stage_its_rules_are_about(house: House) -> None:
    await told(house.owner, "/api/publications", PUBLISHED)
    events = [
        CaseEvent(
            case_id="F-1",
            domain="funds",
            kind="received",
            item="CZ-01",
            agency="CZ",
            at_us=micros(datetime.fromisoformat("2025-12-01T09:00:00+08:00")),
            attributes=[Attribute(name="amount", integer=100)],
        )
    ]
    await house.node.write_entries([Entry(case_event=event) for event in events])
    page = (await house.owner.get("/api/alerts", case="F-1", rule="funds.time.pass_on")).json()["alerts"]
    assert page
    concern = (await house.owner.get(f"/api/alerts/{page[0]['alert_id']}/grounds")).json()["concern"]
    assert (concern["step"], concern["post"], concern["risks"][0]["risk"]) == ("passed_on", "", "滞留资金")


async def test_who_held_the_post_is_told_also_where_they_work_elsewhere_now(house: House) -> None:
    await house.add("1000", "officer", agency="CZ", email="then@example.org")
    await house.add("1002", "officer", agency="CZ", email="other@example.org")
    telling = Telling(
        house.node.store, house.node.contexts, CODE, "霁川县", "Asia/Shanghai", True, (), house.clock
    )
    people = await house.node.people()
    await house.node.projector.settled()
    await telling.look(people)
    await issue(house, await late_case(house))
    while await telling.look(people):
        pass
    async with house.node.store.read() as session:
        waiting = await session.outbox.due(house.clock() + 1, 100)
    assert {one.recipient for one in waiting} == {"then@example.org"}


async def test_the_inbox_marks_what_is_the_readers_own(house: House, late: str) -> None:
    await issue(house, late)
    own = await house.inside("1000", "officer", agency="ZR")
    other = await house.inside("1003", "officer", agency="ZR")
    mine, theirs = [(await who.get("/api/inbox")).json()["items"] for who in (own, other)]
    assert any(one["yours"] for one in mine)
    assert not any(one["yours"] for one in theirs)
    assert len(mine) == len(theirs)
