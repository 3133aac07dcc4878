"""The event vocabulary of administrative penalties.

Sources: 行政处罚法 (2021) §42 (two officers, certificates), §44 (notice), §52 (on the spot), §54 (filing, investigation), §57–58 (decision,
legal review), §60–61 (time, service), §63–64 (hearing), §66–67, §72 (payment, surcharge).
"""

from typing import Final

DOMAIN: Final = "penalty"

FILING: Final = "filing"  # 立案
INVESTIGATION: Final = "investigation"  # 调查取证
EVIDENCE_KEPT: Final = "evidence_kept"  # 先行登记保存
EVIDENCE_SETTLED: Final = "evidence_settled"  # 先行登记保存的处理
NOTICE: Final = "notice"  # 行政处罚事先告知
STATEMENT: Final = "statement"  # 陈述申辩
HEARING_ASKED: Final = "hearing_asked"  # 要求听证
HEARING_TOLD: Final = "hearing_told"  # 听证通知
HEARING: Final = "hearing"  # 听证
LEGAL_REVIEW: Final = "legal_review"  # 法制审核
CAUSE_CHANGED: Final = "cause_changed"  # 案由变更
EXTENSION: Final = "extension"  # 延长办案期限
DECISION: Final = "decision"  # 处罚决定
DISPATCH: Final = "dispatch"  # 决定书寄出
SERVICE: Final = "service"  # 送达
APPEAL: Final = "appeal"  # 申请行政复议
LAWSUIT: Final = "lawsuit"  # 提起行政诉讼
APPEAL_FORWARDED: Final = "appeal_forwarded"  # 复议材料移送
APPEAL_DECIDED: Final = "appeal_decided"  # 复议、诉讼结果
APPEAL_NOTIFIED: Final = "appeal_notified"  # 结果告知
DEFERRAL: Final = "deferral"  # 暂缓或者分期缴纳
PAYMENT: Final = "payment"  # 缴款
SURCHARGE: Final = "surcharge"  # 加处罚款
ENFORCEMENT: Final = "enforcement"  # 申请强制执行
PUBLICATION: Final = "publication"  # 处罚决定公开
PUBLICATION_WITHDRAWN: Final = "publication_withdrawn"  # 撤回公开
REVOKED: Final = "revoked"  # 决定被变更、撤销
DROPPED: Final = "dropped"  # 不予处罚、撤销案件
CLOSED: Final = "closed"  # 结案

# Amounts of money, in 分.
MONEY: Final = frozenset({"amount", "fine", "base", "expense", "fine_total", "paid_total"})

# Free text: it goes to the vault and leaves a digest.
TEXTS: Final = frozenset({"reason", "opinion"})

KINDS: Final[dict[str, dict[str, type]]] = {
    FILING: {
        "procedure": str,  # simple (简易), ordinary (普通), fast
        "act": str,  # code of the unlawful act (违法行为)
        "fine": int,  # where the sum is fixed with the filing
        "found_day": int,  # when the act was discovered
        "act_day": int,  # when it was committed or, where it went on, ended
        "harmful": bool,  # it harmed life, health or financial security: five years instead of two (§36)
    },
    INVESTIGATION: {"second_officer": str, "certificates_shown": bool},
    EVIDENCE_KEPT: {"evidence": int},  # serial within the case
    EVIDENCE_SETTLED: {"evidence": int},
    NOTICE: {"hearing_offered": bool},
    STATEMENT: {"opinion": str, "answered": bool},
    HEARING_ASKED: {},
    HEARING_TOLD: {},
    HEARING: {"presided_by": str},
    LEGAL_REVIEW: {"outcome": str},
    CAUSE_CHANGED: {"act": str, "reason": str, "approver": str},
    EXTENSION: {"granted_days": int, "approver": str},
    DECISION: {
        "act": str,
        "grade": str,  # discretion grade (裁量档次)
        "fine": int,
        "base": int,  # what a fine by ratio is a ratio of (货值金额, 违法所得)
        "approver": str,
        "collective": bool,  # decided by the heads together (集体讨论)
        "major": bool,  # of the kind that needs a hearing to be offered (§63) and legal review (§58)
        "legal_basis": str,
    },
    DISPATCH: {"expense": int},
    SERVICE: {"means": str},  # direct, post, publication …
    APPEAL: {},
    LAWSUIT: {},
    APPEAL_FORWARDED: {},
    APPEAL_DECIDED: {"outcome": str},
    APPEAL_NOTIFIED: {},
    DEFERRAL: {"until_day": int, "approver": str},
    PAYMENT: {"amount": int, "paid_total": int, "means": str},  # paid_total: all that was paid so far
    SURCHARGE: {"amount": int, "fine_total": int},  # fine_total: what is owed from then on, without expenses
    ENFORCEMENT: {},
    PUBLICATION: {},
    PUBLICATION_WITHDRAWN: {},
    REVOKED: {"reason": str},
    DROPPED: {"reason": str, "approver": str},
    CLOSED: {"result": str},
}
