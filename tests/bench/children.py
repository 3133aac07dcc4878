"""Many light children in one process: the real dialler and real gRPC, with journals in memory and answers made up beforehand.

Run as ``python children.py COUNT PARENT BARE KEYS``: dials PARENT once for each child, and serves at BARE the plain call that a question is held
against. KEYS are the parent's CA key and one TLS key for all children, PEM: both processes certify the same. Ends when its standard input is closed.
"""

import asyncio
import gc
import random
import secrets
import sys
import time
from typing import Final

import grpc.aio
from zongheng.v1.query_pb2 import AlertRow, AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.identity.authority import private_from_pem
from federation.journal.checkpoint import Signer, log_id
from federation.link.channel import CHILD_OPTIONS, PARENT_OPTIONS
from federation.link.dialler import ChildPorts, Dialler
from federation.link.memory import (
    MemoryAnswerer,
    MemoryBackoffStore,
    MemoryJournal,
    MemoryOperator,
    MemoryReporter,
)
from federation.query.part import Parts
from tests.certified import Certifying

PARENT: Final = "990121"
BARE: Final = "/bench.Bare/Ask"
ROWS: Final = 5

_BEGIN: Final = "-----BEGIN PRIVATE KEY-----"


def now_us() -> int:
    return time.time_ns() // 1_000


def code(number: int) -> str:
    """Of child number 0, 1, …"""
    return f"{PARENT}{101 + number:03d}"


def card(number: int) -> NodeCard:
    """What a child says of itself."""
    return NodeCard(node=code(number), tier="town", name=f"town {number}", parent=PARENT)


def part(node: str) -> AnswerPart:
    """A child's answer: some alerts, as a town has them."""
    rows = [
        AlertRow(
            alert_id=f"{node}-{row:06d}", case_id=f"{node}-2026{row:08d}", subject="statutory", rule="approval.statutory",
            level=3, state=2, since_us=1_767_225_600_000_000, due_at_us=1_767_225_600_000_000, raised_at_us=now_us(),
            agency="agency07", item="item14", actor="A0042", index=1_000 + row, over=row, domain="approval",
        )
        for row in range(ROWS)
    ]  # fmt: skip
    return AnswerPart(node=node, journal_size=120_000, alerts=rows)


def parent_with(keys: str) -> Certifying:
    """The parent that has these keys."""
    authority, tls = (f"{_BEGIN}{part}".encode() for part in keys.split(_BEGIN)[1:])
    return Certifying(
        "county", PARENT, tls_key=private_from_pem(tls), authority_key=private_from_pem(authority)
    )


def box(parent: Certifying, number: int) -> Certifying:
    """A child's keys and certificates; the parent lets it in."""
    child = Certifying("town", code(number), tls_key=parent.tls_key)
    parent.adopt(child)
    return child


def _dialler(address: str, number: int, certified: Certifying) -> Dialler:
    node = code(number)

    async def answer(question: Question, deadline: float) -> Parts:
        yield part(node)

    journal = MemoryJournal(Signer.generate(log_id(node, secrets.token_hex(4))))
    own = card(number)
    ports = ChildPorts(
        lambda: own,
        list,
        journal,
        MemoryReporter(own),
        MemoryAnswerer(answer),
        MemoryOperator(),
        MemoryBackoffStore(),
    )
    credentials = box(certified, number).credentials
    return Dialler(address, credentials, ports, now_us, random.random)


async def _bare(request: bytes, context: object) -> bytes:
    """The same work without the tree: read the question, make the answer."""
    return part(Question.FromString(request).subtree).SerializeToString()


async def main(count: int, parent: str, bare: str, keys: str) -> None:
    certified = parent_with(keys)
    server = grpc.aio.server(options=PARENT_OPTIONS)
    handler = grpc.unary_unary_rpc_method_handler(_bare)
    service, method = BARE.strip("/").split("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    certified.credentials.server_port(server, bare)
    await server.start()
    diallers = [_dialler(parent, number, certified) for number in range(count)]
    settle_memory()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(dialler.run()) for dialler in diallers]
        await asyncio.to_thread(sys.stdin.read)
        for task in running:
            task.cancel()
    await server.stop(None)


def settle_memory() -> None:
    """Collect garbage as a running node does: what is loaded stays, and short-lived objects are looked through less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def bare_channel(address: str, certified: Certifying) -> grpc.aio.Channel:
    """A connection of its own to the plain call, with the link's options."""
    return box(certified, 0).credentials.channel(address, CHILD_OPTIONS)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]))
