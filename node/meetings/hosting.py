"""The meetings that this node holds: what members do, what falls due, and that every node with a seat knows how they stand.

A node is told the whole roster, whenever something changed and every ten seconds besides: so it need not have heard anything before, and one that hears nothing knows that the host is gone. What is told late is told as
it stands then. A node that cannot be reached for a minute has its seats ended; before that nobody is interrupted.

A help call that nobody answers is asked of the parent in turn (`Elsewhere.hand_up`), at once where nobody here is on duty. While that question is open nobody answers here: one meeting has one host.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
from zongheng.v1 import meeting_pb2 as wire
from zongheng.v1.meeting_pb2 import MeetingAct, MeetingRoster

from federation.errors import ZonghengError, of
from node.meetings.book import Book
from node.meetings.elsewhere import Elsewhere
from node.meetings.meeting import RING_US, Called, Kind, Meeting, State, Step
from node.meetings.messages import MOST_TITLE, called_in, meeting_in, roster
from node.tree import Tree

TELL_AGAIN_S: Final = 10.0
AWAY_S: Final = 60.0
"""How long a node that cannot be reached keeps its seats."""

MOST_OF_A_CHILD: Final = 50
"""Help calls that one child gives up to this node at once."""

_LOOK_S: Final = 1.0
_ASK_AGAIN_S: Final = 2.0
_FINAL: Final = frozenset(
    {"not_found", "forbidden", "protocol", "unknown_node", "bad_request", "at_capacity"}
)
"""What a node says that will have no part in a meeting."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things take, seconds."""

    answer_s: float = 60.0
    """A help call that nobody answers here goes up after this."""
    help_s: float = 300.0
    """For how long a help call rings at each node."""
    away_s: float = AWAY_S


@dataclass(slots=True)
class _Told:
    """What a node with a seat knows, by the event loop's clock."""

    heard_s: float
    """When it last answered; at first, when it was first to be told."""
    version: int = 0
    asking: bool = False


