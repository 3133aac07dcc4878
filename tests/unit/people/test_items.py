"""An item on its way into the catalogue over HTTP: who may take which step, what is entered, and what becomes of cases."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.people.conftest import House, Visitor

ITEM: dict[str, Any] = {
    "code": "ZR-01",
    "name": "不动产登记",
    "agency": "ZR",
    "statutory": {"days": 10, "unit": "working", "basis": "不动产登记暂行条例 §20"},
}


@dataclass
class Office:
    """A node with somebody for every step."""

    house: House
    officer: Visitor
    reviewer: Visitor
    bureau: Visitor

    async def step(
        self, who: Visitor, step: str, version: int = 1, *, code: str = "ZR-01", **body: Any
    ) -> Any:
        answer = await who.post(f"/api/items/{code}/{step}", {"version": version, **body})
        return answer.json() if answer.is_success else (answer.status_code, answer.json()["detail"])

    async def draft(self, version: int = 1, **other: Any) -> Any:
        answer = await self.officer.post("/api/items", {"item": {**ITEM, "version": version, **other}})
        return answer.json() if answer.is_success else (answer.status_code, answer.json()["detail"])

    async def published(self, version: int = 1, **other: Any) -> Any:
        await self.draft(version, **other)
        await self.step(self.officer, "listing", version)
        await self.step(self.reviewer, "review", version, verdict="pass")
        return await self.step(self.bureau, "publication", version)

    async def states(self, who: Visitor, **params: Any) -> list[tuple[str, int, str]]:
        lines = (await who.get("/api/items", **params)).json()
        return [(one["item"], one["version"], one["state"]) for one in lines]

    async def opened(self, item: str = "ZR-01") -> Any:
        form = {"item": item, "agency": "ZR", "actor": "1001"}
        return await self.officer.post("/api/cases", form)


@pytest.fixture
async def office(house: House) -> Office:
    agencies = [{"code": "ZR", "name": "自然资源局"}, {"code": "MZ", "name": "民政局"}]
    assert (await house.owner.post("/api/publications", {"agencies": agencies})).status_code == 201
    return Office(
        house,
        await house.inside("1001", "officer", agency="ZR"),
        await house.inside("f1", "legal_reviewer"),
        await house.inside("b1", "supervisor"),
    )


async def test_an_item_is_listed_reviewed_and_published_and_every_step_says_who_when_and_why(
    office: Office,
) -> None:
    await office.draft(statutory={"days": 30, "unit": "working"})
    shown = await office.step(office.officer, "listing")
    (version,) = shown["versions"]
    assert (version["state"], version["reviewed"]) == ("listed", False)
    assert [one["rule"] for one in version["faults"]] == ["approval.listing.limit"]
    # Returned with a reason, written anew, listed again.
    assert (await office.step(office.reviewer, "review", verdict="return"))[0] == 400
    await office.step(office.reviewer, "review", verdict="return", reason="法定时限没有依据")
    assert await office.states(office.officer, state="returned") == [("ZR-01", 1, "returned")]
    await office.draft()
    await office.step(office.officer, "listing")
    await office.step(office.reviewer, "review", verdict="pass")
    (version,) = (await office.step(office.bureau, "publication"))["versions"]
    assert (version["state"], version["reviewed"], version["faults"]) == ("published", True, [])
    assert version["content"]["statutory"]["days"] == 10
    steps = [(one["kind"], one["by"], one["reason"]) for one in version["steps"]]
    assert steps == [
        ("listed", "1001", ""),
        ("returned", "f1", "法定时限没有依据"),
        ("listed", "1001", ""),
        ("passed", "f1", ""),
        ("published", "b1", ""),
    ]
    assert version["steps"][0]["faults"] == ["approval.listing.limit"]
    entered = await office.house.entries("item_step")
    assert [(one.by, one.version) for one in entered] == [(by, 1) for _, by, _ in steps]
    (item,) = await office.house.entries("item_published")
    assert (item.code, item.statutory.amount, item.valid_from_us) == ("ZR-01", 10, office.house.clock())


async def test_a_law_or_a_post_that_the_node_does_not_have_is_a_warning_at_listing_and_review(
    office: Office,
) -> None:
    laws = {"name": "laws", "rows": [{"code": "不动产登记暂行条例"}]}
    assert (await office.house.owner.post("/api/publications", {"libraries": [laws]})).status_code == 201
    await office.draft(legal_basis="没有的法 §1", steps=[{"code": "审查", "post": "ZR-SC"}])
    listed = await office.step(office.officer, "listing")
    passed = await office.step(office.reviewer, "review", verdict="pass")
    for shown in (listed, passed):
        (version,) = shown["versions"]
        assert [one["rule"] for one in version["faults"]] == ["item.law", "item.post"]
        assert version["steps"][0]["faults"] == ["item.law", "item.post"]


async def test_what_is_published_is_what_was_reviewed(office: Office) -> None:
    await office.draft()
    await office.step(office.officer, "listing")
    status, words = await office.draft(name="别的")
    assert (status, "recall it first" in words) == (400, True)
    await office.step(office.reviewer, "review", verdict="pass")
    await office.step(office.bureau, "publication")
    (item,) = await office.house.entries("item_published")
    assert item.name == ITEM["name"]


async def test_each_step_is_its_roles_and_nobody_elses(office: Office) -> None:
    await office.draft()
    for who in (office.reviewer, office.bureau):
        assert (await office.step(who, "listing"))[0] == 403
        assert (await who.post("/api/items", {"item": ITEM})).status_code == 403
    await office.step(office.officer, "listing")
    for who in (office.officer, office.bureau):
        assert (await office.step(who, "review", verdict="pass"))[0] == 403
    await office.step(office.reviewer, "review", verdict="pass")
    for who in (office.officer, office.reviewer):
        assert (await office.step(who, "publication"))[0] == 403
        assert (await office.step(who, "withdrawal", reason="x"))[0] == 403


async def test_who_lists_does_not_review_whatever_door_they_come_through(office: Office) -> None:
    owner = office.house.owner
    assert (await owner.post("/api/items", {"by": "1001", "item": ITEM})).status_code == 201
    await office.step(owner, "listing", by="1001")
    status, words = await office.step(owner, "review", by="1001", verdict="pass")
    assert (status, "who listed it does not review it" in words) == (400, True)
    made = await owner.post(
        "/api/users", {"number": "x", "agency": "ZR", "roles": ["officer", "legal_reviewer"]}
    )
    assert (made.status_code, "two people's" in made.json()["detail"]) == (400, True)


async def test_an_agency_lists_its_own_items_and_sees_no_others_in_work(office: Office) -> None:
    other = await office.house.inside("2001", "officer", agency="MZ")
    await office.draft()
    assert await office.states(other) == []
    assert (await other.get("/api/items/ZR-01")).status_code == 404
    assert (await office.step(other, "listing"))[0] == 404
    # Nor does it take an item over by writing its own name into it.
    taken = await other.post("/api/items", {"item": {**ITEM, "agency": "MZ"}})
    assert taken.status_code == 404
    await office.step(office.officer, "listing")
    await office.step(office.reviewer, "review", verdict="pass")
    await office.step(office.bureau, "publication")
    kiosk = await office.house.inside("k1", "kiosk")
    for who in (other, kiosk):
        assert await office.states(who) == [("ZR-01", 1, "published")]
        assert (await who.get("/api/items/ZR-01")).json()["versions"][0]["steps"] == []


async def test_a_change_rules_from_its_publication_and_a_case_goes_on_by_the_version_it_began_with(
    office: Office,
) -> None:
    await office.published()
    office.house.clock.go(minutes=10)
    before = (await office.opened()).json()["case"]
    office.house.clock.go(minutes=10)
    assert (await office.draft(3))[0] == 400
    shown = await office.published(2, statutory={"days": 5, "unit": "working", "basis": "x"})
    assert [(one["version"], one["state"]) for one in shown["versions"]] == [(2, "published"), (1, "changed")]
    office.house.clock.go(minutes=10)
    after = (await office.opened()).json()["case"]
    for case in (before, after):
        moved = {"kind": "acceptance", "actor": "1001"}
        # The first is accepted as it was filed, before the change.
        moved |= {"at": "2026-03-02T17:11:00+08:00"} if case == before else {}
        answer = await office.officer.post(f"/api/cases/{case}/events", moved)
        assert answer.status_code == 201, answer.text
    limits = []
    for case in (before, after):
        clocks = (await office.bureau.get(f"/api/cases/{case}")).json()["clocks"]
        limits.append(next(one["limit"] for one in clocks if one["clock"] == "statutory"))
    assert limits == [10, 5]


async def test_a_change_does_not_reach_back(office: Office) -> None:
    await office.published()
    await office.draft(2, valid_from="2026-01-01")
    await office.step(office.officer, "listing", 2)
    await office.step(office.reviewer, "review", 2, verdict="pass")
    status, words = await office.step(office.bureau, "publication", 2)
    assert (status, "over cases that began under the version before" in words) == (400, True)
    assert len(await office.house.entries("item_published")) == 1


async def test_a_withdrawn_item_takes_no_new_case_and_the_running_one_goes_on(office: Office) -> None:
    await office.published()
    office.house.clock.go(minutes=1)
    running = (await office.opened()).json()["case"]
    office.house.clock.go(minutes=1)
    assert (await office.step(office.bureau, "withdrawal"))[0] == 400
    shown = await office.step(office.bureau, "withdrawal", reason="国务院决定取消")
    (version,) = shown["versions"]
    assert (version["state"], version["reason"]) == ("withdrawn", "国务院决定取消")
    assert version["withdrawn_at"] == "2026-03-02T17:02:00+08:00"
    office.house.clock.go(minutes=1)
    refused = await office.opened()
    assert (refused.status_code, refused.json()["code"]) == (422, "withdrawn")
    moved = {"kind": "acceptance", "actor": "1001"}
    assert (await office.officer.post(f"/api/cases/{running}/events", moved)).status_code == 201
    case = (await office.bureau.get(f"/api/cases/{running}")).json()
    assert next(one["limit"] for one in case["clocks"] if one["clock"] == "statutory") == 10
    assert (await office.step(office.bureau, "withdrawal", reason="x"))[0] == 400
    # It can be listed again, as a further version.
    shown = await office.published(3)
    assert [(one["version"], one["state"]) for one in shown["versions"]] == [
        (3, "published"),
        (1, "withdrawn"),
    ]
    office.house.clock.go(minutes=1)
    assert (await office.opened()).status_code == 201


async def test_a_draft_is_laid_aside_and_what_was_listed_is_taken_back(office: Office) -> None:
    await office.draft()
    await office.officer.post("/api/items/ZR-01/recall", {"version": 1})
    assert await office.house.entries("item_step") == []
    assert await office.states(office.officer) == []
    await office.draft()
    await office.step(office.officer, "listing")
    await office.step(office.officer, "recall", reason="还要改")
    assert await office.states(office.officer) == [("ZR-01", 1, "recalled")]
    assert (await office.step(office.reviewer, "review", verdict="pass"))[0] == 400
    await office.draft(name="改过的")
    await office.step(office.officer, "listing")
    (version,) = (await office.step(office.reviewer, "review", verdict="pass"))["versions"]
    assert (version["name"], version["state"]) == ("改过的", "passed")


async def test_a_state_secret_is_not_drafted(office: Office) -> None:
    for secret in ({"classified": True}, {"name": "某项【机密】"}):
        assert (await office.draft(**secret))[0] == 422
    assert await office.states(office.officer) == []


async def test_the_steps_are_read_again_from_the_journal(office: Office) -> None:
    before = await office.published()
    await office.house.node.projector.rebuild()
    assert (await office.officer.get("/api/items/ZR-01")).json() == before
