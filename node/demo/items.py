"""The demo's catalogue: the approvals, registrations and benefits of DOMAIN §7, as each node of the tree publishes them.

An item that rises (village → town → county, or city where the town stands directly under it) has a stage at each desk
on its way; a node's version of the item names that node's own agency, steps and authorised officers, and the limit
on the time the case may spend at each tier. Penalties and public trading are other domains and are not here.

Limits that DOMAIN §7 marks as read in a source carry that source; all others are made up for the demo and say so.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from zongheng.v1 import catalogue_pb2

from node.demo import expected
from node.demo.places import Place
from node.supervision.domains.approval.events import DOMAIN

VALID_FROM: Final = date(2025, 1, 1)
_MADE_UP: Final = "演示用期限"
_PERMIT: Final = "行政许可法 §42"

VILLAGE: Final = "village"
TOWN: Final = "town"
UPPER: Final = "upper"
"""The stage above the town: the county, or the city for a town that stands directly under it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A step (环节) of a stage; `days` is its limit in working days, None: no limit of its own."""

    code: str
    name: str
    role: str
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """An item (事项) as the demo knows it, for all places at once. Days are working days unless `natural`."""

    code: str
    name: str
    kind: str
    """Kind of the agency that does it (places)."""
    stages: dict[str, tuple[Task, ...]]
    """Steps by stage, in the order in which a case passes them; the last stage decides."""
    statutory: int
    promised: int
    basis: str
    weight: int
    """How often it is asked for, among the items of a place."""
    at: tuple[str, ...] = ()
    """Tiers where a case of one stage is filed and decided; empty for an item that rises."""
    natural: bool = False
    """The statutory limit counts natural days (and then rolls forward, 民法典 §203)."""
    desk_days: tuple[int, ...] = ()
    """For an item that rises: limit on the time at each stage, in working days."""
    fee_fen: int | None = None
    fee_basis: str = ""
    pause_kind: str = ""
    """The special procedure (特别程序) this item knows; empty: none."""
    pause_basis: str = ""
    listed_against: str = ""
    """The rule that the way it is listed breaks; such an item is asked for only where that is the fault planted."""

    @property
    def rises(self) -> bool:
        """Whether a case of it crosses tiers."""
        return not self.at

    @property
    def at_once(self) -> bool:
        """Promised at once (即办): finished on the day of acceptance."""
        return self.promised == 0

    def stage_at(self, place: Place) -> str:
        """Which stage of it a place does; ``KeyError`` where it does none."""
        stage = place.tier if place.tier in self.stages else UPPER
        if stage not in self.stages:
            raise KeyError(f"{self.code} has no stage at {place.node}")
        return stage


def _decided(review: bool, *, site: str = "", handle: int = 0, last: int = 0) -> tuple[Task, ...]:
    """The usual steps of a desk that decides; limits of 0 mean none."""
    tasks = [Task("H", "承办", "handle", handle or None)]
    if site:
        tasks.append(Task("S", site, "", handle or None))
    if review:
        tasks.append(Task("R", "审核", "review", last or None))
    tasks.append(Task("A", "批准", "approve", last or None))
    return tuple(tasks)


_COUNTY: Final = ("county",)
_TOWN_FIRST: Final = (Task("H", "入户调查", "handle", 5), Task("R", "镇级审核", "review", 5))
_VILLAGE_FIRST: Final = (Task("V", "村级初核", "handle", 3),)
_UPPER_LAST: Final = (Task("H", "复核", "handle", 5), Task("A", "确认", "approve", 5))

MATTERS: Final[tuple[Matter, ...]] = (
    Matter("SC-01", "个体工商户登记", "SC", {UPPER: _decided(False)}, 3, 0, "市场主体登记管理条例 §19", 18, _COUNTY),
    Matter("SC-02", "食品经营许可", "SC", {UPPER: _decided(True, site="现场核查", handle=4, last=4)},
           10, 8, _MADE_UP, 14, _COUNTY),
    Matter("ZR-01", "不动产登记（住宅）", "ZR", {UPPER: _decided(False, handle=4, last=4)},
           30, 5, "不动产登记暂行条例 §20", 20, _COUNTY, fee_fen=8_000, fee_basis="发改价格规〔2016〕2559号"),
    Matter("ZR-02", "不动产登记（非住宅）", "ZR", {UPPER: _decided(False, handle=4, last=4)},
           30, 5, "不动产登记暂行条例 §20", 7, _COUNTY, fee_fen=55_000, fee_basis="发改价格规〔2016〕2559号"),
    Matter("ZR-03", "建设工程规划许可", "ZR", {UPPER: _decided(True, handle=5, last=5)}, 20, 10, _PERMIT, 6,
           ("county", "city"), pause_kind="expert_review", pause_basis="行政许可法 §45"),
    Matter("ZJ-01", "建筑工程施工许可", "ZJ", {UPPER: _decided(False)}, 7, 3, _MADE_UP, 6, _COUNTY, natural=True),
    Matter("HJ-01", "排污许可（简化管理）", "HJ", {UPPER: _decided(True, handle=6, last=5)},
           20, 15, "排污许可管理条例", 8, ("city",)),
    Matter("HJ-02", "排污许可（重点管理）", "HJ", {UPPER: _decided(True, handle=10, last=8)},
           30, 25, "排污许可管理条例", 5, ("city",), pause_kind="testing", pause_basis="行政许可法 §45"),
    Matter("JT-01", "道路货物运输经营许可", "JT", {UPPER: _decided(True, site="车辆核查", handle=4, last=4)},
           20, 5, _MADE_UP, 8, _COUNTY),
    Matter("SL-01", "取水许可", "SL", {UPPER: _decided(True, handle=8, last=6)}, 45, 20, _MADE_UP, 4, _COUNTY,
           pause_kind="expert_review", pause_basis="行政许可法 §45"),
    Matter("YC-01", "烟草专卖零售许可", "YC", {UPPER: _decided(True, handle=5, last=4)}, 20, 10, _MADE_UP, 6, _COUNTY),
    Matter("LY-01", "林木采伐许可", "LY",
           {TOWN: _decided(False, handle=4, last=4), UPPER: _decided(True, site="伐区核查", handle=4, last=4)},
           20, 5, _MADE_UP, 6, ("town", "county")),
    Matter("ZB-01", "政府信息公开申请", "ZB",
           {VILLAGE: _decided(False, handle=8, last=6), TOWN: _decided(False, handle=8, last=6),
            UPPER: _decided(True, handle=8, last=6)},
           20, 15, "政府信息公开条例 §33", 3, ("village", "town", "county", "city")),
    Matter("WJ-01", "生育登记", "WJ", {VILLAGE: (Task("H", "登记", "handle"),), TOWN: (Task("H", "登记", "handle"),)},
           0, 0, _MADE_UP, 10, ("village", "town")),
    Matter("ZR-04", "农村宅基地批准和乡村建设规划许可", "ZR",
           {VILLAGE: _VILLAGE_FIRST, TOWN: (Task("H", "四到场审查", "handle", 5), Task("A", "审批", "approve", 5))},
           20, 15, "农农发〔2019〕6号", 8, desk_days=(5, 10)),
    Matter("MZ-01", "最低生活保障", "MZ", {VILLAGE: _VILLAGE_FIRST, TOWN: _TOWN_FIRST, UPPER: _UPPER_LAST},
           30, 25, _MADE_UP, 9, desk_days=(5, 10, 10)),
    Matter("MZ-02", "高龄津贴", "MZ", {VILLAGE: _VILLAGE_FIRST, TOWN: _TOWN_FIRST, UPPER: _UPPER_LAST},
           30, 15, _MADE_UP, 9, desk_days=(4, 5, 6)),
    Matter("MZ-03", "临时救助", "MZ", {TOWN: _TOWN_FIRST, UPPER: _UPPER_LAST}, 10, 8, _MADE_UP, 6, desk_days=(4, 4)),
    Matter("CL-01", "残疾人证", "CL", {TOWN: _TOWN_FIRST, UPPER: _UPPER_LAST}, 20, 15, _MADE_UP, 5, desk_days=(8, 8),
           pause_kind="appraisal", pause_basis="行政许可法 §45"),
    Matter("NY-01", "耕地地力保护补贴", "NY", {VILLAGE: _VILLAGE_FIRST, TOWN: _TOWN_FIRST, UPPER: _UPPER_LAST},
           40, 30, _MADE_UP, 9, desk_days=(8, 10, 12)),
    Matter("NY-02", "农村危房改造补助", "NY", {VILLAGE: _VILLAGE_FIRST, TOWN: _TOWN_FIRST, UPPER: _UPPER_LAST},
           30, 20, _MADE_UP, 4, desk_days=(5, 8, 8)),
)  # fmt: skip

LISTED_WRONGLY: Final[tuple[Matter, ...]] = (
    Matter("SC-91", "演示：时限无依据", "SC", {UPPER: _decided(True)}, 25, 10, "", 0, _COUNTY,
           listed_against=expected.LISTED_LIMIT),
    Matter("SC-92", "演示：承诺长于法定", "SC", {UPPER: _decided(True)}, 10, 12, _MADE_UP, 0, _COUNTY,
           listed_against=expected.LISTED_PROMISE),
    Matter("SC-93", "演示：收费无依据", "SC", {UPPER: _decided(True)}, 20, 10, _MADE_UP, 0, _COUNTY, fee_fen=5_000,
           listed_against=expected.LISTED_FEE),
    Matter("SC-94", "演示：特别程序无依据", "SC", {UPPER: _decided(True)}, 20, 10, "", 0, _COUNTY, pause_kind="notice",
           listed_against=expected.LISTED_PROCEDURE),
)  # fmt: skip
"""Items that counties list against the law, each in one respect."""


def matters_at(place: Place) -> tuple[Matter, ...]:
    """Every item with a stage at this place, whether it is filed there or arrives from below."""
    return tuple(matter for matter in (*MATTERS, *LISTED_WRONGLY) if _belongs(matter, place))


def filed_at(place: Place) -> tuple[Matter, ...]:
    """The items that are applied for at this place: decided here, or begun here on their way up."""
    return tuple(
        matter
        for matter in matters_at(place)
        if not matter.listed_against
        and (place.tier in matter.at if not matter.rises else place.tier in matter.stages)
    )


@cache
def catalogue(place: Place) -> tuple[catalogue_pb2.Item, ...]:
    """What this place publishes: one version of each of its items."""
    return tuple(_item(matter, place) for matter in matters_at(place))


def _belongs(matter: Matter, place: Place) -> bool:
    if matter.rises:
        return place.tier in matter.stages or (UPPER in matter.stages and place.tier in ("county", "city"))
    return place.tier in matter.at


def _item(matter: Matter, place: Place) -> catalogue_pb2.Item:
    desk = place.desk(matter.kind)
    unit = catalogue_pb2.LIMIT_UNIT_NATURAL_DAY if matter.natural else catalogue_pb2.LIMIT_UNIT_WORKING_DAY
    item = catalogue_pb2.Item(
        code=matter.code,
        name=matter.name,
        domain=DOMAIN,
        agency=desk.code,
        version=1,
        valid_from_day=(VALID_FROM - date(1970, 1, 1)).days,
        statutory=catalogue_pb2.Limit(
            amount=matter.statutory, unit=unit, roll_forward=matter.natural, legal_basis=matter.basis
        ),
        promised=_working(matter.promised),
        fee_fen=matter.fee_fen or 0,
        has_fee=matter.fee_fen is not None,
        fee_basis=matter.fee_basis,
        legal_basis=matter.basis,
        special_procedures=[kind for kind in (matter.pause_kind, "extension") if kind],
    )
    before: str = ""
    for task in matter.stages[matter.stage_at(place)]:
        staff = desk.authorised(task.role)
        item.steps.add(
            code=task.code,
            name=task.name,
            role=task.role,
            limit=None if task.days is None else _working(task.days),
            after=[before] if before else [],
            required=True,
            authorised=staff,
            responsible=staff[0],
        )
        before = task.code
    for stage, days in zip(matter.stages, matter.desk_days, strict=False):
        for tier in ("county", "city") if stage == UPPER else (stage,):
            item.tier_limits.add(tier=tier, limit=_working(days))
    return item


def _working(days: int) -> catalogue_pb2.Limit:
    return catalogue_pb2.Limit(amount=days, unit=catalogue_pb2.LIMIT_UNIT_WORKING_DAY)
