"""``zongheng camera snapshot|snapshots|wall``: what cameras show, as pictures."""

import base64
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run, told
from node.cli.nodes import Folder
from node.cli.reach import reach

Code = Annotated[str, typer.Argument(metavar="CODE", help="The camera's code at its node.")]
Purpose = Annotated[str, typer.Option(help="Why you look; stands in the entry.")]


def add_to(app: typer.Typer) -> None:
    """Put these among the commands of `zongheng camera`."""
    app.command("snapshot")(snapshot)
    app.command("snapshots")(snapshots)
    app.command("wall")(wall)


def snapshot(
    folder: Folder,
    camera: Annotated[str, typer.Argument(metavar="NODE/CAMERA", help="Of this node, or of any below it.")],
    into: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the JPEG.")] = Path(
        "snapshot.jpg"
    ),
    width: Annotated[int, typer.Option(help="Make it smaller to this width; 0: as it is.")] = 0,
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """One picture of a camera, now; who took it is entered at every node on the way."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post("/api/snapshots", {"stream": camera, "width": width, "purpose": purpose})
        into.write_bytes(base64.b64decode(answer.pop("jpeg")))
        told(
            answer,
            f"{into}: {answer['width']}x{answer['height']}, taken {answer['taken_at']} (entry {answer['index']})",
            as_json,
        )
        return 0

    run(work)


def snapshots(
    folder: Folder,
    code: Code,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Taken from then on.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Taken until then.")] = "",
    into: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write them there; each look is an entry.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The snapshots that were taken of a camera as its setting has it; with --json one object a line."""

    async def work() -> int:
        place = f"/api/cameras/{quote(code, safe='')}/snapshots"
        async with reach(folder) as node:
            answer = await node.get(place, **{"from": since or None, "to": until or None})
            for one in answer if into is not None else ():
                assert into is not None
                into.mkdir(parents=True, exist_ok=True)
                (into / f"{one['taken_us']}.jpg").write_bytes(await node.fetch(f"{place}/{one['taken_us']}"))
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("taken", "bytes", "SHA-256", box=None, pad_edge=False)
        for one in answer:
            table.add_row((one["taken_at"] or "")[:19], str(one["bytes"]), one["sha256"])
        out.print(table)
        return 0

    run(work)


def wall(
    folder: Folder,
    of: Annotated[str, typer.Option("--node", metavar="NODE", help="Of one node and those below it.")] = "",
    trouble: Annotated[
        bool, typer.Option("--trouble", help="Only halls with a camera that does not see.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Every hall of the subtree: how its cameras are, how old its picture is, which cards stand there."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/wall", of=of or None, limit=500, trouble=trouble or None)
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        table = Table(
            "hall", "name", "camera", "state", "since", "picture", "red", "yellow", box=None, pad_edge=False
        )
        for one in answer["tiles"]:
            age = "" if one["age_s"] is None else f"{one['age_s'] // 60} min ago"
            name = " · ".join(part for part in (one["node_name"], one["hall"]) if part)
            table.add_row(
                one["node"], name, one["camera"], one["state"], (one["since"] or "")[:16], age,
                str(one["red"]), str(one["yellow"]),
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)
