"""A late step of an alert is a finding like any other: its thresholds are policy, moved by the rule's code.

| rule | measures, past its due | who owed it |
| --- | --- | --- |
| life.confirmation | working days until a card was confirmed or cancelled | the bureau, an embedded supervisor |
| life.reply | … the agency answered | the agency |
| life.review | … the answer was reviewed | the bureau |
| life.appeal_decision | … an appeal was decided | the bureau |
| life.escalated_decision | … what was escalated was decided | the node above |

Yellow from 1, red from 5 (choice, as for an agency's oldest card in re-supervision). When each is due is policy too (`supervision.terms`).
"""

from typing import Final

from node.alerting.words import WORDS, rule_of
from node.supervision.alert import LIFE_DOMAIN
from node.supervision.life import Duty
from node.supervision.policy import Level, Rule, Threshold
from node.supervision.statutes import CHOICE

RULES: Final = tuple(
    Rule(
        rule_of(duty),
        LIFE_DOMAIN,
        "alert",
        (Threshold(Level.YELLOW, 1), Threshold(Level.RED, 5)),
        CHOICE,
        WORDS[rule_of(duty)],
        reruns_elsewhere=False,
    )
    for duty in Duty
)

BY_CODE: Final = {rule.code: rule for rule in RULES}