class Hosting:
    """Belongs to one event loop."""

    def __init__(
        self,
        book: Book,
        tree: Tree,
        elsewhere: Elsewhere,
        has_parent: Callable[[], bool],
        terms: Terms,
    ) -> None:
        self._book = book
        self._tree = tree
        self._elsewhere = elsewhere
        self._has_parent = has_parent
        self._terms = terms
        self._told: dict[tuple[str, str], _Told] = {}
        self._refused_s: dict[str, float] = {}
        """Of help calls that the parent did not take: when it was asked last."""
        self._looking: set[str] = set()
        self._news = asyncio.Event()
        book.changed.append(lambda meeting: self._news.set())

    async def open(
        self, kind: Kind, title: str, by: str, called: Sequence[Called], *, joins: bool = True
    ) -> Meeting:
        """Somebody of this node opens a meeting. Raises ZonghengError: `bad_request`, `unknown_node` for a node that is not here or below, `at_capacity`."""
        self._here_or_below(called)
        help_us = round(self._terms.help_s * 1_000_000)
        step = Meeting.open(
            secrets.token_hex(8), kind, title[:MOST_TITLE], self._book.node, by, self._book.node, called,
            self._book.now(), help_us if kind is Kind.HELP else RING_US, joins,
        )  # fmt: skip
        async with self._book.turn(step.meeting.id):
            return await self._book.begin(step)

    async def act(self, who: str, node: str, act: MeetingAct, *, runs: bool = False) -> Meeting:
        """What somebody of a node does in a meeting of this one; ``runs``: they may invite, remove and close any. Raises ZonghengError."""

        def made(meeting: Meeting) -> Step:
            at_us = self._book.now()
            match act.kind:
                case wire.MEETING_ACT_KIND_JOIN:
                    return meeting.join(act.seat, who, node, at_us)
                case wire.MEETING_ACT_KIND_DECLINE:
                    return meeting.decline(act.seat, who, node, at_us)
                case wire.MEETING_ACT_KIND_LEAVE:
                    seat = meeting.seat(act.seat)
                    if (seat.node, seat.who) != (node, who):
                        raise ZonghengError("forbidden", f"seat {act.seat} is not {who}'s of {node}")
                    return meeting.leave(act.seat, at_us, act.code[:40])
            if not runs and not meeting.is_run_by(who, node):
                raise ZonghengError(
                    "forbidden", f"{who} of {node} does not run meeting {meeting.id}: ask who opened it"
                )
            match act.kind:
                case wire.MEETING_ACT_KIND_INVITE:
                    called = [called_in(one) for one in act.called]
                    if not called:
                        raise ZonghengError("bad_request", "name who is called: members")
                    self._here_or_below(called)
                    return meeting.invite(called, at_us)
                case wire.MEETING_ACT_KIND_REMOVE:
                    return meeting.remove(act.seat, at_us)
                case wire.MEETING_ACT_KIND_CLOSE:
                    return meeting.close("closed", who, node, at_us)
            raise ZonghengError("protocol", "this is nothing that anybody does in a meeting")

        return await self._book.change(act.meeting, made)

    async def taken_up(self, child: str, told: MeetingRoster) -> Meeting:
        """A child asks this node to hold a help call that nobody answered there; again changes nothing. Raises ZonghengError."""
        given = meeting_in(told)
        below = {child, *self._tree.subtree(child)}
        if given.host != child or not {given.by_node, *given.nodes} <= below or not given.is_open:
            raise ZonghengError(
                "protocol", f"{child} gives up only help calls that it holds, of its own people"
            )
        async with self._book.turn(given.id):
            known = self._book.find(given.id)
            if (
                known is not None
                and known.is_open
                and known.by_node == given.by_node
                and self._book.holds(known)
            ):
                return known
            if sum(one.by_node in below for one in self._book.open_ones()) >= MOST_OF_A_CHILD:
                raise ZonghengError("busy", f"{MOST_OF_A_CHILD} calls of {child} are open here already")
            step = given.taken_up(self._book.node, self._book.now(), round(self._terms.help_s * 1_000_000))
            return await self._book.begin(step)

    async def run(self) -> None:
        """Let things fall due and have everybody told, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._book.some.wait()
                self._news.clear()
                for meeting in self._book.all():
                    if self._book.holds(meeting):
                        if meeting.is_open and meeting.id not in self._looking:
                            self._looking.add(meeting.id)
                            tasks.create_task(self._look_at(meeting.id))
                        self._tell(meeting, tasks)
                await self._forget()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await self._news.wait()

    # What falls due.

    async def _look_at(self, id: str) -> None:
        try:
            async with self._book.turn(id):
                meeting = self._book.find(id)
                if meeting is None or not meeting.is_open or not self._book.holds(meeting):
                    return
                at_us = self._book.now()
                meeting = await self._book.step(meeting, lambda one: one.tick(at_us))
                if away := self._away(meeting):
                    meeting = await self._book.step(meeting, lambda one: one.lost(away, at_us))
                if self._goes_up(meeting):
                    await self._hand_up(meeting)
        except Exception as failed:  # it is looked at again in a second
            log.exception("meeting.not_looked_at", meeting=id, code=of(failed).code)
        finally:
            self._looking.discard(id)

    def _goes_up(self, meeting: Meeting) -> bool:
        if (
            not meeting.is_open
            or meeting.kind is not Kind.HELP
            or meeting.answered is not None
            or not self._has_parent()
        ):
            return False
        loop_s = asyncio.get_running_loop().time()
        if loop_s - self._refused_s.get(meeting.id, float("-inf")) < _ASK_AGAIN_S:
            return False
        rings = [
            seat for seat in meeting.seats if seat.state is State.RINGING and seat.node == self._book.node
        ]
        rang_us = max((seat.rang_at_us for seat in rings), default=0)
        waited_s = (self._book.now() - rang_us) / 1_000_000
        asks = meeting.by if meeting.by_node == self._book.node else ""
        return waited_s >= self._terms.answer_s or not self._book.listeners.somebody_answers(asks)

    async def _hand_up(self, meeting: Meeting) -> None:
        try:
            told = meeting_in(await self._elsewhere.hand_up(roster(meeting)))
        except ZonghengError as refused:
            log.info("meeting.not_taken_up", meeting=meeting.id, code=refused.code)
            self._refused_s[meeting.id] = asyncio.get_running_loop().time()
            return
        await self._book.follow(Step(told))

    # That everybody knows.

    def _tell(self, meeting: Meeting, tasks: asyncio.TaskGroup) -> None:
        loop_s = asyncio.get_running_loop().time()
        for node in meeting.nodes - {self._book.node}:
            told = self._told.get((meeting.id, node))
            if told is None:
                if meeting.closed:
                    continue  # it never heard of it
                told = self._told[meeting.id, node] = _Told(loop_s)
            knows = told.version >= meeting.version
            if told.asking or (knows and (meeting.closed or loop_s - told.heard_s < TELL_AGAIN_S)):
                continue
            told.asking = True
            tasks.create_task(self._tell_one(meeting, node, told))

    async def _tell_one(self, meeting: Meeting, node: str, told: _Told) -> None:
        try:
            await self._elsewhere.tell(node, roster(meeting))
            told.version = meeting.version
            told.heard_s = asyncio.get_running_loop().time()
        except Exception as failed:
            error = of(failed)
            log.info("meeting.not_told", meeting=meeting.id, node=node, code=error.code)
            if error.code in _FINAL:
                told.heard_s = float("-inf")
            self._news.set()
            await asyncio.sleep(_ASK_AGAIN_S)
        finally:
            told.asking = False
        self._news.set()

    def _away(self, meeting: Meeting) -> list[str]:
        """Nodes that were not reached for so long that their people are gone."""
        late_s = asyncio.get_running_loop().time() - self._terms.away_s
        live = {seat.node for seat in meeting.seats if seat.is_live}
        return [
            node
            for node in live
            if (told := self._told.get((meeting.id, node))) is not None and told.heard_s < late_s
        ]

    async def _forget(self) -> None:
        self._book.forget()
        try:
            await self._book.rest()
        except Exception as failed:  # tried again in a second
            log.exception("meetings.not_at_rest", code=of(failed).code)
        for id, node in list(self._told):
            if self._book.find(id) is None:
                del self._told[id, node]
        for id in list(self._refused_s):
            if self._book.find(id) is None:
                del self._refused_s[id]

    def _here_or_below(self, called: Sequence[Called]) -> None:
        for one in called:
            if one.node != self._book.node and not self._tree.is_below(one.node):
                raise ZonghengError(
                    "unknown_node", f"there is no node {one.node!r} at or below {self._book.node}"
                )
