"""Inspection on demand and the explanation of an alert, as the HTTP API answers them."""

from zongheng.v1.entry_pb2 import AlertRaised, Entry

from node.people.caller import OPERATOR
from node.views import explanation, inspection
from tests.unit.projection.units import VILLAGE
from tests.unit.resupervision.family import Make, family
from tests.unit.resupervision.test_standing import fold_only, reds


async def test_alerts_that_are_borne_out_are_right(unit: Make) -> None:
    made = await family(unit)
    await made.looks()
    answer = await inspection.inspect(made.town.node, None)
    (village,) = answer.nodes
    assert answer.agreed
    assert village.right == len(await made.village.alerts()) > 0
    assert (village.wrong, village.missing, village.undetermined, village.early) == (0, 0, 0, 0)


async def test_a_wrong_one_and_one_that_is_missing_are_listed_with_the_reason(unit: Make) -> None:
    made = await family(unit)
    await made.looks()
    true = (await made.village.entries("alert_raised"))[0].alert_raised
    lie = AlertRaised()
    lie.CopyFrom(true)
    lie.case_id, lie.alert_id = "c-none", "invented"
    await made.village.told(Entry(alert_raised=lie), *made.village.late("hidden"))
    await fold_only(made.village)
    await made.village.push_to(made.town)
    await made.town.catch_up()
    await made.village.report_to(made.town)
    early = await inspection.inspect(made.town.node, VILLAGE)
    assert {alert.mark for alert in early.nodes[0].alerts if alert.case == "hidden"} <= {"early"}
    await made.looks(61)
    answer = await inspection.inspect(made.town.node, VILLAGE)
    marks = {(alert.case, alert.mark) for alert in answer.nodes[0].alerts}
    assert marks == {("c-none", "wrong"), ("hidden", "missing")}
    assert not answer.agreed
    assert all(alert.why for alert in answer.nodes[0].alerts)


async def test_an_alert_about_a_child_is_explained_by_its_numbers(unit: Make) -> None:
    made = await family(unit)
    made.offset_ms = 400_000
    await made.looks()
    alert = next(one for one in await made.about() if one.level == 2)
    told = await explanation.explain(made.town.node, OPERATOR, alert.alert_id)
    assert (told.measure, told.at_least) == (400, 300)
    assert [(figure.name, figure.value) for figure in told.figures] == [("offset_ms", 400_000)]
    assert told.legal_basis
    assert VILLAGE in told.message_en
    assert "400" in told.message_en


async def test_an_alert_of_a_case_is_explained_by_its_rule(unit: Make) -> None:
    made = await family(unit)
    (card, *_) = await reds(made.village)
    told = await explanation.explain(made.village.node, OPERATOR, card.alert_id)
    assert told.measure is None
    assert told.name == "办件时限"
