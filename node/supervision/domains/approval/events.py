"""The event vocabulary of administrative approval: which kinds there are and which attributes each may carry.

It is the contract between the door (which rejects an unknown kind and drops an unknown attribute), the import
mappings and the fold. Attribute types are ``int`` (days, 分, microseconds since the epoch, day numbers since
1970-01-01), ``str`` (codes, or digests of free text as ``sha256:<hex>``) and ``bool``.

Sources: 行政许可法 §32 (acceptance, correction), §42 (limits), §45 (what does not count), DOMAIN §4 (the ten messages).
"""

from typing import Final

DOMAIN: Final = "approval"

# Message number of the ten-message exchange (DOMAIN §4) in brackets.
APPLICATION: Final = "application"  # 申办 (0)
PRE_ACCEPTANCE: Final = "pre_acceptance"  # 预受理 (1)
ACCEPTANCE: Final = "acceptance"  # 受理 (2)
REFUSAL: Final = "refusal"  # 不予受理 (2, SLZTDM 2)
CORRECTION_TOLD: Final = "correction_told"  # 补交告知 (7)
CORRECTION_RECEIVED: Final = "correction_received"  # 补交受理 (8)
STEP: Final = "step"  # 审批 (3): the step named by `step` was finished
PAUSE: Final = "pause"  # 特别程序申请 (5)
RESUME: Final = "resume"  # 特别程序结果 (6)
FEE: Final = "fee"  # SFJE: money was charged
JOINT_ASKED: Final = "joint_asked"  # 联合办理: another agency is asked for its share
JOINT_ANSWERED: Final = "joint_answered"
URGED: Final = "urged"  # 催办
URGE_ANSWERED: Final = "urge_answered"
HANDED_OVER: Final = "handed_over"  # to the node named by `to_node`
SIGNED_FOR: Final = "signed_for"  # the receiving node signs for a case handed over or returned
RETURNED: Final = "returned"  # sent back to the node it came from
COMPLETION: Final = "completion"  # 办结 (4)
CERTIFIED: Final = "certified"  # 证照颁发、送达: it is out, whenever it is collected
COLLECTION: Final = "collection"  # 领取登记 (9)

# What a clock, stated by the source itself, may say. A stated due wins over a stated limit, a stated limit over the
# catalogue's. `*_due_at` is an instant; `*_due_day` a day and runs to that day's end in the event's zone.
_LIMITS: Final[dict[str, type]] = {
    "statutory_days": int,
    "statutory_unit": str,  # "working", "natural", "hour"
    "statutory_due_at": int,
    "statutory_due_day": int,
    "promised_days": int,
    "promised_unit": str,
    "promised_due_at": int,
    "promised_due_day": int,
}

# A case that arrives from another tier brings what its clocks need.
_CARRIED: Final[dict[str, type]] = {
    "filed_at": int,  # application at the origin
    "accepted_at": int,  # acceptance at the origin, where the whole's clocks start
    "from_node": str,
    "hand_over": int,  # serial of the handing over within the case, from 1
}

# Amounts of money, in 分: whoever states one says in which unit the source counts.
MONEY: Final = frozenset({"amount", "fee_due"})

# Free text: it goes to the vault and leaves a digest.
TEXTS: Final = frozenset({"reason", "opinion", "materials", "notice"})

KINDS: Final[dict[str, dict[str, type]]] = {
    APPLICATION: {"channel": str, **_LIMITS},
    PRE_ACCEPTANCE: {"outcome": str, "reason": str},  # outcome: passed, refused, corrections
    ACCEPTANCE: {"fee_due": int, **_LIMITS},  # fee_due in 分, where the source states the standard fee
    REFUSAL: {"reason": str, "code": str},
    CORRECTION_TOLD: {"materials": str, "count": int},
    CORRECTION_RECEIVED: {"complete": bool},
    STEP: {
        "outcome": str,  # passed, refused, back
        "role": str,  # handle, review, approve; where the catalogue does not say
        "opinion": str,
        "started_at": int,  # when the step began; else when the step before it ended
        "limit_days": int,
        "limit_unit": str,
        "responsible": str,
    },
    PAUSE: {
        "pause": int,  # serial of the pause within the case, from 1
        "kind": str,  # extension, hearing, tender, auction, inspection, testing, quarantine, appraisal, expert_review, notice
        "legal_basis": str,
        "approver": str,
        "granted_days": int,
        "planned_end_day": int,
        "notice": str,  # digest of the written notice to the applicant (§45)
    },
    RESUME: {"pause": int, "outcome": str},
    FEE: {"amount": int, "basis": str},  # 分
    JOINT_ASKED: {
        "joint": int,  # serial of the asking within the case, from 1
        "to_agency": str,
        "limit_days": int,
        "limit_unit": str,
    },
    JOINT_ANSWERED: {"joint": int, "outcome": str, "opinion": str},
    URGED: {"within_days": int, "reason": str},  # working days to answer in
    URGE_ANSWERED: {"opinion": str},
    HANDED_OVER: {"to_node": str, **_CARRIED, **_LIMITS},
    SIGNED_FOR: {**_CARRIED, **_LIMITS},
    RETURNED: {"to_node": str, "reason": str, **_CARRIED},
    COMPLETION: {
        "result": str,  # issued, refused, returned, void, withdrawn, other
        "reason": str,
        "certificate": str,
        "to_issue": bool,  # a certificate is still to be given out, and that will be told
    },
    CERTIFIED: {"certificate": str},
    COLLECTION: {"channel": str},
}
