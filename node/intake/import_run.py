"""Importing a file: checked whole first, then handed in between ``StartImport`` and ``FinishImport``.

- Pass 1 (``checking``) reads everything and writes nothing. A file that cannot be read, a mapping that does not fit or
  an import of which every row would be rejected ends here.
- Pass 2 hands in batches, several under way at once. Killed anywhere, the next run of the same file and mapping takes the
  import up after the last settled row; what was journalled beyond it is recognised by its serial. Nothing is doubled
  and nothing lost.
- Until the end no alert is issued for the import's cases. A file that was imported before adds nothing, and says so.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from zongheng.v1.entry_pb2 import ImportStarted, Rejected
from zongheng.v1.intake_pb2 import FinishImportRequest, StartImportRequest, SubmitRequest

from node.intake.checking import Checked, OnProgress, RejectedRow, check, stamp_of
from node.intake.mapping import Mapping
from node.intake.ports import IntakePort
from node.intake.readers.record import UnreadableFile
from node.models.messages import agency_message, item_message

Outcome = Literal["imported", "already_imported", "dry_run", "nothing_to_import"]

_BATCH_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file. ``as_json`` is the output of ``zongheng import --json``."""

    outcome: Outcome
    file: str
    source: str
    import_id: str
    rows: int
    """Rows (XES: traces and events) read."""
    cases: int
    events: dict[str, int]
    """Events handed in (dry run: that would be), by kind."""
    accepted: int
    """Events that are in the journal through this import."""
    repeated: int
    """Events that were in the journal before, with the same content."""
    rejected: int
    rejected_by_code: dict[str, int]
    rejections: list[RejectedRow] = field(default_factory=list)
    """The first of them, by row."""
    resumed_after_row: int = 0
    """The import was taken up after this row; 0: begun from the start."""

    @property
    def exit_code(self) -> int:
        """0: all is in. 1: something was rejected, or nothing is new."""
        if self.rejected:
            return 1
        new = self.accepted if self.outcome == "imported" else sum(self.events.values())
        return 0 if new and self.outcome in ("imported", "dry_run") else 1

    def as_json(self) -> dict[str, Any]:
        """Stable keys; documented in docs/import.md."""
        return asdict(self) | {"exit_code": self.exit_code}


async def run_import(
    path: Path,
    mapping: Mapping,
    port: IntakePort,
    *,
    now_us: int,
    zone: str | None = None,
    on_progress: OnProgress | None = None,
    batch: int = 500,
    window: int = 4,
    keep: int = 10_000,
) -> ImportReport:
    """Import a file.

    :param now_us: microseconds since the epoch.
    :param zone: IANA zone of times that carry none where the mapping names none: the node's own.
    :param batch: events in one transaction, about.
    :param window: batches under way at once.
    :param keep: rejections to report one by one; all are counted, and all are journalled.
    :raises UnreadableFile: when the file cannot be read, or changes meanwhile; then the import stays unfinished.
    :raises BadMapping: when the mapping does not fit. Nothing was written.
    :raises ZonghengError: what intake says; the import stays unfinished and can be taken up again.
    """
    checked = check(path, mapping, now_us=now_us, zone=zone, on_progress=on_progress, keep=keep)
    if not checked.events:
        return report(checked, "nothing_to_import")
    begun = await port.start_import(_start(checked))
    if begun.finished:
        return report(checked, "already_imported")
    resume = begun.resume_after_row
    extra: list[RejectedRow] = []
    done = resume

    async def hand_in(batch: _Batch) -> None:
        nonlocal done
        answer = await port.submit(batch.request)
        extra.extend(batch.unexpected(answer.rejected))
        done = max(done, batch.request.through_row)
        if on_progress is not None:
            on_progress("import", done, checked.last_row)

    await _all(hand_in, _batches(checked, resume, batch), window)
    if stamp_of(path) != checked.stamp:
        raise UnreadableFile(f"{path.name}: it was changed while it was imported; import it again")
    ended = (await port.finish_import(FinishImportRequest(import_id=checked.import_id))).finished
    for one in extra:
        checked.note(one, keep)
    checked.rejected.sort(key=lambda rejected: rejected.row)
    return report(
        checked,
        "imported",
        accepted=ended.accepted,
        rejected=ended.rejected,
        repeated=max(0, checked.events - ended.accepted - len(extra)),
        resumed_after_row=resume,
    )


