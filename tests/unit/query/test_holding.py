"""A summary of a journal may name too much, and never leaves out what a question could find."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1.holding_pb2 import Holding
from zongheng.v1.query_pb2 import (
    AlertQuestion,
    CaseQuestion,
    CompareQuestion,
    Question,
    RerunQuestion,
    TrailQuestion,
)
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import Checkpoint, Signer, log_id, sign
from federation.query.holding import CURRENT_US, MOST, Holdings, current, rules_out, stand_in

NODE = "990102001"
SIGNER = Signer.generate(log_id(NODE, "0123456789"))


@dataclass(frozen=True)
class Alert:
    case_id: str
    agency: str
    rule: str
    level: int
    since_us: int


@dataclass(frozen=True)
class Event:
    case_id: str
    agency: str
    item: str
    at_us: int


names = st.sampled_from(["", "A1", "A2", "A3"])
cases = st.builds("{}-{}".format, st.sampled_from(["990102", "990103", "x"]), st.integers(0, 3))
times = st.integers(1, 50)
alerts = st.builds(Alert, cases, names, st.sampled_from(["r1", "r2"]), st.integers(1, 3), times)
events = st.builds(Event, cases, names, st.sampled_from(["I1", "I2"]), times)
bounds = st.integers(0, 60)


def summed_up(events: list[Event], alerts: list[Alert], again: int) -> Holding:
    """As a projector does it: in stretches, each going on from the last."""
    said = Holdings().at(0)
    for at in range(0, max(len(events), len(alerts)), again):
        holdings = Holdings(said)
        for event in events[at : at + again]:
            holdings.add_event(event.case_id, "approval", event.agency, event.item, event.at_us)
        for alert in alerts[at : at + again]:
            holdings.add_alert(
                alert.case_id, "approval", alert.agency, "", alert.rule, alert.level, alert.since_us
            )
        said = holdings.at(at + again)
    return said


@given(
    st.lists(events, max_size=8),
    st.lists(alerts, max_size=8),
    st.integers(1, 4),
    st.builds(
        AlertQuestion,
        level=st.integers(0, 3),
        rule=st.sampled_from(["", "r1", "r3"]),
        agency=names,
        case_id=st.just("") | cases,
        from_us=bounds,
        to_us=bounds,
    ),
)
def test_no_alert_that_could_be_found_is_ruled_out(
    events: list[Event], alerts: list[Alert], again: int, asked: AlertQuestion
) -> None:
    found = [
        alert
        for alert in alerts
        if (not asked.level or alert.level == asked.level)
        and (not asked.rule or alert.rule == asked.rule)
        and (not asked.agency or alert.agency == asked.agency)
        and (not asked.case_id or alert.case_id == asked.case_id)
        and (not asked.from_us or alert.since_us >= asked.from_us)
        and (not asked.to_us or alert.since_us < asked.to_us)
    ]
    if rules_out(summed_up(events, alerts, again), Question(alerts=asked)):
        assert found == []


@given(
    st.lists(events, max_size=8),
    st.integers(1, 4),
    st.builds(
        CaseQuestion,
        item=st.sampled_from(["", "I1", "I3"]),
        agency=names,
        from_us=bounds,
        to_us=bounds,
    ),
    cases,
)
def test_no_case_that_could_be_found_is_ruled_out(
    events: list[Event], again: int, asked: CaseQuestion, case_id: str
) -> None:
    holding = summed_up(events, [], again)
    # A case's receipt is the instant of one of its events, its item and agency are those of one of them.
    found = [
        event
        for event in events
        if (not asked.item or event.item == asked.item)
        and (not asked.agency or event.agency == asked.agency)
        and (not asked.from_us or event.at_us >= asked.from_us)
        and (not asked.to_us or event.at_us < asked.to_us)
    ]
    if rules_out(holding, Question(cases=asked)):
        assert found == []
    if rules_out(holding, Question(rerun=RerunQuestion(rule="r", from_us=asked.from_us, to_us=asked.to_us))):
        assert not [
            one
            for one in events
            if (not asked.from_us or one.at_us >= asked.from_us)
            and (not asked.to_us or one.at_us < asked.to_us)
        ]
    if rules_out(holding, Question(trail=TrailQuestion(case_id=case_id))):
        assert case_id not in {event.case_id for event in events}


def test_what_is_not_there_is_ruled_out() -> None:
    holding = summed_up([Event("990102-1", "A1", "I1", 10)], [Alert("990102-1", "A1", "r1", 2, 10)], 9)
    assert list(holding.agencies) == ["A1"]
    for nothing in (
        Question(alerts=AlertQuestion(level=3)),
        Question(alerts=AlertQuestion(agency="A2")),
        Question(alerts=AlertQuestion(case_id="990103-1")),
        Question(alerts=AlertQuestion(line="police")),
        Question(alerts=AlertQuestion(domain="penalty")),
        Question(alerts=AlertQuestion(to_us=10)),
        Question(cases=CaseQuestion(item="I2")),
        Question(cases=CaseQuestion(from_us=11)),
        Question(trail=TrailQuestion(case_id="990103-7")),
        Question(rerun=RerunQuestion(rule="r1", from_us=11)),
    ):
        assert rules_out(holding, nothing), nothing
    for something in (
        Question(alerts=AlertQuestion()),
        Question(alerts=AlertQuestion(level=2, domain="approval", agency="A1", from_us=10, to_us=11)),
        Question(cases=CaseQuestion(item="I1", agency="A1")),
        Question(trail=TrailQuestion(case_id="990102-99")),
        Question(compare=CompareQuestion()),
    ):
        assert not rules_out(holding, something), something
    assert rules_out(Holdings().at(7), Question(alerts=AlertQuestion()))


def test_a_list_that_grew_too_long_says_nothing_also_after_a_restart() -> None:
    events = [Event(f"c{n}-1", f"A{n}", "I1", 10) for n in range(MOST + 1)]
    alerts = [Alert("c1-1", "A1", f"r{n}", 1, 10) for n in range(MOST + 1)]
    holding = summed_up(events, alerts, 5)
    assert list(holding.full) == ["agencies", "case_origins", "rules"]
    assert not holding.agencies
    assert not holding.rules
    assert not rules_out(holding, Question(alerts=AlertQuestion(agency="A9999", rule="r9999")))
    assert not rules_out(holding, Question(trail=TrailQuestion(case_id="anything")))
    assert rules_out(holding, Question(cases=CaseQuestion(item="I2")))


def test_a_journal_that_was_never_summed_up_rules_nothing_out() -> None:
    holding = Holdings.unknown().at(12)
    for question in (
        Question(alerts=AlertQuestion(level=3, rule="r", agency="A", line="L", case_id="c-1", from_us=1)),
        Question(cases=CaseQuestion(item="I", agency="A", from_us=1, to_us=2)),
        Question(trail=TrailQuestion(case_id="c-1")),
        Question(rerun=RerunQuestion(rule="r", from_us=1, to_us=2)),
    ):
        assert not rules_out(holding, question)


def test_a_holding_counts_only_while_it_covers_the_head_and_the_head_is_young() -> None:
    note = sign(Checkpoint(SIGNER.name, 12, bytes(32)), SIGNER)
    card = NodeCard(node=NODE, checkpoint=note, checkpoint_at_us=1_000, holding=Holdings().at(12))
    assert current(card, 1_000 + CURRENT_US)
    assert current(card, 1_000, held_size=12)
    assert not current(card, 1_001 + CURRENT_US)
    assert not current(card, 1_000, held_size=13)
    card.holding.journal_size = 11
    assert not current(card, 1_000)
    card.ClearField("holding")
    assert not current(card, 1_000)
    assert not current(NodeCard(node=NODE, holding=Holding(), checkpoint="none"), 0)


def test_the_part_that_stands_for_a_node_says_so_and_shows_its_head() -> None:
    card = NodeCard(node=NODE, verifier="key", checkpoint="note", checkpoint_at_us=7)
    card.holding.CopyFrom(Holdings().at(12))
    part = stand_in(card)
    assert (part.node, part.hinted, part.journal_size, part.checkpoint, part.checkpoint_at_us) == (
        NODE,
        True,
        12,
        "note",
        7,
    )
