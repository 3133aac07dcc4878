"""A parent looks after its child: planted faults are found, each as what it is, and nobody else is accused."""

from dataclasses import replace

from zongheng.v1.catalogue_pb2 import LEVEL_RED
from zongheng.v1.entry_pb2 import (
    ALERT_STATE_CANCELLED,
    ALERT_STATE_CORRECTED,
    ALERT_STATE_ISSUED,
    ALERT_STATE_PENDING,
    AlertCorrected,
    AlertMoved,
    AlertRaised,
    AlertState,
    Entry,
)
from zongheng.v1.identity_pb2 import ENROLMENT_STATE_ENROLLED, ENROLMENT_STATE_REVOKED

from node.store.rows import AlertRecord, ChildRow
from node.views.message import message
from tests.unit.projection.units import DAY, MONDAY, VILLAGE, Unit
from tests.unit.resupervision.family import HOUR, MINUTE, Make, family

LATE = 61
"""Minutes after which a child had all the time it is given."""


async def reds(unit: Unit) -> list[AlertRecord]:
    return [alert for alert in await unit.alerts() if alert.level == LEVEL_RED]


async def test_a_child_that_does_as_it_should_is_accused_of_nothing(unit: Make) -> None:
    made = await family(unit)
    await made.looks(LATE)
    assert await made.found() == set()
    assert await made.measured() == []


async def test_a_silent_child_is_told_of_level_by_level_and_cleared_when_it_is_heard_of_again(
    unit: Make,
) -> None:
    made = await family(unit)
    await made.looks()
    made.connected = False
    # Friday 10:00 to Monday: a weekend is no silence, a night neither.
    await made.looks(12 * 60, every=10)
    silent = {alert.level for alert in await made.about() if alert.rule == "resupervision.silence"}
    assert silent == {1}
    for _ in range(9):
        await made.looks(600, every=10)
    levels = {(alert.rule, alert.level) for alert in await made.about()}
    assert ("resupervision.absence", 2) in levels
    (first,) = [one for one in await made.about() if (one.rule, one.level) == ("resupervision.silence", 1)]
    words = message(first, "Asia/Shanghai", "en")
    assert VILLAGE in words
    assert str(first.over) in words
    made.connect()
    await made.looks()
    assert await made.found() == set()
    assert len(await made.town.entries("alert_corrected")) == len(await made.town.entries("child_measured"))


async def test_a_parent_that_was_down_for_nine_days_accuses_nobody_of_them_and_does_not_flood(
    unit: Make,
) -> None:
    made = await family(unit)
    await made.looks()
    await made.look_after.close()
    made.now += 9 * DAY
    made.connected = False
    made.begin()
    await made.looks(30)
    assert await made.found() == set()
    # It stays silent now: that counts, and is told once though the parent is started again and again.
    for _ in range(14):
        await made.looks(60 * 6, every=10)
        await made.look_after.close()
        made.begin()
    told = await made.about()
    assert {alert.rule for alert in told} == {"resupervision.silence", "resupervision.absence"}
    assert len({(alert.rule, alert.level) for alert in told}) == len(told)
    assert all(alert.episode == 1 for alert in told)


async def test_an_alert_that_a_child_hides_is_missed_once_it_had_the_time(unit: Make) -> None:
    made = await family(unit)
    await made.looks()
    # A journal that goes on without the alert that its events call for.
    await made.village.told(*made.village.late("hidden"))
    await fold_only(made.village)
    await made.village.push_to(made.town)
    await made.town.catch_up()
    await made.looks(5)
    assert await made.found() == set()
    await made.village.report_to(made.town)
    await made.looks(LATE)
    found = await made.about()
    assert {alert.rule for alert in found} == {"resupervision.missing"}
    assert max(alert.level for alert in found) == LEVEL_RED
    figures = {figure.name: figure for one in await made.measured() for figure in one.figures}
    assert figures["case"].text == "hidden"
    # It raises what it owed: the accusation is taken back.
    await made.relayed()
    await made.looks(3)
    assert await made.found() == set()


