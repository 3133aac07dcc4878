"""A payee paid twice in two towns, a deceased one, one hand behind several bidders: from intake to the alert, and back down to each half."""

import pytest
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.catalogue_pb2 import Policy, RuleSetting
from zongheng.v1.engine_pb2 import Library, LibraryRow
from zongheng.v1.entry_pb2 import ALERT_STATE_CORRECTED, ALERT_STATE_ISSUED, Entry
from zongheng.v1.identity_pb2 import ENROLMENT_STATE_REVOKED
from zongheng.v1.intake_pb2 import Submission
from zongheng.v1.matching_pb2 import LinkageTokens, Linked

from node.matching import matching
from node.matching.registers import load
from node.matching.rules import CEILING, COMPETING, DECEASED, SAME, TWICE
from node.people.caller import OPERATOR
from node.store.rows import AlertRecord, ChildRow
from node.views.erasure import Erase, erase
from tests.unit.lane_down.handing import hand_down
from tests.unit.matching.district import EAST, TODAY, WEST, Make, bid, district, handed_in, payment
from tests.unit.matching.numbers import credit_code, resident
from tests.unit.projection.units import COUNTY, DAY, NOW

WANG, LI = resident(1), resident(2)


def closed(case: str) -> Submission:
    """The case of a payment ends."""
    event = CaseEvent(
        case_id=case, domain="funds", kind="closed", at_us=NOW - 10 * DAY, received_at_us=NOW, agency="CZ"
    )
    return Submission(serial=f"closed-{case}", event=event)


def kinds(alerts: list[AlertRecord]) -> list[tuple[str, str, int]]:
    return [(one.rule, one.subject, one.over) for one in alerts if one.state != ALERT_STATE_CORRECTED]


async def test_a_payee_in_two_towns_is_found_and_each_town_explains_its_half(unit: Make) -> None:
    made = await district(unit)
    east, west = made.towns
    await made.issue()
    await handed_in(east, payment(WANG, "e-1"), payment(LI, "e-2", name="李强"))
    await handed_in(west, payment(WANG.lower(), "w-1"))
    await made.pass_on()
    assert kinds(await made.found()) == [(TWICE, "payee:G/2026", 2)]
    (evidence,) = await made.evidence()
    assert {(half.node, half.case_id) for half in evidence.halves} == {(EAST, "e-1"), (WEST, "w-1")}
    for town, case in ((EAST, "e-1"), (WEST, "w-1")):
        (half,) = await made.found(town)
        assert (half.rule, half.agency, half.actor) == (TWICE, "CZ", "S7")
        (notice,) = [
            Entry.FromString(entry.received.leaf).match_notice
            for entry in await made.units[town].entries("received")
            if Entry.FromString(entry.received.leaf).HasField("match_notice")
        ]
        # It is told its own case and the other's name, not the other's case.
        assert [one.case_id for one in notice.halves] == [case]
        assert list(notice.others) == [WEST if town == EAST else EAST]
    # Looking again, and reading everything again, finds nothing new.
    await made.pass_on()
    await made.county.node.projector.rebuild()
    await made.pass_on()
    assert len(await made.found()) == 1


async def test_nobodys_number_leaves_its_node(unit: Make) -> None:
    made = await district(unit)
    await made.issue()
    await handed_in(made.towns[0], payment(WANG, "e-1"))
    await made.pass_on()
    key = (await made.county.node.linkage_keys.open_keys())[0].secret
    for one in made.units.values():
        async with one.node.store.read() as session:
            leaves = await session.journal.leaves(one.code, 0, 10_000)
        assert not any(secret in leaf for leaf in leaves for secret in (WANG.encode(), "王芳".encode(), key))
    assert {row.origin for row in await made.rows()} == {EAST}


async def test_two_people_of_one_name_are_two_and_nobody_is_found(unit: Make) -> None:
    made = await district(unit)
    await made.issue()
    await handed_in(made.towns[0], payment(WANG, name="王芳"), payment("", name="王芳"))
    await handed_in(made.towns[1], payment(LI, name="王芳"), payment("无", name="王芳"))
    await made.pass_on()
    assert await made.found() == []


