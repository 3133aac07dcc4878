"""The event vocabulary of administrative coercion.

Source: 行政强制法 (2012) §18–§33 (measures), §34–§44 (enforcement), §45–§46 (surcharges), §53–§60 (by a court), §69 (days).
"""

from typing import Final

DOMAIN: Final = "coercion"

APPROVED: Final = "approved"  # 批准实施
MEASURE: Final = "measure"  # 查封、扣押、冻结
REPORTED: Final = "reported"  # 情况紧急，事后补办批准
DELIVERED: Final = "delivered"  # 交付决定书
EXTENDED: Final = "extended"  # 延长
LIFTED: Final = "lifted"  # 解除
DISPOSED: Final = "disposed"  # 没收、销毁、拍卖
DEMANDED: Final = "demanded"  # 催告
STATEMENT: Final = "statement"  # 陈述申辩
DECIDED: Final = "decided"  # 强制执行决定
EXECUTED: Final = "executed"  # 强制执行
SURCHARGE: Final = "surcharge"  # 加处罚款、滞纳金
APPLIED: Final = "applied"  # 申请法院强制执行
EXAMINED: Final = "examined"  # 检测、检验、检疫、技术鉴定开始
EXAMINATION_ENDED: Final = "examination_ended"  # 检测、检验、检疫、技术鉴定结束
CLOSED: Final = "closed"  # 结案

MONEY: Final = frozenset({"amount", "principal", "fee"})
TEXTS: Final = frozenset({"reason"})

KINDS: Final[dict[str, dict[str, type]]] = {
    APPROVED: {},
    MEASURE: {
        "measure": int,  # serial within the case
        "means": str,  # seal, seize, freeze, other
        "second_officer": str,
        "inventory": bool,  # a list was made out and signed (§24)
        "urgent": bool,
        "fee": int,  # kept at whose cost; charging the person is unlawful (§26)
        "limit_days": int,  # where another law sets another length (§25, §32)
    },
    REPORTED: {"measure": int},
    DELIVERED: {"measure": int},
    EXTENDED: {"measure": int, "granted_days": int, "approver": str},
    LIFTED: {"measure": int},
    DISPOSED: {"measure": int},
    DEMANDED: {"principal": int},
    STATEMENT: {"answered": bool},
    DECIDED: {},
    EXECUTED: {
        "rest_day": bool,
        "night": bool,
        "urgent": bool,  # also: obstacles and dirt on roads and waters, removed at once (§52)
        "utilities_cut": bool,
    },
    SURCHARGE: {"amount": int},
    APPLIED: {},
    EXAMINED: {"examination": int, "measure": int},
    EXAMINATION_ENDED: {"examination": int},
    CLOSED: {},
}
