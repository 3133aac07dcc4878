"""A parent comes to the child's published scores from the child's journal, and a sheet from above goes before the child's own.

What the town is told are the demo's own cases of hall and complaints; the points are read off DOMAIN §3's table by hand.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from zongheng.v1.entry_pb2 import Entry

from node import config
from node.demo.stories import told
from node.models.publication import Publication
from node.people.caller import OPERATOR
from node.run import Node
from node.scoring.figures import SubjectKind
from node.views import publication, score_runs, scores
from tests.unit.lane_down.handing import hand_down, hand_up, introduce

STORIES = [
    one
    for one in told()
    if one.submissions[0].event.kind in ("received", "rated", "ticket", "due_open")
    and one.submissions[0].event.domain in ("hall", "complaint")
    and len(one.node) == len("990102001")
]
TOWN = STORIES[0].node
COUNTY = TOWN[:6]
AGENCY = STORIES[0].submissions[0].event.agency
RUN = f"{TOWN}-jx-agency-2026-03"

Open = Callable[[str], Awaitable[Node]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens nodes whose cards wait for nobody."""
    async with AsyncExitStack() as stack:

        async def make(code: str) -> Node:
            folder = tmp_path / code
            config.initialise(
                folder, tier={6: "county", 9: "town"}[len(code)], name=code, division=code, grpc=None, http=None,
                confirm=False, clock_start=datetime.fromisoformat("2026-05-01T10:00:00+08:00"),
            )  # fmt: skip
            return await stack.enter_async_context(Node.opened(folder))

        yield make


async def tell(town: Node) -> None:
    """The demo's cases at this town: a wait of 35 minutes, a window opened 20 minutes late, a petition, a bad rating not put right."""
    events = [sent.event for story in STORIES if story.node == TOWN for sent in story.submissions]
    await town.write_entries(
        [Entry(source="demo", serial=str(number), case_event=event) for number, event in enumerate(events)]
    )
    await town.projector.settled()


async def of(node: Node, kind: SubjectKind, **more: str) -> dict[str, scores.ScoreView]:
    view = await scores.now(node, OPERATOR, kind, "2026-03", **more)
    return {one.subject: one for one in view.scores}


def drafted(by: str = "b1") -> score_runs.DraftForm:
    return score_runs.DraftForm(kind=SubjectKind.AGENCY, period="2026-03", by=by)


async def test_the_demos_cases_cost_what_the_table_says_for_everybody_they_concern(opened: Open) -> None:
    town = await opened(TOWN)
    await tell(town)
    # Attitude 10 − 5 for the yellow card of the window. Satisfaction 10 − 10 for the red card of the rating that was due by 23 March (its
    # yellow one costs nothing more) − 10 for one bad rating of one: 0, not less. The notices are no row of three.
    for kind, subject in ((SubjectKind.AGENCY, AGENCY), (SubjectKind.NODE, TOWN)):
        one = (await of(town, kind))[subject]
        assert (kind, one.total, one.parts["attitude"], one.parts["satisfaction"]) == (kind, 85, 5, 0)
        assert [(line.item, line.why, line.points, line.rule) for line in one.lines] == [
            ("attitude", "yellow", -5, "hall.window.late"),
            ("satisfaction", "red", -10, "complaint.time.rectify"),
            ("satisfaction", "ratings", -10, ""),
        ]
        assert all(len(line.alerts) == len(line.cases) == 1 for line in one.lines[:2])
        superseded = [(back.rule, back.level) for back in one.returned if back.state == "superseded"]
        assert ("complaint.time.rectify", "yellow") in superseded
        assert one.rank is None, "four cases are below the minimum sample"
    # The window has no part in complaints; who handled them all has.
    assert (await of(town, SubjectKind.WINDOW))[f"{AGENCY}/3"].total == 95
    assert (await of(town, SubjectKind.OFFICER))["W1"].total == 85


async def test_a_parent_comes_to_the_published_scores_from_the_childs_journal(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    await tell(town)
    await score_runs.draft(town, OPERATOR, drafted())
    await score_runs.review(town, OPERATOR, RUN, score_runs.StepForm(by="b2"))
    published = await score_runs.publish(town, OPERATOR, RUN, score_runs.StepForm(by="l1"))
    mark = score_runs.MarkForm(
        kind=SubjectKind.AGENCY, period="2026-03", subject=AGENCY, indicator="integrity_by_hand", points=-1,
        by="b1", reason="查实",
    )  # fmt: skip
    await score_runs.mark(town, OPERATOR, mark)
    introduce(county, town)
    await hand_up(town, county)
    seen = await score_runs.run(county, OPERATOR, RUN)
    assert (seen.state, seen.node, seen.equal) == ("published", TOWN, True)
    assert [(one.subject, one.total, one.recomputed, one.now) for one in seen.frozen] == [
        (AGENCY, 85, 85, 84)
    ]
    assert [one.journal_size for one in seen.frozen] == [one.journal_size for one in published.frozen]
    # As a node the town is scored by its parent, beside the parent itself, in which nothing happened.
    nodes = await of(county, SubjectKind.NODE)
    assert {one.subject: (one.total, one.group) for one in nodes.values()} == {
        TOWN: (85, "town"),
        COUNTY: (None, "county"),
    }


async def test_a_sheet_from_above_goes_before_the_childs_own(opened: Open) -> None:
    county, town = await opened(COUNTY), await opened(TOWN)
    introduce(county, town)
    await tell(town)

    def sheet(yellow: int) -> dict[str, Any]:
        items = [{"code": "all", "name_zh": "全部", "points": 100, "rules": ["*"]}]
        return {"sheets": [{"items": items, "yellow_points": yellow}]}

    own = await publication.publish(town, Publication.model_validate(sheet(1)))
    assert own.sheets == 1
    assert (await of(town, SubjectKind.AGENCY))[AGENCY].total == 89
    before = await score_runs.draft(town, OPERATOR, drafted())
    await publication.publish(county, Publication.model_validate(sheet(20) | {"subtree": True}))
    assert await hand_down(county, town) == []
    view = await scores.now(town, OPERATOR, SubjectKind.AGENCY, "2026-03")
    assert (view.sheet, view.sheet_version, view.sheet_sender) == ("performance", 1, COUNTY)
    assert view.scores[0].total == 70
    # What was frozen under the old sheet comes out as it was.
    after = await score_runs.run(town, OPERATOR, RUN)
    assert (after.equal, after.sheet_sender) == (True, "")
    assert [one.total for one in after.frozen] == [one.total for one in before.frozen] == [89]
    assert [one.now for one in after.frozen] == [70]
