"""What happened in an approval case, told by its events alone: no catalogue, no calendar, no now.

`fold` gives one row a case and frames of steps, pauses, corrections, receipts, fees, stays and late entries. It decides nothing: a
completion before the acceptance, two refusals or a pause without end are facts like any other.

Sources: the vocabulary in `events`; 行政许可法 §32 (receipt, acceptance, correction), §42 (extension), §45 (pauses).
"""

from typing import Final

import polars as pl

from node.supervision.domains.approval import events as kinds
from node.supervision.fold import CaseEvents, Facts, nulls, pairs, positions, spread, tally, total
from node.supervision.frame import attribute_column

EXTENSION: Final = "extension"
"""The pause kind that adds days to the limits instead of taking days out (行政许可法 §42)."""

PUBLICATION: Final = "notice"
"""公示: not on the list of 行政许可法 §45, so it pauses only with another law cited."""

LIMIT_COLUMNS: Final = tuple(
    f"{clock}_{name}" for clock in ("statutory", "promised") for name in ("days", "unit", "due_at", "due_day")
)

_PAUSE_KIND: Final = attribute_column("kind")
_DAY: Final = 86_400_000_000


def fold(events: CaseEvents, zone: str) -> Facts:
    """Facts of all cases of `events`; `zone` is the zone of cases that name none."""
    n = len(events)
    case, at = events.case, events.events["at_us"]
    first, last = positions(case, n, "first"), positions(case, n, "last")
    opened_by = events.events["kind"].gather(first)

    applied = events.of(kinds.APPLICATION, "channel")
    checked = events.of(kinds.PRE_ACCEPTANCE, "outcome", "reason", "actor", "agency")
    accepted = events.of(kinds.ACCEPTANCE, "actor", "agency", "fee_due", "row")
    refused = events.of(kinds.REFUSAL, "reason", "code", "actor", "agency")
    told = events.of(kinds.CORRECTION_TOLD, "actor", "agency", "row")
    received = events.of(kinds.CORRECTION_RECEIVED, "row")
    completed = events.of(kinds.COMPLETION, "result", "reason", "actor", "agency", "row")
    collected = events.of(kinds.COLLECTION)
    fees = events.of(kinds.FEE, "amount", "basis", "actor", "agency")
    left = events.of((kinds.HANDED_OVER, kinds.RETURNED), "kind", "to_node", "row")
    entered = events.of(kinds.SIGNED_FOR, "row")

    applied_at = positions(applied["case"], n, "first")
    accepted_at = positions(accepted["case"], n, "first")
    refused_at = positions(refused["case"], n, "first")
    completed_at = positions(completed["case"], n, "first")
    left_at = positions(left["case"], n, "last")
    entered_at = positions(entered["case"], n, "last")
    charged_at = positions(fees["case"], n, "last")
    left_row, entered_row = left["row"].gather(left_at), entered["row"].gather(entered_at)

    agency = accepted["agency"].gather(accepted_at)
    columns = {
        "case": pl.int_range(n, dtype=pl.UInt32, eager=True),
        "item": events.text("item"),
        "agency": agency.zip_with((agency != "").fill_null(False), events.text("agency")),
        "zone": _or(_blank_empty(events.text("zone")), zone),
        "applicant": events.text("applicant"),
        "first_at": at.gather(first),
        "last_at": at.gather(last),
        "applied_at": applied["at_us"].gather(applied_at),
        "channel": applied["channel"].gather(applied_at),
        "filed_at": events.stated("filed_at"),
        "filed_here": applied_at.is_not_null() | (opened_by != kinds.SIGNED_FOR),
        "checked_at": spread(checked["at_us"], checked["case"], n, "first"),
        "accepted_here_at": accepted["at_us"].gather(accepted_at),
        "accepted_elsewhere_at": events.stated("accepted_at"),
        "refused_at": refused["at_us"].gather(refused_at),
        "told_at": spread(told["at_us"], told["case"], n, "first"),
        "completed_at": completed["at_us"].gather(completed_at),
        "result": completed["result"].gather(completed_at),
        "completed_by": completed["actor"].gather(completed_at),
        "collected_at": spread(collected["at_us"], collected["case"], n, "first"),
        "left_at": left["at_us"].gather(left_at),
        "first_entered_at": spread(entered["at_us"], entered["case"], n, "first"),
        "held": left_row.is_null() | (entered_row > left_row).fill_null(False),
        "fee_stated": accepted["fee_due"].gather(accepted_at),
        "fee_charged": total(fees["amount"].fill_null(0), fees["case"], n),
        "fee_events": tally(fees["case"], n),
        "fee_unfounded": _groundless_charges(fees, n),
        "fee_unknown": tally(fees["case"].filter(fees["amount"].is_null()), n) > 0,
        "fee_at": fees["at_us"].gather(charged_at),
        "fee_by": fees["actor"].gather(charged_at),
        **{name: events.stated(name) for name in LIMIT_COLUMNS},
    }
    cases = pl.DataFrame(columns)
    pauses = _pauses(events)
    extended = pauses.filter(pauses["kind"] == EXTENSION)
    cases = cases.with_columns(
        total(extended["granted_days"].fill_null(0), extended["case"], n).cast(pl.Int32).alias("extension"),
        # Received: at the origin where the case was filed, be it here or at another tier.
        pl.coalesce("applied_at", "filed_at", "first_at").alias("received_at"),
        # A refusal that was followed by an acceptance was taken back.
        pl.when(pl.col("accepted_here_at") > pl.col("refused_at"))
        .then(None)
        .otherwise(pl.col("refused_at"))
        .alias("refused_at"),
        pl.coalesce("accepted_here_at", "accepted_elsewhere_at").alias("accepted_at"),
    )
    return Facts(
        ids=events.ids,
        cases=cases,
        parts={
            "steps": _steps(events),
            "pauses": pauses,
            "corrections": _corrections(told, received, cases),
            "receipts": _receipts(received, events),
            "refusals": _refusals(refused, checked, completed),
            "fees": fees,
            "left": left,
            "entered": entered,
            "accepted": accepted.select("case", "at_us", "row"),
            "away": _away(left, entered),
            "late_entries": _late_entries(events),
            "unknown_entries": _unknown_entries(events),
        },
    )


