"""What is known of a pupil's fees, and of each charge. Sources: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.school import events as kinds
from node.supervision.factbook import Fact, any_of, count, first, last, total
from node.supervision.library import FEE_STANDARDS, Standard
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("published_at", "instant", "公示时间", "when its fees were made public", first(kinds.PUBLISHED)),
    Fact("enrolled_at", "instant", "注册时间", "when the pupil was enrolled", first(kinds.ENROLLED)),
    Fact("stage", "code", "学段", "compulsory, high, kindergarten or vocational", first(kinds.ENROLLED, of="stage")),
    Fact("charged_first_at", "instant", "首次收费时间", "the first charge", first(kinds.CHARGED)),
    Fact("charged_at", "instant", "最近收费时间", "the last charge", last(kinds.CHARGED)),
    Fact("charged_by", "code", "收费人", "by whom", last(kinds.CHARGED, of="actor")),
    Fact("charged", "money", "收费合计", "charged in all", total(kinds.CHARGED, of="amount")),
    Fact("charges", "count", "收费笔数", "how many charges", count(kinds.CHARGED)),
    Fact("service", "flag", "有服务性收费", "some charge is for services or things bought for pupils", any_of(kinds.CHARGED, where=pl.col("service"))),
    Fact("deposited", "money", "已上缴", "paid into the account", total(kinds.DEPOSITED, of="amount")),
    Fact("deposited_at", "instant", "上缴时间", "when", last(kinds.DEPOSITED)),
    Fact("exempted", "money", "减免金额", "what is exempted", total(kinds.EXEMPTED, of="amount")),
    Fact("left_at", "instant", "离校时间", "when the pupil left", first(kinds.LEFT)),
    Fact("refunded", "money", "已退费", "refunded", total(kinds.REFUNDED, of="amount")),
    Fact("refunded_at", "instant", "退费时间", "when", last(kinds.REFUNDED)),
    Fact("settled_at", "instant", "结算公布时间", "when services were settled and made public", first(kinds.SETTLED)),
    Fact("closed_at", "instant", "学期结束时间", "when the term ended", first(kinds.CLOSED)),
    Fact("kept", "money", "未上缴金额", "charged and not in the account", pl.col("charged") - pl.col("refunded") - pl.col("deposited")),
    Fact("deposited_all_at", "instant", "全部上缴时间", "when all of it was in the account", pl.when(pl.col("kept") <= 0).then("deposited_at")),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("enrolled_at", "first_at")),
)  # fmt: skip

CHARGES: Final = Part("charges", (kinds.CHARGED,), subject="charge", borrowed=("stage",))
STANDARDS: Final = (
    Standard("lawful", FEE_STANDARDS, code="charge", grade="grade", at="at_us", frame="charges"),
)
COURSE: Final = Course(
    received="opened_at",
    accepted="charged_first_at",
    completed="closed_at",
    figures=(("charged_fen", "charged_at", "charged"),),
)
PUPIL: Final = (
    Fact("charges", "count", "收费次数", "charges under one code in one term", count(kinds.CHARGED)),
    Fact("charged_at", "instant", "最近收费时间", "the last of them", last(kinds.CHARGED)),
    Fact("charged_by", "code", "收费人", "by whom", last(kinds.CHARGED, of="actor")),
)
