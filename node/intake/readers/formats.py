"""Which reader a file needs: by what the mapping says, else by its name."""

from pathlib import Path

from node.intake.readers.csv import CsvReader
from node.intake.readers.jsonl import JsonLinesReader
from node.intake.readers.record import Reader, ReadOptions, UnreadableFile
from node.intake.readers.xes import XesReader
from node.intake.readers.xlsx import XlsxReader

_BY_SUFFIX = {
    ".xes": "xes",
    ".csv": "csv",
    ".tsv": "csv",
    ".xlsx": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_READERS: dict[str, type[XesReader] | type[CsvReader] | type[XlsxReader] | type[JsonLinesReader]] = {
    "xes": XesReader,
    "csv": CsvReader,
    "xlsx": XlsxReader,
    "jsonl": JsonLinesReader,
}


def format_of(path: Path, stated: str | None) -> str:
    """The format of a file: xes, csv, xlsx or jsonl.

    :raises UnreadableFile: when neither the mapping nor the name says.
    """
    if stated:
        return stated
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    found = _BY_SUFFIX.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise UnreadableFile(
            f"{path.name}: which format? State [read] format in the mapping: xes, csv, xlsx or jsonl"
        )
    return found


def open_reader(path: Path, format_: str, options: ReadOptions) -> Reader:
    """A reader of the file. Raises UnreadableFile when the file is none of that format."""
    return _READERS[format_](path, options)