def report(
    checked: Checked,
    outcome: Outcome,
    *,
    accepted: int = 0,
    repeated: int = 0,
    rejected: int = 0,
    resumed_after_row: int = 0,
) -> ImportReport:
    """The report of a checked file."""
    return ImportReport(
        outcome=outcome,
        file=checked.path.name,
        source=checked.mapping.source,
        import_id=checked.import_id,
        rows=checked.rows,
        cases=checked.cases,
        events=dict(sorted(checked.kinds.items())),
        accepted=accepted,
        repeated=repeated,
        # A run that was killed may have found duplicates that this one did not see again.
        rejected=max(rejected, checked.refusals),
        rejected_by_code=dict(sorted(checked.codes.items())),
        rejections=list(checked.rejected),
        resumed_after_row=resumed_after_row,
    )


@dataclass(slots=True)
class _Batch:
    request: SubmitRequest
    turned_away: Counter[tuple[int, str]] = field(default_factory=Counter)
    """(row, code) of what is known to be rejected already."""
    size: int = 0

    def unexpected(self, rejected: Iterable[Rejected]) -> Iterator[RejectedRow]:
        """What the node rejected of its own accord: duplicates of what it has, above all."""
        known = self.turned_away.copy()
        for one in rejected:
            if known[one.row, one.code] > 0:
                known[one.row, one.code] -= 1
            else:
                yield RejectedRow(one.row, one.code, one.reason)


def _batches(checked: Checked, after_row: int, events: int) -> Iterator[_Batch]:
    """The rows after ``after_row``, in batches that end where a row ends."""
    batch = _Batch(_request(checked, after_row))
    for row, handed in checked.handed_in():
        if row <= after_row:
            continue
        for submission in handed:
            if submission.HasField("unreadable"):
                batch.turned_away[row, submission.unreadable.code] += 1
            batch.size += sum(map(len, submission.texts.values()))
        batch.request.submissions.extend(handed)
        batch.request.through_row = row
        if len(batch.request.submissions) >= events or batch.size > _BATCH_CHARACTERS:
            yield batch
            batch = _Batch(_request(checked, row))
    if batch.request.through_row:
        yield batch


def _request(checked: Checked, after_row: int) -> SubmitRequest:
    return SubmitRequest(source=checked.mapping.source, import_id=checked.import_id, after_row=after_row)


def _start(checked: Checked) -> StartImportRequest:
    mapping = checked.mapping
    return StartImportRequest(
        started=ImportStarted(
            import_id=checked.import_id,
            file_name=checked.path.name,
            file_sha256=checked.file_sha256,
            mapping_sha256=mapping.digest,
            rows=checked.rows,
        ),
        source=mapping.source,
        items=[item_message(item, mapping.domain) for item in mapping.items],
        agencies=[agency_message(agency, "") for agency in mapping.agencies],
    )


async def _all(
    work: Callable[[_Batch], Coroutine[Any, Any, None]], batches: Iterable[_Batch], window: int
) -> None:
    """Work on every batch, ``window`` at once; the first failure ends the others and is raised as it is."""
    slots = asyncio.Semaphore(window)

    async def one(batch: _Batch) -> None:
        try:
            await work(batch)
        finally:
            slots.release()

    try:
        async with asyncio.TaskGroup() as group:
            for batch in batches:
                await slots.acquire()
                group.create_task(one(batch))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
