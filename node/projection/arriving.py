"""A case that comes down: the sender's event, addressed to this node, becomes an arrival once its receipt is read."""

from typing import Final

from google.protobuf.message import DecodeError
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.entry_pb2 import Entry

from node.store.arrivals import ArrivalRow

CROSSING: Final = ("handed_over", "returned")
"""Kinds of event with which a case leaves a node for the one that ``to_node`` names."""


def destination(event: CaseEvent) -> str:
    """The node that a case leaves for with this event; empty: it leaves for none."""
    if event.kind not in CROSSING:
        return ""
    return next((one.text for one in event.attributes if one.name == "to_node"), "")


def arrival(origin: str, idx: int, entry: Entry) -> ArrivalRow | None:
    """The arrival that an entry of the journal of ``origin`` is the receipt of; None: of none that is for this node."""
    if not entry.HasField("received") or not entry.received.here:
        return None
    try:
        inner = Entry.FromString(entry.received.leaf)
    except DecodeError:
        return None
    event = inner.case_event
    if not inner.HasField("case_event") or destination(event) != origin:
        return None
    said = next((one.integer for one in event.attributes if one.name == "hand_over"), 0)
    # Without a serial of the sender's the place in its journal tells one handing over from another.
    number = said or entry.received.index
    return ArrivalRow(
        origin,
        idx,
        event.case_id,
        entry.received.origin,
        entry.received.index,
        number,
        event.SerializeToString(),
    )
