"""Meetings across the tiers, as live questions: the host tells nodes below, nodes below ask the host, a child gives a help call up to its parent.

What a node may say follows from where it is: only a node above tells how a meeting stands, and only of its own; only a node below does something in one, and only for the person who asks; only a child gives up a call. Nodes
on the way look at what passes: it is how they know what may go down through them (`passing.Passing`).
"""

from collections.abc import Callable
from typing import Final

from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.live_pb2 import LiveAnswer, LiveQuestion
from zongheng.v1.meeting_pb2 import MeetingAct, MeetingHandedUp, MeetingHeard, MeetingRoster, MeetingTold

from federation.errors import ZonghengError
from node.live.live import Live, Onward
from node.meetings.hosting import Hosting
from node.meetings.messages import meeting_in, roster
from node.meetings.passing import Passing
from node.meetings.visiting import Visiting
from node.tree import Tree

ASK_S: Final = 10.0


class OverLive:
    """How a node reaches others about meetings (`Elsewhere`)."""

    def __init__(self, live: Live, tree: Tree, kind: str, parent: Callable[[], str]) -> None:
        """`kind`: of this node, as its people carry it. `parent`: the id of the node above; empty: none."""
        self._live = live
        self._tree = tree
        self._kind = kind
        self._parent = parent

    async def tell(self, node: str, roster: MeetingRoster) -> None:
        await self._live.ask(node, MeetingTold(roster=roster), self._asker(roster.by), ASK_S)

    async def act(self, host: str, act: MeetingAct) -> MeetingRoster:
        return (await self._live.ask(host, act, self._asker(act.who), ASK_S)).meeting_roster

    async def hand_up(self, roster: MeetingRoster) -> MeetingRoster:
        parent = self._parent()
        if not parent:
            raise ZonghengError("unknown_node", f"there is no node above {self._tree.own.node}")
        asked = MeetingHandedUp(roster=roster)
        return (await self._live.ask(parent, asked, self._asker(roster.by), ASK_S)).meeting_roster

    def _asker(self, who: str) -> Viewer:
        return Viewer(who=who, node=self._tree.own.node, tier=self._kind, purpose="meeting")


class Reached:
    """How a node is reached about meetings by others, and what passes through it."""

    def __init__(
        self, live: Live, tree: Tree, hosting: Hosting, visiting: Visiting, passing: Passing
    ) -> None:
        self._tree = tree
        self._hosting = hosting
        self._visiting = visiting
        self._passing = passing
        live.handler("meeting_told", self._told)
        live.handler("meeting_act", self._act)
        live.handler("meeting_handed_up", self._handed_up)
        live.passing("meeting_told", self._pass_told)
        live.passing("meeting_act", self._pass_act)

    async def _told(self, question: LiveQuestion) -> MeetingHeard:
        self._from_above(question)
        await self._visiting.told(question.from_node, question.meeting_told.roster)
        return MeetingHeard(version=question.meeting_told.roster.version)

    async def _act(self, question: LiveQuestion) -> MeetingRoster:
        act = question.meeting_act
        if not self._tree.is_below(question.from_node) or act.who != question.asker.who:
            raise ZonghengError("forbidden", "in a meeting somebody here or below acts, and for themselves")
        return roster(await self._hosting.act(act.who, question.from_node, act))

    async def _handed_up(self, question: LiveQuestion) -> MeetingRoster:
        child = question.from_node
        if self._tree.route(child) != child:
            raise ZonghengError("forbidden", f"{child} gives its help calls up to the node above it")
        return roster(await self._hosting.taken_up(child, question.meeting_handed_up.roster))

    async def _pass_told(self, question: LiveQuestion, onward: Onward) -> LiveAnswer:
        self._from_above(question)
        self._passing.see(meeting_in(question.meeting_told.roster))
        return await onward()

    async def _pass_act(self, question: LiveQuestion, onward: Onward) -> LiveAnswer:
        answer = await onward()
        told = answer.meeting_roster
        if told.host == question.to_node and not self._tree.is_below(told.host):
            self._passing.see(meeting_in(told))
        return answer

    def _from_above(self, question: LiveQuestion) -> None:
        """A meeting is told of by the node that holds it, to those below."""
        host = question.from_node
        if question.meeting_told.roster.host != host:
            raise ZonghengError("protocol", f"{host} tells how a meeting of another node stands")
        own = self._tree.own.node
        if self._tree.is_below(host) or (
            question.to_node != own and not self._tree.is_below(question.to_node)
        ):
            raise ZonghengError("forbidden", f"{host} holds no meetings of nodes that are not below it")
