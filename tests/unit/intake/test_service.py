"""Intake: an answer means durable, a repeat changes nothing, a rejection is an entry."""

from collections import Counter
from typing import Any

import grpc.aio
import pytest
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.catalogue_pb2 import Agency, Item
from zongheng.v1.entry_pb2 import Entry, ImportStarted
from zongheng.v1.intake_pb2 import (
    FinishImportRequest,
    Person,
    StartImportRequest,
    Submission,
    SubmitRequest,
    SubmitResponse,
)
from zongheng.v1.intake_pb2_grpc import IntakeServiceStub, add_IntakeServiceServicer_to_server

from federation.errors import ZonghengError
from node.intake.ports import RemoteIntake
from node.intake.service import AT_ONCE

AT = 1_700_000_000_000_000


def event(serial: str, *, step: str = "a", **said: Any) -> Submission:
    body = {
        "case_id": "c1",
        "domain": "approval",
        "kind": "step",
        "at_us": AT,
        "agency": "A01",
        "step": step,
    } | said
    return Submission(serial=serial, event=CaseEvent(**body))


def personal(serial: str, name: str = "张三", opinion: str = "同意") -> Submission:
    one = event(serial)
    one.applicant.CopyFrom(Person(name=name, id_number="310"))
    one.texts["opinion"] = opinion
    return one


def batch(*submissions: Submission, source: str = "dept", **said: Any) -> SubmitRequest:
    return SubmitRequest(source=source, submissions=submissions, **said)


def counts(answer: SubmitResponse) -> tuple[int, int, list[str]]:
    return answer.accepted, answer.repeated, [rejected.code for rejected in answer.rejected]


def bodies(entries: list[Entry]) -> Counter[str | None]:
    return Counter(entry.WhichOneof("body") for entry in entries)


async def test_a_batch_is_journalled_and_its_rejections_with_it(desk: Any) -> None:
    answer = await desk.intake.submit(batch(event("1"), event("2", kind="x"), event("3")))
    assert counts(answer) == (2, 0, ["unknown_kind"])
    assert answer.journal_size == 3
    assert [entry.WhichOneof("body") for entry in await desk.entries()] == [
        "case_event",
        "rejected",
        "case_event",
    ]


async def test_a_batch_sent_again_changes_nothing(desk: Any) -> None:
    request = batch(event("1"), event("2", kind="x"), personal("3"))
    await desk.intake.submit(request)
    size = desk.writer.size
    for intake in (desk.intake, (await desk.reopened()).intake):
        assert counts(await intake.submit(request)) == (0, 2, ["unknown_kind"])
    assert desk.writer.size == size


async def test_a_serial_again_with_other_content_is_a_duplicate_and_an_entry(desk: Any) -> None:
    await desk.intake.submit(batch(event("1")))
    request = batch(event("1", step="b"), event("2"))
    assert counts(await desk.intake.submit(request)) == (1, 0, ["duplicate"])
    assert counts(await desk.intake.submit(request)) == (0, 1, ["duplicate"])
    assert bodies(await desk.entries()) == {"case_event": 2, "rejected": 1}


async def test_a_serial_twice_in_one_batch(desk: Any) -> None:
    answer = await desk.intake.submit(batch(event("1"), event("1"), event("1", step="b")))
    assert counts(answer) == (1, 1, ["duplicate"])


async def test_two_sources_may_use_one_serial(desk: Any) -> None:
    await desk.intake.submit(batch(event("1")))
    assert counts(await desk.intake.submit(batch(event("1", step="b"), source="other"))) == (1, 0, [])


async def test_the_time_of_receipt_is_no_content(desk: Any) -> None:
    await desk.intake.submit(batch(event("1", received_at_us=AT)))
    assert counts(await desk.intake.submit(batch(event("1", received_at_us=AT + 1)))) == (0, 1, [])


