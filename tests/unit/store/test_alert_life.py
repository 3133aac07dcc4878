"""Steps of alerts, what is on its way out, the audit trail and records of accountability, on every engine."""

from collections.abc import Callable

from node.store.access import AccessRow
from node.store.accountability import AccountabilityRow, DepartmentAlertRow
from node.store.alerts import AlertFilter
from node.store.facts import FactsFilter
from node.store.outbox import Outgoing
from node.store.receipts import ReceiptRow
from node.store.rows import AlertRecord, FactsRow
from node.store.steps import StepRow
from node.store.store import Store

NODE = "990102001"
OTHER = "990102002"

MakeAlert = Callable[..., AlertRecord]
PENDING, ISSUED, EXPLAINED = 1, 2, 3


def step(alert_id: str, idx: int, state: int, **other: str) -> StepRow:
    values = {"by_whom": "9001", "reason": "", "text": "", "files": "[]", "node": "", **other}
    return StepRow(NODE, alert_id, idx, 1_000 + idx, state, **values)


async def test_steps_are_told_by_level_state_and_agency(store: Store, alert: MakeAlert) -> None:
    red = alert("al-1", level=3, idx=1, agency="ZR")
    notice = alert("al-2", level=1, idx=2, agency="MZ", subject="step:H#1")
    raised = [step("al-1", 1, PENDING), step("al-2", 2, ISSUED)]
    moves = [step("al-1", 5, ISSUED), step("al-1", 7, EXPLAINED, reason="停电", text="sha256:ab")]
    async with store.write() as session:
        await session.alerts.insert([red, notice])
        await session.steps.put([*raised, *moves])
        await session.steps.put(moves)
    async with store.read() as session:
        steps = session.steps
        assert (await steps.of_alerts(NODE, ["al-1", "al-2"]))["al-1"] == [raised[0], *moves]
        everything = [(1, (ISSUED,)), (3, (ISSUED, EXPLAINED))]
        told = await steps.told(NODE, everything, None, 10)
        assert [(one.step.idx, one.alert.alert_id) for one in told] == [(2, "al-2"), (5, "al-1"), (7, "al-1")]
        assert [one.step.idx for one in await steps.told(NODE, everything, None, 2, newest=True)] == [7, 5]
        assert [one.step.idx for one in await steps.told(NODE, everything, ["MZ"], 10)] == [2]
        between = await steps.told(NODE, everything, None, 10, after_idx=2, upto_idx=5)
        assert [one.step.idx for one in between] == [5]
        assert await steps.told(NODE, everything, [], 10) == await steps.told(NODE, [], None, 10) == []
        # Being raised is no move.
        assert await steps.moved(NODE, (PENDING, ISSUED), 0, 10) == ["al-1"]
        assert await steps.moved(NODE, (ISSUED,), 6, 10) == await steps.moved(NODE, (ISSUED,), 3, 3) == []
        narrow = AlertFilter(agencies=("ZR",))
        assert [one.alert_id for one in await session.alerts.page(NODE, narrow, 10)] == ["al-1"]
        assert await session.alerts.page(NODE, AlertFilter(agencies=()), 10) == []


async def test_what_somebody_has_read_never_goes_back(store: Store) -> None:
    async with store.write() as session:
        assert await session.steps.read_to("1001") == -1
        for idx in (7, 3):
            await session.steps.set_read("1001", idx)
        assert await session.steps.read_to("1001") == 7


async def test_a_message_waits_until_it_is_taken(store: Store) -> None:
    first = Outgoing("mail/1/0-5", "mail", "a@b.example", "{}", 10, 10, 0)
    later = Outgoing("webhook/oa/0-5/0", "webhook", "oa", "{}", 10, 20, 0)
    async with store.write() as session:
        await session.outbox.put([first, later])
        await session.outbox.put([first._replace(body="other")])
        assert await session.outbox.due(15, 10) == [first]
        await session.outbox.again(first.id, 40)
        assert await session.outbox.due(30, 10) == [later]
        await session.outbox.done(later.id)
        assert await session.outbox.due(50, 10) == [first._replace(next_at_us=40, attempts=1)]
        assert await session.outbox.count() == 1


async def test_the_trail_is_read_by_who_and_kind_in_the_journals_order(store: Store) -> None:
    rows = [
        AccessRow(NODE, 1, 5, "login", "1001", "", "", "10.0.0.1"),
        AccessRow(NODE, 2, 6, "read", "1001", "case c-1/evidence", "复核", "10.0.0.1"),
        AccessRow(NODE, 4, 7, "refused", "1002", "GET /api/audit", "", ""),
        AccessRow(OTHER, 1, 5, "login", "1001", "", "", ""),
    ]
    async with store.write() as session:
        await session.access.put(rows)
        await session.access.put(rows[:1])
        assert await session.access.page(NODE, 10) == rows[:3]
        assert await session.access.page(NODE, 10, who="1001", kind="read") == [rows[1]]
        assert await session.access.page(NODE, 1, after_idx=1) == [rows[1]]


async def test_departments_alerts_and_records_come_back_in_order(store: Store) -> None:
    alerts = [
        DepartmentAlertRow(NODE, 3, "department/oa", "1", "c-2", "ZR", 3, "", 100, "", ""),
        DepartmentAlertRow(NODE, 2, "department/oa", "2", "c-1", "ZR", 2, "R1", 200, "督办", "1001"),
    ]
    steps = [
        AccountabilityRow(NODE, "r-1", idx, idx, kind, "1001", "ZR", '["al-1"]', "", "", "b1", "x", "", "[]")
        for idx, kind in ((5, "opened"), (9, "decided"))
    ]
    async with store.write() as session:
        held = session.accountability
        await held.put_alerts(alerts)
        await held.put_alerts(alerts)
        await held.put_steps(steps)
        assert await held.alerts(NODE, 0, 1_000) == alerts[::-1]
        assert await held.alerts(NODE, 100, 200) == alerts[:1]
        assert await held.record(NODE, "r-1") == await held.steps(NODE) == steps
        assert await held.record(OTHER, "r-1") == []


async def test_cases_are_found_by_applicant_and_by_several_agencies(
    store: Store, facts: Callable[..., FactsRow]
) -> None:
    rows = [
        facts("c-1", agency="ZR", applicant="p-x"),
        facts("c-2", agency="MZ", applicant="p-x"),
        facts("c-3", agency="GA", applicant="p-y"),
    ]
    async with store.write() as session:
        await session.facts.upsert(rows)
        assert [row.case_id for row in await session.facts.of_applicant(NODE, "p-x")] == ["c-1", "c-2"]
        narrow = FactsFilter(agencies=("ZR", "GA"))
        assert await session.facts.count(NODE, narrow) == 2
        assert await session.facts.count(NODE, FactsFilter(agencies=())) == 0


async def test_receipts_are_found_by_the_stretch_they_lie_in(store: Store) -> None:
    async with store.write() as session:
        await session.receipts.put([ReceiptRow(NODE, OTHER, at, idx) for at, idx in ((1, 4), (2, 8), (3, 9))])
        assert await session.receipts.between(NODE, 4, 9) == [4, 8]
        assert await session.receipts.between(OTHER, 0, 99) == []
