"""The one path by which cases are judged: as of an instant, alone or together, in any order, with a next look at each."""

import random
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from zongheng.v1.catalogue_pb2 import Limit, Step, TierLimit

from node.supervision import readings
from node.supervision.calendar import EPOCH_ORDINAL, Calendar, Override
from node.supervision.context import Context
from node.supervision.evaluate import CASES, FINDINGS, evaluate, rerun
from node.supervision.fold import installed
from node.supervision.frame import from_rows
from node.supervision.policy import Policy, Setting

DOMAINS = installed(("approval",))
DAY = 86_400_000_000


def accepted(story, **limits):
    return (
        story()
        .then("2024-03-01 09:00", "application", channel="window")
        .then("2024-03-01 10:00", "acceptance", **limits)
    )


# As of.


def test_what_happened_later_is_not_known_yet(story, judge, at) -> None:
    told = accepted(story).then("2024-03-20 09:00", "completion", result="issued")
    then, now = judge(told, as_of="2024-03-18 09:00"), judge(told)
    assert then.cases["state"].item() == "accepted"
    assert now.cases["state"].item() == "completed"
    assert set(then.findings["level"]) == {1, 2}
    assert then.cases["next_at_us"].item() == at("2024-03-20 09:00")


def test_a_case_of_which_nothing_happened_yet_is_not_there(story, judge) -> None:
    nothing = judge(accepted(story), as_of="2024-02-01 09:00")
    assert nothing.cases.schema == CASES
    assert nothing.findings.schema == FINDINGS
    assert nothing.cases.is_empty()


def test_since_is_computed_and_not_when_somebody_looked(story, judge, at) -> None:
    told = accepted(story)
    for as_of in ("2024-03-18 09:00", "2024-05-20 09:00"):
        by_level = dict(judge(told, as_of=as_of).findings.select("level", "since_us").iter_rows())
        assert by_level[1] == at("2024-03-13 00:00")
        assert by_level[2] == at("2024-03-16 00:00")


def test_an_evaluation_says_what_it_rests_on(story, judge) -> None:
    judged = judge(accepted(story), size=99, policy=Policy(version=4))
    assert (judged.journal_size, judged.policy_version) == (99, 4)
    assert judged.calendar_version == Calendar.china().version


def test_events_of_a_domain_that_is_not_switched_on_are_left_aside(story) -> None:
    told = from_rows(accepted(story).rows)
    context = Context(Calendar.china())
    assert evaluate(told, context, 1_800_000_000_000_000, 2, ()).cases.is_empty()
    other = told.with_columns(domain=pl.lit("penalty"))
    assert evaluate(other, context, 1_800_000_000_000_000, 2, DOMAINS).cases.is_empty()


# The next look.


def test_a_running_case_is_looked_at_again_at_its_next_threshold(story, judge, at) -> None:
    told = accepted(story)
    looks = ["2024-03-01 12:00"]
    for _ in range(3):
        looks.append(judge(told, as_of=looks[-1]).cases["next_at_us"].item())
        looks[-1] = str(pl.Series([looks[-1]]).cast(pl.Datetime("us", "UTC")).item())
    assert [at(one) for one in looks[1:]] == [
        at("2024-03-13 00:00"),
        at("2024-03-16 00:00"),
        at("2024-03-30 00:00"),
    ]
    assert judge(told, as_of=looks[-1]).cases["next_at_us"].item() is None


def test_a_completed_case_is_never_looked_at_again_by_itself(story, judge) -> None:
    told = accepted(story).then("2024-03-04 09:00", "completion", result="issued")
    assert judge(told).cases["next_at_us"].item() is None


# Provisional days.


def test_no_card_rests_on_a_provisional_day(story, judge, found) -> None:
    # A weekday calendar that covers 2024 and knows nothing of 2031.
    told = (
        story()
        .then("2031-03-03 09:00", "application", channel="window")
        .then("2031-03-03 10:00", "acceptance")
    )
    provisional = judge(told, as_of="2031-06-02 09:00")
    assert found(provisional, "time.case") == {("case", 1)}
    weekday = (date(2031, 1, 1), True, "")
    published = Calendar.china([Override(*weekday)], published_years=[2031])
    certain = judge(told, as_of="2031-06-02 09:00", calendar=published)
    assert found(certain, "time.case") == {("case", level) for level in (1, 2, 3)}


# Between tiers.


def test_a_case_handed_over_is_no_longer_judged_here(story, judge, found) -> None:
    told = accepted(story).then("2024-03-08 09:00", "handed_over", to_node="t")
    judged = judge(told)
    assert judged.cases["state"].item() == "handed_over"
    assert found(judged, "time.case") == set()
    assert judged.cases["next_at_us"].item() is None


