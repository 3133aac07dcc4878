"""Every rule of every domain says something, in both languages, that can be filled in."""

import pytest

from node.store.rows import AlertRecord
from node.supervision.fold import installed
from node.views.message import message

DOMAINS = (
    "approval",
    "penalty",
    "trading",
    "funds",
    "duty",
    "openness",
    "complaint",
    "directive",
    "coercion",
    "collection",
    "acts",
    "investment",
    "school",
    "reconsideration",
    "hall",
)
RULES = [(one.code, rule) for one in installed(DOMAINS) for rule in one.rules]


@pytest.mark.parametrize(("domain", "rule"), RULES, ids=[rule.code for _, rule in RULES])
@pytest.mark.parametrize("subject", ["case", "payment:2", "milestone:M#1#3"])
def test_a_finding_is_a_sentence_in_both_languages(domain: str, rule, subject: str) -> None:
    alert = AlertRecord(
        "n", "a", "n-1", subject, domain, rule.code, 2, 1, 2, 0, 1_700_000_000_000_000, 0, 0, "AG", "I", "W1", 3, 1, 1, "c", 1
    )  # fmt: skip
    chinese, english = (message(alert, "Asia/Shanghai", language) for language in ("zh", "en"))
    for text in (chinese, english):
        assert text != rule.code
        assert "{" not in text
    assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese)
    assert not any("\u4e00" <= sign <= "\u9fff" for sign in english)
    assert rule.legal_basis
    assert rule.domain == domain
    assert rule.code.startswith(f"{domain}.")
