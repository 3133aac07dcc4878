"""``zongheng files | disclose | disclosures``: what a node has beside its journal, and what it makes public."""

import asyncio
import mimetypes
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

_AT_ONCE = 1024 * 1024


def register(app: typer.Typer) -> None:
    app.command("files")(files)
    app.command("disclose")(disclose)
    app.command("disclosures")(disclosures)


def files(
    folder: Folder,
    again: Annotated[
        str | None,
        typer.Option(metavar="NODE/SHA256", help="Ask below for a file that was shed or never came."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Every file that an entry names: here, coming, passing, shed."""

    async def work() -> int:
        async with reach(folder) as node:
            if again is not None:
                origin, _, digest = again.rpartition("/")
                if not node.running:
                    raise ZonghengError("bad_request", "a stopped node asks nobody: start it first")
                asked = await node.post(f"/api/files/{origin}/{digest}/again")
                out.print(f"asked {asked['via']} for {digest}", highlight=False)
                return 0
            answer = await node.get("/api/files")
        if as_json:
            for file in answer:
                print(orjson.dumps(file).decode())
        else:
            _print_files(answer)
        return 0

    run(work)


def _print_files(answer: list[dict[str, Any]]) -> None:
    table = Table("from", "sha256", "bytes", "purpose", "for", "state", "above", "", box=None, pad_edge=False)
    for file in answer:
        table.add_row(
            file["origin"], file["sha256"][:16], str(file["size"]), file["purpose"], file["reader"],
            file["state"], file["up"], file["words"],
        )  # fmt: skip
    out.print(table)


def disclose(
    folder: Folder,
    matter: Annotated[
        str, typer.Option(help="What is disclosed, as the openness catalogue names it (公开事项).")
    ],
    basis: Annotated[str, typer.Option(help="The provision that demands it.")],
    title: Annotated[str, typer.Option(help="Its title.")],
    by: Annotated[str, typer.Option(metavar="NUMBER", help="Staff number of who publishes it.")],
    element: Annotated[str, typer.Option(help="Which of the matter's contents.")] = "",
    period: Annotated[str, typer.Option(help="What it is about, for example 2026-Q3.")] = "",
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it was published; default: now.")
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A file of it, public as it is; any number.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make something public: it rises to every tier above, its files to the portal's node."""

    async def work() -> int:
        async with reach(folder) as node:
            form = {
                "matter": matter, "element": element, "basis": basis, "title": title, "period": period, "published_at": at, "by": by,
                "files": [await asyncio.to_thread(shelve, folder, path) for path in file or []],
            }  # fmt: skip
            answer = await node.post("/api/disclosures", form)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(f"entry {answer['index']}: {title} is public", highlight=False)
        return 0

    run(work)


def shelve(folder: Path, path: Path) -> dict[str, Any]:
    """Copy a file into the node's folder, and say what it is."""
    from node.files.shelf import Shelf

    shelf = Shelf(folder / "files")
    part = f"adding.{path.name}"
    shelf.forget(part)
    try:
        with path.open("rb") as source:
            size = shelf.extend(part, b"")
            while block := source.read(_AT_ONCE):
                size = shelf.extend(part, block)
    except OSError as error:
        raise ZonghengError("bad_request", f"{path} cannot be read: {error.strerror}") from error
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"sha256": shelf.add(part), "size": size, "media_type": media_type, "name": path.name}


def disclosures(
    folder: Folder,
    of: Annotated[str, typer.Option("--node", metavar="CODE", help="Of one node only.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="Most of them, the newest first.")] = 200,
    as_json: Json = False,
) -> None:
    """What was made public here and below, with its proof and where its files are."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/disclosures", node=of, limit=limit)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
        else:
            table = Table(
                "published", "node", "matter", "title", "period", "files", "proven", box=None, pad_edge=False
            )
            for one in answer:
                there = sum(file["state"] == "here" for file in one["files"])
                table.add_row(
                    (one["published_at"] or "")[:16], one["origin"], one["matter"], one["title"], one["period"],
                    f"{there}/{len(one['files'])}", "yes" if one["proven"] else "NO",
                )  # fmt: skip
            out.print(table)
        return 0 if all(one["proven"] for one in answer) else 1

    run(work)
