"""Links over bad networks, days apart, and with a disk that is full: seen in time, back by themselves, and nothing lost.

The networks and the small disk need root; a stop of the process and a day that passes need nothing.
"""

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom

import grpc
import pytest
from zongheng.v1.intake_pb2 import Submission, SubmitRequest

from tests.chaos.line import case_events
from tests.chaos.network import ABOVE, BELOW, Wire, allowed
from tests.e2e.hall import SOURCE, Hall
from tests.e2e.tree import Node, Tree, caught_up, until

COUNTY, TOWN = "330101", "330101001"

over_a_wire = pytest.mark.skipif(bool(allowed()), reason=allowed())


@contextmanager
def joined(tree: Tree, wire: Wire) -> Iterator[tuple[Node, Node]]:
    """A county above the wire and a town below it, linked."""
    county = tree.add("county", COUNTY, confirm=False, host=ABOVE, within=wire.above)
    town = tree.add("town", TOWN, county, confirm=False, host=BELOW, within=wire.below)
    with (town.folder / "node.toml").open("a", encoding="utf-8") as settings:
        settings.write("longest_rest_s = 2.0\n")
    county.start()
    town.start()
    until("the link stands", lambda: _state(county) == "linked", 120.0)
    try:
        yield county, town
    finally:
        # While the wire stands, so that they can say goodbye.
        for node in (town, county):
            node.stop()


def _state(county: Node) -> str:
    child = county.child(TOWN)
    return str(child["state"]) if child else ""


def nothing_lost(town: Node, county: Node, hall: Hall) -> None:
    serials = [entry.serial for entry in county.entries(origin=TOWN) if entry.source == SOURCE]
    assert sorted(serials) == sorted(hall.acknowledged)
    assert county.leaves(TOWN) == town.leaves()


@over_a_wire
def test_a_third_of_the_packets_lost_and_half_a_second_each_way_cost_time_and_no_entry(tree: Tree) -> None:
    seed = SystemRandom().randrange(2**31)
    print(f"seed {seed}")  # shown when it fails
    with Wire(seed) as wire, joined(tree, wire) as (county, town):
        wire.lost, wire.delay_s = 0.3, 0.5
        with Hall(town, case_events(TOWN), rest_s=0.2) as hall:
            # Links end and are made again meanwhile, some in the middle of a batch or of its acknowledgement.
            time.sleep(20)
            wire.lost, wire.delay_s = 0.0, 0.0
            hall.finish()
        caught_up(town, county, 120.0)
        nothing_lost(town, county, hall)


@over_a_wire
def test_a_black_hole_is_seen_from_both_ends_and_the_link_comes_back(tree: Tree) -> None:
    with Wire(1) as wire, joined(tree, wire) as (county, town), Hall(town, case_events(TOWN)) as hall:
        wire.cut = True
        until("it is seen above", lambda: _state(county) == "away", 90.0)
        until("and below", lambda: town.status()["link"]["state"] in ("backing_off", "connecting"), 90.0)
        wire.cut = False
        until("the link is back", lambda: _state(county) == "linked", 120.0)
        hall.finish()
        caught_up(town, county, 120.0)
        nothing_lost(town, county, hall)


@over_a_wire
def test_a_picture_comes_back_by_itself_after_a_line_was_cut_for_half_a_minute(
    tree: Tree, clip: Path
) -> None:
    with Wire(1) as wire, joined(tree, wire) as (county, town):
        town.post("/api/cameras", {"camera": {"code": "hall", "address": f"file:{clip}"}})
        until("the county knows the camera", lambda: county.get("/api/cameras", of=TOWN))
        with ThreadPoolExecutor(1) as pool:
            looking = {"stream": f"{TOWN}/hall/main", "seconds": 290}
            answer = pool.submit(county.client.post, "/api/streams/trials", json=looking, timeout=300)
            until("the county sees", lambda: _stream(county) == "live")
            wire.cut = True
            until("it is noticed", lambda: _stream(county) == "lost")
            time.sleep(30)
            wire.cut = False
            until("the county sees again", lambda: _stream(county) == "live")
            (viewing,) = [one["viewing"] for one in county.get("/api/viewings")]
            county.post(f"/api/viewings/{viewing}/removal", {"reason": "enough"})
            told = answer.result(120).json()
        assert told["code"] == "viewer_removed"
        assert told["pictures"] > 0
        assert told["longest_gap_ms"] > 30_000


def _stream(county: Node) -> str:
    """How the one stream is that is open there; empty: none is."""
    streams = county.get("/api/streams")["streams"]
    return str(streams[0]["state"]) if streams else ""


def test_a_day_without_a_parent_is_made_up_for(tree: Tree) -> None:
    county = tree.add("county", COUNTY, confirm=False).start(clock="2026-05-05T09:00:00+08:00")
    town = tree.add("town", TOWN, county, confirm=False).start(clock="2026-05-05T09:00:00+08:00")
    caught_up(town, county)
    county.stop()
    handed_in(town, 0, 40)
    town.stop()
    # The box ran on through the night, and went on failing to reach its parent.
    town.start(clock="2026-05-06T03:00:00+08:00")
    handed_in(town, 40, 80)
    until("it fails to reach its parent", lambda: town.status()["link"]["state"] == "backing_off")
    town.stop()
    county.start(clock="2026-05-06T09:00:00+08:00")
    town.start(clock="2026-05-06T09:00:00+08:00")
    caught_up(town, county, 120.0)
    serials = [entry.serial for entry in county.entries(origin=TOWN) if entry.source == SOURCE]
    assert sorted(serials) == sorted(f"s{number}" for number in range(80))
    assert county.leaves(TOWN) == town.leaves()


def handed_in(node: Node, lo: int, hi: int) -> None:
    event = case_events(node.code)
    batch = [Submission(serial=f"s{number}", event=event(number)) for number in range(lo, hi)]
    with node.door() as submit:
        assert submit(SubmitRequest(source=SOURCE, submissions=batch)).accepted == hi - lo


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A disk of that size at `place`."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


@over_a_wire
def test_a_node_whose_disk_is_full_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk, Tree(disk) as tree, Tree(tmp_path) as roomy:
        county = roomy.add("county", COUNTY, confirm=False).start()
        town = tree.add("town", TOWN, county, confirm=False).start()
        handed_in(town, 0, 40)
        caught_up(town, county)
        ballast = disk / "ballast"
        _fill(ballast)
        number = 40
        while (refused := _refusal(town, number)) is None:
            number += 20
        assert refused is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert town.running
        assert town.status()["journal"]["size"] > 0
        ballast.unlink()
        until("it takes entries again", lambda: _refusal(town, number) is None)
        caught_up(town, county, 120.0)
        serials = [entry.serial for entry in county.entries(origin=TOWN) if entry.source == SOURCE]
        assert sorted(serials) == sorted(f"s{one}" for one in range(number + 20))


def _fill(ballast: Path) -> None:
    """Write until there is no room."""
    with ballast.open("wb", buffering=0) as full, suppress(OSError):
        while True:
            full.write(bytes(65_536))


def _refusal(node: Node, number: int) -> grpc.StatusCode | None:
    """Hand in twenty events from this number on; what it is refused with."""
    event = case_events(node.code)
    batch = [Submission(serial=f"s{one}", event=event(one)) for one in range(number, number + 20)]
    try:
        with node.door() as submit:
            answer = submit(SubmitRequest(source=SOURCE, submissions=batch))
    except grpc.RpcError as error:
        status: grpc.StatusCode = error.code()  # type: ignore[attr-defined]
        return status
    assert answer.accepted + answer.repeated == 20
    return None