async def test_nothing_personal_is_journalled_and_the_vault_knows_it(desk: Any) -> None:
    await desk.intake.submit(batch(personal("1"), personal("2")))
    first, second = await desk.entries()
    assert all(
        "张三".encode() not in e.SerializeToString() and "同意".encode() not in e.SerializeToString()
        for e in (first, second)
    )
    assert first.case_event.applicant == second.case_event.applicant != ""
    (opinion,) = first.case_event.attributes
    async with desk.store.read() as session:
        assert (await desk.vault.person(session.vault, first.case_event.applicant)).name == "张三"
        assert await desk.vault.text(session.vault, opinion.text) == "同意"


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        (personal("1"), (0, 1, [])),
        (personal("1", name="李四"), (0, 0, ["duplicate"])),
        (personal("1", opinion="不同意"), (0, 0, ["duplicate"])),
        (event("1"), (0, 0, ["duplicate"])),
    ],
)
async def test_persons_and_texts_are_content(
    desk: Any, again: Submission, expected: tuple[int, int, list[str]]
) -> None:
    await desk.intake.submit(batch(personal("1")))
    assert counts(await desk.intake.submit(batch(again))) == expected


async def test_persons_and_texts_twice_in_one_batch(desk: Any) -> None:
    answer = await desk.intake.submit(batch(personal("1"), personal("1"), personal("1", opinion="x")))
    assert counts(answer) == (1, 1, ["duplicate"])


async def test_a_person_erased_since_is_taken_for_the_same(desk: Any) -> None:
    await desk.intake.submit(batch(personal("1")))
    (entry,) = await desk.entries()
    async with desk.store.write() as session:
        assert await desk.vault.erase(session.vault, entry.case_event.applicant)
    assert counts(await desk.intake.submit(batch(personal("1")))) == (0, 1, [])


async def test_a_repeat_leaves_nothing_in_the_vault(desk: Any) -> None:
    async def texts() -> int:
        async with desk.store.read() as session:
            return int((await session.transaction.one("SELECT count(*) FROM vault_text"))[0])

    await desk.intake.submit(batch(personal("1")))
    before = await texts()
    await desk.intake.submit(batch(personal("1")))
    assert await texts() == before == 1


async def test_what_this_version_does_not_know_is_not_journalled(desk: Any) -> None:
    smuggled = event("1").event.SerializeToString() + bytes([0xFA, 0x7F, 6]) + "张三".encode()
    request = SubmitRequest(source="dept")
    request.submissions.add(serial="1").event.MergeFromString(smuggled)
    assert "张三".encode() in request.SerializeToString()
    await desk.intake.submit(request)
    async with desk.store.read() as session:
        assert "张三".encode() not in await session.journal.leaf(desk.writer.node, 0)


async def test_a_request_that_is_none_changes_nothing(desk: Any) -> None:
    for request in (
        batch(event("1"), source=""),
        batch(event("1"), source="x" * 101),
        batch(*[event("1")] * (AT_ONCE + 1)),
        batch(event("1"), import_id="never begun"),
    ):
        with pytest.raises(ZonghengError):
            await desk.intake.submit(request)
    assert desk.writer.size == 0


def start(import_id: str = "i1", source: str = "dept", **said: Any) -> StartImportRequest:
    return StartImportRequest(started=ImportStarted(import_id=import_id, rows=4), source=source, **said)


