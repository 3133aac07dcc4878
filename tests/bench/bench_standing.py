"""What looking after 150 children costs a parent: a look when nothing happened, and judging a day of their cases again.

The children are journals made beforehand and taken in through the inbox, as the link does it; their sessions are made up, all connected. Times
are processor time, so that they say the same on a busy machine.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from measure import Measured, Workspace, benchmark
from synthetic import END, EVENTS_A_CASE, as_submission, cases
from zongheng.v1.entry_pb2 import Entry, Genesis, RuleRegistered

from federation.journal.checkpoint import Checkpoint, Signer, log_id, sign
from federation.journal.tile import TileBuilder
from federation.link.session import SessionStatus
from node import config
from node.resupervision.standing import SEARCH_US, StandingLook
from node.run import Node
from node.store.journal import leaf_hashes
from node.supervision.domains.approval.rules import RULES

CHILDREN: Final = 150
CASES: Final = 20
"""Of each child; some 24,000 events in all."""

MORE: Final = 4
"""Further cases of each child, for the day."""

LOOKS: Final = 10

_NOW: Final = int(END.timestamp() * 1_000_000)


class _Child:
    """A town's journal."""

    def __init__(self, number: int) -> None:
        self.node = f"990121{101 + number:03d}"
        log = log_id(self.node, "3f9a2c1d")
        self.signer = Signer.generate(log)
        self.log = log
        self.number = number
        self._tree = TileBuilder()
        self._made = cases(number, CASES + MORE, self.node)
        self._serial = 0

    def begins(self) -> list[bytes]:
        """The first entries: whose it is, and which rules it runs."""
        genesis = Genesis(
            log_id=self.log, node=self.node, tier="town", name=self.node, verifier=str(self.signer.verifier),
            zone="Asia/Shanghai", calendar="weekdays",
        )  # fmt: skip
        entries = [Entry(noted_at_us=_NOW, genesis=genesis)]
        entries += [
            Entry(noted_at_us=_NOW, rule_registered=RuleRegistered(rule=rule.code, version=rule.version))
            for rule in RULES
        ]
        return [entry.SerializeToString() for entry in entries]

    def goes_on(self, count: int) -> list[bytes]:
        """So many further cases."""
        return [self._entry(event) for _ in range(count) for event in next(self._made)]

    def _entry(self, event: object) -> bytes:
        self._serial += 1
        submission = as_submission(event, str(self._serial))  # type: ignore[arg-type]
        entry = Entry(noted_at_us=_NOW, source="bench", serial=submission.serial, case_event=submission.event)
        return entry.SerializeToString()

    def note(self, leaves: list[bytes]) -> str:
        """The signed head after these."""
        self._tree.extend(leaf_hashes(leaves))
        return sign(Checkpoint(self.log, self._tree.size, self._tree.root()), self.signer)


async def _take(node: Node, child: _Child, leaves: list[bytes]) -> None:
    async with node.store.read() as session:
        head = await session.journal.head(child.node)
    first = head.size if head else 0
    await node.inbox.accept(
        child.node, child.log, str(child.signer.verifier), first, leaves, child.note(leaves)
    )


async def _measured(folder: Path) -> tuple[float, float]:
    """Processor seconds of one idle look; of judging again what a day brought, an event."""
    config.initialise(
        folder, tier="county", name="county", division="990121", grpc=None, http=None, calendar="weekdays",
        confirm=False, clock_start=datetime.fromtimestamp(_NOW / 1e6, UTC),
    )  # fmt: skip
    later = [0]
    children = [_Child(number) for number in range(CHILDREN)]
    async with Node.opened(folder) as node:
        for child in children:
            await _take(node, child, [*child.begins(), *child.goes_on(CASES)])
        await node.projector.catch_up()

        def sessions() -> Iterator[SessionStatus]:
            for child in children:
                yield SessionStatus(child.node, "s" * 16, _NOW, node.now(), 0, "", 0)

        look = StandingLook(
            node.store, node.contexts, node.raising, node.tree, "county", lambda: list(sessions()), lambda: True,
            lambda: node.now() + later[0],
        )  # fmt: skip
        for _ in range(3):
            await look.look()
        began = time.process_time()
        for _ in range(LOOKS):
            await look.look()
        idle = (time.process_time() - began) / LOOKS
        for child in children:
            await _take(node, child, child.goes_on(MORE))
        await node.projector.catch_up()
        later[0] += SEARCH_US
        began = time.process_time()
        for _ in range(3):
            await look.look()
        day = max(1e-9, time.process_time() - began - 3 * idle)
    return idle, day / (CHILDREN * MORE * EVENTS_A_CASE)


@benchmark("standing.idle", unit="ms", aim=100.0, better="lower")
def idle(workspace: Workspace) -> Measured:
    """Processor time of one look after 150 children of which nothing is new; there is one every ten seconds."""
    return Measured(asyncio.run(_measured(workspace.folder / "county"))[0] * 1_000)


@benchmark("standing.event", unit="ms", better="lower")
def event(workspace: Workspace) -> Measured:
    """Processor time, for each event that children brought, of reading it again and judging its case for what is missing."""
    return Measured(asyncio.run(_measured(workspace.folder / "county"))[1] * 1_000)
