"""The demo's tree: one city, two counties, three towns, four villages; one town stands directly under the city.

All names, codes and staff numbers are made up: no division code of China begins with 99. A node's id is its division
code (6 digits for a city or county, 9 for a town, 12 for a village). Everything here is constant, so two demos with
the same seed meet the same people.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from zongheng.v1 import catalogue_pb2

ZONE: Final = "Asia/Shanghai"

# Kinds of agency (部门): code, name, the line (条) they answer to.
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "SC": ("市场监督管理局", "market"),
    "MZ": ("民政局", "civil_affairs"),
    "ZR": ("自然资源和规划局", "natural_resources"),
    "ZJ": ("住房和城乡建设局", "housing"),
    "HJ": ("生态环境局", "ecology"),
    "JT": ("交通运输局", "transport"),
    "SL": ("水利局", "water"),
    "LY": ("林业局", "forestry"),
    "YC": ("烟草专卖局", "tobacco"),
    "WJ": ("卫生健康局", "health"),
    "CL": ("残疾人联合会", "disabled"),
    "NY": ("农业农村局", "agriculture"),
    "ZB": ("政府办公室", "office"),
    "BM": ("政务服务中心", "service_hall"),
}
# What the same desk is called in a town, where it has one.
_TOWN_KINDS: Final[dict[str, str]] = {
    "MZ": "社会事务办",
    "ZR": "自然资源所",
    "LY": "林业站",
    "WJ": "卫生健康办",
    "CL": "残联工作站",
    "NY": "农业农村办",
    "ZB": "党政办公室",
    "BM": "便民服务中心",
}
_VILLAGE_KINDS: Final[dict[str, str]] = {"BM": "代办点", "ZB": "村务公开点"}


@dataclass(frozen=True, slots=True)
class Desk:
    """An agency (部门) at one node and the staff numbers (工号) of its officers by what they may do."""

    code: str
    kind: str
    name: str
    node: str
    superior: str
    """Code of the agency it answers to in its line (条); empty: none in the demo."""
    line: str
    handlers: tuple[str, ...]
    reviewers: tuple[str, ...]
    approvers: tuple[str, ...]
    deputy: str
    """Authorised to handle and to approve; in a clean case he only approves."""

    def authorised(self, role: str) -> tuple[str, ...]:
        """Who may do a step of this role: handle, review or approve."""
        match role:
            case "review":
                return self.reviewers
            case "approve":
                return (*self.approvers, self.deputy)
            case _:
                return (*self.handlers, self.deputy)

    def message(self) -> catalogue_pb2.Agency:
        """The desk as the journal knows it."""
        return catalogue_pb2.Agency(
            code=self.code, name=self.name, node=self.node, superior=self.superior, line=self.line
        )


@dataclass(frozen=True, slots=True)
class Place:
    """One node of the demo: a territory (块) with its desks."""

    node: str
    tier: str
    name: str
    parent: str
    """Node id of the parent; empty: the root."""
    desks: tuple[Desk, ...]

    def desk(self, kind: str) -> Desk:
        """The desk of this kind; in a town or village that has none, the service centre does its work."""
        by_kind = {desk.kind: desk for desk in self.desks}
        return by_kind.get(kind, by_kind["BM"])


@dataclass(frozen=True, slots=True)
class _Sketch:
    node: str
    tier: str
    name: str
    parent: str


# Parents come before their children: the federation is started in this order.
_TREE: Final = (
    _Sketch("990100", "city", "云溯市", ""),
    _Sketch("990121", "county", "霁川县", "990100"),
    _Sketch("990122", "county", "梧野县", "990100"),
    _Sketch("990121101", "town", "鹭渡口镇", "990121"),
    _Sketch("990122101", "town", "晚樟镇", "990122"),
    _Sketch("990100101", "town", "砚池湾镇", "990100"),
    _Sketch("990121101201", "village", "听泉坞村", "990121101"),
    _Sketch("990121101202", "village", "半篙村", "990121101"),
    _Sketch("990122101201", "village", "栗子岭下村", "990122101"),
    _Sketch("990100101201", "village", "墨荷塘村", "990100101"),
)


@cache
def places() -> tuple[Place, ...]:
    """Every place of the demo, parents before children."""
    built: dict[str, Place] = {}
    for sketch in _TREE:
        built[sketch.node] = Place(
            sketch.node, sketch.tier, sketch.name, sketch.parent, _desks(sketch, built.get(sketch.parent))
        )
    return tuple(built.values())


@cache
def place(node: str) -> Place:
    """The place with this node id; ``KeyError`` where there is none."""
    return {one.node: one for one in places()}[node]


def below(node: str) -> tuple[Place, ...]:
    """The direct children of a node."""
    return tuple(one for one in places() if one.parent == node)


def _desks(sketch: _Sketch, above: Place | None) -> tuple[Desk, ...]:
    names = {"town": _TOWN_KINDS, "village": _VILLAGE_KINDS}.get(sketch.tier) or {
        kind: name for kind, (name, _) in _KINDS.items()
    }
    return tuple(
        _desk(sketch, kind, f"{sketch.name}{name}", above.desk(kind).code if above else "")
        for kind, name in names.items()
    )


def _desk(sketch: _Sketch, kind: str, name: str, superior: str) -> Desk:
    people = 3 if sketch.tier == "village" else 7
    staff = tuple(f"{sketch.node}{kind}{number:02d}" for number in range(1, people + 1))
    if sketch.tier == "village":  # a clerk, the bookkeeper and the secretary
        handlers, reviewers, approvers, deputy = staff[:1], staff[1:2], staff[1:2], staff[2]
    else:
        handlers, reviewers, approvers, deputy = staff[:3], staff[3:5], staff[5:6], staff[6]
    return Desk(
        f"{sketch.node}-{kind}",
        kind,
        name,
        sketch.node,
        superior,
        _KINDS[kind][1],
        handlers,
        reviewers,
        approvers,
        deputy,
    )
