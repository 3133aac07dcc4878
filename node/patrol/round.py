"""A round of a video patrol, folded from its entries. Pure.

A stop may be told of again before the round is over; the last counts, and all of them stay in the journal. What is read here may be somebody else's journal: what does not fit (a stop that the round does not
have, a word after the end, a round without stops) is left aside.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from zongheng.v1 import patrol_pb2 as wire

from node.projection.entries import LATEST_US
from node.store.patrols import BEGUN, CHECKED, ENDED, PatrolRow


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a stop, and when (µs since the epoch)."""

    at_us: int
    said: wire.PatrolChecked

    @property
    def reached(self) -> bool:
        return not self.said.code

    @property
    def not_ok(self) -> Sequence[str]:
        """Items that were not in order."""
        return [mark.item for mark in self.said.marks if mark.verdict == wire.PATROL_VERDICT_NOT_OK]


@dataclass(slots=True)
class Round:
    """One round."""

    begun: wire.PatrolBegun
    begun_us: int
    told: dict[int, Told] = field(default_factory=dict)
    """Stop → what counts of it."""
    times: dict[int, int] = field(default_factory=dict)
    """Stop → how often it was told of."""
    ended: wire.PatrolEnded | None = None
    ended_us: int = 0

    @property
    def id(self) -> str:
        return self.begun.round

    @property
    def stops(self) -> Mapping[int, wire.PatrolStop]:
        return {stop.number: stop for stop in self.begun.stops}

    @property
    def left(self) -> list[int]:
        """Stops that nothing was said of yet."""
        return [stop.number for stop in self.begun.stops if stop.number not in self.told]

    @property
    def unreachable(self) -> list[int]:
        return [number for number, told in sorted(self.told.items()) if not told.reached]

    @property
    def not_ok(self) -> int:
        """Items, over all stops, that were not in order."""
        return sum(len(told.not_ok) for told in self.told.values())


def of(rows: Iterable[PatrolRow]) -> Round | None:
    """The round of these steps, in the order of the journal; None: nothing begins it."""
    found: Round | None = None
    for row in rows:
        if not 0 <= row.at_us < LATEST_US:
            continue
        try:
            if row.kind == BEGUN and found is None:
                begun = wire.PatrolBegun.FromString(row.body)
                found = Round(begun, row.at_us) if begun.stops else None
            elif found is None or found.ended is not None:
                continue
            elif row.kind == CHECKED:
                said = wire.PatrolChecked.FromString(row.body)
                if said.stop in found.stops and 0 <= said.taken_at_us < LATEST_US:
                    found.told[said.stop] = Told(row.at_us, said)
                    found.times[said.stop] = found.times.get(said.stop, 0) + 1
            elif row.kind == ENDED:
                found.ended, found.ended_us = wire.PatrolEnded.FromString(row.body), row.at_us
        except DecodeError:
            continue
    return found


def faults(known: Round, said: wire.PatrolChecked) -> list[str]:
    """What is wrong with what is said of a stop; empty: nothing."""
    found = []
    if known.ended is not None:
        found.append(f"round {known.id} is over: begin another")
    if said.stop not in known.stops:
        found.append(f"round {known.id} has stops 1 to {len(known.stops)}, and none {said.stop}")
    items = {item.code for item in known.begun.items}
    marked = [mark.item for mark in said.marks]
    found += [
        f"there is no item {item!r}: {', '.join(sorted(items))}" for item in marked if item not in items
    ]
    found += [f"{item} is marked twice" for item in sorted(items) if marked.count(item) > 1]
    if said.code:
        seen = [mark.item for mark in said.marks if mark.verdict != wire.PATROL_VERDICT_UNSEEN]
        found += [
            f"{item} was not seen: the camera could not be reached ({said.code})"
            for item in seen
            if item in items
        ]
    else:
        found += [
            f"say of {item} whether it is in order: ok, not_ok or unseen"
            for item in sorted(items - set(marked))
        ]
        if not said.picture.sha256:
            found.append("a stop that was reached has a picture")
    return found
