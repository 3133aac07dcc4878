"""The event vocabulary of directives. A case is one directive at the node that has to carry it out, or one project promised to the people.

Source: practice (supervise and urge: item → approval → notice → signed for → handled → feedback → reviewed → closed; blue, yellow, red).
"""

from typing import Final

DOMAIN: Final = "directive"

ISSUED: Final = "issued"  # 交办
SIGNED: Final = "signed"  # 签收
PLANNED: Final = "planned"  # 节点计划
REACHED: Final = "reached"  # 节点完成
PROGRESS: Final = "progress"  # 进展反馈
EXTENSION_ASKED: Final = "extension_asked"  # 申请延期
EXTENDED: Final = "extended"  # 批准延期
URGED: Final = "urged"  # 催办
FEEDBACK: Final = "feedback"  # 办结反馈
SENT_BACK: Final = "sent_back"  # 退回重办
REVIEWED: Final = "reviewed"  # 审核、批示
CLOSED: Final = "closed"  # 办结
WITHDRAWN: Final = "withdrawn"  # 撤销

TEXTS: Final = frozenset({"reason", "opinion"})

KINDS: Final[dict[str, dict[str, type]]] = {
    ISSUED: {
        "issuer": str,  # leader (批示), supervision_office, bureau
        "due_day": int,
        "lead": str,  # the agency that leads
        "key": bool,  # one of the works promised to the people (实事)
    },
    SIGNED: {},
    PLANNED: {"milestone": str, "due_day": int},
    REACHED: {"milestone": str, "quality": str},  # good, fair, poor
    PROGRESS: {"percent": int},
    EXTENSION_ASKED: {"reason": str},
    EXTENDED: {"due_day": int, "approver": str},
    URGED: {},
    FEEDBACK: {},
    SENT_BACK: {"reason": str},
    REVIEWED: {"outcome": str, "opinion": str},  # good, fair, poor
    CLOSED: {},
    WITHDRAWN: {"reason": str},
}
