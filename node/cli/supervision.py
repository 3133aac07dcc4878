"""``zongheng evaluate | alerts | confirm | rollup``: what the node found."""

from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from rich.text import Text

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

_COLOURS = {"notice": "blue", "yellow": "yellow", "red": "red"}


def register(app: typer.Typer) -> None:
    app.command("evaluate")(evaluate)
    app.command("alerts")(alerts)
    app.command("confirm")(confirm)
    app.command("rollup")(rollup)


def evaluate(
    folder: Folder,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="ISO 8601; default: now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate every case of this node as of TIME. Never writes."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/evaluation", as_of=as_of)
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        out.print(f"as of {answer['as_of']}, journal size {answer['journal_size']}", highlight=False)
        out.print(
            f"cases {answer['cases']}  open {answer['open']}  completed {answer['completed']}  "
            f"late {answer['late']} ({answer['late_completed']} completed, {answer['late_open']} open)",
            highlight=False,
        )
        table = Table("rule", "checked", "undetermined", "notice", "yellow", "red", box=None, pad_edge=False)
        for rule, checked in sorted(answer["rules"].items()):
            levels = answer["alerts"].get(rule, {})
            table.add_row(
                rule,
                str(checked["checked"]),
                str(checked["undetermined"]),
                *(str(levels.get(level, "")) for level in ("notice", "yellow", "red")),
            )
        out.print(table)
        return 0

    run(work)


def alerts(
    folder: Folder,
    level: Annotated[str | None, typer.Option(help="notice, yellow or red.")] = None,
    domain: Annotated[str | None, typer.Option(help="approval, resupervision …")] = None,
    rule: Annotated[str | None, typer.Option(help="A rule's code.")] = None,
    case: Annotated[str | None, typer.Option(help="One case.")] = None,
    state: Annotated[str | None, typer.Option(help="pending, issued, corrected …")] = None,
    agency: Annotated[str | None, typer.Option(help="An agency's code.")] = None,
    as_json: Json = False,
) -> None:
    """Alerts of this node, oldest entry first; with --json one object a line."""

    async def work() -> int:
        table = Table(
            "level",
            "state",
            "case",
            "subject",
            "rule",
            "over",
            "due",
            "agency",
            "id",
            box=None,
            pad_edge=False,
        )
        async with reach(folder) as node:
            after = -1
            while True:
                page = await node.get(
                    "/api/alerts",
                    level=level,
                    domain=domain,
                    rule=rule,
                    case=case,
                    state=state,
                    agency=agency,
                    after=after,
                    limit=2000,
                )
                for alert in page["alerts"]:
                    if as_json:
                        print(orjson.dumps(alert).decode())
                    else:
                        _add_row(table, alert)
                if page["next"] is None:
                    break
                after = page["next"]
        if not as_json:
            out.print(table)
            out.print("1 alert" if table.row_count == 1 else f"{table.row_count} alerts", style="dim")
        return 0

    run(work)


def _add_row(table: Table, alert: dict[str, Any]) -> None:
    table.add_row(
        Text(alert["level"], style=_COLOURS[alert["level"]]),
        alert["state"],
        alert["case"],
        alert["subject"],
        alert["rule"],
        str(alert["over"]),
        (alert["due_at"] or "")[:16],
        alert["agency"],
        alert["alert_id"],
    )


def confirm(
    folder: Folder,
    alert: Annotated[str, typer.Argument(help="The alert's id, as `zongheng alerts` shows it.")],
    by: Annotated[str, typer.Option(help="Staff number of who decides.")],
    cancel: Annotated[
        str | None, typer.Option(metavar="REASON", help="Cancel it instead, with this reason.")
    ] = None,
) -> None:
    """Issue a pending card, or cancel it with a reason."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/alerts/{alert}/decision", {"by": by, "cancel": cancel})
        out.print(f"{answer['alert_id']} is {answer['state']}", highlight=False)
        return 0

    run(work)


def rollup(folder: Folder, as_json: Json = False) -> None:
    """Totals for this node and each descendant."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/rollup")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        columns = ("received", "completed", "late", "notice", "yellow", "red")
        table = Table("node", "tier", "name", *columns, box=None, pad_edge=False)
        for row in [*answer["nodes"], {"node": "total", "tier": "", "name": "", "totals": answer["total"]}]:
            table.add_row(
                row["node"], row["tier"], row["name"], *(str(row["totals"].get(name, 0)) for name in columns)
            )
        out.print(table)
        return 0

    run(work)
