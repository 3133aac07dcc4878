"""``zongheng case DIR CASE`` and cases by hand: what happened to one case, and moving it on where there is no business system."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import publication_file, reach
from node.cli.resupervision import print_concern


def register(app: typer.Typer) -> None:
    app.command("case")(case)
    app.command("open")(open_case)
    app.command("move")(move_case)
    app.command("handovers")(handovers)
    app.command("sign")(sign)
    app.command("publish")(publish)


def case(
    folder: Folder,
    case_id: Annotated[str, typer.Argument(metavar="CASE")],
    explain: Annotated[bool, typer.Option("--explain", help="Derive each deadline day by day.")] = False,
    evidence: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write an evidence file of the case's newest entry, checkable offline."
        ),
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="TIME")] = None,
    as_json: Json = False,
) -> None:
    """One case: its events, clocks, alerts."""

    async def work() -> int:
        from node.views.evidence import KEY_SUFFIX

        async with reach(folder) as node:
            answer = await node.get(f"/api/cases/{quote(case_id, safe='')}", explain=explain, as_of=as_of)
            if evidence is not None:
                proof = await node.get(f"/api/cases/{quote(case_id, safe='')}/evidence")
                evidence.write_text(proof["evidence"], encoding="utf-8")
                key = evidence.with_name(evidence.name + KEY_SUFFIX)
                lines = [proof["verifier"], *proof["cosigners"]]
                key.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            _print_case(answer)
        return 0

    run(work)


def _print_case(answer: dict[str, Any]) -> None:
    out.print(
        f"{answer['case']}  {answer['item']} {answer['item_name']}  {answer['state']}",
        style="bold",
        highlight=False,
    )
    table = Table("index", "at", "kind", "step", "agency", "actor", "attributes", box=None, pad_edge=False)
    zone = datetime.fromisoformat(answer["as_of"]).tzinfo
    for event in answer["events"]:
        words = ", ".join(
            f"{name}={_shown(name, value, zone)}" for name, value in event["attributes"].items()
        )
        table.add_row(
            str(event["index"]),
            _both(event["at"], event["source_at"]),
            event["kind"],
            f"{event['step']} ({event['post']}: {', '.join(event['holders'])})"
            if event["post"]
            else event["step"],
            event["agency"],
            event["actor"],
            words,
        )
    out.print(table)
    for clock in answer["clocks"]:
        verdict = "late" if clock["late"] else ("paused" if clock["paused"] else "in time")
        provisional = (
            " (provisional: the calendar of that year is not published)" if clock["provisional"] else ""
        )
        out.print(
            f"\n{clock['clock']} {clock['subject']}: due {_both(clock['due_at'], clock['source_due_at'])}, over {clock['over']}, {verdict}{provisional}",
            style="red" if clock["late"] else None,
            highlight=False,
        )
        for day in clock["days"] or []:
            mark = f"{day['count']:>4}" if day["counted"] else "   –"
            out.print(
                f"  {day['day']} {day['weekday']} {mark}  {day['reason']}", highlight=False, markup=False
            )
    for alert in answer["alerts"]:
        out.print(f"\n{alert['level']} {alert['state']}: {alert['message']}", highlight=False, markup=False)
        print_concern(answer["concerns"].get(alert["alert_id"]))


def _both(at: str | None, source: str | None) -> str:
    """An instant to the minute in the node's zone, and with its source's offset where that is another."""
    if at is None:
        return "–"
    return at[:16] if source is None else f"{at[:16]} ({source[:16]}{source[-6:]})"


def _shown(name: str, value: Any, zone: tzinfo | None) -> str:
    """An attribute for people: instants and days are numbers in the journal."""
    if isinstance(value, int) and not isinstance(value, bool):
        if name.endswith("_at"):
            return (
                (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=value)).astimezone(zone).isoformat()
            )
        if name.endswith("_day"):
            return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
    return str(value)


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise ZonghengError("bad_request", f"{text!r} is not NAME=VALUE")
        pairs[name] = value
    return pairs


Attributes = Annotated[
    list[str], typer.Option("--set", metavar="NAME=VALUE", help="An attribute of the event; repeatable.")
]


def open_case(
    folder: Folder,
    item: Annotated[str, typer.Option(help="Item code in the catalogue.")],
    agency: Annotated[str, typer.Option(help="Agency code.")],
    actor: Annotated[str, typer.Option(help="Staff number of who enters it.")],
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When it happened; default: now.")] = None,
    applicant: Annotated[str, typer.Option(help="The applicant's name; goes to the vault.")] = "",
    id_number: Annotated[str, typer.Option(help="The applicant's ID number; goes to the vault.")] = "",
    attributes: Attributes = [],  # noqa: B006  # typer's way of a repeatable option
    as_json: Json = False,
) -> None:
    """Open a case by hand (an application)."""

    async def work() -> int:
        body = {
            "item": item, "agency": agency, "actor": actor, "at": at, "applicant": applicant, "id_number": id_number,
            "attributes": _pairs(attributes),
        }  # fmt: skip
        async with reach(folder) as node:
            answer = await node.post("/api/cases", body)
        print(orjson.dumps(answer).decode() if as_json else answer["case"])
        return 0

    run(work)


def move_case(
    folder: Folder,
    case_id: Annotated[str, typer.Argument(metavar="CASE")],
    kind: Annotated[str, typer.Argument(help="acceptance, step, pause, resume, completion …")],
    actor: Annotated[str, typer.Option(help="Staff number of who acted.")],
    step: Annotated[str, typer.Option(help="Step code, for a step.")] = "",
    agency: Annotated[str, typer.Option(help="Agency code; default: the case's.")] = "",
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When it happened; default: now.")] = None,
    attributes: Attributes = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Move a case on by hand: one event."""

    async def work() -> int:
        body = {
            "kind": kind, "actor": actor, "step": step, "agency": agency, "at": at,
            "attributes": _pairs(attributes),
        }  # fmt: skip
        async with reach(folder) as node:
            answer = await node.post(f"/api/cases/{quote(case_id, safe='')}/events", body)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(f"{case_id}: {kind} is in the journal", highlight=False)
        return 0

    run(work)


