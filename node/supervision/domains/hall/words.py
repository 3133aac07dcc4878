"""What the rules of the hall say to people, in both languages; see `policy.Words` for what a text may name."""

from typing import Final

from node.supervision.policy import Words, words

WORDS: Final[dict[str, Words]] = words(
    "hall",
    """
wait.long | 等候过长 | Long wait | 等候{over}分钟。 | The wait was {over} minutes.
wait.abandoned | 久候弃号 | Gave up | 等候{over}分钟后弃号。 | Gave up after {over} minutes.
service.long | 办理过长 | Long service | 办理{over}分钟。 | It took {over} minutes to serve.
window.late | 晚开窗 | Opened late | 窗口晚开{over}分钟。 | The window opened {over} minutes late.
window.early | 早关窗 | Closed early | 窗口早关{over}分钟。 | The window closed {over} minutes early.
window.pause | 暂停过长 | Long pause | 第{nth}次暂停服务{over}分钟。 | Pause {nth} lasted {over} minutes.
window.unattended | 未开窗 | Not opened | 窗口应于{due}前开放，{lapse_zh}。 | The window was to open by {due}; {lapse_en}.
staff.late | 迟到 | Came late | 工作人员{actor}迟到{over}分钟。 | {actor} came {over} minutes late.
staff.absent | 缺勤 | Absent | 工作人员{actor}应于{due}前到岗，{lapse_zh}。 | {actor} was to be there by {due}; {lapse_en}.
staff.gone | 离岗过长 | Away from the window | 第{nth}次离岗{over}分钟。 | Absence {nth} lasted {over} minutes.
camera.dark | 摄像头离线 | Camera dark | 摄像头{code}应于{due}前恢复，{lapse_zh}。 | Camera {code} is to see again by {due}; {lapse_en}.
help.slow | 求助应答过慢 | Slow to answer a call | 求助响铃{over}秒后才由{actor}应答。 | A call for help was answered by {actor} after {over} seconds.
help.unanswered | 求助无人应答 | A call not answered | 求助响铃{over}秒，本级无人应答。 | A call for help rang for {over} seconds and nobody here answered.
help_month.unanswered | 当月求助多次无人应答 | Many calls not answered | 当月{over}次求助本级无人应答。 | {over} calls for help were not answered here in a month.
window_month.abandoned | 当月弃号过多 | Many gave up | 当月弃号{over}次。 | {over} tickets were given up in a month.
camera_month.dark | 当月频繁离线 | Often dark | 当月离线{over}次。 | It was dark {over} times in a month.
""",
)
