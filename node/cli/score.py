"""``zongheng score …``: scorecards (绩效测评) of agencies, windows, officers and nodes, and the sheets they are scored by."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import publication_file, reach
from node.cli.sending import send

score = typer.Typer(no_args_is_help=True, help="Scorecards (绩效测评) and the sheets they are scored by.")

Run = Annotated[str, typer.Argument(metavar="RUN", help="<node>-jx-<kind>-<period>.")]
Kind = Annotated[str, typer.Option(help="agency, window, officer or node.")]
Period = Annotated[str, typer.Option(help="A month 2026-03, a half-year 2026-H1 or a year 2026.")]
By = Annotated[str, typer.Option(help="Staff number of who does it.")]
Reason = Annotated[str, typer.Option(help="In short words.")]
Subject = Annotated[str, typer.Option(help="Agency, staff number, <agency>/<window> or node.")]
Item = Annotated[str, typer.Option(help="The item of the sheet; without: the whole.")]


def register(app: typer.Typer) -> None:
    app.add_typer(score, name="score")


@score.command("show")
def show(
    folder: Folder,
    run_: Annotated[str, typer.Argument(metavar="[RUN]", help="A run; without: as the journals stand.")] = "",
    kind: Kind = "agency",
    period: Period = "",
    subject: Annotated[str, typer.Option(help="Only this one.")] = "",
    origin: Annotated[str, typer.Option(help="From the journal of this node held here.")] = "",
    as_json: Json = False,
) -> None:
    """Scores of a period, each point lost with its alerts; or a run, computed again: exit 1 when it does not come out the same."""

    async def work() -> int:
        async with reach(folder) as node:
            if run_:
                answer = await node.get(f"/api/scores/runs/{quote(run_, safe='')}")
            else:
                answer = await node.get(
                    "/api/scores", kind=kind, period=period, subject=subject, origin=origin
                )
        if run_:
            _print_run(answer, as_json)
            return 1 if answer["equal"] is False else 0
        _print_scores(answer, as_json)
        return 0

    run(work)


@score.command("list")
def list_runs(folder: Folder, as_json: Json = False) -> None:
    """Every run, of this node and of those whose journals are here; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/scores/runs")
        for one in answer:
            if as_json:
                print(orjson.dumps(one).decode())
            else:
                out.print(f"{one['run']} {one['state']} revision {one['revision']}", highlight=False)
        return 0

    run(work)


@score.command("draft")
def draft(folder: Folder, period: Period, by: By, kind: Kind = "agency", as_json: Json = False) -> None:
    """Freeze the scores of a period that is over."""
    _post(folder, "drafts", {"kind": kind, "period": period, "by": by}, as_json)


@score.command("mark")
def mark(
    folder: Folder,
    subject: Subject,
    period: Period,
    indicator: Annotated[str, typer.Option(help="An indicator of the sheet that is by hand.")],
    points: Annotated[float, typer.Option(help="Negative: taken.")],
    by: By,
    reason: Reason,
    kind: Kind = "agency",
    as_json: Json = False,
) -> None:
    """Give points by hand for a month."""
    body = {
        "kind": kind, "subject": subject, "period": period, "indicator": indicator, "points": points, "by": by,
        "reason": reason,
    }  # fmt: skip
    _post(folder, "marks", body, as_json)


@score.command("review")
def review(folder: Folder, run_: Run, by: By, reason: Reason = "", as_json: Json = False) -> None:
    """Say that a draft was looked through; not by who drafted it."""
    _post(folder, f"runs/{quote(run_, safe='')}/review", {"by": by, "reason": reason}, as_json)


@score.command("publish")
def publish(folder: Folder, run_: Run, by: By, reason: Reason = "", as_json: Json = False) -> None:
    """Publish what was reviewed."""
    _post(folder, f"runs/{quote(run_, safe='')}/publication", {"by": by, "reason": reason}, as_json)


