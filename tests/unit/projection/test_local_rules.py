"""A rule of a node's own: tried, published, judged like a built-in one here and at the parent, changed and withdrawn."""

from collections.abc import Callable
from typing import Any

import pytest
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.models.publication import Publication
from node.supervision.evaluate import evaluate
from node.views import facts, trial
from node.views.publication import publish
from tests.unit.projection.units import COUNTY, DAY, MONDAY, TOWN, Unit

RULE = {
    "name": "slow_acceptance",
    "domain": "approval",
    "expression": "accepted_here_at - applied_at >= 2",
    "level": "yellow",
    "legal_basis": "本镇规定",
    "name_zh": "受理过慢",
}
CODE = "approval.local.slow_acceptance"


async def told(unit: Unit, days_to_acceptance: dict[str, int]) -> None:
    entries = []
    for case, days in days_to_acceptance.items():
        entries += [
            unit.event(case, "application", MONDAY),
            unit.event(case, "acceptance", MONDAY + days * DAY + 1),
            unit.event(case, "completion", MONDAY + days * DAY + 2),
        ]
    await unit.told(*entries)
    await unit.catch_up()


async def published(unit: Unit, **form: Any) -> None:
    await publish(unit.node, Publication.model_validate(form))
    await unit.catch_up()


async def found(unit: Unit) -> dict[str, str]:
    """Case → state of its alert by the rule."""
    states = {1: "pending", 2: "issued", 11: "corrected"}
    return {one.case_id: states[one.state] for one in await unit.alerts() if one.rule == CODE}


async def test_a_published_rule_raises_what_it_finds_and_a_withdrawn_one_takes_it_back(
    unit: Callable[..., Any],
) -> None:
    town = await unit(TOWN)
    await told(town, {"t-1": 1, "t-2": 2, "t-3": 3})
    await published(town, rules=[RULE])
    assert await found(town) == {"t-2": "issued", "t-3": "issued"}
    await published(town, rules=[{**RULE, "expression": "accepted_here_at - applied_at >= 3"}])
    assert await found(town) == {"t-2": "corrected", "t-3": "issued"}
    await published(town, rules=[{**RULE, "withdrawn": True}])
    assert await found(town) == {"t-2": "corrected", "t-3": "corrected"}


async def test_publishing_the_same_rule_again_enters_nothing(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    first = await publish(town.node, Publication.model_validate({"rules": [RULE]}))
    again = await publish(town.node, Publication.model_validate({"rules": [RULE]}))
    assert (first.rules, again.rules, again.unchanged) == (1, 0, 1)


async def test_the_parent_judges_the_childs_cases_by_the_childs_rule(unit: Callable[..., Any]) -> None:
    town, county = await unit(TOWN), await unit(COUNTY)
    await told(town, {"t-1": 1, "t-2": 2})
    await published(town, rules=[RULE])
    await town.push_to(county)
    await county.catch_up()
    node = county.node
    context = await node.contexts.of(TOWN)
    async with node.store.read() as session:
        size = (await session.cursors.get("events", TOWN)).position
        events = await node.history.events(session, TOWN, size)
    evaluation = evaluate(events, context.context, town.now, size, context.domains)
    assert {(one.case_id, one.rule) for one in evaluation.finding_values() if one.rule == CODE} == {
        ("t-2", CODE)
    }
    # The county itself has no such rule.
    assert CODE not in {rule.rule for rule in await facts.rules(node, "")}


async def test_a_number_is_held_against_thresholds_and_a_policy_moves_them(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    await told(town, {"t-1": 1, "t-5": 5})
    by_days = {**RULE, "expression": "accepted_here_at - applied_at", "yellow": 2, "red": 5, "level": None}
    await published(town, rules=[by_days])
    levels = {(one.case_id, one.level) for one in await town.alerts() if one.rule == CODE}
    assert levels == {("t-5", 2), ("t-5", 3)}
    await published(town, policy={"rules": [{"rule": CODE, "yellow": 1}]})
    levels = {(one.case_id, one.level) for one in await town.alerts() if one.rule == CODE}
    assert levels == {("t-1", 2), ("t-5", 2), ("t-5", 3)}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"expression": "NOW() > applied_at"}, "rules.0.expression: NOW is not of the grammar"),
        ({"expression": "sum_of_all > 1"}, "rules.0.expression: there is no fact 'sum_of_all'"),
        ({"domain": "penalty"}, "rules.0.domain: no domain 'penalty' is supervised here"),
        ({"level": None}, "say its level"),
        ({"expression": "fee_charged", "level": "red"}, "say from where on"),
    ],
)
async def test_a_rule_that_cannot_be_judged_is_never_published(
    unit: Callable[..., Any], change: dict[str, Any], why: str
) -> None:
    town = await unit(TOWN)
    with pytest.raises(ZonghengError) as refused:
        await publish(town.node, Publication.model_validate({"rules": [{**RULE, **change}]}))
    assert why in refused.value.detail
    assert await town.entries("rule_published") == []


