"""Which step of an item's process a finding is about, and who held the responsible post (责任岗位) of that step at the time. Pure.

A finding about a step names it; of others the domain may say which step a rule is about (`Domain.stages`). What holds when something is missing: a
case whose item the catalogue does not have, a step that the version of the case does not know, a post that nobody published: nobody is concerned.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from zongheng.v1.catalogue_pb2 import Item, Step
from zongheng.v1.items_pb2 import Post

from node.store.rows import FactsRow
from node.supervision.context import Context

_STEP = "step:"


@dataclass(frozen=True, slots=True)
class Concern:
    """What a finding is about, as the version of the item says that its case is under."""

    version: int
    step: Step
    post: Post | None
    """The step's; None: it names none, or nobody published it."""
    holders: tuple[str, ...]
    """Staff numbers of who held it then."""


def step_of(subject: str, rule: str, stages: Mapping[str, str]) -> str:
    """Code of the step that a finding is about; empty: of none."""
    if subject.startswith(_STEP):
        return subject.removeprefix(_STEP).rpartition("#")[0]
    return stages.get(rule, "")


def held_on(post: Post, day: int) -> tuple[str, ...]:
    """Who held a post on a day (since 1970-01-01), in the order of the post."""
    return tuple(
        one.officer for one in post.holdings if one.from_day <= day and (not one.to_day or day <= one.to_day)
    )


def newest_posts(posts: Iterable[Post]) -> dict[str, Post]:
    """The newest version of each post."""
    newest: dict[str, Post] = {}
    for post in posts:
        if post.code not in newest or post.version >= newest[post.code].version:
            newest[post.code] = post
    return newest


def versions_of(cases: Sequence[FactsRow], context: Context) -> dict[str, Item]:
    """Of each case the version of its item that it is under; cases without one are left out."""
    if not cases or not context.items:
        return {}
    received = pl.Series([case.received_at_us for case in cases], dtype=pl.Int64)
    # Approval is judged by the version of the acceptance, everything else by that of the receipt.
    began = [
        case.accepted_at_us if case.domain == "approval" and case.accepted_at_us else case.received_at_us
        for case in cases
    ]
    found = context.catalogue.versions_begun(
        pl.Series([case.item for case in cases], dtype=pl.String),
        pl.Series(began, dtype=pl.Int64),
        received,
        pl.Series([context.zone] * len(cases), dtype=pl.String),
    )
    return {
        case.case_id: context.items[place]
        for case, place in zip(cases, found.to_list(), strict=True)
        if place is not None
    }


def concern(item: Item, code: str, posts: Mapping[str, Post], day: int) -> Concern | None:
    """What a finding about this step of this version concerns; ``day``: from which on it held. None: the version knows no such step."""
    step = next((one for one in item.steps if one.code == code), None)
    if step is None:
        return None
    post = posts.get(step.post)
    return Concern(item.version, step, post, () if post is None else held_on(post, day))
