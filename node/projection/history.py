"""Every case event of one journal as one frame: segments for what is old, the journal itself for the rest.

What evaluates a whole history reads it here and nowhere else. The events are those of the journal's entries below a size, whichever way they
come: a segment that is missing or damaged is replaced by the entries it was made from, with a warning in the log.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import polars as pl
import structlog

from node.projection.context import zone_of
from node.projection.entries import read
from node.store.segments import Segments
from node.store.store import Session, Store
from node.supervision.frame import concat, from_rows
from node.supervision.packing import Packing

log = structlog.get_logger()

SEGMENT_AFTER: Final = 50_000
"""Entries beyond the last segment that make another one."""

SEGMENT_MOST: Final = 400_000
"""Entries in one segment: bounds the memory that writing one takes."""

_CURSOR: Final = "segments"
_AT_ONCE: Final = 10_000


class History:
    """The histories of all journals that a node holds."""

    def __init__(self, store: Store, segments: Segments) -> None:
        self._store = store
        self._segments = segments

    async def events(self, session: Session, origin: str, size: int) -> pl.DataFrame:
        """The case events among the first ``size`` entries; with the columns that some event fills."""
        return await asyncio.to_thread(concat, [frame async for frame in self._frames(session, origin, size)])

    async def packed(self, session: Session, origin: str, size: int) -> pl.DataFrame:
        """As `events`, for who judges all of them (`supervision.packing`)."""
        packing = Packing()
        frames = [
            await asyncio.to_thread(packing.packed, frame)
            async for frame in self._frames(session, origin, size)
        ]
        return await asyncio.to_thread(concat, frames)

    async def _frames(self, session: Session, origin: str, size: int) -> AsyncIterator[pl.DataFrame]:
        entered = (await session.cursors.get(_CURSOR, origin)).position
        position = 0
        for segment in await asyncio.to_thread(self._segments.held, origin, min(entered, size)):
            for parsed in await self._parsed(session, origin, position, segment.lo):
                yield parsed
            frame = await asyncio.to_thread(self._segments.read, origin, segment)
            if frame is None:
                for parsed in await self._parsed(session, origin, segment.lo, segment.hi):
                    yield parsed
            else:
                yield frame
            position = segment.hi
        if position < entered <= size:
            log.warning("segment.missing", origin=origin, lo=position, hi=entered)
        for parsed in await self._parsed(session, origin, position, size):
            yield parsed

    async def extend(self, origin: str) -> bool:
        """Write one more segment if enough was projected beyond the last; whether it did."""
        async with self._store.read() as session:
            lo = (await session.cursors.get(_CURSOR, origin)).position
            hi = min((await session.cursors.get("events", origin)).position, lo + SEGMENT_MOST)
            if hi - lo < SEGMENT_AFTER:
                return False
            frames = await self._parsed(session, origin, lo, hi)
        frame = await asyncio.to_thread(concat, frames)
        await asyncio.to_thread(self._segments.write, origin, lo, hi, frame)
        async with self._store.write() as session:
            await session.cursors.set(_CURSOR, origin, hi)
        log.info("segment.written", origin=origin, lo=lo, hi=hi, events=frame.height)
        return True

    async def drop(self) -> None:
        """Remove all segments; the cursors go with the other projections."""
        await asyncio.to_thread(self._segments.drop)

    async def _parsed(self, session: Session, origin: str, lo: int, hi: int) -> list[pl.DataFrame]:
        """Frames of the entries ``[lo, hi)`` as the journal has them."""
        frames = []
        zone = await zone_of(session, origin)
        for start in range(lo, hi, _AT_ONCE):
            leaves = await session.journal.leaves(origin, start, min(hi, start + _AT_ONCE))
            frames.append(await asyncio.to_thread(_frame, origin, start, leaves, zone))
        return frames


def _frame(origin: str, lo: int, leaves: Sequence[bytes], zone: str) -> pl.DataFrame:
    return from_rows(read(origin, lo, leaves, zone=zone).events)
