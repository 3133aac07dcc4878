"""The event vocabulary of school fees. A case is one pupil's fees of one school and term; the `applicant` is the pupil.

Sources: 义务教育法 (2018) §2, §25, §56; 教财〔2020〕5号 (教育收费管理).
"""

from typing import Final

from node.supervision.gathering import Gathering

DOMAIN: Final = "school"

PUBLISHED: Final = "published"  # 收费公示
ENROLLED: Final = "enrolled"  # 注册
CHARGED: Final = "charged"  # 收费
DEPOSITED: Final = "deposited"  # 上缴专户
EXEMPTED: Final = "exempted"  # 减免、资助核定
LEFT: Final = "left"  # 退学、转学
REFUNDED: Final = "refunded"  # 退费
SETTLED: Final = "settled"  # 代收费结算公布
CLOSED: Final = "closed"  # 学期结束

MONEY: Final = frozenset({"amount"})
TEXTS: Final = frozenset({"reason"})

KINDS: Final[dict[str, dict[str, type]]] = {
    PUBLISHED: {},
    ENROLLED: {"stage": str},  # compulsory, high, kindergarten, vocational
    CHARGED: {
        "charge": str,  # code of the fee in the library fee_standards
        "grade": str,
        "amount": int,
        "term": str,
        "terms": int,  # for how many terms at once
        "voluntary": bool,  # the parents' consent to services and things bought for pupils
        "kept_by_teacher": bool,
        "receipt": str,
        "service": bool,  # 服务性收费、代收费
    },
    DEPOSITED: {"amount": int},
    EXEMPTED: {"amount": int, "approver": str},
    LEFT: {},
    REFUNDED: {"amount": int},
    SETTLED: {},
    CLOSED: {},
}

GATHERINGS: Final = (Gathering("pupil", (CHARGED,), by=("applicant", "charge", "term")),)
"""What one pupil is charged under one code in one term."""
