"""Policy, items and calendar from above: mandated below, tightened and never loosened, and seen by whoever published them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from zongheng.v1.catalogue_pb2 import Policy, RuleSetting
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from node import config
from node.downlink import Reports
from node.models.publication import Publication
from node.people.caller import OPERATOR
from node.projection.context import Contexts
from node.projection.footing import digest
from node.projection.projector import Projector
from node.run import Node
from node.views import by_hand, lane, policy, publication
from tests.unit.lane_down.handing import hand_down, hand_up, introduce

COUNTY, TOWN, VILLAGE = "990102", "990102001", "990102001001"
RULE = "approval.time.case"

Open = Callable[[str], Awaitable[Node]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens nodes with plain weekdays as their calendar."""
    async with AsyncExitStack() as stack:

        async def make(code: str) -> Node:
            tier = {6: "county", 9: "town", 12: "village"}[len(code)]
            folder = tmp_path / code
            if not folder.exists():
                config.initialise(
                    folder, tier=tier, name=code, division=code, grpc=None, http=None,
                    calendar="weekdays", clock_start=datetime.fromisoformat("2026-05-01T10:00:00+08:00"),
                )  # fmt: skip
            return await stack.enter_async_context(Node.opened(folder))

        yield make


async def publish(node: Node, **form: Any) -> publication.Published:
    return await publication.publish(node, Publication.model_validate(form))


def rules(**setting: Any) -> dict[str, Any]:
    return {"rules": [{"rule": RULE, **setting}]}


async def thresholds(node: Node) -> dict[str, int]:
    view = await policy.policy(node)
    return next(rule.thresholds for rule in view.rules if rule.rule == RULE)


def an_item(days: int, version: int = 1) -> dict[str, Any]:
    return {
        "code": "ZR-01", "name": "不动产登记", "agency": "ZR", "version": version, "valid_from": "2026-01-01",
        "promised": {"days": days, "unit": "working"},
    }  # fmt: skip


async def test_a_policy_for_the_subtree_holds_below_and_here_and_for_nobody_it_was_not_sent_to(
    opened: Open,
) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    before = await thresholds(county)
    sent = await publish(county, policy=rules(yellow=0), subtree=True)
    assert (sent.to, sent.subtree, sent.policy) == (COUNTY, True, 1)
    await publish(county, policy=rules(yellow=-1), to=TOWN)
    assert await thresholds(town) == before
    await hand_down(county, town)
    assert await thresholds(county) == {**before, "yellow": 0}
    assert await thresholds(town) == {**before, "yellow": -1}
    view = await policy.policy(town)
    assert [(one.kind, one.sender, one.to, one.subtree, one.version) for one in view.received] == [
        ("policy", COUNTY, COUNTY, True, 1),
        ("policy", COUNTY, TOWN, False, 1),
    ]


async def test_three_tiers_the_strictest_of_all_holds_and_the_village_proves_it_by_the_county(
    opened: Open,
) -> None:
    county, town, village = await opened(COUNTY), await opened(TOWN), await opened(VILLAGE)
    introduce(county, town, village)
    introduce(town, village)
    await publish(county, policy=rules(yellow=0), subtree=True)
    await hand_down(county, town)
    await publish(town, policy=rules(notice=-7), subtree=True)
    await hand_down(town, village)
    own = await thresholds(village)
    assert (own["notice"], own["yellow"]) == (-7, 0)
    context = await village.contexts.of(VILLAGE)
    assert context.context.policy.mandated == f"{TOWN}:1 {COUNTY}:1"
    async with village.store.read() as session:
        leaves = await session.journal.leaves(VILLAGE, 0, village.writer.size)
    received = [entry.received for entry in map(Entry.FromString, leaves) if entry.HasField("received")]
    assert [(one.origin, one.steps_up, one.here) for one in received] == [(COUNTY, 2, True), (TOWN, 1, True)]


