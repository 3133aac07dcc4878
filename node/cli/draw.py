"""``zongheng draw request | run | verify``: evaluation experts drawn so that anybody can repeat the draw."""

import csv
from pathlib import Path
from typing import Annotated

import orjson
import typer

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

draw = typer.Typer(help="Random draws of evaluation experts that anybody can repeat.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(draw, name="draw")


@draw.command("request")
def request(
    folder: Folder,
    case: Annotated[str, typer.Argument(help="The project's case.")],
    pool: Annotated[Path, typer.Option(metavar="FILE", help="CSV: expert, employer.")],
    wanted: Annotated[int, typer.Option(help="How many are drawn.")],
    avoid: Annotated[
        list[str] | None, typer.Option(metavar="EXPERT=REASON", help="Somebody who must not evaluate it.")
    ] = None,
    party: Annotated[
        list[str] | None, typer.Option(help="A party to the project: whoever works there is avoided.")
    ] = None,
    one_per_employer: Annotated[bool, typer.Option(help="No two from one employer.")] = False,
    by: Annotated[str, typer.Option(help="Staff number of who asks.")] = "",
    as_json: Json = False,
) -> None:
    """Enter a request for a draw; the parent gives the seed, and without one its own head is the seed."""

    async def work() -> int:
        form = {
            "case": case,
            "pool": _pool(pool),
            "wanted": wanted,
            "avoided": dict(_avoided(one) for one in avoid or ()),
            "parties": party or [],
            "one_per_employer": one_per_employer,
            "by": by,
        }
        async with reach(folder) as node:
            answer = await node.post("/api/draws", form)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"request {answer['number']} of {answer['case']} is entry {answer['index']}: {answer['eligible']} may be"
                f" drawn; now `zongheng draw run {folder} {answer['index']}`",
                highlight=False,
            )
        return 0

    run(work)


@draw.command("run")
def carry_out(
    folder: Folder,
    index: Annotated[int, typer.Argument(help="The request's entry.")],
    by: Annotated[str, typer.Option(help="Staff number of who draws.")] = "",
    evidence: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the draw's evidence file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw what was requested; the draw is an entry with its proof. Asked again it is the same."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/draws/{index}", {"by": by})
        if evidence is not None:
            evidence.write_text(answer["evidence"], encoding="utf-8")
            evidence.with_name(evidence.name + ".vkey").write_text(
                answer["verifier"] + "\n", encoding="utf-8"
            )
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            for place, expert in enumerate(answer["drawn"], 1):
                out.print(f"{place}. {expert}", highlight=False)
        return 0

    run(work)


@draw.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="A draw's evidence file.")],
    verifier: Annotated[
        str | None, typer.Option(metavar="VKEY", help="The journal key; else the one beside the file.")
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(
            metavar="VKEY", help="The parent's journal key; a draw without the parent's seed is then refused."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Repeat a draw offline from its evidence file. Exit 1 when it does not come out."""

    async def work() -> int:
        from node.views.draw import check_draw

        if not file.is_file():
            raise ZonghengError("not_found", f"{file} does not exist")
        answer = check_draw(file, verifier, parent)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            for line in answer["words"]:
                out.print(line, highlight=False, markup=False)
        return 0 if answer["verified"] else 1

    run(work)


def _pool(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as rows:
            read = list(csv.DictReader(rows))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ZonghengError("bad_request", f"{file}: {error}") from error
    if not read or not {"expert"} <= read[0].keys():
        raise ZonghengError("bad_request", f"{file}: its first line names the columns expert and employer")
    return [
        {"expert": (row["expert"] or "").strip(), "employer": (row.get("employer") or "").strip()}
        for row in read
    ]


def _avoided(text: str) -> tuple[str, str]:
    expert, separator, reason = text.partition("=")
    if not separator or not reason.strip():
        raise ZonghengError("bad_request", f"{text!r}: say whom and why, as --avoid E7='works for the buyer'")
    return expert.strip(), reason.strip()
