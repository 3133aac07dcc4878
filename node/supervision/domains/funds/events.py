"""The event vocabulary of public money. A case is one project, or one batch of a subsidy.

Who is paid is the `applicant` of a payment: a handle, the same for the same payee at this node.

Sources: 预算法 (2018) §13, §52, §57, §63; 保障中小企业款项支付条例 (2025) §9, §10; 政府采购法 §41, §49; 审计法 §52; 行政事业单位内部控制规范.
"""

from typing import Final

from node.supervision.gathering import Gathering
from node.supervision.linkage import APPLICANT, Link

DOMAIN: Final = "funds"

BUDGET: Final = "budget"  # 预算批复、下达
RECEIVED: Final = "received"  # 收到上级资金
PASSED_ON: Final = "passed_on"  # 下达、拨付下级
LISTED: Final = "listed"  # 公示
UNLISTED: Final = "unlisted"  # 公示结束
CONTRACT: Final = "contract"  # 合同
ACCEPTANCE: Final = "acceptance"  # 验收
PAYMENT: Final = "payment"  # 支付、发放
BOUNCED: Final = "bounced"  # 退回（卡号有误等）
RESENT: Final = "resent"  # 重新发放
USE: Final = "use"  # 使用情况登记
AUDIT: Final = "audit"  # 审计
ISSUE: Final = "issue"  # 审计问题
RECTIFIED: Final = "rectified"  # 整改
CLOSED: Final = "closed"  # 决算、结清

MONEY: Final = frozenset({"amount"})
TEXTS: Final = frozenset({"reason", "household"})

KINDS: Final[dict[str, dict[str, type]]] = {
    BUDGET: {"amount": int, "project": str},
    RECEIVED: {"amount": int},
    PASSED_ON: {"amount": int, "to_node": str},
    LISTED: {"kind": str},
    UNLISTED: {},
    CONTRACT: {
        "amount": int,
        "payment_days": int,  # within how many days of the acceptance it is to be paid, where they agreed on that
        "small": bool,  # with a small or medium-sized firm; where nobody says, it is one
    },
    ACCEPTANCE: {"outcome": str},  # passed, failed
    PAYMENT: {
        "amount": int,
        "batch": str,  # the subsidy and its period: the same payee must not be in one twice
        "category": str,  # goods, works, services: what a limit is published for
        "approver": str,
        "subsidy": bool,
        "payment": int,  # serial within the case
        "programme": str,  # the subsidy by the code that all nodes have for it,
        "period": str,  # and what it is paid for, 2026 or 2026-05: compared across nodes
        "household": str,  # number of the household register, to the vault
    },
    BOUNCED: {"payment": int, "reason": str},
    RESENT: {"payment": int},
    USE: {"amount": int, "purpose": str, "as_planned": bool},
    AUDIT: {"outcome": str},
    ISSUE: {"issue": int, "amount": int},
    RECTIFIED: {"issue": int},
    CLOSED: {},
}

GATHERINGS: Final = (
    Gathering("payee", (PAYMENT,), by=("applicant", "batch")),
    Gathering("payee_month", (PAYMENT,), by=("agency", "applicant", "category"), monthly=True),
)
"""One payee in one batch; and what one agency pays one payee for one category in a month."""

LINKS: Final = (
    Link(
        "payee",
        PAYMENT,
        roles=(("person", APPLICANT), ("household", "household")),
        groups=(("programme", "period"), ("batch",)),
        undone=(BOUNCED, RESENT),
        serial="payment",
    ),
)
"""Who is paid, and for which household, across nodes."""
