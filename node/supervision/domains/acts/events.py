"""The event vocabulary of the other kinds of acts: 行政给付 05, 行政检查 06, 行政确认 07, 行政奖励 08, 行政裁决 09, 其他 10.

Sources: GB/T 39046—2020 §6.8 (item types); 国办发〔2024〕54号 (inspections of firms); 行政处罚法 §42 (two officers); the item's own limits.
"""

from typing import Final

from node.supervision.gathering import Gathering

DOMAIN: Final = "acts"

APPLIED: Final = "applied"  # 申请、启动
ACCEPTED: Final = "accepted"  # 受理
REFUSED: Final = "refused"  # 不予受理
HEARD: Final = "heard"  # 听取各方意见（裁决）
LISTED: Final = "listed"  # 公示（给付、奖励）
PLANNED: Final = "planned"  # 列入检查计划
VISITED: Final = "visited"  # 现场检查
RESULT_TOLD: Final = "result_told"  # 告知检查结果
DECIDED: Final = "decided"  # 决定
SERVED: Final = "served"  # 送达
PAID: Final = "paid"  # 给付、奖励兑付
CLOSED: Final = "closed"  # 办结

MONEY: Final = frozenset({"amount"})
TEXTS: Final = frozenset({"reason"})

KINDS: Final[dict[str, dict[str, type]]] = {
    APPLIED: {"act": str},  # payment, inspection, confirmation, reward, adjudication, other
    ACCEPTED: {},
    REFUSED: {"reason": str},
    HEARD: {},
    LISTED: {},
    PLANNED: {"object": str},
    VISITED: {"object": str, "second_officer": str, "certificates_shown": bool, "planned": bool},
    RESULT_TOLD: {},
    DECIDED: {"outcome": str, "amount": int, "approver": str, "standard": str, "reason": str},
    SERVED: {},
    PAID: {"amount": int},
    CLOSED: {},
}

GATHERINGS: Final = (Gathering("object_month", (VISITED,), by=("agency", "object"), monthly=True),)
"""What one agency inspects of one object in a month."""
