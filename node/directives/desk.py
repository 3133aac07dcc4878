"""The desk at which a node issues directives (督办), handles those of others, and looks after their dues.

A directive is folded from the own journal alone: own steps, steps that came down (`Received`) and steps that rose (`Forwarded`), each proven
when it was entered; a step counts only when the journal that it comes from is that of the node it names. Steps are taken in one turn: what
was journalled before is read, the step is held against the state, entered with a number of its own and read back. So two people at once get
one step and one refusal; killed before the append nothing happened, after it everything did.

Words go to the vault and leave their digest. For who is to read them elsewhere they travel in the entry, sealed to that node (`words`); a
reader's vault keeps them too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from google.protobuf.message import DecodeError
from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.directive_pb2 import DirectiveContent, DirectiveStep
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.directives import rules
from node.directives.state import (
    BY_HANDLER,
    Directive,
    handlers_of,
    issuer_of,
    next_number,
    of,
    refusal,
)
from node.directives.words import SealedWords
from node.lane_down import AddressedEntries
from node.projection.context import Contexts
from node.projection.raising import Raising
from node.resupervision.opening import Opening
from node.store.drafts import Draft
from node.store.store import Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.supervision.alert import AsOf
from node.tree import Tree
from node.wallclock import Now

log = structlog.get_logger()

CURSOR: Final = "directives"

CHUNK: Final = 2_000

TITLE_MOST: Final = 200
TEXT_MOST: Final = 10_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to do about a directive."""

    kind: int
    by: str
    text: str = ""
    handler: str = ""
    """The handler whom a step of the issuer is about; empty: all, or the only one."""
    due_at_us: int = 0


