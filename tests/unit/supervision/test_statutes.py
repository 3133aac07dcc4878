"""What rules stand on: every cited article was read, every lawful length is one of the law's, and docs/rules.md says what the rules do."""

import re
from pathlib import Path

import pytest

from node.alerting.rules import RULES as LATE_STEPS
from node.directives.rules import RULES as DIRECTIVE_RULES
from node.matching.rules import RULES as MATCHING_RULES
from node.resupervision.rules import rules_of
from node.supervision.policy import Level, Rule
from node.supervision.rule_table import held_against, page, told
from node.supervision.statutes import CHOICE, MARKS, PRACTICE, STATUTES, citations, lengths
from tests.unit.domains.test_words import DOMAINS, RULES
from tiers.profile import profile_of
from tiers.tier import tier_named

BY_CODE = {rule.code: rule for _, rule in RULES}
WATCHED = profile_of(tier_named("county")).resupervision
assert WATCHED is not None
ALL = (*BY_CODE.values(), *DIRECTIVE_RULES, *MATCHING_RULES, *LATE_STEPS, *rules_of(WATCHED))


def names(rule: Rule) -> set[str]:
    return {one.name for one in citations(rule.legal_basis)}


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_rule_cites_only_articles_whose_words_are_written_down(rule: Rule) -> None:
    cited = list(citations(rule.legal_basis))
    assert cited
    for one in cited:
        if one.name not in MARKS:
            statute = STATUTES[one.name]
            assert statute.read or not one.articles, f"{one.name} was not read, so no article of it is known"
            assert all(statute.articles[number].words for number in one.articles)


OF_THE_LAW = [
    rule
    for rule in BY_CODE.values()
    if rule.limit_days is not None
    and not {CHOICE, PRACTICE} & names(rule)
    and any(one.articles for one in citations(rule.legal_basis))
]


@pytest.mark.parametrize("rule", OF_THE_LAW, ids=lambda rule: rule.code)
def test_a_limit_that_is_no_choice_is_one_of_the_laws(rule: Rule) -> None:
    unit = rule.terms.unit if rule.terms is not None else "working"
    assert (rule.limit_days, unit) in lengths(rule.legal_basis), rule.legal_basis


def test_a_limit_in_the_wrong_unit_or_of_another_article_is_none_of_the_laws() -> None:
    assert len(OF_THE_LAW) >= 30
    assert (7, "working") in lengths("行政处罚法 §61")
    assert (7, "natural") not in lengths("行政处罚法 §61")
    assert (60, "natural") not in lengths("行政处罚法 §60, §61")


@pytest.mark.parametrize(
    "basis", ["行政处罚法 §99", "某法 §1", "监察法 §11", "政府非税收入管理办法 §17", "choice"]
)
def test_what_nobody_read_cannot_be_cited(basis: str) -> None:
    with pytest.raises(LookupError):
        list(citations(basis))


def test_no_red_card_falls_due_on_a_length_that_is_only_our_choice() -> None:
    reds = {
        rule.code
        for rule in BY_CODE.values()
        if rule.limit_days is not None
        and CHOICE in names(rule)
        and any(one.level is Level.RED and one.at_least <= 1 for one in rule.thresholds)
    }
    assert reds == set()


@pytest.mark.parametrize("domain", DOMAINS)
def test_docstrings_name_every_rule_and_the_articles_it_stands_on(domain: str) -> None:
    rows = told(domain)
    for code, rule in BY_CODE.items():
        if rule.domain == domain:
            source = rows[code.removeprefix(f"{domain}.")][1]
            cited = {f"§{number}" for one in citations(rule.legal_basis) for number in one.articles}
            assert cited <= set(re.findall(r"§\d+", source)), f"{code}: {source}"


def test_no_article_is_written_down_that_no_rule_cites() -> None:
    cited = {
        (one.name, number)
        for rule in ALL
        for one in citations(rule.legal_basis)
        for number in (0, *one.articles)
        if one.name not in MARKS
    }
    assert {(name, number) for name, one in STATUTES.items() for number in (0, *one.articles)} == cited


def test_the_page_of_rules_is_what_the_rules_say(repository: Path) -> None:
    written = (repository / "docs" / "rules.md").read_text(encoding="utf-8")
    assert written == page(), "write it again: python -m node.supervision.rule_table > docs/rules.md"


def test_how_much_of_a_basis_was_read_is_said() -> None:
    assert held_against("行政处罚法 §42") == "text"
    assert held_against("行政处罚法 §42; 国办发〔2024〕54号") == "part"
    assert held_against("国办发〔2024〕54号; 本系统默认") == "name"
    assert held_against("本系统默认") == "–"
