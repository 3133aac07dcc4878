"""``zongheng lane``: the lane down at this node, and opening it again after it stopped."""

from typing import Annotated

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach


def register(app: typer.Typer) -> None:
    app.command("lane")(lane)


def lane(
    folder: Folder,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Take the journals above as they are from now on.")
    ] = False,
    by: Annotated[str, typer.Option(help="Staff number of who decides that.")] = "",
    reason: Annotated[str, typer.Option(help="Why; it is an entry.")] = "",
    as_json: Json = False,
) -> None:
    """What comes from above, and what is on its way to those below."""

    async def work() -> int:
        if reopen and not (by and reason):
            raise ZonghengError("bad_request", "--reopen needs --by NUMBER and --reason WHY")
        async with reach(folder) as node:
            if reopen:
                answer = await node.post("/api/lane/reopening", {"by": by, "reason": reason})
            else:
                answer = await node.get("/api/lane")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        if answer["parent"]:
            words = f"from {answer['parent']}: entered up to {answer['position']} of {answer['held_size']}"
            out.print(words, highlight=False)
        else:
            out.print("nothing came from above yet", highlight=False)
        if answer["withheld"]:
            out.print(
                f"{answer['withheld']} times an entry was kept from this node", style="red", highlight=False
            )
        if answer["instruction"]:
            out.print(f"stopped ({answer['code']}): {answer['instruction']}", style="red", highlight=False)
        table = Table("child", "acknowledged", "waiting", "unsigned", box=None, pad_edge=False)
        for child in answer["children"]:
            table.add_row(
                child["node"], str(child["acknowledged"]), str(child["waiting"]), str(child["unsigned"])
            )
        if table.row_count:
            out.print(table)
        return 0

    run(work)
