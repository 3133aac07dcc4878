"""``zongheng patrol …``: plans of video patrols (视频巡查), rounds walked camera by camera, what was found."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, out, run, told
from node.cli.nodes import Folder
from node.cli.reach import Reach, reach

patrol_app = typer.Typer(
    no_args_is_help=True, help="Video patrols (视频巡查): plans, rounds, what was found."
)

By = Annotated[str, typer.Option("--by", metavar="NUMBER", help="Staff number of who does it.")]
Plan = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's code.")]
Round = Annotated[str, typer.Argument(metavar="ROUND", help="As `zongheng patrol rounds` lists it.")]
Stop = Annotated[int, typer.Argument(metavar="STOP", help="Its number in the round.")]


def register(app: typer.Typer) -> None:
    app.add_typer(patrol_app, name="patrol")


@patrol_app.command("plan")
def plan(
    folder: Folder,
    code: Plan,
    name: Annotated[str, typer.Option(help="What people call it.")],
    place: Annotated[
        list[str],
        typer.Option(
            metavar="NODE[/CAMERA]",
            help="A node (each of its halls), or one camera. Repeatable; in this order.",
        ),
    ],
    item: Annotated[
        list[str],
        typer.Option(
            metavar="CODE=ZH[|EN]", help="Something to look at everywhere, in both languages. Repeatable."
        ),
    ],
    every: Annotated[int, typer.Option(metavar="DAYS", help="A round is due so often; 0: at will.")] = 0,
    responsible: Annotated[str, typer.Option(metavar="NUMBER", help="Who is to walk it.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Make a plan, or change the one of that code."""

    async def work() -> int:
        form = {
            "code": code, "name": name, "places": place, "items": [_item(one) for one in item],
            "every_days": every, "responsible": responsible or None,
        }  # fmt: skip
        async with reach(folder) as node:
            answer = await node.post("/api/patrols", {"plan": form, "by": by})
        told(
            answer,
            f"plan {code}: {len(place)} places, {len(item)} items, next due {answer['due_day'] or '–'}",
            as_json,
        )
        return 0

    run(work)


@patrol_app.command("list")
def list_plans(folder: Folder, as_json: Json = False) -> None:
    """The plans, with what is due; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/patrols")
        if _lines(answer, as_json):
            return 0
        table = Table("plan", "name", "every", "walked", "due", "missed", "open", box=None, pad_edge=False)
        for one in answer:
            every = f"{one['every_days']} d" if one["every_days"] else ""
            table.add_row(
                one["plan"], one["name"], every, (one["walked_at"] or "")[:10], one["due_day"] or "",
                str(one["missed"] or ""), one["open_round"],
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


@patrol_app.command("remove")
def remove(folder: Folder, code: Plan, by: By = "", as_json: Json = False) -> None:
    """Remove a plan; its rounds stay. With --json the plans that are left, one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/patrols/{quote(code, safe='')}/removal", {"by": by})
        if not _lines(answer, as_json):
            out.print(f"plan {code} is removed", highlight=False)
        return 0

    run(work)


@patrol_app.command("rounds")
def rounds(
    folder: Folder,
    plan: Annotated[str, typer.Option(metavar="PLAN", help="Of one plan alone.")] = "",
    of: Annotated[str, typer.Option("--node", metavar="NODE", help="Of a child, out of its journal.")] = "",
    as_json: Json = False,
) -> None:
    """The rounds that were begun, the newest first; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/patrol-rounds", plan=plan or None, node=of or None)
        if _lines(answer, as_json):
            return 0
        table = Table(
            "round",
            "plan",
            "by",
            "begun",
            "",
            "stops",
            "not reached",
            "not in order",
            box=None,
            pad_edge=False,
        )
        for one in answer:
            over = (
                "complete" if one["complete"] else "broken off" if one["ended_at"] else f"{one['left']} left"
            )
            table.add_row(
                one["round"], one["plan"], one["by"], (one["begun_at"] or "")[:16], over, str(one["stops"]),
                str(one["unreachable"]), str(one["not_ok"]),
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


@patrol_app.command("show")
def show(folder: Folder, round_id: Round, as_json: Json = False) -> None:
    """One round: each stop, what was seen there, what became of findings."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(_place(round_id))
        _shown(answer, as_json)
        return 0

    run(work)


