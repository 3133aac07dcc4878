"""``zongheng complain | sealed``: a complaint that only a node above can read, and its answer that only the receipt opens."""

from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, err, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach


def register(app: typer.Typer) -> None:
    app.command("complain")(complain)
    app.command("sealed")(sealed)


def complain(
    folder: Folder,
    to: Annotated[str, typer.Option(metavar="CODE", help="The node above that is to read it.")] = "",
    about: Annotated[str, typer.Option(help="What it is about, in a line.")] = "",
    text: Annotated[str, typer.Option(help="What there is to say; - reads it from standard input.")] = "",
    receipt: Annotated[str, typer.Option(help="Show the answers that came for this receipt.")] = "",
    as_json: Json = False,
) -> None:
    """Seal a complaint to a node above: nobody here or in between can read it."""

    async def work() -> int:
        if bool(receipt) == bool(to):
            raise ZonghengError(
                "bad_request", "say who is to read it: --to CODE --about TEXT; or show a --receipt"
            )
        async with reach(folder) as node:
            if receipt:
                found = await node.post("/api/complaints/answers", {"receipt": receipt})
                _print_answers(found, as_json)
                return 0
            said = typer.get_text_stream("stdin").read() if text == "-" else text
            answer = await node.post("/api/complaints", {"to": to, "about": about, "text": said})
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(f"receipt  {answer['receipt']}", style="bold", highlight=False)
            err.print("shown this once: it alone opens the answer", highlight=False)
        return 0

    run(work)


def _print_answers(found: list[dict[str, Any]], as_json: bool) -> None:
    for answer in found:
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"{answer['at'][:16]}  {answer['origin']}  {answer['about']}", style="bold", highlight=False
            )
            out.print(answer["text"], highlight=False)
    if not found and not as_json:
        out.print("no answer has come yet", highlight=False)


def sealed(
    folder: Folder,
    read: Annotated[
        str, typer.Option(metavar="NODE/INDEX", help="Show what one says; that it was read is entered.")
    ] = "",
    answer: Annotated[str, typer.Option(metavar="NODE/INDEX", help="Answer one, with --text.")] = "",
    text: Annotated[str, typer.Option(help="The answer.")] = "",
    by: Annotated[str, typer.Option(metavar="NUMBER", help="Staff number of who reads or answers.")] = "",
    as_json: Json = False,
) -> None:
    """What was sealed to this node: list it, read one, answer one."""

    async def work() -> int:
        async with reach(folder) as node:
            if answer:
                said = await node.post(f"/api/sealed/{_path(answer)}/answer", {"text": text, "by": by})
                _show(said, f"answered by entry {said['index']}", as_json)
            elif read:
                told = await node.post(f"/api/sealed/{_path(read)}/reading", {"by": by})
                _show(told, f"{told['about']}\n\n{told['text']}", as_json)
            else:
                _print_sealed(await node.get("/api/sealed"), as_json)
        return 0

    run(work)


def _path(which: str) -> str:
    origin, _, index = which.rpartition("/")
    if not origin or not index.isdigit():
        raise ZonghengError("bad_request", f"{which!r} is not NODE/INDEX: `zongheng sealed DIR` lists them")
    return f"{origin}/{index}"


def _show(answer: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
    else:
        out.print(words, highlight=False)


def _print_sealed(answer: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for one in answer:
            print(orjson.dumps(one).decode())
        return
    table = Table("written", "which", "state", "answered", "", box=None, pad_edge=False)
    for one in answer:
        answered = "" if one["answered"] is None else f"entry {one['answered']}"
        table.add_row(
            (one["at"] or "")[:16], f"{one['origin']}/{one['index']}", one["state"], answered, one["words"]
        )
    out.print(table)