def test_what_was_late_before_it_left_stays_late_here(story, judge, found) -> None:
    told = accepted(story).then("2024-03-18 09:00", "handed_over", to_node="t")
    assert found(judge(told), "time.case") == {("case", 1), ("case", 2)}


def test_a_case_signed_for_runs_on_the_clocks_it_brought(story, judge, at) -> None:
    told = story().then(
        "2024-03-08 09:00",
        "signed_for",
        from_node="v",
        filed_at=at("2024-02-29 09:00"),
        accepted_at=at("2024-03-01 10:00"),
        statutory_days=5,
    )
    row = judge(told).cases.row(0, named=True)
    assert row["received_at_us"] == at("2024-02-29 09:00")
    assert row["accepted_at_us"] == at("2024-03-01 10:00")
    assert row["statutory_due_us"] == at("2024-03-09 00:00") - 1


def test_a_case_that_came_back_is_judged_here_again(story, judge, found) -> None:
    told = (
        accepted(story)
        .then("2024-03-04 09:00", "handed_over", to_node="t")
        .then("2024-03-14 09:00", "signed_for", from_node="t")
    )
    judged = judge(told, as_of="2024-03-18 09:00")
    assert judged.cases["state"].item() == "accepted"
    assert found(judged, "time.case") == {("case", 1), ("case", 2)}


# Figures.


def amounts(judged) -> dict[tuple[str, str], int]:
    rows = judged.figures.select("day", "figure", "amount").iter_rows()
    return {
        (date.fromordinal(day + EPOCH_ORDINAL).isoformat(), figure): amount for day, figure, amount in rows
    }


def test_a_case_adds_to_the_days_on_which_things_happened(story, judge, item) -> None:
    published = item(has_fee=True, fee_fen=8_000, fee_basis="发改价格规〔2016〕2559号")
    told = (
        accepted(story)
        .then("2024-03-04 09:00", "fee", amount=5_000)
        .then("2024-03-05 09:00", "fee", amount=3_000)
        .then("2024-04-01 09:00", "completion", result="issued")
    )
    assert amounts(judge(told, items=[published])) == {
        ("2024-03-01", "received"): 1,
        ("2024-03-01", "accepted"): 1,
        ("2024-03-01", "fee_due_fen"): 8_000,
        ("2024-03-04", "fee_charged_fen"): 5_000,
        ("2024-03-05", "fee_charged_fen"): 3_000,
        ("2024-04-01", "completed"): 1,
        ("2024-04-01", "late"): 1,
    }


def test_a_case_is_received_where_it_was_filed_and_handled_where_it_was_signed_for(story, judge, at) -> None:
    filed = accepted(story).then("2024-03-04 09:00", "handed_over", to_node="t")
    filed.then("2024-03-06 09:00", "signed_for", from_node="t").then("2024-03-07 09:00", "handed_over")
    assert amounts(judge(filed)) == {
        ("2024-03-01", "received"): 1,
        ("2024-03-01", "accepted"): 1,
        ("2024-03-04", "handed_over"): 1,
        ("2024-03-07", "handed_over"): 1,
    }
    signed = story().then("2024-03-04 10:00", "signed_for", accepted_at=at("2024-03-01 10:00"))
    signed.then("2024-03-05 09:00", "returned", to_node="v").then("2024-03-07 10:00", "signed_for")
    signed.then("2024-03-08 09:00", "completion", result="issued")
    assert amounts(judge(signed)) == {
        ("2024-03-04", "handled"): 1,
        ("2024-03-05", "returned"): 1,
        ("2024-03-08", "completed"): 1,
        ("2024-03-08", "on_time"): 1,
    }


def test_figures_do_not_depend_on_now(story, judge) -> None:
    told = accepted(story).then("2024-03-18 09:00", "completion", result="issued")
    early, later = (judge(told, as_of=as_of).figures for as_of in ("2024-03-18 09:00", "2030-01-01 09:00"))
    assert_frame_equal(early, later)


def test_days_of_a_case_are_days_of_its_zone(story, judge) -> None:
    told = story().then("2024-03-01 23:30:00+00:00", "acceptance", zone="America/New_York")
    assert set(amounts(judge(told))) == {("2024-03-01", "received"), ("2024-03-01", "accepted")}