def _groundless_charges(fees: pl.DataFrame, n: int) -> pl.Series:
    """Charges of each case that name no basis."""
    bare = (fees["amount"].fill_null(0) > 0) & (fees["basis"].fill_null("") == "")
    return tally(fees["case"].filter(bare), n)


def _steps(events: CaseEvents) -> pl.DataFrame:
    """Finished steps in order; `nth` counts a case's times through the same step."""
    steps = events.of(
        kinds.STEP,
        "step",
        "agency",
        "actor",
        "role",
        "started_at",
        "limit_days",
        "limit_unit",
        "responsible",
        "row",
    )
    if steps.height < 2:
        return steps.with_columns(nth=pl.lit(1, dtype=pl.Int64))
    pair = pairs(steps["case"], steps["step"])
    if pair.n_unique() == pair.len():
        return steps.with_columns(nth=pl.lit(1, dtype=pl.Int64))
    return steps.with_columns(nth=pl.int_range(pl.len(), dtype=pl.Int64).over(pair) + 1)


def _pauses(events: CaseEvents) -> pl.DataFrame:
    """Special procedures (特别程序) with their ends. One without a serial counts as the next of its case.

    `counts`: it takes days out of the clocks, which an extension does not and a publication does only with its law.
    """
    begun = events.of(
        kinds.PAUSE,
        "pause",
        _PAUSE_KIND,
        "legal_basis",
        "approver",
        "granted_days",
        "planned_end_day",
        "notice",
        "agency",
        "actor",
    )
    if begun.is_empty():
        return begun.rename({_PAUSE_KIND: "kind", "pause": "nth"}).with_columns(
            end_at=nulls(0, pl.Int64), counts=nulls(0, pl.Boolean)
        )
    serial = pl.coalesce("pause", pl.int_range(pl.len(), dtype=pl.Int64).over("case") + 1).alias("nth")
    begun = begun.with_columns(serial).unique(["case", "nth"], keep="first", maintain_order=True)
    ended = events.of(kinds.RESUME, "pause").select("case", serial, pl.col("at_us").alias("end_at"))
    ended = ended.unique(["case", "nth"], keep="first")
    founded = pl.col("legal_basis").fill_null("") != ""
    return (
        begun.drop("pause")
        .rename({_PAUSE_KIND: "kind"})
        .join(ended, on=["case", "nth"], how="left", maintain_order="left")
        .with_columns(
            kind=pl.col("kind").fill_null(""),
            # A pause that ends before it begins takes nothing out.
            end_at=pl.max_horizontal("end_at", pl.when(pl.col("end_at").is_not_null()).then("at_us")),
        )
        .with_columns(
            counts=(pl.col("kind") != EXTENSION) & ((pl.col("kind") != PUBLICATION) | founded),
        )
    )


