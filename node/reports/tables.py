"""A report as titled tables with their charts: what the workbook and the pages both show, so that they cannot differ. Pure.

Every table says in its note of which period its numbers are, and what a share is a share of. None is a number that does not exist, and is shown as "–".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from node.reports.words import DOMAINS, DUTIES, LAYERS, LEVELS, STAGES, STATES, TIERS

if TYPE_CHECKING:
    from node.reports.counted import Counts, Group
    from node.views.report import ReportView

Cell = str | int | float | None

NOTHING: Final = "–"
"""How a number that does not exist is shown."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns of a table, drawn."""

    kind: Literal["bar", "line"]
    title: str
    names: int
    """The column that names what is counted."""
    series: tuple[int, ...]
    """The columns with the counts."""
    rows: int
    """How many rows, from the first, are drawn."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a report."""

    name: str
    """Short: the workbook's sheet."""
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]
    """Of the columns, in parts of their sum."""
    charts: tuple[Chart, ...] = ()
    percent: tuple[int, ...] = ()
    """Columns that hold a share in per cent."""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    """What is counted, where and when: shown before everything else."""
    tables: tuple[Table, ...]


_COUNTED: Final = ("收件", "受理", "办结", "按期", "超期", "按期率%", "上期办结", "上期按期率%")
_COUNTED_WIDTHS: Final = (7, 7, 7, 7, 7, 9, 9, 11)
_SHARE: Final = "按期率＝按期÷（按期＋超期），即本期办结且有时限的办件；没有这类办件的记“–”。"
_MOST_BARS: Final = 12


def document(report: "ReportView") -> Document:
    """All tables of a report, in order."""
    name = f"{report.name}（{report.subtree}）"
    return Document(
        title=f"{report.name}电子监察{_kind(report)}",
        subtitle=report.words,
        facts=_facts(report, name),
        tables=tuple(
            table
            for table in (
                _overview(report), _trend(report), _days(report), _domains(report), _branches(report), _agencies(report), _levels(report),
                _rules(report), _hot(report), _acted(report), _late(report), _findings(report), _directives(report), _coverage(report),
            )
            if table is not None
        ),
    )  # fmt: skip


def _kind(report: "ReportView") -> str:
    return {"day": "日报", "week": "周报", "month": "月报"}[report.period]


def _facts(report: "ReportView", name: str) -> tuple[tuple[str, str], ...]:
    until = f"{report.from_day}至{report.to_day}"
    if not report.finished:
        until += f"；本期尚未结束，数字截至{_minute(report.made_at)}，而上期为整期"
    in_figures = sum(bool(one.figures_size) for one in report.coverage)
    held = sum(one.held for one in report.coverage)
    return (
        ("范围", f"{name}及其下级，共{len(report.coverage)}个节点"),
        ("统计期", until),
        ("对比期", f"上期（{report.before}）；凡未写明“上期”“时点”的数字，均为本期发生数，不是累计数"),
        ("覆盖", f"{in_figures}个节点有上报数字；办件明细与规则分布来自本节点持有日志的{held}个节点"),
        ("编制", f"节点{report.node}，{_minute(report.made_at)}（{report.zone}）"),
    )


def _counted(now: "Counts", before: "Counts") -> tuple[Cell, ...]:
    return (
        now.received, now.accepted, now.completed, now.on_time, now.late, now.on_time_percent, before.completed,
        before.on_time_percent,
    )  # fmt: skip


def _overview(report: "ReportView") -> Table:
    now, before = report.total.now, report.total.before
    rows: list[tuple[Cell, ...]] = [
        (word, getattr(now, field), getattr(before, field), getattr(now, field) - getattr(before, field))
        for word, field in (
            ("收件", "received"), ("受理", "accepted"), ("办结", "completed"), ("其中：按期办结", "on_time"), ("其中：超期办结", "late"),
            ("预警", "notice"), ("黄牌", "yellow"), ("红牌", "red"),
        )
    ]  # fmt: skip
    share, past = now.on_time_percent, before.on_time_percent
    change = None if share is None or past is None else round(share - past, 1)
    rows.insert(5, ("按期率%", share, past, change))
    return Table(
        "概览",
        f"本期与上期（{report.before}）发生数。{_SHARE}",
        ("指标", "本期", "上期", "增减"),
        tuple(rows),
        (30, 20, 20, 20),
        (Chart("bar", "本期与上期对比（件、张）", 0, (1, 2), 5),),
    )


