"""Excel workbooks (.xlsx, ISO/IEC 29500), one sheet, read as a stream.

Before a workbook is opened its parts are looked over as a stream: a part that declares a document type (the way to an
entity bomb), a text longer than the limit, or a table of shared strings too large to hold (the one part that has to
be held) refuses the file.
"""

import re
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from node.intake.readers.record import (
    EMPTY,
    MIB,
    ReadOptions,
    Record,
    Unreadable,
    UnreadableFile,
    check_names,
)

_SHARED_STRINGS = 256 * MIB
_FAILURES = (zipfile.BadZipFile, InvalidFileException, KeyError, SyntaxError, ValueError, OSError, EOFError)
_HOURS = re.compile(r"h|am/pm", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')


class XlsxReader:
    """One sheet of a workbook; see :class:`~node.intake.readers.record.Reader`."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path, self._options = path, options
        _look_over(path, options.max_value)
        self.columns: tuple[str, ...] = options.columns if options.header == 0 else self._names()
        self.declared = frozenset(self.columns)
        check_names(path.name, self.columns)

    def _names(self) -> tuple[str, ...]:
        with closing(self._rows()) as rows:
            for row, cells in rows:
                if row != self._options.header:
                    continue
                names = tuple("" if cell is None else str(cell).strip() for cell in cells)
                while names and not names[-1]:
                    names = names[:-1]
                return names
        raise UnreadableFile(
            f"{self._path.name}: there is no header: the sheet ends before row {self._options.header}"
        )

    def _rows(self) -> Generator[tuple[int, list[Any]], None, None]:
        try:
            book = load_workbook(self._path, read_only=True, data_only=True)
        except _FAILURES as error:
            raise UnreadableFile(f"{self._path.name}: not an .xlsx workbook: {error}") from error
        try:
            wanted = self._options.sheet or book.sheetnames[0]
            if wanted not in book.sheetnames:
                raise UnreadableFile(
                    f"{self._path.name}: no sheet {wanted!r}; there are {', '.join(book.sheetnames)}"
                )
            sheet = book[wanted]
            if not hasattr(sheet, "reset_dimensions"):
                raise UnreadableFile(f"{self._path.name}: {wanted!r} is a chart, not a table")
            # Some programs state dimensions that are not so; the rows are the truth.
            sheet.reset_dimensions()
            for row, cells in enumerate(sheet.iter_rows(), 1):
                yield row, [_value(cell) for cell in cells]
        except _FAILURES as error:
            raise UnreadableFile(f"{self._path.name}: the workbook is damaged: {error}") from error
        finally:
            book.close()

    def __iter__(self) -> Iterator[Record | Unreadable]:
        width, first = len(self.columns), self._options.header
        for row, cells in self._rows():
            if row <= first or all(cell is None for cell in cells):
                continue
            if len(cells) < width:
                cells += [None] * (width - len(cells))
            if any(cell is not None for cell in cells[width:]):
                yield Unreadable(row, f"cells beyond the {width} columns of the header")
            else:
                yield Record(row, cells[:width], EMPTY)


def _value(cell: Any) -> Any:
    """The cell's value; a moment whose format shows no hours is a day."""
    value = cell.value
    if (
        cell.data_type == "d"
        and hasattr(value, "date")
        and not _HOURS.search(_QUOTED.sub("", cell.number_format))
    ):
        return value.date()
    return value


def _look_over(path: Path, limit: int) -> None:
    try:
        with zipfile.ZipFile(path) as book:
            for part in book.infolist():
                if not part.filename.endswith((".xml", ".rels")):
                    continue
                if part.filename.endswith("sharedStrings.xml") and part.file_size > _SHARED_STRINGS:
                    raise UnreadableFile(
                        f"{path.name}: its shared texts exceed {_SHARED_STRINGS // MIB} MiB; use CSV"
                    )
                _look_over_part(path.name, book, part, limit)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise UnreadableFile(f"{path.name}: not an .xlsx workbook: {error}") from error


def _look_over_part(file: str, book: zipfile.ZipFile, part: zipfile.ZipInfo, limit: int) -> None:
    run = 0
    # A character takes up to four bytes, or eight as a reference.
    longest = 8 * limit + MIB
    with book.open(part) as stream:
        tail = b""
        while chunk := stream.read(MIB):
            if b"<!DOCTYPE" in tail + chunk or b"<!ENTITY" in tail + chunk:
                raise UnreadableFile(f"{file}: it declares a document type, which no workbook needs")
            first, last = chunk.find(b"<"), chunk.rfind(b"<")
            run = run + len(chunk) if first < 0 else max(run + first, 0)
            if run > longest:
                raise UnreadableFile(f"{file}: a cell is longer than {limit} characters")
            if last >= 0:
                run = len(chunk) - last
            tail = chunk[-16:]
