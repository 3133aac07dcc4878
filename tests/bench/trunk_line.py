"""A hundred streams from a village's worker to a city's, over a town and a county: how late they come, and what the two in between spend. With `--down` one stream goes the other way.

Each of the four is a process with the trunk's own hubs, tickets and TLS; frames are made, not encoded, since nothing on the way looks into them. Run by
itself it prints what it found as JSON. The processes are forked before any of them has loaded a connection.
"""

import asyncio
import hashlib
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.certified import Certifying

DOWN = "--down" in sys.argv
STREAMS = 1 if DOWN else 100
PER_S = 25
UNIT = 7_500
"""Bytes a frame: 1.5 Mb/s."""
KEYFRAME_EVERY = 50
WARM_S, MEASURED_S = 5.0, 15.0
TIERS = (("city", "9901"), ("county", "990121"), ("town", "990121101"), ("village", "990121101001"))


def names() -> list[str]:
    return [f"{TIERS[0 if DOWN else -1][1]}/c{number}/main" for number in range(STREAMS)]


def ticket(stream: str) -> bytes:
    return hashlib.sha256(stream.encode()).digest()[:24]


def node(role: int, chain: list[Certifying], above: Connection | None, below: Connection | None) -> None:
    """One process: `above` is told nothing and gives the parent's port, `below` is given the own."""
    asyncio.run(_node(role, chain, above, below))


async def _node(
    role: int, chain: list[Certifying], above: Connection | None, below: Connection | None
) -> None:
    import grpc.aio

    from federation.identity.authority import fingerprint
    from federation.trunk.bundle import Outgoing
    from federation.trunk.carry import DIAL_OPTIONS, Carrier, Fetcher
    from federation.trunk.hub import Hub
    from federation.trunk.trunk import LISTEN_OPTIONS, Trunk
    from node.settling import STREAMING, settle_memory

    me = chain[role]
    hubs = [Hub(name, time.monotonic_ns) for name in names()]
    late: list[int] = []
    first, last = (0, len(TIERS) - 1) if DOWN else (len(TIERS) - 1, 0)
    if role == last:
        for hub in hubs:
            hub.join(lambda frame: late.append(time.time_ns() - frame.captured_ns))
    server = grpc.aio.server(options=LISTEN_OPTIONS)
    if below is not None:
        trunk = Trunk(lambda: me.authority.anchors, time.monotonic_ns)
        trunk.add_to(server)
        port = me.credentials.server_port(server, "127.0.0.1:0")
        await server.start()
        key = fingerprint(chain[role + 1].tls_key.public_key())
        for hub in hubs:
            (trunk.going if DOWN else trunk.coming).expect(hub, ticket(hub.stream), key)
        below.send(port)
    async with asyncio.TaskGroup() as tasks:
        running: list[asyncio.Task[Any]] = []
        channel = None
        if above is not None:
            address = f"127.0.0.1:{await asyncio.to_thread(above.recv)}"
            channel = me.credentials.channel(address, DIAL_OPTIONS)
            bundle = Outgoing(channel)
            running.append(tasks.create_task(bundle.run()))

            def passing(hub: Hub) -> Coroutine[Any, Any, Any]:
                shown = ticket(hub.stream)
                if DOWN:
                    return Fetcher(hub, shown, time.monotonic_ns).run(channel)
                return Carrier(hub, shown, time.monotonic_ns).run_over(bundle.open())

            running += [tasks.create_task(_until_gone(passing(hub))) for hub in hubs]
        if role == first:
            running.append(tasks.create_task(_film([hub.put for hub in hubs])))
        await asyncio.sleep(WARM_S)
        settle_memory(STREAMING)
        late.clear()
        began, (spent, waited) = time.monotonic(), _spent()
        await asyncio.sleep(MEASURED_S)
        now_spent, now_waited = _spent()
        spent, waited = now_spent - spent, now_waited - waited
        found: dict[str, Any] = {"node": me.node, "cores": spent / (time.monotonic() - began)}
        found["share"] = spent / (spent + waited)
        if role == last:
            late.sort()
            found |= {"frames": len(late), "p50_ms": late[len(late) // 2] / 1e6}
            found |= {
                "p95_ms": late[int(len(late) * 0.95)] / 1e6,
                "p99_ms": late[int(len(late) * 0.99)] / 1e6,
            }
        print(json.dumps(found), flush=True)
        await asyncio.sleep(2.0)  # the others measure too
        for task in running:
            task.cancel()
        if channel is not None:
            await channel.close(None)
    await server.stop(None)


async def _until_gone(passing: Coroutine[Any, Any, Any]) -> None:
    """The parent may be done first; a stream that fails before is missed in what is measured."""
    from federation.errors import ZonghengError

    with suppress(ZonghengError):
        await passing


def _spent() -> tuple[float, float]:
    """Seconds of processor time that this process had, and seconds in which it could have used it and did not get it."""
    had = waited = 0
    for thread in Path("/proc/self/task").iterdir():
        of_thread = (thread / "schedstat").read_text().split()
        had, waited = had + int(of_thread[0]), waited + int(of_thread[1])
    return had / 1e9, waited / 1e9


async def _film(puts: list[Callable[[Any], None]]) -> None:
    """Every camera at its own moment, as real ones are."""
    from federation.trunk.frame import VIDEO, Codec, Frame

    unit = bytes(UNIT)
    began, seq = time.monotonic(), [0] * len(puts)
    while True:
        now = time.monotonic() - began
        for number, put in enumerate(puts):
            while seq[number] < (now - number / len(puts) / PER_S) * PER_S:
                keyframe = seq[number] % KEYFRAME_EVERY == 0
                pts = seq[number] * 90_000 // PER_S
                put(Frame(VIDEO, seq[number], pts, time.time_ns(), keyframe, Codec.H264, unit))
                seq[number] += 1
        await asyncio.sleep(0.005)


def main() -> None:
    chain = [Certifying(*TIERS[0])]
    for tier, code in TIERS[1:]:
        chain.append(chain[-1].child(tier, code))
    context = multiprocessing.get_context("fork")
    pipes = [context.Pipe(duplex=False) for _ in TIERS[1:]]
    processes = []
    for role in range(len(TIERS)):
        above = pipes[role - 1][0] if role else None
        below = pipes[role][1] if role < len(pipes) else None
        processes.append(context.Process(target=node, args=(role, chain, above, below)))
    for process in processes:
        process.start()
    for process in processes:
        process.join(WARM_S + MEASURED_S + 120)
        if process.exitcode != 0:
            raise SystemExit(f"a process of the line ended with {process.exitcode}")


if __name__ == "__main__":
    main()
