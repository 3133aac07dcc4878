"""Who steers which camera: one at a time, for as long as they go on, and the higher tier before the lower. Pure; sans IO.

A hold belongs to a person at a node. It is kept by steering and runs out `HOLD_S` after the last movement; until then others are told who has it. Whoever sits at a higher
tier takes it over. A camera moves at most `LONGEST_S` for one command, so that it stands still soon after commands cease, whoever they came from and whatever happened to
them on the way. Commands are numbered by the node they come from: one that was overtaken on its way is left out, so no movement starts after the stop that was to end it.

Times are seconds of a clock that goes on by itself, not of the day.
"""

from dataclasses import dataclass, field
from typing import Final

from federation.errors import ZonghengError
from node.media.permission import Viewer
from tiers.tier import Tier

HOLD_S: Final = 10.0
LONGEST_S: Final = 10.0
SHORTEST_S: Final = 0.1


@dataclass(slots=True, eq=False)
class Hold:
    """Somebody steers a camera."""

    id: str
    camera: str
    who: Viewer
    since_s: float
    until_s: float
    """It runs out then, unless another command comes."""
    stop_at_s: float = 0.0
    """The camera is to be stopped then; 0: it does not move."""
    moves: int = 0
    newest: int = 0
    """Number of the newest command."""
    entered: bool = field(default=False, repr=False)


class Holds:
    """The holds of one node's cameras, at most one each."""

    def __init__(self) -> None:
        self._held: dict[str, Hold] = {}

    def of(self, camera: str, at_s: float) -> Hold | None:
        """Who has it now."""
        hold = self._held.get(camera)
        return hold if hold is not None and hold.until_s > at_s else None

    def take(self, camera: str, hold_id: str, who: Viewer, at_s: float) -> tuple[Hold, Hold | None]:
        """The hold of whoever asks, and the one that is over for it (None: nobody had any). Raises ZonghengError `steered` while somebody else has it."""
        before = self._held.get(camera)
        if before is not None and before.until_s > at_s:
            if before.id == hold_id:
                return before, None
            same = (before.who.who, before.who.node) == (who.who, who.node)
            if not same and rank(who) <= rank(before.who):
                raise ZonghengError("steered", self.words(before, at_s))
        hold = Hold(hold_id, camera, who, at_s, at_s + HOLD_S)
        self._held[camera] = hold
        return hold, before

    def command(self, camera: str, hold_id: str, number: int, at_s: float) -> Hold | None:
        """The hold under which a command is obeyed; None: it was overtaken by a later one.

        Raises NotHeld where this hold is over: it ran out, was let go, or somebody took the camera over.
        """
        hold = self.of(camera, at_s)
        if hold is None or hold.id != hold_id:
            raise NotHeld
        if number <= hold.newest:
            return None
        hold.newest = number
        return hold

    def moves(self, hold: Hold, for_s: float, at_s: float) -> None:
        """It moves for so long from now."""
        hold.moves += 1
        hold.stop_at_s = at_s + for_s
        hold.until_s = hold.stop_at_s + HOLD_S

    def stands(self, hold: Hold, at_s: float) -> None:
        """It stands still."""
        hold.stop_at_s = 0.0
        hold.until_s = at_s + HOLD_S

    def end(self, hold: Hold) -> bool:
        """Its holder has it no more; False: it was over already."""
        if self._held.get(hold.camera) is not hold:
            return False
        del self._held[hold.camera]
        return True

    def due(self, at_s: float) -> tuple[list[Hold], list[Hold]]:
        """Those whose camera is to be stopped now, and those that have run out."""
        holds = list(self._held.values())
        stop = [hold for hold in holds if 0 < hold.stop_at_s <= at_s]
        return stop, [hold for hold in holds if hold.until_s <= at_s]

    def next_s(self) -> float | None:
        """When something is due."""
        return min((hold.stop_at_s or hold.until_s for hold in self._held.values()), default=None)

    @staticmethod
    def words(hold: Hold, at_s: float) -> str:
        """Who has it, for somebody else."""
        left_s = max(1, round(hold.until_s - at_s))
        return f"{hold.who.who} of {hold.who.node} steers this camera: try again in {left_s} s"


class NotHeld(Exception):
    """The hold that a command names is over: it has to be taken again."""


def rank(who: Viewer) -> int:
    """1 for a village up to 5 for a province; who sits at an agency's node, or at one of a tier that is not known here, comes after everybody."""
    return Tier(who.tier).rank if who.tier in set(Tier) else 0
