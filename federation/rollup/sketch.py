"""Summaries that can be added: how long cases took (DDSketch) and how many different applicants there were
(HyperLogLog).

The bytes are canonical: the same values give the same bytes whatever their order, so a parent that computes a
child's row again can compare. What comes from another node is checked before it is used; anything that is not
such a summary raises ZonghengError `protocol` instead of growing to gigabytes. The libraries (and numpy
behind one of them) are loaded on first use: a village that never sums must stay small.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from federation.errors import ZonghengError

if TYPE_CHECKING:
    from ddsketch.ddsketch import BaseDDSketch

ACCURACY: Final = 0.01
"""Relative error of a quantile."""

HLL_LG_K: Final = 11
"""2048 registers: a relative error of about 2.3 %, at most 2 KiB; exact up to a few dozen."""

_MAX_BINS: Final = 4_096
_MAX_KEY: Final = 4_096
"""Bins of days up to 10**35: no honest value lies beyond."""

_MAX_HLL_BYTES: Final = 8_192


def durations(days: Iterable[int]) -> bytes:
    """A summary of handling times in counted days; empty bytes for none."""
    from ddsketch import DDSketch

    sketch = DDSketch(ACCURACY)
    for value in days:
        sketch.add(value)
    return _encode(sketch)


def merged_durations(summaries: Iterable[bytes]) -> bytes:
    """The summary of all of them. Raises ZonghengError `protocol`."""
    from ddsketch import DDSketch

    total = DDSketch(ACCURACY)
    for summary in summaries:
        if summary:
            total.merge(_decode(summary))
    return _encode(total)


def quantiles(summary: bytes, shares: Sequence[float]) -> list[float] | None:
    """The days within which these shares of the cases were done; None for an empty summary. Raises
    ZonghengError `protocol`.
    """
    if not summary:
        return None
    sketch = _decode(summary)
    marks = (sketch.get_quantile_value(share) for share in shares)
    return [0.0 if mark is None else float(mark) for mark in marks]


def counted(summary: bytes) -> int:
    """How many cases a summary of durations holds. Raises ZonghengError `protocol`."""
    return round(_decode(summary).count) if summary else 0


def applicants(handles: Iterable[str]) -> bytes:
    """A summary of who applied; empty bytes for nobody."""
    from datasketches import hll_sketch

    different = sorted(set(handles))
    if not different:
        return b""
    sketch = hll_sketch(HLL_LG_K)
    for handle in different:
        sketch.update(handle)
    return bytes(sketch.serialize_compact())


def merged_applicants(summaries: Iterable[bytes]) -> bytes:
    """The summary of all of them; somebody in several is one. Raises ZonghengError `protocol`."""
    from datasketches import hll_union

    total = hll_union(HLL_LG_K)
    some = False
    for summary in summaries:
        if summary:
            total.update(_hll(summary))
            some = True
    return bytes(total.get_result().serialize_compact()) if some else b""


def distinct(summary: bytes) -> int:
    """About how many different applicants there were. Raises ZonghengError `protocol`."""
    return round(_hll(summary).get_estimate()) if summary else 0


def _encode(sketch: "BaseDDSketch") -> bytes:
    if sketch.count == 0:
        return b""
    message = _wire_form().to_proto(sketch)
    # How far a store has grown depends on the order of its values; what it holds does not.
    for store in (message.positiveValues, message.negativeValues):
        bins = list(store.contiguousBinCounts)
        filled = [place for place, count in enumerate(bins) if count]
        del store.contiguousBinCounts[:]
        if filled:
            store.contiguousBinCounts.extend(bins[filled[0] : filled[-1] + 1])
            store.contiguousBinIndexOffset += filled[0]
        else:
            store.contiguousBinIndexOffset = 0
    return bytes(message.SerializeToString(deterministic=True))


def _decode(summary: bytes) -> "BaseDDSketch":
    from ddsketch import DDSketch
    from google.protobuf.message import DecodeError

    form = _wire_form()
    try:
        message = type(form.to_proto(DDSketch(ACCURACY))).FromString(summary)
    except DecodeError as error:
        raise ZonghengError("protocol", "the summary of durations is not one") from error
    counts = [float(message.zeroCount)]
    for store in (message.positiveValues, message.negativeValues):
        first = store.contiguousBinIndexOffset
        last = first + len(store.contiguousBinCounts)
        if store.binCounts or last - first > _MAX_BINS or first < -_MAX_KEY or last > _MAX_KEY:
            raise ZonghengError("protocol", "the summary of durations holds values that no case can have")
        counts += store.contiguousBinCounts
    mapping = form.to_proto(DDSketch(ACCURACY)).mapping
    if message.mapping != mapping or not all(0 <= count < 1e15 for count in counts):
        raise ZonghengError(
            "protocol", f"a summary of durations has an accuracy of {ACCURACY} and counts cases"
        )
    sketch: BaseDDSketch = form.from_proto(message)
    return sketch


def _wire_form() -> Any:
    """The library's conversion to protobuf, which it leaves untyped."""
    from ddsketch.pb.proto import DDSketchProto

    return DDSketchProto


def _hll(summary: bytes) -> Any:
    from datasketches import hll_sketch

    if len(summary) > _MAX_HLL_BYTES:
        raise ZonghengError("protocol", "the summary of applicants is too large")
    try:
        sketch = hll_sketch.deserialize(summary)
    except Exception as error:  # the binding raises whatever its C++ does
        raise ZonghengError("protocol", "the summary of applicants is not one") from error
    if sketch.lg_config_k != HLL_LG_K:
        raise ZonghengError("protocol", f"a summary of applicants has {1 << HLL_LG_K} registers")
    return sketch
