"""What no single node can see: one person paid in two places, planted with what must be found, and by whom.

Each pair is two payments of one programme and period to one person, at two nodes. It is found by tokens at the node to which both halves come by
different ways (`node.matching`), and nowhere else: that is the third name of a pair. Beside them two people of one name are paid, of whom
nothing may be found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zongheng.v1 import intake_pb2

from node.demo.expected import RED
from node.demo.people import identity_number
from node.demo.places import place
from node.demo.stories import ToldFault, submission

TWICE: Final = "matching.payee.twice"

ABOUT: Final = "@matching/"
"""What stands for the case of an alert of the matching, with its subject: its own id follows from a key that is made anew each time."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two payments, and the node that finds them; empty: nobody may."""

    name: str
    words: str
    halves: tuple[tuple[str, str], ...]
    """(node, number of who is paid)."""
    found_at: str
    programme: str

    @property
    def about(self) -> str:
        """What its alert is about."""
        return f"{ABOUT}payee:{self.programme}/2026"


_WANG: Final = identity_number("990121", "19580614", 27)
_SHEN: Final = identity_number("990121", "19611103", 314)

PAIRS: Final = (
    Pair(
        "payee_in_two_counties", "同一人在两县重复领取", (("990121101", _WANG), ("990122101", _WANG)), "990100", "GL"
    ),
    Pair("payee_in_town_and_county", "同一人在县、镇重复领取", (("990121101", _SHEN), ("990121", _SHEN)), "990121", "JZ"),
    Pair(
        "payees_of_one_name", "同名不同人", (("990121101", identity_number("990121", "19700101", 8)), ("990122101", identity_number("990122", "19820202", 9))), "", "BT"
    ),
)  # fmt: skip

PLANTED: Final = {pair.name: ToldFault(pair.name, pair.words, TWICE, RED) for pair in PAIRS if pair.found_at}
"""The faults among them, by name."""


@dataclass(frozen=True, slots=True)
class Half:
    """What one node is told of a pair."""

    node: str
    case_id: str
    submissions: tuple[intake_pb2.Submission, ...]


def halves() -> Iterator[tuple[Pair, list[Half]]]:
    """Every pair with what is told of it."""
    for number, pair in enumerate(PAIRS, 1):
        yield pair, [_half(pair, node, person, number) for node, person in pair.halves]


def _half(pair: Pair, node: str, person: str, number: int) -> Half:
    agency, case_id = place(node).desks[0].code, f"{node}-funds-9{number:02d}"
    lines = (
        "2026-03-02 budget amount=10000000",
        f"2026-03-20 payment amount=30000 approver=L9 programme={pair.programme} period=2026 who=王芳 number={person}",
    )
    told = [submission("funds", case_id, agency, line, at) for at, line in enumerate(lines, 1)]
    return Half(node, case_id, tuple(told))
