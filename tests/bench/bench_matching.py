"""What matching costs a county of 150 towns with 100,000 payees, and a town that computes its tokens.

The towns are journals made beforehand and taken in through the inbox, as the link does it; a hundred payees are paid in two of them. Times are
processor time, so that they say the same on a busy machine.
"""

import asyncio
import resource
import secrets
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from measure import Measured, Workspace, benchmark
from synthetic import END
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import Entry, Genesis
from zongheng.v1.intake_pb2 import Person, Submission, SubmitRequest
from zongheng.v1.matching_pb2 import LinkageTokens, Linked

from federation.journal.checkpoint import Checkpoint, Signer, log_id, sign
from federation.journal.tile import TileBuilder
from node import config
from node.matching.linking import AT_ONCE
from node.matching.tokens import TOKEN_BYTES
from node.run import Node
from node.store.alerts import AlertFilter
from node.store.journal import leaf_hashes

TOWNS: Final = 150
PAYEES: Final = 100_000
TWICE: Final = 100
"""Payees in two towns."""

PAID: Final = 10_000
"""Payments of the one town that computes tokens."""

_COUNTY: Final = "990121"
_NOW: Final = int(END.timestamp() * 1_000_000)


def _town(number: int) -> str:
    return f"{_COUNTY}{101 + number:03d}"


def _leaves(number: int, tokens: list[bytes]) -> Iterator[bytes]:
    """A town's journal: whose it is, and its tokens."""
    for start in range(0, len(tokens), AT_ONCE):
        told = LinkageTokens(issuer=_COUNTY, purpose="payee", number=1)
        for at, token in enumerate(tokens[start : start + AT_ONCE], start):
            told.links.append(
                Linked(
                    index=at, case_id=f"{_town(number)}-{at}", role="person", token=token, group="G/2026",
                    handle=f"p-{number}-{at}", at_us=_NOW, amount=10_000, agency="CZ", actor="S7",
                )
            )  # fmt: skip
        yield Entry(noted_at_us=_NOW, linkage_tokens=told).SerializeToString()


async def _take(node: Node, number: int, tokens: list[bytes]) -> None:
    log = log_id(_town(number), "3f9a2c1d")
    signer = Signer.generate(log)
    genesis = Genesis(
        log_id=log, node=_town(number), tier="town", name=_town(number), verifier=str(signer.verifier),
        zone="Asia/Shanghai", calendar="weekdays",
    )  # fmt: skip
    leaves = [Entry(noted_at_us=_NOW, genesis=genesis).SerializeToString(), *_leaves(number, tokens)]
    tree = TileBuilder()
    tree.extend(leaf_hashes(leaves))
    note = sign(Checkpoint(log, tree.size, tree.root()), signer)
    await node.inbox.accept(_town(number), log, str(signer.verifier), 0, leaves, note)


def _made(folder: Path, tier: str, division: str) -> None:
    config.initialise(
        folder, tier=tier, name=division, division=division, grpc=None, http=None, calendar="weekdays",
        confirm=False, clock_start=datetime.fromtimestamp(_NOW / 1e6, UTC),
    )  # fmt: skip


async def _compared(folder: Path) -> tuple[float, float]:
    """Processor seconds of taking in and comparing everything; milliseconds of a look after which nothing is new."""
    _made(folder, "county", _COUNTY)
    each = PAYEES // TOWNS
    people = [[secrets.token_bytes(TOKEN_BYTES) for _ in range(each)] for _ in range(TOWNS)]
    for number in range(TWICE):
        people[number + 1][0 if number < TOWNS - 2 else 1] = people[number][-1]
    async with Node.opened(folder) as node:
        for number in range(TOWNS):
            await _take(node, number, people[number])
        await node.projector.catch_up()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        await node.matching.look()
        spent = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        async with node.store.read() as session:
            found = await session.alerts.page(_COUNTY, _everything(), 1_000)
        assert len(found) == TWICE, f"{len(found)} found, not {TWICE}"
        print(
            f"matching: {(peak - before) / 1024:.0f} MB more than before it, {peak / 1024:.0f} MB in all",
            file=sys.stderr,
        )
        began = time.process_time()
        for _ in range(10):
            await node.matching.look()
        return spent, (time.process_time() - began) * 100


def _everything() -> AlertFilter:
    return AlertFilter(domain="matching")


async def _linked(folder: Path) -> float:
    """Tokens a second of processor time, of a town that has the key."""
    _made(folder, "town", _town(0))
    async with Node.opened(folder) as node:
        await node.linkage_keys.issue("payee", 0, 40_000, "S1", "bench")
        for start in range(0, PAID, 2_000):
            payments = [_payment(at) for at in range(start, start + 2_000)]
            answer = await node.intake.submit(SubmitRequest(source="bench", submissions=payments))
            assert answer.accepted == 2_000
        await node.projector.catch_up()
        began = time.process_time()
        while True:
            await node.matching.look()
            await node.projector.catch_up()
            async with node.store.read() as session:
                tokens = sum(count for count, _ in (await session.linkage.counts()).values())
            if tokens == PAID:
                return PAID / (time.process_time() - began)


def _payment(at: int) -> Submission:
    digits = f"99012119{50 + at % 40:02d}{1 + at % 12:02d}{1 + at // 12 % 28:02d}{at % 1_000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[sum(int(one) * weight for one, weight in zip(digits, weights, strict=True)) % 11]
    event = CaseEvent(
        case_id=f"b-{at // 100}", domain="funds", kind="payment", at_us=_NOW - 1_000_000, received_at_us=_NOW, agency="CZ",
        actor="S7",
        attributes=[
            Attribute(name="amount", integer=10_000), Attribute(name="programme", text="G"), Attribute(name="period", text="2026"),
        ],
    )  # fmt: skip
    return Submission(serial=str(at), event=event, applicant=Person(name="某", id_number=digits + check))


@benchmark("matching.county", unit="s", aim=60.0, better="lower")
def county(workspace: Workspace) -> Measured:
    """Processor time of reading and comparing 100,000 payees of 150 towns, a hundred of whom are paid twice."""
    return Measured(asyncio.run(_compared(workspace.folder / "county"))[0])


@benchmark("matching.idle", unit="ms", aim=50.0, better="lower")
def idle(workspace: Workspace) -> Measured:
    """Processor time of a look after them when nothing is new; there is one every five seconds."""
    return Measured(asyncio.run(_compared(workspace.folder / "county"))[1])


@benchmark("matching.tokens", unit="tokens/s", better="higher")
def tokens(workspace: Workspace) -> Measured:
    """Tokens that a town computes out of its vault and enters, a second of processor time, its projections included."""
    return Measured(asyncio.run(_linked(workspace.folder / "town")))
