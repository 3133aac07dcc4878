"""What the rules of directives say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "directive",
    """
time.sign | 签收时限 | Signing for it | 应于{due}前签收，{lapse_zh}。 | It is to be signed for by {due}; {lapse_en}.
time.whole | 办理期限 | Day of the directive | 应于{due}前完成，{lapse_zh}。 | It is due {due}; {lapse_en}.
time.milestone | 节点期限 | Milestone | 节点{code}应于{due}前完成，{lapse_zh}。 | Milestone {code} is due {due}; {lapse_en}.
time.progress | 长期无进展反馈 | No word of progress | 应于{due}前反馈进展，{lapse_zh}。 | Word of progress was due {due}; {lapse_en}.
quality.poor | 办理质量差 | Done poorly | 审核结论为差。 | The review calls it poor.
extension.late | 逾期申请延期 | Extension asked for too late | 期限届满后才申请延期。 | The extension was asked for after the day it was due.
extension.repeated | 多次延期 | Extended again | 已延期{over}次。 | It was extended {over} times.
extension.approver | 延期未经批准 | Extension without approval | 延期未经批准。 | It was extended without approval.
procedure.review | 未审核即办结 | Closed without review | 未经审核即办结。 | It was closed without a review.
duty.same_person | 反馈与审核为同一人 | Reported and reviewed by one person | 工作人员{actor}既反馈又审核。 | {actor} both reported and reviewed it.
""",
)
