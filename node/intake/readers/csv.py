"""CSV (RFC 4180) in any stated encoding, plain or gzip.

Rows are numbered as a spreadsheet shows them: the header counts. A row that is too long, a quote that does not close
and a row with more or fewer cells than the header make that row unreadable, not the file.
"""

import csv
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

from node.intake.readers.record import EMPTY, ReadOptions, Record, Unreadable, UnreadableFile, check_names
from node.intake.readers.stream import Lines, encoding_of, opened

_DELIMITERS = ",;\t|"
_UNCLOSED = {
    "unexpected end of data": "a quote opens here and never closes, so the rest of the file is lost in it"
}

# The module's own limit holds for the whole process; each reader here bounds its rows by itself.
csv.field_size_limit(2**31 - 1)


class _TooLong(Exception):
    """A row is longer than the limit. Raised into the csv module, which then forgets the row it was in."""


class CsvReader:
    """One CSV file; see :class:`~node.intake.readers.record.Reader`."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path, self._options = path, options
        self._encoding = encoding_of(path, options.encoding)
        self._delimiter = options.delimiter or self._likely_delimiter()
        self.columns: tuple[str, ...] = options.columns if options.header == 0 else self._names()
        self.declared = frozenset(self.columns)
        check_names(path.name, self.columns)

    def _likely_delimiter(self) -> str:
        with opened(self._path) as file, Lines(file, self._encoding, self._options.max_value) as lines:
            for number, line in enumerate(lines, 1):
                if number >= max(1, self._options.header):
                    return max(_DELIMITERS, key=(line or "").count)
        return ","

    def _names(self) -> tuple[str, ...]:
        with closing(self._rows()) as rows:
            for row, cells in rows:
                if row != self._options.header:
                    continue
                if isinstance(cells, Unreadable):
                    raise UnreadableFile(
                        f"{self._path.name}: the header (row {row}) cannot be read: {cells.reason}"
                    )
                return tuple(name.strip() for name in cells)
        raise UnreadableFile(
            f"{self._path.name}: there is no header: the file ends before row {self._options.header}"
        )

    def _rows(self) -> Generator[tuple[int, list[str] | Unreadable], None, None]:
        limit = self._options.max_value
        used = 0

        def bounded(lines: Lines) -> Iterator[str]:
            nonlocal used
            for line in lines:
                if line is None or (used := used + len(line)) > limit + 2:
                    raise _TooLong
                yield line

        with opened(self._path) as file, Lines(file, self._encoding, limit) as lines:
            row = 0
            while True:
                reader = csv.reader(
                    bounded(lines), delimiter=self._delimiter, quotechar=self._options.quote, strict=True
                )
                try:
                    while True:
                        used = 0
                        row += 1
                        try:
                            cells = next(reader)
                        except csv.Error as error:
                            yield row, Unreadable(row, f"not CSV: {_UNCLOSED.get(str(error), error)}")
                        else:
                            yield row, cells
                except StopIteration:
                    return
                except _TooLong:
                    yield (
                        row,
                        Unreadable(
                            row, f"longer than {limit} characters, or a quote does not close", too_large=True
                        ),
                    )

    def __iter__(self) -> Iterator[Record | Unreadable]:
        width, first, ragged = len(self.columns), self._options.header, self._options.ragged
        for row, cells in self._rows():
            if row <= first:
                continue
            if isinstance(cells, Unreadable):
                yield cells
            elif len(cells) == width:
                yield Record(row, cells, EMPTY)
            elif not cells:
                continue
            elif len(cells) < width and ragged:
                yield Record(row, cells + [""] * (width - len(cells)), EMPTY)
            elif len(cells) > width and not any(cells[width:]):
                yield Record(row, cells[:width], EMPTY)
            else:
                yield Unreadable(row, f"{len(cells)} cells where the header has {width}")
