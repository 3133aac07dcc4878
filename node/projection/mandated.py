"""What a journal received from above, put together: the half of a context that is not the node's own to decide.

Of two senders the one further above counts more, of two versions of one sender and address the newer. Policies all count.
"""

from collections.abc import Iterable, Mapping, Sequence

from zongheng.v1.catalogue_pb2 import CalendarChange, Item
from zongheng.v1.catalogue_pb2 import Policy as PolicyMessage
from zongheng.v1.engine_pb2 import Library, LocalRule
from zongheng.v1.footing_pb2 import MandatedPiece

from node.projection.mandates import ABOVE, KINDS, Line
from node.supervision.policy import Mandate, Policy


class Mandated:
    """By kind, the furthest above last."""

    def __init__(self, pieces: Mapping[str, Sequence[bytes]]) -> None:
        """``pieces`` holds serialised `MandatedPiece` messages under ``<kind>@above``, in journal order."""
        lines = {
            kind: sorted(map(_parsed, pieces.get(f"{kind}{ABOVE}", ())), key=lambda one: one[0].steps_up)
            for kind in KINDS.values()
        }
        newest: dict[tuple[str, str, bool], PolicyMessage] = {}
        for line, body in lines["policy"]:
            message = PolicyMessage.FromString(body)
            known = newest.get((line.sender, line.node, line.subtree))
            if known is None or message.version >= known.version:
                newest[line.sender, line.node, line.subtree] = message
        self.mandates = tuple(
            Mandate(sender, node, Policy.from_message(message))
            for (sender, node, _), message in sorted(newest.items())
        )
        self.items = [(line.steps_up, line.sender, Item.FromString(body)) for line, body in lines["item"]]
        self.calendars = [CalendarChange.FromString(body) for _, body in lines["calendar"]]
        self._libraries: dict[str, tuple[tuple[int, int], Library]] = {}
        for line, body in lines["library"]:
            library = Library.FromString(body)
            rank = (line.steps_up, library.version)
            if library.name not in self._libraries or rank >= self._libraries[library.name][0]:
                self._libraries[library.name] = rank, library
        self._rules: dict[str, tuple[tuple[int, int], LocalRule]] = {}
        for line, body in lines["rule"]:
            rule = LocalRule.FromString(body)
            rank = (line.steps_up, rule.version)
            if rule.code not in self._rules or rank >= self._rules[rule.code][0]:
                self._rules[rule.code] = rank, rule

    def over(self, own: Iterable[Library]) -> list[Library]:
        """The libraries that hold: what is mandated replaces the node's own of that name."""
        mandated = [library for _, library in self._libraries.values()]
        return [*(one for one in own if one.name not in self._libraries), *mandated]

    def over_rules(self, own: Iterable[LocalRule]) -> list[LocalRule]:
        """The local rules that hold: what is mandated replaces the node's own of that code."""
        mandated = [rule for _, rule in self._rules.values()]
        return [*(one for one in own if one.code not in self._rules), *mandated]


def _parsed(piece: bytes) -> tuple[Line, bytes]:
    message = MandatedPiece.FromString(piece)
    return Line.parse(message.line), message.body
