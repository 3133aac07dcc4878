"""``zongheng item …``: items on their way into the catalogue: drafted, listed, reviewed by law, published, withdrawn."""

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

item_app = typer.Typer(
    no_args_is_help=True, help="Items (事项): listed, reviewed by law, published, withdrawn."
)

Item = Annotated[str, typer.Argument(metavar="ITEM", help="The item's code.")]
Version = Annotated[int, typer.Argument(metavar="VERSION", help="The version's number.")]
By = Annotated[str, typer.Option(help="Staff number of who does it.")]
To = Annotated[str, typer.Option("--to", metavar="NODE", help="For this node below.")]
Subtree = Annotated[bool, typer.Option("--subtree", help="For everybody below that node too.")]


def register(app: typer.Typer) -> None:
    app.add_typer(item_app, name="item")


@item_app.command("list")
def list_items(
    folder: Folder,
    state: Annotated[
        str, typer.Option(help="draft, listed, passed, returned, recalled, published, changed or withdrawn.")
    ] = "",
    agency: Annotated[str, typer.Option(help="An agency's code.")] = "",
    origin: Annotated[str, typer.Option(metavar="NODE", help="As the journal of this node has them.")] = "",
    as_json: Json = False,
) -> None:
    """Items with the newest of their versions; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/items", state=state, agency=agency, origin=origin)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table(
            "item", "version", "state", "agency", "name", "by", "at", "against", box=None, pad_edge=False
        )
        for one in answer:
            table.add_row(
                one["item"],
                str(one["version"]),
                one["state"],
                one["agency"],
                one["name"],
                one["sender"] or one["by"],
                (one["at"] or "")[:16],
                Text(", ".join(fault["words"] for fault in one["faults"]), style="yellow"),
            )
        out.print(table)
        return 0

    run(work)


@item_app.command("show")
def show(
    folder: Folder,
    item: Item,
    origin: Annotated[str, typer.Option(metavar="NODE", help="As the journal of this node has it.")] = "",
    as_json: Json = False,
) -> None:
    """One item: every version, what it says, and each step with who, when and why."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(f"/api/items/{quote(item, safe='')}", origin=origin)
        _print(answer, as_json)
        return 0

    run(work)


@item_app.command("draft")
def draft(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML with [[items]], as for `publish`.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Write versions of items down; nobody is asked and nothing is entered yet."""

    async def work() -> int:
        content = publication_file(file)
        if set(content) != {"items"}:
            raise ZonghengError("bad_request", f"{file}: give [[items]] and nothing else")
        async with reach(folder) as node:
            for one in content["items"]:
                _print(await node.post("/api/items", {"by": by, "item": one}), as_json)
        return 0

    run(work)


@item_app.command("submit")
def submit(folder: Folder, item: Item, version: Version, by: By, as_json: Json = False) -> None:
    """List a draft: it waits for legal review, as it is now."""
    _step(folder, item, "listing", {"version": version, "by": by}, as_json)


@item_app.command("recall")
def recall(
    folder: Folder,
    item: Item,
    version: Version,
    by: By,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_json: Json = False,
) -> None:
    """Take back a version that is not published yet."""
    _step(folder, item, "recall", {"version": version, "by": by, "reason": reason}, as_json)


@item_app.command("review")
def review(
    folder: Folder,
    item: Item,
    version: Version,
    by: By,
    passed: Annotated[bool, typer.Option("--pass/--return", help="What legal review comes to.")],
    reason: Annotated[str, typer.Option(help="Why it is returned.")] = "",
    as_json: Json = False,
) -> None:
    """Legal review (法制审核) of what was listed; not by who listed it."""
    verdict = "pass" if passed else "return"
    body = {"version": version, "by": by, "verdict": verdict, "reason": reason}
    _step(folder, item, "review", body, as_json)


@item_app.command("publish")
def publish(
    folder: Folder,
    item: Item,
    version: Version,
    by: By,
    to: To = "",
    subtree: Subtree = False,
    as_json: Json = False,
) -> None:
    """Publish what passed review: it rules from now on, and cases that are under way go on by theirs."""
    _step(folder, item, "publication", {"version": version, "by": by, "to": to, "subtree": subtree}, as_json)


@item_app.command("withdraw")
def withdraw(
    folder: Folder,
    item: Item,
    version: Version,
    by: By,
    reason: Annotated[str, typer.Option(help="Why.")],
    to: To = "",
    subtree: Subtree = False,
    as_json: Json = False,
) -> None:
    """Withdraw a published item: no new case begins, those under way go on."""
    body = {"version": version, "by": by, "reason": reason, "to": to, "subtree": subtree}
    _step(folder, item, "withdrawal", body, as_json)


@item_app.command("risks")
def risks(
    folder: Folder,
    level: Annotated[str, typer.Option(help="high, middle or low.")] = "",
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Alerts that hold since then or later.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="Alerts that hold since before.")] = None,
    as_json: Json = False,
) -> None:
    """Risk points (廉政风险点) of the items in force, with what was found at their steps."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/risks", level=level, **{"from": from_, "to": to})
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        table = Table(
            "risk", "item", "step", "findings", "post", "who", "what", "measure", box=None, pad_edge=False
        )
        for one in answer["risks"]:
            table.add_row(
                one["level"],
                one["item"],
                one["step_name"] or one["step"],
                str(one["findings"]),
                one["post_name"] or one["post"],
                ", ".join(one["holders"]),
                one["risk"],
                one["measure"],
            )
        out.print(table)
        return 0

    run(work)


def _step(folder: Path, item: str, step: str, body: dict[str, Any], as_json: bool) -> None:
    async def work() -> int:
        async with reach(folder) as node:
            _print(await node.post(f"/api/items/{quote(item, safe='')}/{step}", body), as_json)
        return 0

    run(work)


def _print(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
        return
    for one in answer["versions"]:
        out.print(
            f"{one['item']} version {one['version']} {one['name']} of {one['agency']}: {one['state']}",
            highlight=False,
        )
        for fault in one["faults"]:
            out.print(
                f"  against the law as listed: {fault['words']} ({fault['rule']})",
                style="yellow",
                highlight=False,
            )
        for step in one["content"].get("steps", []):
            for risk in step.get("risks", []):
                out.print(
                    f"  {risk['level']} risk at {step.get('name') or step['code']}: {risk['risk']}",
                    highlight=False,
                )
        for step in one["steps"]:
            words = f" {step['reason']}" if step["reason"] else ""
            out.print(f"  {step['at'][:16]} {step['kind']} by {step['by']}{words}", highlight=False)
