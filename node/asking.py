"""A question through this node: answered here where it is meant for here, passed on where it is meant for below.

What the dialler hands over from the parent and what a person asks at this node take the same way (``federation.query.fanout``). A child that
cannot be asked is answered for from the copy of its journal, marked stale.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from zongheng.v1.query_pb2 import AnswerPart, Question

from federation.link.listener import Listener
from federation.query.fanout import ask
from node.answering import Answering
from node.projection.projector import Projector
from node.store.store import Store
from node.tree import Tree

_SETTLE_SHARE = 0.5
"""How much of a deadline may go into catching up before the answer is given from where the projections are."""


class Asking:
    """Asks and answers for one node (``federation.link.ports.Answerer``)."""

    def __init__(
        self, store: Store, tree: Tree, projector: Projector, answering: Answering, listener: Listener
    ) -> None:
        self._store = store
        self._tree = tree
        self._projector = projector
        self._answering = answering
        self._listener = listener

    async def answer(self, question: Question, deadline: float) -> AsyncGenerator[AnswerPart, None]:
        """Parts of everybody in the question's subtree, as they come; ``deadline`` is on the event loop's clock."""
        parts = ask(
            question,
            self._tree.own.node,
            self._tree.descendants(),
            self._here,
            self._listener.ask,
            self._from_copy,
            deadline,
        )
        async with aclosing(parts) as stream:
            async for part in stream:
                yield part

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