async def test_an_erased_person_stops_matching(unit: Make) -> None:
    made = await district(unit)
    east, west = made.towns
    await made.issue()
    await handed_in(east, payment(WANG, "e-1"), closed("e-1"))
    await handed_in(west, payment(WANG, "w-1"))
    await made.pass_on()
    assert len(kinds(await made.found())) == 1
    form = Erase(name="王芳", id_number=WANG, by="S9", reason="asked for it")
    await erase(east.node, OPERATOR, form)
    await made.pass_on(3)
    assert kinds(await made.found()) == []
    assert {row.origin for row in await made.rows()} == {WEST}
    # Those who were told are told that it is over.
    for town in (EAST, WEST):
        assert [one.state for one in await made.found(town)] == [ALERT_STATE_CORRECTED]
    # Another key finds nobody either.
    await made.issue()
    assert kinds(await made.found()) == []


async def test_a_key_that_comes_later_finds_what_was_paid_before(unit: Make) -> None:
    made = await district(unit)
    east, west = made.towns
    await handed_in(east, payment(WANG, "e-1"))
    await handed_in(west, payment(WANG, "w-1"))
    await made.pass_on()
    assert await made.rows() == []
    await made.issue()
    await made.pass_on()
    assert kinds(await made.found()) == [(TWICE, "payee:G/2026", 2)]


async def test_after_a_change_of_key_old_tokens_stay_comparable_and_one_match_is_one_alert(
    unit: Make,
) -> None:
    made = await district(unit)
    east, west = made.towns
    await made.issue()
    await handed_in(east, payment(WANG, "e-1"))
    await made.pass_on()
    await made.issue()
    await handed_in(west, payment(WANG, "w-1"))
    await made.pass_on()
    assert {row.key for row in await made.rows()} == {f"{COUNTY}/payee/1", f"{COUNTY}/payee/2"}
    assert kinds(await made.found()) == [(TWICE, "payee:G/2026", 2)]
    # The first is destroyed everywhere: no more tokens are made under it, those that there are still match.
    await made.county.node.linkage_keys.close("payee", 1, "S1", "it is over")
    await made.pass_on()
    for one in made.units.values():
        closed_keys = {row.name: row.secret for row in await one.node.linkage_keys.rows() if row.closed}
        assert closed_keys == {f"{COUNTY}/payee/1": b""}
    await handed_in(west, payment(LI, "w-2", name="李强"))
    await made.pass_on()
    assert {row.key for row in await made.rows() if row.case_id == "w-2"} == {f"{COUNTY}/payee/2"}
    assert len(kinds(await made.found())) == 1


async def test_a_key_is_for_its_days(unit: Make) -> None:
    made = await district(unit)
    await made.issue()
    await handed_in(made.towns[0], payment(WANG, at_us=NOW - 300 * DAY))
    await handed_in(made.towns[1], payment(WANG, at_us=NOW - 300 * DAY))
    await made.pass_on()
    assert await made.rows() == []


async def test_a_deceased_payee_is_found_by_a_register_that_the_county_loaded(unit: Make) -> None:
    made = await district(unit)
    await made.issue()
    await handed_in(
        made.towns[0], payment(WANG, "e-1", at_us=NOW - 10 * DAY), payment(LI, "e-2", name="李强")
    )
    day = (NOW - 45 * DAY) // DAY
    rows = [(WANG, day), (resident(9), day)]
    await load(made.county.node, "deaths", rows, "S1")
    await made.pass_on()
    alerts = await made.found()
    assert {(one.rule, one.level) for one in alerts} == {(DECEASED, 1), (DECEASED, 2)}
    assert {one.over for one in alerts} == {35}
    assert {(one.rule, one.level) for one in await made.found(EAST)} == {(DECEASED, 1), (DECEASED, 2)}
    assert await made.found(WEST) == []