@score.command("appeal")
def appeal(
    folder: Folder,
    run_: Run,
    subject: Subject,
    by: By,
    reason: Reason,
    item: Item = "",
    decide: Annotated[bool, typer.Option("--decide", help="Decide the appeal instead of making it.")] = False,
    points: Annotated[float, typer.Option(help="With --decide: points given back; 0: dismissed.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Appeal a published score of a month, or decide such an appeal; not by who made it."""
    body: dict[str, Any] = {"subject": subject, "item": item, "by": by, "reason": reason}
    if decide:
        body["points"] = points
    _post(folder, f"runs/{quote(run_, safe='')}/{'rulings' if decide else 'appeals'}", body, as_json)


@score.command("sheet")
def sheet(
    folder: Folder,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", exists=True, dir_okay=False, help="TOML with [[sheets]]."),
    ] = None,
    kind: Kind = "agency",
    to: Annotated[str, typer.Option(help="For this node below.")] = "",
    subtree: Annotated[bool, typer.Option("--subtree", help="For everybody below it too.")] = False,
    as_json: Json = False,
) -> None:
    """The sheet in force for a kind; with FILE publish sheets, here or for nodes below."""

    async def work() -> int:
        async with reach(folder) as node:
            if file is None:
                answer = await node.get("/api/scores/sheet", kind=kind)
            else:
                body = publication_file(file) | {"to": to, "subtree": subtree}
                answer = await node.post("/api/publications", body)
        if as_json:
            print(orjson.dumps(answer).decode())
        elif file is not None:
            out.print(
                f"published: {answer['sheets']} sheets, {answer['unchanged']} unchanged", highlight=False
            )
        else:
            _print_sheet(answer)
        return 0

    run(work)


def _post(folder: Folder, path: str, body: dict[str, Any], as_json: bool) -> None:
    send(folder, f"/api/scores/{path}", body, _print_run, as_json)


def _points(points: float | None) -> str:
    return "–" if points is None else f"{points:g}"


def _print_scores(answer: Any, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
        return
    sender = f" of {answer['sheet_sender']}" if answer["sheet_sender"] else ""
    out.print(
        f"{answer['kind']} {answer['period']}, sheet {answer['sheet']} version {answer['sheet_version']}{sender}; "
        f"of {answer['denominator']}, ranked from {answer['minimum_sample']}",
        highlight=False,
    )
    table = Table("subject", "group", "of", "total", "rank", "journal", box=None, pad_edge=False)
    for one in answer["scores"]:
        rank = "–" if one["rank"] is None else str(one["rank"])
        total = _points(one["total"])
        table.add_row(
            one["subject"],
            one["group"],
            str(one["sample"]),
            total,
            rank,
            f"{one['origin']}@{one['journal_size']}",
        )
    out.print(table)
    for one in answer["scores"]:
        _print_lines(one)
        for back in one["returned"]:
            out.print(
                f"{one['subject']} {back['item']} 0 {back['state']} {back['rule']} {back['alert']} {back['reason']}",
                highlight=False,
            )


def _print_lines(one: Any) -> None:
    for line in one["lines"]:
        of = " ".join([line["rule"], *line["alerts"], *line["cases"], line["reason"]]).strip()
        out.print(
            f"{one['subject']} {line['item'] or 'whole'} {line['points']:+g} {line['why']} {of}",
            highlight=False,
        )


def _print_run(answer: Any, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
        return
    out.print(
        f"{answer['run']}: {answer['state']}, revision {answer['revision']}, sheet {answer['sheet']} "
        f"version {answer['sheet_version']}",
        highlight=False,
    )
    table = Table(
        "subject", "group", "of", "total", "rank", "again", "now", "journal", box=None, pad_edge=False
    )
    for one in answer["frozen"]:
        rank = "–" if one["rank"] is None else str(one["rank"])
        points = [_points(one[name]) for name in ("total", "recomputed", "now")]
        table.add_row(
            one["subject"], one["group"], str(one["sample"]), points[0], rank, *points[1:],
            f"{one['origin']}@{one['journal_size']}",
        )  # fmt: skip
    if answer["frozen"]:
        out.print(table)
    for one in answer["frozen"]:
        _print_lines(one)
    for step in answer["steps"]:
        words = " ".join(
            part for part in (step["subject"], step["item"], step["indicator"], step["reason"]) if part
        )
        out.print(f"  {(step['at'] or '')[:16]} {step['kind']} by {step['by']} {words}", highlight=False)


def _print_sheet(answer: Any) -> None:
    sender = f", mandated by {answer['sender']}" if answer["sender"] else ""
    out.print(f"{answer['name']} version {answer['version']}{sender} {answer['title']}", highlight=False)
    table = Table("item", "中文", "points", "rules", box=None, pad_edge=False)
    for one in answer["items"]:
        table.add_row(one["code"], one["name_zh"], f"{one['points']:g}", " ".join(one["rules"]))
    out.print(table)
    formulas = Table("indicator", "item", "中文", "from", "to", "formula", box=None, pad_edge=False)
    for one in answer["indicators"]:
        formulas.add_row(
            one["code"], one["item"] or "whole", one["name_zh"], f"{one['low']:g}", f"{one['high']:g}",
            one["formula"] or "by hand",
        )  # fmt: skip
    out.print(formulas)
    out.print(
        f"{answer['notices_in_a_row']} notices in a row −{answer['notices_points']:g}, yellow −{answer['yellow_points']:g}, "
        f"red −{answer['red_points']:g}; of {answer['sample']}, ranked from {answer['minimum_sample']}",
        highlight=False,
    )
