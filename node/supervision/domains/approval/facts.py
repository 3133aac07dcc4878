"""What happened in an approval case, told by its events alone: no catalogue, no calendar, no now.

`fold` gives one row a case and frames of steps, pauses, corrections, receipts, fees, stays and late entries. It decides nothing: a
completion before the acceptance, two refusals or a pause without end are facts like any other.

Sources: the vocabulary in `events`; 行政许可法 §32 (receipt, acceptance, correction), §42 (extension), §45 (pauses).
"""

from typing import Final

import polars as pl

from node.supervision.backfill import late_entries, unknown_entries
from node.supervision.columns import (
    coalesce,
    constant,
    fill,
    frame,
    has,
    keep_rows,
    last_in,
    next_in,
    nth,
    nulls,
    numbers,
    only,
    pairs,
    positions,
    present,
    spread,
    take,
    total,
    true,
    where,
)
from node.supervision.domains.approval import events as kinds
from node.supervision.domains.approval import joint
from node.supervision.fold import CaseEvents, Facts
from node.supervision.frame import attribute_column

EXTENSION: Final = "extension"
"""The pause kind that adds days to the limits instead of taking days out (行政许可法 §42)."""

PUBLICATION: Final = "notice"
"""公示: not on the list of 行政许可法 §45, so it pauses only with another law cited."""

LIMIT_COLUMNS: Final = tuple(
    f"{clock}_{name}" for clock in ("statutory", "promised") for name in ("days", "unit", "due_at", "due_day")
)

_PAUSE_KIND: Final = attribute_column("kind")


def fold(events: CaseEvents, zone: str) -> Facts:
    """Facts of all cases of `events`; `zone` is the zone of cases that name none."""
    n = len(events)
    first = events.firsts

    applied = events.of(kinds.APPLICATION, "channel")
    checked = events.of(kinds.PRE_ACCEPTANCE, "outcome", "reason", "actor", "agency")
    accepted = events.of(kinds.ACCEPTANCE, "agency", "fee_due", "row")
    refused = events.of(kinds.REFUSAL, "reason", "code", "actor", "agency")
    told = events.of(kinds.CORRECTION_TOLD, "actor", "agency", "row")
    received = events.of(kinds.CORRECTION_RECEIVED, "row")
    completed = events.of(kinds.COMPLETION, "result", "reason", "to_issue", "actor", "agency")
    certified = events.of(kinds.CERTIFIED)
    collected = events.of(kinds.COLLECTION)
    fees = events.of(kinds.FEE, "amount", "basis", "actor", "agency")
    left = events.of((kinds.HANDED_OVER, kinds.RETURNED), "kind", "to_node", "row")
    entered = events.of(kinds.SIGNED_FOR, "row")
    pauses = _pauses(events)

    applied_at = positions(applied["case"], n, "first")
    accepted_at = positions(accepted["case"], n, "first")
    completed_at = positions(completed["case"], n, "first")
    left_at = positions(left["case"], n, "last")
    entered_at = positions(entered["case"], n, "last")
    charged_at = positions(fees["case"], n, "last")
    shares = joint.shares(events)
    extended = keep_rows(pauses, pauses["kind"] == EXTENSION)

    applied_us = take(applied["at_us"], applied_at)
    accepted_us = take(accepted["at_us"], accepted_at)
    first_us = take(events["at_us"], first)
    refused_us = spread(refused["at_us"], refused["case"], n, "first")
    filed_us = events.stated("filed_at")
    left_row, entered_row = take(left["row"], left_at), take(entered["row"], entered_at)
    agency = take(accepted["agency"], accepted_at)
    own_zone = events.text("zone")
    unpriced = keep_rows(fees, ~present(fees["amount"]))
    cases = frame(
        case=numbers(n),
        item=events.text("item"),
        agency=where(agency != "", agency, events.text("agency")),
        zone=where(own_zone != "", own_zone, constant(zone, 1, pl.String)),
        applicant=events.text("applicant"),
        first_at=first_us,
        last_at=spread(events["at_us"], events.case, n, "last"),
        applied_at=applied_us,
        channel=take(applied["channel"], applied_at),
        filed_here=present(applied_us) | (take(events["kind"], first) != kinds.SIGNED_FOR),
        # Received: at the origin where the case was filed, be it here or at another tier.
        received_at=coalesce(applied_us, filed_us, first_us),
        checked_at=spread(checked["at_us"], checked["case"], n, "first"),
        accepted_here_at=accepted_us,
        accepted_at=coalesce(accepted_us, events.stated("accepted_at")),
        # A refusal that was followed by an acceptance was taken back.
        refused_at=only(refused_us, ~true(accepted_us > refused_us)),
        told_at=spread(told["at_us"], told["case"], n, "first"),
        completed_at=take(completed["at_us"], completed_at),
        result=take(completed["result"], completed_at),
        completed_by=take(completed["actor"], completed_at),
        result_reasoned=fill(take(completed["reason"], completed_at), "") != "",
        to_issue=true(take(completed["to_issue"], completed_at)),
        certified_at=spread(certified["at_us"], certified["case"], n, "first"),
        collected_at=spread(collected["at_us"], collected["case"], n, "first"),
        left_at=take(left["at_us"], left_at),
        first_entered_at=spread(entered["at_us"], entered["case"], n, "first"),
        last_entered_at=take(entered["at_us"], entered_at),
        held=~present(left_row) | true(entered_row > left_row),
        extension=total(extended["granted_days"], extended["case"], n).cast(pl.Int32),
        extended_at=spread(extended["at_us"], extended["case"], n, "last"),
        joint=has(shares["case"], n),
        fee_stated=take(accepted["fee_due"], accepted_at),
        fee_charged=total(fees["amount"], fees["case"], n),
        fee_recorded=has(fees["case"], n),
        fee_unfounded=_groundless_charges(fees, n),
        fee_unknown=has(unpriced["case"], n),
        fee_at=take(fees["at_us"], charged_at),
        fee_by=take(fees["actor"], charged_at),
        entry_unknown=unknown_entries(events),
        **{name: events.stated(name) for name in LIMIT_COLUMNS},
    )
    return Facts(
        ids=events.ids,
        cases=cases,
        parts={
            "steps": _steps(events),
            "pauses": pauses,
            "shares": shares,
            "urges": joint.urges(events),
            "corrections": _corrections(told, received, cases),
            "receipts": _receipts(received, events),
            "refusals": _refusals(refused, checked, completed),
            "fees": fees,
            "left": left,
            "entered": entered,
            "marks": events.of((kinds.STEP, kinds.ACCEPTANCE, kinds.SIGNED_FOR), "kind", "row"),
            "away": _away(left, entered),
            "late_entries": late_entries(events),
        },
    )


