"""The pages of calls and meetings: who gets them, what they may, and whom somebody can call from them."""

import pytest
from zongheng.v1.camera_pb2 import CameraCard
from zongheng.v1.tree_pb2 import NodeCard

from tests.unit.people.conftest import CODE, House


@pytest.mark.parametrize("path", ["/calls", "/help", "/meeting/0123456789abcdef"])
async def test_whoever_may_be_called_gets_the_page_and_others_log_in_first(house: House, path: str) -> None:
    kiosk = await house.inside("k1", "kiosk")
    page = await kiosk.get(path)
    assert page.status_code == 200, page.text
    assert f'"csrf": "{kiosk.csrf}"' in page.text
    sees = "camera=(self), microphone=(self)" in page.headers["permissions-policy"]
    assert sees is (path != "/calls")
    reviewer = await house.inside("f1", "legal_reviewer")
    assert (await reviewer.get(path)).status_code == 403
    stranger = await house.visitor().get(path)
    assert (stranger.status_code, stranger.headers["location"]) == (303, f"/login?then={path}")


async def test_where_a_kiosk_stands_is_on_its_page_and_harms_nothing(house: House) -> None:
    kiosk = await house.inside("k1", "kiosk")
    page = (await kiosk.get("/help", hall="大厅</script><script>alert(1)", window="3号")).text
    assert page.count("<script") == 2
    assert "alert(1) 3" in page


async def test_nodes_are_found_by_a_part_of_their_name_or_code_the_nearest_first(house: House) -> None:
    cards = [
        NodeCard(node=f"{CODE}{number:03}", parent=CODE, tier="town", name=f"{number} 号镇")
        for number in range(30)
    ]
    cards[7].cameras.append(CameraCard(camera="hall", hall="办事大厅"))
    cards.append(NodeCard(node=f"{CODE}007201", parent=f"{CODE}007", tier="village", name="东村"))
    house.node.tree.learn(cards)
    supervisor = await house.inside("j1", "supervisor")
    [town, village] = (await supervisor.get("/api/callable", find=f"{CODE}007")).json()
    assert town == {"node": f"{CODE}007", "name": "7 号镇", "tier": "town", "halls": ["办事大厅"]}
    assert village["name"] == "东村"
    assert [one["node"] for one in (await supervisor.get("/api/callable", find="东")).json()] == [
        village["node"]
    ]
    everybody = (await supervisor.get("/api/callable")).json()
    assert (everybody[0]["node"], len(everybody)) == (CODE, 20)
    kiosk = await house.inside("k1", "kiosk")
    assert (await kiosk.get("/api/callable")).status_code == 403
