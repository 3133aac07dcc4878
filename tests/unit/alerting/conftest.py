"""The opened node of the tests about people, with an alert to act on."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.people.conftest import House, Visitor, house

__all__ = ["house"]

PUBLISHED: dict[str, Any] = {
    "agencies": [{"code": "ZR", "name": "自然资源局"}, {"code": "MZ", "name": "民政局"}],
    "items": [
        {
            "code": f"{agency}-01", "name": "登记", "agency": agency, "version": 1,
            "statutory": {"days": 5, "unit": "working", "basis": "行政许可法 §42"},
        }
        for agency in ("ZR", "MZ")
    ],
}  # fmt: skip


@dataclass
class Alerted:
    """A node whose agency ZR left a case undecided: a red card waits, and everybody is there."""

    house: House
    case: str
    officer: Visitor
    embedded: Visitor
    bureau: Visitor
    leader: Visitor

    async def card(self, level: str = "red", rule: str = "approval.time.case") -> dict[str, Any]:
        page = (await self.house.owner.get("/api/alerts", case=self.case, level=level, rule=rule)).json()
        (card,) = page["alerts"]
        assert isinstance(card, dict)
        return card

    async def issued(self) -> str:
        """The red card's id, issued by the bureau."""
        identity = str((await self.card())["alert_id"])
        answer = await self.bureau.post(f"/api/alerts/{identity}/decision", {})
        assert answer.status_code == 200, answer.text
        return identity

    async def about(self, rule: str) -> list[dict[str, Any]]:
        page = (await self.house.owner.get("/api/alerts", rule=rule)).json()
        return list(page["alerts"])


@pytest.fixture
async def alerted(house: House) -> Alerted:
    published = await house.owner.post("/api/publications", PUBLISHED)
    assert published.status_code == 201, published.text
    form = {"item": "ZR-01", "agency": "ZR", "actor": "1001", "at": "2026-02-02T09:00:00+08:00"}
    case = str((await house.owner.post("/api/cases", form)).json()["case"])
    moved = {"kind": "acceptance", "actor": "1001", "at": "2026-02-02T10:00:00+08:00"}
    assert (await house.owner.post(f"/api/cases/{case}/events", moved)).status_code == 201
    return Alerted(
        house,
        case,
        await house.inside("1001", "officer", agency="ZR"),
        await house.inside("e1", "embedded_supervisor", agency="ZR"),
        await house.inside("b1", "supervisor"),
        await house.inside("l1", "leader"),
    )
