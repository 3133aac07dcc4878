"""To which alerts nobody at the node owes a reply."""

import pytest

from node.alerting.elsewhere import is_answered_elsewhere
from node.supervision.fold import installed


@pytest.mark.parametrize(
    ("domain", "rule", "case_id"),
    [
        ("resupervision", "resupervision.silence", "990121101"),
        ("life", "life.reply", "c-1"),
        ("directive", "directive.due", "D-2026-1"),
        ("matching", "matching.payee.twice", "@matching.payee/1"),
    ],
)
def test_what_is_about_a_node_below_a_directive_or_a_late_step(domain: str, rule: str, case_id: str) -> None:
    assert is_answered_elsewhere(domain, rule, case_id)


def test_what_is_found_in_cases_is_answered_here_also_in_those_of_directives() -> None:
    rules = [
        rule for domain in installed(("approval", "directive", "funds", "hall")) for rule in domain.rules
    ]
    assert any(rule.domain == "directive" for rule in rules)
    for rule in rules:
        assert not is_answered_elsewhere(rule.domain, rule.code, "c-1"), rule.code
    assert not is_answered_elsewhere("matching", "matching.payee.twice", "@matching.notice/ABC")
