"""What must hold of the four nodes once they have caught up, however often they were killed.

Looked at from outside: in the stores' files, over the API, and against a node of the same code that was handed the same events at once and was
never killed. Every violation is a sentence; none means that all of it held.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from zongheng.v1.catalogue_pb2 import LEVEL_RED
from zongheng.v1.entry_pb2 import ALERT_STATE_ISSUED, Entry
from zongheng.v1.intake_pb2 import SubmitRequest

from federation.journal.merkle import Frontier, leaf_hash
from tests.chaos.line import Line
from tests.e2e.hall import SOURCE, Hall
from tests.e2e.tree import Node, Tree, until

_AT_ONCE: Final = 500
_SHOWN: Final = 5


@dataclass
class Verdict:
    """What was found."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    """Acknowledged events that are not in the journal."""
    doubled: int = 0
    """Events that are in the journal again."""
    faults: list[str] = field(default_factory=list)

    def say(self, what: str, found: Sequence[object]) -> None:
        """A fault, unless nothing was found."""
        if found:
            shown = ", ".join(map(str, found[:_SHOWN]))
            self.faults.append(f"{what}: {len(found)} ({shown}{', …' if len(found) > _SHOWN else ''})")

    def same(self, what: str, one: object, other: object) -> None:
        """A fault, unless the two are equal."""
        if one != other:
            self.faults.append(f"{what}: {str(one)[:300]} and {str(other)[:300]}")

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.faults)


def judged(line: Line, verdict: Verdict, folder: Path, catch_up_s: float) -> None:
    """Look at everything; ``folder`` is where nodes for comparison are made. AssertionError when the line does not catch up."""
    verdict.say(f"directives to {line.nodes[-1].code}", line.office.faults(catch_up_s))
    if not line.office.issued:
        verdict.faults.append(f"no directive was issued: {line.office.refused}")
    journals = _at_rest(line, catch_up_s)
    for hall in line.halls:
        held_once(hall, journals[hall.node.code], verdict)
    for child, parent in line.links:
        _copy(child, parent, verdict)
    for node in line.nodes:
        _journal(node, journals[node.code], verdict)
    _risen(line, journals, verdict)
    for hall in line.halls:
        _as_if_never_killed(hall, folder, verdict)


def _at_rest(line: Line, timeout_s: float) -> dict[str, list[Entry]]:
    """Every node's own journal, read while nobody wrote: parents note their children's heads once a minute."""

    def read() -> dict[str, list[Entry]]:
        line.catch_up(timeout_s)
        until("every case is judged", lambda: not any(n.status()["due"] for n in line.nodes), timeout_s)
        line.catch_up(timeout_s)
        journals = {node.code: node.entries() for node in line.nodes}
        still = all(
            child.status()["journal"]["size"]
            == len(journals[child.code])
            == parent.child(child.code)["compared"]
            for child, parent in line.links
        )
        return journals if still else {}

    return until("the line is at rest", read, timeout_s)


def held_once(hall: Hall, journal: list[Entry], verdict: Verdict) -> None:
    """What was acknowledged is in the journal, once, and nothing else is."""
    written = Counter(entry.serial for entry in journal if entry.source == SOURCE)
    lost = sorted(hall.acknowledged - written.keys())
    doubled = sorted(serial for serial, times in written.items() if times > 1)
    verdict.lost += len(lost)
    verdict.doubled += sum(written[serial] - 1 for serial in doubled)
    verdict.say(f"{hall.node.code} lost", lost)
    verdict.say(f"{hall.node.code} doubled", doubled)
    verdict.same(f"{hall.node.code} acknowledged of what was sent", len(hall.acknowledged), hall.sent)
    verdict.say(f"{hall.node.code} has what nobody sent", sorted(written.keys() - hall.acknowledged))


def _copy(child: Node, parent: Node, verdict: Verdict) -> None:
    """The parent's copy is the child's journal byte for byte and root for root, and the figures are the child's own."""
    copy, own = parent.leaves(child.code), child.leaves()
    verdict.same(f"sizes of {child.code} and of its copy at {parent.code}", len(own), len(copy))
    differ = [at for at, (one, other) in enumerate(zip(own, copy, strict=False)) if one != other]
    verdict.say(f"{parent.code} holds other bytes of {child.code}", differ)
    frontier = Frontier()
    frontier.extend([leaf_hash(leaf) for leaf in copy])
    root = frontier.root().hex()
    verdict.same(f"roots of {child.code}, computed and its own", root, child.status()["journal"]["root"])
    verdict.same(
        f"roots of {child.code}, computed and held by {parent.code}", root, parent.child(child.code)["root"]
    )


