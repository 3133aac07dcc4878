"""Rounds of video patrols as people walk and read them: stop by stop, with the picture of each."""

import asyncio
import base64
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1 import patrol_pb2 as wire
from zongheng.v1.life_pb2 import FileRef

from federation.errors import ZonghengError
from federation.trunk.frame import Stream
from node.patrol.round import Round, Told
from node.people import audit
from node.people.caller import Caller
from node.views.alert_life import shelve
from node.views.footage import SnapshotForm, snapshot
from node.views.patrol_findings import FindingView, findings_of, may_see_round, must_see_round, origin_of
from node.views.patrol_plans import By, ItemView, stops_of
from node.views.present import time_text, time_us

if TYPE_CHECKING:
    from node.run import Node

Verdict = Literal["ok", "not_ok", "unseen"]

_VERDICTS: Final[dict[str, wire.PatrolVerdict.ValueType]] = {
    "ok": wire.PATROL_VERDICT_OK,
    "not_ok": wire.PATROL_VERDICT_NOT_OK,
    "unseen": wire.PATROL_VERDICT_UNSEEN,
}
_VERDICT_WORDS: Final = {number: word for word, number in _VERDICTS.items()}
_PICTURE_WIDTH: Final = 1_280
_OURS: Final = frozenset({"disk_full", "sealed", "store_damaged", "internal", "bad_request"})
"""Codes that say nothing about a camera."""


class MarkForm(BaseModel):
    """One item of the list."""

    model_config = ConfigDict(extra="forbid")

    item: str
    verdict: Verdict
    remark: str = Field(default="", max_length=1_000)


class CheckForm(BaseModel):
    """What was seen at a stop; without marks: the camera cannot be reached, which is tried."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    marks: list[MarkForm] = Field(default=[], max_length=50)
    remark: str = Field(default="", max_length=1_000)


class MarkView(BaseModel):
    item: str
    verdict: str
    remark: str


class StopView(BaseModel):
    """One stop of a round."""

    number: int
    stream: str
    node: str
    node_name: str
    hall: str
    camera: str
    camera_name: str
    state: str
    """``open``, ``checked``, ``unreachable``."""
    at: str | None
    by: str
    marks: list[MarkView]
    remark: str
    picture: str
    """SHA-256 of the picture; empty: there is none."""
    picture_here: bool
    """Its file is in this node's folder."""
    taken_at: str | None
    code: str
    """Why the camera was not reached."""
    words: str
    findings: list[FindingView]


class RoundView(BaseModel):
    """A round."""

    round: str
    plan: str
    name: str
    by: str
    begun_at: str | None
    ended_at: str | None
    ended_by: str
    complete: bool
    reason: str
    """Why it was broken off."""
    items: list[ItemView]
    stops: list[StopView]
    left: int
    unreachable: int
    not_ok: int


class RoundLine(BaseModel):
    """A round in a list."""

    round: str
    plan: str
    name: str
    by: str
    begun_at: str | None
    ended_at: str | None
    complete: bool
    stops: int
    left: int
    unreachable: int
    not_ok: int


class PictureTaken(BaseModel):
    """A picture that was taken at a stop, and will be kept with what is said of it."""

    sha256: str
    taken_at: str | None
    jpeg: str
    """Base64."""


async def begin(node: "Node", caller: Caller, code: str, form: By) -> RoundView:
    """Begin a round of a plan."""
    kept = await node.patrols.plan(code)
    stops = [
        wire.PatrolStop(number=number, stream=str(stream), node_name=name, hall=hall, camera_name=camera_name)
        for number, (stream, name, hall, camera_name) in enumerate(stops_of(node, kept.form.places), 1)
    ]
    begun = await node.patrols.begin(kept.form, stops, caller.signing(form.by) or caller.who)
    return await _round(node, begun)


async def rounds(node: "Node", caller: Caller, code: str, of: str, limit: int) -> list[RoundLine]:
    """Rounds of a plan or of all, of this node or of a child, the newest first; of who sees an agency alone, their own."""
    found = await node.patrols.rounds(code, limit, of)
    return [_line(node, one) for one in found if may_see_round(caller, one)]


async def round_(node: "Node", caller: Caller, round_id: str) -> RoundView:
    """One round, of this node or of a node whose journal is held here. ZonghengError `not_found`."""
    return await _round(node, await _known(node, caller, round_id))


async def picture(node: "Node", caller: Caller, round_id: str, stop: int) -> PictureTaken:
    """Take the picture of a stop. Raises ZonghengError as looking does."""
    known = await _known(node, caller, round_id)
    taken, at_us, content = await _take(node, caller, known, stop)
    return PictureTaken(
        sha256=taken.sha256,
        taken_at=time_text(at_us, node.settings.zone),
        jpeg=base64.b64encode(content).decode(),
    )


async def check(node: "Node", caller: Caller, round_id: str, stop: int, form: CheckForm) -> RoundView:
    """Say what was seen at a stop; the picture is the one that was just taken, or is taken now. Where that cannot be, the camera counts as not reached.

    Raises ZonghengError `bad_request` where it can be reached and nothing is said, or cannot and something is.
    """
    known = await _known(node, caller, round_id)
    said = wire.PatrolChecked(
        round=round_id, stop=stop, by=caller.signing(form.by) or caller.who, remark=form.remark,
        marks=[
            wire.PatrolMark(item=one.item, verdict=_VERDICTS[one.verdict], remark=one.remark)
            for one in form.marks
        ],
    )  # fmt: skip
    kept = node.patrols.pictures.get((round_id, stop))
    try:
        if kept is None or not form.marks:
            taken, at_us, _ = await _take(node, caller, known, stop)
            kept = taken, at_us
        said.picture.CopyFrom(kept[0])
        said.taken_at_us = kept[1]
    except ZonghengError as failed:
        if failed.code in _OURS:
            raise
        said.code, said.words = failed.code, failed.detail
    told = await node.patrols.check(said)
    node.patrols.pictures.pop((round_id, stop), None)
    return await _round(node, told)