async def test_one_hand_behind_two_bidders_of_one_tender(unit: Make) -> None:
    made = await district(unit, EAST)
    await made.issue("bidder")
    boss = resident(5)
    await handed_in(
        made.county,
        bid(credit_code(1), "T1", "甲", representative=boss, account="6222020012345678905"),
        bid(credit_code(2), "T1", "乙", representative=boss.lower(), phone="13812345670"),
        bid(
            credit_code(3),
            "T1",
            "丙",
            representative=resident(6),
            phone="13812345671",
            machine="00-1A-2B-3C-4D-5E",
        ),
    )
    await made.pass_on()
    assert kinds(await made.found()) == [(SAME, "tender:T1", 2)]
    (alert,) = await made.found()
    assert alert.state == ALERT_STATE_ISSUED
    (evidence,) = await made.evidence()
    assert {half.role for half in evidence.halves} == {"representative"}


async def test_bidders_who_belong_together_by_another_tender(unit: Make) -> None:
    made = await district(unit, EAST)
    await made.issue("bidder")
    first, second, boss = credit_code(1), credit_code(2), resident(5)
    await handed_in(
        made.county, bid(first, "T1", "甲"), bid(second, "T1", "乙"), bid(credit_code(3), "T1", "丙")
    )
    await handed_in(made.county, bid(first, "T2", "甲", account="6222020012345678905"))
    await handed_in(made.county, bid(credit_code(3), "T3", "丙", representative=boss))
    await made.pass_on()
    assert await made.found() == []
    await handed_in(made.county, bid(second, "T4", "乙", account="6222 0200 1234 5678 905"))
    await made.pass_on()
    assert kinds(await made.found()) == [(COMPETING, "bidders", 1)]


async def test_a_city_that_issued_the_key_finds_what_two_counties_cannot_see(unit: Make) -> None:
    """Tokens rise to the issuer, with their proof, and the towns two tiers below are told."""
    city, county, other = await unit("9901"), await unit(COUNTY), await unit("990103")
    town = await unit(EAST)
    for lower, upper in ((town, county), (county, city), (other, city)):
        await lower.push_to(upper)
        card = lower.node.passports.card()
        card.parent = upper.code
        upper.node.tree.learn([card])
    card = town.node.passports.card()
    card.parent = COUNTY
    city.node.tree.learn([card])

    async def pass_on() -> None:
        for lower, upper in ((town, county), (county, city), (other, city)):
            await lower.node.matching.look()
            await lower.catch_up()
            await lower.push_to(upper)
            await upper.catch_up()
        await city.node.matching.look()
        await city.catch_up()
        for upper, lower in ((city, county), (city, other), (county, town)):
            await hand_down(upper.node, lower.node)
            await lower.node.matching.look()

    await city.node.linkage_keys.issue("payee", TODAY - 200, TODAY + 100, "S1", "the whole city")
    await pass_on()
    await handed_in(town, payment(WANG, "t-1"))
    await handed_in(other, payment(WANG, "o-1"))
    await pass_on()
    await pass_on()
    (alert,) = [one for one in await city.alerts() if one.domain == "matching"]
    assert (alert.rule, alert.over) == (TWICE, 2)
    (evidence,) = [entry.match_found for entry in await city.entries("match_found")]
    assert {(half.node, half.case_id) for half in evidence.halves} == {(EAST, "t-1"), ("990103", "o-1")}
    assert [one for one in await county.alerts() if one.domain == "matching"] == []
    (half,) = [one for one in await town.alerts() if one.domain == "matching"]
    assert (half.rule, half.agency) == (TWICE, "CZ")


