"""``zongheng inspect | explain``: the alerts of the nodes below judged again, and one alert with every number it rests on."""

from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

_COUNTS = ("right", "wrong", "missing", "undetermined", "early")


def register(app: typer.Typer) -> None:
    app.command("inspect")(inspect)
    app.command("explain")(explain)


def inspect(
    folder: Folder,
    child: Annotated[str | None, typer.Argument(help="One child; default: every journal held here.")] = None,
    as_json: Json = False,
) -> None:
    """Judge the alerts of children again (发牌巡检): right, wrong, missing. Ends with 1 when something disagrees."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/inspection", child=child)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            _print_inspection(answer)
        return 0 if answer["agreed"] else 1

    run(work)


def _print_inspection(answer: dict[str, Any]) -> None:
    table = Table("node", "journal", *_COUNTS, box=None, pad_edge=False)
    for one in answer["nodes"]:
        table.add_row(one["node"], str(one["journal_size"]), *(str(one[name]) for name in _COUNTS))
    out.print(table)
    for one in answer["nodes"]:
        for alert in one["alerts"]:
            out.print(
                f"{alert['mark']}: {one['node']} {alert['case']} {alert['subject']} {alert['rule']} {alert['level']}"
                f" ({alert['why']})",
                highlight=False,
            )


def print_concern(concern: dict[str, Any] | None) -> None:
    """The step that an alert is about, with who held its post and its risk points."""
    if concern is None:
        return
    post = concern["post_name"] or concern["post"] or "no post"
    who = ", ".join(concern["holders"]) or "nobody"
    out.print(f"step {concern['step_name'] or concern['step']}: {post}, held by {who}", highlight=False)
    for risk in concern["risks"]:
        out.print(
            f"  {risk['level']} risk: {risk['risk']}; against it: {risk['measure'] or '–'}", highlight=False
        )


def explain(
    folder: Folder,
    alert: Annotated[str, typer.Argument(help="The alert's id, as `zongheng alerts` shows it.")],
    as_json: Json = False,
) -> None:
    """One alert with its rule, its ground and the numbers that led to it."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(f"/api/alerts/{alert}/grounds")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        shown = answer["alert"]
        out.print(f"{shown['rule']}  {shown['level']}  {shown['state']}", style="bold", highlight=False)
        out.print(shown["message"], highlight=False)
        out.print(answer["message_en"], highlight=False)
        out.print(f"{answer['name']} · {answer['legal_basis']}", highlight=False)
        print_concern(answer["concern"])
        if answer["measure"] is None:
            out.print(f"see `zongheng case {shown['case']} --explain`", style="dim", highlight=False)
            return 0
        out.print(f"measured {answer['measure']}, the level begins at {answer['at_least']}", highlight=False)
        for figure in answer["figures"]:
            out.print(f"  {figure['words']} ({figure['words_en']}): {figure['value']}", highlight=False)
        return 0

    run(work)
