"""Live questions of one node: those it asks, those it answers, and those it passes on between its parent and its children.

A part of the node that answers a kind of question gives a `Handler`; one that has something to say or to enter where a question passes gives a `Passing`. The kind is
the name of the question's body in `LiveQuestion`.

Nothing is kept and nothing is tried again. Every question ends with one answer at whoever asked: with what the node says, with the refusal of a node on the way, `unreachable` as soon as a link
on the way breaks or was not there, `deadline` when the time is up. What the answering node did by then is done: the asker knows only that it does not know. A node of a version that knows no live
questions, or not this kind, is not asked: `unreachable`, in words that say that it is to be upgraded first.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog
from google.protobuf.message import Message
from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.live_pb2 import LiveAnswer, LiveHop, LiveQuestion, NodeReached

from federation.errors import ZonghengError, of
from federation.link.hello import failure
from federation.trunk.live import PARENT, SayLive
from node.live.routing import MOST_ANSWER_BYTES, MOST_NAME, check, way
from node.tree import Tree
from node.wallclock import Now

WITHIN_S: Final = 10.0
MOST_S: Final = 120.0
"""Longest time that an answer may take; a question that asks for more gets this much."""

HOP_S: Final = 0.1
"""What each hop keeps of the time, so that the farther one is the first to say that it is up."""

MOST_FROM_CHILD: Final = 64
MOST_FROM_PARENT: Final = 256
MOST_OWN: Final = 256
"""Questions under way here at once, by where they came from."""

KINDS: Final = frozenset(field.name for field in LiveQuestion.DESCRIPTOR.oneofs_by_name["body"].fields)

log = structlog.get_logger()

Onward = Callable[[], Awaitable[LiveAnswer]]
"""Sends a question on, once. Raises ZonghengError for every answer that is a refusal."""


class Handler(Protocol):
    async def __call__(self, question: LiveQuestion) -> Message:
        """Answer a question that is for this node, with a message that is a body of `LiveAnswer`. Raises ZonghengError to refuse."""
        ...


class Passing(Protocol):
    async def __call__(self, question: LiveQuestion, onward: Onward) -> LiveAnswer:
        """A question passes here, or begins here: send it on, and give back the answer. Raises ZonghengError to refuse, before or after."""
        ...


class Live:
    """Belongs to one event loop. Its parent's and its children's lanes call it as `LivePeers`."""

    def __init__(
        self, tree: Tree, has_parent: Callable[[], bool], is_connected: Callable[[str], bool], now: Now
    ) -> None:
        self._tree = tree
        self._has_parent = has_parent
        self._is_connected = is_connected
        self._now = now
        self._handlers: dict[str, Handler] = {"reach": self._reached}
        self._passing: dict[str, Passing] = {}
        self._peers: dict[str, SayLive] = {}
        self._waiting: dict[tuple[str, str], asyncio.Future[LiveAnswer]] = {}
        """Questions that a peer has not answered yet, by peer and name."""
        self._under_way: dict[str, str] = {}
        """All questions here: which peer each came from."""
        self._to_do: asyncio.Queue[tuple[str, SayLive, LiveQuestion]] = asyncio.Queue()

    def handler(self, kind: str, handler: Handler) -> None:
        """From now on questions of this kind for this node are answered by `handler`; one a kind."""
        assert kind in KINDS
        assert kind not in self._handlers
        self._handlers[kind] = handler

    def passing(self, kind: str, passing: Passing) -> None:
        """From now on questions of this kind that begin here or pass here go through `passing`; one a kind."""
        assert kind in KINDS
        assert kind not in self._passing
        self._passing[kind] = passing

    async def ask(self, node: str, body: Message, asker: Viewer, within_s: float = WITHIN_S) -> LiveAnswer:
        """Ask a node, this one or any other of the federation. `asker` sits here.

        Raises ZonghengError: what the node or one on the way refuses with, `unknown_node`, `unreachable`, `deadline`, `busy`.
        """
        own = self._tree.own.node
        question = LiveQuestion(
            id=f"{own}-{secrets.token_hex(16)}",
            to_node=node,
            from_node=own,
            asker=asker,
            within_ms=int(within_s * 1_000),
        )
        getattr(question, _field(LiveQuestion, body)).CopyFrom(body)
        self._admit(own, question, MOST_OWN)
        answer = await self._answer(own, question)
        if answer.code:
            raise failure(answer.code, answer.words)
        return answer

    async def run(self) -> None:
        """Answer and pass on what peers ask, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                peer, say, question = await self._to_do.get()
                tasks.create_task(self._serve(peer, say, question))

    # The lanes.

    def opened(self, peer: str, say: SayLive) -> None:
        self._lost(peer)
        self._peers[peer] = say

    def closed(self, peer: str, say: SayLive) -> None:
        if self._peers.get(peer) == say:
            del self._peers[peer]
            self._lost(peer)

    def question(self, peer: str, question: LiveQuestion) -> None:
        say = self._peers.get(peer)
        if say is None or not 0 < len(question.id) <= MOST_NAME:
            return
        try:
            check(self._tree, peer, question)
            self._admit(peer, question, MOST_FROM_PARENT if peer == PARENT else MOST_FROM_CHILD)
        except ZonghengError as refused:
            say(_refusal(question, refused))
            return
        self._to_do.put_nowait((peer, say, question))

    def answer(self, peer: str, answer: LiveAnswer) -> None:
        waiting = self._waiting.get((peer, answer.id))
        if waiting is None or waiting.done():
            return
        if answer.ByteSize() > MOST_ANSWER_BYTES:
            words = (
                f"the answer that came through {self._called(peer)} has more than {MOST_ANSWER_BYTES} bytes"
            )
            waiting.set_exception(ZonghengError("too_large", words))
        else:
            waiting.set_result(answer)

    # What they are made of.

    def _admit(self, peer: str, question: LiveQuestion, most: int) -> None:
        if question.id in self._under_way:
            raise ZonghengError("protocol", "a question of this name is under way already")
        if sum(each == peer for each in self._under_way.values()) >= most:
            raise ZonghengError(
                "busy", f"too much is asked of {self._tree.own.node} at once: try again in a while"
            )
        self._under_way[question.id] = peer

    async def _serve(self, peer: str, say: SayLive, question: LiveQuestion) -> None:
        answer = await self._answer(peer, question)
        if self._peers.get(peer) == say:
            say(answer)

    async def _answer(self, peer: str, question: LiveQuestion) -> LiveAnswer:
        """The answer to a question that was admitted, or why there is none."""
        clock = asyncio.get_running_loop().time
        began = clock()
        until = began + min(question.within_ms / 1_000, MOST_S)
        try:
            async with asyncio.timeout_at(until):
                answer = await self._through(peer, question, until)
        except TimeoutError:
            words = f"{question.to_node} did not answer in time, as far as {self._tree.own.node} knows"
            answer = _refusal(question, ZonghengError("deadline", words))
        except Exception as failed:
            if not isinstance(failed, ZonghengError):
                log.exception("live.failed", kind=question.WhichOneof("body"))
            answer = _refusal(question, of(failed))
        finally:
            del self._under_way[question.id]
        answer.hops.append(LiveHop(node=self._tree.own.node, took_us=int((clock() - began) * 1_000_000)))
        return answer

    async def _through(self, peer: str, question: LiveQuestion, until: float) -> LiveAnswer:
        kind = question.WhichOneof("body")
        if kind is None or (question.to_node == self._tree.own.node and kind not in self._handlers):
            words = f"{self._tree.own.node} does not know this question: it is to be upgraded first"
            raise ZonghengError("unreachable", words)
        if question.to_node == self._tree.own.node:
            body = await self._handlers[kind](question)
            answer = LiveAnswer(id=question.id)
            getattr(answer, _field(LiveAnswer, body)).CopyFrom(body)
            return answer
        onward = way(self._tree, peer, question.to_node)

        async def send() -> LiveAnswer:
            return await self._send(onward, question, until)

        passing = self._passing.get(kind)
        return await (send() if passing is None else passing(question, send))

    async def _send(self, peer: str, question: LiveQuestion, until: float) -> LiveAnswer:
        loop = asyncio.get_running_loop()
        say = self._peers.get(peer)
        if say is None:
            raise self._not_there(peer, question.to_node)
        onward = LiveQuestion()
        onward.CopyFrom(question)
        onward.within_ms = max(1, int((until - loop.time() - HOP_S) * 1_000))
        waiting: asyncio.Future[LiveAnswer] = loop.create_future()
        self._waiting[peer, question.id] = waiting
        try:
            say(onward)
            answer = await waiting
        finally:
            del self._waiting[peer, question.id]
        if answer.code:
            raise failure(answer.code, answer.words)
        return answer

    def _lost(self, peer: str) -> None:
        for (asked, _), waiting in self._waiting.items():
            if asked == peer and not waiting.done():
                words = f"the link between {self._tree.own.node} and {self._called(peer)} ended before an answer came"
                waiting.set_exception(ZonghengError("unreachable", words))

    def _not_there(self, peer: str, to_node: str) -> ZonghengError:
        own = self._tree.own.node
        if peer == PARENT and not self._has_parent():
            return ZonghengError(
                "unknown_node", f"there is no node {to_node!r} at or below {own}, and nobody above it"
            )
        if peer == PARENT:
            words = f"the node above {own} is not connected, or is to be upgraded first"
        elif self._is_connected(peer):
            words = f"{peer} is connected and cannot be asked: it has just come, or is to be upgraded first"
        else:
            words = f"{peer} is not connected"
        return ZonghengError("unreachable", words)

    def _called(self, peer: str) -> str:
        return "the node above" if peer == PARENT else peer

    async def _reached(self, question: LiveQuestion) -> NodeReached:
        return NodeReached(at_us=self._now())


def _refusal(question: LiveQuestion, error: ZonghengError) -> LiveAnswer:
    return LiveAnswer(id=question.id, code=error.code, words=error.detail)


def _field(message: type[LiveQuestion] | type[LiveAnswer], body: Message) -> str:
    """The body's field by its type."""
    for field in message.DESCRIPTOR.oneofs_by_name["body"].fields:
        if field.message_type is body.DESCRIPTOR:
            return field.name
    raise TypeError(f"{body.DESCRIPTOR.full_name} is no body of {message.DESCRIPTOR.full_name}")