def _trend(report: "ReportView") -> Table:
    rows = tuple(
        (
            f"{one.label}{'' if one.finished else '（未结束）'}", one.now.received, one.year_ago.received if one.year_ago else None,
            one.now.completed, one.now.late, one.now.on_time_percent, one.year_ago.on_time_percent if one.year_ago else None,
            one.now.yellow + one.now.red,
        )
        for one in report.trend
    )  # fmt: skip
    return Table(
        "趋势",
        f"本期及此前12期的发生数；“去年同期”为上一年同日、同周或同月，无数字可比的记“–”。{_SHARE}",
        ("期", "收件", "去年同期收件", "办结", "超期", "按期率%", "去年同期按期率%", "黄牌红牌"),
        rows,
        (16, 9, 13, 9, 9, 10, 15, 10),
        (Chart("line", "收件、办结与超期（件）", 0, (1, 3, 4), len(rows)),),
        (5, 6),
    )


def _hot(report: "ReportView") -> Table:
    rows = tuple(
        (
            {"agency": "部门", "item": "事项", "place": "节点"}[one.by], f"{one.node}/{one.code}" if one.node else one.code, one.name,
            one.alerts, one.share_percent, one.cases, one.expected, one.lift,
        )
        for one in report.hot
    )  # fmt: skip
    return Table(
        "集中点",
        "本期黄牌、红牌明显集中的部门、事项、节点：至少20件办件，达到按各领域总体发生率应有数的1.5倍，且超出该样本量下的偶然范围。提示关注，不是认定。",
        ("类别", "代码", "名称", "黄红牌", "占比%", "办件", "应有数", "倍数"),
        rows,
        (8, 20, 20, 9, 9, 9, 9, 9),
        (),
        (4,),
    )


def _acted(report: "ReportView") -> Table:
    rows = tuple(
        (
            LAYERS[one.layer], one.node, one.agency or NOTHING, DUTIES[one.duty], one.due, one.in_time, one.late, one.open,
            one.median_days,
        )
        for one in report.acted
    )  # fmt: skip
    return Table(
        "处置时限",
        "本期到期的处置环节：按期完成、逾期（含仍未完成且已逾期）、仍未完成；“中位天数”为已完成者所用工作日。来自本节点持有的日志。",
        ("层次", "节点", "部门", "环节", "到期", "按期", "逾期", "未完成", "中位天数"),
        rows,
        (12, 14, 12, 16, 8, 8, 8, 8, 10),
    )


def _days(report: "ReportView") -> Table | None:
    if len(report.days) < 2:
        return None
    rows = tuple((one.day, one.received, one.completed, one.late) for one in report.days)
    chart = Chart("line", "每日收件、办结与超期办结（件）", 0, (1, 2, 3), len(rows))
    return Table(
        "每日",
        "本期各日发生数；日界按办件来源的时区。",
        ("日期", "收件", "办结", "超期办结"),
        rows,
        (30, 20, 20, 20),
        (chart,),
    )


def _of_groups(
    name: str, note: str, first: tuple[str, ...], widths: tuple[int, ...], groups: Sequence[tuple[tuple[Cell, ...], "Group"]]
) -> Table:  # fmt: skip
    at = len(first)
    rows = tuple((*names, *_counted(group.now, group.before)) for names, group in groups)
    charts = (
        (Chart("bar", f"{name}：办结与超期（件）", at - 1, (at + 2, at + 4), min(len(rows), _MOST_BARS)),)
        if len(rows) > 1 and any(group.now.completed for _, group in groups)
        else ()
    )
    return Table(name, note, (*first, *_COUNTED), rows, (*widths, *_COUNTED_WIDTHS), charts, (at + 5, at + 7))


def _domains(report: "ReportView") -> Table:
    groups = [((DOMAINS.get(one.code, one.code),), one) for one in report.domains if _has_cases(one)]
    return _of_groups("领域", f"本期各监察领域的办件。{_SHARE}", ("领域",), (16,), groups)


def _agencies(report: "ReportView") -> Table:
    shown = sorted(
        (one for one in report.agencies if _has_cases(one)), key=lambda one: (-one.now.late, -one.now.completed)
    )  # fmt: skip
    groups = [((one.node, one.name or one.code or NOTHING), one) for one in shown]
    return _of_groups(
        "部门", f"本期各节点各部门的办件，超期多者在前。{_SHARE}", ("节点", "部门"), (14, 18), groups
    )


def _branches(report: "ReportView") -> Table:
    groups = [
        ((f"{one.name or one.code}{'（本级）' if one.node == report.subtree else ''}", one.nodes), one)
        for one in report.branches
    ]
    table = _of_groups(
        "下级节点", f"本级与各下级（含其全部下级）的办件。{_SHARE}", ("节点", "节点数"), (20, 8), groups
    )
    charts = tuple(Chart(one.kind, one.title, 0, one.series, one.rows) for one in table.charts)
    return Table(table.name, table.note, table.header, table.rows, table.widths, charts, table.percent)


