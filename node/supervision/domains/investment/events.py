"""The event vocabulary of major government investment. A case is one project.

Sources: 政府投资条例 (2019) §9–§25; 建筑法 §7, §61; 建设工程质量管理条例 §16, §49; 财建〔2016〕503号 §2.
"""

from typing import Final

DOMAIN: Final = "investment"

PROPOSED: Final = "proposed"  # 项目建议书批复
FEASIBLE: Final = "feasible"  # 可行性研究批复
DESIGNED: Final = "designed"  # 初步设计及概算批复
PERMITTED: Final = "permitted"  # 施工许可
STARTED: Final = "started"  # 开工
PLANNED: Final = "planned"  # 形象进度计划
REACHED: Final = "reached"  # 形象进度完成
CHANGED: Final = "changed"  # 设计变更
ADJUSTED: Final = "adjusted"  # 概算调整批复
PAID: Final = "paid"  # 拨付
COMPLETED: Final = "completed"  # 完工
ACCEPTED: Final = "accepted"  # 竣工验收
RECORDED: Final = "recorded"  # 竣工验收备案
ACCOUNTED: Final = "accounted"  # 竣工财务决算
TRANSFERRED: Final = "transferred"  # 资产移交

MONEY: Final = frozenset({"amount"})

KINDS: Final[dict[str, dict[str, type]]] = {
    PROPOSED: {"amount": int},
    FEASIBLE: {"amount": int},
    DESIGNED: {
        "amount": int,
        "due_day": int,
        "simplified": bool,
    },  # simplified: with fewer papers, as 政府投资条例 §13 allows
    PERMITTED: {},
    STARTED: {"permit_exempt": bool},  # small works, or begun on an approved report (建筑法 §7)
    PLANNED: {"milestone": str, "due_day": int},
    REACHED: {"milestone": str},
    CHANGED: {"amount": int, "approver": str},
    ADJUSTED: {"amount": int},
    PAID: {"amount": int, "approver": str},
    COMPLETED: {},
    ACCEPTED: {"outcome": str},
    RECORDED: {},
    ACCOUNTED: {"amount": int},
    TRANSFERRED: {},
}
