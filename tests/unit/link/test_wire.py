"""What an earlier version said on the wire is read, and a child that still speaks so, or already speaks otherwise, is answered sensibly."""

import json
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf import symbol_database
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.link_pb2_grpc import LinkServiceStub
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import from_rpc
from federation.link.hello import PROTOCOL
from federation.link.memory import MemoryJournal
from tests.fixtures import record
from tests.unit.link.units import TOWN, VILLAGE, Child, Parent, entries, eventually, hello_of

RECORDED = [path for path in sorted(record.FOLDER.glob("messages-*.jsonl"))]
TALKS = sorted(record.FOLDER.glob("talk-*.jsonl"))
CHANGED = (
    "a field was changed or taken away. If nobody runs what was recorded, record it again: "
    "python -m tests.fixtures.record --again; else give the field back its number and type"
)
UNKNOWN = b"\xfa\x7c\x03new"
"""Field 1999, bytes: of a version that is to come."""


def lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def read(name: str, said: bytes) -> Message:
    kind = symbol_database.Default().pool.FindMessageTypeByName(name)
    message: Message = GetMessageClass(kind)()
    message.ParseFromString(said)
    return message


def unknown(message: Message) -> list[str]:
    """Where a message holds what this version has no name for."""
    found = [message.DESCRIPTOR.name] if len(UnknownFieldSet(message)) else []
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for part in value if field.is_repeated else [value]:
            found += unknown(part)
    return found


def test_this_versions_own_files_are_there() -> None:
    assert (record.FOLDER / record.MESSAGES) in RECORDED
    assert (record.FOLDER / record.TALK) in TALKS


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.name)
def test_every_message_that_was_ever_said_is_read_to_the_last_field(file: Path) -> None:
    said = lines(file)
    for line in said:
        message = read(line["message"], bytes.fromhex(line["hex"]))
        words = f"{line['rpc']} {line['choice']}: {CHANGED}"
        assert unknown(message) == [], words
        # Nothing was lost or read as something else.
        assert message.SerializeToString(deterministic=True).hex() == line["hex"], words
        if line["choice"]:
            assert message.HasField(line["choice"]), words  # type: ignore[arg-type]


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.name)
def test_every_call_there_was_is_there_still(file: Path) -> None:
    here = {f"{service.name}/{method.name}" for service in record.SERVICES for method in service.methods}
    assert {line["rpc"] for line in lines(file)} - {"journal"} <= here


def test_a_message_of_a_later_version_is_read_and_what_is_new_in_it_passes_unharmed() -> None:
    for line in lines(record.FOLDER / record.MESSAGES):
        later = bytes.fromhex(line["hex"]) + UNKNOWN
        message = read(line["message"], later)
        assert message.SerializeToString(deterministic=True) == later, line["rpc"]


def raw(channel: grpc.aio.Channel, method: str) -> Any:
    """A call of bytes: what is written is what was recorded."""
    return channel.stream_stream(f"/zongheng.v1.LinkService/{method}")()


@pytest.mark.parametrize("file", TALKS, ids=lambda file: file.name)
@pytest.mark.parametrize("added", [b"", UNKNOWN], ids=["as it was", "with what is to come"])
async def test_a_child_that_speaks_as_recorded_is_served(parent: Parent, file: Path, added: bytes) -> None:
    talk = lines(file)

    def said(method: str, side: str = "request") -> list[bytes]:
        return [
            bytes.fromhex(line["hex"])
            for line in talk
            if (line["rpc"], line["side"]) == (f"LinkService/{method}", side)
        ]

    async with parent.channel() as channel:
        link = raw(channel, "Link")
        hello, *frames = said("Link")
        await link.write(hello + added)
        welcome = wire.LinkResponse.FromString(await link.read()).welcome
        assert welcome.verdict == wire.VERDICT_PUSH
        await link.write(frames[0] + added)
        push = raw(channel, "Push")
        for batch, answer in zip(said("Push"), said("Push", "response"), strict=True):
            await push.write(batch + added)
            acknowledged = wire.PushResponse.FromString(await push.read())
            assert acknowledged.size == wire.PushResponse.FromString(answer).size
        report = channel.stream_unary("/zongheng.v1.LinkService/Report")()
        for piece in said("Report"):
            await report.write(piece + added)
        await report.done_writing()
        assert wire.ReportResponse.FromString(await report).rows == 1
        await link.write(frames[-1] + added)
        while (frame := await link.read()) is not grpc.aio.EOF:
            wire.LinkResponse.FromString(frame)
        for call in (link, push, report):
            call.cancel()
    assert parent.entries_of(VILLAGE) == entries(30)
    assert [row.figures for row in parent.sink.stored.values()] == [{"received": 3, "completed": 2}]


async def test_a_hello_without_what_was_added_since_is_welcomed(parent: Parent) -> None:
    journal = MemoryJournal(record.signer())
    await journal.append(entries(3))
    full = await hello_of(journal, "s" * 16)
    head = full.card
    bare = wire.Hello(
        card=NodeCard(node=head.node, log_id=head.log_id, verifier=head.verifier, checkpoint=head.checkpoint),
        size=full.size,
        root=full.root,
        session=full.session,
        protocol=PROTOCOL,
    )
    async with parent.channel() as channel:
        link = raw(channel, "Link")
        await link.write(wire.LinkRequest(hello=bare).SerializeToString())
        assert wire.LinkResponse.FromString(await link.read()).welcome.verdict == wire.VERDICT_PUSH
        # A frame that nobody knows yet is passed over, or answered with a goodbye that says why; it breaks nothing.
        await link.write(UNKNOWN)
        while (frame := await link.read()) is not grpc.aio.EOF:
            said = wire.LinkResponse.FromString(frame)
            if said.WhichOneof("frame") == "goodbye":
                assert said.goodbye.code == "protocol"
        link.cancel()


@pytest.mark.parametrize(
    ("number", "words"),
    [(PROTOCOL + 1, "upgrade this parent first"), (PROTOCOL - 1, "upgrade the child")],
)
async def test_a_peer_of_another_protocol_is_told_who_has_to_be_upgraded(
    parent: Parent, number: int, words: str
) -> None:
    journal = MemoryJournal(record.signer())
    hello = await hello_of(journal, "s" * 16)
    hello.protocol = number
    async with parent.channel() as channel:
        stub: Any = LinkServiceStub(channel)
        link = stub.Link()
        await link.write(wire.LinkRequest(hello=hello))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await link.read()
        link.cancel()
    told = from_rpc(refused.value)
    assert told.code == "protocol"
    assert words in told.detail
    assert f"protocol {PROTOCOL}" in told.detail


async def test_a_child_of_another_protocol_tells_its_operator_why_it_is_not_linked(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.link.dialler.PROTOCOL", PROTOCOL + 1)
    async with Child(parent).running() as child:
        await eventually(lambda: bool(child.operator.told))
        code, words = child.operator.told[0]
        assert code == "protocol"
        assert "upgrade this parent first" in words
        assert TOWN in words
