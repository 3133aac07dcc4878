"""Keys and certificates of real processes: enrolment by commands, revocation, renewal without a restart, a new journal key, a new root above."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from federation.identity.authority import name_in
from federation.identity.membership import from_pem
from tests.e2e.commands import begun, zongheng
from tests.e2e.tree import Node, Tree, caught_up, until

CITY: Final = "330100"
COUNTY: Final = "330101"
TOWN: Final = "330101001"


def case(node: Node, day: str) -> str:
    """A case by hand."""
    form = {"item": "V-01", "agency": "CWH", "actor": "1001", "at": f"{day}T09:00:00"}
    opened: str = node.post("/api/cases", form)["case"]
    return opened


def child(parent: Node, code: str) -> Any:
    """What the register says of one child."""
    return next(one for one in parent.get("/api/children") if one["node"] == code)


def linked(node: Node) -> None:
    until(f"{node.code} is linked", lambda: node.status()["link"]["state"] == "linked")


def hurried(node: Node, *settings: str) -> None:
    """Short rests, and what else is written into its settings."""
    path = node.folder / "node.toml"
    lines = "\n".join(("longest_rest_s = 0.5", *settings))
    path.write_text(f"{lines}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")


def test_a_town_joins_by_commands_and_waits_for_approval(tree: Tree) -> None:
    county, town = tree.add("county", COUNTY), tree.add("town", TOWN)
    invited = county.run("invite", "--tier", "town", "--code", TOWN, "--approve").ended(0)
    token = invited.out.strip()
    county.start()
    with begun("join", town.folder, "--parent", county.grpc, "--token", token) as joining:
        until("the town waits", lambda: [one["state"] for one in county.get("/api/children")] == ["waiting"])
        assert joining.poll() is None
        approved = county.run("approve", TOWN).ended(0)
        out, err = joining.communicate(timeout=60)
    assert joining.returncode == 0, err
    assert f"joined {COUNTY}" in out
    key = child(county, TOWN)["key"]
    shown = " ".join(key[at : at + 8] for at in range(0, 32, 8))
    assert shown in err, "the town's operator sees what the county's operator sees"
    assert shown in approved.out
    case(town.start(), "2026-03-02")
    caught_up(town, county)
    again = zongheng("join", town.folder, "--parent", county.grpc, "--token", "zongheng-1.nothing")
    assert again.ended(2).err.count("\n") == 1


def test_a_revoked_town_is_cut_off_at_once_and_so_is_the_thief(tree: Tree, tmp_path: Path) -> None:
    county, town = tree.line(("county", COUNTY), ("town", TOWN))
    for node in (county, town):
        hurried(node)
        node.start()
    linked(town)
    case(town, "2026-03-02")
    caught_up(town, county)
    stolen = tmp_path / "stolen"
    shutil.copytree(town.folder, stolen, ignore=shutil.ignore_patterns("*.sock", "test.log"))
    county.run("revoke", TOWN, "--reason", "the box was stolen").ended(0)
    until("the link ended", lambda: not child(county, TOWN)["connected"])
    until("the town knows why", lambda: "stolen" in town.status()["link"]["instruction"])
    held = county.child(TOWN)["held"]
    case(town, "2026-03-03")
    town.stop()
    thief = Node(stolen, TOWN, "town", town.grpc, town.http)
    thief.start()
    try:
        until("the thief is told", lambda: "stolen" in thief.status()["link"]["instruction"])
        assert county.child(TOWN)["held"] == held
    finally:
        thief.stop()
        thief.client.close()
    # And through a restart of the parent.
    county.stop()
    county.start()
    town.start()
    until("the town is refused again", lambda: "stolen" in town.status()["link"]["instruction"])
    assert county.child(TOWN)["held"] == held


def test_a_town_that_is_away_is_revoked_at_a_stopped_parent(tree: Tree) -> None:
    county, town = tree.line(("county", COUNTY), ("town", TOWN))
    for node in (county, town):
        hurried(node)
        node.start()
    linked(town)
    for node in (town, county):
        node.stop()
    county.run("revoke", TOWN, "--reason", "closed").ended(0)
    county.start()
    town.start()
    until("the town is told", lambda: "closed" in town.status()["link"]["instruction"])


def test_certificates_are_renewed_without_a_restart_and_after_they_ran_out(tree: Tree) -> None:
    county, town = tree.line(("county", COUNTY), ("town", TOWN))
    hurried(county, "certificate_days = 0.0004")  # 35 seconds, renewed from the twelfth on
    hurried(town, "certificate_days = 0.0004")
    county.start()
    pid = town.start().status()["pid"]
    linked(town)
    seen = {child(county, TOWN)["certified_until"]}

    def renewed_twice() -> bool:
        seen.add(child(county, TOWN)["certified_until"])
        return len(seen) >= 3

    until("the certificate was renewed twice", renewed_twice, 120)
    linked(town)
    case(town, "2026-03-02")
    caught_up(town, county)
    assert town.status()["pid"] == pid
    town.stop()
    entries = len(county.entries("renewed"))
    until("the certificate has run out", lambda: _over(child(county, TOWN)["certified_until"]), 90)
    town.start()
    linked(town)
    renewed = [entry.renewed for entry in county.entries("renewed")[entries:]]
    assert renewed[0].late


def _over(until_: str) -> bool:
    return datetime.fromisoformat(until_) < datetime.now(UTC)


def test_a_new_journal_key_is_taken_by_everybody_above_and_what_was_proven_stays_so(
    tree: Tree, tmp_path: Path
) -> None:
    city, county, town = nodes = tree.line(("city", CITY), ("county", COUNTY), ("town", TOWN))
    for node in nodes:
        hurried(node)
        node.start()
    first = case(town, "2026-03-02")
    caught_up(town, county)
    caught_up(county, city)
    evidence = tmp_path / "first.tlog-proof"
    town.run("case", first, "--evidence", evidence).ended(0)
    before = town.status()["journal"]["verifier"]
    after = town.run("rotate-key", "--json").ended(0).json["verifier"]
    assert before != after
    town.await_ready()
    until("the town signs with the new key", lambda: town.status()["journal"]["verifier"] == after)
    second = case(town, "2026-03-03")
    caught_up(town, county)
    assert [entry.key_rotated.after for entry in county.entries("key_rotated")] == [after]
    town.run("case", second, "--evidence", tmp_path / "second.tlog-proof").ended(0)
    zongheng("verify", evidence, "--verifier", before).ended(0)
    zongheng("verify", tmp_path / "second.tlog-proof", "--verifier", after).ended(0)
    # The tier in the middle changes its own, and everything goes on above and below it.
    county.run("rotate-key").ended(0)
    county.await_ready()
    for node in (county, town):
        linked(node)
    case(town, "2026-03-04")
    caught_up(town, county)
    caught_up(county, city)
    for node in nodes:
        node.run("verify").ended(0)

    def proven() -> bool:
        asked = city.run("ask", CITY, "cases", "--proof", "--json")
        parts = asked.json["nodes"] if asked.code == 0 else []
        return len(parts) == 3 and all(part["verified"] for part in parts)

    until("the city proves every answer under the new keys", proven, 60, every_s=1.0)


def test_a_county_that_gets_a_city_above_it_passes_the_longer_chain_on(tree: Tree) -> None:
    county, town = tree.line(("county", COUNTY), ("town", TOWN))
    city = tree.add("city", CITY)
    for node in (city, county, town):
        hurried(node)
        node.start()
    linked(town)
    assert _name(town).startswith(f"spiffe://{COUNTY}.")
    county.join(city)
    linked(county)
    whole = f"spiffe://{CITY}.zongheng.internal/city/{CITY}/county/{COUNTY}/town/{TOWN}"
    until("the town is named from the new root on", lambda: _name(town) == whole)
    linked(town)
    case(town, "2026-03-02")
    caught_up(town, county)
    caught_up(county, city)


def _name(node: Node) -> str:
    return str(name_in(from_pem((node.folder / "certificates" / "node.pem").read_bytes())[0]))
