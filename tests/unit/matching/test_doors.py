"""The doors of the matching: keys ordered, registers loaded, findings read, and who may do which."""

from datetime import date

import pytest

from federation.errors import ZonghengError
from node.matching.keys import KEEP_DAYS, OVERLAP_DAYS, year_of
from node.people.caller import OPERATOR
from node.people.roles import GRANTS, Act, Role
from node.supervision.calendar import EPOCH_ORDINAL
from node.views import matching as views
from node.views.explanation import explain
from node.web.access import NEEDED
from tests.unit.matching.district import EAST, WEST, Make, district, handed_in, payment
from tests.unit.matching.numbers import resident
from tests.unit.projection.units import COUNTY, DAY, NOW

WANG = resident(1)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH_ORDINAL


async def test_a_yearly_key_is_followed_by_the_next_and_destroyed_when_its_time_is_over(unit: Make) -> None:
    made = await district(unit, EAST)
    node = made.county.node
    form = views.IssueKey(purpose="payee", year=2026, by="S1", reason="the year begins")
    (key,) = (await views.issue(node, OPERATOR, form)).keys
    assert (key.key, key.from_day, key.to_day, key.open) == (
        f"{COUNTY}/payee/1",
        "2025-10-01",
        "2026-12-31",
        True,
    )
    await node.linkage_keys.look(day("2026-09-30"))
    assert len(await node.linkage_keys.rows()) == 1
    await node.linkage_keys.look(day("2026-10-01"))
    await node.linkage_keys.look(day("2026-10-01"))
    assert [(row.number, row.from_day) for row in await node.linkage_keys.rows()] == [
        (1, year_of(day("2026-06-01"))[0]),
        (2, day("2027-01-01") - OVERLAP_DAYS),
    ]
    await node.linkage_keys.look(day("2026-12-31") + KEEP_DAYS)
    assert [row.closed for row in await node.linkage_keys.rows()][:2] == [0, 0]
    await node.linkage_keys.look(day("2026-12-31") + KEEP_DAYS + 1)
    first = (await node.linkage_keys.rows())[0]
    assert (first.closed, first.secret) == (1, b"")


async def test_an_order_that_makes_no_key_is_refused(unit: Make) -> None:
    made = await district(unit, EAST)
    node = made.county.node
    for form, why in (
        ({"purpose": "citizen", "year": 2026}, "no purpose"),
        ({"purpose": "payee"}, "for which year"),
        (
            {"purpose": "payee", "year": 2026, "from_day": "2026-01-01", "to_day": "2026-02-01"},
            "for which year",
        ),
        ({"purpose": "payee", "from_day": "2026-02-01", "to_day": "2026-01-01"}, "after its first"),
        ({"purpose": "payee", "year": 2026, "replaces": [7]}, "no key 7"),
    ):
        with pytest.raises(ZonghengError, match=why):
            await views.issue(
                node, OPERATOR, views.IssueKey.model_validate({**form, "by": "S1", "reason": "r"})
            )
    with pytest.raises(ZonghengError, match="no key 1"):
        await views.close(node, OPERATOR, "payee", 1, views.CloseKey(by="S1", reason="r"))
    assert await node.linkage_keys.rows() == []


async def test_a_town_cannot_issue_for_above_and_a_stranger_gets_no_key(unit: Make) -> None:
    made = await district(unit)
    await made.issue("bidder")
    # Towns have no trading: the key stays with the county.
    for town in (EAST, WEST):
        assert await made.units[town].node.linkage_keys.rows() == []
    await made.issue()
    assert [row.name for row in await made.units[EAST].node.linkage_keys.rows()] == [f"{COUNTY}/payee/1"]
    assert len(await made.county.entries("linkage_key")) == 2 + 2


async def test_a_register_loaded_again_enters_only_what_is_new(unit: Make) -> None:
    made = await district(unit, EAST)
    node = made.county.node
    lines = [views.RegisterLine(id_number=resident(n), day=date(2026, 1, n)) for n in range(1, 6)]
    lines.append(views.RegisterLine(id_number="123", day=date(2026, 1, 1)))
    first = await views.load(node, OPERATOR, views.LoadRegister(register="deaths", rows=lines, by="S1"))
    assert (first.rows, first.new, first.nobody) == (6, 5, 1)
    lines.append(views.RegisterLine(id_number=resident(9), day=date(2026, 2, 1)))
    again = await views.load(node, OPERATOR, views.LoadRegister(register="deaths", rows=lines, by="S1"))
    assert (again.new, again.nobody) == (1, 1)
    with pytest.raises(ZonghengError, match="is no register"):
        await views.load(node, OPERATOR, views.LoadRegister(register="births", rows=[], by="S1"))


async def test_findings_show_each_half_and_how_far_its_node_is(unit: Make) -> None:
    made = await district(unit)
    await made.issue()
    await handed_in(made.towns[0], payment(WANG, "e-1"))
    await handed_in(made.towns[1], payment(WANG, "w-1"))
    await made.pass_on(3)
    (found,) = (await views.findings(made.county.node, OPERATOR)).findings
    assert (found.level, found.measure, found.at_least, found.from_above) == ("red", 2, 2, False)
    assert {(half.node, half.case, half.state) for half in found.halves} == {
        (EAST, "e-1", "issued"),
        (WEST, "w-1", "issued"),
    }
    (half,) = (await views.findings(made.towns[0].node, OPERATOR)).findings
    assert half.from_above
    assert {(one.node, one.case) for one in half.halves} == {(EAST, "e-1"), (WEST, "")}
    told = await explain(made.county.node, OPERATOR, found.alert)
    assert (told.measure, told.at_least, len(told.figures)) == (2, 2, 2)
    status = await views.status(made.county.node)
    assert (status.waiting, [key.tokens for key in status.keys]) == (0, [2])


async def test_keys_are_not_kept_by_who_looks_at_cases() -> None:
    keepers = {role for role, acts in GRANTS.items() if Act.KEEP_KEYS in acts}
    assert keepers == {Role.SECURITY_ADMINISTRATOR}
    assert not {Act.READ_CASES, Act.READ_PERSONS, Act.READ_ALERTS} & GRANTS[Role.SECURITY_ADMINISTRATOR]
    assert NEEDED["POST", "/api/matching/keys"] is Act.KEEP_KEYS


async def test_tokens_of_two_purposes_two_roles_and_two_keys_say_nothing_about_each_other(unit: Make) -> None:
    made = await district(unit, EAST)
    await made.issue()
    await made.issue()
    await handed_in(
        made.county,
        payment(WANG, "c-1", household=resident(3), at_us=NOW - DAY),
        payment(resident(3), "c-2", name="李强", household=WANG, at_us=NOW - DAY),
    )
    await made.pass_on()
    rows = await made.rows()
    assert len(rows) == len({row.token for row in rows}) == 8
    assert {row.key for row in rows} == {f"{COUNTY}/payee/1", f"{COUNTY}/payee/2"}
