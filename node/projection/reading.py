"""The first stage: leaves become event, catalogue and alert rows, and the cursor ``events`` moves on with them in one transaction.

What a child's journal holds for the tiers above is entered here first (`Forwarding`), so that it has risen before its rows are there.
"""

import structlog

from node.files.carrying import Carrying
from node.holding import OwnHolding
from node.mending.noted import Witness
from node.mending.renewed import learn
from node.projection.context import Contexts, zone_of
from node.projection.entries import read
from node.projection.forwarding import Forwarding
from node.projection.owed import Owing
from node.projection.progress import REBUILDING, Pace, Progress
from node.store.catalogue import Published
from node.store.rows import Head
from node.store.store import Store

log = structlog.get_logger()


class Reader:
    """Reads the journals of one node."""

    def __init__(
        self,
        store: Store,
        own: str,
        contexts: Contexts,
        forwarding: Forwarding,
        carrying: Carrying,
        witness: Witness,
        holding: OwnHolding,
        owing: Owing,
        progress: Progress,
        pace: Pace,
    ) -> None:
        self._store = store
        self._own = own
        self._contexts = contexts
        self._forwarding = forwarding
        self._carrying = carrying
        self._witness = witness
        self._holding = holding
        self._owing = owing
        self._progress = progress
        self._pace = pace

    async def read(self, head: Head) -> bool:
        """Read what comes next in this journal, up to its head at most; false: there is nothing."""
        origin = head.origin
        owed = await self._owing.of(origin)
        async with self._store.read() as session:
            position = (await session.cursors.get("events", origin)).position
            top = min(head.size, position + self._pace.read_chunk)
            if origin != self._own:
                # The fold has to stop where a report was made.
                reported = (await session.cursors.get("reported", origin)).position
                top = reported if position < reported < top else top
            if position >= top:
                return False
            leaves = await session.journal.leaves(origin, position, top)
            zone = await zone_of(session, origin)
        reading = read(origin, position, leaves, own=origin == self._own, zone=zone)
        if origin != self._own:
            await self._forwarding.forward(origin, reading)
            await self._witness.check(origin, reading.heads)
        rebuilt = False
        async with self._store.write() as session:
            await session.events.insert(reading.events)
            await session.catalogue.put(
                [
                    Published(origin, piece.kind, piece.code, piece.version, piece.idx, piece.body)
                    for piece in reading.catalogue
                ]
            )
            await session.access.put(reading.access)
            await session.receipts.put(reading.receipts)
            await session.arrivals.put(reading.arrivals)
            await session.steps.put(reading.steps)
            await session.accountability.put_alerts(reading.department_alerts)
            await session.accountability.put_steps(reading.accountability)
            await session.scores.put(reading.scores)
            await session.item_steps.put(reading.item_steps)
            await session.patrols.put(reading.patrols)
            await session.alerts.insert(reading.alerts)
            await self._carrying.write(session, reading.carried)
            for by, node, log_id in reading.renewals:
                await learn(session, by, node, log_id)
            # The append itself moves own alerts; only a rebuild has to say it again, and must not do so at any other time: an
            # alert that has moved on since would fall back.
            if origin != self._own or self._progress.rebuilding:
                await session.alerts.set_states(origin, reading.moves)
            if origin == self._own and self._progress.rebuilding:
                # What was appended since the pass began moved alerts that may not have been back yet.
                newest = await session.journal.head(origin)
                rebuilt = newest is not None and reading.hi >= newest.size
                if rebuilt:
                    await session.links.delete(REBUILDING)
            said = await self._holding.keep(session, reading) if origin == self._own else None
            await session.cursors.set("events", origin, reading.hi)
        self._carrying.written(reading.carried)
        if rebuilt:
            self._progress.rebuilding = False
        if said is not None:
            self._holding.told(said)
            self._progress.read_to = reading.hi
        self._progress.parked += len(reading.parked)
        for idx in reading.parked:
            log.warning(
                "projection.parked",
                origin=origin,
                index=idx,
                instruction="upgrade, then run zongheng rebuild",
            )
        if reading.catalogue:
            self._contexts.forget(origin)
        await self._owing.add(owed, reading)
        return True
