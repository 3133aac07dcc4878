"""A question through this node: answered here where it is meant for here, passed on where it is meant for below.

What the dialler hands over from the parent and what a person asks at this node take the same way (``federation.query.fanout``). A child that
cannot be asked is answered for from the copy of its journal, marked stale. A child that said what it holds, and holds nothing of what is
asked, is not asked (``federation.query.holding``), unless a verdict is to rest on the answer.

Questions under way are bounded, whoever asks them: one more is refused with `busy` and when to come again. None is queued, so a flood costs what a
refusal costs.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from zongheng.v1.query_pb2 import AnswerPart, Question

from federation.errors import ZonghengError
from federation.link.listener import Listener
from federation.query.fanout import ByHint, ask
from federation.query.holding import current, rules_out, stand_in
from node.answering import Answering
from node.projection.projector import Projector
from node.store.store import Store
from node.tree import Tree
from node.wallclock import Now

MOST: Final = 32
"""Questions under way at once: as many as one child works on, so that one asked here is not refused below."""

RETRY_MS: Final = 1_000

_SETTLE_SHARE = 0.5
"""How much of a deadline may go into catching up before the answer is given from where the projections are."""


class Asking:
    """Asks and answers for one node (``federation.link.ports.Answerer``)."""

    def __init__(
        self,
        store: Store,
        tree: Tree,
        projector: Projector,
        answering: Answering,
        listener: Listener,
        now: Now,
    ) -> None:
        self._store = store
        self._tree = tree
        self._projector = projector
        self._answering = answering
        self._listener = listener
        self._now = now
        self._under_way = 0

    async def answer(self, question: Question, deadline: float) -> AsyncGenerator[AnswerPart, None]:
        """Parts of everybody in the question's subtree, as they come; ``deadline`` is on the event loop's clock.

        Raises ZonghengError `busy` when too much is asked at once, and what `fanout.ask` raises.
        """
        if self._under_way >= MOST:
            raise ZonghengError(
                "busy", f"{MOST} questions are under way here: ask again later", retry_after_ms=RETRY_MS
            )
        self._under_way += 1
        try:
            parts = ask(
                question,
                self._tree.own.node,
                self._tree.descendants(),
                self._here,
                self._listener.ask,
                self._from_copy,
                deadline,
                await self._by_hint(question),
            )
            async with aclosing(parts) as stream:
                async for part in stream:
                    yield part
        finally:
            self._under_way -= 1

    async def _by_hint(self, question: Question) -> ByHint:
        """Who need not be asked, as far as is known now."""
        if question.verdict or not self._tree.descendants():
            return lambda question, node: None
        async with self._store.read() as session:
            held = {head.origin: head.size for head in await session.journal.heads()}
        now_us = self._now()

        def by_hint(question: Question, node: str) -> AnswerPart | None:
            card, through = self._tree.get(node), self._tree.route(node)
            if card is None or through is None or not self._listener.is_connected(through):
                return None
            if not current(card, now_us, held.get(node, 0)) or not rules_out(card.holding, question):
                return None
            # The asker checks that this head continues the one it holds, and only the node itself could show that of another size.
            if question.proof and question.held.get(node, 0) not in (0, card.holding.journal_size):
                return None
            return stand_in(card)

        return by_hint

    async def _here(self, question: Question, deadline: float) -> AsyncGenerator[AnswerPart, None]:
        left = deadline - asyncio.get_running_loop().time()
        await self._projector.settled(max(0.05, left * _SETTLE_SHARE))
        async with aclosing(self._answering.answer(question, self._tree.own.node)) as parts:
            async for part in parts:
                yield part

    def _from_copy(
        self, child: str, question: Question, deadline: float
    ) -> AsyncGenerator[AnswerPart, None] | None:
        return self._answering.answer(question, child, stale=True)
