"""What the rules of approval say to people, in both languages.

`over` in a text is the number the rule measured: days past the deadline (negative: days before it) for a rule about time, else how
many. `due` is the deadline as a local time.
"""

from typing import Final

from node.supervision.policy import Words

WORDS: Final[dict[str, Words]] = {
    "approval.time.case": Words(
        "办件时限",
        "Time limit of the case",
        "办件期限为{due}，{lapse_zh}。",
        "The case is due {due}; {lapse_en}.",
    ),
    "approval.time.step": Words(
        "环节时限",
        "Time limit of a step",
        "环节{code}的期限为{due}，{lapse_zh}。",
        "Step {code} is due {due}; {lapse_en}.",
    ),
    "approval.time.pause": Words(
        "特别程序时限",
        "Length of a special procedure",
        "第{nth}次特别程序批准至{due}，{lapse_zh}。",
        "Special procedure {nth} was granted until {due}; {lapse_en}.",
    ),
    "approval.time.pre_acceptance": Words(
        "网上预受理时限",
        "Time limit of online pre-acceptance",
        "网上申请应于{due}前预受理，{lapse_zh}。",
        "The online application is to be answered by {due}; {lapse_en}.",
    ),
    "approval.time.tier": Words(
        "本级办理时限",
        "Time at this tier",
        "本级办理期限为{due}，{lapse_zh}。",
        "The case is due to leave this tier by {due}; {lapse_en}.",
    ),
    "approval.time.issue": Words(
        "证照送达时限",
        "Issue of the certificate",
        "证照应于{due}前送达，{lapse_zh}。",
        "The certificate is to be issued by {due}; {lapse_en}.",
    ),
    "approval.time.joint": Words(
        "联合办理时限",
        "Time limit of joint handling",
        "联合办理应于{due}前办结，{lapse_zh}。",
        "Joint handling is due {due}; {lapse_en}.",
    ),
    "approval.time.share": Words(
        "联办部门时限",
        "A joint agency's own share",
        "第{nth}项联办任务应于{due}前回复，{lapse_zh}。",
        "Joint share {nth} is due {due}; {lapse_en}.",
    ),
    "approval.time.urge": Words(
        "催办回复时限",
        "Answer to an urging",
        "第{nth}次催办应于{due}前回复，{lapse_zh}。",
        "Urging {nth} is to be answered by {due}; {lapse_en}.",
    ),
    "approval.urge.repeated": Words(
        "多次催办",
        "Urged again and again",
        "已第{nth}次催办。",
        "The case was urged for time {nth}.",
    ),
    "approval.extension.long": Words(
        "延期超过法定天数",
        "Extended beyond the law",
        "延长期限超过法律允许的天数（一般十日，联合办理十五日）。",
        "The extension is longer than the law allows (ten days, handled jointly fifteen).",
    ),
    "approval.listing.limit": Words(
        "目录时限超过法定",
        "Listed limit longer than the law's",
        "事项{item}在实施清单中的法定时限超过二十个工作日，且未注明依据。",
        "Item {item} is listed with more than twenty working days and names no law for it.",
    ),
    "approval.listing.promise": Words(
        "承诺时限长于法定时限",
        "Promise longer than the law",
        "事项{item}的承诺时限长于法定时限。",
        "Item {item} promises a longer time than its statutory limit.",
    ),
    "approval.listing.fee": Words(
        "收费标准无依据",
        "Listed fee without a basis",
        "事项{item}列有收费标准而无收费依据。",
        "Item {item} lists a fee without a basis.",
    ),
    "approval.listing.procedure": Words(
        "特别程序无法律依据",
        "Listed special procedure without law",
        "事项{item}列有法律未规定的特别程序。",
        "Item {item} lists a special procedure that no law names.",
    ),
    "approval.procedure.order": Words(
        "环节顺序颠倒",
        "Step out of order",
        "环节{code}早于其前置环节完成。",
        "Step {code} was done before a step that it must come after.",
    ),
    "approval.procedure.skipped": Words(
        "环节缺失",
        "Step skipped",
        "办件已办结，但未经环节{code}。",
        "The case was completed without step {code}.",
    ),
    "approval.procedure.authority": Words(
        "越权办理",
        "Step without authority",
        "工作人员{actor}无权办理环节{code}。",
        "Officer {actor} has no authority for step {code}.",
    ),
    "approval.procedure.same_person": Words(
        "承办与批准为同一人",
        "Handled and approved by one person",
        "工作人员{actor}既承办又批准该办件。",
        "Officer {actor} both handled and approved the case.",
    ),
    "approval.procedure.before_acceptance": Words(
        "未受理先办结",
        "Completed before acceptance",
        "办件在受理之前办结，或没有受理记录。",
        "The case was completed before it was accepted, or without any acceptance.",
    ),
    "approval.procedure.unlisted": Words(
        "清单外事项",
        "Item not in the catalogue",
        "事项{item}当日不在实施清单内。",
        "Item {item} was not in the catalogue on that day.",
    ),
    "approval.fee.unlawful": Words(
        "违规收费",
        "Unlawful fee",
        "实收费用与标准不符，或收费无依据。",
        "What was charged is not the standard fee, or no basis was given.",
    ),
    "approval.correction.repeated": Words(
        "未一次性告知",
        "Corrections not told at once",
        "第{nth}次告知补正，应一次性告知。",
        "Missing materials were told for time {nth}; they are to be told at once.",
    ),
    "approval.correction.late": Words(
        "补正告知逾期",
        "Corrections told late",
        "补正应于{due}前告知，{lapse_zh}；自收到材料之日起即为受理。",
        "What is missing was to be told by {due}; {lapse_en}. The case counts as accepted from the receipt.",
    ),
    "approval.refusal.reason": Words(
        "不予受理或许可未说明理由",
        "Refusal without a reason",
        "不予受理或许可而未说明理由。",
        "The refusal gives no reason.",
    ),
    "approval.result.reason": Words(
        "非正常办结未说明理由",
        "Ended without a reason",
        "办件以退回、作废等方式办结而未说明理由。",
        "The case was returned, voided or ended otherwise without a reason.",
    ),
    "approval.pause.basis": Words(
        "特别程序依据不足",
        "Special procedure without basis",
        "第{nth}次特别程序缺少法律依据或批准人，或不在该事项允许之列。",
        "Special procedure {nth} lacks its law or its approver, or the item does not allow it.",
    ),
    "approval.entered_late": Words(
        "事后补录",
        "Entered late",
        "事件应于{due}前录入，{lapse_zh}。",
        "The event was to be entered by {due}; {lapse_en}.",
    ),
}
