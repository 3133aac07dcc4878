"""Takes a question down the tree and merges what comes back (DESIGN §6).

One hop: a node that is not in the question's subtree passes it on to the child that leads there; a node that
is answers for itself and asks all its children at once, each about its own subtree. So every node answers
from its own store, and no hop knows more than its children.

- Parts are handed on as they come, in any order; a slow child holds up nobody else's parts.
- Each hop leaves its children less time than it has, so that there is still time to answer for those that do
  not.
- A child that fails, or is late, is answered for from the copy of its journal where there is one (`stale`);
  whoever else is then missing of its known subtree is named in `unreachable`. Nobody is just left out.
- A child speaks only for itself and for those below it: parts about other known nodes are dropped.
- A child whose whole subtree is known to hold nothing of what is asked is not asked; each of its nodes counts as one that
  answered, and the part that stands for it says so (`holding`).
- Closing the iterator cancels everything below. Nothing is cached, least of all a partial answer.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog
from zongheng.v1.query_pb2 import AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError, of
from federation.query.coverage import Tally
from federation.query.part import Parts, split
from federation.query.tree import Tree

AnswerHere = Callable[[Question, float], Parts]
"""Answers from the own store until the deadline, on the event loop's clock."""

AskChild = Callable[[str, Question, float], Parts]
"""Asks a direct child, for instance `Listener.ask`; raises ZonghengError when it cannot be asked."""

AnswerForChild = Callable[[str, Question, float], Parts | None]
"""Answers for a direct child from the copy of its journal; None where there is no copy."""

ByHint = Callable[[Question, str], AnswerPart | None]
"""The part that stands for a node that is known to have no answer; None for one that has to be asked."""

MARGIN_SHARE: Final = 0.1
MARGIN_LEAST_S: Final = 0.05
MARGIN_MOST_S: Final = 1.0

_PARTS_AHEAD: Final = 16

_log = structlog.get_logger(__name__)


def childs_deadline(now: float, deadline: float) -> float:
    """What a child is given of a deadline: less by a margin in which we can still answer for it."""
    margin = min(max((deadline - now) * MARGIN_SHARE, MARGIN_LEAST_S), MARGIN_MOST_S)
    return deadline - margin


@dataclass(frozen=True, slots=True)
class _Failed:
    """Whom this part of the answer failed with; nothing more comes from there."""

    error: ZonghengError


async def ask(
    question: Question,
    me: str,
    cards: Iterable[NodeCard],
    answer_here: AnswerHere,
    ask_child: AskChild,
    answer_for: AnswerForChild,
    deadline: float,
    by_hint: ByHint = lambda question, node: None,
) -> Parts:
    """The parts of everybody in the question's subtree.

    `cards` are of everybody below `me`. `deadline` is on the event loop's clock. A part without a node
    carries only the names of those that could not be asked, and comes last. Raises ZonghengError
    `unknown_node` for a subtree that is not here; a failure to answer here, such as `bad_request`, is raised
    as well, since every node would fail alike. Use it under `contextlib.aclosing`.
    """
    tree = Tree(me, cards)
    if question.subtree not in tree:
        raise ZonghengError("unknown_node", f"there is no node {question.subtree!r} at or below {me}")
    here = question.subtree == me
    targets = tree.children(me) if here else [tree.through(question.subtree)]
    expected = tree.subtree(question.subtree)
    everybody = set(tree.subtree(me))
    tally = Tally(expected)
    headless = Question()
    headless.CopyFrom(question)
    headless.ClearField("held")
    arrived: asyncio.Queue[AnswerPart | _Failed | None] = asyncio.Queue(_PARTS_AHEAD)
    stand_ins: list[AnswerPart] = []
    failed: ZonghengError | None = None
    closed = False
    async with asyncio.TaskGroup() as tasks:
        # The pumps hand every failure over and raise nothing, and nothing is raised in here either: the group
        # would wrap it, and a generator that is closed must end as one.
        pumps: list[asyncio.Task[None]] = []
        if here:
            own = _own(answer_here(question, deadline), me, deadline)
            pumps.append(tasks.create_task(_pump(own, arrived)))
        for child in targets:
            within = set(tree.subtree(child) if here else expected)
            if known := _stand_ins(question, within, by_hint):
                stand_ins += known
                continue
            theirs = _narrowed(headless, question.held, child, within) if here else question
            hop = _Hop(theirs, child, within, everybody, alone=not here, deadline=deadline)
            pumps.append(tasks.create_task(_pump(hop.parts(ask_child, answer_for), arrived)))
        running = len(pumps)
        try:
            for part in stand_ins:
                tally.add(part)
                yield part
            while running and failed is None:
                match await arrived.get():
                    case None:
                        running -= 1
                    case _Failed(error):
                        failed = error
                    case AnswerPart() as part:
                        tally.add(part)
                        yield part
        except GeneratorExit:
            closed = True
        for pump in pumps:
            pump.cancel()
    if closed:
        return
    if failed is not None:
        raise failed
    missing = tally.coverage().unreachable
    if missing:
        yield AnswerPart(unreachable=missing)


