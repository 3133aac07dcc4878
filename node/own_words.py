"""What a node says of itself: who it is, which rules its program brings, who looked at what.

Each is entered once, by the guard of its serial. While the journal is sealed nothing is said but who looked at what, and that waits on disk
until the seal is off: `run` enters it then, and at a start once the parent was asked whether this journal is where it should be.
"""

import asyncio
import secrets
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from zongheng.v1.entry_pb2 import Entry, Genesis

from node.config import NodeSettings
from node.first_policy import first_policy
from node.mending.telling import Telling
from node.store.drafts import Draft
from node.store.store import Store
from node.store.writer import JournalWriter
from node.wallclock import Now
from tiers.profile import profile_of
from tiers.tier import tier_named

_RULES_OF: Final = "rules.of_program"


class OwnWords:
    """Enters what one node says of itself."""

    def __init__(
        self, settings: NodeSettings, store: Store, writer: JournalWriter, telling: Telling, now: Now
    ) -> None:
        self._settings = settings
        self._store = store
        self._writer = writer
        self._telling = telling
        self._now = now
        self._opened = asyncio.Event()
        self._opened.set()

    async def say(self, entries: Sequence[Entry]) -> list[int]:
        """Append the node's own words; returns their indexes. ``noted_at_us`` is filled in.

        While the journal is sealed, who looked at what waits, and is entered when the seal is off; nothing else may be said then.
        """
        for entry in entries:
            entry.noted_at_us = self._now()
        if self._writer.sealed and all(entry.HasField("access_noted") for entry in entries):
            for entry in entries:
                await self._telling.tell(f"access/{secrets.token_hex(8)}", entry)
            return []
        appended = await self._writer.append([Draft.of(entry) for entry in entries])
        return list(appended.indexes)

    async def begin(self) -> None:
        """At a start: the first entries of a new journal, and the rules of a new program where no parent is to be asked first."""
        if self._writer.sealed:
            return
        if self._writer.size == 0:
            await self._first_entries()
            await self._register_rules()
        elif self._settings.parent is None:
            await self._register_rules()

    def journal_opened(self) -> None:
        """The journal takes entries that it may not have taken before."""
        self._opened.set()

    async def run(self) -> None:
        """Whenever the journal is opened: enter what waited for that, until cancelled."""
        while True:
            await self._opened.wait()
            self._opened.clear()
            if self._writer.accepts:
                await self._telling.look_again()
                await self._register_rules()

    async def _first_entries(self) -> None:
        settings = self._settings
        genesis = Genesis(
            log_id=settings.log_id,
            node=settings.node,
            tier=settings.tier,
            name=settings.name,
            verifier=self._writer.verifier,
            zone=settings.zone,
            calendar=settings.calendar,
        )
        # The guards make both the first entries once, also when the process dies right here.
        await self.say(
            [
                Entry(source="node", serial="genesis", genesis=genesis),
                Entry(source="node", serial="policy/1", policy_published=first_policy(settings)),
            ]
        )

    async def _register_rules(self) -> None:
        """Enter the built-in rules as this version of the program has them, once each."""
        program = version("zongheng")
        async with self._store.read() as session:
            if await session.links.get(_RULES_OF) == program.encode():
                return
        # The table engine is loaded only where something is to be judged: most commands need it not.
        from node.directives.rules import RULES as DIRECTIVE_RULES
        from node.matching.rules import RULES as MATCHING_RULES
        from node.resupervision.rules import rules_of
        from node.supervision.fold import installed
        from node.supervision.policy import Policy, registered

        profile = profile_of(tier_named(self._settings.tier))
        built_in = [rule for domain in installed(profile.domains) for rule in domain.rules]
        built_in += DIRECTIVE_RULES
        built_in += MATCHING_RULES
        if profile.resupervision is not None:
            built_in += rules_of(profile.resupervision)
        rules = registered(built_in, Policy.from_message(first_policy(self._settings)))
        await self.say(
            [
                Entry(source="rule", serial=f"{rule.rule}/{rule.version}", rule_registered=rule)
                for rule in rules
            ]
        )
        async with self._store.write() as session:
            await session.links.put(_RULES_OF, program.encode())
