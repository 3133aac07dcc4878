"""Who may ask a node for what: at its own door, over the network, with a session, with a token, and with nothing."""

from typing import Any

import pytest

from node.people.inside import IDLE_US
from node.web.access import NEEDED, Open
from node.web.app import application
from node.web.pages import is_page
from tests.unit.people.conftest import PASSWORD, House

ITEMS: dict[str, Any] = {
    "agencies": [{"code": "ZR", "name": "自然资源局", "line": "land"}, {"code": "MZ", "name": "民政局"}],
    "items": [
        {
            "code": "ZR-01",
            "name": "登记",
            "agency": "ZR",
            "statutory": {"days": 5, "unit": "working", "basis": "行政许可法 §42"},
            "version": 1,
        },
        {
            "code": "MZ-01",
            "name": "救助",
            "agency": "MZ",
            "statutory": {"days": 5, "unit": "working", "basis": "行政许可法 §42"},
            "version": 1,
        },
    ],
}


async def open_case(house: House, agency: str) -> str:
    form = {
        "item": f"{agency}-01", "agency": agency, "actor": "1001", "at": "2026-02-02T09:00:00+08:00",
        "applicant": "王小明", "id_number": "110101199003070011",
    }  # fmt: skip
    answer = await house.owner.post("/api/cases", form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case"])


async def test_without_accounts_this_machine_is_trusted_and_with_the_first_one_it_is_not(
    house: House,
) -> None:
    assert (await house.visitor().get("/api/status")).status_code == 200
    await house.add("s1", "system_administrator")
    answer = await house.visitor().get("/api/status")
    assert (answer.status_code, answer.json()["code"]) == (401, "login_required")
    assert (await house.owner.get("/api/status")).status_code == 200
    assert (await house.visitor().get("/healthz")).status_code == 200


async def test_every_address_asks_for_something_and_what_is_not_named_is_the_operators(house: House) -> None:
    paths = application(house.node).openapi()["paths"]
    served = {(method.upper(), path) for path, ways in paths.items() for method in ways}
    named = {(method, path.replace(":path", "")) for method, path in NEEDED}
    assert served <= named, f"not named in node/web/access.py: {sorted(served - named)}"
    assert {key for key, act in NEEDED.items() if act is Open.ANYBODY} == {
        ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/login"), ("POST", "/login"), ("POST", "/api/login"),
        # A browser asks them before it lets a player on a page of another site ask; they say nothing of this node.
        ("OPTIONS", "/api/whep/{stream:path}"), ("OPTIONS", "/api/whip/{stream:path}"),
        ("OPTIONS", "/api/webrtc-sessions/{session}"),
        # Which have nothing to show (RFC 9725).
        ("GET", "/api/whep/{stream:path}"), ("GET", "/api/whip/{stream:path}"),
    }  # fmt: skip


async def test_nobody_gets_anywhere_without_logging_in(house: House) -> None:
    await house.add("s1", "system_administrator")
    stranger = house.visitor()
    for (method, path), wanted in NEEDED.items():
        if wanted is Open.ANYBODY or path == "/":
            continue
        filled = path.replace("{case_id:path}", "x").replace("{alert_id}", "x").replace("{number}", "s1")
        filled = filled.replace("{label}", "x").replace("{handle}", "x").replace("{digest}", "x")
        answer = await stranger.client.request(method, filled, json={})
        # Who opens a page is sent to log in.
        assert (answer.status_code, path) == (303 if is_page(path) else 401, path)
        if is_page(path):
            assert answer.headers["location"].startswith("/login")
    assert (await stranger.get("/")).headers["location"] == "/login"
    wrong = await stranger.client.get("/api/status", headers={"Authorization": "Bearer zht_guess"})
    assert wrong.status_code == 401


async def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(house: House) -> None:
    await house.add("s1", "system_administrator")
    visitor = house.visitor()
    answer = await visitor.log_in("s1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert (await visitor.get("/api/me")).json()["who"] == "s1"
    # Whoever changes something shows the session's token; a page of another site cannot.
    bare = await visitor.client.post("/api/users", json={"number": "x"})
    assert (bare.status_code, bare.json()["code"]) == (403, "forbidden")
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        crossed = await visitor.client.post(
            "/api/users", json={"number": "x"}, headers={"X-CSRF-Token": visitor.csrf, **headers}
        )
        assert crossed.status_code == 403
    assert (await visitor.post("/api/users", {"number": "1001"})).status_code == 201
    assert (await visitor.post("/api/logout")).status_code == 204
    assert (await visitor.get("/api/me")).status_code == 401


async def test_refusals_are_entries_and_the_auditor_reads_them(house: House) -> None:
    administrator = await house.inside("s1", "system_administrator")
    auditor = await house.inside("s3", "auditor")
    assert (await administrator.get("/api/audit")).status_code == 403
    assert (await administrator.post("/api/users/s3/roles", {"take": ["auditor"]})).status_code == 403
    await house.visitor("10.6.6.6").log_in("s1", "wrong password 1")
    trail = (await auditor.get("/api/audit")).json()["entries"]
    told = [(one["kind"], one["who"], one["subject"], one["address"]) for one in trail]
    assert ("refused", "s1", "GET /api/audit", "10.1.2.3") in told
    assert ("refused", "s1", "POST /api/users/s3/roles", "10.1.2.3") in told
    assert ("login_failed", "s1", "", "10.6.6.6") in told
    assert ("role_given", "operator", "s3 auditor", "") in told
    assert [one["index"] for one in trail] == sorted(one["index"] for one in trail)
    only = (await auditor.get("/api/audit", kind="login_failed")).json()["entries"]
    assert [one["who"] for one in only] == ["s1"]
    # Nobody, the system administrator least of all, has a way to change it.
    assert (await administrator.post("/api/rebuild")).status_code == 200
    assert (await auditor.get("/api/audit", limit=len(trail))).json()["entries"] == trail


async def test_an_embedded_supervisor_and_an_officer_see_their_agency_alone(house: House) -> None:
    published = await house.owner.post("/api/publications", ITEMS)
    assert published.status_code == 201, published.text
    theirs, other = await open_case(house, "ZR"), await open_case(house, "MZ")
    bureau = await house.inside("b1", "supervisor")
    embedded = await house.inside("e1", "embedded_supervisor", agency="ZR")
    across = await house.inside("e2", "embedded_supervisor", line="land")
    everything = (await bureau.get("/api/cases")).json()
    assert everything["total"] == 2
    for visitor in (embedded, across):
        seen = (await visitor.get("/api/cases")).json()
        assert [one["case"] for one in seen["cases"]] == [theirs]
        assert (await visitor.get(f"/api/cases/{theirs}")).status_code == 200
        assert (await visitor.get(f"/api/cases/{other}")).status_code == 404
        assert (await visitor.get(f"/api/cases/{other}/evidence")).status_code == 404
        assert {one["agency"] for one in (await visitor.get("/api/alerts")).json()["alerts"]} <= {"ZR"}
        assert (await visitor.get("/api/rollup")).status_code == 403
    officer = await house.inside("1001", "officer", agency="MZ")
    form = {"item": "ZR-01", "agency": "ZR", "actor": "1001"}
    assert (await officer.post("/api/cases", form)).status_code == 404
    moved = await officer.post(f"/api/cases/{theirs}/events", {"kind": "acceptance", "actor": "1001"})
    assert moved.status_code == 404
    mine = await officer.post(f"/api/cases/{other}/events", {"kind": "acceptance", "actor": "1001"})
    assert mine.status_code == 201


async def test_a_person_is_shown_as_far_as_the_role_needs_and_each_look_is_an_entry(house: House) -> None:
    published = await house.owner.post("/api/publications", ITEMS)
    assert published.status_code == 201, published.text
    case = await open_case(house, "ZR")
    handle = (await house.owner.get(f"/api/cases/{case}")).json()["events"][0]["applicant"]
    bureau = await house.inside("b1", "supervisor")
    path = f"/api/persons/{handle}"
    masked = (await bureau.get(path, case=case)).json()
    assert (masked["name"], masked["id_number"], masked["masked"]) == ("王**", "110***********0011", True)
    full = (await bureau.get(path, case=case, purpose="核对申请人")).json()
    assert (full["name"], full["masked"]) == ("王小明", False)
    assert (await bureau.get(path, case="nosuch", purpose="x")).status_code == 404
    other = await house.inside("1009", "officer", agency="MZ")
    assert (await other.get(path, case=case, purpose="x")).status_code == 404
    leader = await house.inside("l1", "leader")
    assert (await leader.get(path, case=case, purpose="x")).status_code == 403
    assert (await bureau.get(f"/api/cases/{case}/evidence")).status_code == 200
    looks = [
        (one.who, one.subject, one.purpose) for one in await house.entries("access_noted") if one.kind == 6
    ]
    assert looks == [
        ("b1", f"person {handle} of case {case} masked", ""),
        ("b1", f"person {handle} of case {case}", "核对申请人"),
        ("b1", f"case {case}/evidence", ""),
    ]


async def test_people_act_under_their_own_number(house: House) -> None:
    bureau = await house.inside("b1", "supervisor")
    posing = await bureau.post("/api/publications", {**ITEMS, "by": "someone"})
    assert (posing.status_code, posing.json()["code"]) == (403, "forbidden")
    assert (await bureau.post("/api/publications", ITEMS)).status_code == 201


async def test_a_token_works_without_cookie_and_makes_no_further_secrets(house: House) -> None:
    clerk = await house.inside("1001", "clerk", agency="ZR")
    made = await clerk.post("/api/users/1001/tokens", {"label": "intake", "acts": ["status.read"], "days": 7})
    assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    program = house.visitor().client
    assert (await program.get("/api/status", headers=headers)).status_code == 200
    assert (await program.get("/api/cases", headers=headers)).status_code == 403
    more = await program.post("/api/users/1001/tokens", json={"label": "more"}, headers=headers)
    assert more.status_code == 403
    (listed,) = (await clerk.get("/api/users/1001/tokens")).json()
    assert (listed["label"], listed["secret"]) == ("intake", None)
    assert (await clerk.delete("/api/users/1001/tokens/intake")).status_code == 204
    assert (await program.get("/api/status", headers=headers)).status_code == 401


async def test_a_password_that_somebody_else_chose_lets_its_owner_choose_another_and_nothing_else(
    house: House,
) -> None:
    answer = await house.owner.post(
        "/api/users", {"number": "b1", "roles": ["supervisor"], "password": "first secret 0"}
    )
    assert answer.status_code == 201
    visitor = house.visitor()
    await visitor.log_in("b1", "first secret 0")
    assert (await visitor.get("/api/alerts")).status_code == 403
    assert (await visitor.get("/api/me")).json()["must_change"] is True


async def test_people_log_in_on_a_page_and_are_shown_the_node(house: House) -> None:
    await house.owner.post(
        "/api/users", {"number": "b1", "roles": ["supervisor"], "password": "first secret 0"}
    )
    visitor = house.visitor()
    page = await visitor.get("/login")
    assert "霁川县" in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    wrong = await visitor.client.post("/login", data={"number": "b1", "password": "wrong"})
    assert (wrong.status_code, "工号或口令不正确" in wrong.text) == (401, True)
    first = {"number": "b1", "password": "first secret 0"}
    renew = await visitor.client.post("/login", data=first)
    assert "新口令" in renew.text
    done = await visitor.client.post("/login", data={**first, "new": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    shown = await visitor.get("/")
    assert (shown.status_code, "霁川县" in shown.text) == (200, True)
    house.clock.go(seconds=IDLE_US / 1e6)
    assert (await visitor.get("/")).headers["location"] == "/login"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://localhost"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_nobody_is_logged_in_by_a_page_of_another_site(
    house: House, headers: dict[str, str], status: int
) -> None:
    await house.add("s1", "system_administrator")
    fields = {"number": "s1", "password": PASSWORD}
    answer = await house.visitor().client.post("/login", data=fields, headers=headers)
    assert answer.status_code == status
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("hostile", ["../etc", "王", "a" * 99, "x'--", "%00"])
async def test_hostile_numbers_are_just_wrong(house: House, hostile: str) -> None:
    await house.add("s1", "system_administrator")
    answer = await house.visitor().log_in(hostile, "wrong password 1")
    assert answer.status_code == 401
    assert (await house.owner.post("/api/users/..%2fx/roles", {})).status_code in {404, 405}
