"""``zongheng verify | rebuild``: the journal proved, and everything that follows from it made again."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach


def register(app: typer.Typer) -> None:
    app.command("verify")(verify)
    app.command("rebuild")(rebuild)


def verify(
    what: Annotated[
        Path, typer.Argument(metavar="DIR|EVIDENCE", help="A node's folder, or an evidence file.")
    ],
    verifier: Annotated[
        str | None,
        typer.Option(
            metavar="VKEY", help="The journal key to check an evidence file with; else the one it names."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Recompute the journal's root from its leaves; or check an evidence file offline."""

    async def work() -> int:
        if not what.exists():
            raise ZonghengError("not_found", f"{what} does not exist")
        if what.is_file():
            from node.views.evidence import check_file

            answer = check_file(what, verifier)
        else:
            async with reach(what) as node:
                answer = await node.get("/api/verification")
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            for line in answer["words"]:
                out.print(line, highlight=False, markup=False)
        return 0 if answer["verified"] else 1

    run(work)


def rebuild(folder: Folder, as_json: Json = False) -> None:
    """Drop every projection and rebuild it from the journal."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post("/api/rebuild")
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"{answer['events']} events, {answer['cases']} cases, {answer['rows']} rollup rows rebuilt",
                highlight=False,
            )
        return 0

    run(work)
