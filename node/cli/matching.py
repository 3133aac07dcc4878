"""``zongheng match …``: payees, bidders and what stands behind them compared across nodes without their numbers."""

import csv
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach
from node.cli.sending import send

By = Annotated[str, typer.Option("--by", metavar="NUMBER", help="Staff number of who does it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
Purpose = Annotated[str, typer.Argument(metavar="PURPOSE", help="payee or bidder.")]

_ROWS_AT_ONCE = 10_000


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True, help="Matching across nodes: one payee, one hand behind several bidders."
    )
    for command in (status, keys, issue, close, deaths, findings):
        group.command(command.__name__)(command)
    app.add_typer(group, name="match")


def status(folder: Folder, as_json: Json = False) -> None:
    """How far the matching is: tokens, what is yet to be read and compared."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/matching")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        tokens = sum(key["tokens"] for key in answer["keys"])
        out.print(f"{tokens} tokens, {answer['waiting']} to be compared", highlight=False)
        for journal, entries in answer["behind"].items():
            out.print(f"{journal}: {entries} entries to be read", highlight=False)
        return 0

    run(work)


def keys(folder: Folder, as_json: Json = False) -> None:
    """The keys under which tokens are made here; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/matching")
        _keys(answer, as_json)
        return 0

    run(work)


def issue(
    folder: Folder,
    purpose: Purpose,
    by: By,
    reason: Reason,
    year: Annotated[
        int | None, typer.Option(help="For this year; the next year's follows by itself.")
    ] = None,
    from_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day, with --to.")
    ] = None,
    to_day: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day.")] = None,
    replace: Annotated[
        list[int] | None, typer.Option(metavar="NUMBER", help="Close this key with it; may be given again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Issue a key and hand it, sealed, to every node below that names such persons."""
    body = {
        "purpose": purpose, "year": year, "from_day": from_day, "to_day": to_day, "replaces": replace or [], "by": by,
        "reason": reason,
    }  # fmt: skip
    _post(folder, "/api/matching/keys", body, as_json)


def close(
    folder: Folder,
    purpose: Purpose,
    number: Annotated[int, typer.Argument(metavar="NUMBER")],
    by: By,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Destroy a key here and at every node below. Its tokens stay comparable; nobody can make or test one any more."""
    body = {"by": by, "reason": reason}
    _post(folder, f"/api/matching/keys/{purpose}/{number}/closing", body, as_json)


def deaths(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: id_number, died_on (ISO day).")],
    by: By,
    as_json: Json = False,
) -> None:
    """Load a register of deaths. Numbers go to the vault; loaded again only what is new is entered."""

    async def work() -> int:
        rows = _register(file)
        told = {"rows": 0, "new": 0, "nobody": 0}
        async with reach(folder) as node:
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                body = {"register": "deaths", "rows": rows[start : start + _ROWS_AT_ONCE], "by": by}
                answer = await node.post("/api/matching/registers", body)
                told = {name: told[name] + answer[name] for name in told}
        if as_json:
            print(orjson.dumps(told).decode())
        else:
            out.print(
                f"{told['rows']} rows, {told['new']} new, {told['nobody']} whose number is nobody's",
                highlight=False,
            )
        return 0

    run(work)


def findings(
    folder: Folder,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that hold no more, or are closed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What several nodes' records show together, with each half; with --json one object a line."""

    async def work() -> int:
        table = Table("alert", "level", "state", "rule", "halves", "message", box=None, pad_edge=False)
        async with reach(folder) as node:
            after = -1
            while True:
                page = await node.get(
                    "/api/matching/findings", everything=str(everything).lower(), after=after, limit=500
                )
                for one in page["findings"]:
                    if as_json:
                        print(orjson.dumps(one).decode())
                    else:
                        halves = ", ".join(sorted({half["node"] for half in one["halves"]}))
                        table.add_row(
                            one["alert"], one["level"], one["state"], one["rule"], halves, one["message"]
                        )
                if page["next"] is None:
                    break
                after = page["next"]
        if not as_json:
            out.print(table)
        return 0

    run(work)


def _post(folder: Folder, path: str, body: dict[str, Any], as_json: bool) -> None:
    send(folder, path, body, _keys, as_json)


def _keys(answer: dict[str, Any], as_json: bool) -> None:
    table = Table("key", "from", "to", "open", "tokens", "nodes", box=None, pad_edge=False)
    for key in answer["keys"]:
        if as_json:
            print(orjson.dumps(key).decode())
        else:
            table.add_row(
                key["key"], key["from_day"], key["to_day"], "yes" if key["open"] else "no", str(key["tokens"]), str(key["nodes"]),
            )  # fmt: skip
    if not as_json:
        out.print(table)


def _register(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            read = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ZonghengError("bad_request", f"{file}: {error}") from error
    if not read or not {"id_number", "died_on"} <= read[0].keys():
        raise ZonghengError("bad_request", f"{file}: its first line names the columns id_number and died_on")
    rows = []
    for number, row in enumerate(read, 2):
        try:
            day = date.fromisoformat((row["died_on"] or "").strip()).isoformat()
        except ValueError as error:
            raise ZonghengError("bad_request", f"{file}, line {number}: died_on is no ISO day") from error
        rows.append({"id_number": (row["id_number"] or "").strip(), "day": day})
    return rows