async def test_a_draft_says_what_it_would_have_raised_and_publishes_nothing(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    await told(town, {"t-1": 1, "t-2": 2, "t-3": 3})
    size = town.node.writer.size
    form = trial.TrialForm.model_validate(
        {"draft": {"rules": [RULE]}, "from": "2026-03-01", "to": "2026-04-01"}
    )
    answer = await trial.trial(town.node, form)
    assert answer.words == "would have raised 2 (2 yellow), in A1"
    (rule,) = answer.rules
    assert (rule.draft.checked, rule.draft.agencies, rule.draft.cases) == (
        3,
        {"A1": {"yellow": 2}},
        ["t-2", "t-3"],
    )
    assert rule.now.findings == 0
    assert town.node.writer.size == size
    outside = trial.TrialForm.model_validate({"draft": {"rules": [RULE]}, "to": "2026-03-01"})
    assert (await trial.trial(town.node, outside)).findings == 0


async def test_moved_thresholds_are_tried_beside_those_in_force(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    await town.told(*town.late("t-1"), *town.late("t-2"))
    await town.catch_up()
    draft = {"policy": {"rules": [{"rule": "approval.entered_late", "notice": 0}]}}
    answer = await trial.trial(town.node, trial.TrialForm.model_validate({"draft": draft}))
    (rule,) = answer.rules
    assert rule.rule == "approval.entered_late"
    assert (rule.draft.findings, rule.now.findings) == (0, 0)
    with pytest.raises(ZonghengError, match="nothing to try"):
        await trial.trial(town.node, trial.TrialForm.model_validate({"draft": {"agencies": [{"code": "B"}]}}))


async def test_what_a_rule_may_be_written_about_is_listed_with_its_words(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    listed = {fact.fact: (fact.sense, fact.zh) for fact in await facts.facts(town.node, "approval")}
    assert listed["fee_charged"] == ("money", "实收费用")


async def test_a_rule_may_be_about_what_cases_have_in_common(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    await town.catch_up()
    known = {(one.domain, one.fact) for one in await facts.facts(town.node, "funds")}
    assert {("funds", "budget"), ("funds.payee_month", "largest")} <= known
    rule = {
        **RULE,
        "name": "many_small",
        "domain": "funds.payee_month",
        "expression": "payments >= 3 AND largest < 100000",
    }
    await published(town, rules=[rule])
    paid = {"H1": 3, "H2": 2}
    await town.told(
        *(
            payment(f"{who}-{number}", who, MONDAY + number * DAY)
            for who, times in paid.items()
            for number in range(times)
        )
    )
    await town.catch_up()
    found = {
        (one.case_id, one.subject)
        for one in await town.alerts()
        if one.rule == "funds.payee_month.local.many_small"
    }
    assert found == {("@funds.payee_month/A1/H1/goods/2026-03", "payee_month")}
    listed = {one.rule: one for one in await facts.rules(town.node, "funds")}
    assert listed["funds.payee_month.local.many_small"].subject == "payee_month"


def payment(case: str, who: str, at_us: int) -> Entry:
    event = CaseEvent(
        case_id=case, domain="funds", kind="payment", at_us=at_us, received_at_us=at_us, agency="A1", applicant=who,
        attributes=[Attribute(name="amount", integer=90_000), Attribute(name="category", text="goods")],
    )  # fmt: skip
    return Entry(source="test", serial=case, case_event=event)


async def test_a_gathering_that_there_is_not_is_refused(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    with pytest.raises(ZonghengError, match=r"no domain 'funds\.street' is supervised here"):
        await published(town, rules=[{**RULE, "domain": "funds.street"}])
