"""The report says what disagrees, and says nothing when all is in order; rest is told from unrest, with the reason."""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from federation.errors import ZonghengError
from node.demo.federation import Federation, Member, first_error
from node.demo.generator import Finding, Plan, generate
from node.demo.places import places
from node.demo.report import compare
from node.demo.settled import figures_arrive, settle, unfinished

_LEVELS = {1: "notice", 2: "yellow", 3: "red"}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return generate(60, 2).plan


def alerts_of(findings: Counter[Finding], node: str) -> list[dict[str, Any]]:
    return [
        {"case": case, "rule": rule, "level": _LEVELS[level], "state": "pending"}
        for (at, case, rule, level), count in sorted(findings.items())
        if at == node
        for _ in range(count)
    ]


def world(plan: Plan) -> dict[str, dict[str, Any]]:
    """What every node answers when all is in order."""
    answers: dict[str, dict[str, Any]] = {}
    for one in places():
        alerts = alerts_of(plan.findings, one.node)
        levels = Counter(alert["level"] for alert in alerts)
        journal = {"size": 100, "root": f"root-{one.node}", "lag": 0, "cosigned_size": 100}
        status = {
            "journal": journal,
            "cursors": {"events": 100, "facts": 100},
            "due": 0,
            "link": {"state": "linked"},
            "cases": {"total": 7, "open": 1},
            "alerts": {name: levels[name] for name in _LEVELS.values()},
            "rss_mb": 90.0,
            "start_s": 1.0,
            "children": [],
        }
        answers[one.node] = {"/api/status": status, "/api/alerts": {"alerts": alerts, "next": None}}
    for one in places():
        if one.parent:
            answers[one.parent]["/api/status"]["children"].append(
                {
                    "node": one.node,
                    "held": 100,
                    "root": f"root-{one.node}",
                    "projected": 100,
                    "reported": 100,
                    "compared": 100,
                }
            )
        totals = {"received": plan.filed[one.node], "completed": 3}
        answers[one.node]["/api/rollup"] = {"nodes": [{"node": one.node, "totals": totals}], "total": totals}
    city = places()[0].node
    rows = [{"node": one.node, "totals": dict(answers[one.node]["/api/rollup"]["total"])} for one in places()]
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row["totals"])
    answers[city]["/api/rollup"] = {"nodes": rows, "total": dict(total)}
    return answers


def federation(answers: dict[str, dict[str, Any]]) -> Federation:
    """A federation whose nodes answer from a table."""
    made = Federation(Path("nowhere"), lambda line: None)
    for one in places():
        table = answers[one.node]

        def answer(request: httpx.Request, table: dict[str, Any] = table) -> httpx.Response:
            return httpx.Response(200, json=table[request.url.path])

        client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://node")
        made.members[one.node] = Member(one, Path("nowhere") / one.node, "127.0.0.1:1", "127.0.0.1:2", client)
    return made