def handovers(folder: Folder, as_json: Json = False) -> None:
    """Cases that came to this node, from below or from above, and nobody signed for yet."""

    async def work() -> int:
        async with reach(folder) as node:
            waiting = await node.get("/api/handovers")
        if as_json:
            for one in waiting:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("case", "from", "handed over", "item", "filed", box=None, pad_edge=False)
        for one in waiting:
            table.add_row(
                one["case"],
                one["from_node"],
                (one["at"] or "")[:16],
                one["item"],
                (one["filed_at"] or "")[:16],
            )
        out.print(table)
        return 0

    run(work)


def sign(
    folder: Folder,
    case_id: Annotated[str, typer.Argument(metavar="CASE")],
    agency: Annotated[str, typer.Option(help="Agency that takes the case on.")],
    actor: Annotated[str, typer.Option(help="Staff number of who signs.")],
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When; default: now.")] = None,
    as_json: Json = False,
) -> None:
    """Sign for a case that was handed over to this node; its tier's own clock starts."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(
                f"/api/cases/{quote(case_id, safe='')}/signature",
                {"agency": agency, "actor": actor, "at": at},
            )
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(f"{case_id} is signed for", highlight=False)
        return 0

    run(work)


def publish(
    folder: Folder,
    file: Annotated[
        Path,
        typer.Argument(
            help="TOML: items, agencies, officers, sources, calendar days, rules, libraries or a policy."
        ),
    ],
    to: Annotated[
        str,
        typer.Option("--to", metavar="NODE", help="For a node below: it goes down and is mandated there."),
    ] = "",
    subtree: Annotated[
        bool, typer.Option("--subtree", help="For everybody below that node too, or below this one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish items, agencies, calendar days, rules, libraries or a policy: each becomes an entry."""

    async def work() -> int:
        async with reach(folder) as node:
            form = publication_file(file)
            form |= {"to": to} if to else {}
            form |= {"subtree": True} if subtree else {}
            answer = await node.post("/api/publications", form)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"published: {answer['items']} items, {answer['agencies']} agencies, {answer['days']} calendar days,"
                f" {answer['rules']} rules, {answer['libraries']} libraries"
                + ("" if answer["policy"] is None else f", policy version {answer['policy']}")
                + (f"; {answer['unchanged']} unchanged" if answer["unchanged"] else ""),
                highlight=False,
            )
        return 0

    run(work)
