"""A score sheet: what each part is worth, what alerts cost, and indicators with formulas; DOMAIN §3's table is the one without publication.

Points are whole hundredths. A formula is written in the grammar of local rules (`supervision.expression`) over `FIGURES`, and is bounded as
those are; what it comes to is rounded to a hundredth, cut towards zero to multiples of ``step`` and clamped to ``low`` … ``high``. One
that is undetermined (nothing came in, so the denominator is 0) gives and takes nothing and is shown as "–". Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

import polars as pl
from zongheng.v1.score_pb2 import ScoreIndicator, ScoreItem, ScoreSheet

from node.supervision.expression import compile_expression

POINT: Final = 100
"""Hundredths in a point."""

FIGURES: Final[Mapping[str, str]] = {
    "received": "cases received in the month",
    "completed": "cases completed in the month",
    "handled": "cases received or completed in the month, each once",
    "on_time": "completed in the month and not late",
    "late": "completed in the month and late",
    "early": "completed in the month on a day before the promised one",
    "promised_cut": "per cent by which the promised limits of what was completed are shorter than the statutory ones, by days",
    "incomplete": "completed in the month without acceptance, officer or, of an approval, item",
    "ratings": "ratings given in the month (好差评)",
    "bad_ratings": "of them 4 and 5, the worst two of five",
    "notices": "alerts that count, of the month",
    "yellows": "yellow cards that count, of the month",
    "reds": "red cards that count, of the month",
    "late_steps": "steps of alerts that were late by who is scored, of the month",
}
"""Base figures by name: what a formula may read."""

_SENSES: Final = dict.fromkeys(FIGURES, "count")
_UNZONED: Final = "UTC"


class SheetRefused(ValueError):
    """A sheet that cannot be scored by."""

    code = "bad_request"


@dataclass(frozen=True)
class Sheet:
    """A sheet ready to score by."""

    message: ScoreSheet
    sender: str = ""
    """Who mandated it; empty: the node itself."""

    @cached_property
    def worth(self) -> dict[str, int]:
        """Item → hundredths."""
        return {item.code: item.worth for item in self.message.items}

    def item_of(self, rule: str) -> str:
        """The item in which an alert of a rule costs points: that of the longest pattern that fits; empty: none."""
        best, found = -1, ""
        for item in self.message.items:
            for pattern in item.rules:
                if len(pattern) > best and fnmatchcase(rule, pattern):
                    best, found = len(pattern), item.code
        return found

    @cached_property
    def _measures(self) -> dict[str, pl.Expr]:
        measures = {}
        for one in self.message.indicators:
            if one.formula:
                compiled = compile_expression(one.formula, _SENSES, _UNZONED)
                if compiled.kind != "number":
                    raise SheetRefused(f"{one.code}: points are a number, and the formula is true or false")
                measures[one.code] = compiled.measure.cast(pl.Float64)
        return measures

    def indicators(self, figures: Sequence[Mapping[str, int]]) -> list[dict[str, int | None]]:
        """For each subject's base figures the points of every formula; None: undetermined."""
        if not figures or not self._measures:
            return [{} for _ in figures]
        frame = pl.DataFrame(
            {name: [one.get(name, 0) for one in figures] for name in FIGURES},
            schema=dict.fromkeys(FIGURES, pl.Int64),
        )
        by_code = {code: frame.select(value=measure)["value"] for code, measure in self._measures.items()}
        bounds = {one.code: one for one in self.message.indicators}
        return [
            {
                code: points_of(values[at if len(values) > 1 else 0], bounds[code])
                for code, values in by_code.items()
            }
            for at in range(len(figures))
        ]

    def check(self) -> None:
        """Raise `SheetRefused`, or the grammar's `BadExpression`, for a sheet that cannot be scored by."""
        codes = [item.code for item in self.message.items]
        for code in codes:
            if codes.count(code) > 1:
                raise SheetRefused(f"items: {code} is there twice")
        indicators = [one.code for one in self.message.indicators]
        for one in self.message.indicators:
            if indicators.count(one.code) > 1:
                raise SheetRefused(f"indicators: {one.code} is there twice")
            if one.item and one.item not in codes:
                raise SheetRefused(f"{one.code}: there is no item {one.item!r}; items are {', '.join(codes)}")
            if one.low > one.high:
                raise SheetRefused(f"{one.code}: low is more than high")
        if not any(item.worth for item in self.message.items):
            raise SheetRefused("items: a sheet whose items are worth nothing scores nobody")
        if self.message.sample not in FIGURES:
            raise SheetRefused(
                f"sample: there is no base figure {self.message.sample!r}; there are {', '.join(FIGURES)}"
            )
        _ = self._measures


