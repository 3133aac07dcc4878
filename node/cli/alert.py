"""``zongheng alert …``: the life of one alert, step by step, and what waits for a decision."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach
from node.cli.resupervision import print_concern
from node.cli.sending import ask, send

alert_app = typer.Typer(
    no_args_is_help=True, help="The life of an alert: answer, appeal, decide, urge, raise."
)

Alert = Annotated[str, typer.Argument(metavar="ALERT", help="Its id, as `zongheng alerts` shows it.")]
By = Annotated[str, typer.Option(help="Staff number of who takes the step.")]
Reason = Annotated[str, typer.Option(help="In short words; stands in the journal.")]
Text = Annotated[
    str, typer.Option(help="In full; goes to the vault, its digest to the journal. `@FILE` reads it.")
]
Files = Annotated[
    list[Path],
    typer.Option(
        "--file", exists=True, dir_okay=False, help="A file, kept in the node's folder; repeatable."
    ),
]


def register(app: typer.Typer) -> None:
    app.add_typer(alert_app, name="alert")


@alert_app.command("show")
def show(
    folder: Folder,
    alert: Alert,
    purpose: Annotated[
        str, typer.Option(help="Why the full texts are read; that they were is an entry.")
    ] = "",
    as_json: Json = False,
) -> None:
    """One alert, every step of its life and what is owed next."""
    ask(folder, f"/api/alerts/{_quoted(alert)}", _print_life, as_json, purpose=purpose)


def _answering(name: str, path: str, words: str) -> None:
    def command(
        folder: Folder,
        alert: Alert,
        by: By,
        reason: Reason = "",
        text: Text = "",
        file: Files = [],  # noqa: B006  # typer's way of a repeatable option
        as_json: Json = False,
    ) -> None:
        body = {"by": by, "reason": reason, "text": _read(text)}
        _post(folder, f"/api/alerts/{_quoted(alert)}/{path}", body, as_json, file)

    command.__doc__ = words
    alert_app.command(name)(command)


_answering("explain", "explanation", "The agency explains (说明).")
_answering("rectify", "rectification", "The agency has put it right (整改).")
_answering("appeal", "appeal", "The agency appeals (申诉): once, within the time.")


def _noting(name: str, path: str, words: str) -> None:
    def command(folder: Folder, alert: Alert, by: By, reason: Reason = "", as_json: Json = False) -> None:
        _post(folder, f"/api/alerts/{_quoted(alert)}/{path}", {"by": by, "reason": reason}, as_json)

    command.__doc__ = words
    alert_app.command(name)(command)


_noting("escalate", "escalation", "Leave the decision about an appeal to the node above.")
_noting("urge", "urging", "Urge the agency (督办): a new reply is due.")
_noting("close", "closing", "What the agency did is enough (办结).")


@alert_app.command("decide")
def decide(
    folder: Folder,
    alert: Alert,
    by: By,
    reason: Reason,
    cancel: Annotated[bool, typer.Option("--cancel/--uphold", help="Cancel the alert, or uphold it.")],
    origin: Annotated[
        str, typer.Option(help="The child that escalated it; absent: it is this node's own.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Decide an appeal, here or of a child that escalated it."""
    verdict = "cancel" if cancel else "uphold"
    body = {"by": by, "reason": reason, "verdict": verdict}
    if not origin:
        _post(folder, f"/api/alerts/{_quoted(alert)}/ruling", body, as_json)
        return

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/escalated/{_quoted(origin)}/{_quoted(alert)}/ruling", body)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"{answer['alert_id']} of {origin}: {verdict}; the decision goes down to it", highlight=False
            )
        return 0

    run(work)


