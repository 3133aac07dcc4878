"""What the rules of public trading say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "trading",
    """
period.documents | 招标文件发售期不足 | Documents offered too short | 招标文件发售期不足五日。 | The tender documents were offered less than five days.
period.procurement | 采购文件提供期不足 | Documents offered too short | 采购文件提供期限不足五个工作日。 | The procurement documents were offered less than five working days.
period.bids | 投标准备期不足 | Too short to prepare bids | 自文件发出或公告至截止不足二十日。 | There were less than twenty days to prepare bids.
period.property | 产权转让公告期不足 | Notice too short | 产权转让信息披露不足二十个工作日。 | The notice was shorter than twenty working days.
period.change | 临近开标修改文件 | Documents changed too late | 开标前不足十五日修改文件。 | The documents were changed less than fifteen days before the opening.
period.candidates | 候选人公示不足 | Candidates published too short | 中标候选人公示不足三日，或者未公示即定标。 | The candidates were published less than three days, or not before the award.
period.single_source | 单一来源公示不足 | Single source not listed | 单一来源采购公示不足五个工作日。 | The single source was not listed for five working days.
time.candidates | 候选人公示时限 | Publication of candidates | 中标候选人应于{due}前公示，{lapse_zh}。 | The candidates are to be published by {due}; {lapse_en}.
time.objection | 异议答复时限 | Objection | 第{nth}次异议应于{due}前答复，{lapse_zh}。 | Objection {nth} is to be answered by {due}; {lapse_en}.
time.query | 质疑答复时限 | Query | 第{nth}次质疑应于{due}前答复，{lapse_zh}。 | Query {nth} is to be answered by {due}; {lapse_en}.
time.complaint | 投诉处理时限 | Complaint | 第{nth}次投诉应于{due}前处理，{lapse_zh}。 | Complaint {nth} is to be decided by {due}; {lapse_en}.
time.contract | 签订合同时限 | Contract | 应于{due}前签订合同，{lapse_zh}。 | The contract is due {due}; {lapse_en}.
time.deposit | 退还保证金时限 | Deposits | 保证金应于{due}前退还，{lapse_zh}。 | The deposits are to be returned by {due}; {lapse_en}.
time.deposit_procurement | 采购保证金退还时限 | Return of a procurement's deposits | 采购保证金应于{due}前退还，{lapse_zh}。 | The deposits of the procurement are to be returned by {due}; {lapse_en}.
time.report | 评标报告送达时限 | Report of the evaluation | 评标报告应于{due}前送达，{lapse_zh}。 | The report is to be handed over by {due}; {lapse_en}.
time.award | 定标时限 | Award | 应于{due}前确定中标人，{lapse_zh}。 | It is to be awarded by {due}; {lapse_en}.
time.result | 结果公告时限 | Publication of the result | 结果应于{due}前公告，{lapse_zh}。 | The result is to be published by {due}; {lapse_en}.
time.contract_notice | 合同公告时限 | Publication of the contract | 合同应于{due}前公告，{lapse_zh}。 | The contract is to be published by {due}; {lapse_en}.
time.land_result | 土地出让结果公布时限 | Result of a land sale | 出让结果应于{due}前公布，{lapse_zh}。 | The result of the land sale is to be published by {due}; {lapse_en}.
time.medicine | 药品回款时限 | Payment of medicines | 药款应于{due}前支付，{lapse_zh}。 | The medicines are to be paid by {due}; {lapse_en}.
procedure.few_bidders | 投标人不足三家 | Fewer than three bidders | 投标人不足三家而定标。 | It was awarded with fewer than three bidders.
procedure.committee | 评标委员会组成不合规 | Committee | 评标委员会人数或者外部专家比例不符合规定。 | The committee has too few, an even number of, or too few outside members.
procedure.draw | 未随机抽取专家 | No draw of experts | 评标前没有专家抽取记录。 | It was evaluated without a draw of experts before.
procedure.redrawn | 多次抽取专家 | Experts drawn again | 已抽取专家{over}次。 | Experts were drawn {over} times.
award.rank | 未按排名定标 | Not the first candidate | 中标人不是排名第一的候选人。 | It was awarded to another than the first candidate.
award.estimate | 超预算定标 | Above the estimate | 中标金额超过预算或者控制价。 | It was awarded above the estimate.
contract.amount | 合同金额与中标不符 | Contract unlike the award | 合同金额与中标金额不一致。 | It was contracted for another amount than awarded.
contract.supplement | 补充合同超百分之十 | Supplements above a tenth | 补充合同金额超过原合同的百分之十。 | The supplements are more than a tenth of the contract.
machine.shared | 投标文件同源 | Bids made on one machine | {over}家投标人的投标文件出自同一设备。 | The bids of {over} bidders were made on one machine.
bidder.companion | 疑似陪标 | Always a loser | 投标{over}次从未中标。 | It bid {over} times and never won.
buyer_month.favoured | 同一采购人集中中标 | One buyer, one winner | 当月在同一采购人处中标{over}次。 | One buyer awarded it {over} projects in a month.
""",
)