async def test_another_policy_or_another_ceiling_measures_everything_again(unit: Make) -> None:
    made = await district(unit)
    county = made.county
    await made.issue()
    home = "330104000123"
    await handed_in(made.towns[0], payment(WANG, "e-1", household=home, amount=700))
    await handed_in(made.towns[1], payment(LI, "w-1", name="李强", household=home, amount=400))
    await made.pass_on()
    assert await made.found() == []
    ceiling = Library(name="household_ceilings", version=1, rows=[LibraryRow(code="G", high=1_000)])
    await county.told(Entry(source="catalogue", serial="ceilings", library_published=ceiling))
    await made.pass_on()
    assert kinds(await made.found()) == [(CEILING, "household:G/2026", 110)]
    looser = Policy(version=2, rules=[RuleSetting(rule=CEILING, yellow=111)])
    await county.told(Entry(source="catalogue", serial="policy/2", policy_published=looser))
    await made.pass_on()
    assert kinds(await made.found()) == []


async def test_a_child_that_was_revoked_gets_no_key(unit: Make) -> None:
    made = await district(unit)
    async with made.county.node.store.write() as session:
        await session.children.put(
            ChildRow(
                EAST,
                "town",
                "town",
                "east",
                int(ENROLMENT_STATE_REVOKED),
                b"",
                b"",
                b"",
                "",
                "",
                "",
                b"",
                1,
                "left",
            )
        )
    await made.issue()
    assert await made.towns[0].node.linkage_keys.rows() == []
    assert len(await made.towns[1].node.linkage_keys.rows()) == 1


async def test_what_is_done_again_after_a_crash_changes_nothing(unit: Make) -> None:
    """The queue is full again, and every key's position is back at the beginning: as a process killed at the worst moments leaves them."""
    made = await district(unit)
    await made.issue()
    await handed_in(made.towns[0], payment(WANG, "e-1"), payment(LI, "e-2", name="李强"))
    await handed_in(made.towns[1], payment(WANG, "w-1"))
    await made.pass_on()
    before = await made.rows(), await made.found(), len(await made.tokens(EAST))
    for one in made.units.values():
        async with one.node.store.write() as session:
            await session.linkage.compare_again()
            await session.linkage.link_again()
    await made.pass_on()
    assert (await made.rows(), await made.found(), len(await made.tokens(EAST))) == before


async def test_a_childs_journal_may_hold_anything_and_holds_nobody_up(unit: Make) -> None:
    made = await district(unit)
    east, west = made.towns
    await made.issue()
    sound = Linked(
        index=1, case_id="x", role="person", token=bytes(16), group="G/2026", handle="p", at_us=NOW
    )

    def told(purpose: str = "payee", issuer: str = COUNTY, **other: object) -> Entry:
        link = Linked()
        link.CopyFrom(sound)
        for name, value in other.items():
            setattr(link, name, value)
        return Entry(linkage_tokens=LinkageTokens(issuer=issuer, purpose=purpose, number=1, links=[link]))

    await east.told(
        told("payee/1"), told("citizen"), told(issuer="a/b/c"), told(token=b"short"), told(role="name"), told(at_us=-1),
        told(at_us=1 << 62), told(amount=1 << 62), told(case_id="a\0b"), told(group="g" * 10_000), told(index=(1 << 64) - 1),
    )  # fmt: skip
    await east.told(told(handle="p-e"))
    await west.told(told(handle="p-w", index=2, case_id="y"))
    await handed_in(east, payment(WANG, "e-1"))
    await handed_in(west, payment(WANG, "w-1"))
    await made.pass_on()
    assert len(await made.rows()) == 4
    assert kinds(await made.found()) == [(TWICE, "payee:G/2026", 2)] * 2


async def test_who_has_more_payments_than_are_read_at_once_is_compared_whole(
    unit: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "ROWS", 8)
    made = await district(unit)
    await made.issue()
    months = [f"2026-{month:02}" for month in range(1, 7)]
    for town in made.towns:
        await handed_in(
            town,
            *(payment(WANG, f"{town.code}-w{month}", period=f"{town.code}{month}") for month in months[:3]),
            *(payment(LI, f"{town.code}-l{month}", name="李强", period=month) for month in months[:3]),
        )
    await made.pass_on()
    assert {subject for _, subject, _ in kinds(await made.found())} == {
        f"payee:G/{month}" for month in months[:3]
    }
