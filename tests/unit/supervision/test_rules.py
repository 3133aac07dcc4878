"""Each rule of approval beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest
from zongheng.v1.catalogue_pb2 import LIMIT_UNIT_NATURAL_DAY, Limit, Step, TierLimit

from node.supervision.policy import Policy, Setting

NOTICE, YELLOW, RED = 1, 2, 3


def accepted(story, **limits):
    """Applied for and accepted on Friday 2024-03-01."""
    return (
        story()
        .then("2024-03-01 09:00", "application", channel="window")
        .then("2024-03-01 10:00", "acceptance", **limits)
    )


STEPS = (
    Step(code="H", role="handle", required=True, limit=Limit(amount=3, unit=1)),
    Step(code="R", role="review", required=True, after=["H"]),
    Step(code="A", role="approve", required=True, after=["R"], authorised=["B1", "B2"]),
)


# Time.


@pytest.mark.parametrize(
    ("completed", "levels"),
    [
        ("2024-03-12 23:59", set()),  # three working days before the promise
        ("2024-03-13 00:00", {NOTICE}),
        ("2024-03-15 23:59", {NOTICE}),  # the promised day itself
        ("2024-03-16 00:00", {NOTICE, YELLOW}),  # Saturday, and late
        ("2024-03-29 23:59", {NOTICE, YELLOW}),
        ("2024-03-30 00:00", {NOTICE, YELLOW, RED}),
    ],
)
def test_a_case_is_near_its_promise_past_it_and_past_the_law(story, judge, found, completed, levels) -> None:
    told = accepted(story).then(completed, "completion", result="issued")
    assert found(judge(told), "time.case") == {("case", level) for level in levels}


def test_a_running_case_is_judged_as_of_the_instant_asked_for(story, judge, found) -> None:
    told = accepted(story)
    assert found(judge(told, as_of="2024-03-15 23:59"), "time.case") == {("case", NOTICE)}
    assert found(judge(told, as_of="2024-03-16 00:00"), "time.case") == {("case", NOTICE), ("case", YELLOW)}


def test_a_stated_limit_wins_over_the_catalogue_and_a_stated_due_over_both(story, judge, at) -> None:
    by_days = accepted(story, statutory_days=5, promised_days=3)
    by_due = accepted(
        story, statutory_days=5, statutory_due_at=at("2024-04-01 12:00"), promised_due_day=19_800
    )
    one, other = (judge(told).cases.row(0, named=True) for told in (by_days, by_due))
    assert one["statutory_due_us"] == at("2024-03-09 00:00") - 1
    assert one["promised_due_us"] == at("2024-03-07 00:00") - 1
    assert other["statutory_due_us"] == at("2024-04-01 12:00")
    assert other["promised_due_us"] == at("2024-03-19 00:00") - 1


def test_a_notice_never_holds_from_before_the_case_began(story, judge, item) -> None:
    at_once = judge(accepted(story), items=[item(statutory=1, promised=1)], as_of="2024-03-01 18:00")
    notices = at_once.findings.filter(at_once.findings["level"] == NOTICE)
    assert notices["since_us"].to_list() == at_once.cases["accepted_at_us"].to_list()


def test_without_a_promise_the_law_is_the_promise(story, judge, item, found) -> None:
    told = accepted(story).then("2024-03-30 10:00", "completion")
    judged = judge(told, items=[item(promised=None)])
    assert found(judged, "time.case") == {("case", level) for level in (NOTICE, YELLOW, RED)}


def test_a_limit_in_natural_days_rolls_forward_where_the_item_says_so(story, judge, item, at) -> None:
    due = {}
    for rolls in (False, True):
        published = item(statutory=8, promised=None, unit=LIMIT_UNIT_NATURAL_DAY, roll_forward=rolls)
        due[rolls] = judge(accepted(story), items=[published]).cases["statutory_due_us"].item()
    assert due == {False: at("2024-03-10 00:00") - 1, True: at("2024-03-12 00:00") - 1}


def test_a_limit_in_natural_days_that_the_source_states_rolls_forward(story, judge, item, at) -> None:
    told = accepted(story, statutory_days=8, statutory_unit="natural")
    kept = item(statutory=8, promised=None, unit=LIMIT_UNIT_NATURAL_DAY, roll_forward=False)
    due = [
        judge(told, items=items).cases["statutory_due_us"].item()
        for items in ([], [item(promised=None)], [kept])
    ]
    # Unless the catalogue's own limit in natural days says that this item's does not.
    assert due == [at("2024-03-12 00:00") - 1, at("2024-03-12 00:00") - 1, at("2024-03-10 00:00") - 1]


def test_a_case_without_any_limit_is_counted_and_not_accused(story, judge, item, found, counted) -> None:
    judged = judge(accepted(story), items=[item(statutory=None, promised=None)])
    assert found(judged, "time.case") == set()
    assert counted(judged, "time.case") == (0, 1)


def test_a_step_is_late_by_its_own_clock_though_the_whole_is_in_time(story, judge, item, found) -> None:
    slow = accepted(story).then("2024-03-07 09:00", "step", "H1", step="H")
    in_time = accepted(story).then("2024-03-06 23:00", "step", "H1", step="H")
    items = [item(steps=STEPS)]
    assert found(judge(slow, as_of="2024-03-08 09:00", items=items), "time.step") == {("step:H#1", YELLOW)}
    assert found(judge(in_time, as_of="2024-03-08 09:00", items=items), "time.step") == set()


def test_a_step_that_must_come_next_is_late_before_it_is_done(story, judge, item, found) -> None:
    items = [item(steps=STEPS)]
    assert found(judge(accepted(story), as_of="2024-03-06 23:59", items=items), "time.step") == set()
    late = judge(accepted(story), as_of="2024-03-07 00:00", items=items)
    assert found(late, "time.step") == {("step:H#1", YELLOW)}


def test_the_time_of_the_step_before_is_not_this_steps(story, judge, found) -> None:
    told = (
        accepted(story)
        .then("2024-03-11 09:00", "step", "H1", step="H", limit_days=3)
        .then("2024-03-13 09:00", "step", "R1", step="R", limit_days=2)
    )
    assert found(judge(told, as_of="2024-03-14 09:00", items=[]), "time.step") == {("step:H#1", YELLOW)}


def test_a_step_that_says_when_it_began_counts_from_there(story, judge, found, at) -> None:
    told = accepted(story).then(
        "2024-03-11 09:00", "step", "H1", step="H", limit_days=3, started_at=at("2024-03-07 09:00")
    )
    assert found(judge(told, items=[]), "time.step") == set()


PAUSED = {"pause": 1, "kind": "testing", "granted_days": 5, "legal_basis": "行政许可法 §45", "approver": "L1"}


@pytest.mark.parametrize(
    ("resumed", "levels"),
    [
        ("2024-03-06 23:00", set()),  # two of five days used
        ("2024-03-07 09:00", {NOTICE}),
        ("2024-03-11 18:00", {NOTICE}),
        ("2024-03-12 09:00", {NOTICE, YELLOW}),
        ("2024-03-13 09:00", {NOTICE, YELLOW, RED}),
    ],
)
def test_a_special_procedure_keeps_to_the_days_granted(story, judge, found, resumed, levels) -> None:
    told = accepted(story).then("2024-03-04 09:00", "pause", **PAUSED).then(resumed, "resume", pause=1)
    judged = judge(told, as_of="2024-03-13 10:00")
    assert found(judged, "time.pause") == {("pause:1", level) for level in levels}


def test_a_pause_takes_no_more_days_out_than_were_granted(story, judge, at) -> None:
    told = accepted(story).then("2024-03-04 09:00", "pause", **PAUSED)
    short = told.then("2024-03-06 09:00", "resume", pause=1)
    assert judge(short).cases["promised_due_us"].item() == at("2024-03-20 00:00") - 1
    lasting = accepted(story).then("2024-03-04 09:00", "pause", **PAUSED)
    assert judge(lasting).cases["promised_due_us"].item() == at("2024-03-23 00:00") - 1


def test_an_extension_adds_its_days_and_pauses_nothing(story, judge, at) -> None:
    told = accepted(story).then("2024-03-04 09:00", "pause", **{**PAUSED, "kind": "extension"})
    row = judge(told).cases.row(0, named=True)
    assert row["promised_due_us"] == at("2024-03-23 00:00") - 1
    assert row["state"] == "accepted"


def test_a_publication_pauses_only_with_its_law(story, judge, found, at) -> None:
    bare = accepted(story).then("2024-03-04 09:00", "pause", kind="notice", granted_days=5, approver="L1")
    cited = accepted(story).then("2024-03-04 09:00", "pause", **{**PAUSED, "kind": "notice"})
    assert judge(bare).cases["promised_due_us"].item() == at("2024-03-16 00:00") - 1
    assert judge(cited).cases["promised_due_us"].item() == at("2024-03-23 00:00") - 1
    assert found(judge(bare), "pause.basis") == {("pause:1", YELLOW)}
    assert found(judge(cited), "pause.basis") == set()


@pytest.mark.parametrize(
    ("answered", "levels"),
    [
        ("2024-03-05 23:00", set()),
        ("2024-03-06 09:00", {NOTICE}),
        ("2024-03-08 09:00", {NOTICE}),
        ("2024-03-11 09:00", {NOTICE, YELLOW}),
        ("2024-03-13 09:00", {NOTICE, YELLOW, RED}),
    ],
)
def test_an_application_online_is_answered_in_two_days(story, judge, found, answered, levels) -> None:
    told = (
        story()
        .then("2024-03-01 09:00", "application", channel="online")
        .then(answered, "pre_acceptance", outcome="passed")
    )
    assert found(judge(told), "time.pre_acceptance") == {("case", level) for level in levels}


def test_an_application_at_the_window_has_no_pre_acceptance(story, judge, counted) -> None:
    told = story().then("2024-03-01 09:00", "application", channel="window")
    assert counted(judge(told), "time.pre_acceptance") == (0, 0)


def test_a_tier_has_its_own_days(story, judge, item, found) -> None:
    limits = [
        TierLimit(tier="village", limit=Limit(amount=3, unit=1)),
        TierLimit(tier="town", limit=Limit(amount=9, unit=1)),
    ]
    items = [item(tier_limits=limits)]
    slow = accepted(story).then("2024-03-07 09:00", "handed_over", to_node="t")
    assert found(judge(slow, items=items, tier="village"), "time.tier") == {("tier", RED)}
    assert found(judge(slow, items=items, tier="town"), "time.tier") == set()
    in_time = accepted(story).then("2024-03-06 18:00", "handed_over", to_node="t")
    assert found(judge(in_time, items=items, tier="village"), "time.tier") == set()


def test_days_away_are_not_the_tiers(story, judge, item, found) -> None:
    items = [item(tier_limits=[TierLimit(tier="village", limit=Limit(amount=3, unit=1))])]
    told = (
        accepted(story)
        .then("2024-03-04 09:00", "handed_over", to_node="t")
        .then("2024-03-14 09:00", "signed_for", from_node="t")
    )
    assert found(judge(told, as_of="2024-03-18 20:00", items=items, tier="village"), "time.tier") == set()
    late = judge(told, as_of="2024-03-19 09:00", items=items, tier="village")
    assert found(late, "time.tier") == {("tier", RED)}


def test_a_certificate_is_out_in_three_days_where_that_is_told(story, judge, found) -> None:
    done = accepted(story).then("2024-03-08 09:00", "completion", result="issued")
    assert found(judge(done), "time.issue") == set()
    assert found(judge(done.then("2024-03-13 09:00", "certified")), "time.issue") == set()
    late = accepted(story).then("2024-03-08 09:00", "completion", result="issued")
    assert found(judge(late.then("2024-03-14 09:00", "certified")), "time.issue") == {("case", YELLOW)}


def test_who_comes_late_for_a_certificate_makes_nobody_here_late(story, judge, found) -> None:
    done = accepted(story).then("2024-03-08 09:00", "completion", result="issued")
    assert found(judge(done.then("2024-04-30 09:00", "collection")), "time.issue") == set()
    told = accepted(story).then("2024-03-08 09:00", "completion", result="issued")
    told = told.then("2024-03-13 09:00", "certified").then("2024-04-30 09:00", "collection")
    assert found(judge(told), "time.issue") == set()


def test_a_certificate_that_was_promised_and_is_not_out_is_found_while_it_is_not(story, judge, found) -> None:
    done = accepted(story).then("2024-03-08 09:00", "completion", result="issued", to_issue=True)
    assert found(judge(done, as_of="2024-03-13 20:00"), "time.issue") == set()
    assert found(judge(done, as_of="2024-03-14 09:00"), "time.issue") == {("case", YELLOW)}
    # Ten working days after Friday 8 March end on the 22nd.
    assert found(judge(done, as_of="2024-03-22 20:00"), "time.issue") == {("case", YELLOW)}
    assert found(judge(done, as_of="2024-03-23 20:00"), "time.issue") == {("case", YELLOW)}
    assert found(judge(done, as_of="2024-03-25 09:00"), "time.issue") == {("case", YELLOW), ("case", RED)}


@pytest.mark.parametrize(
    ("result", "reason", "raised"),
    [
        ("returned", "", True),
        ("void", "", True),
        ("other", "", True),
        ("returned", "sha256:00", False),
        ("withdrawn", "", False),
        ("issued", "", False),
    ],
)
def test_what_ends_otherwise_than_issued_says_why(story, judge, found, result, reason, raised) -> None:
    told = {"reason": reason} if reason else {}
    done = accepted(story).then("2024-03-08 09:00", "completion", result=result, **told)
    assert bool(found(judge(done), "result.reason")) is raised


# Procedure.


def in_steps(story, *steps):
    told = accepted(story)
    for day, (step, actor) in enumerate(steps, 4):
        told.then(f"2024-03-{day:02} 09:00", "step", actor, step=step)
    return told


def test_a_step_before_one_it_must_come_after(story, judge, item, found) -> None:
    items = [item(steps=STEPS)]
    right = in_steps(story, ("H", "H1"), ("R", "R1"), ("A", "B1"))
    wrong = in_steps(story, ("R", "R1"), ("H", "H1"), ("A", "B1"))
    assert found(judge(right, items=items), "procedure.order") == set()
    assert found(judge(wrong, items=items), "procedure.order") == {("step:R#1", YELLOW)}


def test_a_step_whose_predecessor_is_still_to_come_is_undetermined(
    story, judge, item, found, counted
) -> None:
    judged = judge(in_steps(story, ("R", "R1")), items=[item(steps=STEPS)])
    assert found(judged, "procedure.order") == set()
    assert counted(judged, "procedure.order") == (0, 1)


def test_a_completed_case_skipped_what_it_never_did(story, judge, item, found) -> None:
    items = [item(steps=STEPS)]
    told = in_steps(story, ("H", "H1"), ("A", "B1"))
    assert found(judge(told, items=items), "procedure.skipped") == set()
    told.then("2024-03-11 09:00", "completion", result="issued")
    assert found(judge(told, items=items), "procedure.skipped") == {("step:R#1", YELLOW)}
    whole = in_steps(story, ("H", "H1"), ("R", "R1"), ("A", "B1")).then("2024-03-11 09:00", "completion")
    assert found(judge(whole, items=items), "procedure.skipped") == set()


def test_a_case_that_was_withdrawn_skipped_nothing(story, judge, item, found) -> None:
    told = accepted(story).then("2024-03-11 09:00", "completion", result="withdrawn")
    assert found(judge(told, items=[item(steps=STEPS)]), "procedure.skipped") == set()


def test_a_step_by_somebody_without_authority(story, judge, item, found, counted) -> None:
    items = [item(steps=STEPS)]
    assert found(judge(in_steps(story, ("A", "B2")), items=items), "procedure.authority") == set()
    assert found(judge(in_steps(story, ("A", "H1")), items=items), "procedure.authority") == {
        ("step:A#1", RED)
    }
    nobody = judge(in_steps(story, ("A", "")), items=items)
    assert counted(nobody, "procedure.authority") == (0, 1)


def test_one_person_handles_and_approves(story, judge, item, found) -> None:
    items = [item(steps=STEPS)]
    same = judge(in_steps(story, ("H", "B1"), ("R", "R1"), ("A", "B1")), items=items)
    assert found(same, "procedure.same_person") == {("case", YELLOW)}
    assert {one.actor for one in same.finding_values() if one.rule.endswith("same_person")} == {"B1"}
    reviewed = in_steps(story, ("H", "H1"), ("R", "B1"), ("A", "B1"))
    assert found(judge(reviewed, items=items), "procedure.same_person") == set()


def test_roles_may_come_with_the_events(story, judge, found, counted) -> None:
    told = accepted(story)
    told.then("2024-03-04 09:00", "step", "P", step="X", role="handle")
    told.then("2024-03-05 09:00", "step", "P", step="Y", role="approve")
    assert found(judge(told, items=[]), "procedure.same_person") == {("case", YELLOW)}
    nameless = accepted(story)
    nameless.then("2024-03-04 09:00", "step", "", step="X", role="handle")
    nameless.then("2024-03-05 09:00", "step", "P", step="Y", role="approve")
    assert counted(judge(nameless, items=[]), "procedure.same_person") == (0, 1)


def test_completion_before_acceptance_or_without_any(story, judge, found) -> None:
    before = accepted(story).then("2024-03-01 09:30", "completion", result="issued")
    assert found(judge(before), "procedure.before_acceptance") == {("case", YELLOW)}
    never = story().then("2024-03-01 09:00", "application").then("2024-03-04 09:00", "completion")
    assert found(judge(never), "procedure.before_acceptance") == {("case", YELLOW)}
    at_once = accepted(story).then("2024-03-01 10:00", "completion", result="issued")
    assert found(judge(at_once), "procedure.before_acceptance") == set()
    taken_back = story().then("2024-03-01 09:00", "application")
    taken_back.then("2024-03-04 09:00", "completion", result="withdrawn")
    assert found(judge(taken_back), "procedure.before_acceptance") == set()


def test_an_item_outside_the_catalogue_of_the_day(story, judge, item, found, counted) -> None:
    day = 19_783  # 2024-03-01
    assert found(judge(accepted(story), items=[item(code="B")]), "procedure.unlisted") == {("case", YELLOW)}
    assert found(judge(accepted(story), items=[item(valid_from_day=day + 1)]), "procedure.unlisted")
    assert found(judge(accepted(story), items=[item(valid_from_day=day)]), "procedure.unlisted") == set()
    assert found(judge(accepted(story), items=[item(valid_to_day=day - 1)]), "procedure.unlisted")
    assert counted(judge(accepted(story), items=[]), "procedure.unlisted") == (0, 0)


# Fees.


@pytest.mark.parametrize(
    ("amount", "basis", "completed", "levels"),
    [
        (8_000, "发改价格规〔2016〕2559号", True, set()),
        (8_000, "", True, set()),  # the catalogue has the basis
        (8_001, "发改价格规〔2016〕2559号", False, {RED}),
        (5_000, "发改价格规〔2016〕2559号", False, set()),  # the rest may follow
        (5_000, "发改价格规〔2016〕2559号", True, {RED}),
    ],
)
def test_what_is_charged_is_the_standard(story, judge, item, found, amount, basis, completed, levels) -> None:
    published = item(has_fee=True, fee_fen=8_000, fee_basis="发改价格规〔2016〕2559号")
    told = accepted(story).then("2024-03-04 09:00", "fee", amount=amount, basis=basis)
    if completed:
        told.then("2024-03-05 09:00", "completion", result="issued")
    assert found(judge(told, items=[published]), "fee.unlawful") == {("case", level) for level in levels}


def test_any_charge_for_a_free_item_is_unlawful(story, judge, found) -> None:
    told = accepted(story).then("2024-03-04 09:00", "fee", amount=1, basis="内部规定")
    assert found(judge(told), "fee.unlawful") == {("case", RED)}


def test_without_a_standard_a_charge_is_undetermined_unless_it_has_no_basis(
    story, judge, found, counted
) -> None:
    based = accepted(story).then("2024-03-04 09:00", "fee", amount=100, basis="某办法")
    assert counted(judge(based, items=[]), "fee.unlawful") == (0, 1)
    bare = accepted(story).then("2024-03-04 09:00", "fee", amount=100)
    assert found(judge(bare, items=[]), "fee.unlawful") == {("case", RED)}
    stated = accepted(story, fee_due=100).then("2024-03-04 09:00", "fee", amount=100, basis="某办法")
    assert counted(judge(stated, items=[]), "fee.unlawful") == (1, 0)


# Corrections, refusals, pauses, entries.


def test_what_is_missing_is_told_once(story, judge, found) -> None:
    once = story().then("2024-03-01 09:00", "application").then("2024-03-04 09:00", "correction_told")
    assert found(judge(once, as_of="2024-03-05 09:00"), "correction.repeated") == set()
    once.then("2024-03-05 09:00", "correction_received").then("2024-03-06 09:00", "correction_told")
    assert found(judge(once, as_of="2024-03-07 09:00"), "correction.repeated") == {("correction:2", YELLOW)}


def test_what_is_missing_is_told_within_five_working_days(story, judge, found) -> None:
    in_time = story().then("2024-03-01 09:00", "application").then("2024-03-08 17:00", "correction_told")
    late = story().then("2024-03-01 09:00", "application").then("2024-03-11 09:00", "correction_told")
    assert found(judge(in_time, as_of="2024-03-12 09:00"), "correction.late") == set()
    assert found(judge(late, as_of="2024-03-12 09:00"), "correction.late") == {("correction:1", YELLOW)}


def test_five_days_run_again_from_the_receipt_of_corrections(story, judge, found) -> None:
    told = (
        story()
        .then("2024-03-01 09:00", "application")
        .then("2024-03-04 09:00", "correction_told")
        .then("2024-03-20 09:00", "correction_received")
        .then("2024-03-27 09:00", "correction_told")
    )
    assert found(judge(told, as_of="2024-03-28 09:00"), "correction.late") == set()


def test_a_refusal_says_why(story, judge, found) -> None:
    told = story().then("2024-03-01 09:00", "application")
    assert found(judge(told.then("2024-03-04 09:00", "refusal")), "refusal.reason") == {("case", YELLOW)}
    reasoned = story().then("2024-03-01 09:00", "application")
    reasoned.then("2024-03-04 09:00", "refusal", reason="sha256:00")
    assert found(judge(reasoned), "refusal.reason") == set()
    by_permit = accepted(story).then("2024-03-04 09:00", "completion", result="refused")
    assert found(judge(by_permit), "refusal.reason") == {("case", YELLOW)}


@pytest.mark.parametrize("missing", ["legal_basis", "approver"])
def test_a_special_procedure_names_its_law_and_its_approver(story, judge, found, missing) -> None:
    whole = accepted(story).then("2024-03-04 09:00", "pause", **PAUSED)
    assert found(judge(whole), "pause.basis") == set()
    partly = accepted(story).then("2024-03-04 09:00", "pause", **{**PAUSED, missing: ""})
    assert found(judge(partly), "pause.basis") == {("pause:1", YELLOW)}


def test_a_special_procedure_that_the_item_does_not_allow(story, judge, item, found) -> None:
    told = accepted(story).then("2024-03-04 09:00", "pause", **PAUSED)
    assert found(judge(told, items=[item(special_procedures=["testing"])]), "pause.basis") == set()
    hearing = judge(told, items=[item(special_procedures=["hearing"])])
    assert found(hearing, "pause.basis") == {("pause:1", YELLOW)}


@pytest.mark.parametrize(
    ("entered", "levels"),
    [
        ("2024-03-04 23:00", set()),  # Monday after Friday: the next working day
        ("2024-03-05 09:00", {NOTICE}),
        ("2024-03-08 23:00", {NOTICE}),
        ("2024-03-11 09:00", {NOTICE, YELLOW}),
    ],
)
def test_an_event_is_entered_by_the_next_working_day(story, judge, found, entered, levels) -> None:
    told = story().then("2024-03-01 09:00", "application", entered=entered)
    assert found(judge(told), "entered_late") == {("case", level) for level in levels}


def test_when_nobody_knows_when_it_was_entered_nothing_is_said(story, judge, found, counted) -> None:
    judged = judge(story().then("2024-03-01 09:00", "application", entered=None))
    assert found(judged, "entered_late") == set()
    assert counted(judged, "entered_late") == (0, 1)


# Acceptance by law (行政许可法 §32(4)).


def test_an_application_that_nobody_answers_counts_as_accepted_from_its_receipt(story, judge, at) -> None:
    told = story().then("2024-03-01 09:00", "application")
    before = judge(told, as_of="2024-03-08 23:59").cases.row(0, named=True)
    assert (before["state"], before["accepted_at_us"], before["statutory_due_us"]) == ("received", None, None)
    assert before["next_at_us"] == at("2024-03-09 00:00")
    after = judge(told, as_of="2024-03-09 00:00").cases.row(0, named=True)
    assert (after["state"], after["accepted_at_us"]) == ("accepted", at("2024-03-01 09:00"))
    assert after["statutory_due_us"] == at("2024-03-30 00:00") - 1


def test_accepting_late_does_not_move_the_start(story, judge, at) -> None:
    told = story().then("2024-03-01 09:00", "application").then("2024-03-12 09:00", "acceptance")
    assert judge(told).cases["accepted_at_us"].item() == at("2024-03-01 09:00")
    in_time = story().then("2024-03-01 09:00", "application").then("2024-03-08 09:00", "acceptance")
    assert judge(in_time).cases["accepted_at_us"].item() == at("2024-03-08 09:00")


def test_telling_in_time_waits_for_the_materials_and_telling_late_does_not(story, judge, at) -> None:
    waiting = story().then("2024-03-01 09:00", "application").then("2024-03-08 09:00", "correction_told")
    assert judge(waiting).cases["accepted_at_us"].item() is None
    unanswered = waiting.then("2024-04-08 09:00", "correction_received")
    assert judge(unanswered).cases["accepted_at_us"].item() == at("2024-04-08 09:00")
    late = story().then("2024-03-01 09:00", "application").then("2024-03-11 09:00", "correction_told")
    late.then("2024-03-12 09:00", "correction_received").then("2024-03-12 10:00", "acceptance")
    assert judge(late).cases["accepted_at_us"].item() == at("2024-03-01 09:00")


def test_the_five_days_are_policy(story, judge, at) -> None:
    told = story().then("2024-03-01 09:00", "application").then("2024-03-12 09:00", "acceptance")
    wider = Policy(settings={"approval.correction.late": Setting(limit_days=10)})
    off = Policy(settings={"approval.correction.late": Setting(disabled=True)})
    for policy in (wider, off):
        assert judge(told, policy=policy).cases["accepted_at_us"].item() == at("2024-03-12 09:00")
