"""What can be asked, checked and put into words.

A question reaches a node from people and, over links, from nodes of other versions, so it is checked wherever
it enters: `check` raises ZonghengError `bad_request` with words that say what to change.
"""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from zongheng.v1.catalogue_pb2 import Level
from zongheng.v1.query_pb2 import Question

from federation.errors import Language, ZonghengError

DEFAULT_LIMIT: Final = 1_000
MAX_LIMIT: Final = 100_000
"""Rows of one node."""

_MAX_TEXT: Final = 200
_MAX_HELD: Final = 100_000
_CASE_STATES: Final = ("", "open", "completed", "late")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))


def check(question: Question) -> Question:
    """The question, fit to be asked: `limit` 0 becomes the default. The argument is left alone.

    Raises ZonghengError `bad_request`.
    """
    kind = question.WhichOneof("kind")
    if kind is None:
        raise ZonghengError(
            "bad_request", "a question asks for alerts, cases, a trail, a rerun or a comparison"
        )
    _text("subtree", question.subtree, needed=True)
    if question.limit > MAX_LIMIT:
        raise ZonghengError("bad_request", f"a node returns at most {MAX_LIMIT} rows, not {question.limit}")
    if len(question.held) > _MAX_HELD:
        raise ZonghengError("bad_request", f"a question names at most {_MAX_HELD} heads")
    match kind:
        case "alerts":
            alerts = question.alerts
            if alerts.level not in Level.values():
                raise ZonghengError("bad_request", f"there is no alert level {alerts.level}")
            _text("domain", alerts.domain)
            _text("rule", alerts.rule)
            _text("agency", alerts.agency)
            _text("line", alerts.line)
            _text("case", alerts.case_id)
            _period(alerts.from_us, alerts.to_us)
        case "cases":
            cases = question.cases
            if cases.state not in _CASE_STATES:
                raise ZonghengError("bad_request", f"cases are open, completed or late, not {cases.state!r}")
            _text("item", cases.item)
            _text("agency", cases.agency)
            _text("line", cases.line)
            _period(cases.from_us, cases.to_us)
        case "trail":
            _text("case", question.trail.case_id, needed=True)
        case "rerun":
            rerun = question.rerun
            _text("rule", rerun.rule, needed=True)
            _period(rerun.from_us, rerun.to_us)
            if rerun.as_of_us < 0:
                raise ZonghengError("bad_request", "as-of is a time after 1970")
            if rerun.HasField("limit_days") and rerun.limit_days > 10_000:
                raise ZonghengError("bad_request", f"{rerun.limit_days} days are no limit")
        case "compare":
            compared = question.compare
            for name in ("domain", "agency", "line", "item"):
                _text(name, getattr(compared, name))
            if compared.to_day and compared.from_day > compared.to_day:
                raise ZonghengError("bad_request", "the period ends before it begins")
    checked = Question()
    checked.CopyFrom(question)
    checked.limit = question.limit or DEFAULT_LIMIT
    return checked


def describe(question: Question, language: Language = "zh", zone: str = "Asia/Shanghai") -> str:
    """The question in words; times in `zone`."""
    parts = list(_described(question, language, zone))
    if question.verdict:
        parts.append("须全部作答" if language == "zh" else "everybody must answer")
    if question.proof:
        parts.append("附证明" if language == "zh" else "with proofs")
    where = question.subtree
    if language == "zh":
        return f"{where}及其下级：" + "，".join(parts)
    return f"{where} and below: " + ", ".join(parts)


