"""What the rules of the matching say to people, in both languages.

In a text `nth` is what stands after the colon of the subject (programme and period, tender, node), `over` the measure.
"""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "matching",
    """
payee.twice | 跨节点重复发放 | Payee paid twice at several nodes | 同一收款人在{nth}中由多个节点合计发放{over}次。 | One payee was paid {over} times in {nth}, by more than one node.
payee.deceased | 向已故人员发放 | Paid after death | 收款人死亡登记{over}天后仍有发放。 | A payee was still paid {over} days after the registered death.
household.ceiling | 家庭补贴超标 | Household above its ceiling | 同一家庭在{nth}中合计领取达标准的{over}%。 | One household got {over} % of the ceiling in {nth}.
bidder.same | 投标人疑为同一主体 | Bidders that are one | 项目{nth}中{over}家投标人的法定代表人、账户、保函或者设备相同。 | In {nth} {over} bidders have one legal representative, account, guarantee or machine.
bidder.near | 投标人联系方式相同 | Bidders at one address | 项目{nth}中{over}家投标人的电话或者地址相同。 | In {nth} {over} bidders have one telephone or address.
bidder.competing | 关联企业相互竞标 | Related bidders competing | 两家投标人在{over}个项目中相互竞标，其他项目显示二者关联。 | Two bidders competed in {over} tenders; others show that they belong together.
""",
)
"""By the rule's code. The words of `entered_late`, which every domain has, are among them and not used."""

ROLES: Final[dict[str, tuple[str, str]]] = {
    "person": ("收款人", "payee"),
    "household": ("家庭户", "household"),
    "deaths": ("死亡登记", "register of deaths"),
    "company": ("投标人", "bidder"),
    "representative": ("法定代表人", "legal representative"),
    "phone": ("联系电话", "telephone"),
    "account": ("银行账户", "bank account"),
    "guarantee": ("保函", "bank guarantee"),
    "address": ("地址", "address"),
    "machine": ("投标设备", "machine"),
}
"""What an identifier is called: Chinese, English."""
