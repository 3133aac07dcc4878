"""What a tier does not supervise comes in by none of its doors."""

from collections.abc import Awaitable, Callable

import pytest
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.intake_pb2 import Submission, SubmitRequest

from federation.errors import ZonghengError
from node.intake.supervised import must_supervise, supervised_by
from node.models.forms import ItemForm
from node.models.publication import Publication
from node.people.caller import OPERATOR
from node.views import by_hand, publication
from tests.unit.projection.units import COUNTY, MONDAY, VILLAGE, Unit

Make = Callable[..., Awaitable[Unit]]


def penalty(case: str) -> Submission:
    event = CaseEvent(case_id=case, domain="penalty", kind="filing", at_us=MONDAY, agency="A1")
    return Submission(serial=case, event=event)


async def test_a_village_takes_no_penalty_in_and_a_county_does(unit: Make) -> None:
    village, county = await unit(VILLAGE), await unit(COUNTY)
    for one, codes in ((village, ["not_supervised"]), (county, [])):
        answer = await one.node.intake.submit(SubmitRequest(source="s", submissions=[penalty("p-1")]))
        assert [told.code for told in answer.rejected] == codes
    assert not await village.entries("case_event")
    assert len(await village.entries("rejected")) == 1


async def test_nobody_opens_one_by_hand_either(unit: Make) -> None:
    village = await unit(VILLAGE)
    form = by_hand.OpenCase(item="I-1", agency="A1", actor="S1", domain="penalty", kind="filing")
    with pytest.raises(ZonghengError) as refused:
        await by_hand.open_by_hand(village.node, OPERATOR, form)
    assert refused.value.code == "not_supervised"


async def test_no_item_of_it_is_published(unit: Make) -> None:
    village = await unit(VILLAGE)
    item = ItemForm(code="P-1", name="处罚", agency="A1", domain="penalty")
    with pytest.raises(ZonghengError, match="does not supervise 'penalty'"):
        await publication.publish(village.node, Publication(by="S1", items=(item,)))


def test_what_a_tier_supervises_is_its_profiles() -> None:
    assert "penalty" in supervised_by("county")
    assert "penalty" not in supervised_by("town")
    must_supervise("village", "openness")
    with pytest.raises(ZonghengError, match="hand it in at a node that does"):
        must_supervise("village", "trading")
