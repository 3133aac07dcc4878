"""``zongheng trend | hotspots | outliers | forecast``: decision support, in figures."""

from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

SHOWN = 30
"""Rows shown to a person; --json prints all."""

Subtree = Annotated[str, typer.Option(metavar="CODE", help="A node below; default: this one.")]
From = Annotated[str, typer.Option("--from", metavar="DAY", help="First day.")]
To = Annotated[str, typer.Option("--to", metavar="DAY", help="Last day; default: today.")]
Domain = Annotated[str, typer.Option(help="Of this domain alone.")]


def register(app: typer.Typer) -> None:
    app.command("trend")(trend)
    app.command("hotspots")(hotspots)
    app.command("outliers")(outliers)
    app.command("forecast")(forecast)


def trend(
    folder: Folder,
    period: Annotated[str, typer.Option(help="day | week | month")] = "month",
    of: Annotated[
        str, typer.Option(metavar="WHEN", help="The last period; default: the last that is over.")
    ] = "",
    subtree: Subtree = "",
    count: Annotated[int, typer.Option(help="How many periods; default: 30 days, 26 weeks, 13 months.")] = 0,
    domain: Domain = "",
    agency: Annotated[str, typer.Option(help="Of this agency alone.")] = "",
    item: Annotated[str, typer.Option(help="Of this item alone.")] = "",
    line: Annotated[str, typer.Option(help="Of this line alone.")] = "",
    as_json: Json = False,
) -> None:
    """Figures of a subtree period by period, beside the one before and a year ago."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(
                "/api/trend", period=period, of=of, subtree=subtree, count=count, domain=domain, agency=agency, item=item, line=line
            )  # fmt: skip
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        out.print(
            f"{answer['subtree']}: figures of {answer['reported']} of {answer['nodes']} nodes, from {answer['first_day'] or '–'} on",
            highlight=False,
        )
        table = Table(
            "period", "received", "before", "year ago", "completed", "late", "late before", "yellow", "red", box=None, pad_edge=False
        )  # fmt: skip
        for one in answer["periods"]:
            now, before, past = one["now"], one["before"], one["year_ago"]
            mark = "" if one["finished"] else " …"
            table.add_row(
                one["label"] + mark, str(now["received"]), _of(before, "received"), _of(past, "received"), str(now["completed"]),
                str(now["late"]), _of(before, "late"), str(now["yellow"]), str(now["red"]),
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


def _of(counts: dict[str, Any] | None, name: str) -> str:
    return "–" if counts is None else str(counts[name])


def hotspots(
    folder: Folder,
    by: Annotated[str, typer.Option(help="agency | item | place | line | domain | rule | step")] = "agency",
    subtree: Subtree = "",
    since: From = "",
    until: To = "",
    level: Annotated[str, typer.Option(help="cards (yellow and red) | notice | yellow | red")] = "cards",
    domain: Domain = "",
    as_json: Json = False,
) -> None:
    """Where alerts concentrate: share and lift against the base rate; without --from of 90 days."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(
                "/api/hot-spots", by=by, subtree=subtree, level=level, domain=domain, **{"from": since}, to=until
            )  # fmt: skip
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        covered = answer["coverage"]
        out.print(
            f"{answer['from_day']} to {answer['to_day']}: {answer['alerts']} alerts ({answer['level']}) by {answer['by']}; base: "
            f"{answer['base']}; {covered['answered']} of {covered['expected']} nodes",
            highlight=False,
        )
        table = Table(
            answer["by"],
            "name",
            "alerts",
            "share %",
            "cases",
            "expected",
            "lift",
            "",
            box=None,
            pad_edge=False,
        )
        for one in answer["spots"][:SHOWN]:
            code = f"{one['node']}/{one['code']}" if one["node"] else one["code"]
            remark = "hot" if one["hot"] else ("" if one["sampled"] else "small sample")
            table.add_row(
                code or "–", one["name"], str(one["alerts"]), str(one["share_percent"]), _number(one["cases"]),
                _number(one["expected"]), _number(one["lift"]), remark,
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def outliers(
    folder: Folder,
    by: Annotated[str, typer.Option(help="agency | node | child")] = "agency",
    measure: Annotated[str, typer.Option(help="late | cards | cancelled")] = "late",
    subtree: Subtree = "",
    since: From = "",
    until: To = "",
    as_json: Json = False,
) -> None:
    """Who stands out among comparable ones, by how large a sample; without --from of 180 days."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(
                "/api/outliers", by=by, measure=measure, subtree=subtree, **{"from": since}, to=until
            )  # fmt: skip
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        out.print(
            f"{answer['from_day']} to {answer['to_day']}, {answer['measure']}: {len(answer['groups'])} groups; "
            f"{answer['not_compared']} have too few to be compared with",
            highlight=False,
        )
        for group in answer["groups"]:
            common = "" if group["common_percent"] is None else f", common {group['common_percent']} %"
            out.print(f"{group['comparable']}{common}", style="bold", highlight=False)
            table = Table("who", "name", "count", "of", "%", "usual", "", box=None, pad_edge=False)
            for one in group["members"][:SHOWN]:
                code = one["code"] if one["code"] == one["node"] else f"{one['node']}/{one['code']}"
                remark = one["verdict"] or ("" if one["sampled"] else "small sample")
                table.add_row(
                    code, one["name"], str(one["count"]), str(one["of"]), _number(one["percent"]), f"{one['low']}–{one['high']}", remark
                )  # fmt: skip
            out.print(table)
        return 0

    run(work)


def forecast(folder: Folder, subtree: Subtree = "", as_json: Json = False) -> None:
    """Open cases that are likely to be late, and how right such a forecast was in the past."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/forecast", subtree=subtree)
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        out.print(
            f"as of {answer['as_of']}: {answer['open_cases']} open cases not late yet; of the {len(answer['cases'])} that can be "
            f"forecast about {answer['expected_late']} will be late",
            highlight=False,
        )
        if answer["not_held"]:
            out.print(
                f"without {', '.join(answer['not_held'])}: their journals are not here", highlight=False
            )
        past = answer["past"]
        out.print(
            "there is no past to test it on"
            if past is None
            else f"tested on the past year: of {past['forecasts']} forecasts {past['expected_late']} were expected to be late, {past['late']} "
            f"were; error {past['error']}, with the plain share {past['error_of_share']} (0 is perfect); of {past['flagged']} with a chance "
            f"over 50 % {past['flagged_late']} were late",
            highlight=False,
        )
        table = Table("chance %", "case", "item", "step", "agency", "due", "of", box=None, pad_edge=False)
        for one in answer["cases"][:SHOWN]:
            basis = f"{one['sample']} of {'the step' if one['of_step'] else 'the item' if one['of_item'] else 'all items'}"
            table.add_row(
                str(one["chance_percent"]), one["case"], one["item"], one["step"], one["agency"], (one["due_at"] or "")[:10], basis
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)
