"""Every test that asks for `store` runs on memory, on a SQLite file and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from federation.journal.checkpoint import Signer, log_id
from node.store.rows import AlertRecord, EventRow, FactsRow
from node.store.store import MEMORY, Store
from node.store.writer import JournalWriter

NODE = "990102001"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be opened; empty."""
    if request.param == "memory":
        return MEMORY
    if request.param == "sqlite":
        return str(tmp_path / "node.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", "postgres"])
def lasting_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be opened, closed and opened again."""
    if request.param == "sqlite":
        return str(tmp_path / "lasting.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def store(place: str) -> AsyncIterator[Store]:
    opened = await Store.open(place)
    yield opened
    await opened.close()


@dataclass
class Clock:
    """A clock that ticks one microsecond at each look."""

    ticks: count = field(default_factory=lambda: count(1_700_000_000_000_000))  # type: ignore[type-arg]

    def __call__(self) -> int:
        return next(self.ticks)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> str:
    return log_id(NODE, "3f9a2c1d")


@pytest.fixture
def signer(log: str) -> Signer:
    return Signer.from_bytes(log, bytes(range(32)))


@pytest.fixture
async def writer(store: Store, signer: Signer, log: str, clock: Clock) -> JournalWriter:
    return await JournalWriter.open(store, signer, log, NODE, clock)


@pytest.fixture
def event() -> Callable[..., EventRow]:
    """Makes an event row; what is not said is ordinary."""

    def make(case_id: str = "c-1", idx: int = 0, **other: object) -> EventRow:
        values: dict[str, object] = {
            "origin": NODE,
            "case_id": case_id,
            "idx": idx,
            "at_us": 1_000 + idx,
            "day_only": False,
            "zone": "Asia/Shanghai",
            "domain": "approval",
            "kind": "application",
            "received_at_us": 0,
            "noted_at_us": 2_000,
            "agency": "A1",
            "actor": "S7",
            "item": "I-9",
            "step": "",
            "applicant": "",
            "import_id": "",
            "attributes": {},
        }
        return EventRow(**{**values, **other})  # type: ignore[arg-type]

    return make


@pytest.fixture
def facts() -> Callable[..., FactsRow]:
    """Makes a summary of a case; what is not said is ordinary."""

    def make(case_id: str = "c-1", **other: object) -> FactsRow:
        values: dict[str, object] = {
            "origin": NODE,
            "case_id": case_id,
            "domain": "approval",
            "item": "I-9",
            "agency": "A1",
            "state": "accepted",
            "received_at_us": 1_000,
            "accepted_at_us": 1_500,
            "completed_at_us": None,
            "statutory_due_us": 9_000,
            "promised_due_us": 8_000,
            "late": None,
            "figures": {"19000": {"received": 1}},
            "duration_days": None,
            "applicant": "",
            "next_at_us": 0,
            "import_id": "",
            "size": 10,
        }
        return FactsRow(**{**values, **other})  # type: ignore[arg-type]

    return make


@pytest.fixture
def alert() -> Callable[..., AlertRecord]:
    """Makes an alert; what is not said is ordinary."""

    def make(alert_id: str = "al-1", **other: object) -> AlertRecord:
        values: dict[str, object] = {
            "origin": NODE,
            "alert_id": alert_id,
            "case_id": "c-1",
            "subject": "case",
            "domain": "approval",
            "rule": "approval.statutory",
            "level": 3,
            "episode": 1,
            "state": 2,
            "since_us": 5_000,
            "due_at_us": 4_999,
            "raised_at_us": 6_000,
            "idx": 0,
            "agency": "A1",
            "item": "I-9",
            "actor": "",
            "over": 1,
            "journal_size": 7,
            "policy_version": 1,
            "calendar_version": "2026",
            "rule_version": 1,
        }
        return AlertRecord(**{**values, **other})  # type: ignore[arg-type]

    return make
