"""The event vocabulary of administrative reconsideration.

Source: 行政复议法 (2023, in force 2024-01-01) §20, §30–§33, §48–§54, §62, §75–§78.
"""

from typing import Final

DOMAIN: Final = "reconsideration"

APPLIED: Final = "applied"  # 申请
CORRECTION_ASKED: Final = "correction_asked"  # 补正通知
CORRECTED: Final = "corrected"  # 补正
ACCEPTED: Final = "accepted"  # 受理
REFUSED: Final = "refused"  # 不予受理
SENT_ON: Final = "sent_on"  # 副本送被申请人
REPLIED: Final = "replied"  # 被申请人答复
HEARD: Final = "heard"  # 听取意见、听证
SUSPENDED: Final = "suspended"  # 中止
RESUMED: Final = "resumed"  # 恢复审理
EXTENDED: Final = "extended"  # 延长
DECIDED: Final = "decided"  # 复议决定
ENDED: Final = "ended"  # 终止、调解、撤回
SERVED: Final = "served"  # 送达
CARRIED_OUT: Final = "carried_out"  # 履行
ORDERED: Final = "ordered"  # 责令履行

TEXTS: Final = frozenset({"reason"})

KINDS: Final[dict[str, dict[str, type]]] = {
    APPLIED: {"against": str},  # agency whose act is contested
    CORRECTION_ASKED: {"reason": str},
    CORRECTED: {},
    ACCEPTED: {"simple": bool},  # the simplified procedure (§53)
    REFUSED: {"reason": str},
    SENT_ON: {},
    REPLIED: {},
    HEARD: {"second_officer": str},
    SUSPENDED: {"suspension": int, "reason": str},
    RESUMED: {"suspension": int},
    EXTENDED: {"granted_days": int, "approver": str, "told": bool},
    DECIDED: {
        "outcome": str,
        "approver": str,
        "collective": bool,  # passed by the heads together (§61)
        "written": bool,  # on paper alone, for a reason that lies with the parties (§49)
        "perform_day": int,
    },  # upheld, changed, revoked, unlawful, ordered
    ENDED: {"reason": str},
    SERVED: {},
    CARRIED_OUT: {},
    ORDERED: {},
}
