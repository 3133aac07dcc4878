"""Each story of the demo, judged by itself: what was written down by hand is what is found, and nothing else."""

import pytest

from node.demo.stories import STORIES, Story
from tests.unit.domains.stories import LEVELS, judged
from tiers.profile import profile_of
from tiers.tier import tier_named

OWN = {"node": "n", "case": "n-1", "agency": "AG"}


def _at_ten(lines: str) -> str:
    """A day alone is ten in the morning and some minutes, as the demo tells it."""
    numbered = enumerate(filter(None, lines.splitlines()), 1)
    told = ((number, *line.partition(" ")) for number, line in numbered)
    return "\n".join(f"{at if 'T' in at else f'{at}T10:{number:02d}'} {rest}" for number, at, _, rest in told)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_shows_what_was_planted_in_it_and_nothing_else(story: Story) -> None:
    lines = _at_ten(story.lines.format_map(OWN))
    found = judged(story.domain, lines, as_of="2026-06-30T12:00").findings
    planted = [line.split() for line in filter(None, story.findings.format_map(OWN).splitlines())]
    expected = {(rule, level, about[0] if about else "n-1") for rule, level, *about in planted}
    rows = found.select("rule", "level", "case_id").iter_rows()
    assert {(rule, LEVELS[level], case) for rule, level, case in rows} == expected


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_is_told_only_where_somebody_looks(story: Story) -> None:
    rules = {line.split()[0] for line in filter(None, story.findings.splitlines())}
    for tier in story.tiers:
        profile = profile_of(tier_named(tier))
        assert story.domain in profile.domains
        assert not rules & {one.rule for one in profile.policy.rules if one.disabled}
