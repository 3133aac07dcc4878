"""What the rules of complaints say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "complaint",
    """
time.register | 受理告知时限 | Registration | 应于{due}前告知是否受理，{lapse_zh}。 | Whether it is taken up is to be told by {due}; {lapse_en}.
time.answer | 办理时限 | Time limit of the answer | 应于{due}前答复，{lapse_zh}。 | It is to be answered by {due}; {lapse_en}.
time.promised | 承诺办理时限 | Promised answer | 承诺于{due}前答复，{lapse_zh}。 | The answer was promised by {due}; {lapse_en}.
time.review | 复查时限 | Review | 复查意见应于{due}前作出，{lapse_zh}。 | The review is to be answered by {due}; {lapse_en}.
time.second | 复核时限 | Second review | 复核意见应于{due}前作出，{lapse_zh}。 | The second review is to be answered by {due}; {lapse_en}.
time.sign | 签收时限 | Transfer not signed for | 第{nth}次转送应于{due}前签收，{lapse_zh}。 | Transfer {nth} is to be signed for by {due}; {lapse_en}.
time.call_back | 差评回访时限 | Call back after a bad rating | 差评应于{due}前回访，{lapse_zh}。 | The bad rating is to be called back by {due}; {lapse_en}.
time.rectify | 差评整改时限 | Bad rating to be put right | 差评应于{due}前整改，{lapse_zh}。 | The bad rating is to be put right by {due}; {lapse_en}.
extension.length | 延期超限或未经批准 | Extension too long or not approved | 延期超过三十天或者未经批准。 | More than thirty days were granted on top, or nobody approved it.
reject.reason | 不予受理未说明理由 | Rejected without a reason | 不予受理而未说明理由。 | It was rejected without saying why.
transfer.about | 转给被投诉部门 | Passed on to whom it is about | 第{nth}次转送将投诉转给了被投诉部门。 | Transfer {nth} went to the agency complained of.
transfer.round | 多次转送 | Passed on and on | 已转送{over}次。 | It was passed on {over} times.
answer.empty | 敷衍答复 | Empty answer | 第{nth}次答复没有实质内容。 | Answer {nth} says nothing of substance.
answer.dissatisfied | 不满意仍办结 | Closed over dissatisfaction | 回访不满意，未整改即办结。 | Who was called back was not satisfied, and it was closed with nothing put right.
review.same_person | 复查与答复为同一人 | Reviewed by who answered | 工作人员{actor}既答复又复查。 | Officer {actor} both answered and reviewed.
complainant.repeated | 重复投诉 | Raised again and again | 同一人就同一事项投诉{over}次。 | One person raised one matter {over} times.
answer.copied | 答复雷同 | Copied answers | 同一答复用于{over}件投诉。 | One answer was given in {over} cases.
agency_month.bad | 当月差评过多 | Many bad ratings | 当月差评{over}次。 | {over} bad ratings in a month.
""",
)