async def fold_only(unit: Unit) -> None:
    """Read and fold the own journal, and raise nothing: what a child that hides an alert would do."""
    projector = unit.node.projector
    async with unit.node.store.read() as session:
        heads = await session.journal.heads()
    head = next(one for one in heads if one.origin == unit.code)
    while await projector.reader.read(head):
        pass
    await projector.folding.fold(unit.code, _at_once)


async def _at_once() -> None:
    pass


async def test_time_in_which_a_child_was_away_is_no_time_to_raise_anything(unit: Make) -> None:
    made = await family(unit)
    await made.looks()
    await made.village.told(*made.village.late("hidden"))
    await fold_only(made.village)
    await made.village.push_to(made.town)
    await made.town.catch_up()
    await made.village.report_to(made.town)
    await made.looks(2)
    made.connected = False
    await made.looks(90)
    made.connect()
    await made.looks(3)
    assert await made.found() == set()


async def test_an_alert_taken_back_though_it_holds_is_missing(unit: Make) -> None:
    made = await family(unit)
    await made.looks()
    (card, *_) = await reds(made.village)
    corrected = AlertCorrected(alert_id=card.alert_id, cause="late event", as_of_us=made.now)
    await made.village.told(Entry(alert_corrected=corrected))
    async with made.village.node.store.write() as session:
        await session.alerts.set_states(VILLAGE, [(card.alert_id, ALERT_STATE_CORRECTED)])
    await made.relayed()
    await made.looks(LATE)
    assert {(rule, level) for rule, _, level in await made.found()} == {("missing", 3)}


async def test_an_alert_that_its_journal_does_not_bear_out_is_wrongly_issued(unit: Make) -> None:
    made = await family(unit)
    true = (await made.village.entries("alert_raised"))[0].alert_raised
    lies: list[AlertRaised] = []
    for name, change in (
        ("another case", {"case_id": "c-none"}),
        ("another instant", {"since_us": true.since_us + HOUR}),
        ("entries to come", {"journal_size": 10**6}),
        ("an instant to come", {"as_of_us": made.now + DAY}),
        ("an instant that cannot be", {"as_of_us": -1, "since_us": -2}),
        ("a policy of its own", {"policy_version": 77}),
        ("a level of its own", {"level": LEVEL_RED if true.level != LEVEL_RED else 1}),
    ):
        lie = AlertRaised()
        lie.CopyFrom(true)
        for field_name, value in change.items():
            setattr(lie, field_name, value)
        lie.alert_id = name
        lie.episode = 10 + len(lies)
        lies.append(lie)
    await made.village.told(*(Entry(alert_raised=lie) for lie in lies))
    await made.relayed(report=False)
    await made.looks(2)
    wrong = {subject for rule, subject, _ in await made.found() if rule == "wrongly_issued"}
    assert wrong == {f"rerun:{lie.alert_id}" for lie in lies}


async def test_what_came_later_makes_no_alert_wrong(unit: Make) -> None:
    made = await family(unit)
    # A completion entered late takes the cards back; at their own instant they were right.
    await made.village.told(made.village.event("c-0", "completion", MONDAY + DAY))
    await made.relayed()
    assert [entry for entry in await made.village.entries("alert_corrected")]
    await made.looks(LATE)
    assert {one for one in await made.found() if one[0] in ("wrongly_issued", "missing")} == set()


async def test_a_card_cancelled_without_a_reason_or_by_whom_it_concerns_is_told_of(unit: Make) -> None:
    made = await family(unit)
    first, second, third, *_ = await reds(made.village)
    for card, by, reason in (
        (first, "S9", ""),
        (second, "S7", "it was not so"),
        (third, "S9", "seen"),
    ):
        await cancel(made.village, card, by, reason)
    await made.relayed()
    await made.looks()
    assert await made.found() == {
        ("cancelled_unfounded", f"alert:{first.alert_id}", 3),
        ("cancelled_unfounded", f"alert:{second.alert_id}", 2),
    }


async def cancel(unit: Unit, card: AlertRecord, by: str, reason: str) -> None:
    state = AlertState.ValueType(ALERT_STATE_CANCELLED)
    await unit.told(Entry(alert_moved=AlertMoved(alert_id=card.alert_id, state=state, by=by, reason=reason)))
    async with unit.node.store.write() as session:
        await session.alerts.set_states(unit.code, [(card.alert_id, ALERT_STATE_CANCELLED)])


