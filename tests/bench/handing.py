"""Hands events in at a running node as fast as it takes them: batches over its intake socket, some in flight at once."""

import asyncio
import time
from itertools import chain, islice
from typing import Final

import grpc.aio
from running import Made
from synthetic import EVENTS_A_CASE, as_submission, cases
from zongheng.v1.intake_pb2 import SubmitRequest, SubmitResponse

from node import control

BATCH: Final = 2_000
"""Events in one request."""

_IN_FLIGHT: Final = 4
_SUBMIT: Final = "/zongheng.v1.IntakeService/Submit"


def batches(seed: int, events: int) -> list[bytes]:
    """Whole requests as bytes: what a sender's own work costs is not measured."""
    stream = chain.from_iterable(cases(seed, events // EVENTS_A_CASE))
    made = []
    for number in range(events // BATCH):
        submissions = [
            as_submission(event, f"{seed}-{number}-{place}")
            for place, event in enumerate(islice(stream, BATCH))
        ]
        made.append(SubmitRequest(source="bench", submissions=submissions).SerializeToString())
    return made


async def send(made: Made, requests: list[bytes]) -> tuple[float, list[int]]:
    """Seconds until every batch was answered, and the journal's sizes that the answers named."""
    waiting = iter(requests)
    sizes: list[int] = []
    with control.short_path(made.folder, control.INTAKE) as path:
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            submit = channel.unary_unary(_SUBMIT, response_deserializer=SubmitResponse.FromString)

            async def sender() -> None:
                for batch in waiting:
                    answer = await submit(batch)
                    if answer.accepted != BATCH:
                        raise RuntimeError(f"{BATCH} events were sent and {answer.accepted} accepted")
                    sizes.append(answer.journal_size)

            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(_IN_FLIGHT):
                    group.create_task(sender())
            return time.perf_counter() - began, sizes
