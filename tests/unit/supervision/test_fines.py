"""A real log of penalties, taken in through the ordinary import and judged case by case against answers that somebody else computed."""

import asyncio
import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from federation.journal.checkpoint import Signer, log_id
from node.intake.import_run import run_import
from node.intake.mapping import load
from node.intake.service import Intake
from node.projection.entries import read
from node.store.store import MEMORY, Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.evaluate import Evaluation, evaluate
from node.supervision.fold import installed
from node.supervision.frame import from_rows

NOW = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
LOG = log_id("990102", "0123456789abcdef")
CASES = pl.col("case_id")


async def imported(file: Path, mapping: Path) -> tuple[Any, Evaluation]:
    """The report of the import, and the evaluation of what it left in the journal."""
    store = await Store.open(MEMORY)
    try:
        writer = await JournalWriter.open(
            store, Signer.from_bytes(LOG, bytes(range(32))), LOG, "990102", lambda: NOW
        )
        intake = Intake(store, writer, Vault(bytes(32)), lambda: NOW)
        report = await run_import(file, load(mapping), intake, now_us=NOW)
        async with store.read() as session:
            leaves = await session.journal.leaves("990102", 0, writer.size)
    finally:
        await store.close()
    events = read("990102", 0, leaves).events
    context = Context(Calendar.weekdays(), zone="Europe/Rome")
    return report, evaluate(from_rows(events), context, NOW, len(leaves), installed(("penalty",)))


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> list[dict[str, str]]:
    with gzip.open(shared_data / "fines" / "expected.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def judged(shared_data: Path, repository: Path) -> Evaluation:
    report, evaluation = asyncio.run(
        imported(
            shared_data / "fines" / "traffic_fines_10k.csv.gz",
            repository / "tests" / "mappings" / "fines.toml",
        )
    )
    assert (report.outcome, report.cases, report.accepted, report.rejected) == ("imported", 10_000, 34_724, 0)
    return evaluation


def found(evaluation: Evaluation, rule: str) -> set[str]:
    return set(evaluation.findings.filter(pl.col("rule") == rule)["case_id"])


def flagged(expected: list[dict[str, str]], column: str) -> set[str]:
    return {row["case_id"] for row in expected if row[column] == "1"}


def checked(evaluation: Evaluation, rule: str) -> int:
    count: int = evaluation.rules.filter(pl.col("rule") == rule)["checked"].item()
    return count


@pytest.mark.parametrize(
    ("rule", "column", "number", "of"),
    [
        ("penalty.interval.decision", "sent_over_90d", 3_970, 6_570),
        ("penalty.interval.service", "notified_over_legal_limit", 321, 4_635),
        ("penalty.interval.appeal", "appeal_over_60d", 36, 231),
        ("penalty.collection.unserved", "sent_never_notified_unpaid", 1_894, 1_894),
    ],
)
def test_each_rule_finds_exactly_the_cases_that_were_found_independently(
    judged: Evaluation, expected: list[dict[str, str]], rule: str, column: str, number: int, of: int
) -> None:
    assert len(found(judged, rule)) == number
    assert checked(judged, rule) == of
    assert found(judged, rule) == flagged(expected, column)


def facts(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    (one,) = evaluation.judged
    cases = one.ground.frames["cases"].with_columns(one.ids.alias("case_id"))
    yield from cases.iter_rows(named=True)


def days(text: str) -> int | None:
    return int(float(text)) if text else None


def fen(text: str) -> int:
    return round(float(text) * 100)


def test_every_row_of_the_expected_answers_comes_out(
    judged: Evaluation, expected: list[dict[str, str]]
) -> None:
    by_case = {row["case_id"]: row for row in expected}
    assert len(by_case) == judged.cases.height == 10_000
    for row in facts(judged):
        wanted = by_case[row["case_id"]]
        told = (
            row["days_to_decision"],
            row["days_to_service"],
            row["days_to_appeal"],
            row["enforced_at"] is not None,
            row["paid"],
            row["owed"],
            row["paid_up"],
        )
        assert told == (
            days(wanted["create_to_send_days"]),
            days(wanted["create_to_notification_days"]),
            days(wanted["notification_to_appeal_days"]),
            wanted["credit_collection"] == "1",
            fen(wanted["paid"]),
            fen(wanted["due"]),
            wanted["fully_paid"] == "1",
        ), row["case_id"]


async def test_every_rare_path_of_the_process_runs_through(shared_data: Path, repository: Path) -> None:
    report, evaluation = await imported(
        shared_data / "fines" / "roadtraffic_1t_per_variant.xes.gz",
        repository / "tests" / "mappings" / "fines_variants.toml",
    )
    # Of two payments of one day that say neither a number nor a sum, the second cannot be told from the first.
    assert (report.outcome, report.cases, report.accepted) == ("imported", 231, 1_888)
    assert report.rejected_by_code == {"duplicate": 3}
    assert evaluation.cases.height == 231
    # Without amounts nobody is accused of money.
    raised = Counter(evaluation.findings["rule"])
    assert {rule for rule in raised if "collection" in rule or "surcharge" in rule} == set()
    assert raised["penalty.interval.decision"] > 0
