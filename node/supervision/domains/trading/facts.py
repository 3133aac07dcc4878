"""What is known of a trade, of each objection and complaint, and of a bidder. Sources: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.trading import events as kinds
from node.supervision.factbook import Days, Fact, any_of, count, distinct, first, last, total
from node.supervision.staged import Course, Part

TENDER: Final = (pl.col("trade") == "tender") & pl.col("compulsory").fill_null(True)
PROCUREMENT: Final = pl.col("trade") == "procurement"
BIDDING: Final = TENDER | PROCUREMENT
OPEN: Final = pl.col("means").fill_null("open") == "open"

FACTS: Final = (
    Fact("trade", "code", "交易类别", "tender, procurement, land, property or medicine", first(kinds.NOTICE, of="trade")),
    Fact("means", "code", "交易方式", "open, invited, negotiated, single_source …", first(kinds.NOTICE, of="means")),
    Fact("estimate", "money", "预算或控制价", "the estimate", first(kinds.NOTICE, of="estimate")),
    Fact("compulsory", "flag", "依法必须招标", "a tender that the law demands", first(kinds.NOTICE, of="compulsory")),
    Fact("sole", "flag", "只能从唯一供应商采购", "there is no other supplier, and the sum had to be tendered", first(kinds.NOTICE, of="sole")),
    Fact("sale", "code", "产权交易类型", "equity, assets or capital", first(kinds.NOTICE, of="sale")),
    Fact("noticed_at", "instant", "公告时间", "when it was announced", first(kinds.NOTICE)),
    Fact("noticed_by", "code", "经办人", "by whom", first(kinds.NOTICE, of="actor")),
    Fact("offered_at", "instant", "文件发售开始", "when documents were first offered", first(kinds.DOCUMENTS_OFFERED)),
    Fact("offer_ended_at", "instant", "文件发售截止", "when that ended", last(kinds.DOCUMENTS_ENDED)),
    Fact("changed_at", "instant", "最近澄清修改时间", "when the documents were last changed", last(kinds.CHANGED, where=pl.col("material").fill_null(True))),
    Fact("bidders", "count", "投标人数", "how many bidders", distinct(kinds.BID, of=("applicant",))),
    Fact("opened_at", "instant", "开标时间", "when bids were opened", first(kinds.OPENED)),
    Fact("failed_at", "instant", "流标时间", "when it failed", first(kinds.FAILED)),
    Fact("drawn_at", "instant", "专家抽取时间", "when experts were drawn", last(kinds.DRAWN)),
    Fact("draws", "count", "抽取次数", "how often", count(kinds.DRAWN)),
    Fact("evaluated_at", "instant", "评标时间", "when it was evaluated", first(kinds.EVALUATED)),
    Fact("experts", "count", "评标委员会人数", "members of the committee", last(kinds.EVALUATED, of="experts")),
    Fact("outside", "count", "外部专家人数", "members from outside", last(kinds.EVALUATED, of="outside")),
    Fact("experts_named", "flag", "直接确定专家", "experts were named and not drawn, as the law allows", any_of(kinds.EVALUATED, where=pl.col("experts_named"))),
    Fact("reported_at", "instant", "评标报告时间", "when the report was handed over", first(kinds.REPORTED)),
    Fact("candidates_at", "instant", "候选人公示时间", "when the candidates were published", first(kinds.CANDIDATES)),
    Fact("candidates_ended_at", "instant", "公示结束时间", "when that ended", last(kinds.CANDIDATES_ENDED)),
    Fact("awarded_at", "instant", "定标时间", "when it was awarded", last(kinds.AWARDED)),
    Fact("awarded_by", "code", "定标人", "by whom", last(kinds.AWARDED, of="actor")),
    Fact("awarded", "money", "中标金额", "the award's amount", last(kinds.AWARDED, of="amount")),
    Fact("rank", "count", "中标候选人排名", "the winner's rank", last(kinds.AWARDED, of="rank")),
    Fact("award_reason", "code", "未定第一名的理由", "why it was not the first of the candidates, as a digest", last(kinds.AWARDED, of="reason")),
    Fact("result_at", "instant", "结果公告时间", "when the result was published", first(kinds.RESULT_PUBLISHED)),
    Fact("contracted_at", "instant", "合同时间", "when it was contracted", first(kinds.CONTRACT)),
    Fact("contracted_by", "code", "合同经办人", "by whom", first(kinds.CONTRACT, of="actor")),
    Fact("contract", "money", "合同金额", "the contract's amount", first(kinds.CONTRACT, of="amount")),
    Fact("contract_published_at", "instant", "合同公告时间", "when the contract was published", first(kinds.CONTRACT_PUBLISHED)),
    Fact("supplements", "money", "补充合同金额", "supplements in all", total(kinds.SUPPLEMENT, of="amount")),
    Fact("supplemented_at", "instant", "补充合同时间", "the last supplement", last(kinds.SUPPLEMENT)),
    Fact("deposits", "money", "保证金", "deposits in all", total(kinds.BID, of="deposit")),
    Fact("deposit_returned_at", "instant", "退还保证金时间", "when deposits were returned", first(kinds.DEPOSIT_RETURNED)),
    Fact("single_listed_at", "instant", "单一来源公示时间", "when the single source was listed", first(kinds.SINGLE_LISTED)),
    Fact("delivered_at", "instant", "交货验收时间", "when it was delivered", first(kinds.DELIVERED)),
    Fact("paid_at", "instant", "付款时间", "when it was paid", first(kinds.PAID)),
    Fact("closed_recorded_at", "instant", "归档时间", "when it was closed, as recorded", first(kinds.CLOSED)),
    Fact("notified_at", "instant", "中标通知时间", "when the award was out: awarded, or its result published", pl.max_horizontal("awarded_at", "result_at")),
    Fact("opened_case_at", "instant", "起始时间", "when it began", pl.coalesce("noticed_at", "first_at")),
    Fact("closed_at", "instant", "办结时间", "when it was over", pl.coalesce("closed_recorded_at", "failed_at", "contracted_at")),
    Fact("offer_days", "days", "文件发售天数", "natural days that documents were offered", Days("offered_at", "offer_ended_at")),
    Fact("offer_working_days", "days", "文件提供工作日", "working days of that", Days("offered_at", "offer_ended_at", working=True)),
    Fact("bid_days", "days", "投标准备天数", "natural days from the documents, else the notice, to the opening", Days("documents_at", "opened_at")),
    Fact("documents_at", "instant", "文件或公告时间", "when documents were offered, else the notice", pl.coalesce("offered_at", "noticed_at")),
    Fact("notice_working_days", "days", "公告工作日", "working days from the notice to the opening", Days("noticed_at", "opened_at", working=True)),
    Fact("notice_least_days", "days", "最短公告工作日", "the least working days of notice: equity 20, capital 40, assets 20, 10 from one to ten million yuan",
         pl.when(pl.col("sale") == "equity").then(20).when(pl.col("sale") == "capital").then(40)
         .when((pl.col("sale") == "assets") & (pl.col("estimate") > 1_000_000_000)).then(20)
         .when((pl.col("sale") == "assets") & (pl.col("estimate") > 100_000_000)).then(10)
         .when((pl.col("sale") == "assets") & pl.col("estimate").is_not_null()).then(0)),
    Fact("change_days", "days", "修改至开标天数", "natural days from the last change to the opening", Days("changed_at", "opened_at")),
    Fact("candidate_days", "days", "候选人公示天数", "natural days that candidates were published", Days("candidates_at", "candidates_ended_at")),
    Fact("single_working_days", "days", "单一来源公示工作日", "working days from the listing to the award", Days("single_listed_at", "awarded_at", working=True)),
)  # fmt: skip

OBJECTIONS: Final = Part(
    "objections", (kinds.OBJECTION,), closed=(kinds.OBJECTION_ANSWERED,), on="objection", subject="objection", borrowed=("trade", "compulsory")
)  # fmt: skip
COMPLAINTS: Final = Part(
    "complaints", (kinds.COMPLAINT,), closed=(kinds.COMPLAINT_DECIDED,), on="complaint", subject="complaint",
    summed=(("examined_days", kinds.COMPLAINT_EXAMINED, "granted_days"),),
)  # fmt: skip

COURSE: Final = Course(
    received="opened_case_at",
    accepted="awarded_at",
    completed="closed_at",
    figures=(("awarded_fen", "awarded_at", "awarded"), ("contract_fen", "contracted_at", "contract")),
)

MACHINE: Final = (
    Fact(
        "bidders",
        "count",
        "投标人数",
        "bidders whose bids were made on it",
        distinct(kinds.BID, of=("applicant",)),
    ),
    Fact("bid_at", "instant", "最近投标时间", "the last bid", last(kinds.BID)),
)
BIDDER: Final = (
    Fact("bids", "count", "投标项目数", "projects bid for", distinct(kinds.BID, of=("of_case",))),
    Fact("awards", "count", "中标项目数", "projects won", distinct(kinds.AWARDED, of=("of_case",))),
    Fact("bid_at", "instant", "最近投标时间", "the last bid", last(kinds.BID)),
)
BUYER_MONTH: Final = (
    Fact("awards", "count", "中标项目数", "projects awarded", distinct(kinds.AWARDED, of=("of_case",))),
    Fact("awarded_at", "instant", "最近定标时间", "the last award", last(kinds.AWARDED)),
    Fact("awarded_by", "code", "定标人", "by whom", last(kinds.AWARDED, of="actor")),
)
