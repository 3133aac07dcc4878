"""How an import reaches intake: over gRPC at a running node, or in this process at a stopped one."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol, TypeVar

import grpc.aio
from zongheng.v1.intake_pb2 import (
    FinishImportRequest,
    FinishImportResponse,
    StartImportRequest,
    StartImportResponse,
    SubmitRequest,
    SubmitResponse,
)

from federation.errors import from_rpc

if TYPE_CHECKING:
    # Exists for type checkers only.
    from zongheng.v1.intake_pb2_grpc import IntakeServiceAsyncStub

Answer = TypeVar("Answer")


class IntakePort(Protocol):
    """Intake as an import sees it. Methods raise ZonghengError; ``node.intake.service.Intake`` is one."""

    async def start_import(self, request: StartImportRequest) -> StartImportResponse: ...

    async def submit(self, request: SubmitRequest) -> SubmitResponse: ...

    async def finish_import(self, request: FinishImportRequest) -> FinishImportResponse: ...


class RemoteIntake:
    """Intake over gRPC: wraps a stub on a grpc.aio channel."""

    def __init__(self, stub: "IntakeServiceAsyncStub") -> None:
        self._stub = stub

    async def start_import(self, request: StartImportRequest) -> StartImportResponse:
        """Raises ZonghengError."""
        return await _called(self._stub.StartImport(request))

    async def submit(self, request: SubmitRequest) -> SubmitResponse:
        """Raises ZonghengError."""
        return await _called(self._stub.Submit(request))

    async def finish_import(self, request: FinishImportRequest) -> FinishImportResponse:
        """Raises ZonghengError."""
        return await _called(self._stub.FinishImport(request))


async def _called(call: Awaitable[Answer]) -> Answer:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc(error) from error
