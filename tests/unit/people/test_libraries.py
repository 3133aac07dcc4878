"""Libraries, posts and officers have doors: listed, shown, loaded, amended with their history, by who may."""

from typing import Any

from tests.unit.people.conftest import House

FEES: dict[str, Any] = {
    "name": "fee_standards",
    "legal_basis": "发改价格〔2016〕2559号",
    "rows": [
        {"code": "登记费", "grade": "住宅", "value": 8_000, "valid_from": "2016-12-01"},
        {"code": "登记费", "grade": "非住宅", "value": 55_000},
    ],
}
POST: dict[str, Any] = {
    "code": "ZR-SC",
    "name": "审查岗",
    "agency": "ZR",
    "holdings": [{"officer": "1000", "since": "2024-01-01"}],
}
AGENCIES = [{"code": "ZR", "name": "自然资源局"}, {"code": "MZ", "name": "民政局"}]


async def publish(house: House, **form: Any) -> Any:
    answer = await house.owner.post("/api/publications", form)
    return answer.json() if answer.is_success else (answer.status_code, answer.json()["detail"])


async def test_a_library_is_amended_and_every_version_stays_to_be_seen(house: House) -> None:
    assert (await publish(house, libraries=[FEES], by="b0"))["libraries"] == 1
    bureau = await house.inside("b1", "supervisor")
    amendment = {
        "rows": [
            {"code": "登记费", "grade": "住宅", "value": 7_000, "valid_from": "2016-12-01"},
            {"code": "登记费", "grade": "住宅", "value": 6_000, "valid_from": "2027-01-01"},
        ],
        "remove": [{"code": "登记费", "grade": "非住宅"}],
    }
    answer = await bureau.post("/api/libraries/fee_standards/amendments", amendment)
    assert (answer.status_code, answer.json()["libraries"]) == (201, 1)
    shown = (await bureau.get("/api/libraries/fee_standards")).json()
    rows = [(one["grade"], one["low"], one["valid_from"], one["in_force"]) for one in shown["rows"]]
    assert rows == [("住宅", 7_000, "2016-12-01", True), ("住宅", 6_000, "2027-01-01", False)]
    assert shown["legal_basis"] == FEES["legal_basis"]
    history = [(one["version"], one["by"], one["added"], one["removed"]) for one in shown["history"]]
    assert history == [(2, "b1", 2, 2), (1, "b0", 2, 0)]
    first = (await bureau.get("/api/libraries/fee_standards", version=1)).json()
    assert [one["low"] for one in first["rows"]] == [8_000, 55_000]
    # The same again is nothing new, whoever says it.
    again = await bureau.post("/api/libraries/fee_standards/amendments", {"rows": amendment["rows"]})
    assert (again.json()["libraries"], again.json()["unchanged"]) == (0, 1)
    (line,) = (await bureau.get("/api/libraries")).json()
    assert (line["name"], line["version"], line["rows"], line["by"]) == ("fee_standards", 2, 2, "b1")


async def test_what_is_not_there_is_not_amended(house: House) -> None:
    nothing = await house.owner.post("/api/libraries/fee_standards/amendments", {"by": "b1"})
    assert nothing.status_code == 404
    await publish(house, libraries=[FEES])
    missing = await house.owner.post("/api/libraries/fee_standards/amendments", {"remove": [{"code": "x"}]})
    assert (missing.status_code, "has no row x" in missing.json()["detail"]) == (400, True)
    assert (await house.owner.get("/api/libraries/nothing")).status_code == 404
    assert (await house.owner.get("/api/libraries/fee_standards", version=9)).status_code == 404


async def test_libraries_are_amended_by_who_publishes_and_read_by_everybody(house: House) -> None:
    await publish(house, agencies=AGENCIES, libraries=[FEES])
    officer = await house.inside("1001", "officer", agency="ZR")
    reviewer = await house.inside("f1", "legal_reviewer")
    for who in (officer, reviewer):
        assert (await who.get("/api/libraries/fee_standards")).status_code == 200
        assert (await who.post("/api/libraries/fee_standards/amendments", {})).status_code == 403
    assert (await reviewer.get("/api/officers")).status_code == 403


async def test_a_post_keeps_everybody_who_ever_held_it(house: House) -> None:
    assert (await publish(house, posts=[POST]))[0] == 400
    assert (await publish(house, agencies=AGENCIES, posts=[POST], by="b0"))["posts"] == 1
    moved = {
        **POST,
        "holdings": [
            {"officer": "1000", "since": "2024-01-01", "until": "2026-02-28"},
            {"officer": "1001", "since": "2026-03-01"},
        ],
    }
    assert (await publish(house, posts=[moved], by="b1"))["posts"] == 1
    assert (await publish(house, posts=[moved], by="b2"))["unchanged"] == 1
    (post,) = (await house.owner.get("/api/posts")).json()
    assert (post["version"], post["holders"]) == (2, ["1001"])
    assert [(one["officer"], one["until"]) for one in post["holdings"]] == [
        ("1000", "2026-02-28"),
        ("1001", None),
    ]
    assert [(one["by"], one["added"], one["removed"]) for one in post["history"]] == [
        ("b1", 2, 1),
        ("b0", 1, 0),
    ]
    other = await house.inside("2001", "officer", agency="MZ")
    assert (await other.get("/api/posts")).json() == []
    twice = {
        **POST,
        "holdings": [{"officer": "1", "since": "2024-01-01"}, {"officer": "1", "since": "2025-01-01"}],
    }
    assert (await publish(house, posts=[twice]))[0] == 400


async def test_officers_show_until_when_they_are_certified(house: House) -> None:
    officers = [{"number": number, "name": "某", "agency": "ZR"} for number in ("1001", "1002", "1003")]
    certificates = {
        "name": "certificates",
        "rows": [
            {"code": "1001", "text": "执法证 A1", "valid_from": "2022-03-01", "valid_to": "2026-03-11"},
            {"code": "1002", "text": "执法证 A2", "valid_from": "2021-03-01", "valid_to": "2026-03-01"},
        ],
    }
    await publish(
        house,
        agencies=AGENCIES,
        officers=officers,
        libraries=[certificates],
        posts=[POST | {"holdings": [{"officer": "1001", "since": "2024-01-01"}]}],
    )
    shown = (await house.owner.get("/api/officers")).json()
    assert [
        (one["number"], one["certified"], [each["days_left"] for each in one["certificates"]])
        for one in shown
    ] == [
        ("1001", True, [9]),
        ("1002", False, [-1]),
        ("1003", False, []),
    ]
    assert shown[0]["posts"] == ["ZR-SC"]
    soon = (await house.owner.get("/api/officers", within=30)).json()
    assert [one["number"] for one in soon] == ["1001", "1002"]
    expired = (await house.owner.get("/api/officers", within=0)).json()
    assert [one["number"] for one in expired] == ["1002"]
