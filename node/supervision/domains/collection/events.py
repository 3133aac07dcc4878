"""The event vocabulary of administrative collection. A case is what one payer owes for one matter and period.

Sources: 行政强制法 §45 (surcharge never above the sum); 政府非税收入管理办法 (财税〔2016〕33号); 财政违法行为处罚处分条例 §3, §4.
"""

from typing import Final

from node.supervision.gathering import Gathering

DOMAIN: Final = "collection"

ASSESSED: Final = "assessed"  # 核定
NOTIFIED: Final = "notified"  # 缴款通知
OBJECTION: Final = "objection"  # 异议
OBJECTION_ANSWERED: Final = "objection_answered"  # 异议答复
RELIEVED: Final = "relieved"  # 减免缓
PAID: Final = "paid"  # 缴款
DEPOSITED: Final = "deposited"  # 缴入国库、财政专户
SURCHARGE: Final = "surcharge"  # 滞纳金
REFUNDED: Final = "refunded"  # 退付
CLOSED: Final = "closed"  # 办结

MONEY: Final = frozenset({"amount", "base"})
TEXTS: Final = frozenset({"reason"})

KINDS: Final[dict[str, dict[str, type]]] = {
    ASSESSED: {
        "levy": str,  # code of the levy in the library fee_standards
        "grade": str,
        "amount": int,
        "base": int,
        "period": str,
        "approver": str,
    },
    NOTIFIED: {"due_day": int},
    OBJECTION: {"objection": int},
    OBJECTION_ANSWERED: {"objection": int},
    RELIEVED: {"amount": int, "legal_basis": str, "approver": str},
    PAID: {"amount": int, "receipt": str},
    DEPOSITED: {"amount": int},
    SURCHARGE: {"amount": int},
    REFUNDED: {"amount": int, "approver": str},
    CLOSED: {},
}

GATHERINGS: Final = (Gathering("payer", (ASSESSED,), by=("applicant", "levy", "period")),)
"""What one payer is assessed for one levy and period."""
