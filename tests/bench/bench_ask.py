"""How long a question to a node's children takes, beside bare gRPC calls over the same hops.

The parent here is the real listener and the real fan-out; its children are light (`children`) and live in one process of their own, each with a
link of its own. The peer asks the same process the same question by one plain unary call a child, each over a TLS connection of its own, in the direction
that no parent has: upward from it everything is dialled. Both read the question and make the answer, five alerts a child. The value is the median;
the 99th percentile is printed.
"""

import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import grpc.aio
from children import BARE, PARENT, bare_channel, box, card, code, now_us, parent_with, settle_memory
from measure import Measured, Workspace, benchmark
from running import free_address
from zongheng.v1.catalogue_pb2 import LEVEL_RED
from zongheng.v1.query_pb2 import AlertQuestion, AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.identity.authority import new_key, private_pem
from federation.journal.checkpoint import Signer, log_id
from federation.link.channel import PARENT_OPTIONS
from federation.link.listener import Listener
from federation.link.memory import MemoryInbox, MemorySink
from federation.query.coverage import Tally
from federation.query.fanout import ask
from federation.query.part import Parts
from tests.certified import Certifying

_PATIENCE_S = 60.0
_DEADLINE_S = 10.0


@asynccontextmanager
async def _parent(address: str, certified: Certifying, count: int) -> AsyncIterator[Listener]:
    signer = Signer.generate(log_id(PARENT, secrets.token_hex(4)))
    own = NodeCard(node=PARENT, tier="county", verifier=str(signer.verifier))
    for number in range(count):
        box(certified, number)
    inbox, sink = MemoryInbox(signer, now_us), MemorySink()
    listener = Listener(lambda: own, certified.gate, inbox, sink, now_us)
    server = grpc.aio.server(options=PARENT_OPTIONS)
    listener.add_to(server)
    certified.credentials.server_port(server, address)
    await server.start()
    try:
        yield listener
    finally:
        await server.stop(None)


@asynccontextmanager
async def _children(count: int, parent: str, bare: str, keys: str, listener: Listener) -> AsyncIterator[None]:
    """The process with the children, from when all of them are connected."""
    program = [sys.executable, str(Path(__file__).with_name("children.py")), str(count), parent, bare, keys]
    paths = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(  # noqa: ASYNC220  # begun before anything is served
        program,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": paths},
    )
    try:
        end = time.monotonic() + _PATIENCE_S
        while not all(listener.is_connected(code(number)) for number in range(count)):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{len(listener.sessions())} of {count} children are connected")
            await asyncio.sleep(0.05)
        await asyncio.sleep(2.0)  # their first reports
        yield
    finally:
        process.communicate()


async def _timed(times: int, work: Callable[[], Awaitable[None]]) -> list[float]:
    """Milliseconds of each time, in order of size; the first tenth is to warm up."""
    taken = []
    for turn in range(times + times // 10):
        began = time.perf_counter()
        await work()
        if turn >= times // 10:
            taken.append((time.perf_counter() - began) * 1_000)
    return sorted(taken)


async def _measured(count: int, times: int) -> Measured:
    keys = "".join(private_pem(new_key()).decode() for _ in range(2))
    certified = parent_with(keys)
    address, bare = free_address(), free_address()
    cards = [card(number) for number in range(count)]
    question = Question(subtree=PARENT, alerts=AlertQuestion(level=LEVEL_RED), limit=100)

    async def here(question: Question, deadline: float) -> Parts:
        yield AnswerPart(node=PARENT)

    async with AsyncExitStack() as closing:
        listener = await closing.enter_async_context(_parent(address, certified, count))
        await closing.enter_async_context(_children(count, address, bare, keys, listener))
        plain = []
        for _ in range(count):
            channel = await closing.enter_async_context(bare_channel(bare, certified))
            await channel.channel_ready()
            plain.append(channel.unary_unary(BARE, response_deserializer=AnswerPart.FromString))

        settle_memory()

        async def through_the_tree() -> None:
            deadline = asyncio.get_running_loop().time() + _DEADLINE_S
            tally = Tally([PARENT, *(one.node for one in cards)])
            async with aclosing(
                ask(question, PARENT, cards, here, listener.ask, lambda *_: None, deadline)
            ) as parts:
                async for one in parts:
                    tally.add(one)
            if not tally.coverage().complete():
                raise RuntimeError(f"not everybody answered: {tally.coverage().unreachable}")

        async def by_plain_calls() -> None:
            answers = await asyncio.gather(
                *(
                    call(Question(subtree=code(number), alerts=question.alerts).SerializeToString())
                    for number, call in enumerate(plain)
                )
            )
            if any(answer.node != code(number) for number, answer in enumerate(answers)):
                raise RuntimeError("a plain call brought another answer")

        ours = await _timed(times, through_the_tree)
        theirs = await _timed(times, by_plain_calls)
    p50, p99 = statistics.median(ours), ours[min(len(ours) - 1, round(len(ours) * 0.99))]
    print(
        f"  {count} children, {times} times: p50 {p50:.2f} ms, p99 {p99:.2f} ms;"
        f" plain calls p50 {statistics.median(theirs):.2f} ms, p99 {theirs[round(len(theirs) * 0.99) - 1]:.2f} ms",
        file=sys.stderr,
    )
    return Measured(p50, f"{count} plain gRPC call{'s' if count > 1 else ''}", statistics.median(theirs))


@benchmark("ask.one", unit="ms", better="lower")
async def one(workspace: Workspace) -> Measured:
    """One child; the aim is less than three times the peer."""
    return await _measured(1, 500)


@benchmark("ask.50", unit="ms", better="lower")
async def fifty(workspace: Workspace) -> Measured:
    """Fifty children."""
    return await _measured(50, 100)


@benchmark("ask.500", unit="ms", aim=500.0, better="lower")
async def five_hundred(workspace: Workspace) -> Measured:
    """Five hundred children."""
    return await _measured(500, 40)
