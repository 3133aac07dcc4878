"""The real permit log beside the project as events, through the mapping that the tests import it with, as often as wanted."""

from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
from zongheng.v1.intake_pb2 import Submission

from node.intake.checking import opened
from node.intake.mapping import load
from node.models.messages import item_message
from node.store.rows import EventRow
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.frame import from_rows

ZONE = "Europe/Amsterdam"
LAST_EVENT_US = round(datetime.fromisoformat("2012-01-23T15:42:54.644+01:00").timestamp() * 1_000_000)


def log(repository: Path, shared: Path, copies: int) -> tuple[pl.DataFrame, Context]:
    """The events of ``copies`` of the log, each with case ids of its own, and what they are judged by.

    Raises FileNotFoundError where the log is not there.
    """
    mapping = load(repository / "tests" / "mappings" / "wabo.toml")
    translation, reader = opened(shared / "wabo" / "receipt.xes.gz", mapping, ZONE)
    outcomes = chain.from_iterable(map(translation.outcomes, reader))
    once = from_rows(
        _row(idx, outcome)
        for idx, outcome in enumerate(one for one in outcomes if isinstance(one, Submission))
    )
    frames = [
        once.with_columns(
            pl.concat_str(pl.lit(f"{copy:03d}-"), "case_id").alias("case_id"),
            pl.col("idx") + copy * once.height,
        )
        for copy in range(copies)
    ]
    items = [item_message(item, mapping.domain) for item in mapping.items]
    return pl.concat(frames), Context(Calendar.weekdays(), items=items, zone=ZONE)


def _row(idx: int, submission: Submission) -> EventRow:
    event = submission.event
    attributes: dict[str, Any] = {}
    for said in event.attributes:
        which = said.WhichOneof("value")
        if which is not None:
            attributes[said.name] = getattr(said, which)
    header = (event.at_us, event.day_only, event.zone, event.domain, event.kind, event.received_at_us, 0)
    parties = (event.agency, event.actor, event.item, event.step, event.applicant, "")
    return EventRow("wabo", event.case_id, idx, *header, *parties, attributes)
