"""What the rules of investment say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "investment",
    """
time.completion | 完工期限 | Completion | 应于{due}前完工，{lapse_zh}。 | It is due {due}; {lapse_en}.
time.milestone | 形象进度期限 | Milestone | 节点{code}应于{due}前完成，{lapse_zh}。 | Milestone {code} is due {due}; {lapse_en}.
time.start | 开工期限 | Start of works | 应于{due}前开工，{lapse_zh}。 | It is to be begun by {due}; {lapse_en}.
time.record | 验收备案时限 | Record of the acceptance | 竣工验收应于{due}前备案，{lapse_zh}。 | The acceptance is to be put on record by {due}; {lapse_en}.
time.accounts | 竣工决算时限 | Final accounts | 竣工财务决算应于{due}前编报，{lapse_zh}。 | The final accounts are due {due}; {lapse_en}.
procedure.feasibility | 未批可研先批概算 | No feasibility study | 未批复可行性研究即批复概算。 | The budget was approved without a feasibility study before.
procedure.permit | 未取得施工许可开工 | Begun without a permit | 未取得施工许可即开工。 | It was begun without a construction permit.
procedure.acceptance | 未验收即移交 | Handed over unaccepted | 未经竣工验收即移交使用。 | It was handed over without acceptance.
procedure.order | 未批概算先开工 | Begun before its budget | 概算未批复即开工。 | It was begun before its budget was approved.
amount.estimate | 概算超估算百分之十 | Budget above the estimate | 批复概算超过估算的百分之一百一十。 | The budget is more than a tenth above the estimate.
amount.budget | 超概算拨付 | Paid above the budget | 拨付总额超过概算。 | More was paid than the budget has.
amount.accounts | 决算超概算 | Accounts above the budget | 竣工决算超过概算。 | The final accounts are above the budget.
change.approver | 设计变更未批准 | Change not approved | 第{nth}次设计变更未经批准。 | Change {nth} of the design was not approved.
change.total | 变更超百分之十未调概 | Changes without adjustment | 变更总额超过概算百分之十而未调整概算。 | The changes are more than a tenth of the budget, which was not adjusted.
duty.same_person | 经办与审批为同一人 | Handled and approved by one person | 工作人员{actor}既经办又审批第{nth}笔拨付。 | {actor} both handled and approved payment {nth}.
""",
)