class TestImports:
    async def test_an_import_is_begun_filled_and_finished(self, desk: Any) -> None:
        intake = desk.intake
        begun = await intake.start_import(
            start(items=[Item(code="X", version=1)], agencies=[Agency(code="A01")])
        )
        assert not begun.finished
        await intake.submit(batch(event("1"), event("2", kind="x"), import_id="i1", through_row=2))
        ended = await intake.finish_import(FinishImportRequest(import_id="i1"))
        assert (ended.finished.accepted, ended.finished.rejected) == (1, 1)
        entries = await desk.entries()
        assert [entry.WhichOneof("body") for entry in entries] == [
            "item_published", "agency_published", "import_started", "case_event", "rejected", "import_finished",
        ]  # fmt: skip
        assert entries[1].agency_published.node == desk.writer.node
        assert {entry.import_id for entry in entries[2:]} == {"i1"}

    async def test_a_finished_import_stays_finished(self, desk: Any) -> None:
        await desk.intake.start_import(start())
        await desk.intake.submit(batch(event("1"), import_id="i1", through_row=1))
        first = await desk.intake.finish_import(FinishImportRequest(import_id="i1"))
        size = desk.writer.size
        for intake in (desk.intake, (await desk.reopened()).intake):
            assert (await intake.start_import(start())).finished
            assert await intake.finish_import(FinishImportRequest(import_id="i1")) == first
            with pytest.raises(ZonghengError, match="finished"):
                await intake.submit(batch(event("9"), import_id="i1", after_row=1, through_row=2))
        assert desk.writer.size == size

    async def test_a_cut_off_import_is_taken_up_after_the_last_settled_row(self, desk: Any) -> None:
        await desk.intake.start_import(start())
        for row in range(4):
            await desk.intake.submit(
                batch(event(f"{row}"), import_id="i1", after_row=row, through_row=row + 1)
            )
        other = await desk.reopened()
        begun = await other.intake.start_import(start())
        assert begun.resume_after_row == 3, "what was written with a batch speaks of the batches before it"
        again = await other.intake.submit(
            batch(event("3"), event("4"), import_id="i1", after_row=3, through_row=5)
        )
        assert counts(again) == (1, 1, [])
        ended = await other.intake.finish_import(FinishImportRequest(import_id="i1"))
        assert (ended.finished.accepted, ended.finished.rejected) == (5, 0)
        assert bodies(await other.entries())["case_event"] == 5

    async def test_a_batch_that_overtakes_settles_nothing_before_its_turn(self, desk: Any) -> None:
        await desk.intake.start_import(start())
        await desk.intake.submit(batch(event("2"), import_id="i1", after_row=2, through_row=3))
        await desk.intake.submit(batch(event("3"), import_id="i1", after_row=3, through_row=4))
        with pytest.raises(ZonghengError, match="missing"):
            await desk.intake.finish_import(FinishImportRequest(import_id="i1"))
        assert (await (await desk.reopened()).intake.start_import(start())).resume_after_row == 0
        await desk.intake.submit(batch(event("1"), import_id="i1", after_row=0, through_row=2))
        ended = await desk.intake.finish_import(FinishImportRequest(import_id="i1"))
        assert ended.finished.accepted == 3

    async def test_items_and_agencies_are_published_once(self, desk: Any) -> None:
        news = {"items": [Item(code="X", version=1)], "agencies": [Agency(code="A01")]}
        await desk.intake.start_import(start("i1", **news))
        await desk.intake.start_import(start("i2", "other", **news))
        await desk.intake.start_import(start("i3", items=[Item(code="X", version=2)]))
        assert bodies(await desk.entries()) == {
            "item_published": 2,
            "agency_published": 1,
            "import_started": 3,
        }

    async def test_an_import_belongs_to_its_source(self, desk: Any) -> None:
        await desk.intake.start_import(start())
        with pytest.raises(ZonghengError, match="another source"):
            await desk.intake.start_import(start(source="other"))
        with pytest.raises(ZonghengError, match="another source"):
            await desk.intake.submit(batch(event("1"), source="other", import_id="i1"))

    async def test_an_import_without_row_numbers_counts_too(self, desk: Any) -> None:
        await desk.intake.start_import(start())
        await desk.intake.submit(batch(event("1"), event("2", kind="x"), import_id="i1"))
        await desk.intake.submit(batch(event("3"), import_id="i1"))
        ended = await desk.intake.finish_import(FinishImportRequest(import_id="i1"))
        assert (ended.finished.accepted, ended.finished.rejected) == (2, 1)


async def test_over_grpc_errors_keep_their_code(desk: Any) -> None:
    server = grpc.aio.server()
    add_IntakeServiceServicer_to_server(desk.intake, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            remote = RemoteIntake(IntakeServiceStub(channel))
            assert counts(
                await remote.submit(batch(event("1", attributes=[Attribute(name="role", text="x")])))
            ) == (1, 0, [])
            with pytest.raises(ZonghengError, match="name the source") as error:
                await remote.submit(batch(event("1"), source=""))
            assert error.value.code == "bad_request"
            await remote.start_import(start())
            await remote.finish_import(FinishImportRequest(import_id="i1"))
            with pytest.raises(ZonghengError) as error:
                await remote.finish_import(FinishImportRequest(import_id="i2"))
            assert error.value.code == "not_found"
    finally:
        await server.stop(None)