def test_rows_for_the_store_carry_the_summary_and_the_figures(story, judge, at) -> None:
    told = accepted(story).then("2024-03-18 09:00", "completion", result="issued")
    (row,) = judge(told, size=12).facts_rows("n")
    assert (row.origin, row.case_id, row.state, row.late, row.size) == ("n", "n-1", "completed", False, 12)
    assert row.duration_days == 11
    assert row.figures["19783"] == {"received": 1, "accepted": 1}
    assert judge(accepted(story)).facts_rows("n")[0].late is None


# A rule again.


def test_a_rule_runs_again_with_another_threshold_and_another_limit(story) -> None:
    events = from_rows(accepted(story, statutory_days=20, promised_days=10).rows)
    context = Context(Calendar.china())
    march_20 = 1_710_903_600_000_000
    assert set(rerun(events, context, march_20, DOMAINS, "approval.time.case")["level"]) == {1, 2}
    stricter = rerun(events, context, march_20, DOMAINS, "approval.time.case", threshold=-7)
    assert stricter.select("level", "over").rows() == [(3, -7)]
    shorter = rerun(events, context, march_20, DOMAINS, "approval.time.case", limit_days=5)
    assert set(shorter.select("level", "over").iter_rows()) == {(1, 8), (2, 8), (3, 8)}


def test_a_limit_can_be_tried_on_cases_that_state_a_due_or_nothing(story, at) -> None:
    stated = story("n-1").then("2024-03-01 10:00", "acceptance", statutory_due_at=at("2030-01-01 00:00"))
    nothing = story("n-2", start=10).then("2024-03-01 10:00", "acceptance")
    events = from_rows(stated.rows + nothing.rows)
    context = Context(Calendar.china())
    tried = rerun(
        events, context, at("2024-04-01 09:00"), DOMAINS, "approval.time.case", threshold=1, limit_days=15
    )
    assert set(tried["case_id"]) == {"n-1", "n-2"}


def test_a_rule_that_is_switched_off_runs_when_it_is_asked_for(story, at) -> None:
    off = Policy(settings={"approval.time.case": Setting(disabled=True)})
    events = from_rows(accepted(story, statutory_days=5).rows)
    context = Context(Calendar.china(), policy=off)
    assert evaluate(events, context, at("2024-04-01 09:00"), 2, DOMAINS).findings.is_empty()
    assert rerun(events, context, at("2024-04-01 09:00"), DOMAINS, "approval.time.case").height == 3


def test_a_rule_nobody_has_and_a_limit_without_a_clock_are_refused(story) -> None:
    events = from_rows(accepted(story).rows)
    context = Context(Calendar.china())
    with pytest.raises(LookupError, match="no domain has"):
        rerun(events, context, 1_710_903_600_000_000, DOMAINS, "approval.nothing")
    with pytest.raises(ValueError, match="reads no clock"):
        rerun(events, context, 1_710_903_600_000_000, DOMAINS, "approval.refusal.reason", limit_days=3)


# Alone, together, in any order.


def items():
    steps = [
        Step(code="H", role="handle", required=True, limit=Limit(amount=2, unit=1)),
        Step(code="R", role="review", required=True, after=["H"], limit=Limit(amount=2, unit=2)),
        Step(code="A", role="approve", required=True, after=["R"], authorised=["P1", "P2"]),
    ]
    from zongheng.v1.catalogue_pb2 import Item

    common = {"steps": steps, "tier_limits": [TierLimit(tier="town", limit=Limit(amount=6, unit=1))]}
    return [
        Item(code="A1", statutory=Limit(amount=9, unit=1), promised=Limit(amount=5, unit=1), **common),
        Item(
            code="A2",
            statutory=Limit(amount=20, unit=2, roll_forward=True),
            has_fee=True,
            fee_fen=50,
            **common,
        ),
        Item(code="A3", statutory=Limit(amount=12, unit=3), promised=Limit(amount=1, unit=1), version=1),
        Item(code="A3", statutory=Limit(amount=9, unit=3), version=2, valid_from_day=19_790),
    ]


CONTEXT = Context(Calendar.china(), items(), tier="town", node="n")


KINDS = [
    "application",
    "pre_acceptance",
    "acceptance",
    "acceptance",
    "refusal",
    "correction_told",
    "correction_received",
    "step",
    "step",
    "step",
    "step",
    "pause",
    "resume",
    "fee",
    "handed_over",
    "signed_for",
    "returned",
    "completion",
    "collection",
]


