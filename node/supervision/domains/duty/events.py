"""The event vocabulary of duty. A case is one matter of a grid cell (案卷), through the stages of GB/T 30428; an object to be inspected and a cell to be
walked are gatherings of what happened to them.

Sources: GB/T 30428 (collection, opening, dispatch, handling, feedback, closing, evaluation); 行政处罚法 §42, 行政许可法 §61, 安全生产法 §62, §65 (inspection).
"""

from typing import Final

from node.supervision.gathering import Gathering

DOMAIN: Final = "duty"

COLLECTED: Final = "collected"  # 信息采集
OPENED: Final = "opened"  # 案卷建立
DISPATCHED: Final = "dispatched"  # 任务派遣
REFUSED: Final = "refused"  # 退回派遣
HANDLED: Final = "handled"  # 任务处理
FEEDBACK: Final = "feedback"  # 处理反馈
VERIFIED: Final = "verified"  # 核查
CLOSED: Final = "closed"  # 结案
EVALUATED: Final = "evaluated"  # 综合评价
ASSIGNED: Final = "assigned"  # 责任落实：监管对象的检查计划
INSPECTED: Final = "inspected"  # 检查
RECTIFIED: Final = "rectified"  # 隐患整改
RELEASED: Final = "released"  # 对象注销
CELL_ASSIGNED: Final = "cell_assigned"  # 网格责任
PATROLLED: Final = "patrolled"  # 巡查
CELL_RELEASED: Final = "cell_released"  # 网格责任撤销

TEXTS: Final = frozenset({"reason", "result"})

KINDS: Final[dict[str, dict[str, type]]] = {
    COLLECTED: {"cell": str, "matter": str},
    OPENED: {"matter": str, "severity": str},
    DISPATCHED: {"to_agency": str, "limit_days": int},
    REFUSED: {"reason": str},
    HANDLED: {"result": str},
    FEEDBACK: {},
    VERIFIED: {"outcome": str},  # passed, failed
    CLOSED: {},
    EVALUATED: {"score": int},
    ASSIGNED: {"object": str, "every_days": int, "responsible": str},
    INSPECTED: {
        "object": str,
        "outcome": str,  # clean, found
        "second_officer": str,
        "due_day": int,  # by when what was found is to be put right
    },
    RECTIFIED: {"object": str},
    RELEASED: {"object": str},
    CELL_ASSIGNED: {"cell": str, "every_days": int, "responsible": str},
    PATROLLED: {"cell": str},
    CELL_RELEASED: {"cell": str},
}

GATHERINGS: Final = (
    Gathering("object", (ASSIGNED, INSPECTED, RECTIFIED, RELEASED), by=("object",)),
    Gathering("cell", (CELL_ASSIGNED, PATROLLED, CELL_RELEASED), by=("cell",)),
)
"""A supervised object, and a grid cell, with all that happened to it."""