@alert_app.command("raise")
def raise_by_hand(
    folder: Folder,
    level: Annotated[str, typer.Option(help="notice, yellow or red.")],
    by: By,
    reason: Reason,
    case: Annotated[str, typer.Option(help="The case it is about.")] = "",
    agency: Annotated[str, typer.Option(help="The agency it is about; default: the case's.")] = "",
    actor: Annotated[str, typer.Option(help="Staff number of the officer concerned.")] = "",
    subject: Annotated[str, typer.Option(help="What in the case; tells two findings apart.")] = "case",
    text: Text = "",
    file: Files = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Raise what somebody found and no rule did."""
    body = {
        "level": level, "by": by, "reason": reason, "case": case, "agency": agency, "actor": actor, "subject": subject,
        "text": _read(text),
    }  # fmt: skip
    _post(folder, "/api/alerts", body, as_json, file)


@alert_app.command("escalated")
def escalated(
    folder: Folder,
    purpose: Annotated[
        str, typer.Option(metavar="WHY", help="Show the full texts too; the look is an entry.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Appeals that children escalated and that wait for a decision here; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/escalated", purpose=purpose)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("origin", "alert", "level", "case", "due", "reason", box=None, pad_edge=False)
        for one in answer:
            alert = one["alert"]
            table.add_row(
                one["origin"],
                alert["alert_id"],
                alert["level"],
                alert["case"],
                one["due_at"][:10],
                one["reason"],
            )
        out.print(table)
        for one in answer:
            for said in one["texts"]:
                words = said["words"] or "—"
                out.print(
                    f"{one['alert']['alert_id']} {said['state']} {said['by']}: {words}", highlight=False
                )
        return 0

    run(work)


@alert_app.command("inbox")
def inbox(folder: Folder, as_json: Json = False) -> None:
    """What people of this node are told of, the newest first."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/inbox")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        table = Table("at", "level", "state", "case", "agency", "alert", box=None, pad_edge=False)
        for one in answer["items"]:
            alert = one["alert"]
            table.add_row(
                one["at"][:16],
                alert["level"],
                one["state"],
                alert["case"],
                alert["agency"],
                alert["alert_id"],
            )
        out.print(table)
        return 0

    run(work)


@alert_app.command("times")
def times(
    folder: Folder,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME")] = None,
    as_json: Json = False,
) -> None:
    """Whether each layer acted in time (agency, embedded supervisor, bureau, handlers of directives, node above), by what fell due in a period."""

    async def work() -> int:
        params = {"from": since, "to": until}
        async with reach(folder) as node:
            answer = await node.get("/api/alert-times", **params)
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        table = Table(
            "layer",
            "node",
            "agency",
            "duty",
            "due",
            "in time",
            "late",
            "open",
            "median days",
            box=None,
            pad_edge=False,
        )
        for row in answer["rows"]:
            took = "–" if row["median_days"] is None else f"{row['median_days']:g}"
            table.add_row(
                row["layer"], row["node"], row["agency"], row["duty"], str(row["due"]), str(row["in_time"]), str(row["late"]),
                str(row["open"]), took,
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


def _post(folder: Path, path: str, body: dict[str, Any], as_json: bool, files: Sequence[Path] = ()) -> None:
    send(folder, path, body, _print_life, as_json, files)


def _print_life(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
        return
    alert = answer["alert"]
    out.print(f"{alert['alert_id']} {alert['level']} {alert['state']}: {alert['message']}", highlight=False)
    for step in answer["steps"]:
        whose = f" by {step['by']}{' at ' + step['node'] if step['node'] else ''}" if step["by"] else ""
        files = "".join(f"\n    {one['sha256']} {one['name']}" for one in step["files"])
        words = step["reason"] or ("(in full in the vault)" if step["text"] else "")
        out.print(f"  {step['at'][:16]} {step['state']}{whose} {words}{files}", highlight=False)
        if step["words"]:
            out.print(f"    {step['words']}", highlight=False)
    print_concern(answer["concern"])
    due = answer["owed"]
    if due is not None:
        late = f", {due['over']} working days late" if due["over"] else ""
        out.print(
            f"owed: {due['duty']} by the {due['layer']}, due {due['due_at'][:16]}{late}", highlight=False
        )


def _read(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{text[1:]}: {error}") from error


def _quoted(text: str) -> str:
    if not text.strip("."):
        raise typer.BadParameter(f"{text!r} is no id")
    return quote(text, safe="")
