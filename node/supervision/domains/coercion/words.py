"""What the rules of coercion say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "coercion",
    """
time.measure | 查封扣押冻结期限 | Length of a measure | 第{nth}项强制措施应于{due}前解除或者处理，{lapse_zh}。 | Measure {nth} is to be lifted or disposed of by {due}; {lapse_en}.
time.report | 紧急措施补办批准 | Approval of an urgent measure | 第{nth}项紧急措施应于{due}前补办批准，{lapse_zh}。 | Urgent measure {nth} is to be approved by {due}; {lapse_en}.
time.deliver | 冻结决定书交付 | Delivery of a freeze | 第{nth}项冻结决定书应于{due}前交付，{lapse_zh}。 | The decision of freeze {nth} is to be delivered by {due}; {lapse_en}.
measure.unapproved | 未经批准采取措施 | Measure without approval | 第{nth}项强制措施未经批准。 | Measure {nth} was taken without approval.
measure.officers | 实施人员不足两人 | One officer alone | 第{nth}项强制措施只有一名执法人员。 | Measure {nth} was taken by one officer.
measure.inventory | 无清单 | No inventory | 第{nth}项查封扣押没有清单。 | Seizure {nth} has no inventory.
measure.fee | 收取保管费用 | Charged for the keeping | 第{nth}项强制措施向当事人收取保管费用。 | The person was charged for the keeping of measure {nth}.
extension.length | 延长超限或未经批准 | Extension | 第{nth}次延长超过三十天或者未经批准。 | Extension {nth} is longer than thirty days or not approved.
demand.absent | 未催告 | No demand before | 未经催告即决定或者实施强制执行。 | Enforcement was decided or carried out without a demand before.
demand.short | 催告不足十日 | Demand too short | 催告后不足十个工作日即申请法院强制执行。 | A court was asked less than ten working days after the demand.
statement.unanswered | 陈述申辩未答复 | Statement left unanswered | 当事人的陈述申辩未复核答复。 | A statement of the person concerned was not answered.
execution.time | 夜间或节假日执行 | Carried out at night or on a holiday | 第{nth}次强制执行在夜间或者法定节假日实施。 | Execution {nth} was at night or on a holiday.
execution.utilities | 停水停电迫使履行 | Utilities cut off | 第{nth}次强制执行以停水停电等方式迫使履行。 | Execution {nth} cut off water, power, heat or gas.
surcharge.cap | 加处超过本金 | Surcharge above the sum | 加处罚款或者滞纳金超过本金。 | The surcharges are more than the sum that is owed.
duty.same_person | 实施与批准为同一人 | Taken and approved by one person | 工作人员{actor}既实施又批准强制措施。 | {actor} both took the measure and approved it.
""",
)
