"""The first pass of an import: the whole file is read and translated, and nothing is written.

What comes out says everything that can go wrong before it can: that the mapping fits the file, which rows will be
rejected and why, how many events of which kind there will be. Memory grows by 26 bytes an event, for finding those that
are in the file twice, and by a mark for each case.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import polars as pl
from zongheng.v1.entry_pb2 import Rejected
from zongheng.v1.intake_pb2 import Submission

from node.intake.door import Door, Refused
from node.intake.mapping import BadMapping, Mapping
from node.intake.readers.formats import format_of, open_reader
from node.intake.readers.record import Reader, Record
from node.intake.readers.stream import digest
from node.intake.rules import Refusal
from node.intake.translation import Translation

OnProgress = Callable[[str, int, int], None]
"""(phase: "check" or "import", rows done, rows in all or 0 where that is not known yet)."""

_TICK = 2_000
_TWICE = Refused("duplicate", "it is in this file before")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One rejection, for the report."""

    row: int
    code: str
    reason: str
    shown: str = ""
    """What the row says, shortened; stays on this machine."""


@dataclass(slots=True)
class Checked:
    """A file that can be imported, and what will come of it."""

    path: Path
    mapping: Mapping
    zone: str | None
    import_id: str
    file_sha256: str
    stamp: tuple[int, int]
    """Size and time of change of the file that was checked."""
    rows: int = 0
    last_row: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Events that will be handed in, by kind."""
    codes: Counter[str] = field(default_factory=Counter)
    """Rejections by code."""
    rejected: list[RejectedRow] = field(default_factory=list)
    """The first of them, in the order of the file."""
    verdicts: dict[int, Refused] = field(default_factory=dict)
    """What is turned away of what could be read, by its place among the file's submissions."""
    cases: int = 0

    @property
    def events(self) -> int:
        return self.kinds.total()

    @property
    def refusals(self) -> int:
        return self.codes.total()

    def handed_in(self) -> Iterator[tuple[int, list[Submission]]]:
        """Row by row, in order, what is to be handed in: submissions, and rejections of what cannot be."""
        translation, reader = opened(self.path, self.mapping, self.zone)
        place = 0
        for record in reader:
            handed: list[Submission] = []
            for outcome in translation.outcomes(record):
                if isinstance(outcome, Refusal):
                    handed.append(_refused(outcome.row, outcome.code, outcome.reason))
                    continue
                verdict = self.verdicts.get(place)
                place += 1
                if verdict is None:
                    handed.append(outcome)
                else:
                    handed.append(_refused(outcome.row, verdict.code, verdict.reason, outcome.serial))
            yield record.row, handed

    def note(self, row: RejectedRow, keep: int) -> None:
        """Count a rejection and keep it if it is one of the first."""
        self.codes[row.code] += 1
        if len(self.rejected) < keep:
            self.rejected.append(row)


def _refused(row: int, code: str, reason: str, serial: str = "") -> Submission:
    return Submission(row=row, serial=serial, unreadable=Rejected(code=code, reason=reason, row=row))


def opened(path: Path, mapping: Mapping, zone: str | None) -> tuple[Translation, Reader]:
    """A reader of the file and the mapping made ready for it.

    :raises UnreadableFile: when the file cannot be read.
    :raises BadMapping: when the mapping does not fit the file.
    """
    format_ = format_of(path, mapping.read.format)
    reader = open_reader(path, format_, mapping.read.options())
    return Translation(mapping, reader.columns, path.name, xes=format_ == "xes", zone=zone), reader


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time of last change; (0, 0) where there is no file."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def check(
    path: Path,
    mapping: Mapping,
    *,
    now_us: int,
    zone: str | None = None,
    on_progress: OnProgress | None = None,
    keep: int = 10_000,
) -> Checked:
    """Read the whole file once, as an import would, and write nothing.

    :param now_us: microseconds since the epoch, for telling what lies in the future.
    :param zone: IANA zone of times that carry none where the mapping names none: the node's own.
    :param keep: how many rejections to keep one by one; all are counted.
    :raises UnreadableFile: for a file that cannot be read as a whole.
    :raises BadMapping: for a mapping that does not fit it, or of which nothing would come.
    """
    stamp, file_sha256 = stamp_of(path), digest(path)
    translation, reader = opened(path, mapping, zone)
    import_id = sha256(f"{file_sha256}{mapping.digest}".encode()).hexdigest()[:32]
    checked = Checked(path, mapping, zone, import_id, file_sha256, stamp)
    door = Door(mapping.source, import_id, now_us)
    pending = set(translation.asked) if reader.columns is None else set()
    let_in = _Admitted()
    cases: set[int] = set()
    place = 0
    for record in reader:
        checked.rows += 1
        checked.last_row = record.row
        if pending and isinstance(record, Record):
            pending.difference_update(record.cells)
            pending.difference_update([f"case:{name}" for name in record.case])
        for outcome in translation.outcomes(record):
            if isinstance(outcome, Refusal):
                checked.note(RejectedRow(outcome.row, outcome.code, outcome.reason, outcome.shown), keep)
                continue
            admitted = door.admit(outcome)
            if isinstance(admitted, Refused):
                checked.verdicts[place] = admitted
                checked.note(RejectedRow(outcome.row, *admitted), keep)
            else:
                event = outcome.event
                cases.add(hash(event.case_id))
                let_in.add(outcome.serial, place, outcome.row, event.kind)
            place += 1
        if on_progress is not None and checked.rows % _TICK == 0:
            on_progress("check", checked.rows, 0)
    pending -= reader.declared
    if pending and checked.rows:
        name = min(pending)
        raise BadMapping(
            f"{translation.asked[name]}: nothing in the file has {name!r}; if it may be absent, say optional = true"
        )
    checked.cases = len(cases)
    checked.kinds.update(let_in.kinds)
    for place, row, kind in let_in.twice():
        checked.verdicts[place] = _TWICE
        checked.kinds[kind] -= 1
        checked.note(RejectedRow(row, *_TWICE), keep)
    checked.rejected.sort(key=lambda rejected: rejected.row)
    return checked


class _Admitted:
    """What the door admitted, 26 bytes a submission: enough to find those whose serial the file has had before."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self._codes: dict[str, int] = {}
        self._serials, self._places = array("q"), array("q")
        self._rows, self._kinds = array("q"), array("H")

    def add(self, serial: str, place: int, row: int, kind: str) -> None:
        self.kinds[kind] += 1
        self._serials.append(hash(serial))
        self._places.append(place)
        self._rows.append(row)
        self._kinds.append(self._codes.setdefault(kind, len(self._codes)))

    def twice(self) -> Iterator[tuple[int, int, str]]:
        """(place, row, kind) of every submission after the first with its serial."""
        names = list(self._codes)
        # 64 bits of a keyed hash: two serials of a file of ten million meet by chance once in 400,000 such files.
        for at in (~pl.Series(self._serials).is_first_distinct()).arg_true().to_list():
            yield self._places[at], self._rows[at], names[self._kinds[at]]
