"""The event vocabulary of the service hall. A case is one ticket of the queue, one call for help, or one day of a window, an officer or a camera.

Source: GB/T 36112—2018 (service halls): waiting, opening hours, attendance. Its numbers are left to the place.
"""

from typing import Final

from node.supervision.gathering import Gathering

DOMAIN: Final = "hall"

TICKET: Final = "ticket"  # 取号
CALLED: Final = "called"  # 叫号
SERVED: Final = "served"  # 办理完成
ABANDONED: Final = "abandoned"  # 弃号
DUE_OPEN: Final = "due_open"  # 应开窗
OPENED: Final = "opened"  # 开窗
PAUSED: Final = "paused"  # 暂停服务
RESUMED: Final = "resumed"  # 恢复服务
CLOSED: Final = "closed"  # 关窗
DUE_PRESENT: Final = "due_present"  # 应到岗
PRESENT: Final = "present"  # 到岗
LEAVE: Final = "leave"  # 请假
GONE: Final = "gone"  # 离岗
BACK: Final = "back"  # 返岗
DARK: Final = "dark"  # 摄像头离线、遮挡
SEEING: Final = "seeing"  # 恢复
HELP: Final = "help"  # 求助
HELP_ANSWERED: Final = "help_answered"  # 应答求助
HELP_UNANSWERED: Final = "help_unanswered"  # 求助无人应答

TEXTS: Final = frozenset({"reason"})

KINDS: Final[dict[str, dict[str, type]]] = {
    TICKET: {"window": str, "priority": bool},
    CALLED: {"window": str},
    SERVED: {"window": str},
    ABANDONED: {},
    DUE_OPEN: {"window": str},
    OPENED: {"window": str},
    PAUSED: {"window": str, "pause": int, "reason": str},
    RESUMED: {"window": str, "pause": int},
    CLOSED: {"window": str, "due_at": int},
    DUE_PRESENT: {},
    PRESENT: {},
    LEAVE: {"approver": str},
    GONE: {"absence": int},
    BACK: {"absence": int},
    DARK: {"camera": str, "outage": int, "open_hours": bool},
    SEEING: {"camera": str, "outage": int},
    HELP: {"caller_node": str},
    HELP_ANSWERED: {},
    HELP_UNANSWERED: {},
}

GATHERINGS: Final = (
    Gathering("window_month", (ABANDONED, PAUSED), by=("agency",), monthly=True),
    Gathering("camera_month", (DARK,), by=("camera",), monthly=True),
    Gathering("help_month", (HELP_UNANSWERED,), by=("agency",), monthly=True),
)
"""An agency's abandoned tickets and pauses of a month; how often a camera was dark in a month; an agency's calls for help of a month that nobody answered."""
