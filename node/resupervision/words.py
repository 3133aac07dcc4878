"""What the rules about children say to people, in both languages, and what the numbers they rest on are called.

`case` in a text is the child's node id, `over` the measure, `nth` what stands after the colon of the subject: an agency, an alert.
"""

from typing import Final

from node.supervision.policy import Words

WORDS: Final[dict[str, Words]] = {
    "silence": Words(
        "下级失联", "Child silent", "下级节点{case}在办公时间内已连续{over}个心跳周期无音讯。",
        "Child {case} has missed {over} head periods within its opening hours.",
    ),
    "absence": Words(
        "下级长期失联", "Child absent", "下级节点{case}已{over}天无音讯。",
        "Nothing has been heard of child {case} for {over} days.",
    ),
    "never_heard": Words(
        "下级从未接入", "Child never heard of", "下级节点{case}登记后{over}天从未接入。",
        "Child {case} was introduced {over} days ago and has never been heard of.",
    ),
    "lag": Words(
        "日志上报滞后", "Journal behind", "下级节点{case}连线{over}分钟仍未送达其已签名的日志。",
        "Child {case} was connected for {over} minutes without sending entries that its heads name.",
    ),
    "reports_behind": Words(
        "汇总上报滞后", "Figures behind", "下级节点{case}连线{over}分钟，汇总仍落后于其日志。",
        "Child {case} was connected for {over} minutes with figures behind its journal.",
    ),
    "unanswered": Words(
        "预警逾期未答复", "Alerts unanswered", "下级节点{case}的部门{nth}有预警逾期{over}个工作日未答复。",
        "Agency {nth} of child {case} left an alert unanswered {over} working days past its due.",
    ),
    "cancelled": Words(
        "撤销预警比例过高", "Many cards cancelled", "下级节点{case}近期撤销了{over}%的黄牌、红牌。",
        "Child {case} cancelled {over} % of its recent cards.",
    ),
    "cancelled_unfounded": Words(
        "无理由撤销预警", "Card cancelled without good reason",
        "下级节点{case}撤销预警{nth}没有理由、没有署名，或由经办人本人撤销。",
        "Child {case} cancelled alert {nth} without a reason or a name, or by an officer who handled the case.",
    ),
    "back_filled": Words(
        "事后补录比例过高", "Records back-filled", "下级节点{case}的部门{nth}近期有{over}%的记录属事后补录。",
        "Agency {nth} of child {case} entered {over} % of its recent records late.",
    ),
    "rollup": Words(
        "汇总与日志不符", "Figures differ from the journal", "下级节点{case}上报的汇总有{over}项与其日志不符。",
        "{over} figures that child {case} reported are not what its journal gives.",
    ),
    "wrongly_issued": Words(
        "错发预警", "Alert wrongly issued", "下级节点{case}的预警{nth}与其自身日志不符，属错发。",
        "Alert {nth} of child {case} is not borne out by its own journal.",
    ),
    "missing": Words(
        "漏发预警", "Alert missing", "下级节点{case}应发预警{nth}而未发。",
        "Child {case} had to raise alert {nth} and did not.",
    ),
    "clock": Words(
        "时钟偏差", "Clock out of step", "下级节点{case}的时钟偏差或回拨{over}秒。",
        "The clock of child {case} is {over} seconds away, or was turned back by as much.",
    ),
    "restored": Words(
        "下级由备份恢复", "Child restored from a backup", "下级节点{case}由旧备份恢复，正在取回缺失的{over}条日志。",
        "Child {case} was restored from an old backup and fetches {over} entries back.",
    ),
    "withheld": Words(
        "扣留下达内容", "Entry withheld", "下级节点{case}扣留了应转给其下级的内容。",
        "Child {case} kept an entry from a node below it.",
    ),
    "fork": Words(
        "日志被改写", "Journal rewritten", "下级节点{case}出示的日志与本级所存不一致，已隔离。",
        "Child {case} showed a journal that does not continue the one held here; it is in quarantine.",
    ),
}  # fmt: skip
"""By the rule's code without its domain."""

FIGURES: Final[dict[str, tuple[str, str]]] = {
    "heard_at": ("最后音讯时间", "last heard of"),
    "introduced_at": ("登记时间", "introduced"),
    "listened_from": ("本级自何时起在监听", "this node was listening since"),
    "open_minutes": ("期间办公分钟数", "minutes its hall was open since"),
    "head_period_minutes": ("签名周期（分钟）", "head period, minutes"),
    "natural_days": ("自然日", "natural days"),
    "held": ("本级持有日志条数", "entries held here"),
    "named": ("其签名树头所称条数", "entries its newest head names"),
    "outstanding": ("应到条数", "size outstanding"),
    "reported": ("汇总所依日志条数", "journal size of its figures"),
    "connected_minutes": ("期间连线分钟数", "minutes connected since"),
    "alerts": ("逾期预警数", "alerts past their due"),
    "oldest_alert": ("最早的预警", "the oldest of them"),
    "due_day": ("答复截止日", "its reply was due"),
    "cards": ("同期发牌数", "cards of the period"),
    "cancelled": ("其中撤销数", "of them cancelled"),
    "days": ("统计天数", "days of the period"),
    "events": ("同期记录数", "events of the period"),
    "late": ("其中逾期录入数", "of them entered late"),
    "entered_within_days": ("应在几个工作日内录入", "working days to enter an event"),
    "differing_days": ("不符的日数", "days that differ"),
    "offset_ms": ("时钟差（毫秒）", "its clock minus ours, ms"),
    "index": ("所依日志条目", "entry"),
    "alert": ("预警", "alert"),
    "case": ("办件", "case"),
    "what": ("对象", "subject"),
    "rule": ("规则", "rule"),
    "level": ("级别", "level"),
    "why": ("原因", "why"),
    "by": ("撤销人", "cancelled by"),
    "journal_size": ("重算所依日志条数", "journal size it was run again at"),
    "as_of": ("重算所依时刻", "instant it was run again at"),
    "since": ("应自何时成立", "holds since"),
    "first_found": ("首次发现", "first found"),
    "seconds": ("秒", "seconds"),
    "shown": ("其出示的日志条数", "entries it showed"),
    "sender": ("发出节点", "sender"),
    "node": ("应收节点", "for"),
}
"""Name of a measured figure → Chinese, English."""

INSTANTS: Final = frozenset({"heard_at", "introduced_at", "listened_from", "as_of", "since", "first_found"})
"""Figures that are instants, µs since the epoch; every other number is a plain one."""

DAYS: Final = frozenset({"due_day"})
"""Figures that are local days, counted from 1970-01-01."""
