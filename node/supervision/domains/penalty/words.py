"""What the rules of penalties say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "penalty",
    """
time.decision | 处罚决定时限 | Time limit of the decision | 应于{due}前作出处罚决定，{lapse_zh}。 | The decision is due {due}; {lapse_en}.
time.service | 送达时限 | Time limit of service | 处罚决定书应于{due}前送达，{lapse_zh}。 | The decision is to be served by {due}; {lapse_en}.
time.evidence | 先行登记保存时限 | Kept evidence | 第{nth}次先行登记保存应于{due}前处理，{lapse_zh}。 | Evidence kept for time {nth} is to be settled by {due}; {lapse_en}.
time.unpublish | 撤回公开时限 | Withdrawal of a published decision | 决定撤销后应于{due}前撤回公开，{lapse_zh}。 | The revoked decision is to be withdrawn from publication by {due}; {lapse_en}.
interval.decision | 立案至决定超期 | Filing to decision | 立案后逾期{over}天才作出决定。 | It was decided {over} days past the limit from filing.
interval.service | 立案至送达超期 | Filing to service | 立案后逾期{over}天才送达。 | It was served {over} days past the limit from filing.
interval.appeal | 复议申请超期 | Service to appeal | 复议申请超过期限{over}天。 | Reconsideration was asked for {over} days past its time.
limitation | 超过追责时效 | Limitation | 发现违法行为时已超过追责时效。 | The act was discovered after its limitation had run out.
subject.officers | 调查人员不足两人 | One officer alone | 第{nth}次调查只有一名执法人员。 | Investigation {nth} was made by one officer.
subject.certificates | 未出示执法证件 | Certificates not shown | 第{nth}次调查未出示执法证件。 | Certificates were not shown at investigation {nth}.
subject.uncertified | 无执法资格 | No certificate | 第{nth}次调查人员{actor}或其同行无有效执法证件。 | At investigation {nth} officer {actor} or the second one had no certificate in force.
subject.same_person | 调查与决定为同一人 | Investigated and decided by one person | 工作人员{actor}既调查又决定。 | Officer {actor} both investigated and decided.
subject.presider | 调查人主持听证 | Hearing held by the investigator | 听证由本案调查人员{actor}主持。 | The hearing was held by officer {actor}, who investigated.
procedure.notice | 未事先告知 | No notice before the decision | 作出处罚决定前未告知。 | The decision was made without notice before it.
procedure.hearing_offer | 未告知听证权 | No hearing offered | 重大处罚未告知听证权利。 | A major penalty was announced without offering a hearing.
procedure.hearing | 应听证而未听证 | Hearing not held | 当事人要求听证，未听证即作出决定。 | A hearing was asked for, and it was decided without one.
procedure.hearing_notice | 听证通知不足七个工作日 | Hearing announced too late | 听证前通知不足七个工作日。 | The hearing was announced less than seven working days before.
procedure.review | 未经法制审核 | No legal review | 重大处罚决定未经法制审核。 | A major penalty was decided without legal review.
procedure.collective | 未集体讨论 | Not decided together | 重大处罚未经负责人集体讨论决定。 | A major penalty was not decided by the heads together.
procedure.order | 环节顺序颠倒 | Out of order | 处罚决定早于立案或者调查。 | It was decided before it was filed or investigated.
procedure.statement | 陈述申辩未答复 | Statement left unanswered | 第{nth}次陈述申辩未复核答复。 | Statement {nth} of the person concerned was not answered.
substance.cause | 擅自变更案由 | Cause changed | 处罚案由与立案不符，且无批准。 | It was decided for another act than filed, without an approved change.
substance.dropped | 撤案理由或批准缺失 | Dropped without reason or approval | 撤销案件未说明理由或者未经批准。 | The case was dropped without a reason or without approval.
discretion.unfiled | 裁量档次未备案 | Unfiled grade | 该违法行为的裁量档次不在裁量基准库内。 | The discretion library does not have this grade for the act.
discretion.range | 超出裁量幅度 | Out of range | 罚款数额超出裁量基准。 | The fine is outside what the grade allows.
surcharge.cap | 加处罚款超过本数 | Surcharge above the fine | 加处罚款超过罚款数额。 | The surcharges are more than the fine itself.
surcharge.rate | 加处罚款超过日百分之三 | Surcharge above the rate | 加处罚款超过每日百分之三。 | The surcharges are more than three in a hundred a day.
collection.unserved | 未送达未缴清 | Never served, not paid up | 决定书寄出后至{due}未送达，罚款未缴清。 | Sent, not served by {due}, and not paid up.
collection.unpaid | 逾期未缴 | Not paid in time | 罚款应于{due}前缴清，{lapse_zh}。 | The fine is to be paid by {due}; {lapse_en}.
collection.enforcement | 未及时申请强制执行 | Enforcement not asked for | 应于{due}前申请强制执行，{lapse_zh}。 | Enforcement is to be asked for by {due}; {lapse_en}.
""",
)
