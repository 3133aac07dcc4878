"""What alerts concern: step, risk points, responsible post and who held it, read from a journal's projections."""

from collections.abc import Collection
from zoneinfo import ZoneInfo

from zongheng.v1.items_pb2 import Post

from node.projection.context import JournalContext
from node.projection.mandates import POST
from node.store.rows import AlertRecord
from node.store.store import Session
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.concern import Concern, concern, newest_posts, step_of, versions_of
from node.wallclock import instant


async def posts(session: Session, origin: str) -> dict[str, Post]:
    """The newest version of every post of a journal."""
    return newest_posts(Post.FromString(piece.body) for piece in await session.catalogue.all(origin, POST))


async def concerns(
    session: Session, context: JournalContext, alerts: Collection[AlertRecord]
) -> dict[str, Concern]:
    """Alert id → what it concerns; alerts about no step are left out."""
    stages = {rule: stage for domain in context.domains for rule, stage in domain.stages.items()}
    asked = {one.alert_id: step_of(one.subject, one.rule, stages) for one in alerts}
    about = [one for one in alerts if asked[one.alert_id]]
    if not about:
        return {}
    rows = await session.facts.of_cases(context.origin, sorted({one.case_id for one in about}))
    versions = versions_of(rows, context.context)
    known = await posts(session, context.origin)
    found = {}
    for one in about:
        item = versions.get(one.case_id)
        day = local_day(one.since_us, context.zone)
        told = None if item is None else concern(item, asked[one.alert_id], known, day)
        if told is not None:
            found[one.alert_id] = told
    return found


def local_day(at_us: int, zone: ZoneInfo) -> int:
    """The day of an instant, since 1970-01-01."""
    return instant(at_us).astimezone(zone).toordinal() - EPOCH_ORDINAL
