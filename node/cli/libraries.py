"""``zongheng library … | post … | officer …``: tables that values are held against, responsible posts, officers with their certificates."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table
from rich.text import Text

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import publication_file, reach

library_app = typer.Typer(
    no_args_is_help=True, help="Libraries (库): discretion, certificates, fee standards, laws …"
)
post_app = typer.Typer(no_args_is_help=True, help="Responsible posts (责任岗位) and who held them when.")
officer_app = typer.Typer(no_args_is_help=True, help="Officers, their posts and certificates.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The library's name.")]
By = Annotated[str, typer.Option(help="Staff number of who does it.")]
Agency = Annotated[str, typer.Option(help="An agency's code.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="TOML, as for `publish`.")]


def register(app: typer.Typer) -> None:
    app.add_typer(library_app, name="library")
    app.add_typer(post_app, name="post")
    app.add_typer(officer_app, name="officer")


@library_app.command("list")
def list_libraries(folder: Folder, as_json: Json = False) -> None:
    """The libraries there are; with --json one object a line."""
    columns = ("name", "version", "sender", "rows", "by", "at", "legal_basis")
    _lines(folder, "/api/libraries", {}, columns, as_json)


@library_app.command("show")
def show(
    folder: Folder,
    name: Name,
    version: Annotated[int | None, typer.Option(help="Another version than the newest.")] = None,
    as_json: Json = False,
) -> None:
    """One library: its rows, and who published which version when."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(f"/api/libraries/{quote(name, safe='')}", version=version)
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        out.print(
            f"{name} version {answer['version']} {answer['sender']}  {answer['legal_basis']}", highlight=False
        )
        table = Table("code", "grade", "low", "high", "text", "from", "to", box=None, pad_edge=False)
        for row in answer["rows"]:
            bounds = (
                "" if row[side] is None else str(row[side]) + ("‰" if row["ratio"] else "")
                for side in ("low", "high")
            )
            style = None if row["in_force"] else "dim"
            cells = (
                row["code"],
                row["grade"],
                *bounds,
                row["text"],
                row["valid_from"] or "",
                row["valid_to"] or "",
            )
            table.add_row(*cells, style=style)
        out.print(table)
        _print_history(answer["history"])
        return 0

    run(work)


@library_app.command("load")
def load(folder: Folder, file: File, by: By, as_json: Json = False) -> None:
    """Publish the [[libraries]] of a file, each as a whole."""
    _load(folder, file, "libraries", by, as_json)


@library_app.command("amend")
def amend(
    folder: Folder,
    name: Name,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="TOML with [[rows]] to set or add.")
    ] = None,
    by: By = "",
    remove: Annotated[
        list[str], typer.Option(metavar="CODE[/GRADE]", help="A row to take away; repeatable.")
    ] = [],  # noqa: B006  # typer's way of a repeatable option
    as_json: Json = False,
) -> None:
    """Publish the next version: the newest with these rows set and those taken away."""

    async def work() -> int:
        content = {} if file is None else publication_file(file)
        if set(content) - {"rows", "legal_basis"}:
            raise ZonghengError("bad_request", f"{file}: give [[rows]] and legal_basis, nothing else")
        gone = [dict(zip(("code", "grade"), one.partition("/")[::2], strict=True)) for one in remove]
        async with reach(folder) as node:
            path = f"/api/libraries/{quote(name, safe='')}/amendments"
            answer = await node.post(path, {**content, "by": by, "remove": gone})
        _print_published(answer, "libraries", as_json)
        return 0

    run(work)


@post_app.command("list")
def list_posts(folder: Folder, agency: Agency = "", as_json: Json = False) -> None:
    """The posts, with who holds them; with --json one object a line."""
    _lines(
        folder,
        "/api/posts",
        {"agency": agency},
        ("post", "version", "agency", "name", "holders", "duty"),
        as_json,
    )


@post_app.command("show")
def show_post(
    folder: Folder,
    post: Annotated[str, typer.Argument(metavar="POST", help="The post's code.")],
    as_json: Json = False,
) -> None:
    """One post: who held it when, and who published which version."""

    async def work() -> int:
        async with reach(folder) as node:
            found = [one for one in await node.get("/api/posts") if one["post"] == post]
        if not found:
            raise ZonghengError("not_found", f"there is no post {post} here: see `zongheng post list`")
        if as_json:
            print(orjson.dumps(found[0]).decode())
            return 0
        out.print(f"{post} {found[0]['name']} of {found[0]['agency']}: {found[0]['duty']}", highlight=False)
        for one in found[0]["holdings"]:
            out.print(
                f"  {one['since']} – {one['until'] or 'now'}  {one['officer']} {one['name']}", highlight=False
            )
        _print_history(found[0]["history"])
        return 0

    run(work)


@post_app.command("load")
def load_posts(folder: Folder, file: File, by: By, as_json: Json = False) -> None:
    """Publish the [[posts]] of a file, each as a whole."""
    _load(folder, file, "posts", by, as_json)


@officer_app.command("list")
def list_officers(
    folder: Folder,
    agency: Agency = "",
    within: Annotated[
        int | None,
        typer.Option(help="Only those of whom a certificate ends within so many days, or has ended."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Officers with their posts and until when they are certified; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/officers", agency=agency, within=within)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("number", "name", "agency", "posts", "certificates", box=None, pad_edge=False)
        for one in answer:
            ends = ", ".join(_ends(each) for each in one["certificates"])
            style = None if one["certified"] else "red"
            table.add_row(
                one["number"],
                one["name"],
                one["agency"],
                ", ".join(one["posts"]),
                Text(ends or "none", style=style or ""),
            )
        out.print(table)
        return 0

    run(work)


@officer_app.command("load")
def load_officers(folder: Folder, file: File, by: By, as_json: Json = False) -> None:
    """Take the [[officers]] of a file into the registry."""
    _load(folder, file, "officers", by, as_json)


def _ends(certificate: dict[str, Any]) -> str:
    if certificate["days_left"] is None:
        return f"{certificate['kind']} without end".strip()
    state = "expired" if certificate["days_left"] < 0 else "until"
    return f"{certificate['kind']} {state} {certificate['valid_to']}".strip()


def _lines(folder: Path, path: str, query: dict[str, str], columns: tuple[str, ...], as_json: bool) -> None:
    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(path, **query)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table(*columns, box=None, pad_edge=False)
        for one in answer:
            cells = (one[name] for name in columns)
            table.add_row(*(", ".join(cell) if isinstance(cell, list) else str(cell or "") for cell in cells))
        out.print(table)
        return 0

    run(work)


def _load(folder: Path, file: Path, key: str, by: str, as_json: bool) -> None:
    async def work() -> int:
        content = publication_file(file)
        if set(content) != {key}:
            raise ZonghengError("bad_request", f"{file}: give [[{key}]] and nothing else")
        async with reach(folder) as node:
            _print_published(await node.post("/api/publications", {**content, "by": by}), key, as_json)
        return 0

    run(work)


def _print_published(answer: dict[str, Any], key: str, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
    else:
        out.print(f"published: {answer[key]} {key}, {answer['unchanged']} as they were", highlight=False)


def _print_history(history: list[dict[str, Any]]) -> None:
    for one in history:
        whose = f" by {one['by']}" if one["by"] else ""
        out.print(
            f"version {one['version']} {(one['at'] or '')[:16]}{whose}: +{one['added']} −{one['removed']}  (entry {one['index']})",
            style="dim",
            highlight=False,
        )
