"""Many nodes in one process: they link like any others, and one that fails takes nobody with it."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.commands import begun
from tests.e2e.tree import END_S, Node, Tree, caught_up, until

VILLAGES = ("330101001001", "330101001002")


@contextmanager
def one_process(*nodes: Node) -> Iterator["subprocess.Popen[str]"]:
    """`zongheng run` with all of them; ended with SIGTERM, and with 0."""
    process = begun("run", *(node.folder for node in nodes))
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=END_S)
        assert process.returncode == 0, err[-3000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ready(node: Node) -> None:
    until(f"{node.code} is ready", lambda: node._ready())


def test_a_town_its_villages_and_an_agency_run_in_one_process(tree: Tree) -> None:
    town = tree.add("town", "330101001")
    villages = [tree.add("village", code, town) for code in VILLAGES]
    agency = tree.add("town", "330101001", town, agency="A01")
    everybody = [town, *villages, agency]
    with one_process(*everybody):
        for node in everybody:
            ready(node)
        for child in (*villages, agency):
            child.join(town)
            caught_up(child, town)
        states = {child["node"]: child["state"] for child in town.status()["children"]}
        assert states == {**dict.fromkeys(VILLAGES, "linked"), "330101001.A01": "linked"}
        pids = {node.status()["pid"] for node in everybody}
        assert len(pids) == 1
        [kind] = [child["kind"] for child in town.get("/api/children") if child["node"] == agency.code]
        assert kind == "department"


def test_a_node_that_cannot_start_is_tried_again_and_harms_nobody(tree: Tree) -> None:
    town = tree.add("town", "330101001")
    village = tree.add("village", VILLAGES[0], town)
    host, _, port = village.grpc.rpartition(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))
        taken.listen()
        with one_process(town, village):
            ready(town)
            until("the village was tried more than once", lambda: (village.folder / "lock").exists())
            assert not village._ready()
            assert town.status()["running"]
            taken.close()
            ready(village)
            village.join(town)
            caught_up(village, town)


def test_a_folder_without_a_node_starts_nobody(tree: Tree) -> None:
    town = tree.add("town", "330101001")
    empty = tree.folder / "empty"
    empty.mkdir()
    with begun("run", town.folder, empty) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "holds no node" in err
