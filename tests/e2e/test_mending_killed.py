"""A child killed with SIGKILL in the middle of a pull and in the middle of a mend: it goes on where it stopped, and is byte for byte what it should be.

The kills are bound to progress, which the store shows, not to time.
"""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.e2e.hall import Hall
from tests.e2e.test_killed import _event, _events, _held, _size
from tests.e2e.test_mending import Backup, linked, shown
from tests.e2e.tree import Node, Tree, caught_up, until

VILLAGE = "330101001001"


def two(tree: Tree) -> list[Node]:
    nodes = tree.line(("town", "330101001"), ("village", VILLAGE))
    for node in nodes:
        node.start()
    linked(nodes[1])
    return nodes


def handed_in(village: Node, first: int, entries: int) -> set[str]:
    """Let senders hand in at least so many events, numbered from `first` on; the serials."""
    with Hall(village, _event, batch=200, rest_s=0.0, first=first) as hall:
        target = _size(village) + entries
        until("the events are in", lambda: _size(village) >= target, 120)
        hall.finish()
    return set(hall.acknowledged)


def killed_at(node: Node, reached: Callable[[], bool]) -> None:
    """Kill it as soon as this is so: also while it starts, since what it is killed in goes on meanwhile."""
    until("the moment to kill has come", reached, 120, every_s=0.002)
    node.kill()


def test_a_village_killed_while_it_fetches_its_entries_back_has_them_byte_for_byte(
    tree: Tree, tmp_path: Path
) -> None:
    town, village = two(tree)
    village.stop()
    backup = Backup(village, tmp_path)
    village.start()
    handed_in(village, 0, 12_000)
    caught_up(village, town, 180)
    village.stop()
    before = village.leaves()
    backup.put_back()
    small = _size(village)
    middle = []
    for part in (1, 2, 3):
        village.begin()
        target = small + (len(before) - small) * part // 4 + random.randint(0, 400)
        killed_at(village, lambda target=target: _size(village) >= target)
        middle.append(_size(village))
        assert village.leaves() == before[: middle[-1]]
    assert any(size < len(before) for size in middle), "all was back before it could be killed"
    village.start()
    until("the journal is open", lambda: not village.status()["journal"]["sealed"], 180)
    caught_up(village, town, 180)
    after = village.leaves()
    assert after[: len(before)] == before
    assert town.leaves(VILLAGE) == after
    assert town.entries("fork_found") == []
    assert len(town.entries("child_restored")) >= 1
    assert village.run("verify", "--json").ended(0).json["verified"] is True


def test_a_village_killed_while_it_is_mended_loses_nothing_and_doubles_nothing(
    tree: Tree, tmp_path: Path
) -> None:
    town, village = two(tree)
    village.stop()
    backup = Backup(village, tmp_path)
    village.start()
    lost = handed_in(village, 0, 4_000)
    caught_up(village, town, 180)
    held = town.leaves(VILLAGE)
    village.stop()
    town.stop()
    backup.put_back()
    village.start()
    own = handed_in(village, 100_000, 4_000)
    town.start()
    until("the link is quarantined", lambda: village.status()["link"]["state"] == "quarantined")
    size = _size(village)
    until(
        "the branch is kept apart",
        lambda: shown(town)["kept_apart"] == _size(village) - (shown(town)["common_size"] or 0),
        180,
    )
    common = shown(town)["common_size"]
    size = _size(village)
    town.run("quarantine", VILLAGE, "--mend", "--by", "Li", "--reason", "an old backup").ended(0)
    # Given up, or already taking back what the town holds.
    killed_at(village, lambda: _size(village) != size)
    assert village.leaves()[:common] == held[:common]
    village.begin()
    killed_at(village, lambda: _size(village) > common + (len(held) - common) // 2)
    village.begin()
    # What is held is back; now its own is entered again.
    killed_at(village, lambda: _size(village) > len(held) + 600)
    assert village.leaves()[: len(held)] == held
    village.start()
    until("the village is mended", lambda: village.entries("journal_mended"), 180)
    until("the town took the mended journal", lambda: shown(town)["state"] == "mended", 180)
    caught_up(village, town, 180)
    leaves = village.leaves()
    assert leaves[: len(held)] == held
    assert town.leaves(VILLAGE) == leaves
    serials = Counter(serial for _, serial in _events(village.entries()))
    assert set(serials) >= lost | own
    assert max(serials.values()) == 1, "an event is in the journal twice"
    assert _held(town, VILLAGE) == len(leaves)
    assert len(village.entries("journal_mended")) == 1
    assert village.run("verify", "--json").ended(0).json["verified"] is True