def _groundless_charges(fees: pl.DataFrame, n: int) -> pl.Series:
    """Which cases have a charge that names no basis."""
    if fees.is_empty():
        return constant(False, n, pl.Boolean)
    bare = true(fees["amount"] > 0) & (fill(fees["basis"], "") == "")
    return has(fees["case"].filter(bare), n)


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
    return steps.hstack([nth(pairs(steps["case"], steps["step"])).alias("nth")])


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
        return _NO_PAUSES
    begun = _serially(begun)
    ended = _serially(events.of(kinds.RESUME, "pause")).select("case", "nth", end_at="at_us")
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


def _serially(events: pl.DataFrame) -> pl.DataFrame:
    """The events with the serial of their pause (`nth`), by default their place in the case; of equal ones the first."""
    serial = coalesce(events["pause"], nth(events["case"])).alias("nth")
    return events.hstack([serial]).unique(["case", "nth"], keep="first", maintain_order=True)


def _corrections(told: pl.DataFrame, received: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Each time that missing materials were told, with the receipt (`since_at`) it answers."""
    if told.is_empty():
        return told.hstack([nulls(0, pl.Int64).alias("nth"), nulls(0, pl.Int64).alias("since_at")])
    start = cases["received_at"][told["case"]]
    if not received.is_empty():
        start = coalesce(take(received["at_us"], last_in(received, told)), start)
    return told.hstack([nth(told["case"]).alias("nth"), start.alias("since_at")])


def _receipts(received: pl.DataFrame, events: CaseEvents) -> pl.DataFrame:
    """Each later receipt of materials (`at_us`), with the first answer of the agency to it (`answered_at`)."""
    if received.is_empty():
        return frame(case=received["case"], at_us=received["at_us"], answered_at=nulls(0, pl.Int64))
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
    answered_at = take(replies["at_us"], next_in(replies, received))
    return frame(case=received["case"], at_us=received["at_us"], answered_at=answered_at)


def _refusals(refused: pl.DataFrame, checked: pl.DataFrame, completed: pl.DataFrame) -> pl.DataFrame:
    """Every refusal, at whatever point of the case: of pre-acceptance, of acceptance, of the permit. `reasoned`: it says why."""
    found = [
        (refused, coalesce(refused["reason"], refused["code"])),
        *(
            (keep_rows(events, true(events[column] == "refused")), None)
            for events, column in ((checked, "outcome"), (completed, "result"))
        ),
    ]
    return pl.concat(
        frame(
            **{name: events[name] for name in ("case", "at_us", "actor", "agency")},
            reasoned=fill(events["reason"] if reason is None else reason, "") != "",
        )
        for events, reason in found
    )


def _away(left: pl.DataFrame, entered: pl.DataFrame) -> pl.DataFrame:
    """The time between leaving this node and being signed for here again."""
    if entered.is_empty() or left.is_empty():
        none = left.clear()
        return frame(case=none["case"], at_us=none["at_us"], end_at=none["at_us"])
    moves = pl.concat(
        [
            left.select("case", "row", "at_us", leaves=pl.lit(True)),
            entered.select("case", "row", "at_us", leaves=pl.lit(False)),
        ]
    ).sort("case", "row")
    # Left twice without being signed for in between: nobody knows when it was back.
    back = (pl.col("case").shift(-1) == pl.col("case")) & ~pl.col("leaves").shift(-1)
    return (
        moves.with_columns(end_at=pl.when(back).then(pl.col("at_us").shift(-1)))
        .filter(pl.col("leaves") & pl.col("end_at").is_not_null())
        .select("case", "at_us", "end_at")
    )


_NO_PAUSES: Final = pl.DataFrame(
    schema={
        "case": pl.UInt32,
        "at_us": pl.Int64,
        "kind": pl.String,
        "legal_basis": pl.String,
        "approver": pl.String,
        "granted_days": pl.Int64,
        "planned_end_day": pl.Int64,
        "notice": pl.String,
        "agency": pl.String,
        "actor": pl.String,
        "nth": pl.Int64,
        "end_at": pl.Int64,
        "counts": pl.Boolean,
    }
)

DOCUMENTED: Final = (
    ("item", "code", "事项", "item code"),
    ("agency", "code", "部门", "agency code"),
    ("first_at", "instant", "首个事件时间", "its first event"),
    ("last_at", "instant", "最近事件时间", "its last event"),
    ("channel", "code", "申办渠道", "channel of the application"),
    ("applied_at", "instant", "申办时间", "when it was applied for here"),
    ("received_at", "instant", "收件时间", "when it was received"),
    ("checked_at", "instant", "预受理时间", "the first answer of pre-acceptance"),
    ("accepted_here_at", "instant", "受理时间", "when it was accepted here, as recorded"),
    ("told_at", "instant", "首次补正告知时间", "when missing materials were first told"),
    ("refused_at", "instant", "不予受理时间", "when it was refused"),
    ("completed_at", "instant", "办结时间", "when it was completed"),
    ("completed_by", "code", "办结人", "who completed it"),
    ("result", "code", "办结结果", "its result"),
    ("to_issue", "flag", "待颁发证照", "a certificate is still to be given out after the completion"),
    ("certified_at", "instant", "颁发时间", "when the certificate was out"),
    ("collected_at", "instant", "领取时间", "when the certificate was collected"),
    ("extension", "days", "延长天数", "days granted on top of its limits"),
    ("joint", "flag", "联合办理", "other agencies were asked for their share"),
    ("fee_stated", "money", "标准收费", "the standard fee, as stated"),
    ("fee_charged", "money", "实收费用", "what was charged in all"),
    ("fee_recorded", "flag", "有收费记录", "some charge is recorded"),
    ("held", "flag", "在本级", "it is held by this node"),
)
"""What a local rule may be written about."""
