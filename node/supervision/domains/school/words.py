"""What the rules of school fees say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "school",
    """
time.deposit | 上缴时限 | Payment into the account | 所收费用应于{due}前上缴专户，{lapse_zh}。 | What was charged is to be in the account by {due}; {lapse_en}.
time.refund | 退费时限 | Refund | 学生离校后应于{due}前退费，{lapse_zh}。 | The pupil's fees are to be refunded by {due}; {lapse_en}.
time.settle | 代收费结算时限 | Settlement | 服务性收费和代收费应于{due}前结算公布，{lapse_zh}。 | Services are to be settled and made public by {due}; {lapse_en}.
procedure.published | 未公示先收费 | Charged before publication | 收费前未公示。 | It was charged before the fees were made public.
charge.tuition | 义务教育阶段收取学费 | Tuition in compulsory education | 第{nth}笔收费属于义务教育阶段不得收取的费用。 | Charge {nth} must not be taken in compulsory education.
charge.unlisted | 项目不在标准库内 | Unlisted charge | 第{nth}笔收费的项目不在收费标准库内。 | The library of standards does not have charge {nth}.
charge.standard | 超标准收费 | Above the standard | 第{nth}笔收费超过标准。 | Charge {nth} is above its standard.
charge.ahead | 跨学期收费 | Charged ahead | 第{nth}笔收费跨学期收取。 | Charge {nth} is for more than one term.
charge.forced | 强制服务收费 | Service without consent | 第{nth}笔服务性收费未经家长自愿。 | Service charge {nth} was taken without the parents' consent.
charge.teacher | 教师截留 | Kept by a teacher | 第{nth}笔收费由教师自行收取。 | Charge {nth} was kept by a teacher.
charge.receipt | 未开具票据 | No receipt | 第{nth}笔收费未开具票据。 | Charge {nth} has no receipt.
pupil.twice | 重复收费 | Charged twice | 同一学生同一项目同一学期被收费{over}次。 | One pupil was charged {over} times under one code in one term.
""",
)