async def test_cards_that_nobody_answers_are_told_of_by_agency(unit: Make) -> None:
    made = await family(unit)
    await made.looks()
    made.now += 8 * DAY
    made.connect()
    await made.looks()
    found = await made.about()
    assert {(alert.rule, alert.subject) for alert in found} == {("resupervision.unanswered", "agency:A1")}
    assert max(alert.level for alert in found) == 2
    figures = {figure.name: figure.number for figure in (await made.measured())[0].figures}
    assert figures["alerts"] == 8


async def test_a_child_owes_no_reply_to_what_it_found_about_others(unit: Make) -> None:
    made = await family(unit)
    (first, *_) = [entry.alert_raised for entry in await made.village.entries("alert_raised")]
    cards = []
    for domain, rule in (
        ("resupervision", "resupervision.silence"),
        ("directive", "directive.due"),
        ("life", "life.reply"),
        ("directive", "directive.time.whole"),
    ):
        card = AlertRaised()
        card.CopyFrom(first)
        card.domain, card.rule, card.case_id, card.alert_id = domain, rule, f"about-{rule}", f"id-{rule}"
        card.agency, card.level, card.state = domain + rule, LEVEL_RED, ALERT_STATE_PENDING
        issued = AlertMoved(alert_id=card.alert_id, state=AlertState.ValueType(ALERT_STATE_ISSUED), by="S9")
        cards += [Entry(alert_raised=card), Entry(alert_moved=issued)]
    await made.village.told(*cards)
    await made.relayed()
    made.now += 8 * DAY
    made.connect()
    await made.looks()
    told = {subject for rule, subject, _ in await made.found() if rule == "unanswered"}
    assert told == {"agency:A1", "agency:directivedirective.time.whole"}


async def test_records_entered_late_are_told_of_by_agency_and_few_of_them_by_nobody(unit: Make) -> None:
    made = await family(unit)

    def late(case: str, agency: str) -> Entry:
        entry = made.village.event(case, "application", made.now - 20 * DAY)
        entry.case_event.received_at_us = made.now
        entry.case_event.agency = agency
        return entry

    await made.village.told(
        *(late(f"b-{n}", "A2") for n in range(30)), *(late(f"f-{n}", "A3") for n in range(3))
    )
    await made.relayed()
    await made.looks()
    back_filled = {one for one in await made.found() if one[0] == "back_filled"}
    assert back_filled == {("back_filled", "agency:A2", level) for level in (1, 2, 3)}


async def test_figures_that_are_not_the_journals_are_told_of_until_they_are_put_right(unit: Make) -> None:
    made = await family(unit)
    true = (await made.village.rows())[0]
    lie = replace(true, figures={**true.figures, "accepted": 99}, version=true.version + 1)
    await made.town.reports.rows(VILLAGE, made.village.node.writer.size, [lie])
    await made.town.catch_up()
    await made.looks()
    assert await made.found() == {("rollup", "rollup", 2)}
    await made.town.reports.rows(
        VILLAGE, made.village.node.writer.size, [replace(true, version=true.version + 2)]
    )
    await made.town.catch_up()
    await made.looks()
    assert await made.found() == set()


async def test_a_clock_out_of_step_is_told_of_also_while_the_child_is_away(unit: Make) -> None:
    made = await family(unit)
    made.offset_ms = -7_200_000
    await made.looks()
    found = {("clock", "clock:offset", level) for level in (1, 2, 3)}
    assert await made.found() == found
    made.connected = False
    await made.looks(2)
    made.connect()
    made.offset_ms = None
    await made.looks(2)
    assert await made.found() == found
    made.offset_ms = 15
    await made.looks()
    assert await made.found() == set()


async def test_a_clock_that_was_turned_back_shows_in_the_journal(unit: Make) -> None:
    made = await family(unit)
    now = made.now
    made.now -= 3 * HOUR
    await made.village.told(made.village.event("c-0", "step", MONDAY))
    made.now = now
    await made.relayed()
    await made.looks()
    assert {(rule, level) for rule, _, level in await made.found()} == {
        ("clock", 1),
        ("clock", 2),
        ("clock", 3),
    }


