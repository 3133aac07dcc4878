"""``zongheng init | run | status``: a node's beginning, life and health."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from rich.text import Text

from node.cli.app import Json, err, out, run
from node.cli.reach import reach

_CLOCKS_AGREE_MS = 1_000

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The node's folder.")]


def register(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command("run")(run_node)
    app.command("status")(status)


def init(
    folder: Folder,
    tier: Annotated[str, typer.Option(help="village, town, county, city or province.")],
    name: Annotated[str, typer.Option(help="The node's name, for people.")],
    division: Annotated[str, typer.Option(help="Division code (行政区划代码); it is the node's id.")],
    agency: Annotated[
        str | None,
        typer.Option(help="Agency code: this is the agency's own node, CODE.AGENCY, below that of its tier."),
    ] = None,
    grpc: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where children dial.")] = None,
    enrolment: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where children enrol and renew.")
    ] = None,
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where the API and the status page are served.")
    ] = None,
    zone: Annotated[str, typer.Option(help="IANA time zone in which days are counted.")] = "Asia/Shanghai",
    calendar: Annotated[
        str, typer.Option(help="china (public holidays and make-up days) or weekdays.")
    ] = "china",
    clock: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Start the node's clock at this instant (demos, tests)."),
    ] = None,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="postgresql://… instead of SQLite in DIR.")
    ] = None,
    confirm: Annotated[
        bool, typer.Option(help="Yellow and red cards wait for a person's confirmation.")
    ] = True,
) -> None:
    """Make a node in DIR: its keys, its settings, the first entry of its journal."""

    async def work() -> int:
        from node import config, control
        from node.backup import recovery
        from node.backup.recovery import RecoveryKey
        from node.cli.backup import say_key
        from node.run import Node
        from node.views.present import time_us
        from node.wallclock import instant
        from tiers.division import Division, doubts
        from tiers.tier import tier_named

        start: datetime | None = instant(time_us(clock, zone)) if clock else None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with control.FolderLock(folder):
            settings = config.initialise(
                folder, tier=tier, name=name, division=division, agency=agency, grpc=grpc, http=http, enrolment=enrolment, zone=zone,
                calendar=calendar, clock_start=start, store=store, confirm=confirm,
            )  # fmt: skip
            key = RecoveryKey.new()
            recovery.keep(folder, key.public)
            async with Node.opened(folder):
                pass
        for doubt in doubts(Division(settings.division), tier_named(settings.tier)):
            err.print(f"note: {doubt}", style="yellow", markup=False, highlight=False)
        out.print(
            f"{settings.tier} node {settings.node} {settings.name} is ready in {folder}", highlight=False
        )
        out.print(f"  journal {settings.log_id}\n  run it: zongheng run {folder}", highlight=False)
        say_key(str(key))
        return 0

    run(work)


def run_node(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="The folders of one node or more.")],
) -> None:
    """Run the nodes in DIR… until SIGTERM or Ctrl-C."""

    async def work() -> int:
        from node.hosting import host
        from node.logs import configure

        configure()
        await host(folders)
        return 0

    run(work)


def status(folder: Folder, as_json: Json = False) -> None:
    """Tier, parent, link state, journal size, what the parent has cosigned, lag, cursors, open alerts."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/status")
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            _print_status(answer)
        return 0

    run(work)


def _clock(offset_ms: int | None) -> str:
    """In words, where the other side's clock differs by more than travel can explain."""
    if offset_ms is None or abs(offset_ms) < _CLOCKS_AGREE_MS:
        return ""
    return f", its clock is {abs(offset_ms) / 1_000:.1f} s {'ahead' if offset_ms > 0 else 'behind'}"


def _print_status(answer: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    link, journal = answer["link"], answer["journal"]
    kind = f"department, {answer['tier']}" if "." in answer["node"] else answer["tier"]
    table.add_row("node", f"{answer['node']} {answer['name']} ({kind})")
    table.add_row("running", "yes" if answer["running"] else "no")
    table.add_row("journal", f"{journal['size']} entries, root {journal['root'][:16]}…")
    if journal["sealed"]:
        table.add_row("", Text("SEALED: nothing is entered; reading goes on", style="red"))
    if answer["parent"]:
        table.add_row(
            "parent",
            f"{answer['parent']}: {link['state']}, holds {journal['cosigned_size']}, lag {journal['lag']}"
            + _clock(link["clock_offset_ms"]),
        )
    if link["instruction"]:
        table.add_row("", Text(link["instruction"], style="red"))
    table.add_row("cases", f"{answer['cases']['total']} ({answer['cases']['open']} open)")
    alerts = answer["alerts"]
    table.add_row("open alerts", f"notice {alerts['notice']}  yellow {alerts['yellow']}  red {alerts['red']}")
    for child in answer["children"]:
        table.add_row(
            "child",
            f"{child['node']} {child['name']}: {child['state']}, {child['held']} entries held"
            + _clock(child["clock_offset_ms"]),
        )
        if child["instruction"]:
            table.add_row("", Text(child["instruction"], style="red"))
    for run_ in answer["imports"]:
        table.add_row("import", f"{run_['source']}: not finished, run the same command again to resume")
    out.print(table)
    if not answer["running"]:
        err.print("the node is stopped: this is what its store says", style="dim")
