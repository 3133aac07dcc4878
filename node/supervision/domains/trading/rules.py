"""The rules of public trading, and the domain as the evaluation sees it.

| rule | finds | source |
| --- | --- | --- |
| period.documents | tender documents offered less than five days | 招标投标法实施条例 §16 |
| period.procurement | procurement documents offered less than five working days | 政府采购法实施条例 §31 |
| period.bids | less than 20 days to prepare bids; land: less than 20 days of notice | 招标投标法 §24; 政府采购法 §35; 招标拍卖挂牌出让国有建设用地使用权规定 |
| period.property | property: fewer working days of notice than its sale needs (equity 20, capital 40, assets 20 or 10) | 企业国有资产交易监督管理办法 |
| period.change | documents changed in what bears on bids less than 15 days before the opening | 招标投标法 §23; 招标投标法实施条例 §21; 政府采购法实施条例 §31 |
| period.candidates | candidates published less than three days, or not at all before the award | 招标投标法实施条例 §54 |
| period.single_source | a single source for want of another, of a sum that had to be tendered, awarded without five working days of listing | 政府采购法实施条例 §38 |
| time.candidates | candidates not published within three days of the report | 招标投标法实施条例 §54 |
| time.objection | an objection to a tender not answered within three days | 招标投标法实施条例 §22, §54 |
| time.query | a query in procurement not answered within seven working days | 政府采购法 §53 |
| time.complaint | a complaint not decided within 30 working days, tests and opinions not counted | 招标投标法实施条例 §61; 政府采购法 §56 |
| time.contract | no contract within 30 days of the notice of award | 招标投标法 §46; 政府采购法 §46 |
| time.deposit | a tender's deposits not returned within five days of the contract | 招标投标法实施条例 §57 |
| time.deposit_procurement | a procurement's deposits not returned within five working days of the contract | 政府采购法实施条例 §33 |
| time.report | procurement: the report not handed over within two working days of the evaluation | 政府采购法实施条例 §43 |
| time.award | procurement: not awarded within five working days of the report | 政府采购法实施条例 §43 |
| time.result | procurement: the result not published within two working days of the award | 政府采购法实施条例 §43 |
| time.contract_notice | procurement: the contract not published within two working days | 政府采购法实施条例 §50 |
| time.land_result | land: the result not published within ten working days of the award | 招标拍卖挂牌出让国有建设用地使用权规定 |
| time.medicine | medicines not paid 30 days after delivery | 国办发〔2015〕7号 |
| procedure.few_bidders | opened and awarded with fewer than three bidders | 招标投标法 §28; 招标投标法实施条例 §44; 政府采购法 §36 |
| procedure.committee | fewer than five members, an even number, or less than two thirds from outside | 招标投标法 §37; 财政部令第87号 |
| procedure.draw | evaluated without a draw of experts before it, where they may not be named | 招标投标法 §37; 招标投标法实施条例 §46; 政府采购法实施条例 §39 |
| procedure.redrawn | experts drawn three times and more | choice |
| award.rank | awarded to another than the first candidate, with no reason given | 招标投标法实施条例 §55; 政府采购法实施条例 §43 |
| award.estimate | awarded above the budget or the published ceiling | 政府采购法 §36; 招标投标法实施条例 §51 |
| contract.amount | contracted for another amount than awarded | 招标投标法 §46; 招标投标法实施条例 §57; 政府采购法 §46 |
| contract.supplement | procurement: supplements of more than a tenth of the contract | 政府采购法 §49 |
| machine.shared | bids of several bidders made on one machine | 招标投标法实施条例 §40 |
| bidder.companion | ten bids and more without winning once | choice (陪标) |
| buyer_month.favoured | one buyer awards one bidder three projects and more in a month | choice |
| entered_late | an event entered more than a working day after it happened | practice |

A tender of which nobody says that the law does not demand it is held to what the law demands. Whether a property is sold is for its sale to say; where it
does not, its notice is undetermined. Minimum periods count the days after the first up to the last: five days from the first of a month end on the sixth.
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.trading import facts
from node.supervision.domains.trading.events import DOMAIN, KINDS
from node.supervision.domains.trading.facts import BIDDING, OPEN, PROCUREMENT, TENDER
from node.supervision.domains.trading.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, earlier, empty, known
from node.supervision.staged import Staged
from node.supervision.statutes import CHOICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.check("period.documents", "招标投标法实施条例 §16", YELLOW, pl.col("offer_days") < 5, "offer_ended_at", applies=TENDER, by="noticed_by"),
    _BOOK.check("period.procurement", "政府采购法实施条例 §31", YELLOW, pl.col("offer_working_days") < 5, "offer_ended_at", applies=PROCUREMENT & OPEN, by="noticed_by"),
    _BOOK.check(
        "period.bids", "招标投标法 §24; 政府采购法 §35; 招标拍卖挂牌出让国有建设用地使用权规定", RED, pl.col("bid_days") < 20, "opened_at",
        applies=(BIDDING & OPEN) | (pl.col("trade") == "land"), by="noticed_by",
    ),
    _BOOK.check(
        "period.property", "企业国有资产交易监督管理办法", RED, pl.col("notice_working_days") < pl.col("notice_least_days"), "opened_at",
        applies=pl.col("trade") == "property", by="noticed_by",
    ),
    _BOOK.check("period.change", "招标投标法 §23; 招标投标法实施条例 §21; 政府采购法实施条例 §31", YELLOW, pl.col("change_days") < 15, "opened_at", applies=BIDDING & OPEN, by="noticed_by"),
    _BOOK.check(
        "period.candidates", "招标投标法实施条例 §54", YELLOW,
        absent("candidates_at") | (pl.col("candidate_days") < 3) | earlier("awarded_at", "candidates_at").fill_null(False), "awarded_at",
        applies=TENDER & known("awarded_at"), by="awarded_by",
    ),
    _BOOK.check(
        "period.single_source", "政府采购法实施条例 §38", YELLOW,
        pl.when("sole").then(absent("single_listed_at") | (pl.col("single_working_days") < 5)).when(~pl.col("sole")).then(False), "awarded_at",
        applies=PROCUREMENT & (pl.col("means") == "single_source") & known("awarded_at"), by="awarded_by",
    ),
    _BOOK.limit(
        "time.candidates", "招标投标法实施条例 §54", (YELLOW, 1),
        start="reported_at", stop="candidates_at", days=3, unit=NATURAL, applies=TENDER & absent("awarded_at"),
    ),
    _BOOK.limit(
        "time.objection", "招标投标法实施条例 §22, §54", (YELLOW, 1),
        frame="objections", subject="objection", start="at_us", stop="closed_at", days=3, unit=NATURAL, applies=TENDER, by="actor",
    ),
    _BOOK.limit(
        "time.query", "政府采购法 §53", (YELLOW, 1),
        frame="objections", subject="objection", start="at_us", stop="closed_at", days=7, applies=PROCUREMENT, by="actor",
    ),
    _BOOK.limit(
        "time.complaint", "招标投标法实施条例 §61; 政府采购法 §56", (NOTICE, -3), (RED, 1),
        frame="complaints", subject="complaint", start="at_us", stop="closed_at", days=30, extension="examined_days", by="actor",
    ),
    _BOOK.limit(
        "time.contract", "招标投标法 §46; 政府采购法 §46", (NOTICE, -5), (YELLOW, 1),
        start="notified_at", stop="contracted_at", days=30, unit=NATURAL, applies=BIDDING & absent("failed_at"), by="awarded_by",
    ),
    _BOOK.limit(
        "time.deposit", "招标投标法实施条例 §57", (YELLOW, 1),
        start="contracted_at", stop="deposit_returned_at", days=5, unit=NATURAL, applies=TENDER & (pl.col("deposits") > 0), by="contracted_by",
    ),
    _BOOK.limit(
        "time.deposit_procurement", "政府采购法实施条例 §33", (YELLOW, 1),
        start="contracted_at", stop="deposit_returned_at", days=5, applies=PROCUREMENT & (pl.col("deposits") > 0), by="contracted_by",
    ),
    _BOOK.limit("time.report", "政府采购法实施条例 §43", (YELLOW, 1), start="evaluated_at", stop="reported_at", days=2, applies=PROCUREMENT & absent("awarded_at")),
    _BOOK.limit("time.award", "政府采购法实施条例 §43", (YELLOW, 1), start="reported_at", stop="awarded_at", days=5, applies=PROCUREMENT & absent("failed_at"), by="awarded_by"),
    _BOOK.limit("time.result", "政府采购法实施条例 §43", (YELLOW, 1), start="awarded_at", stop="result_at", days=2, applies=PROCUREMENT, by="awarded_by"),
    _BOOK.limit("time.contract_notice", "政府采购法实施条例 §50", (YELLOW, 1), start="contracted_at", stop="contract_published_at", days=2, applies=PROCUREMENT, by="contracted_by"),
    _BOOK.limit(
        "time.land_result", "招标拍卖挂牌出让国有建设用地使用权规定", (YELLOW, 1),
        start="awarded_at", stop="result_at", days=10, applies=pl.col("trade") == "land", by="awarded_by",
    ),
    _BOOK.limit(
        "time.medicine", "国办发〔2015〕7号", (NOTICE, -5), (YELLOW, 1),
        start="delivered_at", stop="paid_at", days=30, unit=NATURAL, applies=pl.col("trade") == "medicine",
    ),
    _BOOK.check(
        "procedure.few_bidders", "招标投标法 §28; 招标投标法实施条例 §44; 政府采购法 §36", RED, pl.col("bidders") < 3, "awarded_at",
        applies=BIDDING & OPEN & known("opened_at") & known("awarded_at"), by="awarded_by",
    ),
    _BOOK.check(
        "procedure.committee", "招标投标法 §37; 财政部令第87号", YELLOW,
        (pl.col("experts") < 5) | (pl.col("experts") % 2 == 0) | (pl.col("outside") * 3 < pl.col("experts") * 2), "evaluated_at",
        applies=BIDDING,
    ),
    _BOOK.check(
        "procedure.draw", "招标投标法 §37; 招标投标法实施条例 §46; 政府采购法实施条例 §39", RED, absent("drawn_at") | earlier("evaluated_at", "drawn_at"), "evaluated_at",
        applies=BIDDING & known("evaluated_at") & ~pl.col("experts_named"),
    ),
    _BOOK.check("procedure.redrawn", CHOICE, YELLOW, pl.col("draws"), "drawn_at", at_least=3),
    _BOOK.check(
        "award.rank", "招标投标法实施条例 §55; 政府采购法实施条例 §43", YELLOW, (pl.col("rank") > 1) & empty("award_reason"), "awarded_at",
        applies=BIDDING & known("rank"), by="awarded_by",
    ),
    _BOOK.check("award.estimate", "政府采购法 §36; 招标投标法实施条例 §51", RED, pl.col("awarded") > pl.col("estimate"), "awarded_at", applies=BIDDING & known("awarded"), by="awarded_by"),
    _BOOK.check(
        "contract.amount", "招标投标法 §46; 招标投标法实施条例 §57; 政府采购法 §46", RED, pl.col("contract") != pl.col("awarded"), "contracted_at",
        applies=BIDDING & known("contract"), by="contracted_by",
    ),
    _BOOK.check(
        "contract.supplement", "政府采购法 §49", RED, pl.col("supplements") * 10 > pl.col("contract"), "supplemented_at",
        applies=PROCUREMENT & known("supplemented_at"), by="contracted_by",
    ),
    _BOOK.entered_late(),
)  # fmt: skip

MACHINE_RULES: Final = (
    _BOOK.check(
        "machine.shared",
        "招标投标法实施条例 §40",
        RED,
        pl.col("bidders"),
        "bid_at",
        subject="machine",
        at_least=2,
    ),
)
BIDDER_RULES: Final = (
    _BOOK.check("bidder.companion", CHOICE, NOTICE, pl.col("bids"), "bid_at", subject="bidder", at_least=10, applies=pl.col("awards") == 0),
)  # fmt: skip
BUYER_MONTH_RULES: Final = (
    _BOOK.check("buyer_month.favoured", CHOICE, NOTICE, pl.col("awards"), "awarded_at", subject="buyer_month", at_least=3, by="awarded_by"),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN,
    KINDS,
    facts=facts.FACTS,
    rules=RULES,
    course=facts.COURSE,
    parts=(facts.OBJECTIONS, facts.COMPLAINTS),
).domain(
    gatherings=(
        Staged(DOMAIN, KINDS, facts=facts.MACHINE, rules=MACHINE_RULES, name="machine"),
        Staged(DOMAIN, KINDS, facts=facts.BIDDER, rules=BIDDER_RULES, name="bidder"),
        Staged(DOMAIN, KINDS, facts=facts.BUYER_MONTH, rules=BUYER_MONTH_RULES, name="buyer_month"),
    )
)
"""The domain, for `fold.installed`."""