def _journal(node: Node, journal: Iterable[Entry], verdict: Verdict) -> None:
    """The tree verifies, nothing was found of which there is nothing, and no alert was raised twice."""
    verdict.same(f"{node.code} verifies its journals", node.get("/api/verification")["verified"], True)
    kinds = Counter(entry.WhichOneof("body") for entry in journal)
    verdict.same(f"{node.code} found forks", kinds["fork_found"], 0)
    verdict.same(f"{node.code} found figures that differ", kinds["rollup_mismatch"], 0)
    verdict.same(f"{node.code} begins its journal", kinds["genesis"], 1)
    verdict.same(f"{node.code} set entries aside", node.status()["parked"], 0)
    raised = [entry.alert_raised for entry in journal if entry.HasField("alert_raised")]
    keys = Counter((one.case_id, one.subject, one.rule, one.level, one.episode) for one in raised)
    verdict.say(f"{node.code} raised twice", [key for key, times in keys.items() if times > 1])
    ids = Counter(one.alert_id for one in raised)
    verdict.say(f"{node.code} gave an alert number twice", [one for one, times in ids.items() if times > 1])


def _risen(line: Line, journals: dict[str, list[Entry]], verdict: Verdict) -> None:
    """Every issued red card is at every tier above once, as it was written; and each tier counts as the node itself does."""
    cards: dict[tuple[str, int], bytes] = {}
    for node in reversed(line.nodes):
        risen = [entry.forwarded for entry in journals[node.code] if entry.HasField("forwarded")]
        times = Counter((one.origin, one.index) for one in risen)
        verdict.say(f"{node.code} has cards twice", [key for key, count in times.items() if count > 1])
        verdict.say(f"{node.code} misses cards", sorted(cards.keys() - times.keys()))
        verdict.say(f"{node.code} has cards that nobody issued", sorted(times.keys() - cards.keys()))
        changed = [
            (one.origin, one.index)
            for one in risen
            if one.leaf != cards.get((one.origin, one.index), one.leaf)
        ]
        verdict.say(f"{node.code} has cards that were written otherwise", changed)
        for index, leaf in enumerate(node.leaves()):
            card = Entry.FromString(leaf).alert_raised
            if card.level == LEVEL_RED and card.state == ALERT_STATE_ISSUED:
                cards[node.code, index] = leaf
    city = line.nodes[0]
    if not any(origin == line.nodes[-1].code for origin, _ in cards):
        verdict.faults.append("no red card was issued in the village: nothing was tried")
    for node in line.nodes[1:]:
        own = node.get("/api/rollup/rows", node=node.code)

        def counted(code: str = node.code, own: Any = own) -> bool:
            return bool(city.get("/api/rollup/rows", node=code) == own)

        try:
            until(f"the city counts for {node.code} as it does itself", counted)
        except AssertionError as error:
            verdict.faults.append(str(error))


def _holding(node: Node) -> set[tuple[Any, ...]]:
    """The alerts about cases that stand. How often one came and went before depends on when it was looked at, and what a node finds
    about its child is about what the child went through: one that was killed enters late, and the node never killed has no child."""
    return {
        (one["case"], one["subject"], one["rule"], one["level"], one["since"], one["due_at"], one["state"])
        for one in node.alerts()
        if one["state"] != "corrected" and not one["rule"].startswith("resupervision.")
    }


def _as_if_never_killed(hall: Hall, folder: Path, verdict: Verdict) -> None:
    """A node that was handed all events at once finds the same, and says the same of its cases."""
    node = hall.node
    with Tree(folder / f"clean-{node.code}") as other:
        clean = other.add(node.tier, node.code, confirm=False).start()
        with clean.door() as submit:
            for lo in range(0, hall.sent, _AT_ONCE):
                batch = hall.submissions(lo, min(lo + _AT_ONCE, hall.sent))
                answer = submit(SubmitRequest(source=SOURCE, submissions=batch))
                assert answer.accepted == len(batch), answer

        def done() -> bool:
            status = clean.status()
            return bool(status["due"] == 0 and status["cursors"]["facts"] == status["journal"]["size"])

        until(f"a clean {node.code} has judged every case", done, 180.0)
        expected, found = _holding(clean), _holding(node)
        verdict.say(f"{node.code} misses alerts", sorted(map(str, expected - found)))
        verdict.say(f"{node.code} has alerts that do not hold", sorted(map(str, found - expected)))
        one, another = node.get("/api/evaluation"), clean.get("/api/evaluation")
        for name in ("cases", "open", "completed", "late", "undetermined", "alerts", "rules", "late_cases"):
            verdict.same(f"{node.code} evaluated, {name}", one[name], another[name])
        if not expected:
            verdict.faults.append(f"{node.code} has nothing to find: nothing was tried")
