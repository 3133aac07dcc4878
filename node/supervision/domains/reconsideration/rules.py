"""The rules of administrative reconsideration, and the domain as the evaluation sees it. All articles are of the 行政复议法 (2023).

Three, five, seven and ten days are working days (§88); longer limits are natural.

| rule | finds | source |
| --- | --- | --- |
| time.acceptance | not accepted or refused within five working days of the (corrected) application | §30 |
| time.correction | a correction asked for later than five working days | §31 |
| time.send | not sent on within seven working days of the acceptance, three in the simplified procedure | §48, §54 |
| time.reply | the agency did not reply within ten working days, five in the simplified procedure | §48, §54 |
| time.decision | not decided within 60 days, 30 in the simplified procedure; extensions added, suspensions not counted | §62 |
| time.service | not served within seven working days of the decision | §75; choice of days |
| time.performance | not carried out by the day that the decision names | §77; the decision |
| extension.length | more than 30 days on top, not approved, not told, or in the simplified procedure | §62 |
| refusal.reason | refused without a reason | §30 |
| procedure.heard | decided in the ordinary procedure without hearing the applicant, for no reason of the parties | §49 |
| procedure.approved | decided without approval by the agency's head or its heads together | §61 |
| duty.same_person | one person prepared and approved the decision | §61 |
| entered_late | an event entered more than a working day after it happened | practice |
"""

from typing import Final

import polars as pl

from node.supervision.clock import NATURAL
from node.supervision.domains.reconsideration import facts
from node.supervision.domains.reconsideration.events import DOMAIN, KINDS
from node.supervision.domains.reconsideration.words import WORDS
from node.supervision.rulebook import NOTICE, RED, YELLOW, Rulebook, absent, earlier, empty, known, same
from node.supervision.staged import Staged
from node.supervision.statutes import CHOICE

_BOOK: Final = Rulebook(DOMAIN, WORDS)

RULES: Final = (
    _BOOK.limit("time.acceptance", "行政复议法 §30", (NOTICE, -1), (YELLOW, 1), start="received_at", stop="answered_at", days=5, applies=~pl.col("waits")),
    _BOOK.limit("time.correction", "行政复议法 §31", (YELLOW, 1), start="applied_at", stop="correction_asked_at", days=5, both=True),
    _BOOK.limit("time.send", "行政复议法 §48, §54", (YELLOW, 1), start="accepted_at", stop="sent_on_at", stated_days="sends_days", applies=absent("over_at")),
    _BOOK.limit("time.reply", "行政复议法 §48, §54", (YELLOW, 1), start="sent_on_at", stop="replied_at", stated_days="reply_days", applies=absent("over_at")),
    _BOOK.limit(
        "time.decision", "行政复议法 §62", (NOTICE, -5), (RED, 1),
        start="accepted_at", stop="over_at", stated_days="limit_days", unit=NATURAL, extension="extended_days", pauses="suspensions", by="decided_by",
    ),
    _BOOK.limit("time.service", f"行政复议法 §75; {CHOICE}", (YELLOW, 1), start="decided_at", stop="served_at", days=7, by="decided_by"),
    _BOOK.limit("time.performance", "行政复议法 §77", (YELLOW, 1), start="decided_at", stop="carried_out_at", stated_due_day="perform_day"),
    _BOOK.check(
        "extension.length", "行政复议法 §62", YELLOW,
        (pl.col("extended_days") > 30) | empty("extension_approver") | ~pl.col("extension_told") | pl.col("simple"), "extended_at",
        applies=known("extended_at"),
    ),
    _BOOK.check("refusal.reason", "行政复议法 §30", YELLOW, empty("refusal_reason"), "refused_at", applies=known("refused_at"), by="refused_by"),
    _BOOK.check(
        "procedure.heard", "行政复议法 §49", YELLOW, absent("heard_at") | earlier("decided_at", "heard_at"), "decided_at",
        applies=known("decided_at") & ~pl.col("simple") & ~pl.col("written"), by="decided_by",
    ),
    _BOOK.check("procedure.approved", "行政复议法 §61", YELLOW, empty("approver") & ~pl.col("collective"), "decided_at", applies=known("decided_at"), by="decided_by"),
    _BOOK.check("duty.same_person", "行政复议法 §61", YELLOW, same("decided_by", "approver"), "decided_at", by="decided_by"),
    _BOOK.entered_late(),
)  # fmt: skip

APPLIED: Final = Staged(
    DOMAIN, KINDS, facts=facts.FACTS, rules=RULES, course=facts.COURSE, parts=(facts.SUSPENSIONS,)
).domain()
"""The domain, for `fold.installed`."""