def jumbled(story, number: int, seed: int):
    """A case in which anything may happen, in any order."""
    luck = random.Random(seed * 1_000 + number)
    told = story(f"n-{number}", item=luck.choice(["A1", "A2", "A3", "B"]), start=number * 100)
    hour = 0
    for _ in range(luck.randint(1, 14)):
        hour += luck.choice([0, 1, 5, 24, 30, 70, 200])
        at = f"2024-03-{1 + hour // 24 % 31:02} {hour % 24:02}:{luck.randint(0, 59):02}"
        kind = luck.choice(KINDS)
        actor = luck.choice(["", "P1", "P2", "P3"])
        entered = luck.choice(["soon", "soon", None, "2024-04-08 09:00"])
        attributes = {
            "application": {"channel": luck.choice(["online", "window"])},
            "pre_acceptance": {"outcome": luck.choice(["passed", "refused"])},
            "acceptance": luck.choice(
                [{}, {"statutory_days": 4}, {"promised_due_day": 19_790, "fee_due": 10}]
            ),
            "pause": {
                "kind": luck.choice(["testing", "extension", "notice"]),
                "granted_days": luck.choice([None, 2, 5]),
                "legal_basis": luck.choice(["", "行政许可法 §45"]),
            },
            "fee": {"amount": luck.choice([50, 60]), "basis": luck.choice(["", "x"])},
            "step": luck.choice([{}, {"limit_days": 1}, {"role": "handle"}]),
            "completion": {"result": luck.choice(["issued", "refused", "void"])},
        }.get(kind, {})
        step = luck.choice(["H", "R", "A", "X"]) if kind == "step" else ""
        attributes = {name: value for name, value in attributes.items() if value is not None}
        told.then(at, kind, actor, step=step, entered=entered, **attributes)
    return told


def ordered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(rows.columns)


AS_OF = 1_711_933_200_000_000  # 2024-04-01 09:00 in Shanghai


@pytest.mark.parametrize("seed", [1, 2])
def test_many_cases_are_judged_as_each_alone_is(story, seed: int) -> None:
    stories = [jumbled(story, number, seed) for number in range(60)]
    together = evaluate(from_rows([row for one in stories for row in one.rows]), CONTEXT, AS_OF, 9, DOMAINS)
    alone = [evaluate(from_rows(one.rows), CONTEXT, AS_OF, 9, DOMAINS) for one in stories]
    for part in ("cases", "findings", "figures"):
        apart = pl.concat(getattr(one, part) for one in alone)
        assert_frame_equal(ordered(getattr(together, part)), ordered(apart))
    counts = pl.concat(one.rules for one in alone).group_by("rule").sum()
    assert_frame_equal(ordered(together.rules), ordered(counts))
    assert together.findings["rule"].n_unique() > 12


def test_the_order_in_which_events_came_means_nothing(story) -> None:
    rows = [row for number in range(60) for row in jumbled(story, number, 3).rows]
    events = from_rows(rows)
    shuffled = from_rows(random.Random(3).sample(rows, len(rows)))
    one, other = (evaluate(frame, CONTEXT, AS_OF, 9, DOMAINS) for frame in (events, shuffled))
    for part in ("cases", "findings", "figures", "rules"):
        assert_frame_equal(ordered(getattr(one, part)), ordered(getattr(other, part)))


def test_clocks_set_aside_change_no_answer(story, monkeypatch) -> None:
    events = from_rows([row for number in range(120) for row in jumbled(story, number, 4).rows])
    few = evaluate(events, CONTEXT, AS_OF, 9, DOMAINS)
    monkeypatch.setattr(readings, "FEW", 0)
    many = evaluate(events, CONTEXT, AS_OF, 9, DOMAINS)
    assert many.judged[0].clocks.height < few.judged[0].clocks.height
    for part in ("cases", "findings", "figures", "rules"):
        assert_frame_equal(ordered(getattr(few, part)), ordered(getattr(many, part)))


@pytest.mark.parametrize("seed", [5, 6])
def test_between_two_looks_nothing_changes(story, seed: int) -> None:
    keys = ["case_id", "subject", "rule", "level", "since_us"]
    for number in range(8):
        events = from_rows(jumbled(story, number, seed).rows)
        as_of, last = AS_OF - 20 * DAY, AS_OF + 20 * DAY
        while as_of < last:
            now = evaluate(events, CONTEXT, as_of, 9, DOMAINS)
            if now.cases.is_empty():
                as_of += DAY
                continue
            following = now.cases["next_at_us"].item()
            until = last if following is None else min(following, last)
            then = evaluate(events, CONTEXT, until - 1, 9, DOMAINS)
            assert_frame_equal(ordered(now.findings.select(keys)), ordered(then.findings.select(keys)))
            assert (now.findings["since_us"] <= as_of).all()
            as_of = until
