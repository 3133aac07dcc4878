"""A person is forgotten: nobody knows any more who the handle was, and the journal verifies as before."""

from typing import Any

from tests.unit.people.conftest import House

PUBLISHED: dict[str, Any] = {
    "agencies": [{"code": "MZ", "name": "民政局"}],
    "items": [{"code": "MZ-01", "name": "救助", "agency": "MZ", "version": 1, "statutory": {"days": 5, "unit": "working"}}],
}  # fmt: skip
WANG = {"name": "王小明", "id_number": "110101199003070011"}


async def case_of_wang(house: House) -> tuple[str, str]:
    form = {
        "item": "MZ-01", "agency": "MZ", "actor": "1001", "at": "2026-02-27T09:00:00+08:00", "applicant": WANG["name"],
        "id_number": WANG["id_number"],
    }  # fmt: skip
    case = (await house.owner.post("/api/cases", form)).json()["case"]
    shown = (await house.owner.get(f"/api/cases/{case}")).json()
    return case, shown["events"][0]["applicant"]


async def move(house: House, case: str, kind: str, **attributes: str) -> None:
    form = {"kind": kind, "actor": "1001", "at": "2026-02-27T10:00:00+08:00", "attributes": attributes}
    answer = await house.owner.post(f"/api/cases/{case}/events", form)
    assert answer.status_code == 201, answer.text


async def test_a_person_is_forgotten_and_the_tree_stays_valid(house: House) -> None:
    assert (await house.owner.post("/api/publications", PUBLISHED)).is_success
    case, handle = await case_of_wang(house)
    form = {"handle": handle, "by": "b1", "reason": "本人申请"}
    still_open = await house.owner.post("/api/erasures", form)
    assert (still_open.status_code, case in still_open.json()["detail"]) == (400, True)
    await move(house, case, "acceptance")
    await move(house, case, "completion", result="issued", reason="同意，材料齐全")
    before = (await house.owner.get(f"/api/cases/{case}")).json()
    erased = await house.owner.post(
        "/api/erasures", {**WANG, "by": "b1", "reason": "本人申请", "texts": True}
    )
    assert erased.status_code == 201, erased.text
    assert (erased.json()["handle"], erased.json()["cases"], erased.json()["texts"]) == (handle, 1, 1)
    gone = await house.owner.get(f"/api/persons/{handle}", case=case, purpose="x")
    assert gone.status_code == 404
    after = (await house.owner.get(f"/api/cases/{case}")).json()
    assert (after["events"], after["state"]) == (before["events"], "completed")
    assert (await house.owner.get("/api/verification")).json()["verified"] is True
    (entry,) = await house.entries("person_erased")
    assert (entry.handle, entry.by, entry.reason) == (handle, "b1", "本人申请")
    assert (await house.owner.post("/api/erasures", form)).status_code == 404
    # The same person comes again as somebody new.
    _, again = await case_of_wang(house)
    assert again != handle


async def test_only_the_bureau_forgets(house: House) -> None:
    for role in ("system_administrator", "auditor", "leader"):
        visitor = await house.inside(f"x-{role}", role)
        answer = await visitor.post("/api/erasures", {"handle": "p-x", "reason": "x"})
        assert answer.status_code == 403, role
    bureau = await house.inside("b1", "supervisor")
    assert (await bureau.post("/api/erasures", {"handle": "p-x", "reason": "x"})).status_code == 404
