"""JSON Lines: one JSON object a line, plain or gzip.

Rows are line numbers. Objects inside objects are reached by dotted names (``applicant.name``); lists are not reached
into. A line that is too long or is not a JSON object is unreadable, not the file.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from node.intake.readers.record import EMPTY, ReadOptions, Record, Unreadable
from node.intake.readers.stream import Lines, encoding_of, opened


class JsonLinesReader:
    """One JSON Lines file; see :class:`~node.intake.readers.record.Reader`."""

    columns: tuple[str, ...] | None = None
    declared: frozenset[str] = frozenset()

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path, self._limit = path, options.max_value
        self._encoding = encoding_of(path, options.encoding)

    def __iter__(self) -> Iterator[Record | Unreadable]:
        with opened(self._path) as file, Lines(file, self._encoding, self._limit) as lines:
            for row, line in enumerate(lines, 1):
                if line is None:
                    yield Unreadable(row, f"longer than {self._limit} characters", too_large=True)
                    continue
                try:
                    value = orjson.loads(line)
                except ValueError:
                    if line.strip():
                        yield Unreadable(row, "not JSON")
                    continue
                if isinstance(value, dict):
                    yield Record(row, _flat(value), EMPTY)
                else:
                    yield Unreadable(row, "not a JSON object")


def _flat(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not any(isinstance(held, dict) for held in value.values()):
        return value
    flat: dict[str, Any] = {}
    # A stack of its own: a hostile depth must not become a depth of calls.
    pending = [("", value)]
    while pending:
        prefix, level = pending.pop()
        for name, held in level.items():
            if isinstance(held, dict):
                pending.append((f"{prefix}{name}.", held))
            else:
                flat[prefix + name] = held
    return flat
