"""What an alert says to people: its rule's words filled in with this alert's subject, deadline and number."""

from collections.abc import Sequence
from typing import Literal

from node.alerting.words import WORDS as BESIDE
from node.directives import rules as directives
from node.matching import rules as matching
from node.resupervision import rules as resupervision
from node.resupervision.words import WORDS
from node.store.rows import AlertRecord
from node.supervision.fold import Domain, installed
from node.supervision.local_rule import MARK as LOCAL
from node.supervision.policy import Words
from node.views.present import time_text

Language = Literal["zh", "en"]


def message(alert: AlertRecord, zone: str, language: Language = "zh", domains: Sequence[Domain] = ()) -> str:
    """One sentence; the rule's code where a newer version raised it and this one has no words for it.

    ``domains`` are those of the journal's context: they know the words of its local rules.
    """
    words = words_of(alert.domain, alert.rule, domains)
    if words is None:
        return alert.rule
    _, _, rest = alert.subject.partition(":")
    code, _, nth = rest.rpartition("#")
    due = time_text(alert.due_at_us, zone)
    values = {
        "due": due[:16].replace("T", " ") if due else "–",
        "over": alert.over,
        "lapse_zh": _lapse_zh(alert.over),
        "lapse_en": _lapse_en(alert.over),
        "code": code,
        "nth": nth,
        "actor": alert.actor or "–",
        "item": alert.item or "–",
        "subject": alert.subject,
        "case": alert.case_id,
    }
    return (words.zh if language == "zh" else words.en).format_map(values)


def words_of(domain: str, rule: str, domains: Sequence[Domain] = ()) -> Words | None:
    """The words of a rule; None: this version has none."""
    if LOCAL in rule:
        return next((known.words for one in domains if (known := one.rule(rule)) is not None), None)
    passed_down = directives.BY_CODE.get(rule)
    if passed_down is not None:
        return passed_down.words
    if rule in matching.BY_CODE:
        return matching.BY_CODE[rule].words
    if rule in BESIDE:
        return BESIDE[rule]
    if domain == resupervision.DOMAIN:
        return WORDS.get(rule.removeprefix(f"{domain}."))
    try:
        built_in = installed((domain,))
    except ModuleNotFoundError:
        return None
    return next((known.words for one in built_in if (known := one.rule(rule)) is not None), None)


def _lapse_zh(over: int) -> str:
    if over > 0:
        return f"已超过{over}天"
    return "今日到期" if over == 0 else f"还剩{-over}天"


def _lapse_en(over: int) -> str:
    days = "1 day" if abs(over) == 1 else f"{abs(over)} days"
    if over > 0:
        return f"{days} past it"
    return "that is today" if over == 0 else f"{days} left"
