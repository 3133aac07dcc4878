"""A city, a county, a town and a village as real processes, with business systems that hand in at the village and at the town, and an
office that issues directives from the city down. They are enrolled like any other nodes and talk mutual TLS.

Cases are such that each tier has something to do: some are completed late, some stay open past their deadline, and a case's events
come in different batches, so that a card can be raised that a later event corrects. Cards wait for nobody: each red one rises to the city.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from zongheng.v1.case_pb2 import Attribute, CaseEvent

from tests.chaos.office import Office
from tests.e2e.hall import Hall
from tests.e2e.tree import Node, Tree, caught_up, knows, linked, until

TIERS: Final = (
    ("city", "330100"),
    ("county", "330101"),
    ("town", "330101001"),
    ("village", "330101001001"),
)

LONGEST_REST_S: Final = 2.0
"""A node that died is dialled again at least this often: kills are to meet links that stand."""

BATCH: Final = 7
REST_S: Final = 0.1

_DAY_US: Final = 86_400_000_000
_BEGIN_US: Final = 1_700_000_000_000_000
_KINDS: Final = ("application", "acceptance", "step", "completion")


def case_events(code: str) -> Callable[[int], CaseEvent]:
    """Event number n of the node ``code``: four to a case, the cases ten minutes apart from 14 November 2023 on, each due after ten days.

    Of five cases one is completed ten days late, one never, three in time.
    """

    def event(number: int) -> CaseEvent:
        case, part = divmod(number, len(_KINDS))
        begin_us = _BEGIN_US + case * 600_000_000
        kind, day = _KINDS[part], (0, 0, 1, 20 if case % 5 == 0 else 2)[part]
        if kind == "completion" and case % 5 == 1:
            kind = "step"
        made = CaseEvent(
            case_id=f"{code}-{case:06d}",
            domain="approval",
            kind=kind,
            at_us=begin_us + day * _DAY_US + part * 60_000_000,
            zone="Asia/Shanghai",
            agency="A01",
            actor="1001",
            item="X",
        )
        if kind == "acceptance":
            made.attributes.append(Attribute(name="statutory_due_at", integer=begin_us + 10 * _DAY_US))
        elif kind == "step":
            made.step = f"P{part}"
        elif kind == "completion":
            made.attributes.append(Attribute(name="result", text="issued"))
        return made

    return event


@dataclass
class Line:
    """The four nodes, the highest first, the two business systems and the office."""

    nodes: list[Node]
    halls: list[Hall]
    office: Office

    @classmethod
    def made(cls, tree: Tree) -> Self:
        """Make and start the nodes; the business systems begin with the context."""
        nodes = tree.line(*TIERS, confirm=False)
        for node in nodes:
            with (node.folder / "node.toml").open("a", encoding="utf-8") as settings:
                settings.write(f"longest_rest_s = {LONGEST_REST_S}\n")
        for node in nodes:
            node.start()
        halls = [Hall(node, case_events(node.code), batch=BATCH, rest_s=REST_S) for node in nodes[2:]]
        return cls(nodes, halls, Office(nodes[0], nodes[-1]))

    def __enter__(self) -> Self:
        self._halls = ExitStack()
        for hall in self.halls:
            self._halls.enter_context(hall)
        self._halls.enter_context(self.office)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # Nobody is there to acknowledge: what is under way must not be waited for.
            for hall in self.halls:
                hall.abandon()
        self._halls.close()

    @property
    def links(self) -> list[tuple[Node, Node]]:
        """Child and parent, the lowest first."""
        return [(self.nodes[i], self.nodes[i - 1]) for i in range(len(self.nodes) - 1, 0, -1)]

    def stand(self) -> None:
        """Wait until all that is to be kept up is there: links, a city that knows everybody, events and a directive that were acknowledged.

        A directive to a village of which the city has not heard is refused, however long one goes on.
        """
        for child, parent in self.links:
            linked(child, parent)
        knows(self.nodes[0], *(node.code for node in self.nodes[1:]))
        for hall in self.halls:
            until(f"{hall.node.code} is handed in", lambda hall=hall: hall.acknowledged or hall.trouble)
        try:
            until("a directive is issued", lambda: self.office.issued)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.office.refused}") from None

    def finish(self) -> None:
        """Hand in no more, and wait for the last acknowledgements."""
        for hall in self.halls:
            hall.finish()

    def catch_up(self, timeout_s: float) -> None:
        """Wait until every parent holds, has read and has compared all of its child; AssertionError when that takes too long each."""
        for child, parent in self.links:
            caught_up(child, parent, timeout_s)
