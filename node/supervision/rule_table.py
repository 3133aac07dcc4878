"""The table of all built-in rules, written out of the rules themselves: what each finds, by which numbers, on which law, and what that was held against.

``python -m node.supervision.rule_table`` prints docs/rules.md; a test compares the two, so the page never says what the program does not do.
"""

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from node.supervision import domains
from node.supervision.clock import HOUR, NATURAL
from node.supervision.fold import installed
from node.supervision.policy import Level, Rule
from node.supervision.statutes import MARKS, STATUTES, citations

_HEAD: Final = """# The rules

Every built-in rule: what it finds, from which number on, and what that number stands on. Numbers are defaults; a policy moves them
([expressions.md](expressions.md) and `zongheng policy`), and an alert names the version that raised it.

This page is written by `python -m node.supervision.rule_table`; `node/supervision/statutes.py` has the words of every article that is cited here.

**Law.** A law with its article: the text of the edition named under [the laws](#the-laws) was read, and it says so. Beside or instead of a law:

| mark | in English | the number is |
| --- | --- | --- |
| 本系统默认 | default of this program | no law's: a threshold of policy. A law named beside it is the ground and not the number |
| 各地实务 | practice of other places | what deployed systems have: a threshold of policy |
| 事项载明 | stated for the matter | said by the catalogue, a plan, a notice or a decision |
| 标准库载明 | published library | said by a published library of standards |

**Held against.** *text*: every law of the rule was read. *part*: of some of them only the name is known. *name*: the law is cited by its name alone, for nobody
could read its text; look it up before a card rests on it. *–*: no law gives it.

**Clock.** *wd* are working days of the calendar, *d* natural days (a last day that is a holiday moves on, 民法典 §203, unless it says *fixed*), *h* hours of
opening. Levels: from how many days over, or from which number on. A clock begins on the day after its start and ends with the last day.
"""

_LAWS: Final = """
## The laws

| cited as | edition | text | remark |
| --- | --- | --- | --- |
"""

_LATE: Final = """
Every domain also has `entered_late`: an event entered more than one working day after it happened (notice), five more (yellow). 各地实务.
"""


def page() -> str:
    """The page, ending with a line break. Raises `KeyError` for a rule that its domain's docstring leaves out."""
    packages = sorted(module.name for module in iter_modules(domains.__path__) if module.ispkg)
    parts = [_HEAD, _LATE]
    for package in packages:
        parts.append(f"\n## {package}\n\n")
        parts.append(
            "| rule | finds | clock | levels | law | held against |\n| --- | --- | --- | --- | --- | --- |\n"
        )
        rules = [rule for one in installed((package,)) for rule in one.rules]
        parts += [f"{row}\n" for row in _rows(package, rules)]
    parts.append(_LAWS)
    for name, statute in STATUTES.items():
        parts.append(
            f"| {name} | {statute.edition} | {'read' if statute.read else 'not at hand'} | {statute.note} |\n"
        )
    return "".join(parts)


def told(domain: str) -> dict[str, tuple[str, str]]:
    """Rule without its domain → what it finds and its source, as the docstring of the domain's `rules` has them."""
    text = import_module(f"{domains.__name__}.{domain}.rules").__doc__ or ""
    rows = (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| "))
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}


def _rows(domain: str, rules: Iterable[Rule]) -> Iterator[str]:
    finds = told(domain)
    for rule in rules:
        name = rule.code.removeprefix(f"{domain}.")
        if name == "entered_late":
            continue
        cells = (
            f"`{name}`",
            f"{rule.words.name_zh} · {finds[name][0]}",
            _clock(rule),
            _levels(rule),
            rule.legal_basis,
            held_against(rule.legal_basis),
        )
        yield f"| {' | '.join(cells)} |"


def _clock(rule: Rule) -> str:
    terms = rule.terms
    said = []
    if terms is not None:
        if terms.stated_due_day or terms.stated_due_at:
            said.append("stated day")
        if terms.stated_days:
            said.append("stated days")
        if terms.published:
            said.append("catalogue")
    elif rule.clocks and rule.limit_days is None:
        said.append("catalogue")
    if rule.limit_days is not None:
        unit = terms.unit if terms is not None else ""
        short = {NATURAL: "d", HOUR: "h"}.get(unit, "wd")
        fixed = " fixed" if terms is not None and unit == NATURAL and not terms.roll else ""
        said.append(f"{rule.limit_days} {short}{fixed}")
    return ", else ".join(said)


def _levels(rule: Rule) -> str:
    if rule.test is not None and rule.fixed:
        return Level(rule.thresholds[0].level).word
    several = len(rule.clocks) > 1
    said = []
    for threshold in rule.thresholds:
        of = f" {threshold.clock}" if several else ""
        said.append(f"{threshold.level.word}{of} ≥ {threshold.at_least}".replace("-", "−"))
    return ", ".join(said)


def held_against(basis: str) -> str:
    """text, part, name or –: how much of a legal basis was read."""
    laws = [STATUTES[cited.name] for cited in citations(basis) if cited.name not in MARKS]
    if not laws:
        return "–"
    read = sum(law.read for law in laws)
    return "text" if read == len(laws) else "part" if read else "name"


if __name__ == "__main__":
    sys.stdout.write(page())
