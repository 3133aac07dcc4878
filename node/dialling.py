"""The link to the parent, for as long as the node runs: dialled as soon as there is a parent, and again with each change of the membership.

What a dialler does when the parent is away, slow or of another opinion is `federation.link.dialler`'s; here is only which parent, with which
certificates, and what an operator is told about it.
"""

import asyncio
import random
from collections.abc import Callable

from federation.identity.credentials import MutualTls
from federation.link.backoff import BackoffPolicy
from federation.link.dialler import ChildPorts, Dialler
from federation.link.handshake import Decision
from node.config import NodeSettings
from node.keyring import KeyRing
from node.lane_down import FromAbove
from node.store.writer import JournalWriter
from node.uplink import OperatorDesk
from node.wallclock import Now


class ParentLink:
    """Dials one node's parent."""

    def __init__(
        self,
        settings: NodeSettings,
        keyring: KeyRing,
        writer: JournalWriter,
        desk: OperatorDesk,
        from_above: FromAbove,
        ports: Callable[[], ChildPorts],
        now: Now,
    ) -> None:
        """``ports`` makes what a dialler needs of the node, anew for each membership."""
        self._settings = settings
        self._keyring = keyring
        self._writer = writer
        self._desk = desk
        self._from_above = from_above
        self._ports = ports
        self._now = now
        self._dialler: Dialler | None = None
        self._changed = asyncio.Event()
        self._leaving = False

    async def run(self) -> None:
        """Keep the parent dialled until `leave`."""
        credentials = MutualTls(lambda: self._keyring.identity)
        rests = BackoffPolicy(cap_ms=round(self._settings.longest_rest_s * 1_000))
        while not self._leaving:
            self._changed.clear()
            if self._settings.parent is None:
                await self._changed.wait()
            else:
                self._dialler = Dialler(
                    self._settings.parent, credentials, self._ports(), self._now, random.random, rests
                )
                await self._dialler.run()

    def redial(self) -> None:
        """There is a parent now, or new certificates to dial it with."""
        self._changed.set()
        if self._dialler is not None:
            self._dialler.stop()

    def leave(self) -> None:
        """Say goodbye to the parent, and dial nobody any more."""
        self._leaving = True
        self.redial()

    @property
    def state(self) -> str:
        """none, connecting, linked, backing_off, quarantined, behind, stopped."""
        if self._settings.parent is None:
            return "none"
        if self._dialler is None:
            return "stopped"
        state = self._dialler.status.state
        if state == "sealed":
            behind = self._desk.sealed in (Decision.PULL_BACK, Decision.MEND)
            return "behind" if behind else "quarantined"
        return {"up": "linked", "dialling": "connecting", "resting": "backing_off"}.get(state, "stopped")

    @property
    def clock_offset_ms(self) -> int | None:
        """The parent's clock minus this node's, as last heard; None: never heard since the start."""
        return None if self._dialler is None else self._dialler.status.clock_offset_ms

    @property
    def code(self) -> str:
        """Catalogue code of what the instruction is about; empty: there is none."""
        if self._desk.instruction or not self._writer.sealed:
            return self._desk.code or self._from_above.code
        return "sealed"

    @property
    def instruction(self) -> str:
        """What an operator should do about the link or the seal; empty: nothing."""
        sealed = self._writer.sealed
        if self._desk.instruction or not sealed:
            return self._desk.instruction or self._from_above.instruction
        if self._settings.parent is None:
            return f"sealed: {sealed}. Compare it with the backup, then run zongheng unseal DIR --by NAME --reason …"
        return f"sealed: {sealed}. It opens by itself once the parent is reached and both agree"