class DirectiveDesk:
    """Directives of one node."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        vault: Vault,
        tree: Tree,
        addressed: AddressedEntries,
        words: SealedWords,
        contexts: Contexts,
        raising: Raising,
        now: Now,
    ) -> None:
        self._store = store
        self._writer = writer
        self._vault = vault
        self._tree = tree
        self._addressed = addressed
        self._words = words
        self._contexts = contexts
        self._raising = raising
        self._now = now
        self._own = writer.node
        self.looked: Callable[[Directive], Awaitable[None]] = _nothing
        """Told of every directive that is not over, whenever dues are looked at, and once more when it is."""
        self._turn = asyncio.Lock()
        self._known: dict[str, Directive] = {}
        self._held: dict[str, frozenset[tuple[str, str, int]]] = {}
        """Directive → (subject, rule, level) that its alerts say."""

    async def issue(self, content: DirectiveContent, text: str, by: str) -> Directive:
        """Enter a new directive as an item; nothing goes out before it is approved."""
        self._check(content, text)
        async with self._turn:
            await self._read()
            async with self._store.read() as session:
                serial = await session.directives.issued_by(self._own) + 1
                while await session.directives.steps(directive := f"{self._own}-D{serial:06d}"):
                    serial += 1
            step = self._step(directive, wire.DIRECTIVE_KIND_DRAFTED, by)
            step.number = 1
            step.content.CopyFrom(content)
            if not by.strip():
                raise ZonghengError("bad_request", "say who drafts it (by): a staff number")
            await self._enter([step], text)
            return await self._directive(directive)

    async def take(self, directive: str, act: Act) -> Directive:
        """Take one step. ``ZonghengError`` says why it may not be taken; one that was taken already is not taken twice."""
        async with self._turn:
            await self._read()
            known = await self._directive(directive)
            step = self._step(directive, act.kind, act.by)
            step.handler = self._handler(known, act)
            step.due_at_us = act.due_at_us
            self._refer(known, step)
            if self._is_done(known, step):
                return known
            step.number = next_number(known, step.kind, step.handler)
            # Only that there are words matters to the guard; their digest is made when they are kept.
            probe = DirectiveStep()
            probe.CopyFrom(step)
            probe.text = "given" if act.text.strip() else ""
            why = refusal(known, probe)
            if why:
                raise ZonghengError("bad_request", f"{directive}: {why}")
            if len(act.text) > TEXT_MOST:
                raise ZonghengError("bad_request", f"at most {TEXT_MOST} characters of text")
            if step.kind == wire.DIRECTIVE_KIND_NOTIFIED:
                assert known.content is not None
                step.content.CopyFrom(known.content)
                step.text = known.whole[wire.DIRECTIVE_KIND_DRAFTED, 1].text
            await self._enter([step], act.text, known)
            return await self._directive(directive)

    async def directive(self, directive: str) -> Directive:
        """One directive as it is known here now. ``ZonghengError`` ``not_found``."""
        async with self._turn:
            await self._read()
            return await self._directive(directive)

    async def directives(self, after: str, limit: int) -> list[Directive]:
        """Directives by id, after one."""
        async with self._turn:
            await self._read()
            async with self._store.read() as session:
                ids = await session.directives.page(after, limit)
            return [await self._directive(one) for one in ids]

    async def text(self, digest: str) -> str | None:
        """What was said in a step that was read; None: it is not here."""
        async with self._store.read() as session:
            return await self._vault.text(session.vault, digest)

    async def look(self) -> None:
        """Raise what is due about every open directive, and end those that are over."""
        context = (await self._contexts.of(self._own)).context
        opening = Opening(context.calendar, ZoneInfo(context.zone), ())
        now = self._now()
        async with self._turn:
            await self._read()
            ended = []
            after = ""
            while True:
                async with self._store.read() as session:
                    ids = await session.directives.page(after, CHUNK, ended=False)
                for directive in ids:
                    known = await self._directive(directive)
                    await self.looked(known)
                    about = known.handlers if known.issuer == self._own else (self._own,)
                    found = rules.findings(known, about, opening, context.policy, now, self._own)
                    keys = frozenset((one.subject, one.rule, int(one.level)) for one in found)
                    if self._held.get(directive) != keys:
                        as_of = AsOf(
                            self._own,
                            now,
                            self._writer.size,
                            context.policy.version,
                            context.calendar.version,
                            context.policy.mandated,
                        )
                        changed = await self._raising.hold(directive, rules.DOMAIN, found, as_of)
                        for raised in changed.raised:
                            log.warning(
                                "directive.alert", directive=directive, rule=raised.rule, level=raised.level
                            )
                        self._held[directive] = keys
                    if known.is_over:
                        ended.append(directive)
                if len(ids) < CHUNK:
                    break
                after = ids[-1]
            if ended:
                async with self._store.write() as session:
                    await session.directives.end(ended)
                for directive in ended:
                    self._held.pop(directive, None)

    # What is read.

    async def _read(self) -> None:
        """Read on in the own journal."""
        while True:
            async with self._store.read() as session:
                lo = (await session.cursors.get(CURSOR, self._own)).position
                hi = min(self._writer.size, lo + CHUNK)
                if lo >= hi:
                    return
                leaves = await session.journal.leaves(self._own, lo, hi)
            steps = [
                (idx, step) for idx, leaf in enumerate(leaves, lo) if (step := self._told(leaf)) is not None
            ]
            async with self._store.write() as session:
                await session.directives.add(steps)
                for _, step in steps:
                    said = self._words.open(step) if step.reader == self._own else None
                    if said is not None and not await self._vault.keep(session.vault, step.text, said):
                        log.warning("directive.text_differs", directive=step.directive, node=step.node)
                await session.cursors.set(CURSOR, self._own, hi)
            for _, step in steps:
                self._known.pop(step.directive, None)

    def _told(self, leaf: bytes) -> DirectiveStep | None:
        """The step that an entry of the own journal shows, by the node whose journal it comes from; None: it shows none."""
        try:
            entry = Entry.FromString(leaf)
            origin = self._own
            if entry.HasField("received"):
                origin, entry = entry.received.origin, Entry.FromString(entry.received.leaf)
            elif entry.HasField("forwarded"):
                origin, entry = entry.forwarded.origin, Entry.FromString(entry.forwarded.leaf)
        except DecodeError:
            return None
        if not entry.HasField("directive_step"):
            return None
        step = entry.directive_step
        return step if step.node == origin and step.issuer == issuer_of(step.directive) else None

    async def _directive(self, directive: str) -> Directive:
        known = self._known.get(directive)
        if known is None:
            async with self._store.read() as session:
                steps = await session.directives.steps(directive)
            known = of(step for _, step in steps)
            if known is None:
                raise ZonghengError(
                    "not_found", f"there is no directive {directive} here: see `zongheng directive list`"
                )
            self._known[directive] = known
        return known

    # What is written.

    async def _enter(self, steps: Sequence[DirectiveStep], text: str, known: Directive | None = None) -> None:
        entries: list[Entry] = []
        for step in steps:
            if text.strip() and not step.text:
                async with self._store.write() as session:
                    (step.text,) = await self._vault.digests(session.vault, [text])
            elsewhere = [one for one in self._readers(step, known) if one != self._own]
            said = None
            if step.text and elsewhere:
                async with self._store.read() as session:
                    said = await self._vault.said(session.vault, step.text)
            for reader in elsewhere or [""]:
                if said is not None:
                    self._words.enclose(step, said, reader)
                entry = Entry(
                    noted_at_us=self._now(),
                    source=f"directive/{step.directive}",
                    serial=f"{step.node}/{step.kind}/{step.handler}/{step.number}/{reader}",
                    directive_step=step,
                )
                if reader and step.kind not in BY_HANDLER:
                    entry.address.CopyFrom(self._addressed.address(reader))
                entries.append(entry)
        await self._writer.append([Draft.of(entry) for entry in entries])
        await self._read()
        for step in steps:
            log.info("directive.step", directive=step.directive, kind=step.kind, by=step.by)

    def _readers(self, step: DirectiveStep, known: Directive | None) -> Sequence[str]:
        """Whom a step is for."""
        if step.kind in BY_HANDLER:
            return (step.issuer,)
        if (
            known is None
            or known.content is None
            or not (known.is_out or step.kind == wire.DIRECTIVE_KIND_NOTIFIED)
        ):
            return ()
        return (step.handler,) if step.handler else handlers_of(known.content)

    def _step(self, directive: str, kind: int, by: str) -> DirectiveStep:
        return DirectiveStep(
            directive=directive,
            kind=wire.DirectiveKind.ValueType(kind),
            issuer=issuer_of(directive),
            node=self._own,
            by=by,
            at_us=self._now(),
        )

    def _handler(self, known: Directive, act: Act) -> str:
        """Whom a step is about: this node for its own, the one named, or the only one."""
        if act.kind in BY_HANDLER:
            return self._own
        if act.handler or act.kind not in _ABOUT_ONE:
            return act.handler
        if len(known.handlers) == 1:
            return next(iter(known.handlers))
        raise ZonghengError("bad_request", f"say about which handler (node): {', '.join(known.handlers)}")

    def _refer(self, known: Directive, step: DirectiveStep) -> None:
        """Name the step that this one answers."""
        handler = known.handlers.get(step.handler)
        if handler is None:
            return
        if step.kind in _REVIEWS and handler.answered is not None:
            step.answers = handler.answered.number
        elif step.kind in _DECISIONS:
            asked = handler.last(wire.DIRECTIVE_KIND_EXTENSION_ASKED)
            if asked is not None:
                step.answers = asked.number
                if step.kind == wire.DIRECTIVE_KIND_EXTENSION_GRANTED and not step.due_at_us:
                    step.due_at_us = asked.due_at_us

    def _is_done(self, known: Directive, step: DirectiveStep) -> bool:
        """Whether exactly this was done already, so that saying it again does no harm."""
        handler = known.handlers.get(step.handler)
        if step.kind in _DONE_ONCE:
            return known.has(step.kind)
        if handler is None:
            return False
        if step.kind == wire.DIRECTIVE_KIND_SIGNED:
            return bool(handler.numbers(step.kind))
        said = (
            handler.review
            if step.kind in _REVIEWS
            else handler.decision(step.answers)
            if step.kind in _DECISIONS
            else None
        )
        return said is not None and said.kind == step.kind

    def _check(self, content: DirectiveContent, text: str) -> None:
        """Raise ``ZonghengError`` for what no directive may ask."""
        faults = list(self._faults(content, text))
        if faults:
            raise ZonghengError("bad_request", "; ".join(faults))

    def _faults(self, content: DirectiveContent, text: str) -> Iterable[str]:
        if not 0 < len(content.title.strip()) <= TITLE_MOST:
            yield f"give a title of at most {TITLE_MOST} characters"
        if not 0 < len(text.strip()) <= TEXT_MOST:
            yield f"say what is asked (text), in at most {TEXT_MOST} characters"
        if content.source not in wire.DirectiveSource.values() or not content.source:
            yield "say on whose behalf: instruction, office or bureau"
        if content.due_at_us <= self._now():
            yield "give a due that is to come"
        for node in handlers_of(content):
            if node != self._own and self._tree.route(node) is None:
                yield f"there is no node {node or '(lead)'} here or below"
        about = content.about_node
        if about and about != self._own and self._tree.route(about) is None:
            yield f"there is no node {about} here or below that it could be about"


async def _nothing(_: Directive) -> None:
    pass


_REVIEWS: Final = frozenset({wire.DIRECTIVE_KIND_ACCEPTED, wire.DIRECTIVE_KIND_SENT_BACK})
_DECISIONS: Final = frozenset({wire.DIRECTIVE_KIND_EXTENSION_GRANTED, wire.DIRECTIVE_KIND_EXTENSION_REFUSED})
_ABOUT_ONE: Final = _REVIEWS | _DECISIONS
_DONE_ONCE: Final = frozenset(
    {
        wire.DIRECTIVE_KIND_APPROVED,
        wire.DIRECTIVE_KIND_NOTIFIED,
        wire.DIRECTIVE_KIND_CLOSED,
        wire.DIRECTIVE_KIND_WITHDRAWN,
    }
)
"""Steps about the whole that are taken once."""