async def end(node: "Node", caller: Caller, round_id: str, form: By) -> RoundView:
    """End a round, or break it off with a reason."""
    await _known(node, caller, round_id)
    over = await node.patrols.end(round_id, caller.signing(form.by) or caller.who, form.reason)
    return await _round(node, over)


async def picture_file(node: "Node", caller: Caller, round_id: str, sha256: str) -> Path:
    """Where a picture of a round lies; that somebody else than who took it looks at it is an entry. ZonghengError `not_found`."""
    known = await _known(node, caller, round_id)
    told = next((one for one in known.told.values() if one.said.picture.sha256 == sha256), None)
    if told is None or not node.shelf.has(sha256):
        raise ZonghengError("not_found", f"round {round_id} has no picture {sha256} here")
    if told.said.by != caller.who:
        await node.write_entries([audit.looked(caller, f"picture {sha256} of patrol {round_id}")])
    return node.shelf.path(sha256)


async def report_pictures(node: "Node", caller: Caller, shown: RoundView) -> dict[str, str]:
    """The pictures of a round, base64 by SHA-256, for its report; that they are read is an entry."""
    await node.write_entries([audit.looked(caller, f"report of patrol {shown.round}")])
    wanted = [stop.picture for stop in shown.stops if stop.picture_here]
    return {
        digest: base64.b64encode(await asyncio.to_thread(node.shelf.path(digest).read_bytes)).decode()
        for digest in wanted
    }


async def _known(node: "Node", caller: Caller, round_id: str) -> Round:
    known = await node.patrols.round(round_id, origin_of(round_id))
    must_see_round(caller, known)
    return known


async def _take(node: "Node", caller: Caller, known: Round, stop: int) -> tuple[FileRef, int, bytes]:
    """Take the picture of a stop and keep its file."""
    place = known.stops.get(stop)
    if place is None:
        raise ZonghengError("bad_request", f"round {known.id} has no stop {stop}")
    if known.ended is not None:
        raise ZonghengError("bad_request", f"round {known.id} is over: begin another")
    form = SnapshotForm(
        stream=place.stream, width=_PICTURE_WIDTH, purpose=f"patrol {known.begun.name} ({known.id})"
    )
    taken = await snapshot(node, caller, form)
    content = base64.b64decode(taken.jpeg)
    await node.room.make(len(content))
    stream = Stream.parse(place.stream)
    kept = await shelve(node, f"{known.id}-{stop}-{stream.node}-{stream.camera}.jpg", content)
    picture = FileRef(**kept.model_dump()), time_us(taken.taken_at, node.settings.zone)
    node.patrols.pictures[known.id, stop] = picture
    return *picture, content


def _line(node: "Node", known: Round) -> RoundLine:
    zone = node.settings.zone
    return RoundLine(
        round=known.id,
        plan=known.begun.plan,
        name=known.begun.name,
        by=known.begun.by,
        begun_at=time_text(known.begun_us, zone),
        ended_at=time_text(known.ended_us, zone),
        complete=known.ended is not None and known.ended.complete,
        stops=len(known.begun.stops),
        left=len(known.left),
        unreachable=len(known.unreachable),
        not_ok=known.not_ok,
    )


async def _round(node: "Node", known: Round) -> RoundView:
    zone = node.settings.zone
    findings = await findings_of(node, known)
    return RoundView(
        round=known.id,
        plan=known.begun.plan,
        name=known.begun.name,
        by=known.begun.by,
        begun_at=time_text(known.begun_us, zone),
        ended_at=time_text(known.ended_us, zone),
        ended_by="" if known.ended is None else known.ended.by,
        complete=known.ended is not None and known.ended.complete,
        reason="" if known.ended is None else known.ended.reason,
        items=[ItemView(item=one.code, zh=one.zh, en=one.en) for one in known.begun.items],
        stops=[
            _stop(node, place, known.told.get(place.number), findings.get(place.number, []))
            for place in known.begun.stops
        ],
        left=len(known.left),
        unreachable=len(known.unreachable),
        not_ok=known.not_ok,
    )


def _stop(node: "Node", place: wire.PatrolStop, told: Told | None, findings: list[FindingView]) -> StopView:
    of, _, rest = place.stream.partition("/")
    said = wire.PatrolChecked() if told is None else told.said
    return StopView(
        number=place.number,
        stream=place.stream,
        node=of,
        node_name=place.node_name,
        hall=place.hall,
        camera=rest.partition("/")[0],
        camera_name=place.camera_name,
        state="open" if told is None else "checked" if told.reached else "unreachable",
        at=None if told is None else time_text(told.at_us, node.settings.zone),
        by=said.by,
        marks=[
            MarkView(item=one.item, verdict=_VERDICT_WORDS.get(one.verdict, "unseen"), remark=one.remark)
            for one in said.marks
        ],
        remark=said.remark,
        picture=said.picture.sha256,
        picture_here=bool(said.picture.sha256) and node.shelf.has(said.picture.sha256),
        taken_at=time_text(said.taken_at_us, node.settings.zone),
        code=said.code,
        words=said.words,
        findings=findings,
    )
