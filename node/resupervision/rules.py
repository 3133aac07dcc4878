"""The rules of standing re-supervision (再监察): what a parent finds in its children, as data like every other rule.

Thresholds come from the tier's profile (``[resupervision]``) and a policy may move them like those of any rule. Each rule measures one
whole number; its unit is in the table. An alert is *about the child*: its case is the child's node id. No source sets these levels: they
are this project's choice, on the ground named beside each.

| rule | measures | ground |
| --- | --- | --- |
| silence | head periods missed within the child's opening hours | DESIGN §2 (a head once a period) |
| absence | natural days without a sign of life | DESIGN §2 |
| never_heard | natural days since a child was introduced that never came | DESIGN §2 |
| lag | minutes connected that entries named by its heads are outstanding | DESIGN §4 |
| reports_behind | minutes connected that its figures stand behind its journal | DESIGN §5 |
| unanswered | working days past the reply's due of an agency's oldest card | practice (reply within 3) |
| cancelled | per cent of its cards that were cancelled | practice (no deletion without a record) |
| cancelled_unfounded | 2: a card cancelled without a reason or a name; 1: by an officer who handled the case | practice |
| back_filled | per cent of an agency's events entered late | practice |
| rollup | figures that are not what its journal gives | DESIGN §5 |
| wrongly_issued | the level (1 to 3) of an alert that its own journal does not bear out | 行政许可法 §60; practice (发牌巡检) |
| missing | the level of an alert that it had to raise and did not | 行政许可法 §60; practice (发牌巡检) |
| clock | seconds its clock is away, or was turned back | DESIGN §4 |
| restored | entries that a restored child had lost and fetches back | DESIGN §4 |
| withheld | 1: it kept an entry from a node below it | DESIGN §4 |
| fork | 1: it showed a journal that does not continue the one held here | DESIGN §4 |
"""

from typing import Final

from node.resupervision.words import WORDS
from node.supervision.policy import Level, Rule, Threshold
from node.supervision.statutes import CHOICE, PRACTICE
from tiers.profile import Resupervision, Watched

DOMAIN: Final = "resupervision"

SILENCE: Final = f"{DOMAIN}.silence"
ABSENCE: Final = f"{DOMAIN}.absence"
NEVER_HEARD: Final = f"{DOMAIN}.never_heard"
LAG: Final = f"{DOMAIN}.lag"
REPORTS_BEHIND: Final = f"{DOMAIN}.reports_behind"
UNANSWERED: Final = f"{DOMAIN}.unanswered"
CANCELLED: Final = f"{DOMAIN}.cancelled"
CANCELLED_UNFOUNDED: Final = f"{DOMAIN}.cancelled_unfounded"
BACK_FILLED: Final = f"{DOMAIN}.back_filled"
ROLLUP: Final = f"{DOMAIN}.rollup"
WRONGLY_ISSUED: Final = f"{DOMAIN}.wrongly_issued"
MISSING: Final = f"{DOMAIN}.missing"
CLOCK: Final = f"{DOMAIN}.clock"
FORK: Final = f"{DOMAIN}.fork"
RESTORED: Final = f"{DOMAIN}.restored"
WITHHELD: Final = f"{DOMAIN}.withheld"

HIGHEST_ONLY: Final = frozenset({CANCELLED_UNFOUNDED, WRONGLY_ISSUED, MISSING, FORK, RESTORED, WITHHELD})
"""Rules whose measure is a kind of fault: only the level it comes to is raised, not those below it."""

_BASIS: Final = {
    SILENCE: CHOICE,
    ABSENCE: CHOICE,
    NEVER_HEARD: CHOICE,
    LAG: CHOICE,
    REPORTS_BEHIND: CHOICE,
    UNANSWERED: PRACTICE,
    CANCELLED: PRACTICE,
    CANCELLED_UNFOUNDED: PRACTICE,
    BACK_FILLED: PRACTICE,
    ROLLUP: CHOICE,
    WRONGLY_ISSUED: f"行政许可法 §60; {PRACTICE}",
    MISSING: f"行政许可法 §60; {PRACTICE}",
    CLOCK: CHOICE,
    FORK: CHOICE,
    RESTORED: CHOICE,
    WITHHELD: CHOICE,
}

CODES: Final = frozenset(_BASIS)

_ITS_OWN_LEVEL: Final = Watched(notice=1, yellow=2, red=3)

_FIXED: Final = {
    CANCELLED_UNFOUNDED: Watched(yellow=1, red=2),
    ROLLUP: Watched(yellow=1, red=10),
    WRONGLY_ISSUED: _ITS_OWN_LEVEL,
    MISSING: _ITS_OWN_LEVEL,
    FORK: Watched(red=1),
    RESTORED: Watched(notice=1),
    WITHHELD: Watched(red=1),
}


def rules_of(held_to: Resupervision) -> tuple[Rule, ...]:
    """Every rule, with the thresholds of a tier's profile."""
    watched = {
        SILENCE: held_to.silence,
        ABSENCE: held_to.absence,
        NEVER_HEARD: held_to.never_heard,
        LAG: held_to.lag,
        REPORTS_BEHIND: held_to.reports_behind,
        UNANSWERED: held_to.unanswered,
        CANCELLED: held_to.cancelled,
        BACK_FILLED: held_to.back_filled,
        CLOCK: held_to.clock,
        **_FIXED,
    }
    return tuple(
        Rule(
            code=code,
            domain=DOMAIN,
            subject="child",
            thresholds=_thresholds(watched[code]),
            legal_basis=basis,
            words=WORDS[code.removeprefix(f"{DOMAIN}.")],
            reruns_elsewhere=False,
        )
        for code, basis in _BASIS.items()
    )


def _thresholds(watched: Watched) -> tuple[Threshold, ...]:
    given = {Level.NOTICE: watched.notice, Level.YELLOW: watched.yellow, Level.RED: watched.red}
    return tuple(Threshold(level, at_least) for level, at_least in given.items() if at_least is not None)
