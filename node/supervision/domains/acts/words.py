"""What the rules of the other kinds of acts say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "acts",
    """
time.statutory | 法定办理时限 | Statutory limit | 应于{due}前办结，{lapse_zh}。 | It is due {due}; {lapse_en}.
time.promised | 承诺办理时限 | Promised limit | 承诺于{due}前办结，{lapse_zh}。 | It was promised by {due}; {lapse_en}.
time.payment | 兑付时限 | Payment | 应于{due}前兑付，{lapse_zh}。 | It is to be paid by {due}; {lapse_en}.
time.result | 检查结果告知时限 | Result of an inspection | 第{nth}次检查结果应于{due}前告知，{lapse_zh}。 | The result of visit {nth} is to be told by {due}; {lapse_en}.
refusal.reason | 未说明理由 | No reason given | 作出不利决定而未说明理由。 | It was refused without a reason.
visit.officers | 检查人员不足两人 | One officer alone | 第{nth}次检查只有一名执法人员。 | Visit {nth} was made by one officer.
visit.certificates | 未出示证件 | Certificates not shown | 第{nth}次检查未出示执法证件。 | Certificates were not shown at visit {nth}.
visit.unplanned | 计划外检查 | Outside the plan | 第{nth}次检查不在检查计划内。 | Visit {nth} is outside the plan.
procedure.listing | 公示不足 | Listing too short | 给付或者奖励决定前公示不足七个工作日。 | It was decided without seven working days of listing before.
procedure.heard | 裁决未听取意见 | Parties not heard | 裁决前未听取当事人意见。 | It was adjudicated without hearing the parties.
amount.standard | 金额不符合标准 | Outside the standard | 决定金额不符合标准。 | The amount is outside its standard.
amount.paid | 兑付超过决定金额 | Paid above the decision | 兑付金额超过决定金额。 | More was paid than was decided.
duty.same_person | 承办与批准为同一人 | Decided and approved by one person | 工作人员{actor}既承办又批准。 | {actor} both decided and approved it.
object_month.often | 检查过频 | Inspected too often | 同一对象当月被检查{over}次。 | One object was inspected {over} times in a month.
""",
)
