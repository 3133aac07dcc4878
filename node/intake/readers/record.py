"""What every reader gives: records, rows that could not be read, and the file's own failure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

MIB = 1 << 20


class UnreadableFile(Exception):
    """The file as a whole cannot be read; nothing of it is taken in. The message says what to do."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read one file; what is not said is found out from the file."""

    encoding: str = ""
    """Empty: by byte order mark, else UTF-8 if all of the file is, else GB 18030."""
    delimiter: str = ""
    """Empty: whichever of ``, ; tab |`` the header has most of."""
    quote: str = '"'
    sheet: str = ""
    """Name of the worksheet; empty: the first."""
    header: int = 1
    """Row that holds the columns' names; 0: none does, ``columns`` says them."""
    columns: tuple[str, ...] = ()
    max_value: int = MIB
    """Longest line, cell or attribute value, in characters. A longer one makes its row unreadable."""
    ragged: bool = False
    """Rows of a CSV file may be shorter than its header; the missing cells are empty."""


Cells: TypeAlias = Sequence[Any] | Mapping[str, Any]


@dataclass(slots=True)
class Record:
    """One row, event or trace.

    ``case`` holds the attributes of the trace that an event lies in (XES), else nothing. ``cells`` are a sequence in the
    order of the reader's columns, or a mapping by name where the format has no fixed columns. Not frozen only because
    making a frozen one costs three times as much, and a file has millions.
    """

    row: int
    cells: Cells
    case: Mapping[str, Any]
    opens_case: bool = False
    """The record is a case itself (an XES trace), not an event in one."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that could not be read; the reason quotes nothing out of it."""

    row: int
    reason: str
    too_large: bool = False


class Reader(Protocol):
    """One opened file. Reading it again starts from its first row."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names in the order of a record's cells; None where cells are looked up by name."""

    @property
    def declared(self) -> frozenset[str]:
        """Names that the file declares before its first record, even if no record carries them."""

    def __iter__(self) -> Iterator[Record | Unreadable]: ...


EMPTY: Mapping[str, Any] = {}


def check_names(file: str, columns: Sequence[str]) -> None:
    """Refuse columns without which a mapping cannot say what it means.

    :raises UnreadableFile: when two columns have one name.
    """
    seen: set[str] = set()
    for name in columns:
        if name and name in seen:
            raise UnreadableFile(f"{file}: two columns are named {name!r}")
        seen.add(name)
    if not seen - {""}:
        raise UnreadableFile(f"{file}: no column has a name; state [read] header or columns in the mapping")
