"""What a report calls things, in Chinese (DOMAIN §6)."""

from typing import Final

LEVELS: Final = {"notice": "预警", "yellow": "黄牌", "red": "红牌"}

STATES: Final = {
    "pending": "待确认",
    "issued": "已发出",
    "explained": "已说明",
    "rectified": "已整改",
    "appealed": "申诉中",
    "cancelled": "已撤销",
    "upheld": "已维持",
    "escalated": "已上报",
    "urged": "已督办",
    "closed": "已办结",
    "corrected": "已更正",
}

DOMAINS: Final = {
    "approval": "行政审批",
    "penalty": "行政处罚",
    "coercion": "行政强制",
    "collection": "行政征收",
    "acts": "其他行政行为",
    "trading": "公共资源交易",
    "funds": "公共资金",
    "duty": "监管职责",
    "openness": "政务公开",
    "complaint": "投诉信访",
    "directive": "政令督办",
    "investment": "重大投资",
    "school": "教育收费",
    "reconsideration": "行政复议",
    "hall": "便民服务大厅",
    "resupervision": "再监察",
    "life": "预警处置时限",
    "hand": "人工发牌",
}

TIERS: Final = {"province": "省", "city": "市", "county": "县", "town": "乡镇", "village": "村"}

STAGES: Final = {
    "drafted": "立项",
    "approved": "审批",
    "notified": "下达",
    "signed": "签收",
    "handled": "办理",
    "answered": "反馈",
    "sent_back": "退回",
    "accepted": "审核通过",
    "closed": "办结",
    "withdrawn": "撤回",
}

CASE_STATES: Final = {
    "received": "已收件",
    "accepted": "已受理",
    "paused": "特别程序中",
    "handed_over": "已移交",
    "completed": "已办结",
    "refused": "不予受理",
}

LAYERS: Final = {
    "agency": "责任部门",
    "embedded": "派驻监察",
    "bureau": "监察机构",
    "handler": "承办节点",
    "parent": "上级节点",
}

DUTIES: Final = {
    "confirmation": "发牌确认",
    "reply": "说明整改",
    "review": "复核",
    "appeal_decision": "申诉裁定",
    "escalated_decision": "上报事项裁定",
    "directive_signature": "督办签收",
    "directive_review": "督办反馈审核",
    "directive_answer": "督办反馈",
    "score_appeal_decision": "绩效申诉裁定",
}
