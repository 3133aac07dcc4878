"""What alerts that no case rule raised say: about a late step, and by hand."""

from typing import Final

from node.supervision.alert import BY_HAND_DOMAIN, LIFE_DOMAIN
from node.supervision.life import Duty
from node.supervision.policy import Words

BY_HAND_RULE: Final = f"{BY_HAND_DOMAIN}.finding"

_LATE: Final = {
    Duty.CONFIRMATION: Words("确认逾期", "Confirmation late", "预警{subject}应于{due}前确认，{lapse_zh}", "Alert {subject} was to be confirmed by {due}: {lapse_en}"),
    Duty.REPLY: Words("说明逾期", "Reply late", "预警{subject}应于{due}前说明或整改，{lapse_zh}", "Alert {subject} was to be answered by {due}: {lapse_en}"),
    Duty.REVIEW: Words("复核逾期", "Review late", "对预警{subject}的说明应于{due}前复核，{lapse_zh}", "The answer to alert {subject} was to be reviewed by {due}: {lapse_en}"),
    Duty.APPEAL_DECISION: Words("申诉裁定逾期", "Appeal decided late", "对预警{subject}的申诉应于{due}前裁定，{lapse_zh}", "The appeal of alert {subject} was to be decided by {due}: {lapse_en}"),
    Duty.ESCALATED_DECISION: Words("上级裁定逾期", "Decision above late", "上报的预警{subject}应于{due}前裁定，{lapse_zh}", "The escalated appeal of alert {subject} was to be decided here by {due}: {lapse_en}"),
}  # fmt: skip
"""By duty. Ground: DOMAIN §2 (reply 3 working days, appeal decided in 5)."""


def rule_of(duty: Duty) -> str:
    """The rule's code."""
    return f"{LIFE_DOMAIN}.{duty}"


WORDS: Final = {
    **{rule_of(duty): words for duty, words in _LATE.items()},
    BY_HAND_RULE: Words(
        "人工发现", "Found by hand", "人工发现的问题（{subject}）", "Something found by hand ({subject})"
    ),
}
"""By rule."""
