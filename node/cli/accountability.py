"""``zongheng accountability … | department …``: who is held to account, and alerts that departments issued themselves."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach
from node.cli.sending import ask, send

accountability_app = typer.Typer(no_args_is_help=True, help="Holding somebody to account (责任追究).")
department_app = typer.Typer(no_args_is_help=True, help="Alerts that departments issued themselves.")

Record = Annotated[str, typer.Argument(metavar="RECORD", help="The record's id.")]


def register(app: typer.Typer) -> None:
    app.add_typer(accountability_app, name="accountability")
    app.add_typer(department_app, name="department")


@accountability_app.command("open")
def open_record(
    folder: Folder,
    who: Annotated[str, typer.Option(help="Staff number of who is held to account.")],
    alert: Annotated[list[str], typer.Option(help="An alert that it rests on; repeatable.")],
    by: Annotated[str, typer.Option(help="Staff number of who begins it.")],
    reason: Annotated[str, typer.Option(help="In short words.")],
    as_json: Json = False,
) -> None:
    """Begin a record for alerts of one agency."""
    _post(
        folder, "/api/accountability", {"who": who, "alerts": alert, "by": by, "reason": reason}, as_json, []
    )


@accountability_app.command("step")
def step(
    folder: Folder,
    record: Record,
    kind: Annotated[
        str, typer.Argument(help="decided, document, appealed, appeal_decided, circulated or closed.")
    ],
    by: Annotated[str, typer.Option(help="Staff number of who takes the step.")],
    measure: Annotated[str, typer.Option(help="What is decided: 诫勉, 通报批评 …")] = "",
    document: Annotated[str, typer.Option(help="The document's number (文号).")] = "",
    reason: Annotated[str, typer.Option(help="In short words.")] = "",
    text: Annotated[str, typer.Option(help="In full; goes to the vault.")] = "",
    file: Annotated[list[Path], typer.Option(exists=True, dir_okay=False, help="A file; repeatable.")] = [],  # noqa: B006  # typer's way of a repeatable option
    as_json: Json = False,
) -> None:
    """Take a record one step further."""
    body = {"kind": kind, "by": by, "measure": measure, "document": document, "reason": reason, "text": text}
    _post(folder, f"/api/accountability/{quote(record, safe='')}/steps", body, as_json, file)


@accountability_app.command("list")
def list_records(
    folder: Folder,
    alert: Annotated[str, typer.Option(help="Only records that rest on this alert.")] = "",
    as_json: Json = False,
) -> None:
    """Every record; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/accountability", alert=alert)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("record", "who", "agency", "state", "measure", "alerts", box=None, pad_edge=False)
        for one in answer:
            table.add_row(
                one["record"],
                one["who"],
                one["agency"],
                one["state"],
                one["measure"],
                str(len(one["alerts"])),
            )
        out.print(table)
        return 0

    run(work)


@accountability_app.command("show")
def show(folder: Folder, record: Record, as_json: Json = False) -> None:
    """One record, step by step."""
    ask(folder, f"/api/accountability/{quote(record, safe='')}", _print, as_json)


@department_app.command("take")
def take(
    folder: Folder,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON Lines: serial, case, agency, level, issued_at …")
    ],
    source: Annotated[str, typer.Option(help="The department's system.")],
    as_json: Json = False,
) -> None:
    """Take in alerts that a department issued itself; what was taken in before is known."""

    async def work() -> int:
        try:
            alerts = [orjson.loads(line) for line in file.read_bytes().splitlines() if line.strip()]
        except (OSError, orjson.JSONDecodeError) as error:
            raise ZonghengError("bad_request", f"{file}: {error}") from error
        taken = {"taken": 0, "repeated": 0}
        async with reach(folder) as node:
            for start in range(0, len(alerts), _AT_ONCE):
                body = {"source": source, "alerts": alerts[start : start + _AT_ONCE]}
                answer = await node.post("/api/department-alerts", body)
                taken = {name: taken[name] + answer[name] for name in taken}
        if as_json:
            print(orjson.dumps(taken).decode())
        else:
            out.print(f"{taken['taken']} taken in, {taken['repeated']} were here", highlight=False)
        return 0

    run(work)


@department_app.command("inspect")
def inspect(
    folder: Folder,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME")] = None,
    as_json: Json = False,
) -> None:
    """Judge them again as of their own instants: right, wrong, missing. Exit 1 when some are wrong or missing."""

    async def work() -> int:
        params = {"from": since, "to": until}
        async with reach(folder) as node:
            answer = await node.get("/api/department-alerts/inspection", **params)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"right {answer['right']}  wrong {answer['wrong']}  missing {answer['missing']}  "
                f"undetermined {answer['undetermined']}",
                highlight=False,
            )
            table = Table("mark", "level", "case", "agency", "serial", "why", box=None, pad_edge=False)
            for one in answer["alerts"]:
                table.add_row(
                    one["mark"], one["level"], one["case"], one["agency"], one["serial"], one["why"]
                )
            out.print(table)
        return 1 if answer["wrong"] or answer["missing"] else 0

    run(work)


_AT_ONCE = 5_000


def _post(folder: Path, path: str, body: dict[str, Any], as_json: bool, files: list[Path]) -> None:
    send(folder, path, body, _print, as_json, files)


def _print(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
        return
    out.print(
        f"{answer['record']} {answer['who']} of {answer['agency']}: {answer['state']} {answer['measure']}",
        highlight=False,
    )
    for one in answer["steps"]:
        words = " ".join(part for part in (one["measure"], one["document"], one["reason"]) if part)
        out.print(f"  {one['at'][:16]} {one['kind']} by {one['by']} {words}", highlight=False)
