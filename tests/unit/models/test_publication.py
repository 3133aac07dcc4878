"""Publishing: the form is checked as a whole, the difference is journalled once, the registry follows."""

import asyncio
import re
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError
from zongheng.v1.catalogue_pb2 import (
    LEVEL_YELLOW,
    LIMIT_UNIT_NATURAL_DAY,
    LIMIT_UNIT_WORKING_DAY,
    LIMIT_UNIT_WORKING_HOUR,
    Agency,
    Limit,
)
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.models.publication import Publication
from node.views.publication import known_rules

FILE = """
by = "S1"
published_years = [2027]

[[agencies]]
code = "ZR"
name = "自然资源局"
line = "land"

[[officers]]
number = "ZR-007"
name = "王某"
agency = "ZR"
posts = ["审核"]

[[items]]
code = "ZR-01"
name = "不动产登记"
agency = "ZR"
valid_from = 2026-01-01
statutory = { days = 30, unit = "natural", basis = "不动产登记暂行条例 §20" }
promised = { days = 5, unit = "working" }
fee = { yuan = "80.10", basis = "发改价格规〔2016〕2559号" }

[[items.steps]]
code = "H"
role = "handle"
limit = { hours = 4 }
authorised = ["ZR-007"]

[[items.steps]]
code = "A"
role = "approve"
after = ["H"]
required = true

[[items.tier_limits]]
tier = "county"
limit = { days = 7, unit = "natural", roll_forward = false }

[[calendar]]
day = 2027-01-04
working = false
name = "地方假日"

[[calendar]]
day = 2027-01-09
working = true

[policy]
valid_from = 2026-01-01

[[policy.rules]]
rule = "RULE"
red = 2

[[policy.levels]]
level = "yellow"
confirm = false
"""


def form(**changes: Any) -> dict[str, Any]:
    """The file as it reaches the node: TOML, then JSON."""
    content = tomllib.loads(FILE.replace("RULE", min(known_rules())))
    form: dict[str, Any] = orjson.loads(orjson.dumps(content))
    return {**form, **changes}