def _corrections(told: pl.DataFrame, received: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Each time that missing materials were told, with the receipt (`since_at`) it answers."""
    if told.is_empty():
        return told.with_columns(nth=nulls(0, pl.Int64), since_at=nulls(0, pl.Int64))
    numbered = told.with_columns(nth=pl.int_range(pl.len(), dtype=pl.Int64).over("case") + 1)
    start = cases["received_at"].gather(told["case"])
    if received.is_empty():
        return numbered.with_columns(since_at=start)
    answered = numbered.select("case", "row").join(
        received.select("case", pl.col("row").alias("receipt"), pl.col("at_us").alias("receipt_at")),
        on="case",
    )
    newest = (
        answered.filter(pl.col("receipt") < pl.col("row"))
        .group_by("case", "row")
        .agg(pl.col("receipt_at").sort_by("receipt").last())
    )
    return (
        numbered.with_columns(start.alias("start"))
        .join(newest, on=["case", "row"], how="left", maintain_order="left")
        .with_columns(since_at=pl.coalesce("receipt_at", "start"))
    )


def _receipts(received: pl.DataFrame, events: CaseEvents) -> pl.DataFrame:
    """Each later receipt of materials (`at_us`), with the first answer of the agency to it (`answered_at`)."""
    if received.is_empty():
        return received.select("case", "at_us").with_columns(answered_at=nulls(0, pl.Int64))
    replies = events.of(
        (
            kinds.PRE_ACCEPTANCE,
            kinds.ACCEPTANCE,
            kinds.REFUSAL,
            kinds.CORRECTION_TOLD,
            kinds.COMPLETION,
        ),
        "row",
    )
    later = (
        received.join(replies.rename({"row": "reply", "at_us": "reply_at"}), on="case", how="left")
        .filter(pl.col("reply") > pl.col("row"))
        .group_by("case", "row")
        .agg(pl.col("reply_at").min().alias("answered_at"))
    )
    return received.join(later, on=["case", "row"], how="left").select("case", "at_us", "answered_at")


def _refusals(refused: pl.DataFrame, checked: pl.DataFrame, completed: pl.DataFrame) -> pl.DataFrame:
    """Every refusal, at whatever point of the case: of pre-acceptance, of acceptance, of the permit. `reasoned`: it says why."""
    columns = ("case", "at_us", "actor", "agency")
    reasoned = pl.col("reason").fill_null("") != ""
    return pl.concat(
        [
            refused.select(*columns, reasoned=reasoned | (pl.col("code").fill_null("") != "")),
            checked.filter(checked["outcome"] == "refused").select(*columns, reasoned=reasoned),
            completed.filter(completed["result"] == "refused").select(*columns, reasoned=reasoned),
        ]
    )


def _away(left: pl.DataFrame, entered: pl.DataFrame) -> pl.DataFrame:
    """The time between leaving this node and being signed for here again."""
    if entered.is_empty() or left.is_empty():
        return left.select("case", "at_us").clear().with_columns(end_at=nulls(0, pl.Int64))
    moves = pl.concat(
        [
            left.select("case", "row", "at_us", leaves=pl.lit(True)),
            entered.select("case", "row", "at_us", leaves=pl.lit(False)),
        ]
    ).sort("case", "row")
    back = pl.when(pl.col("case").shift(-1) == pl.col("case")).then(pl.col("at_us").shift(-1))
    return (
        moves.with_columns(end_at=back)
        .filter(pl.col("leaves") & pl.col("end_at").is_not_null())
        .select("case", "at_us", "end_at")
    )


def _late_entries(events: CaseEvents) -> pl.DataFrame:
    """Of each case the event that was entered longest after it happened, where that is more than a day."""
    received, at = events.events["received_at_us"], events.events["at_us"]
    late = (received > 0) & (received - at > _DAY)
    if not late.any():
        columns = {"case": pl.UInt32, "at_us": pl.Int64, "received_at_us": pl.Int64}
        return pl.DataFrame(schema={**columns, "actor": pl.String, "agency": pl.String})
    entries = events.events.select("case", "at_us", "received_at_us", "actor", "agency").filter(late)
    lag = pl.col("received_at_us") - pl.col("at_us")
    return entries.sort(lag, descending=True, maintain_order=True).unique("case", keep="first")


def _unknown_entries(events: CaseEvents) -> pl.DataFrame:
    """Cases with an event of which nobody knows when it was entered."""
    unknown = events.events["received_at_us"] <= 0
    return pl.DataFrame({"case": events.case.filter(unknown).unique()})


def _blank_empty(text: pl.Series) -> pl.Series:
    return text.zip_with(text != "", nulls(1, pl.String))


def _or(values: pl.Series, default: str) -> pl.Series:
    return values if values.null_count() == 0 else values.fill_null(default)
