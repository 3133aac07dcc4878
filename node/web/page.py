"""The pages of this version: what the node is, who is below it, what it found; and the one to log in. Rendered on the server, nothing loaded."""

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from federation.errors import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from node.views.alerts import AlertView
    from node.views.patrol import RoundView
    from node.views.rollups import RollupView
    from node.views.status import Status

_TIERS = {"village": "村", "town": "镇", "county": "县", "city": "市", "province": "省"}
_LEVELS = {"notice": "预警", "yellow": "黄牌", "red": "红牌"}
_STATES = {
    "pending": "待确认",
    "issued": "已发出",
    "explained": "已说明",
    "rectified": "已整改",
    "appealed": "申诉中",
    "cancelled": "已撤销",
    "upheld": "维持",
    "escalated": "已上报",
    "urged": "督办中",
    "closed": "已办结",
    "corrected": "已更正",
}
_LINKS = {
    "none": "无上级",
    "connecting": "正在连接",
    "linked": "已连接",
    "backing_off": "等待重连",
    "quarantined": "已隔离",
    "behind": "落后于上级所存",
    "stopped": "未运行",
    "away": "未连接",
}


_INSTRUCTIONS = {
    "quarantined": "本节点日志与上级所存不一致，已被隔离，等待上级人员裁定；其间可继续办件。",
    "sealed": "本节点日志已封存，与上级核对一致后自动启封；没有上级的节点由操作员启封。",
    "parent_behind": "上级所示日志少于其签认过的部分，暂不接收下发内容；查明原因后由操作员重新开通。",
}


def link_words(code: str) -> str:
    """What an operator should know of the link, in Chinese; empty: nothing. The command line says it in full."""
    if not code:
        return ""
    known = CATALOGUE.get(code)
    words = _INSTRUCTIONS.get(code) or f"{known.zh if known else code}。"
    return f"{words}处理办法见 zongheng status 和 zongheng lane。"


@cache
def environment() -> Environment:
    """Templates of this version; every value is escaped."""
    made = Environment(
        loader=PackageLoader("node.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    made.globals.update(link_words=link_words, TIERS=_TIERS, LEVELS=_LEVELS, STATES=_STATES, LINKS=_LINKS)
    return made


def status_page(
    status: "Status",
    newest: "list[AlertView]",
    rollup: "RollupView",
    further: "Sequence[tuple[str, str]]" = (),
) -> str:
    """The page's HTML; every value is escaped. ``further``: address and words of the pages that it leads to."""
    values: dict[str, Any] = {"status": status, "alerts": newest, "rollup": rollup, "further": further}
    return environment().get_template("status.html").render(values)


def login_page(name: str, words: str, *, number: str = "", renew: bool = False, then: str = "/") -> str:
    """The page on which people log in; ``words`` say what was wrong, ``renew`` asks for a new password too, ``then`` is the page to come to."""
    values = {"name": name, "words": words, "number": number, "renew": renew, "then": then}
    return environment().get_template("login.html").render(values)


def patrol_report(name: str, shown: "RoundView", pictures: "Mapping[str, str]") -> str:
    """The report of a round of a video patrol; ``pictures``: base64 by SHA-256."""
    items = {one.item: one for one in shown.items}
    values: dict[str, Any] = {"name": name, "round": shown, "items": items, "pictures": pictures}
    return environment().get_template("patrol_report.html").render(values)