def _described(question: Question, language: Language, zone: str) -> list[str]:
    zh = language == "zh"
    match question.WhichOneof("kind"):
        case "alerts":
            alerts = question.alerts
            level = (_LEVELS_ZH if zh else _LEVELS_EN)[alerts.level]
            words = [f"{level}预警" if zh and alerts.level < 1 else level]
            words += _filters(
                zh,
                domain=alerts.domain,
                rule=alerts.rule,
                agency=alerts.agency,
                line=alerts.line,
                case=alerts.case_id,
            )
            return words + _span(alerts.from_us, alerts.to_us, zh, zone)
        case "cases":
            cases = question.cases
            words = [(_STATES_ZH if zh else _STATES_EN)[cases.state]]
            words += _filters(zh, item=cases.item, agency=cases.agency, line=cases.line)
            return words + _span(cases.from_us, cases.to_us, zh, zone)
        case "trail":
            case = question.trail.case_id
            return [f"办件 {case} 的全部记录" if zh else f"everything about case {case}"]
        case "rerun":
            rerun = question.rerun
            words = [f"重算规则 {rerun.rule}" if zh else f"rule {rerun.rule} run again"]
            if rerun.HasField("threshold"):
                words.append(f"阈值 {rerun.threshold}" if zh else f"threshold {rerun.threshold}")
            if rerun.HasField("limit_days"):
                words.append(f"时限 {rerun.limit_days} 天" if zh else f"limit {rerun.limit_days} days")
            words += _span(rerun.from_us, rerun.to_us, zh, zone)
            if rerun.as_of_us:
                at = _time(rerun.as_of_us, zone)
                words.append(f"截至 {at}" if zh else f"as of {at}")
            return words
        case "compare":
            compared = question.compare
            words = ["逐个比较下级" if zh else "children compared"]
            words += _filters(
                zh,
                domain=compared.domain,
                agency=compared.agency,
                line=compared.line,
                item=compared.item,
            )
            if compared.from_day:
                words.append(f"自 {_day(compared.from_day)}" if zh else f"from {_day(compared.from_day)}")
            if compared.to_day:
                words.append(f"至 {_day(compared.to_day)}" if zh else f"to {_day(compared.to_day)}")
            return words
        case _:
            return ["？" if zh else "?"]


_LEVELS_ZH: Final = ("全部", "预警", "黄牌", "红牌")
_LEVELS_EN: Final = ("alerts", "notices", "yellow cards", "red cards")
_STATES_ZH: Final = {"": "办件", "open": "在办办件", "completed": "已办结办件", "late": "超期办件"}
_STATES_EN: Final = {"": "cases", "open": "open cases", "completed": "completed cases", "late": "late cases"}
_NAMES_ZH: Final = {
    "rule": "规则",
    "agency": "部门",
    "line": "条线",
    "domain": "领域",
    "case": "办件",
    "item": "事项",
}


def _filters(zh: bool, **filters: str) -> list[str]:
    return [f"{_NAMES_ZH[name] if zh else name} {value}" for name, value in filters.items() if value]


def _span(from_us: int, to_us: int, zh: bool, zone: str) -> list[str]:
    words = []
    if from_us:
        words.append(f"自 {_time(from_us, zone)}" if zh else f"from {_time(from_us, zone)}")
    if to_us:
        words.append(f"至 {_time(to_us, zone)}" if zh else f"to {_time(to_us, zone)}")
    return words


def _time(at_us: int, zone: str) -> str:
    try:
        at = _EPOCH + timedelta(microseconds=at_us)
        return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError):
        return f"{at_us} µs"


def _day(day: int) -> str:
    try:
        return (_EPOCH + timedelta(days=day)).date().isoformat()
    except OverflowError:
        return str(day)


def _text(name: str, value: str, needed: bool = False) -> None:
    if needed and not value:
        raise ZonghengError("bad_request", f"the {name} is missing")
    if len(value) > _MAX_TEXT or not value.isprintable():
        raise ZonghengError("bad_request", f"the {name} is no code")


def _period(from_us: int, to_us: int) -> None:
    if from_us < 0 or to_us < 0:
        raise ZonghengError("bad_request", "a period lies after 1970")
    if to_us and from_us > to_us:
        raise ZonghengError("bad_request", "the period ends before it begins")
