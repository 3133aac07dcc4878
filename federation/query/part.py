"""One node's part of an answer, cut to what fits a message and put together again.

A node has answered only when its last chunk, the one without `more`, has come: what broke off before counts
as not answered, and `whole` leaves it out.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Final

from zongheng.v1.query_pb2 import AnswerPart

Parts = AsyncGenerator[AnswerPart, None]
"""An answer as it comes. Whoever takes one closes it (`contextlib.aclosing`): that is how work below is
cancelled.
"""

MAX_CHUNK_BYTES: Final = 512 * 1024
"""Most rows, in bytes, that go into one chunk; one row alone may be larger."""

_ROWS: Final = ("entries", "alerts", "cases", "rerun")


def split(part: AnswerPart, max_bytes: int = MAX_CHUNK_BYTES) -> Iterator[AnswerPart]:
    """The part in chunks that each fit a message. The header stands in every chunk, `unreachable` in the
    last.
    """
    if part.ByteSize() <= max_bytes:
        yield part
        return
    header = AnswerPart()
    header.CopyFrom(part)
    for name in (*_ROWS, "unreachable"):
        header.ClearField(name)
    header.more = True
    chunk, size = AnswerPart(), 0
    for name in _ROWS:
        for row in getattr(part, name):
            if size and size + row.ByteSize() > max_bytes:
                chunk.MergeFrom(header)
                yield chunk
                chunk, size = AnswerPart(), 0
            getattr(chunk, name).append(row)
            size += row.ByteSize() + 8
    chunk.MergeFrom(header)
    chunk.unreachable.extend(part.unreachable)
    chunk.more = part.more
    yield chunk


def whole(chunks: Iterable[AnswerPart]) -> list[AnswerPart]:
    """One part a node, in the order in which nodes completed; the word of unreachable nodes (no node) is left
    out.

    Chunks of several nodes may be mixed. A node's later chunks must repeat the header of its first; those
    that do not, as after an answer that began anew, replace what came before.
    """
    begun: dict[str, AnswerPart] = {}
    complete: dict[str, AnswerPart] = {}
    for chunk in chunks:
        if not chunk.node:
            continue
        known = begun.get(chunk.node)
        same = known is not None and _header(known) == _header(chunk)
        if known is None or not same:
            known = begun[chunk.node] = AnswerPart()
            known.CopyFrom(chunk)
        else:
            for name in (*_ROWS, "unreachable"):
                getattr(known, name).extend(getattr(chunk, name))
        if not chunk.more:
            known.more = False
            complete[chunk.node] = known
            del begun[chunk.node]
    return list(complete.values())


def _header(part: AnswerPart) -> tuple[int, str, bool]:
    return part.journal_size, part.checkpoint, part.stale
