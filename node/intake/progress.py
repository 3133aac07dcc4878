"""How far the imports under way have come.

Batches of one import may be journalled in any order; a row is settled once everything before it is, and only settled rows
are ever written down as such. What is written with one batch speaks of the batches that were finished before it, so a
process killed at any point finds a row number at or before the truth and the rows after it come once more, to be
recognised by their serials.
"""

from dataclasses import dataclass, field

from node.store.imports import UNDER_WAY, ImportRun


@dataclass(slots=True)
class Progress:
    """One import under way."""

    import_id: str
    source: str
    settled_row: int = 0
    accepted: int = 0
    """Events of settled rows that are in the journal through this import."""
    rejected: int = 0
    ahead: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """Batches finished before their turn: rows after → (up to, accepted, rejected)."""

    @classmethod
    def of(cls, run: ImportRun) -> "Progress":
        return cls(run.import_id, run.source, run.settled_row, run.accepted, run.rejected)

    def finish(self, after_row: int, through_row: int, accepted: int, rejected: int) -> None:
        """A batch is journalled whole. One that names no rows counts, and settles none."""
        if not through_row:
            self.accepted += accepted
            self.rejected += rejected
            return
        if through_row <= self.settled_row:
            return
        self.ahead[after_row] = (through_row, accepted, rejected)
        while (next_ := self.ahead.pop(self.settled_row, None)) is not None:
            self.settled_row = max(self.settled_row, next_[0])
            self.accepted += next_[1]
            self.rejected += next_[2]

    def run(self, state: str = UNDER_WAY) -> ImportRun:
        """As it is written down."""
        return ImportRun(self.import_id, self.source, state, self.settled_row, self.accepted, self.rejected)
