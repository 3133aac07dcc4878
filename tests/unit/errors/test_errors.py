"""Every code keeps its meaning over gRPC and HTTP."""

import re
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.link_pb2_grpc import LinkServiceServicer, LinkServiceStub, add_LinkServiceServicer_to_server

from federation.errors import CATALOGUE, CODE_KEY, ZonghengError, abort, from_rpc, of, problem
from federation.journal.checkpoint import CheckpointError


class Refusing(LinkServiceServicer):
    error: BaseException

    async def Report(self, request_iterator: object, context: object) -> wire.ReportResponse:
        await abort(context, self.error)  # type: ignore[arg-type]


@pytest.fixture
async def refusing() -> AsyncIterator[tuple[Refusing, LinkServiceStub]]:
    server = grpc.aio.server()
    servicer = Refusing()
    add_LinkServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield servicer, LinkServiceStub(channel)
    await server.stop(None)


async def refusal(stub: LinkServiceStub) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Report(iter([]))
    return refused.value


async def test_every_code_crosses_the_wire_with_its_status_and_words(
    refusing: tuple[Refusing, LinkServiceStub],
) -> None:
    servicer, stub = refusing
    for code, fault in CATALOGUE.items():
        servicer.error = ZonghengError(code, f"关于 {code}", retry_after_ms=1_500)
        error = await refusal(stub)
        assert error.code() is fault.status
        told = from_rpc(error)
        assert (told.code, told.detail, told.retry_after_ms) == (code, f"关于 {code}", 1_500)


async def test_a_very_long_detail_still_arrives_as_this_error(
    refusing: tuple[Refusing, LinkServiceStub],
) -> None:
    servicer, stub = refusing
    servicer.error = ZonghengError("gap", "x" * 100_000)
    assert from_rpc(await refusal(stub)).code == "gap"


async def test_what_is_foreign_keeps_its_text_to_itself(refusing: tuple[Refusing, LinkServiceStub]) -> None:
    servicer, stub = refusing
    servicer.error = RuntimeError("/var/lib/secret")
    error = await refusal(stub)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in (error.details() or "")


def rpc_error(status: grpc.StatusCode, **metadata: str) -> grpc.aio.AioRpcError:
    trailing = grpc.aio.Metadata(*((key.replace("_", "-"), value) for key, value in metadata.items()))
    return grpc.aio.AioRpcError(status, grpc.aio.Metadata(), trailing, "words")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (grpc.StatusCode.UNAVAILABLE, "unreachable"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "deadline"),
        (grpc.StatusCode.CANCELLED, "unreachable"),
        (grpc.StatusCode.UNIMPLEMENTED, "protocol"),
    ],
)
def test_a_bare_status_is_read_as_the_nearest_code(status: grpc.StatusCode, code: str) -> None:
    assert from_rpc(rpc_error(status)).code == code


def test_a_code_of_a_later_version_falls_back_to_its_status() -> None:
    assert from_rpc(rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, zongheng_code="not-yet")).code == "deadline"


@pytest.mark.parametrize("hostile", ["-1", "9" * 40, "soon", "²"])
def test_a_hostile_retry_time_is_bounded(hostile: str) -> None:
    error = from_rpc(rpc_error(grpc.StatusCode.UNAVAILABLE, zongheng_retry_after_ms=hostile))
    assert 0 <= error.retry_after_ms <= 86_400_000


def test_problem_details_are_those_of_rfc_9457_in_either_language() -> None:
    error = ZonghengError("unknown_node", "there is no 990109")
    assert problem(error, "zh", "/ask") == {
        "type": "urn:zongheng:problem:unknown_node",
        "title": "没有此节点",
        "status": 404,
        "detail": "there is no 990109",
        "code": "unknown_node",
        "instance": "/ask",
    }
    assert problem(error, "en")["title"] == "There is no such node here"


def test_codes_of_other_parts_are_read() -> None:
    assert of(CheckpointError("bad")).code == "bad_signature"


def test_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        ZonghengError("no_such_code")


def test_the_catalogue_is_in_order() -> None:
    for code, fault in CATALOGUE.items():
        assert code == fault.code
        assert re.fullmatch(r"[a-z_]+", code)
        assert 400 <= fault.http < 600
        assert fault.status is not grpc.StatusCode.OK
        assert re.search(r"[一-鿿]", fault.zh)
        assert fault.en.isascii()
    assert CODE_KEY.lower() == CODE_KEY
