"""``zongheng camera clip|verify|evidence``: what cameras recorded, as evidence."""

from hashlib import file_digest
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run, told
from node.cli.nodes import Folder
from node.cli.pictures import Purpose
from node.cli.reach import reach


def add_to(app: typer.Typer) -> None:
    """Put these among the commands of `zongheng camera`."""
    app.command("clip")(clip)
    app.command("verify")(verify)
    app.command("evidence")(evidence)


def clip(
    folder: Folder,
    camera: Annotated[
        str, typer.Argument(metavar="CAMERA", help="Its code at this node, or NODE/CAMERA of a node below.")
    ],
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Where it begins, ISO 8601.")],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Where it ends.")],
    into: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write it; clip.mp4 or clip.webm, as it is one."),
    ] = None,
    alert: Annotated[str, typer.Option(metavar="ALERT", help="The alert it is evidence for.")] = "",
    case: Annotated[str, typer.Option(metavar="CASE", help="The case it is evidence for.")] = "",
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """A clip out of what a camera of this node, or of one below it, recorded, with an entry at every node on the way that names its SHA-256."""

    from federation.journal.evidence import FILE_SUFFIX
    from node.media.recording.archive import kind_of
    from node.views.evidence import KEY_SUFFIX

    async def work() -> int:
        body = {
            "camera": camera,
            "from": since,
            "to": until,
            "alert": alert,
            "case": case,
            "purpose": purpose,
        }
        async with reach(folder) as node:
            answer = await node.post("/api/clips", body)
            content = await node.fetch(f"/api/clips/{answer['sha256']}/content")
            proof = await node.get(f"/api/footage/{answer['sha256']}/evidence", index=answer["index"])
        file = into or Path(f"clip.{kind_of(content)}")
        file.write_bytes(content)
        beside = file.with_name(file.name + FILE_SUFFIX)
        beside.write_text(proof["evidence"], encoding="utf-8")
        keys = "".join(f"{key}\n" for key in (proof["verifier"], *proof["cosigners"]))
        beside.with_name(beside.name + KEY_SUFFIX).write_text(keys, encoding="utf-8")
        told(
            answer,
            f"{file}: {answer['from']} to {answer['to']}, {answer['bytes']} bytes, SHA-256 {answer['sha256']} (entry {answer['index']})",
            as_json,
        )
        return 0

    run(work)


def verify(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A clip or a snapshot.", exists=True)],
    as_json: Json = False,
) -> None:
    """Whether a journal here names exactly this file: whose camera, which time, who took it. 1 where none does."""

    async def work() -> int:
        with file.open("rb") as content:
            digest = file_digest(content, "sha256").hexdigest()
        async with reach(folder) as node:
            found = await node.get(f"/api/footage/{digest}")
        words = f"no journal here names {file} (SHA-256 {digest}): it was changed, or taken elsewhere"
        if found["verified"]:
            words = (
                f"{found['kind']} of {found['camera']}, {found['since']} to {found['until']}, taken by {found['who']}; "
                f"entry {found['index']} of {found['node']}, {found['entered_at']}"
            )
        told(found, words, as_json)
        return 0 if found["verified"] else 1

    run(work)


def evidence(
    folder: Folder,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id.")],
    of: Annotated[
        str, typer.Option(metavar="NODE", help="Whose alert it is, of those below; else this node's.")
    ] = "",
    as_json: Json = False,
) -> None:
    """The cameras that saw what an alert is about, and how much of it is recorded; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(f"/api/alerts/{quote(alert, safe='')}/cameras", of=of)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("camera", "name", "window", "from", "to", "recorded", box=None, pad_edge=False)
        for one in answer:
            table.add_row(
                one["camera"],
                one["name"],
                one["window"],
                one["since"],
                one["until"],
                f"{one['recorded_s']} s",
            )
        out.print(table)
        return 0

    run(work)