def _stand_ins(question: Question, within: set[str], by_hint: ByHint) -> list[AnswerPart]:
    """Parts that stand for a whole subtree; none as soon as one of its nodes has to be asked."""
    parts = []
    for node in sorted(within):
        part = by_hint(question, node)
        if part is None:
            return []
        parts.append(part)
    return parts


def _narrowed(question: Question, held: Mapping[str, int], child: str, within: set[str]) -> Question:
    """The question about a child's subtree, with the heads that are held of it."""
    narrowed = Question()
    narrowed.CopyFrom(question)
    narrowed.subtree = child
    narrowed.held.update({node: held[node] for node in within if node in held})
    return narrowed


async def _pump(parts: Parts, arrived: "asyncio.Queue[AnswerPart | _Failed | None]") -> None:
    """Bring the parts in; raises nothing."""
    try:
        async with aclosing(parts) as coming:
            async for part in coming:
                await arrived.put(part)
    except Exception as error:
        if not isinstance(error, ZonghengError):
            _log.exception("query.failed")
        await arrived.put(_Failed(of(error)))
    await arrived.put(None)


async def _own(parts: Parts, me: str, deadline: float) -> Parts:
    """Our own parts. Out of time, we are among those that did not answer."""
    try:
        async for part in _until(deadline, parts):
            for chunk in split(part):
                yield chunk
    except TimeoutError:
        _log.warning("query.late", node=me)


async def _until(deadline: float, parts: Parts) -> Parts:
    """The parts, each no later than the deadline. Raises TimeoutError."""
    async with aclosing(parts) as coming:
        while True:
            async with asyncio.timeout_at(deadline):
                part = await anext(coming, None)
            if part is None:
                return
            yield part


@dataclass(frozen=True, slots=True)
class _Hop:
    """The question to one child."""

    question: Question
    child: str
    within: set[str]
    """Those who should answer through this child."""
    everybody: set[str]
    """All known nodes; of those that are not within, this child has nothing to say."""
    alone: bool
    """There is nobody else to ask, so what fails there fails as a whole."""
    deadline: float

    async def parts(self, ask_child: AskChild, answer_for: AnswerForChild) -> Parts:
        """What the child brings, and what we can say for it where it brings nothing."""
        tally = Tally(self.within)
        limit = childs_deadline(asyncio.get_running_loop().time(), self.deadline)
        try:
            async with aclosing(_until(limit, ask_child(self.child, self.question, limit))) as coming:
                async for part in coming:
                    if self._keep(part):
                        tally.add(part)
                        yield part
        except TimeoutError:
            _log.info("query.child_late", child=self.child)
        except ZonghengError as error:
            if self.alone and error.code not in _AWAY and not tally.answered:
                raise
            _log.info("query.child_failed", child=self.child, code=error.code, words=error.detail)
        if self.child not in self.within or tally.has(self.child):
            return
        copy = answer_for(self.child, self.question, self.deadline)
        if copy is None:
            return
        try:
            async with aclosing(_until(self.deadline, copy)) as coming:
                async for part in coming:
                    part.node, part.stale = self.child, True
                    for chunk in split(part):
                        yield chunk
        except TimeoutError:
            _log.warning("query.copy_late", child=self.child)

    def _keep(self, part: AnswerPart) -> bool:
        """Drop what the child has no business to say."""
        if self._is_stranger(part.node):
            _log.warning("query.stranger_dropped", child=self.child, node=part.node)
            return False
        names = [name for name in part.unreachable if not self._is_stranger(name)]
        if len(names) != len(part.unreachable):
            del part.unreachable[:]
            part.unreachable.extend(names)
        return bool(part.node or names)

    def _is_stranger(self, node: str) -> bool:
        return node in self.everybody and node not in self.within


_AWAY: Final = {"unreachable", "deadline", "busy", "fenced", "protocol", "internal"}
"""Failures of the child rather than of the question."""
