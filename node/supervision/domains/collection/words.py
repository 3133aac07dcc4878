"""What the rules of collection say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "collection",
    """
time.payment | 缴款期限 | Day of payment | 应于{due}前缴清，{lapse_zh}。 | It is to be paid by {due}; {lapse_en}.
time.deposit | 入库时限 | Payment into the treasury | 所收款项应于{due}前缴入国库或者财政专户，{lapse_zh}。 | What was paid is to be in the treasury by {due}; {lapse_en}.
time.objection | 异议答复时限 | Objection | 第{nth}次异议应于{due}前答复，{lapse_zh}。 | Objection {nth} is to be answered by {due}; {lapse_en}.
levy.unlisted | 项目不在目录内 | Unlisted levy | 征收项目不在收费标准库内。 | The library of standards does not have this levy.
levy.standard | 超标准征收 | Outside the standard | 核定金额不符合标准。 | It was assessed outside the standard.
levy.overpaid | 多收未退 | Too much taken | 多收的款项未退付。 | More was taken than is owed, and not refunded.
relief.basis | 违规减免 | Relief without basis | 减免没有依据或者未经批准。 | It was relieved without law or approval.
receipt.absent | 未开具票据 | No receipt | 收款未开具财政票据。 | A payment has no receipt.
surcharge.cap | 滞纳金超过本金 | Surcharge above the sum | 滞纳金超过本金。 | The surcharges are more than the sum that is owed.
procedure.notice | 未通知先收款 | Taken without notice | 未发缴款通知即收款。 | It was taken without a notice before.
duty.same_person | 核定与批准为同一人 | Assessed and approved by one person | 工作人员{actor}既核定又批准。 | {actor} both assessed and approved it.
payer.twice | 重复征收 | Assessed twice | 同一缴款人同一项目同一期间被核定{over}次。 | One payer was assessed {over} times for one levy and period.
""",
)
