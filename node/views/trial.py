"""A draft tried on history: what its rules and thresholds would have raised, in which agencies, beside what is in force."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from federation.errors import ZonghengError
from node.answering import received_between
from node.models.publication import Publication
from node.projection.context import published
from node.trial.run import Trial, run_trial
from node.views.present import time_text, time_us
from node.views.publication import drafted

if TYPE_CHECKING:
    from node.run import Node


class TrialForm(BaseModel):
    """What to try: the ``rules`` and ``policy`` of a publication, on cases received in a period."""

    draft: Publication
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None


class Counts(BaseModel):
    """What a rule comes to over the period."""

    checked: int
    undetermined: int
    findings: int
    levels: dict[str, int]
    agencies: dict[str, dict[str, int]]
    """Agency → level → findings."""
    cases: list[str]
    """Some of the cases, at most twenty."""


class RuleTrial(BaseModel):
    rule: str
    draft: Counts
    now: Counts
    """The same rule as it is in force; all 0 for one that is not."""


class TrialView(BaseModel):
    """What would have been raised."""

    from_: str | None = Field(serialization_alias="from")
    to: str | None
    as_of: str | None
    journal_size: int
    cases: int
    findings: int
    levels: dict[str, int]
    agencies: list[str]
    rules: list[RuleTrial]
    words: str


async def trial(node: "Node", form: TrialForm) -> TrialView:
    """Try a draft; writes nothing. ZonghengError ``bad_request`` names what is wrong with it, or that it takes too much."""
    draft = await drafted(node, form.draft)
    if not draft.rules:
        raise ZonghengError(
            "bad_request", "nothing to try: give rules, or policy.rules with other thresholds"
        )
    await node.projector.settled()
    own, zone = node.settings.node, node.settings.zone
    from_us, to_us = time_us(form.from_, zone), time_us(form.to, zone)
    as_of_us = min(to_us or node.now(), node.now())
    async with node.store.read() as session:
        size = (await session.cursors.get("events", own)).position
        events = received_between(await node.history.events(session, own, size), from_us, to_us)
        pieces = await published(session, own)
    told = await run_trial(Trial(own, pieces, draft.pieces, draft.rules, as_of_us, size), events)
    rules = [
        RuleTrial(rule=code, draft=Counts(**told["draft"][code]), now=Counts(**told["now"][code]))
        for code in draft.rules
    ]
    levels: dict[str, int] = {}
    for rule in rules:
        for level, number in rule.draft.levels.items():
            levels[level] = levels.get(level, 0) + number
    agencies = sorted({agency for rule in rules for agency in rule.draft.agencies})
    findings = sum(levels.values())
    return TrialView(
        from_=time_text(from_us, zone),
        to=time_text(to_us, zone),
        as_of=time_text(as_of_us, zone),
        journal_size=size,
        cases=events["case_id"].n_unique(),
        findings=findings,
        levels=levels,
        agencies=agencies,
        rules=rules,
        words=_words(findings, levels, agencies),
    )


def _words(findings: int, levels: Mapping[str, int], agencies: list[str]) -> str:
    if not findings:
        return "would have raised nothing"
    of_these = ", ".join(f"{number} {level}" for level, number in levels.items())
    named = ", ".join(agencies[:10]) + (f" and {len(agencies) - 10} more" if len(agencies) > 10 else "")
    return f"would have raised {findings} ({of_these}), in {named}"