def _has_cases(group: "Group") -> bool:
    """It has cases, and not alerts alone."""
    return any(
        getattr(counts, name)
        for counts in (group.now, group.before)
        for name in ("received", "accepted", "completed")
    )


def _levels(report: "ReportView") -> Table:
    """Levels and what became of them."""
    states = [state for state in STATES if any(state in one.states for one in report.alerts)]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            LEVELS[one.level],
            one.raised,
            one.before,
            one.raised - one.before,
            *(one.states.get(state, 0) for state in states),
        )
        for one in report.alerts
    )
    return Table(
        "预警与发牌",
        "本期成立的预警、黄牌、红牌（含其后更正、撤销的）；“本期”之后各列为其编制时的状态，合计等于本期数。",
        ("级别", "本期", "上期", "增减", *(STATES[state] for state in states)),
        rows,
        (12, 10, 10, 10, *([10] * len(states))),
        (Chart("bar", "本期与上期的预警、黄牌、红牌（张）", 0, (1, 2), len(rows)),),
    )


def _rules(report: "ReportView") -> Table:
    held = sum(one.held for one in report.coverage)
    rows = tuple(
        (
            DOMAINS.get(one.domain, one.domain), one.name, one.notice, one.yellow, one.red, one.raised, one.before,
            one.raised - one.before,
        )
        for one in report.rules
    )  # fmt: skip
    return Table(
        "规则",
        f"本期成立的预警与发牌，按规则；来自持有日志的{held}个节点（共{len(report.coverage)}个）。",
        ("领域", "规则", "预警", "黄牌", "红牌", "本期", "上期", "增减"),
        rows,
        (15, 32, 8, 8, 8, 8, 8, 8),
    )


def _late(report: "ReportView") -> Table:
    held = sum(one.held for one in report.coverage)
    shown = f"所列为前{len(report.late)}件。" if report.late_cases > len(report.late) else ""
    rows = tuple(
        (
            one.node, one.case, DOMAINS.get(one.domain, one.domain), one.agency, one.item, _minute(one.due_at),
            _minute(one.completed_at) if one.completed_at else "期末未办结", one.days_past,
        )
        for one in report.late
    )  # fmt: skip
    return Table(
        "超期办件",
        f"本期超期办结的，以及期末（未到期末的，至编制时）未办结且已超期的，共{report.late_cases}件。{shown}"
        f"时限为法定时限，无法定时限的为承诺时限；超过天数为自然日。来自持有日志的{held}个节点。",
        ("节点", "办件", "领域", "部门", "事项", "时限", "办结", "超过天数"),
        rows,
        (12, 16, 10, 13, 14, 15, 15, 9),
    )


def _findings(report: "ReportView") -> Table:
    rows = tuple(
        (f"{one.name or ''}（{one.child}）", one.rule, LEVELS[one.level], STATES[one.state], _minute(one.since), one.message)
        for one in report.findings
    )  # fmt: skip
    return Table(
        "再监察",
        "本期对下级节点的再监察发现。",
        ("下级节点", "发现", "级别", "状态", "自", "说明"),
        rows,
        (20, 16, 7, 8, 14, 40),
    )


def _directives(report: "ReportView") -> Table:
    overdue = sum(one.overdue for one in report.directives)
    rows = tuple(
        (one.directive, one.title, one.handler, STAGES[one.stage], _minute(one.due_at), "逾期" if one.overdue else "未逾期")
        for one in report.directives
    )  # fmt: skip
    return Table(
        "督办",
        f"时点数：编制时尚未办结的督办，按承办节点计{len(rows)}项，其中逾期{overdue}项。",
        ("督办", "标题", "承办", "阶段", "期限", "逾期"),
        rows,
        (18, 34, 12, 9, 15, 8),
    )


def _coverage(report: "ReportView") -> Table:
    rows = tuple(
        (
            one.node, one.name, TIERS.get(one.tier, one.tier), one.journal_size, _minute(one.signed_at), one.figures_size or None,
            "持有" if one.held else "仅数字",
        )
        for one in report.coverage
    )  # fmt: skip
    return Table(
        "覆盖",
        "各节点数字的来源。“日志”为本节点所知其最新签名树头的条数，“数字至”为其数字最后变动时的日志条数（“–”：尚无数字）。",
        ("节点", "名称", "层级", "日志", "签名时间", "数字至", "日志持有"),
        rows,
        (16, 22, 8, 10, 16, 10, 10),
    )


def _minute(text: str | None) -> str:
    """To the minute; a time of a report is in its node's zone."""
    return text[:16].replace("T", " ") if text else NOTHING
