"""How other nodes are reached about a meeting; what carries it is not known here."""

from typing import Protocol

from zongheng.v1.meeting_pb2 import MeetingAct, MeetingRoster


class Elsewhere(Protocol):
    """Raises ZonghengError: what the other node refuses with, `unreachable`, `deadline`, `unknown_node`."""

    async def tell(self, node: str, roster: MeetingRoster) -> None:
        """Tell a node below how a meeting stands in which it has a seat."""
        ...

    async def act(self, host: str, act: MeetingAct) -> MeetingRoster:
        """Ask the host, a node above, for what somebody here does; how the meeting stands then."""
        ...

    async def hand_up(self, roster: MeetingRoster) -> MeetingRoster:
        """Ask the parent to hold a help call from now on; how it stands there."""
        ...
