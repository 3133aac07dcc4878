"""What the rules of openness say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "openness",
    """
time.publish | 主动公开时限 | Publication | 应于{due}前公开，{lapse_zh}。 | It is to be published by {due}; {lapse_en}.
time.answer | 依申请公开答复时限 | Answer to a request | 应于{due}前答复，{lapse_zh}。 | The request is to be answered by {due}; {lapse_en}.
time.correction | 补正告知时限 | Correction asked for | 补正应于{due}前告知，{lapse_zh}。 | A correction was to be asked for by {due}; {lapse_en}.
time.third_party | 第三方意见逾期 | Third party silent | 第{nth}次征求第三方意见应于{due}前答复，{lapse_zh}。 | Third party {nth} was to answer by {due}; {lapse_en}.
time.objection | 异议答复时限 | Objection | 第{nth}次异议应于{due}前答复，{lapse_zh}。 | Objection {nth} is to be answered by {due}; {lapse_en}.
extension.length | 延期超限、未批准或未告知 | Extension | 延长超过二十个工作日、未经批准或者未告知申请人。 | More than twenty working days on top, not approved or not told.
correction.repeated | 未一次性要求补正 | Corrections not asked for at once | 要求补正{over}次。 | A correction was asked for {over} times.
refusal.reason | 不予公开未说明理由 | Refused without a reason | 不予公开而未说明理由。 | It was refused without a reason.
display.short | 公示时间不足 | Shown too short | 村务公开不足五天。 | The village's matter was shown less than five days.
display.vouchers | 财务公开无凭证 | No vouchers | 村级财务公开未附凭证。 | The village's finances were published without vouchers.
procedure.committee | 未经村务监督委员会审核 | No review by the committee | 村务公开前未经村务监督委员会审核。 | It was published without the supervision committee's review.
procedure.secrecy | 未经保密审查 | No check for secrets | 公开前未经保密审查，或者违反审查结论。 | It was published without the check for secrets, or against it.
duty.same_person | 审核与公开为同一人 | Reviewed and published by one person | 工作人员{actor}既审核又公开。 | {actor} both reviewed and published.
matter.due | 未按期公开 | Matter due | 该事项应于{due}前再次公开，{lapse_zh}。 | The matter is to be published again by {due}; {lapse_en}.
""",
)
