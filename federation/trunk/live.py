"""What the lane of `Attend` needs of a node's live questions; the node's side of it is `node.live`."""

from collections.abc import Callable
from typing import Final, Protocol

from zongheng.v1.live_pb2 import LiveAnswer, LiveQuestion

PARENT: Final = ""
"""The peer above, whichever it is; a peer below is its node id."""

SayLive = Callable[[LiveQuestion | LiveAnswer], None]


class LivePeers(Protocol):
    """Live questions of one node, as its lanes bring them and take them away. Nothing here waits, and nothing raises."""

    def opened(self, peer: str, say: SayLive) -> None:
        """The lane to a peer that knows live questions is open; `say` puts in what it is to hear."""
        ...

    def closed(self, peer: str, say: SayLive) -> None:
        """That lane is over. One that was opened to the same peer since then stays."""
        ...

    def question(self, peer: str, question: LiveQuestion) -> None: ...

    def answer(self, peer: str, answer: LiveAnswer) -> None: ...
