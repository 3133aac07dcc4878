"""A whole history in a third of the memory: texts that come again and again are kept once, and a row has their number.

Ten million events have a few thousand different texts beside their cases' ids; a text in a frame takes sixteen bytes a row, a number four. Packed frames
can be put one under the other, sorted and cut; whoever judges unpacks a part at a time (`bulk`). What is packed comes back exactly.
"""

from typing import Final

import polars as pl

_CODE: Final = pl.UInt32


class Packing:
    """The texts of the frames that belong together: those packed by one packing can be concatenated."""

    def __init__(self) -> None:
        self._texts: dict[str, pl.Categories] = {}

    def packed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with a number for each text, and its other columns as they are."""
        return frame.with_columns(
            pl.col(name).cast(pl.Categorical(self._of(name)))
            for name, dtype in frame.schema.items()
            if dtype == pl.String
        )

    def _of(self, column: str) -> pl.Categories:
        # A set of its own for each column: forgotten with the last frame that uses it.
        return self._texts.setdefault(column, pl.Categories.random(physical=_CODE))


def unpacked(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its texts; one that was never packed is given back itself."""
    packed = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Categorical)]
    return frame.with_columns(pl.col(packed).cast(pl.String)) if packed else frame
