"""What the rules of public money say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "funds",
    """
time.pass_on | 资金下达时限 | Passing on of money | 收到的资金应于{due}前下达，{lapse_zh}。 | The money is to be passed on by {due}; {lapse_en}.
time.payment | 验收后支付时限 | Payment after acceptance | 验收后应于{due}前支付，{lapse_zh}。 | It is to be paid by {due}; {lapse_en}.
time.resend | 退回资金重发时限 | Money that came back | 第{nth}笔退回资金应于{due}前重新发放，{lapse_zh}。 | Payment {nth} that came back is to be sent again by {due}; {lapse_en}.
time.rectify | 审计整改时限 | Audit issue | 第{nth}个审计问题应于{due}前整改，{lapse_zh}。 | Audit issue {nth} is to be put right by {due}; {lapse_en}.
amount.budget | 超预算支付 | Paid above the budget | 支付总额超过预算。 | More was paid than the budget has.
amount.contract | 超合同金额支付 | Paid above the contract | 支付总额超过合同金额的百分之一百一十。 | More was paid than the contract and a tenth.
amount.passed_on | 超预算下达 | Passed on above the budget | 下达金额超过预算。 | More was passed on than the budget has.
procedure.acceptance | 未验收即结清 | Closed without acceptance | 项目未经验收即结清。 | The project was closed without acceptance.
procedure.paid_first | 验收前支付 | Paid before acceptance | 验收前已支付合同价款的九成以上。 | Nine tenths of the contract were paid before acceptance.
procedure.listing | 补贴未公示或公示不足 | Listing too short | 补贴发放前公示不足七个工作日。 | The subsidy was paid without seven working days of listing before.
procedure.audit | 未经审计即结清 | Closed without audit | 项目未经审计即结清。 | The project was closed without an audit.
procedure.purpose | 擅自改变用途 | Used otherwise | 资金未按计划用途使用。 | The money was used otherwise than planned.
duty.same_person | 经办与审批为同一人 | Handled and approved by one person | 工作人员{actor}既经办又审批第{nth}笔支付。 | Officer {actor} both handled and approved payment {nth}.
payee.twice | 重复发放 | Payee paid twice | 同一收款人在同一批次中被支付{over}次。 | One payee was paid {over} times in one batch.
payee_month.split | 拆分支付 | Split payments | 同一收款人当月多笔支付均低于限额，合计达到限额。 | Payments of a month to one payee are each below the limit and together above it.
""",
)
