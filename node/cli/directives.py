"""``zongheng directive …``: issue directives (督办) to nodes below, handle those from above, follow them."""

from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach
from node.cli.sending import send

By = Annotated[str, typer.Option("--by", metavar="NUMBER", help="Staff number of who does it.")]
Directive = Annotated[str, typer.Argument(metavar="DIRECTIVE")]
Text = Annotated[str, typer.Option("--text", help="What is said; sealed to its reader on the way.")]
About = Annotated[str, typer.Option("--node", help="The handler it is about, where there are several.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Directives (督办): what a node asks of one below it.")
    for command in (
        issue,
        list_,
        show,
        approve,
        sign,
        handle,
        answer,
        review,
        extend,
        remind,
        close,
        withdraw,
    ):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="directive")


def issue(
    folder: Folder,
    lead: Annotated[str, typer.Option(help="The node that leads the handling: this one or one below.")],
    title: Annotated[str, typer.Option()],
    text: Text,
    due: Annotated[str, typer.Option(metavar="TIME", help="ISO 8601; a day means its end.")],
    by: By,
    source: Annotated[
        str, typer.Option(help="instruction (批示), office (督查室) or bureau (监察局).")
    ] = "bureau",
    assist: Annotated[list[str] | None, typer.Option(help="A node that assists; may be given again.")] = None,
    agency: Annotated[str, typer.Option(help="The agency at the lead's node, where it is for one.")] = "",
    about: Annotated[str, typer.Option(help="The node whose alert or case it is about.")] = "",
    alert: Annotated[str, typer.Option(help="The alert it is about.")] = "",
    case: Annotated[str, typer.Option(help="The case it is about.")] = "",
    approved_by: Annotated[
        str,
        typer.Option(metavar="NUMBER", help="Approve it at once and send it out; somebody else than --by."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Draft a directive; with --approved-by it is approved and goes out."""
    body = {
        "title": title, "text": text, "source": source, "lead": lead, "assisting": assist or [], "agency": agency,
        "due": due, "about": about, "alert": alert, "case": case, "by": by, "approved_by": approved_by,
    }  # fmt: skip
    _post(folder, "/api/directives", body, as_json)


def list_(
    folder: Folder,
    stage: Annotated[str | None, typer.Option(help="drafted, notified, signed, answered, closed …")] = None,
    as_json: Json = False,
) -> None:
    """Directives that this node issued, handles or has seen pass; with --json one object a line."""

    async def work() -> int:
        table = Table("directive", "stage", "due", "handlers", "title", box=None, pad_edge=False)
        async with reach(folder) as node:
            after = ""
            while True:
                page = await node.get("/api/directives", after=after, stage=stage, limit=500)
                for one in page["directives"]:
                    if as_json:
                        print(orjson.dumps(one).decode())
                    else:
                        handlers = ", ".join(f"{h['node']} {h['stage']}" for h in one["handlers"])
                        table.add_row(
                            one["directive"], one["stage"], (one["due_at"] or "")[:16], handlers, one["title"]
                        )
                if page["next"] is None:
                    break
                after = page["next"]
        if not as_json:
            out.print(table)
        return 0

    run(work)


def show(folder: Folder, directive: Directive, as_json: Json = False) -> None:
    """One directive with every step and what was said."""

    async def work() -> int:
        async with reach(folder) as node:
            _print(await node.get(f"/api/directives/{directive}"), as_json)
        return 0

    run(work)


def approve(folder: Folder, directive: Directive, by: By, as_json: Json = False) -> None:
    """Approve a draft and send it out; not by who drafted it."""
    _step(folder, directive, "approval", as_json, by=by)


def sign(folder: Folder, directive: Directive, by: By, as_json: Json = False) -> None:
    """Sign for it, at the handler."""
    _step(folder, directive, "signature", as_json, by=by)


def handle(folder: Folder, directive: Directive, by: By, text: Text = "", as_json: Json = False) -> None:
    """Say that it is being handled, at the handler."""
    _step(folder, directive, "handling", as_json, by=by, text=text)


def answer(folder: Folder, directive: Directive, by: By, text: Text, as_json: Json = False) -> None:
    """Answer it, at the handler."""
    _step(folder, directive, "answer", as_json, by=by, text=text)


def review(
    folder: Folder,
    directive: Directive,
    by: By,
    accept: Annotated[
        bool, typer.Option("--accept/--send-back", help="Accept the answer, or send it back with a reason.")
    ],
    text: Text = "",
    node: About = "",
    as_json: Json = False,
) -> None:
    """Accept an answer or send it back, at the issuer."""
    _step(folder, directive, "review", as_json, by=by, accept=accept, text=text, node=node)


def extend(
    folder: Folder,
    directive: Directive,
    by: By,
    until: Annotated[
        str, typer.Option(metavar="TIME", help="The new due: asked for, or granted instead of it.")
    ] = "",
    text: Text = "",
    grant: Annotated[
        bool | None,
        typer.Option("--grant/--refuse", help="At the issuer: decide an extension that was asked for."),
    ] = None,
    node: About = "",
    as_json: Json = False,
) -> None:
    """At the handler: ask for a later due before it has come. At the issuer: grant or refuse it."""
    if grant is None:
        _step(folder, directive, "extension", as_json, by=by, due=until, text=text)
    else:
        _step(folder, directive, "decision", as_json, by=by, due=until, text=text, accept=grant, node=node)


def remind(
    folder: Folder, directive: Directive, by: By, text: Text = "", node: About = "", as_json: Json = False
) -> None:
    """Remind a handler, or all of them, at the issuer."""
    _step(folder, directive, "reminder", as_json, by=by, text=text, node=node)


def close(folder: Folder, directive: Directive, by: By, text: Text = "", as_json: Json = False) -> None:
    """Close it once every answer is accepted, at the issuer."""
    _step(folder, directive, "closing", as_json, by=by, text=text)


def withdraw(folder: Folder, directive: Directive, by: By, text: Text, as_json: Json = False) -> None:
    """Withdraw it with a reason, at the issuer."""
    _step(folder, directive, "withdrawal", as_json, by=by, text=text)


def _step(folder: Folder, directive: str, step: str, as_json: bool, **body: Any) -> None:
    _post(folder, f"/api/directives/{directive}/{step}", body, as_json)


def _post(folder: Folder, path: str, body: dict[str, Any], as_json: bool) -> None:
    send(folder, path, body, _print, as_json)


def _print(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(one).decode())
        return
    out.print(f"{one['directive']}  {one['stage']}  {one['title']}", style="bold", highlight=False)
    for handler in one["handlers"]:
        role = "lead" if handler["lead"] else "assisting"
        out.print(
            f"{handler['node']} ({role}) {handler['stage']}, due {(handler['due_at'] or '')[:16]}",
            highlight=False,
        )
    table = Table("at", "step", "node", "about", "by", "said", box=None, pad_edge=False)
    for step in one["steps"]:
        table.add_row(
            (step["at"] or "")[:16],
            step["step"],
            step["node"],
            step["handler"],
            step["by"],
            step["text"] or "",
        )
    out.print(table)
