"""One town, two villages: the one does everything wrong at once, the other nothing. Each fault is found as what it is, and nobody else accused."""

from dataclasses import replace

from zongheng.v1.entry_pb2 import ALERT_STATE_CORRECTED, AlertRaised, Entry

from federation.link.session import SessionStatus
from node.views import inspection
from tests.unit.projection.units import DAY, VILLAGE, item
from tests.unit.resupervision.family import Family, Make, family
from tests.unit.resupervision.test_standing import cancel, fold_only, reds

HONEST = "990102001002"


async def test_every_planted_fault_is_found_and_nothing_else(unit: Make) -> None:
    made: Family = await family(unit)
    honest = await unit(HONEST, now=made.hands)
    both = [VILLAGE, HONEST]
    begun = made.now
    made.look_after._sessions = lambda: [
        SessionStatus(node, "s" * 16, begun, made.now, 0, "", 0) for node in both
    ]
    await honest.told(item(), *(one for n in range(4) for one in honest.late(f"h-{n}")))
    await honest.catch_up()
    await honest.push_to(made.town)
    await made.town.catch_up()
    await honest.report_to(made.town)
    await made.town.catch_up()
    await made.looks(3)

    # It cancels its own red with no reason.
    card = (await reds(made.village))[0]
    await cancel(made.village, card, "S9", "")
    # It back-dates what an agency did.
    dated = []
    for n in range(25):
        entry = made.village.event(f"b-{n}", "application", made.now - 20 * DAY)
        entry.case_event.received_at_us, entry.case_event.agency = made.now, "A2"
        dated.append(entry)
    await made.village.told(*dated)
    await made.relayed()
    # It raises an alert that its journal does not bear out.
    lie = AlertRaised()
    lie.CopyFrom((await made.village.entries("alert_raised"))[0].alert_raised)
    lie.case_id, lie.alert_id = "c-none", "invented"
    await made.village.told(Entry(alert_raised=lie))
    # It hides one that it had to raise.
    await made.village.told(*made.village.late("hidden"))
    await fold_only(made.village)
    await made.village.push_to(made.town)
    await made.town.catch_up()
    await made.village.report_to(made.town)
    await made.town.catch_up()
    # It lies in its figures.
    true = (await made.village.rows())[0]
    false = replace(true, figures={**true.figures, "accepted": 99}, version=10**6)
    await made.town.reports.rows(VILLAGE, made.village.node.writer.size, [false])
    await made.town.catch_up()
    await made.looks(61)
    # It falls silent.
    both.remove(VILLAGE)
    for _ in range(9):
        await made.looks(600, every=10)

    told = [alert for alert in await made.town.alerts() if alert.domain == "resupervision"]
    assert {alert.case_id for alert in told} == {VILLAGE}
    standing = [alert for alert in told if alert.state != ALERT_STATE_CORRECTED]
    assert {alert.rule.removeprefix("resupervision.") for alert in standing} >= {
        "cancelled_unfounded", "back_filled", "wrongly_issued", "missing", "rollup", "silence",
    }  # fmt: skip
    subjects = {(alert.rule.removeprefix("resupervision."), alert.subject) for alert in standing}
    assert ("back_filled", "agency:A2") in subjects
    assert not any(rule == "back_filled" and subject != "agency:A2" for rule, subject in subjects)
    assert {subject for rule, subject in subjects if rule == "wrongly_issued"} == {"rerun:invented"}
    missing = [alert for alert in standing if alert.rule == "resupervision.missing"]
    measured = {one.alert_id: one for one in await made.measured()}
    cases = {
        figure.text
        for alert in missing
        for figure in measured[alert.alert_id].figures
        if figure.name == "case"
    }
    assert cases == {"hidden"}
    # Every alert about a child keeps the numbers it rests on.
    assert {alert.alert_id for alert in told} == measured.keys()

    by_node = {one.node: one for one in (await inspection.inspect(made.town.node, None)).nodes}
    assert (by_node[HONEST].wrong, by_node[HONEST].missing) == (0, 0)
    assert by_node[HONEST].right == len(await honest.alerts())
    assert by_node[VILLAGE].wrong == 1
    assert by_node[VILLAGE].missing == len(missing)