async def test_a_rewritten_journal_is_red_and_rises(unit: Make) -> None:
    made = await family(unit)
    await made.town.node.children.fork(VILLAGE, "held", "shown", "the roots differ")
    await made.town.catch_up()
    await made.looks()
    assert {(rule, level) for rule, _, level in await made.found()} == {("fork", 3)}


async def test_entries_that_a_head_names_and_that_do_not_come_are_a_lag_only_while_connected(
    unit: Make,
) -> None:
    made = await family(unit)
    await made.village.told(*made.village.late("kept back"))
    await made.village.catch_up()
    card = made.village.node.tree.own
    shown = type(card)()
    shown.CopyFrom(card)
    shown.checkpoint, shown.checkpoint_at_us = made.village.node.writer.note, made.now
    await made.town.reports.cards(VILLAGE, [shown])
    made.connected = False
    await made.looks(120)
    assert {rule for rule, _, _ in await made.found()} <= {"silence"}
    made.connect()
    await made.looks(40)
    assert ("lag", "lag", 1) in await made.found()
    await made.relayed()
    await made.looks(2)
    assert await made.found() == set()


async def test_a_rebuild_accuses_and_clears_nobody(unit: Make) -> None:
    made = await family(unit)
    card = (await reds(made.village))[0]
    await cancel(made.village, card, "S9", "")
    await made.relayed()
    await made.looks(2)
    before = {alert.alert_id for alert in await made.about()}
    assert before
    size = made.town.node.writer.size
    await made.town.node.projector.rebuild()
    made.look_after.forget()
    await made.looks(3)
    assert {alert.alert_id for alert in await made.about()} == before
    assert made.town.node.writer.size == size


async def test_what_a_person_closed_stays_closed_for_that_stretch_and_the_next_one_is_another_episode(
    unit: Make,
) -> None:
    made = await family(unit)
    await made.looks()
    made.connected = False
    made.now += MINUTE
    await made.looks(12 * 60, every=10)
    (silent,) = await made.about()
    await cancel(made.town, silent, "S1", "announced maintenance")
    await made.looks(30)
    assert [one.alert_id for one in await made.about()] == [silent.alert_id]
    made.connect()
    await made.looks()
    made.connected = False
    for _ in range(9):
        await made.looks(600, every=10)
    again = [one for one in await made.about() if (one.rule, one.level) == (silent.rule, 1)]
    assert {one.episode for one in again} == {1, 2}


async def test_alerts_about_a_child_count_in_the_parents_figures(unit: Make) -> None:
    made = await family(unit)
    made.offset_ms = 400_000
    await made.looks()
    await made.town.catch_up()
    rows = [row for row in await made.town.rows() if row.domain == "resupervision"]
    assert sum(row.figures.get("yellow", 0) for row in rows) == 1
    assert sum(row.figures.get("notice", 0) for row in rows) == 1


async def test_a_child_that_is_enrolled_and_never_comes_is_told_of_and_one_that_is_revoked_is_not(
    unit: Make,
) -> None:
    made = await family(unit)
    await made.looks()

    async def enrolled(state: int) -> None:
        row = ChildRow(
            "990102001009", "village", "village", "x", state, b"", b"", b"", "l", "v", "i", b"", made.now, ""
        )
        async with made.town.node.store.write() as session:
            await session.children.put(row)

    await enrolled(ENROLMENT_STATE_ENROLLED)
    for _ in range(26):
        await made.looks(180, every=10)
    told = [alert for alert in await made.town.alerts() if alert.case_id == "990102001009"]
    assert {(alert.rule, alert.level) for alert in told} == {("resupervision.never_heard", 1)}
    await enrolled(ENROLMENT_STATE_REVOKED)
    for _ in range(60):
        await made.looks(180, every=10)
    told = [alert for alert in await made.town.alerts() if alert.case_id == "990102001009"]
    assert [alert.level for alert in told] == [1]
