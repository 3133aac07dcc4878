"""The event vocabulary of public trading. A case is one project, or one lot of it; the `applicant` of a bid, an award or a contract is the bidder.

Sources: 招标投标法 (2017) and its 实施条例 (2019); 政府采购法 and its 实施条例; 财政部令第87号; 招标拍卖挂牌出让国有建设用地使用权规定;
企业国有资产交易监督管理办法; 国办发〔2015〕7号 (medicines).
"""

from typing import Final

from node.supervision.gathering import Gathering
from node.supervision.linkage import APPLICANT, Link

DOMAIN: Final = "trading"

NOTICE: Final = "notice"  # 招标公告、采购公告、出让公告
DOCUMENTS_OFFERED: Final = "documents_offered"  # 文件发售开始
DOCUMENTS_ENDED: Final = "documents_ended"  # 文件发售截止
CHANGED: Final = "changed"  # 澄清、修改
BID: Final = "bid"  # 投标
OPENED: Final = "opened"  # 开标
FAILED: Final = "failed"  # 流标
DRAWN: Final = "drawn"  # 评标专家抽取
EVALUATED: Final = "evaluated"  # 评标
REPORTED: Final = "reported"  # 评标报告送达
CANDIDATES: Final = "candidates"  # 中标候选人公示
CANDIDATES_ENDED: Final = "candidates_ended"  # 公示结束
OBJECTION: Final = "objection"  # 异议、质疑
OBJECTION_ANSWERED: Final = "objection_answered"  # 答复
COMPLAINT: Final = "complaint"  # 投诉受理
COMPLAINT_EXAMINED: Final = "complaint_examined"  # 投诉中的检验、检测、鉴定、专家评审
COMPLAINT_DECIDED: Final = "complaint_decided"  # 投诉处理
AWARDED: Final = "awarded"  # 确定中标、成交
RESULT_PUBLISHED: Final = "result_published"  # 结果公告
CONTRACT: Final = "contract"  # 合同
CONTRACT_PUBLISHED: Final = "contract_published"  # 合同公告
SUPPLEMENT: Final = "supplement"  # 补充合同
DEPOSIT_RETURNED: Final = "deposit_returned"  # 退还保证金
SINGLE_LISTED: Final = "single_listed"  # 单一来源公示
DELIVERED: Final = "delivered"  # 交货验收（药品）
PAID: Final = "paid"  # 付款
CLOSED: Final = "closed"  # 归档

MONEY: Final = frozenset({"amount", "deposit", "estimate"})
TEXTS: Final = frozenset({"reason", "representative", "phone", "account", "guarantee", "address"})

KINDS: Final[dict[str, dict[str, type]]] = {
    NOTICE: {
        "trade": str,  # tender, procurement, land, property, medicine
        "means": str,  # open, invited, negotiated, single_source …
        "estimate": int,  # the budget of a procurement, the published ceiling of a tender, the reserve price of a sale
        "compulsory": bool,  # a tender that the law demands; where nobody says, it is one
        "sole": bool,  # a single source for there is no other supplier, of a sum that had to be tendered (政府采购法实施条例 §38)
        "sale": str,  # of property: equity, assets or capital
    },
    DOCUMENTS_OFFERED: {},
    DOCUMENTS_ENDED: {},
    CHANGED: {"material": bool},  # it bears on how bids are prepared; where nobody says, it does
    BID: {
        "amount": int,
        "deposit": int,
        "machine": str,  # what the file was made on, the same for the same one
        # To the vault; compared by token across bidders, tenders and nodes.
        "representative": str,  # identity number of the legal representative (法定代表人)
        "phone": str,  # of the contact
        "account": str,  # that the deposit was paid from
        "guarantee": str,  # number of the bank guarantee
        "address": str,
    },
    OPENED: {},
    FAILED: {"reason": str},
    DRAWN: {"count": int, "draw": int},  # draw: journal index of the draw with its proof
    EVALUATED: {
        "experts": int,
        "outside": int,  # members drawn from outside the buyer
        "experts_named": bool,  # named and not drawn, as for special projects (招标投标法 §37)
    },
    REPORTED: {},
    CANDIDATES: {},
    CANDIDATES_ENDED: {},
    OBJECTION: {"objection": int},
    OBJECTION_ANSWERED: {"objection": int},
    COMPLAINT: {"complaint": int},
    COMPLAINT_EXAMINED: {"complaint": int, "granted_days": int},  # working days that tests and opinions took
    COMPLAINT_DECIDED: {"complaint": int},
    AWARDED: {
        "amount": int,
        "rank": int,  # among the candidates
        "reason": str,  # why it was not the first of them
        "approver": str,
    },
    RESULT_PUBLISHED: {},
    CONTRACT: {"amount": int},
    CONTRACT_PUBLISHED: {},
    SUPPLEMENT: {"amount": int, "approver": str},
    DEPOSIT_RETURNED: {},
    SINGLE_LISTED: {},
    DELIVERED: {},
    PAID: {"amount": int},
    CLOSED: {},
}

GATHERINGS: Final = (
    Gathering("machine", (BID,), by=("case_id", "machine")),
    Gathering("bidder", (BID, AWARDED), by=("applicant",)),
    Gathering("buyer_month", (AWARDED,), by=("agency", "applicant"), monthly=True),
)
"""Bids of one project made on one machine; a bidder's bids and awards; what one buyer awards one bidder in a month."""

LINKS: Final = (
    Link(
        "bidder",
        BID,
        roles=(
            ("company", APPLICANT),
            ("representative", "representative"),
            ("phone", "phone"),
            ("account", "account"),
            ("guarantee", "guarantee"),
            ("address", "address"),
            ("machine", "machine"),
        ),
        groups=(("case_id",),),
        party="company",
    ),
)
"""Who bids, and what may show that another bids under a second name (招标投标法实施条例 §34, §40)."""