async def test_killed_after_the_receipt_nothing_is_entered_twice(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(county, policy=rules(yellow=0), subtree=True)
    await hand_down(county, town, kill_after_keep=True)
    size = town.writer.size
    await hand_down(county, town)
    assert town.writer.size == size
    assert (await thresholds(town))["yellow"] == 0


async def test_loosening_is_refused_in_words_when_it_is_published(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(county, policy=rules(yellow=0), items=[an_item(5)], subtree=True)
    await hand_down(county, town)
    for looser, words in (
        (rules(yellow=2), f"{RULE}.yellow is 2, and {COUNTY}:1 from above has 0"),
        (rules(disabled=True), f"{RULE}.disabled is true"),
    ):
        with pytest.raises(ZonghengError, match=words):
            await publish(town, policy=looser)
    with pytest.raises(ZonghengError, match="publish what is tighter as version 2"):
        await publish(town, items=[an_item(3)])
    with pytest.raises(
        ZonghengError, match="promised is 6 working days, and 990102 version 1 from above has 5"
    ):
        await publish(town, items=[an_item(6, 2)])
    await publish(town, policy=rules(yellow=-1), items=[an_item(3, 2)])
    assert (await thresholds(town))["yellow"] == -1


async def test_what_was_looser_before_the_mandate_came_does_not_hold_and_is_counted(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(town, policy=rules(disabled=True), items=[an_item(30)])
    assert await thresholds(town) == {}
    await publish(county, policy=rules(yellow=0), items=[an_item(5, 2)], subtree=True)
    await hand_down(county, town)
    view = await policy.policy(town)
    assert (await thresholds(town))["yellow"] == 0
    assert len(view.ignored) == 2
    assert (await town.footings.now()).ignored == 2
    context = await town.contexts.of(TOWN)
    assert [(item.version, item.promised.amount) for item in context.context.items] == [(2, 5)]


async def test_days_that_are_decided_above_are_decided(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    fair = {"day": "2026-06-01", "working": False, "name": "fair"}
    await publish(
        town, calendar=[{"day": "2026-06-01", "working": True, "name": "own"}, {**fair, "day": "2026-06-02"}]
    )
    await publish(county, calendar=[fair], subtree=True)
    await hand_down(county, town)
    calendar = (await town.contexts.of(TOWN)).context.calendar
    first, second = datetime(2026, 6, 1), datetime(2026, 6, 2)
    assert not calendar.is_working(first.date())
    assert calendar.reason(first.date()).en.startswith("fair")
    assert not calendar.is_working(second.date())


async def test_a_parent_that_reads_the_childs_journal_comes_to_the_same_numbers(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(county, policy=rules(yellow=0), items=[an_item(5)], subtree=True)
    await hand_down(county, town)
    await publish(town, policy=rules(red=0), items=[an_item(3, 2)])
    await copy_journal(town, county)
    own = await Contexts(town.store).of(TOWN)
    theirs = await Contexts(county.store).of(TOWN)
    assert digest(own) == digest(theirs)
    assert own.context.policy == theirs.context.policy


async def copy_journal(child: Node, parent: Node) -> None:
    async with child.store.read() as session:
        head = await session.journal.head(child.settings.node)
        assert head is not None
        leaves = await session.journal.leaves(head.origin, 0, head.size)
    await parent.inbox.accept(head.origin, head.log_id, head.verifier, 0, leaves, head.note)
    projector: Projector = parent.projector
    await projector.catch_up()


async def test_versions_are_told_apart_and_the_newest_of_a_sender_replaces_the_older(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(county, policy=rules(yellow=-2), subtree=True)
    await hand_down(county, town)
    again = await publish(county, policy=rules(yellow=-2), subtree=True)
    assert (again.policy, again.unchanged) == (None, 1)
    assert (await publish(county, policy=rules(yellow=0), subtree=True)).policy == 2
    await hand_down(county, town)
    assert (await thresholds(town))["yellow"] == 0


async def test_what_is_for_below_names_no_agency_and_only_somebody_below(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    with pytest.raises(ZonghengError, match="agencies"):
        await publish(county, agencies=[{"code": "ZR", "name": "局"}], to=TOWN)
    with pytest.raises(ZonghengError, match="no node 990199 below"):
        await publish(county, policy=rules(yellow=0), to="990199")


async def test_the_sender_sees_who_below_goes_by_which_version(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(county, policy=rules(yellow=0), subtree=True)
    [below] = (await policy.policy(county)).below
    assert (below.node, below.current, below.version) == (TOWN, False, 0)
    await hand_down(county, town)
    await report(town, county)
    [below] = (await policy.policy(county)).below
    assert below.current
    assert (below.version, below.digest) == (1, (await policy.policy(town)).digest)
    assert [(one.kind, one.version) for one in below.received] == [("policy", 1)]
    await publish(county, policy=rules(yellow=-1), subtree=True)
    [below] = (await policy.policy(county)).below
    assert not below.current


async def report(child: Node, parent: Node) -> None:
    """The child's card, as its report carries it."""
    news = await child.figures.news()
    sink = Reports(
        parent.store,
        parent.tree,
        parent.passports,
        parent.comparison,
        parent.witness,
        parent.figures.changed_here,
        parent.projector.ring,
    )
    await sink.cards(child.settings.node, news.cards)


async def test_a_journal_that_holds_a_looser_policy_all_the_same_is_judged_by_the_mandate(
    opened: Open,
) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(county, policy=rules(yellow=0), subtree=True)
    await hand_down(county, town)
    loose = Policy(version=7, rules=[RuleSetting(rule=RULE, disabled=True)])
    await town.write_entries([Entry(policy_published=loose)])
    await town.projector.catch_up()
    assert (await thresholds(town))["yellow"] == 0
    assert (await policy.policy(town)).ignored == [
        f"{RULE}.disabled is true, and {COUNTY}:1 from above has false"
    ]


async def test_an_operator_sees_the_lane_and_opens_it_again_and_nothing_is_entered_twice(
    opened: Open,
) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    with pytest.raises(ZonghengError, match="nothing ever came"):
        await lane.reopen(town, lane.Reopening(by="1", reason="why"))
    await publish(county, policy=rules(yellow=0), subtree=True)
    [waits] = (await lane.lane(county)).children
    assert (waits.node, waits.acknowledged, waits.waiting) == (TOWN, 0, 1)
    await hand_down(county, town)
    await town.from_above.halted("parent_behind", "less than it signed")
    shown = await lane.lane(town)
    assert (shown.parent, shown.code, shown.position) == (COUNTY, "parent_behind", county.writer.size)
    again = await lane.reopen(town, lane.Reopening(by="7", reason="restored"))
    assert (again.parent, again.code, again.position) == ("", "", 0)
    size = town.writer.size
    await publish(county, policy=rules(yellow=-1), subtree=True)
    await hand_down(county, town)
    assert town.writer.size == size + 1
    assert (await thresholds(town))["yellow"] == -1
    assert (await lane.lane(town)).withheld == 0


async def test_a_parent_sees_what_was_acknowledged_and_not_signed_for(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(county, policy=rules(yellow=0), subtree=True)
    await publish(county, policy=rules(yellow=-1), to=TOWN)
    await hand_down(county, town)
    await county.addressed.descended(TOWN, county.writer.size)
    await hand_up(town, county)
    [child] = (await lane.lane(county)).children
    assert (child.waiting, child.unsigned) == (0, 0)
    # It takes the next one and says so, and enters nothing.
    await publish(county, policy=rules(yellow=-2), subtree=True)
    await county.addressed.descended(TOWN, county.writer.size)
    await town.write_entries([Entry()])
    await hand_up(town, county)
    [child] = (await lane.lane(county)).children
    assert (child.waiting, child.unsigned) == (0, 1)


async def test_a_rule_and_a_library_from_above_replace_those_of_that_name(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)

    def rule(expression: str) -> dict[str, Any]:
        return {
            "domain": "approval", "name": "slow", "expression": expression, "yellow": 3,
            "name_zh": "慢", "name_en": "slow", "legal_basis": "本县规定",
        }  # fmt: skip

    def library(high: int) -> dict[str, Any]:
        return {"name": "fee_standards", "rows": [{"code": "F1", "low": 0, "high": high}]}

    await publish(town, rules=[rule("fee_charged")], libraries=[library(9)])
    await publish(county, rules=[rule("extension")], libraries=[library(5)], subtree=True)
    await hand_down(county, town)
    context = await town.contexts.of(TOWN)
    [own] = [one for domain in context.domains for one in domain.rules if one.code == "approval.local.slow"]
    assert "extension" in str(own.test.measure if own.test is not None else "")
    assert context.context.libraries["fee_standards"]["high"].to_list() == [5]
    kinds = {(one.kind, one.code) for one in (await policy.policy(town)).received}
    assert {("rule", "approval.local.slow"), ("library", "fee_standards")} <= kinds
    for mine, words in (
        ({"rules": [rule("fee_charged")]}, "rules.0.name"),
        ({"libraries": [library(9)]}, "libraries.0.name"),
    ):
        with pytest.raises(ZonghengError, match=f"{words}: .* is mandated by {COUNTY} above"):
            await publish(town, **mine)


async def test_an_alert_names_every_policy_that_applied(
    opened: Open,
) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await publish(county, policy=rules(yellow=0), items=[an_item(5)], subtree=True)
    await publish(county, policy=rules(notice=-1), to=TOWN)
    await hand_down(county, town)
    form = by_hand.OpenCase(item="ZR-01", agency="ZR", actor="1", at="2026-03-02T10:00:00")
    case = (await by_hand.open_by_hand(town, OPERATOR, form)).case
    moved = by_hand.MoveCase(kind="acceptance", actor="1", at="2026-03-02T11:00:00")
    await by_hand.move_by_hand(town, OPERATOR, case, moved)
    await town.projector.catch_up()
    async with town.store.read() as session:
        [yellow] = [
            one for one in await session.alerts.of_cases(TOWN, [case]) if (one.rule, one.level) == (RULE, 2)
        ]
    assert (yellow.policy_version, yellow.mandates) == (1, f"{COUNTY}:1 {COUNTY}>{TOWN}:1")
    entry = Entry.FromString((await leaves_of(town))[yellow.idx])
    assert entry.alert_raised.mandates == yellow.mandates


async def leaves_of(node: Node) -> list[bytes]:
    async with node.store.read() as session:
        return await session.journal.leaves(node.settings.node, 0, node.writer.size)


async def test_a_node_whose_clock_was_turned_back_is_believed_by_the_size_of_its_journal(
    opened: Open,
) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await report(town, county)
    before = county.tree.get(TOWN)
    assert before is not None
    ahead = NodeCard()
    ahead.CopyFrom(before)
    ahead.checkpoint_at_us += 3_600_000_000
    county.tree.learn([ahead])
    await publish(county, policy=rules(yellow=0), subtree=True)
    await hand_down(county, town)
    await report(town, county)
    [below] = (await policy.policy(county)).below
    assert below.current