@patrol_app.command("begin")
def begin(folder: Folder, code: Plan, by: By = "", as_json: Json = False) -> None:
    """Begin a round of a plan."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/patrols/{quote(code, safe='')}/rounds", {"by": by})
        _shown(answer, as_json)
        return 0

    run(work)


@patrol_app.command("check")
def check(
    folder: Folder,
    round_id: Round,
    stop: Stop,
    ok: Annotated[list[str], typer.Option(metavar="ITEM", help="In order. Repeatable.")] = [],  # noqa: B006
    not_ok: Annotated[
        list[str], typer.Option(metavar="ITEM[=REMARK]", help="Not in order. Repeatable.")
    ] = [],  # noqa: B006
    unseen: Annotated[
        list[str], typer.Option(metavar="ITEM", help="The picture does not show it. Repeatable.")
    ] = [],  # noqa: B006
    rest_ok: Annotated[bool, typer.Option("--rest-ok", help="Whatever is not named is in order.")] = False,
    remark: Annotated[str, typer.Option(help="About the stop.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Say what is seen at a stop; a picture is taken and kept. Without any item: the camera cannot be reached, which is tried."""

    async def work() -> int:
        async with reach(folder) as node:
            marks = [*(_mark(one, "ok") for one in ok), *(_mark(one, "not_ok") for one in not_ok)]
            marks += [_mark(one, "unseen") for one in unseen]
            if rest_ok:
                marks += await _rest(node, round_id, {one["item"] for one in marks})
            body = {"by": by, "marks": marks, "remark": remark}
            answer = await node.post(f"{_place(round_id)}/stops/{stop}", body)
        _shown(answer, as_json)
        return 0

    run(work)


@patrol_app.command("find")
def find(
    folder: Folder,
    round_id: Round,
    stop: Stop,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="What was not in order.")],
    reason: Annotated[str, typer.Option(help="In short words; stands in the journal.")],
    level: Annotated[str, typer.Option(help="notice, yellow or red.")] = "yellow",
    text: Annotated[str, typer.Option(help="In full; of a node below, sealed to it.")] = "",
    due: Annotated[str, typer.Option(metavar="TIME", help="By when the node below answers.")] = "",
    approved_by: Annotated[
        str,
        typer.Option(metavar="NUMBER", help="Approve the directive at once; somebody else than --by."),
    ] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Raise what was not in order: an alert with the picture, and a directive where the hall is a node's below."""

    async def work() -> int:
        body = {
            "by": by, "item": item, "level": level, "reason": reason, "text": text, "due": due,
            "approved_by": approved_by,
        }  # fmt: skip
        async with reach(folder) as node:
            answer = await node.post(f"{_place(round_id)}/stops/{stop}/finding", body)
        about = f", directive {answer['directive']} ({answer['stage']})" if answer["directive"] else ""
        told(answer, f"alert {answer['alert']} ({answer['level']}, {answer['state']}){about}", as_json)
        return 0

    run(work)


@patrol_app.command("end")
def end(
    folder: Folder,
    round_id: Round,
    reason: Annotated[str, typer.Option(help="Why it is broken off, where stops are left.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """End a round."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"{_place(round_id)}/end", {"by": by, "reason": reason})
        _shown(answer, as_json)
        return 0

    run(work)


@patrol_app.command("report")
def report(
    folder: Folder,
    round_id: Round,
    into: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the page.")] = Path(
        "patrol.html"
    ),
) -> None:
    """The report of a round as one page with its pictures in it; that it was read is an entry."""

    async def work() -> int:
        async with reach(folder) as node:
            into.write_bytes(await node.fetch(f"{_place(round_id)}/report"))
        out.print(f"{into}: {into.stat().st_size} bytes", highlight=False)
        return 0

    run(work)


def _place(round_id: str) -> str:
    return f"/api/patrol-rounds/{quote(round_id, safe='')}"


def _item(text: str) -> dict[str, str]:
    code, told, words = text.partition("=")
    if not told or not words:
        raise ZonghengError("bad_request", f"{text!r}: write CODE=中文 or CODE=中文|English")
    zh, _, en = words.partition("|")
    return {"code": code, "zh": zh, "en": en}


def _mark(text: str, verdict: str) -> dict[str, str]:
    item, _, remark = text.partition("=")
    return {"item": item, "verdict": verdict, "remark": remark}


async def _rest(node: Reach, round_id: str, named: set[str]) -> list[dict[str, str]]:
    items = (await node.get(_place(round_id)))["items"]
    return [_mark(one["item"], "ok") for one in items if one["item"] not in named]


def _lines(answer: list[dict[str, Any]], as_json: bool) -> bool:
    for one in answer if as_json else ():
        print(orjson.dumps(one).decode())
    return as_json


def _shown(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
        return
    over = (
        "complete" if answer["complete"] else "broken off" if answer["ended_at"] else f"{answer['left']} left"
    )
    out.print(f"{answer['round']} {answer['name']} by {answer['by']}, {over}", highlight=False)
    table = Table("stop", "camera", "hall", "state", "not in order", "findings", box=None, pad_edge=False)
    for one in answer["stops"]:
        hall = " · ".join(part for part in (one["node_name"], one["hall"]) if part)
        wrong = ", ".join(mark["item"] for mark in one["marks"] if mark["verdict"] == "not_ok")
        found = ", ".join(f"{each['alert']} {each['state']}" for each in one["findings"])
        state = f"{one['state']} ({one['code']})" if one["code"] else one["state"]
        table.add_row(str(one["number"]), f"{one['node']}/{one['camera']}", hall, state, wrong, found)
    out.print(table)