def statuses(answers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {node: answer["/api/status"] for node, answer in answers.items()}


async def disagreements(answers: dict[str, dict[str, Any]], plan: Plan) -> list[str]:
    return (await compare(federation(answers), plan, [], statuses(answers), 0.0)).disagreements


async def test_nothing_disagrees_when_all_is_in_order(plan: Plan) -> None:
    answers = world(plan)
    report = await compare(federation(answers), plan, [], statuses(answers), 0.0)
    assert report.disagreements == []
    content = report.content
    assert content["city_total"] == content["sum_of_nodes"]
    assert content["city_total"]["received"] == 60
    assert all(fault["planted"] == fault["found"] for fault in content["faults"])
    assert {node["id"]: node["parent"] for node in content["nodes"]}["990100101"] == "990100"
    assert content["alerts"] == {
        "planted": plan.findings.total(),
        "found": plan.findings.total(),
        "corrected": 0,
    }


async def test_a_parent_with_another_root_disagrees(plan: Plan) -> None:
    answers = world(plan)
    answers["990100"]["/api/status"]["children"][0]["root"] = "other"
    [words] = await disagreements(answers, plan)
    assert "its parent holds 100 other" in words


async def test_a_figure_that_the_city_has_otherwise_disagrees(plan: Plan) -> None:
    answers = world(plan)
    answers["990100"]["/api/rollup"]["total"]["completed"] += 1
    assert await disagreements(answers, plan) == ["figure completed: the city has 31, its nodes together 30"]


async def test_figures_that_cancel_out_in_the_sum_still_disagree(plan: Plan) -> None:
    answers = world(plan)
    rows = answers["990100"]["/api/rollup"]["nodes"]
    rows[1]["totals"]["completed"] += 1
    rows[2]["totals"]["completed"] -= 1
    assert len(await disagreements(answers, plan)) == 2


async def test_an_alert_that_is_missing_and_one_that_nobody_planted_are_named(plan: Plan) -> None:
    answers = world(plan)
    page = answers["990121"]["/api/alerts"]["alerts"]
    lost = page[0]
    page[0] = {**lost, "case": "990121-999999"}
    words = await disagreements(answers, plan)
    assert words == [
        f"planted and not found: {lost['level']} {lost['rule']} on {lost['case']} at 990121",
        f"found and not planted: {lost['level']} {lost['rule']} on 990121-999999 at 990121",
    ]


async def test_an_alert_that_was_corrected_does_not_count_as_found(plan: Plan) -> None:
    answers = world(plan)
    alert = answers["990121"]["/api/alerts"]["alerts"][0]
    alert["state"] = "corrected"
    answers["990121"]["/api/status"]["alerts"][alert["level"]] -= 1
    [words] = await disagreements(answers, plan)
    assert words.startswith("planted and not found")


def test_rest_is_when_nothing_is_left_to_do(plan: Plan) -> None:
    answers = world(plan)
    now = statuses(answers)
    for member in federation(answers).members.values():
        assert unfinished(member, now) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cursors": {"events": 100, "facts": 90}}, "has read 90 of 100 entries"),
        ({"due": 3}, "has 3 cases to judge"),
        (
            {"journal": {"size": 100, "root": "r", "lag": 4, "cosigned_size": 96}},
            "has 4 entries to relay (linked)",
        ),
    ],
)
def test_unrest_says_what_is_left_to_do(plan: Plan, change: dict[str, Any], words: str) -> None:
    answers = world(plan)
    now = statuses(answers)
    now["990121101"] = {**now["990121101"], **change}
    waiting = unfinished(federation(answers).members["990121101"], now)
    assert waiting is not None
    assert waiting.words == words


def test_a_parent_that_has_not_compared_yet_is_unrest(plan: Plan) -> None:
    answers = world(plan)
    now = statuses(answers)
    now["990121"]["children"][0]["compared"] = 60
    town = federation(answers).members["990121101"]
    waiting = unfinished(town, now)
    assert waiting is not None
    assert waiting.words == "is compared by its parent up to 60 of 100"


async def test_waiting_ends_with_the_node_that_no_longer_moves(plan: Plan) -> None:
    answers = world(plan)
    answers["990121101"]["/api/status"]["due"] = 3
    with pytest.raises(ZonghengError, match=r"990121101.*it has 3 cases to judge"):
        await settle(federation(answers), lambda line: None, patience_s=0.1)


async def test_a_node_that_refuses_to_answer_is_named(plan: Plan) -> None:
    made = federation(world(plan))
    refusing = httpx.MockTransport(lambda request: httpx.Response(503, text="not now"))
    made.members["990121"].client = httpx.AsyncClient(transport=refusing, base_url="http://node")
    with pytest.raises(ZonghengError, match=r"990121.*answers 503 to /api/status: not now"):
        await settle(made, lambda line: None)


def test_of_many_errors_at_once_the_first_is_told() -> None:
    inner = ValueError("first")
    assert first_error(ExceptionGroup("a", [ExceptionGroup("b", [inner, KeyError()]), OSError()])) is inner


async def test_figures_that_have_not_risen_yet_are_waited_for(plan: Plan) -> None:
    answers = world(plan)
    late = answers["990100"]["/api/rollup"]["nodes"][7]
    right = dict(late["totals"])
    late["totals"]["completed"] = 0
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        late["totals"] = right

    await figures_arrive(federation(answers), tell)
    assert told == [f"the city waits for the figures of {late['node']}"]
    assert await disagreements(answers, plan) == []


async def test_figures_that_never_rise_are_left_to_the_report(plan: Plan) -> None:
    answers = world(plan)
    answers["990100"]["/api/rollup"]["nodes"][7]["totals"]["completed"] = 0
    await figures_arrive(federation(answers), lambda line: None, patience_s=0.0)
    assert await disagreements(answers, plan)
