"""The event vocabulary of complaints. A case is one matter that somebody raised, on whatever channel; the `applicant` is who raised it.

A rating (好差评) that is bad opens a case of its own on the channel `rating`.

Sources: 信访工作条例 (2022) §22–§36; 国办发〔2020〕53号 (12345); 国办发〔2019〕51号 (好差评).
"""

from typing import Final

from node.supervision.gathering import Gathering

DOMAIN: Final = "complaint"

RECEIVED: Final = "received"  # 收到
REGISTERED: Final = "registered"  # 登记并告知是否受理
REJECTED: Final = "rejected"  # 不予受理
TRANSFERRED: Final = "transferred"  # 转送、交办
SIGNED: Final = "signed"  # 签收
EXTENSION: Final = "extension"  # 延期
ANSWERED: Final = "answered"  # 答复
CALLED_BACK: Final = "called_back"  # 回访
REVIEW_ASKED: Final = "review_asked"  # 请求复查
REVIEW_ANSWERED: Final = "review_answered"  # 复查意见
SECOND_ASKED: Final = "second_asked"  # 请求复核
SECOND_ANSWERED: Final = "second_answered"  # 复核意见
ESCALATED: Final = "escalated"  # 提级
RATED: Final = "rated"  # 评价（好差评）
RECTIFIED: Final = "rectified"  # 整改
CLOSED: Final = "closed"  # 办结

TEXTS: Final = frozenset({"reason", "answer"})

KINDS: Final[dict[str, dict[str, type]]] = {
    RECEIVED: {
        "channel": str,  # petition, hotline, window, website, rating
        "subject": str,  # code of the matter
        "about": str,  # the agency complained of
        "sort": str,  # suggestion, accusation, appeal (信访工作条例 §29–§31)
    },
    REGISTERED: {"accepted": bool},
    REJECTED: {"reason": str},
    TRANSFERRED: {"to_agency": str},
    SIGNED: {},
    EXTENSION: {"granted_days": int, "approver": str},
    ANSWERED: {
        "answer": str,
        "substantive": bool,  # it says what was found and done
        "fingerprint": str,  # the same for an answer and copies of it; the door fills it in where the text comes
    },
    CALLED_BACK: {"reached": bool, "satisfied": bool},
    REVIEW_ASKED: {},
    REVIEW_ANSWERED: {},
    SECOND_ASKED: {},
    SECOND_ANSWERED: {},
    ESCALATED: {"to_node": str},
    RATED: {"score": int},  # 1 very satisfied … 5 very dissatisfied
    RECTIFIED: {},
    CLOSED: {},
}

COPIES: Final = {ANSWERED: ("answer", "fingerprint")}
"""The text of an answer, and what says that it is a copy of another."""

GATHERINGS: Final = (
    Gathering("complainant", (RECEIVED,), by=("applicant", "subject")),
    Gathering("answer", (ANSWERED,), by=("agency", "fingerprint")),
    Gathering("agency_month", (RATED,), by=("agency",), monthly=True),
)
"""Who raises one matter again and again; answers that are copies of each other; an agency's ratings of a month."""
