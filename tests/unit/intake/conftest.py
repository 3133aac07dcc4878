"""What a mapping makes of a small file, one line an event, as docs/import.md shows it; and an intake to try things on."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook
from zongheng.v1.case_pb2 import Attribute
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.intake_pb2 import Submission

from federation.journal.checkpoint import Signer, log_id
from node.intake.checking import check
from node.intake.mapping import Mapping, parse
from node.intake.service import Intake
from node.store.store import MEMORY, Store
from node.store.vault import Vault
from node.store.writer import JournalWriter

NOW_US = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


Translate = Callable[..., list[str]]


@pytest.fixture
def translate(tmp_path: Path) -> Translate:
    """A mapping's text applied to a file of a name and text; what is handed in, as lines."""

    def translate(mapping: str, name: str, text: str) -> list[str]:
        return list(lines(write_file(tmp_path, name, text), parse(mapping.encode())))

    return translate


def lines(path: Path, mapping: Mapping, zone: str = "Asia/Shanghai") -> Iterator[str]:
    """One line an event or rejection, in the order in which they are handed in."""
    for _, handed in check(path, mapping, now_us=NOW_US, zone=zone).handed_in():
        yield from map(line, handed)


def line(submission: Submission) -> str:
    """``case kind time name=value …``; a rejection as ``row N rejected: code, reason``."""
    if submission.HasField("unreadable"):
        told = submission.unreadable
        return f"row {told.row} rejected: {told.code}, {told.reason}"
    event = submission.event
    zone = ZoneInfo(event.zone)
    said = {"agency": event.agency, "actor": event.actor, "item": event.item, "step": event.step}
    if event.received_at_us:
        said["received"] = moment(event.received_at_us, zone)
    if submission.HasField("applicant"):
        said["applicant"] = f"({submission.applicant.name}, {submission.applicant.id_number})"
    said |= {attribute.name: value_of(attribute, zone) for attribute in event.attributes}
    said |= {name: f"({text})" for name, text in submission.texts.items()}
    at = moment(event.at_us, zone)
    if event.day_only:
        at = at.split()[0]
    return " ".join(
        [event.case_id, event.kind, at, *(f"{name}={value}" for name, value in said.items() if value)]
    )


def moment(at_us: int, zone: ZoneInfo) -> str:
    at = EPOCH + timedelta(microseconds=at_us)
    return at.astimezone(zone).replace(tzinfo=None).isoformat(" ", "auto")


def value_of(attribute: Attribute, zone: ZoneInfo) -> str:
    if attribute.name.endswith("_at"):
        return moment(attribute.integer, zone)
    if attribute.name.endswith("_day"):
        return str((EPOCH + timedelta(days=attribute.integer)).date())
    which = attribute.WhichOneof("value")
    return str(getattr(attribute, which)) if which else ""


def write_file(folder: Path, name: str, text: str) -> Path:
    """The file of that name; a workbook of the CSV where the name says so."""
    path = folder / name
    if path.suffix == ".xlsx":
        book = Workbook()
        for row in text.splitlines():
            book.active.append([cell or None for cell in row.split(",")])
        book.save(path)
    else:
        path.write_text(text, encoding="utf-8")
    return path


LOG = log_id("990102001", "0123456789abcdef")


@dataclass
class Desk:
    """An intake over a store, with what a test looks at."""

    store: Store
    writer: JournalWriter
    vault: Vault
    intake: Intake

    async def entries(self) -> list[Entry]:
        async with self.store.read() as session:
            leaves = await session.journal.leaves(self.writer.node, 0, self.writer.size)
        return [Entry.FromString(leaf) for leaf in leaves]

    async def reopened(self) -> "Desk":
        """A new process on the same store: nothing remembered but what is stored."""
        return await desk_on(self.store)


async def desk_on(store: Store) -> Desk:
    signer = Signer.from_bytes(LOG, bytes(range(32)))
    writer = await JournalWriter.open(store, signer, LOG, "990102001", lambda: NOW_US)
    vault = Vault(bytes(32))
    return Desk(store, writer, vault, Intake(store, writer, vault, lambda: NOW_US))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    store = await Store.open(MEMORY)
    try:
        yield await desk_on(store)
    finally:
        await store.close()
