"""The policy a node begins with: its tier's profile, entered in the journal like every later version.

So a parent that judges the child's cases again uses the numbers the child itself was under, not its own.
"""

from zongheng.v1.catalogue_pb2 import LEVEL_RED, LEVEL_YELLOW, LevelSetting, Policy, RuleSetting
from zongheng.v1.terms_pb2 import StepDeadlines

from node.config import NodeSettings
from tiers.profile import profile_of
from tiers.tier import tier_named


def first_policy(settings: NodeSettings) -> Policy:
    """Version 1; with ``confirm`` off in the settings no level waits for a person."""
    defaults = profile_of(tier_named(settings.tier)).policy
    return Policy(
        version=1,
        rules=[
            RuleSetting(
                rule=rule.rule,
                disabled=rule.disabled,
                notice=rule.notice,
                yellow=rule.yellow,
                red=rule.red,
                limit_days=rule.limit_days,
            )
            for rule in defaults.rules
        ],
        levels=[
            LevelSetting(
                level=level,
                confirm=one.confirm and settings.confirm,
                confirm_timeout_days=one.confirm_timeout_days,
            )
            for level, one in ((LEVEL_YELLOW, defaults.yellow), (LEVEL_RED, defaults.red))
        ],
        deadlines=StepDeadlines(
            confirm_days=defaults.confirm_days,
            reply_days=defaults.reply_days,
            review_days=defaults.review_days,
            appeal_days=defaults.appeal_days,
            decide_days=defaults.appeal_decided_days,
            escalated_days=defaults.escalated_days,
        ),
    )
