"""The event vocabulary of openness. A case is one thing to be published, or one request for information.

A matter of the catalogue (公开目录) is known by its code within its agency; how often it must be published is said when it is listed.

Sources: 政府信息公开条例 (2019) §20–§26, §29–§40; 村民委员会组织法 (2018) §30–§32.
"""

from typing import Final

from node.supervision.gathering import Gathering

DOMAIN: Final = "openness"

LISTED: Final = "listed"  # 列入公开目录
MADE: Final = "made"  # 信息形成或者变更
REVIEWED: Final = "reviewed"  # 村务监督委员会审核
CHECKED: Final = "checked"  # 保密审查
PUBLISHED: Final = "published"  # 公开
TAKEN_DOWN: Final = "taken_down"  # 撤下
OBJECTION: Final = "objection"  # 异议
OBJECTION_ANSWERED: Final = "objection_answered"  # 异议答复
REQUEST: Final = "request"  # 公开申请
CORRECTION_ASKED: Final = "correction_asked"  # 要求补正
CORRECTED: Final = "corrected"  # 补正
THIRD_PARTY_ASKED: Final = "third_party_asked"  # 征求第三方意见
THIRD_PARTY_ANSWERED: Final = "third_party_answered"  # 第三方答复
EXTENSION: Final = "extension"  # 延长答复期限
ANSWERED: Final = "answered"  # 答复

TEXTS: Final = frozenset({"reason", "answer"})

KINDS: Final[dict[str, dict[str, type]]] = {
    LISTED: {"matter": str, "every_days": int, "finance": bool},  # every_days: 92 a quarter, 31 a month
    MADE: {"matter": str, "village": bool, "finance": bool, "due_day": int},
    REVIEWED: {"outcome": str},
    CHECKED: {"outcome": str},  # passed, withheld
    PUBLISHED: {"matter": str, "channel": str, "vouchers": bool},
    TAKEN_DOWN: {},
    OBJECTION: {"objection": int},
    OBJECTION_ANSWERED: {"objection": int, "answer": str},
    REQUEST: {"channel": str},
    CORRECTION_ASKED: {"reason": str},
    CORRECTED: {},
    THIRD_PARTY_ASKED: {"third_party": int},
    THIRD_PARTY_ANSWERED: {"third_party": int},
    EXTENSION: {"granted_days": int, "approver": str, "told": bool},
    ANSWERED: {"outcome": str, "reason": str},  # published, partly, refused, not_held
}

GATHERINGS: Final = (Gathering("matter", (LISTED, PUBLISHED), by=("agency", "matter")),)
"""A matter of the catalogue and every time it was published."""
