"""The rules of the matching: what several nodes' records show together, as data like every other rule. A policy may move every threshold.

| rule | measures | source |
| --- | --- | --- |
| payee.twice | payments to one person of one programme and period (or one batch), by more than one node; what bounced does not count | 财政违法行为处罚处分条例 §6; 社会救助暂行办法 §68 |
| payee.deceased | days from the registered death to the last payment | 财政违法行为处罚处分条例 §6; 社会救助暂行办法 §13; choice of days |
| household.ceiling | per cent of the ceiling (library `household_ceilings`) that one household got of one programme and period | the library |
| bidder.same | bidders of one tender with one legal representative, account, guarantee or machine | 招标投标法实施条例 §34, §40 |
| bidder.near | bidders of one tender with one telephone or address | 招标投标法实施条例 §39, §40; choice |
| bidder.competing | tenders for which two bid against each other of whom another tender shows such a thing | 招标投标法 §32; 招标投标法实施条例 §39; choice |

That two bidders of one tender have one representative breaks the law as such (§34); one telephone or address is a reason to look. What is lawful is not
found: one person may lead two companies, as long as they do not bid against each other.
"""

from typing import Final

from node.matching.words import WORDS
from node.supervision.alert import MATCHING_DOMAIN
from node.supervision.policy import Level, Rule, Threshold
from node.supervision.statutes import CHOICE, LIBRARY

DOMAIN: Final = MATCHING_DOMAIN

NOTICE: Final = "@matching.notice/"
"""What stands in the place of a case of an alert that a notice made, with the alert at the sender behind it."""

TWICE: Final = f"{DOMAIN}.payee.twice"
DECEASED: Final = f"{DOMAIN}.payee.deceased"
CEILING: Final = f"{DOMAIN}.household.ceiling"
SAME: Final = f"{DOMAIN}.bidder.same"
NEAR: Final = f"{DOMAIN}.bidder.near"
COMPETING: Final = f"{DOMAIN}.bidder.competing"

STRONG: Final = frozenset({"representative", "account", "guarantee", "machine"})
"""Identifiers that two bidders of one tender must not share."""

WEAK: Final = frozenset({"phone", "address"})

CEILINGS: Final = "household_ceilings"
"""Library: code is the programme, high the most that a household gets of it in a period, in 分."""


def _rule(code: str, subject: str, basis: str, *thresholds: tuple[Level, int]) -> Rule:
    return Rule(
        code=code,
        domain=DOMAIN,
        subject=subject,
        thresholds=tuple(Threshold(level, at_least) for level, at_least in thresholds),
        legal_basis=basis,
        words=WORDS[code],
        reruns_elsewhere=False,
    )


RULES: Final = (
    _rule(TWICE, "payee", "财政违法行为处罚处分条例 §6; 社会救助暂行办法 §68", (Level.RED, 2)),
    _rule(
        DECEASED,
        "payee",
        f"财政违法行为处罚处分条例 §6; 社会救助暂行办法 §13; {CHOICE}",
        (Level.NOTICE, 1),
        (Level.YELLOW, 31),
        (Level.RED, 93),
    ),
    _rule(CEILING, "household", LIBRARY, (Level.YELLOW, 101)),
    _rule(SAME, "tender", "招标投标法实施条例 §34, §40", (Level.RED, 2)),
    _rule(NEAR, "tender", f"招标投标法实施条例 §39, §40; {CHOICE}", (Level.YELLOW, 2)),
    _rule(
        COMPETING,
        "bidders",
        f"招标投标法 §32; 招标投标法实施条例 §39; {CHOICE}",
        (Level.NOTICE, 1),
        (Level.YELLOW, 3),
    ),
)

BY_CODE: Final = {rule.code: rule for rule in RULES}
