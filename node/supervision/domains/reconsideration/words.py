"""What the rules of reconsideration say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "reconsideration",
    """
time.acceptance | 受理时限 | Acceptance | 应于{due}前决定是否受理，{lapse_zh}。 | It is to be accepted or refused by {due}; {lapse_en}.
time.correction | 补正通知时限 | Correction asked for | 补正应于{due}前通知，{lapse_zh}。 | A correction was to be asked for by {due}; {lapse_en}.
time.send | 副本发送时限 | Sent on to the agency | 申请书副本应于{due}前发送被申请人，{lapse_zh}。 | It is to be sent on by {due}; {lapse_en}.
time.reply | 被申请人答复时限 | Reply of the agency | 被申请人应于{due}前答复，{lapse_zh}。 | The agency is to reply by {due}; {lapse_en}.
time.decision | 复议决定时限 | Decision | 应于{due}前作出复议决定，{lapse_zh}。 | The decision is due {due}; {lapse_en}.
time.service | 送达时限 | Service | 决定书应于{due}前送达，{lapse_zh}。 | The decision is to be served by {due}; {lapse_en}.
time.performance | 履行时限 | Carrying out | 应于{due}前履行复议决定，{lapse_zh}。 | The decision is to be carried out by {due}; {lapse_en}.
extension.length | 延期不合规 | Extension | 延长超过三十日、未批准、未告知或者用于简易程序。 | The extension is too long, not approved, not told, or in the simplified procedure.
refusal.reason | 不予受理未说明理由 | Refused without a reason | 不予受理而未说明理由。 | It was refused without a reason.
procedure.heard | 未听取意见 | Applicant not heard | 普通程序未听取当事人意见即决定。 | It was decided without hearing the applicant.
procedure.approved | 未经负责人同意 | Not approved | 复议决定未经行政复议机关负责人同意。 | The decision was not approved by the agency's head.
duty.same_person | 承办与批准为同一人 | Prepared and approved by one person | 工作人员{actor}既承办又批准。 | {actor} both prepared and approved the decision.
""",
)
