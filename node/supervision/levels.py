"""The words for alert levels and states, by their number on the wire."""

from typing import Final

from zongheng.v1.entry_pb2 import AlertState

LEVELS: Final = ("none", "notice", "yellow", "red")
"""By level number: 0 normal, 1 预警, 2 黄牌, 3 红牌."""

STATES: Final[dict[int, str]] = {
    int(value): name.removeprefix("ALERT_STATE_").lower() for name, value in AlertState.items()
}
"""AlertState number → word."""
