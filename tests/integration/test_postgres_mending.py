"""Nodes on PostgreSQL whose database was put back or is gone: they get their entries back, go on in another log, and come back on a new database,
as nodes on SQLite do.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.tree import Node, Tree, caught_up, until
from tests.plugins.postgres import Server

TOWN: Final = "330101001"
VILLAGE: Final = "330101001001"
KEY: Final = "ZONGHENG_RECOVERY_KEY"


@dataclass
class Line:
    """A town and a village, each with a database of its own."""

    server: Server
    town: Node
    village: Node

    def back_up(self, place: Path) -> None:
        """Of the stopped village: folder and database."""
        shutil.copytree(self.village.folder, place)
        self.server.execute("CREATE DATABASE mending_old TEMPLATE mending_village")

    def put_back(self, place: Path) -> None:
        shutil.rmtree(self.village.folder)
        shutil.copytree(place, self.village.folder)
        self.server.execute("DROP DATABASE mending_village")
        self.server.execute("CREATE DATABASE mending_village TEMPLATE mending_old")


@pytest.fixture
def line(tmp_path: Path, postgres_server: Server) -> Iterator[Line]:
    databases = ("mending_town", "mending_village")
    for name in databases:
        postgres_server.execute(f"CREATE DATABASE {name}")
    with Tree(tmp_path) as tree:
        town = tree.add("town", TOWN, store=postgres_server.url(databases[0])).start()
        village = tree.add("village", VILLAGE, town, store=postgres_server.url(databases[1])).start()
        yield Line(postgres_server, town, village)
    for name in (*databases, "mending_old", "mending_new"):
        postgres_server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def case(node: Node, day: str) -> str:
    form = {"item": "V-01", "agency": "CWH", "actor": "1001", "at": f"{day}T09:00:00"}
    opened: str = node.post("/api/cases", form)["case"]
    return opened


def cases(node: Node) -> set[str]:
    return {one["case"] for one in node.get("/api/cases", limit=10_000)["cases"]}


def quarantine(town: Node) -> Any:
    return town.run("quarantine", VILLAGE, "--json").ended(0).json


def test_a_village_on_postgresql_is_put_back_goes_on_in_another_log_and_comes_back_on_a_new_database(
    line: Line, tmp_path: Path
) -> None:
    town, village = line.town, line.village
    key = village.run("recovery-key", "--json").ended(0).json["recovery_key"]
    first = case(village, "2024-03-05")
    caught_up(village, town)
    village.stop()
    old = tmp_path / "old"
    line.back_up(old)
    village.start()
    lost = case(village, "2024-03-06")
    caught_up(village, town)
    size: int = village.status()["journal"]["size"]

    # Put back, it fetches what it lost from its town.
    village.stop()
    line.put_back(old)
    village.start()
    until("all is back", lambda: village.status()["journal"]["size"] >= size)
    caught_up(village, town)
    until("the case is back", lambda: cases(village) == {first, lost})

    # Put back while the town is away, it writes another history, which the town lets go on as another log.
    for node in (village, town):
        node.stop()
    line.put_back(old)
    village.start()
    other = case(village, "2024-04-01")
    town.start()
    until("the link is quarantined", lambda: village.status()["link"]["state"] == "quarantined")
    until("the branch is kept apart", lambda: quarantine(town)["kept_apart"])
    town.run("quarantine", VILLAGE, "--accept", "--by", "Li", "--reason", "its paper says so").ended(0)
    until("the village is told", lambda: "renew-log" in village.status()["link"]["instruction"])
    village.stop()
    words = ("--by", "Wang", "--reason", "as the town says", "--json")
    log_id = village.run("renew-log", *words).ended(0).json["log_id"]
    village.start()
    caught_up(village, town)
    assert quarantine(town)["state"] == "renewed"
    assert cases(village) == {first, other}

    # Put back once more, to before there was that log: it begins the same again, and the town gives it the rest.
    size = village.status()["journal"]["size"]
    village.stop()
    line.put_back(old)
    village.run("renew-log", *words, "--log-id", log_id).ended(0)
    village.start()
    until("all is back", lambda: village.status()["journal"]["size"] >= size)
    caught_up(village, town)
    assert village.status()["journal"]["log_id"] == log_id
    until("the case is back", lambda: cases(village) == {first, other})
    for node in (village, town):
        assert node.run("verify", "--json").ended(0).json["verified"] is True

    # Its box and its database are gone: it comes back from what the town keeps, on a new one.
    village.run("backup", "--to-parent").ended(0)
    until("the backup is at the town", lambda: [one["state"] for one in town.get("/api/files")] == ["here"])
    late = case(village, "2024-04-02")
    caught_up(village, town)
    size = village.status()["journal"]["size"]
    village.kill()
    shutil.rmtree(village.folder)
    line.server.execute("DROP DATABASE mending_village WITH (FORCE)")
    line.server.execute("CREATE DATABASE mending_new")
    invited = ("--tier", "village", "--code", VILLAGE, "--replace", "--json")
    token = town.run("invite", *invited).ended(0).json["token"]
    words = ("--from-parent", town.grpc, "--token", token, "--store", line.server.url("mending_new"))
    village.run("restore", *words, **{KEY: key}).ended(0)
    village.start()
    until("the journal is open again", lambda: not village.status()["journal"]["sealed"])
    caught_up(village, town)
    until("every case is back", lambda: cases(village) == {first, other, late})
    assert village.status()["journal"]["size"] >= size
    assert village.run("verify", "--json").ended(0).json["verified"] is True
