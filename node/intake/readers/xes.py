"""XES event logs (IEEE 1849), plain or gzip, with and without the namespace.

Traces and events are records, numbered together in the order of the file from 1. A trace comes first, with its own
attributes (as its cells too), then its events, each with the trace's attributes beside its own. Attributes nested in attributes, lists
and containers are not read.

The parser resolves no entity, opens no address and refuses a document type. A value longer than the limit is cut on its
way into the parser, so that it costs no memory, and makes its event or trace unreadable.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from node.intake.readers.record import MIB, ReadOptions, Record, Unreadable, UnreadableFile
from node.intake.readers.stream import opened

_HELD_EVENTS = 10_000
_HELD_VALUES = 8
_CHUNK = 1 << 16
_TAIL = 4096
_END = re.compile(rb"[\"']\s*/?>\s*\Z")


class XesReader:
    """One event log; see :class:`~node.intake.readers.record.Reader`."""

    columns: tuple[str, ...] | None = None

    def __init__(self, path: Path, options: ReadOptions) -> None:
        # The parser itself takes no value beyond ten million bytes.
        self._path, self._limit = path, min(options.max_value, MIB)
        self.declared: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Record | Unreadable]:
        with opened(self._path) as file:
            try:
                yield from self._records(file)
            except etree.XMLSyntaxError as error:
                raise UnreadableFile(f"{self._path.name}: not well-formed XML: {error.msg}") from error

    def _records(self, file: BinaryIO) -> Iterator[Record | Unreadable]:
        steps = etree.iterparse(
            ShortenedXml(file, self._limit),
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        row = 0
        depth = 0
        trace: _Trace | None = None
        event: _Attributes | None = None
        for step, element in steps:
            if step == "start":
                depth += 1
                if depth == 3:
                    event = _Attributes(self._limit) if _local(element.tag) == "event" else None
                elif depth == 2:
                    trace = _Trace(self._limit) if _local(element.tag) == "trace" else None
                elif depth == 1:
                    self._check_root(element)
                continue
            depth -= 1
            if depth == 3 and event is not None:
                event.add(element)
                _forget(element)
            elif depth == 2 and trace is not None:
                if event is not None:
                    trace.hold(event)
                    event = None
                elif trace.began:
                    raise UnreadableFile(
                        f"{self._path.name}: a trace has attributes after many of its events; "
                        "put them before the events (IEEE 1849)"
                    )
                else:
                    trace.attributes.add(element)
                _forget(element)
                if trace.full:
                    for record in trace.flushed(row):
                        row = record.row
                        yield record
            elif depth == 1:
                if trace is not None:
                    for record in trace.flushed(row):
                        row = record.row
                        yield record
                    trace = None
                elif _local(element.tag) == "global":
                    self._declare(element)
                _forget(element)

    def _check_root(self, element: Any) -> None:
        name = _local(element.tag)
        if element.getroottree().docinfo.doctype:
            raise UnreadableFile(f"{self._path.name}: it declares a document type, which no event log needs")
        if name != "log":
            raise UnreadableFile(f"{self._path.name}: not an event log: its root is <{name}>, not <log>")

    def _declare(self, element: Any) -> None:
        names = {child.get("key", "") for child in element}
        if element.get("scope") == "trace":
            names |= {f"case:{name}" for name in names}
        self.declared |= names


class _Attributes:
    """Attributes of one trace or event, and whether they were too long to be held."""

    __slots__ = ("_limit", "found", "too_long", "weight")

    def __init__(self, limit: int) -> None:
        self.found: dict[str, str] = {}
        self.too_long = False
        self.weight = 0
        self._limit = limit

    def add(self, element: Any) -> None:
        """Take one attribute; a list or container has no value of its own and is passed over."""
        value = element.get("value")
        if value is None:
            return
        size = len(value)
        self.weight += size
        if size > self._limit or self.weight > _HELD_VALUES * self._limit:
            self.too_long = True
            self.found.clear()
        elif not self.too_long:
            self.found[element.get("key", "")] = value

    def record(self, row: int, case: Mapping[str, str] | None) -> Record | Unreadable:
        """The record of an event, or of the trace itself where ``case`` is None."""
        if self.too_long:
            return Unreadable(row, f"an attribute is longer than {self._limit} characters", too_large=True)
        if case is None:
            return Record(row, self.found, self.found, opens_case=True)
        return Record(row, self.found, case)


class _Trace:
    """A trace as far as it has been read: its attributes, and the events not yet given out."""

    __slots__ = ("_events", "_limit", "_weight", "attributes", "began")

    def __init__(self, limit: int) -> None:
        self.attributes = _Attributes(limit)
        self.began = False
        self._limit = limit
        self._events: list[_Attributes] = []
        self._weight = 0

    def hold(self, event: _Attributes) -> None:
        """Keep an event until the trace's attributes are all known."""
        self._events.append(event)
        self._weight += 0 if event.too_long else event.weight

    @property
    def full(self) -> bool:
        """So much is held that it has to be given out before the trace ends."""
        return len(self._events) >= _HELD_EVENTS or self._weight > _HELD_VALUES * self._limit

    def flushed(self, row: int) -> Iterator[Record | Unreadable]:
        """The records so far, numbered on from ``row``."""
        if not self.began:
            self.began = True
            row += 1
            yield self.attributes.record(row, None)
        case = self.attributes.found
        for event in self._events:
            row += 1
            yield event.record(row, case)
        self._events = []
        self._weight = 0


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _forget(element: Any) -> None:
    """Drop what was read, and everything before it, from the tree that the parser keeps."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


class ShortenedXml:
    """A stream of XML in which a tag longer than the limit loses the middle of its last value.

    Every tag of an event log is short but for what its ``value`` says, and ``<`` may stand nowhere inside one (XML 1.0
    §2.4): a run without ``<`` is one tag and what follows it. What is left is still longer than the limit, so the
    reader sees that it was too long; how the tag closed is kept, so the parser goes on.
    """

    def __init__(self, file: BinaryIO, limit: int) -> None:
        # A character takes up to eight bytes as a reference.
        self._file, self._keep = file, 8 * limit + _TAIL
        self._run = 0
        self._last = b""
        self._cut = False
        self._tail = b""

    def read(self, size: int = _CHUNK) -> bytes:
        """The next bytes; none only at the end."""
        while chunk := self._file.read(_CHUNK):
            if out := self._shortened(chunk):
                return out
        held, self._tail = self._tail, b""
        return held

    def _shortened(self, chunk: bytes) -> bytes:
        first = chunk.find(b"<")
        if first < 0:
            return self._grown(chunk)
        head = self._grown(chunk[:first]) if self._run + first > self._keep else chunk[:first]
        if self._cut:
            end = _END.search(self._tail)
            head += end.group() if end else self._tail
            self._cut, self._tail = False, b""
        self._run = len(chunk) - chunk.rfind(b"<")
        self._last = chunk[-16:]
        return head + chunk[first:]

    def _grown(self, part: bytes) -> bytes:
        """As much of a run's next part as may pass; the end of what may not is held back."""
        at = max(0, self._keep - self._run)
        self._run += len(part)
        if not self._cut:
            while at < len(part) and not self._may_cut(part, at):
                at += 1
            if at >= len(part):
                self._last = (self._last + part)[-16:]
                return part
            self._cut = True
        else:
            at = 0
        self._tail = (self._tail + part[at:])[-_TAIL:]
        return part[:at]

    def _may_cut(self, part: bytes, at: int) -> bool:
        """Whether neither a character (UTF-8) nor a reference would be cut in two."""
        before = (self._last + part[max(0, at - 16) : at])[-16:]
        return part[at] & 0xC0 != 0x80 and before.rfind(b"&") <= before.rfind(b";")