async def test_the_documented_policy_is_taken(desk: Any, repository: Path) -> None:
    text = (repository / "docs" / "down.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    everything = orjson.loads(orjson.dumps(tomllib.loads(re.sub("# (limit_days|disabled)", r"\1", example))))
    assert (await desk.publish(**everything)).policy == 1


async def test_a_file_becomes_entries_and_rows(desk: Any) -> None:
    published = await desk.publish(**form())
    assert published.model_dump() == {
        "items": 1, "agencies": 1, "officers": 1, "sources": 0, "days": 2, "years": 1, "policy": 1, "rules": 0, "libraries": 0, "posts": 0, "sheets": 0, "unchanged": 0,
        "indexes": [0, 1, 2, 3], "to": "", "subtree": False,
    }  # fmt: skip
    agency, item, calendar, policy = await desk.entries()
    assert (agency.agency_published.node, agency.agency_published.line) == (desk.settings.node, "land")
    made = item.item_published
    assert (made.domain, made.version, made.valid_from_day, made.valid_to_day) == ("approval", 1, 20_454, 0)
    assert made.statutory == Limit(
        amount=30, unit=LIMIT_UNIT_NATURAL_DAY, roll_forward=True, legal_basis="不动产登记暂行条例 §20"
    )
    assert made.promised == Limit(amount=5, unit=LIMIT_UNIT_WORKING_DAY)
    assert (made.fee_fen, made.has_fee, made.fee_basis) == (8_010, True, "发改价格规〔2016〕2559号")
    assert made.steps[0].limit == Limit(amount=4, unit=LIMIT_UNIT_WORKING_HOUR)
    assert list(made.steps[0].authorised) == ["ZR-007"]
    assert not made.steps[1].HasField("limit")
    assert (list(made.steps[1].after), made.steps[1].required) == (["H"], True)
    assert not made.tier_limits[0].limit.roll_forward
    change = calendar.calendar_changed
    assert [(day.day, day.working, day.name) for day in change.days] == [
        (20_822, False, "地方假日"),
        (20_827, True, ""),
    ]
    assert (list(change.published_years), change.base) == ([2027], "china")
    assert policy.policy_published.valid_from_us == 1_767_196_800_000_000
    assert policy.policy_published.rules[0].red == 2
    assert not policy.policy_published.rules[0].HasField("yellow")
    assert [(one.level, one.confirm) for one in policy.policy_published.levels] == [(LEVEL_YELLOW, False)]
    assert [one.name for one in await desk.kept.agencies()] == ["自然资源局"]
    assert [one.name for one in await desk.kept.officers("ZR")] == ["王某"]
    (draft,) = await desk.kept.drafts("published")
    assert (draft.item.code, draft.edited_by) == ("ZR-01", "S1")


async def test_an_officers_name_never_reaches_the_journal(desk: Any) -> None:
    await desk.publish(**form())
    assert all("王某".encode() not in entry.SerializeToString() for entry in await desk.entries())


async def test_publishing_the_same_again_enters_nothing(desk: Any) -> None:
    await desk.publish(**form())
    again = await desk.publish(**form())
    assert (again.items, again.agencies, again.days, again.years, again.policy) == (0, 0, 0, 0, None)
    assert (again.unchanged, again.indexes, desk.writer.size) == (6, [], 4)


async def test_two_at_once_enter_it_once(desk: Any) -> None:
    one, two = await asyncio.gather(desk.publish(**form()), desk.publish(**form()))
    assert sorted([one.items, two.items]) == [0, 1]
    assert desk.writer.size == 4


async def test_only_what_changed_is_entered(desk: Any) -> None:
    await desk.publish(**form())
    content = form()
    content["agencies"][0]["name"] = "自然资源和规划局"
    content["calendar"][1]["working"] = False
    content["policy"]["rules"][0]["red"] = 3
    changed = await desk.publish(**content)
    assert (changed.items, changed.agencies, changed.days, changed.policy, changed.unchanged) == (
        0,
        1,
        1,
        2,
        3,
    )
    assert [one.name for one in await desk.kept.agencies()] == ["自然资源和规划局"]


async def test_a_registry_that_was_cut_off_behind_the_journal_is_repaired_by_sending_again(desk: Any) -> None:
    entered = desk.kept.enter

    async def killed(*_: object) -> None:
        raise ConnectionResetError

    desk.kept.enter = killed  # type: ignore[method-assign,assignment]
    with pytest.raises(ConnectionResetError):
        await desk.publish(**form())
    assert (desk.writer.size, await desk.kept.drafts()) == (4, [])
    desk.kept.enter = entered  # type: ignore[method-assign]
    again = await desk.publish(**form())
    assert (again.indexes, desk.writer.size) == ([], 4)
    assert [one.number for one in await desk.kept.officers()] == ["ZR-007"]
    assert len(await desk.kept.drafts("published")) == 1


async def refused(desk: Any, **content: Any) -> str:
    """What publishing says when it refuses; and that nothing was written."""
    size = desk.writer.size
    agencies = await desk.kept.agencies()
    with pytest.raises(ZonghengError) as error:
        await desk.publish(**content)
    assert error.value.code == "bad_request"
    assert (desk.writer.size, await desk.kept.agencies()) == (size, agencies)
    return error.value.detail


async def test_a_published_version_keeps_its_content(desk: Any) -> None:
    await desk.publish(**form())
    content = form()
    content["items"].insert(0, {"code": "ZR-02"})
    content["items"][1]["promised"]["days"] = 6
    told = await refused(desk, **content)
    assert told.startswith("items.1.version: ")
    assert told.endswith("as version 2")
    content["items"][1]["version"] = 2
    assert (await desk.publish(**content)).items == 2


async def test_a_policy_version_is_not_used_twice_nor_an_older_one(desk: Any) -> None:
    await desk.publish(policy={"version": 5})
    assert "policy.version: " in await refused(
        desk, policy={"version": 5, "levels": [{"level": "red", "confirm": True}]}
    )
    assert "as version 6" in await refused(desk, policy={"version": 4})
    assert (await desk.publish(policy={"version": 5})).unchanged == 1


async def test_faults_that_only_the_node_can_see_name_their_keys(desk: Any) -> None:
    told = await refused(
        desk,
        agencies=[{"code": "MZ"}],
        officers=[{"number": "1", "agency": "MZ"}, {"number": "2", "agency": "gone"}],
        sources=[{"code": "s", "agency": "gone"}],
        policy={"rules": [{"rule": "no.such.rule"}]},
    )
    for key in ("officers.1.agency: ", "sources.0.agency: ", "policy.rules.0.rule: "):
        assert key in told
    assert "officers.0" not in told
    assert "nothing to publish" in await refused(desk, by="S1")
    desk.settings.calendar = "weekdays"
    assert "published_years: " in await refused(desk, published_years=[2027])


async def test_an_officer_may_join_an_agency_that_only_the_journal_knows(desk: Any) -> None:
    imported = Agency(code="ZR", name="自然资源局", node=desk.settings.node)
    await desk.write_entries([Entry(agency_published=imported)])
    assert await desk.kept.agencies() == []
    assert (await desk.publish(officers=[{"number": "1", "agency": "ZR"}])).officers == 1
    assert [one.name for one in await desk.kept.agencies()] == ["自然资源局"]


LIMIT = {"days": 5, "unit": "working"}


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"itmes": []}, "itmes"),
        ({"items": [{"code": "A"}, {"code": "B", "nmae": "x"}]}, "items.1.nmae"),
        ({"items": [{"name": "x"}]}, "items.0.code"),
        ({"items": [{"code": "A", "version": 0}]}, "items.0.version"),
        ({"items": [{"code": "A"}, {"code": "A"}]}, "items"),
        ({"items": [{"code": "A", "domain": "poetry"}]}, "items.0.domain"),
        ({"items": [{"code": "A", "valid_from": "2026-13-01"}]}, "items.0.valid_from"),
        ({"items": [{"code": "A", "valid_from": "1970-01-01"}]}, "items.0.valid_from"),
        (
            {"items": [{"code": "A", "valid_from": "2026-02-01", "valid_to": "2026-01-31"}]},
            "items.0.valid_to",
        ),
        ({"items": [{"code": "A", "statutory": {"days": 5}}]}, "items.0.statutory"),
        ({"items": [{"code": "A", "statutory": {"days": -1, "unit": "working"}}]}, "items.0.statutory.days"),
        ({"items": [{"code": "A", "statutory": {"days": 5, "unit": "lunar"}}]}, "items.0.statutory.unit"),
        ({"items": [{"code": "A", "fee": {"yuan": 80.1}}]}, "items.0.fee.yuan"),
        ({"items": [{"code": "A", "fee": {"yuan": "80.105"}}]}, "items.0.fee.yuan"),
        ({"items": [{"code": "A", "fee": {"yuan": "-1"}}]}, "items.0.fee.yuan"),
        ({"items": [{"code": "A", "steps": [{"code": "H", "role": "king"}]}]}, "items.0.steps.0.role"),
        (
            {
                "items": [
                    {"code": "A", "steps": [{"code": "H", "after": ["R"]}, {"code": "R", "after": ["H"]}]}
                ]
            },
            "items.0.steps",
        ),
        (
            {"items": [{"code": "A", "tier_limits": [{"tier": "moon", "limit": LIMIT}]}]},
            "items.0.tier_limits",
        ),
        ({"officers": [{"number": "1"}]}, "officers.0.agency"),
        ({"officers": [{"number": " 1", "agency": "A"}]}, "officers.0.number"),
        ({"calendar": [{"day": "2027-01-04"}]}, "calendar.0.working"),
        ({"calendar": [{"day": "1950-01-04", "working": True}]}, "calendar.0.day"),
        ({"calendar": [{"day": "2027-01-04", "working": w} for w in (True, False)]}, "calendar"),
        ({"published_years": [2027, 1900]}, "published_years.1"),
        ({"policy": {"valid_from": "soon"}}, "policy.valid_from"),
        ({"policy": {"rules": [{"rule": "x", "red": "much"}]}}, "policy.rules.0.red"),
        ({"policy": {"levels": [{"level": "purple", "confirm": True}]}}, "policy.levels.0.level"),
        ({"policy": {"levels": [{"level": "red", "confirm": True}] * 2}}, "policy.levels"),
    ],
)
def test_a_fault_of_the_form_names_its_key(content: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationError) as error:
        Publication.model_validate(content)
    assert [".".join(map(str, one["loc"])) for one in error.value.errors()] == [path]


async def test_where_items_are_reviewed_they_are_not_published_past_the_review(desk: Any) -> None:
    desk.settings.review_items = True
    with pytest.raises(ZonghengError, match="go through legal review first"):
        await desk.publish(items=[{"code": "MZ-01", "agency": "MZ"}])
    assert await desk.entries() == []
    assert (await desk.publish(agencies=[{"code": "MZ"}])).agencies == 1


async def test_a_policy_that_is_to_rule_later_is_refused(desk: Any) -> None:
    with pytest.raises(ZonghengError, match=r"policy\.valid_from: a policy rules from its publication on"):
        await desk.publish(policy={"valid_from": "2030-01-01"})
    assert await desk.entries() == []
