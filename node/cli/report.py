"""``zongheng report``: a day, a week or a month of a subtree as a workbook or as pages."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    folder: Folder,
    period: Annotated[str, typer.Option(help="day | week | month")] = "month",
    of: Annotated[
        str,
        typer.Option(metavar="WHEN", help="2026-11, 2026-W48, 2026-11-25; default: the last that is over."),
    ] = "",
    subtree: Annotated[str, typer.Option(metavar="CODE", help="A node below; default: this one.")] = "",
    form: Annotated[str, typer.Option("--format", help="xlsx | pdf")] = "xlsx",
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: <node>-<period>.<format>, here.")
    ] = None,
    filed: Annotated[bool, typer.Option("--filed", help="List what the schedule has filed.")] = False,
    as_json: Json = False,
) -> None:
    """Write a report into FILE, in Chinese, with charts; with --json print its figures instead."""

    async def work() -> int:
        async with reach(folder) as node:
            if filed:
                _print_filed(await node.get("/api/reports"), as_json)
                return 0
            asked = {"period": period, "of": of, "subtree": subtree}
            figures = await node.get("/api/report", **asked)
            if as_json:
                print(orjson.dumps(figures).decode())
                return 0
            # The period by its name: the last one may have become another since.
            content = await node.fetch(f"/api/report/{form}", **(asked | {"of": figures["from_day"]}))
        path = to or Path(f"{figures['subtree']}-{figures['label']}.{form}")
        try:
            await asyncio.to_thread(path.write_bytes, content)
        except OSError as error:
            raise ZonghengError("bad_request", f"{path} cannot be written: {error.strerror}") from error
        now = figures["total"]["now"]
        share = now["on_time_percent"]
        out.print(
            f"{path}: {figures['words']}, {figures['total']['nodes']} nodes: received {now['received']}, completed "
            f"{now['completed']}, on time {'–' if share is None else f'{share} %'}; {figures['late_cases']} in the late list",
            highlight=False,
        )
        return 0

    run(work)


def _print_filed(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
        return
    table = Table("period", "file", "bytes", "sha256", "entry", "filed", box=None, pad_edge=False)
    for one in answer["filed"]:
        table.add_row(
            one["label"], one["file"], str(one["size"]), one["sha256"][:16], str(one["index"]), (one["filed_at"] or "")[:16]
        )  # fmt: skip
    out.print(table)
    if answer["problem"]:
        out.print(f"{answer['problem_at'][:16]}: {answer['problem']}", style="red", highlight=False)
