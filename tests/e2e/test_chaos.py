"""A short storm (`make chaos` has the long one), a frozen node, and that what the storm looks for would be found."""

from collections.abc import Callable
from pathlib import Path
from random import SystemRandom

import pytest
from zongheng.v1.entry_pb2 import Entry

from tests.chaos.frozen import freeze
from tests.chaos.line import TIERS, case_events
from tests.chaos.run import storm
from tests.chaos.settled import Verdict, held_once
from tests.e2e.hall import SOURCE, Hall
from tests.e2e.tree import Node, Tree, caught_up

KILLS = 4
PATIENCE_S = 90.0
"""How long a busy machine may take to see what `make chaos` wants to be seen sooner."""


def test_four_tiers_killed_under_load_lose_and_double_nothing(tree: Tree) -> None:
    verdict = Verdict()
    seed = SystemRandom().randrange(2**31)
    print(f"seed {seed}")  # shown when it fails
    storm(tree, KILLS, seed, verdict, print)
    assert verdict.sound, verdict
    assert verdict.kills == KILLS
    assert verdict.acknowledged > 0


def test_a_frozen_town_is_seen_from_both_sides_and_comes_back_by_itself(tree: Tree) -> None:
    county, town, village = tree.line(*TIERS[1:], confirm=False)
    for node in (county, town, village):
        node.start()
    with Hall(village, case_events(village.code), batch=7, rest_s=0.3) as hall:
        freeze(village, town, county, print, PATIENCE_S)
        hall.finish()
    caught_up(village, town)
    caught_up(town, county)
    assert town.leaves(village.code) == village.leaves()
    serials = [entry.serial for entry in village.entries() if entry.source == SOURCE]
    assert sorted(serials) == sorted(hall.acknowledged)


@pytest.mark.parametrize(
    ("damage", "lost", "doubled"),
    [
        (lambda journal: journal, 0, 0),
        (lambda journal: journal[:3] + journal[5:], 2, 0),
        (lambda journal: [*journal, journal[4]], 0, 1),
        (lambda journal: [*journal[1:], journal[4], journal[4]], 1, 2),
    ],
)
def test_a_loss_and_a_double_are_counted(
    tmp_path: Path, damage: Callable[[list[Entry]], list[Entry]], lost: int, doubled: int
) -> None:
    hall = Hall(Node(tmp_path, "330101", "county", "127.0.0.1:0", "127.0.0.1:0"), case_events("330101"))
    batch = hall.submissions(0, 8)
    hall.acknowledged = {one.serial for one in batch}
    hall.sent = len(batch)
    journal = [Entry(source=SOURCE, serial=one.serial, case_event=one.event) for one in batch]
    verdict = Verdict()
    held_once(hall, damage(journal), verdict)
    assert (verdict.lost, verdict.doubled) == (lost, doubled)
    assert verdict.sound == (not lost and not doubled)
    hall.node.client.close()
