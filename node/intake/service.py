"""Intake: where departments, clerks and imports hand in case events.

An answer means durable: what it counts is in the journal, fsync'd. One request is one transaction, rejections included. Sent
again, after a timeout or a crash, a request changes nothing: every event is known by its (source, serial) and every rejection
by what was rejected and why. A serial that comes again with other content is rejected as a duplicate; nothing tells that
before the guard does, so that rejection is a transaction of its own, before the answer.

An import killed anywhere goes on where it stopped (``progress``). Until ``FinishImport`` its cases raise no alerts.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, NoReturn

import grpc.aio
import structlog
from zongheng.v1.catalogue_pb2 import Agency, Item
from zongheng.v1.entry_pb2 import Entry, ImportFinished
from zongheng.v1.intake_pb2 import (
    FinishImportRequest,
    FinishImportResponse,
    StartImportRequest,
    StartImportResponse,
    Submission,
    SubmitRequest,
    SubmitResponse,
)
from zongheng.v1.intake_pb2_grpc import IntakeServiceServicer

from federation.errors import ZonghengError, abort
from node.intake.batch import Batch
from node.intake.copies import copied, fingerprint, scope_of
from node.intake.door import Door, Held, Refused
from node.intake.progress import Progress
from node.intake.sameness import same_entry, same_held
from node.intake.withdrawn import Withdrawn
from node.projection.arriving import destination
from node.store.drafts import Appended, Draft
from node.store.imports import FINISHED
from node.store.store import Session, Store
from node.store.vault import Person, Vault
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

AT_ONCE: Final = 5_000
"""Submissions in one request; more would keep others waiting for the journal."""

_LONGEST_SOURCE: Final = 100
_DUPLICATE: Final = Refused("duplicate", "its serial was used before with other content")
_CATALOGUE_SOURCE: Final = "catalogue"


class Intake(IntakeServiceServicer):
    """The service, for gRPC and for callers in this process. ``now`` gives microseconds since the epoch."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        vault: Vault,
        now: Now,
        is_below: Callable[[str], bool] = lambda node: False,
        withdrawn: Withdrawn | None = None,
        supervised: Collection[str] | None = None,
    ) -> None:
        """``is_below`` says whether a node is below this one: what is for it goes down. ``withdrawn`` None: there is no catalogue to ask.
        ``supervised``: the domains that are taken in; None: all.
        """
        self._withdrawn, self._supervised = withdrawn, supervised
        self._store, self._writer, self._vault, self._now = store, writer, vault, now
        self._is_below = is_below
        self._imports: dict[str, Progress] = {}
        # Two that begin one import at once would each load its progress.
        self._beginning = asyncio.Lock()

    async def submit(self, request: SubmitRequest) -> SubmitResponse:
        """Journal a batch. Raises ZonghengError for a batch that is none, and the store's errors; then nothing is durable for
        certain, and the batch may be sent again."""
        if not request.source or len(request.source) > _LONGEST_SOURCE or "\0" in request.source:
            raise ZonghengError("bad_request", f"name the source, in at most {_LONGEST_SOURCE} characters")
        if len(request.submissions) > AT_ONCE:
            raise ZonghengError("bad_request", f"send at most {AT_ONCE} submissions in one batch")
        progress = await self._under_way(request) if request.import_id else None
        # What this version does not know could be anything, a person's name too.
        request.DiscardUnknownFields()
        closed = await self._withdrawn.closed(request.submissions) if self._withdrawn is not None else ()
        door = Door(request.source, request.import_id, self._now(), closed, self._supervised)
        batch = Batch(door, request.submissions)
        if batch.held:
            await self._vaulted(request, batch)
        self._address(batch)
        if batch.drafts or progress is not None:
            appended = await self._append(batch, progress)
            if appended.repeated:
                await self._sort_repeats(request, batch, appended)
        if progress is not None:
            progress.finish(
                request.after_row, request.through_row, batch.accepted + batch.resent, len(batch.rejected)
            )
        return SubmitResponse(
            journal_size=self._writer.size,
            accepted=batch.accepted,
            repeated=batch.repeated + batch.resent,
            rejected=batch.rejected,
        )

    def _address(self, batch: Batch) -> None:
        """A case that is handed over or returned to a node below goes down to it: its event is for that node."""
        for position, submission in enumerate(batch.of):
            node = "" if submission is None else destination(submission.event)
            if node and self._is_below(node):
                draft = batch.drafts[position]
                entry = Entry.FromString(draft.leaf)
                entry.address.node = node
                batch.drafts[position] = Draft.of(entry)

    async def _append(self, batch: Batch, progress: Progress | None) -> Appended:
        if progress is None:
            return await self._writer.append(batch.drafts)
        run = progress.run()

        async def beside(session: Session) -> None:
            written = await session.imports.get(run.import_id)
            # A batch of a sender that died may come after the import was taken up again, or finished.
            if written is None or (written.state != FINISHED and written.settled_row <= run.settled_row):
                await session.imports.put(run)

        return await self._writer.append(batch.drafts, beside)

    async def _under_way(self, request: SubmitRequest) -> Progress:
        progress = self._imports.get(request.import_id)
        if progress is None:
            async with self._beginning:
                progress = self._imports.get(request.import_id) or await self._load(request.import_id)
        if progress.source != request.source:
            raise ZonghengError("bad_request", "this import was begun by another source")
        return progress

    async def _load(self, import_id: str) -> Progress:
        async with self._store.read() as session:
            run = await session.imports.get(import_id)
        if run is None:
            raise ZonghengError("not_found", "this import was never begun: StartImport comes first")
        if run.state == FINISHED:
            raise ZonghengError("bad_request", "this import is finished")
        progress = self._imports[import_id] = Progress.of(run)
        return progress

    async def _vaulted(self, request: SubmitRequest, batch: Batch) -> None:
        """Draft what was held for the vault; what was journalled before is compared and not vaulted again."""
        async with self._store.read() as session:
            seen = await session.journal.seen(request.source, [held.serial for _, held in batch.held])
            leaves = dict(await session.journal.entries(self._writer.node, sorted(seen.values())))
            fresh: list[tuple[Submission, Held]] = []
            for submission, held in batch.held:
                leaf = leaves.get(seen.get(held.serial, -1))
                if leaf is None:
                    fresh.append((submission, held))
                elif await same_held(session, self._vault, leaf, held):
                    self._count_repeat(request, batch, leaf)
                else:
                    batch.turn_away(submission, _DUPLICATE)
        if not fresh:
            return
        persons = [Person(held.name, held.id_number) for _, held in fresh if held.has_applicant]
        texts = [text for _, held in fresh for text in held.texts.values()]
        handles = self._vault.known(persons)
        digests: list[str] = []
        fingerprints: list[dict[str, str]] = [{} for _ in fresh]
        if handles is None or texts:
            async with self._store.write() as session:
                handles = await self._vault.handles(session.vault, persons)
                digests = await self._vault.digests(session.vault, texts)
                fingerprints = await self._fingerprints(session, [held for _, held in fresh], digests)
            self._vault.learn(persons, handles)
        next_handle, next_digest = iter(handles), iter(digests)
        for (submission, held), made in zip(fresh, fingerprints, strict=True):
            handle = next(next_handle) if held.has_applicant else ""
            draft = batch.door.finish(held, handle, {name: next(next_digest) for name in held.texts}, made)
            if isinstance(draft, Draft):
                batch.vaulted[len(batch.drafts)] = held
                batch.let_in(submission, draft)
            else:
                batch.turn_away(submission, draft)

    async def _fingerprints(
        self, session: Session, held: Sequence[Held], digests: Sequence[str]
    ) -> list[dict[str, str]]:
        """For each of these what says whose copy its text is; ``digests`` are those of all their texts, in order."""
        found: list[dict[str, str]] = []
        next_digest = iter(digests)
        for one in held:
            by_name = {name: next(next_digest) for name in one.texts}
            looked_at = copied(one.event.domain, one.event.kind)
            if looked_at is None or looked_at[0] not in by_name:
                found.append({})
                continue
            name, attribute = looked_at
            scope = scope_of(one.event.domain, one.event.kind, one.event.agency)
            made = await fingerprint(session, self._vault, scope, one.texts[name], by_name[name])
            found.append({attribute: made})
        return found

    async def _sort_repeats(self, request: SubmitRequest, batch: Batch, appended: Appended) -> None:
        """Tell repeats from duplicates, and journal the rejection of those."""
        new = {index for at, index in enumerate(appended.indexes) if at not in appended.repeated}
        duplicates: list[Submission] = []
        async with self._store.read() as session:
            wanted = sorted(set(appended.repeated.values()))
            leaves = dict(await session.journal.entries(self._writer.node, wanted))
            for position, index in appended.repeated.items():
                submission, batch.of[position] = batch.of[position], None
                if submission is None:
                    continue
                leaf, held = leaves[index], batch.vaulted.get(position)
                if held is not None:
                    same = await same_held(session, self._vault, leaf, held)
                else:
                    same = same_entry(leaf, batch.drafts[position].leaf)
                if not same:
                    duplicates.append(submission)
                elif index in new:
                    batch.repeated += 1
                else:
                    self._count_repeat(request, batch, leaf)
        if duplicates:
            told = [batch.door.rejected(submission, _DUPLICATE) for submission in duplicates]
            await self._writer.append([draft for draft, _ in told])
            batch.rejected.extend(rejected for _, rejected in told)

    def _count_repeat(self, request: SubmitRequest, batch: Batch, leaf: bytes) -> None:
        if request.import_id and Entry.FromString(leaf).import_id == request.import_id:
            batch.resent += 1
        else:
            batch.repeated += 1

    async def start_import(self, request: StartImportRequest) -> StartImportResponse:
        """Begin an import, or take it up again; items and agencies that are new are published before it."""
        started = request.started
        if not started.import_id or not request.source or len(request.source) > _LONGEST_SOURCE:
            raise ZonghengError("bad_request", "an import needs an id and a source")
        async with self._beginning:
            async with self._store.read() as session:
                run = await session.imports.get(started.import_id)
                news = await self._news(session, request)
            if run is not None and run.state == FINISHED:
                return StartImportResponse(finished=True)
            if run is not None:
                if run.source != request.source:
                    raise ZonghengError("bad_request", "this import was begun by another source")
                # Batches of a process that died may still be under way here; their count is not needed again.
                self._imports[started.import_id] = Progress.of(run)
                return StartImportResponse(resume_after_row=run.settled_row)
            progress = Progress(started.import_id, request.source)
            begun = Entry(
                noted_at_us=self._now(),
                source=request.source,
                serial=f"import-started:{started.import_id}",
                import_id=started.import_id,
                import_started=started,
            )

            async def beside(session: Session) -> None:
                await session.imports.put(progress.run())

            await self._writer.append([*news, Draft.of(begun)], beside)
            self._imports[started.import_id] = progress
        log.info("import.started", import_id=started.import_id, source=request.source, rows=started.rows)
        return StartImportResponse()

    async def _news(self, session: Session, request: StartImportRequest) -> list[Draft]:
        """Entries for items and agencies that are not published yet, each at most once by its guard."""
        node = self._writer.node
        drafts: list[Draft] = []
        for item in request.items:
            published = await session.catalogue.versions(node, "item", item.code)
            if all(one.version != item.version for one in published):
                drafts.append(self._published(f"item:{item.code}:{item.version}", item))
        for agency in request.agencies:
            if not await session.catalogue.versions(node, "agency", agency.code):
                own = Agency()
                own.CopyFrom(agency)
                own.node = own.node or node
                drafts.append(self._published(f"agency:{agency.code}", own))
        return drafts

    def _published(self, serial: str, thing: Item | Agency) -> Draft:
        entry = Entry(noted_at_us=self._now(), source=_CATALOGUE_SOURCE, serial=serial)
        if isinstance(thing, Item):
            entry.item_published.CopyFrom(thing)
        else:
            entry.agency_published.CopyFrom(thing)
        return Draft.of(entry)

    async def finish_import(self, request: FinishImportRequest) -> FinishImportResponse:
        """End an import: from here on its cases raise alerts. Asked again it answers the same."""
        async with self._store.read() as session:
            run = await session.imports.get(request.import_id)
        if run is None:
            raise ZonghengError("not_found", "this import was never begun")
        if run.state != FINISHED:
            progress = self._imports.get(request.import_id) or Progress.of(run)
            if progress.ahead:
                raise ZonghengError(
                    "bad_request", "rows in between are missing: send the import again from its last row"
                )
            run = progress.run(FINISHED)
            ended = Entry(
                noted_at_us=self._now(),
                source=run.source,
                serial=f"import-finished:{run.import_id}",
                import_id=run.import_id,
                import_finished=ImportFinished(
                    import_id=run.import_id, accepted=run.accepted, rejected=run.rejected
                ),
            )
            done = run

            async def beside(session: Session) -> None:
                await session.imports.put(done)

            await self._writer.append([Draft.of(ended)], beside)
            self._imports.pop(request.import_id, None)
            log.info("import.finished", import_id=run.import_id, accepted=run.accepted, rejected=run.rejected)
        finished = ImportFinished(import_id=run.import_id, accepted=run.accepted, rejected=run.rejected)
        return FinishImportResponse(finished=finished)

    async def Submit(
        self, request: SubmitRequest, context: grpc.aio.ServicerContext[SubmitRequest, SubmitResponse]
    ) -> SubmitResponse:
        try:
            return await self.submit(request)
        except Exception as error:
            await self._told("Submit", error, context)

    async def StartImport(
        self,
        request: StartImportRequest,
        context: grpc.aio.ServicerContext[StartImportRequest, StartImportResponse],
    ) -> StartImportResponse:
        try:
            return await self.start_import(request)
        except Exception as error:
            await self._told("StartImport", error, context)

    async def FinishImport(
        self,
        request: FinishImportRequest,
        context: grpc.aio.ServicerContext[FinishImportRequest, FinishImportResponse],
    ) -> FinishImportResponse:
        try:
            return await self.finish_import(request)
        except Exception as error:
            await self._told("FinishImport", error, context)

    async def _told(
        self, rpc: str, error: Exception, context: grpc.aio.ServicerContext[Any, Any]
    ) -> NoReturn:
        if not isinstance(error, ZonghengError):
            log.error("intake.failed", rpc=rpc, exc_info=error)
        await abort(context, error)
