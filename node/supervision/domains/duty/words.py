"""What the rules of duty say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "duty",
    """
time.open | 立案时限 | Opening of a case | 采集的信息应于{due}前立案，{lapse_zh}。 | What was reported is to be opened by {due}; {lapse_en}.
time.dispatch | 派遣时限 | Dispatch | 案卷应于{due}前派遣，{lapse_zh}。 | The case is to be dispatched by {due}; {lapse_en}.
time.handle | 处置时限 | Handling | 第{nth}次派遣的任务应于{due}前处置，{lapse_zh}。 | The task of dispatch {nth} is to be handled by {due}; {lapse_en}.
time.feedback | 反馈时限 | Reporting back | 处置结果应于{due}前反馈，{lapse_zh}。 | What was handled is to be reported back by {due}; {lapse_en}.
time.close | 结案时限 | Closing | 核查通过后应于{due}前结案，{lapse_zh}。 | It passed its verification and is to be closed by {due}; {lapse_en}.
time.verify | 核查时限 | Verification | 处置结果应于{due}前核查，{lapse_zh}。 | It is to be verified by {due}; {lapse_en}.
procedure.order | 环节顺序颠倒 | Out of order | 未派遣先处置，或者未处置先结案。 | It was handled before it was dispatched, or closed before it was handled.
procedure.verify | 未核查即结案 | Closed unverified | 未经核查通过即结案。 | It was closed without a verification that it passed.
duty.same_person | 处置与核查为同一人 | Handled and verified by one person | 工作人员{actor}既处置又核查。 | {actor} both handled and verified.
dispatch.round | 多次派遣 | Dispatched on and on | 已派遣{over}次。 | It was dispatched {over} times.
visit.officers | 检查人员不足两人 | One officer alone | 第{nth}次检查只有一名执法人员。 | Inspection {nth} was made by one officer.
object.missed | 未按期检查 | Inspection missed | 该对象应于{due}前检查，{lapse_zh}。 | The object is to be inspected by {due}; {lapse_en}.
object.open | 隐患未整改 | Not put right | 检查发现的问题应于{due}前整改，{lapse_zh}。 | What was found is to be put right by {due}; {lapse_en}.
cell.missed | 未按期巡查 | Patrol missed | 该网格应于{due}前巡查，{lapse_zh}。 | The cell is to be walked by {due}; {lapse_en}.
""",
)