def points_of(value: float | None, bounds: ScoreIndicator) -> int | None:
    """Hundredths out of what a formula came to: rounded, cut to steps towards zero, clamped; None stays None."""
    if value is None:
        return None
    hundredths = round(value * POINT)
    step = bounds.step or 1
    cut = abs(hundredths) // step * step * (1 if hundredths >= 0 else -1)
    return max(bounds.low, min(bounds.high, cut))


def _item(code: str, zh: str, en: str, points: int, *rules: str) -> ScoreItem:
    return ScoreItem(code=code, name_zh=zh, name_en=en, worth=points * POINT, rules=rules)


def _indicator(
    code: str, item: str, zh: str, en: str, low: int, high: int, formula: str = "", step: int = 0
) -> ScoreIndicator:
    return ScoreIndicator(
        code=code, item=item, name_zh=zh, name_en=en, formula=formula, low=low * POINT, high=high * POINT,
        step=step * POINT,
    )  # fmt: skip


DEFAULT: Final = Sheet(
    ScoreSheet(
        name="performance",
        version=0,
        title="绩效测评表",
        items=[
            _item("openness", "政务公开", "openness", 10, "openness.*"),
            _item("procedure", "程序", "procedure", 14, "*"),
            _item("time_limits", "时限", "time limits", 14, "*.time.*", "*.interval.*", "*.period.*", "directive.due"),
            _item("fees", "收费", "fees", 8, "*.fee.*", "school.charge.*", "school.pupil.*", "collection.levy.*",
                  "collection.receipt.*", "*.surcharge.*", "coercion.measure.fee"),
            _item("satisfaction", "满意度", "satisfaction", 10, "complaint.agency_month.*",
                  "complaint.answer.dissatisfied", "complaint.time.rectify", "complaint.time.call_back", "hall.wait.*"),
            _item("attitude", "服务态度", "attitude", 10, "hall.staff.*", "hall.window*", "hall.service.*",
                  "complaint.answer.*", "complaint.complainant.*"),
            _item("self_inspection", "自查自纠", "self-inspection", 14, "life.*", "*.entered_late", "hall.camera*"),
            _item("legal_liability", "法律责任", "legal liability", 10, "penalty.discretion.*", "penalty.substance.*",
                  "penalty.collection.*", "penalty.limitation", "reconsideration.*", "coercion.measure.unapproved"),
            _item("integrity", "廉政", "integrity", 10, "*.same_person", "trading.bidder.*", "trading.machine.*",
                  "trading.buyer_month.*", "trading.award.*", "trading.contract.*", "funds.amount.*", "funds.payee*"),
        ],
        indicators=[
            _indicator("early", "", "提前办结", "early completion", 0, 10, "10 * early / completed", 1),
            _indicator("promise", "", "承诺提速", "shorter promises", 0, 10,
                       "CASE WHEN promised_cut >= 30 THEN 3 + (promised_cut - 30) / 10 ELSE 0 END", 1),
            _indicator("incomplete", "", "数据不完整", "incomplete data", -5, 0, "0 - 100 * incomplete / completed", 1),
            _indicator("ratings", "satisfaction", "差评", "bad ratings", -10, 0, "0 - 10 * bad_ratings / ratings"),
            _indicator("attitude_by_hand", "attitude", "服务态度扣分", "attitude, by hand", -10, 0),
            _indicator("self_inspection_by_hand", "self_inspection", "自查自纠扣分", "self-inspection, by hand", -14, 0),
            _indicator("legal_liability_by_hand", "legal_liability", "法律责任扣分", "legal liability, by hand", -10, 0),
            _indicator("integrity_by_hand", "integrity", "廉政扣分", "integrity, by hand", -10, 0),
        ],
        notices_in_a_row=3,
        notices_points=3 * POINT,
        yellow_points=5 * POINT,
        red_points=10 * POINT,
        sample="handled",
        minimum_sample=10,
    )
)  # fmt: skip
"""DOMAIN §3's table. Which rules fall into which part, and the minimum sample, are this project's choice."""
