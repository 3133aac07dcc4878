"""A node on PostgreSQL imports, judges and rebuilds as one on SQLite does: the same real log, the same answers."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.tree import Node, Tree

LAST_EVENT: Final = "2012-01-23T15:42:54.644+01:00"


@pytest.fixture
def tree(tmp_path: Path) -> Any:
    with Tree(tmp_path) as made:
        yield made


def _alerts(node: Node) -> list[Any]:
    drop = {"raised_at", "index", "journal_size"}
    shown = [{name: value for name, value in one.items() if name not in drop} for one in node.alerts()]
    return sorted(shown, key=lambda one: str(one["alert_id"]))


def _answers(node: Node) -> dict[str, Any]:
    evaluation = node.get("/api/evaluation", as_of=LAST_EVENT)
    evaluation.pop("journal_size")
    return {
        "evaluation": evaluation,
        "alerts": _alerts(node),
        "rollup": node.get("/api/rollup"),
        "case": node.get("/api/cases/case-10017", as_of=LAST_EVENT, explain=True)["clocks"],
        "cases": node.get("/api/cases", limit=10_000, state="completed"),
    }


def test_a_postgresql_node_answers_as_a_sqlite_node_does(
    tree: Tree, postgres_url: str, shared_data: Path
) -> None:
    code = "330101"
    large = tree.add("county", code, store=postgres_url)
    # The same node twice, so that ids that are made of its code are the same too.
    with Tree(tree.folder / "other") as elsewhere:
        small = elsewhere.add("county", code)
        for node in (large, small):
            node.start()
            assert node.import_wabo(shared_data).ended(0).json["accepted"] == 12_774
        expected = _answers(small)
        assert expected["evaluation"]["late"] == 416
        assert len(expected["alerts"]) > 1_000
        assert _answers(large) == expected
    rebuilt = large.post("/api/rebuild", {})
    assert (rebuilt["events"], rebuilt["cases"]) == (12_774, 1_434)
    assert _answers(large) == expected
    assert not (large.folder / "store.sqlite").exists()
    status = large.status()
    large.stop()
    # Stopped, the commands open PostgreSQL themselves.
    proven = large.run("verify", "--json").ended(0).json
    assert (proven["verified"], proven["journals"][0]["root"]) == (True, status["journal"]["root"])
