"""Under whose number something happens in a case: one's own; a business system's token and the folder's owner say whose."""

from typing import Any

import pytest

from federation.errors import ZonghengError
from node.people.caller import OPERATOR, person
from node.people.roles import Act, Role
from tests.unit.people.conftest import House

FORM: dict[str, Any] = {"item": "ZR-01", "agency": "ZR"}


def test_who_is_logged_in_acts_as_themselves_and_a_program_says_who_did() -> None:
    clerk = person("1001", [Role.CLERK], "ZR", "", None, "")
    program = person("1001", [Role.CLERK], "ZR", "", [Act.ENTER_CASES], "", by_token=True)
    assert [clerk.acting(given) for given in ("", "1001")] == ["1001", "1001"]
    with pytest.raises(ZonghengError, match="you act as 1001, not as 2002"):
        clerk.acting("2002")
    assert [program.acting(given) for given in ("", "2002")] == ["1001", "2002"]
    assert OPERATOR.acting("2002") == "2002"
    with pytest.raises(ZonghengError, match="say who acts"):
        OPERATOR.acting(" ")


async def test_a_case_is_entered_under_the_number_of_who_entered_it(house: House) -> None:
    agencies = [{"code": "ZR", "name": "自然资源局"}]
    assert (await house.owner.post("/api/publications", {"agencies": agencies})).status_code == 201
    clerk = await house.inside("1001", "clerk", agency="ZR")
    case = (await clerk.post("/api/cases", FORM)).json()["case"]
    forged = await clerk.post("/api/cases", {**FORM, "actor": "2002"})
    assert (forged.status_code, forged.json()["code"]) == (403, "forbidden")
    forged = await clerk.post(f"/api/cases/{case}/events", {"kind": "acceptance", "actor": "2002"})
    assert forged.status_code == 403
    assert (await clerk.post(f"/api/cases/{case}/events", {"kind": "acceptance"})).status_code == 201
    token = (await clerk.post("/api/users/1001/tokens", {"label": "land-system"})).json()["secret"]
    answer = await house.visitor().client.post(
        f"/api/cases/{case}/events",
        json={"kind": "step", "step": "审查", "actor": "2002"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 201, answer.text
    events = [
        entry.case_event if hasattr(entry, "case_event") else entry
        for entry in await house.entries("case_event")
    ]
    assert [(one.kind, one.actor) for one in events] == [
        ("application", "1001"),
        ("acceptance", "1001"),
        ("step", "2002"),
    ]
