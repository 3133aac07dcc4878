"""``zongheng ask DIR SUBTREE QUESTION …``: a question to any subtree, with how complete and how proven the answer is."""

import re
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

Subtree = Annotated[str, typer.Argument(metavar="SUBTREE", help="A node's id; `.` is this node.")]


def register(app: typer.Typer) -> None:
    app.command("ask", no_args_is_help=True)(ask)


def ask(
    folder: Folder,
    subtree: Subtree,
    question: Annotated[str, typer.Argument(help="alerts | cases | case | rerun | compare")],
    subject: Annotated[str | None, typer.Argument(help="The CASE of `case`, the RULE of `rerun`.")] = None,
    level: Annotated[str | None, typer.Option()] = None,
    domain: Annotated[str | None, typer.Option(help="approval, resupervision …")] = None,
    rule: Annotated[str | None, typer.Option()] = None,
    state: Annotated[str | None, typer.Option()] = None,
    agency: Annotated[str | None, typer.Option()] = None,
    item: Annotated[str | None, typer.Option()] = None,
    line: Annotated[str | None, typer.Option(help="Agencies of one line (条).")] = None,
    limit: Annotated[
        int | None, typer.Option(help="rerun: the limit in days instead of the case's own.")
    ] = None,
    threshold: Annotated[int | None, typer.Option(help="rerun: the threshold in days over.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME")] = None,
    proof: Annotated[
        bool, typer.Option(help="With inclusion proofs against the heads this node holds.")
    ] = True,
    verdict: Annotated[
        bool, typer.Option("--verdict", help="Fail unless everybody answers for itself.")
    ] = False,
    deadline: Annotated[float, typer.Option(help="Seconds to wait for the whole answer.")] = 30.0,
    most: Annotated[int, typer.Option(help="Rows a node may return.")] = 10_000,
    as_json: Json = False,
) -> None:
    """Ask SUBTREE: `alerts`, `cases`, `case CASE`, `rerun RULE --limit N --from --to`, `compare`. Exit 1 when not all answered or a proof failed."""

    async def work() -> int:
        body = {
            "subtree": subtree, "question": question, "subject": subject, "level": level, "domain": domain, "rule": rule,
            "state": state,
            "agency": agency, "item": item, "line": line, "verdict": verdict, "limit_days": limit, "threshold": threshold, "from": since, "to": until,
            "proof": proof, "deadline_s": deadline, "most": most,
        }  # fmt: skip
        async with reach(folder) as node:
            answer = await node.post("/api/ask", body)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            _print(answer)
        return 0 if answer["complete"] and answer["verified"] is not False else 1

    run(work)


def _print(answer: dict[str, Any]) -> None:
    coverage = answer["coverage"]
    proven = {True: "proofs verified", False: "PROOF FAILED", None: "no proofs asked"}[answer["verified"]]
    out.print(
        f"{answer['words']}\n{coverage['answered']} of {coverage['expected']} nodes answered"
        f"{', stale: ' + ', '.join(coverage['stale']) if coverage['stale'] else ''}"
        f"{f', {hinted} of them known to hold none' if (hinted := len(coverage['hinted'])) else ''}"
        f"{', unreachable: ' + ', '.join(coverage['unreachable']) if coverage['unreachable'] else ''}; {proven}; {answer['ms']:.0f} ms",
        style="red" if answer["verified"] is False else None,
        highlight=False,
    )
    if answer["comparison"]:
        _print_comparison(answer["comparison"])
    for part in answer["nodes"] if not answer["comparison"] else ():
        as_of = part["as_of"]
        out.print(
            f"\n{part['node']} at journal size {as_of['journal_size']}, head of {as_of['checkpoint_time']}",
            style="bold",
        )
        if part["problem"]:
            out.print(f"not proven: {part['problem']}", style="red", highlight=False)
        for kind, columns in _COLUMNS.items():
            if part[kind]:
                _print_rows(part[kind], columns)
        # The entries behind alerts are their proof, not news; those of a case are what was asked for.
        if answer["question"] == "case" and part["entries"]:
            _print_trail(part["entries"], as_of["checkpoint_time"])


def _print_comparison(rows: list[dict[str, Any]]) -> None:
    table = Table("node", "nodes", *_COMPARED, "on time %", "median days", "rank", box=None, pad_edge=False)
    for row in rows:
        figures = [str(row["figures"].get(name, 0)) for name in _COMPARED]
        marks = [_short(row[name]) for name in ("on_time_percent", "median_days", "rank")]
        missing = f", {len(row['missing'])} missing" if row["missing"] else ""
        table.add_row(f"{row['node']} {row['name']}", f"{row['nodes']}{missing}", *figures, *marks)
    out.print(table)


def _print_trail(entries: list[dict[str, Any]], head: str) -> None:
    """The entries of a case in words; times with the offset of the node that answered."""
    table = Table("index", "noted", "entry", "what", box=None, pad_edge=False)
    zone = datetime.fromisoformat(head).tzinfo
    for row in entries[:SHOWN]:
        body = row["entry"].get(row["kind"], {})
        noted = datetime.fromtimestamp(int(row["entry"].get("noted_at_us", 0)) // 1_000_000, zone)
        what = " ".join(
            str(body[name]) for name in ("kind", "rule", "level", "state", "to_node") if body.get(name)
        )
        table.add_row(str(row["index"]), f"{noted:%Y-%m-%d %H:%M}", str(row["kind"]), what)
    out.print(table)
    if len(entries) > SHOWN:
        out.print(f"… and {len(entries) - SHOWN} more (--json prints all)", style="dim")


def _print_rows(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows[:SHOWN]:
        table.add_row(*(_short(row[name]) for name in columns))
    out.print(table)
    if len(rows) > SHOWN:
        out.print(f"… and {len(rows) - SHOWN} more (--json prints all)", style="dim")


def _short(value: Any) -> str:
    """Times to the minute: the rest is in the JSON."""
    text = "" if value is None else str(value)
    return text[:16].replace("T", " ") if _TIME.match(text) else text


SHOWN = 30
"""Rows of a node shown to a person."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT")

_COMPARED = ("received", "completed", "late", "notice", "yellow", "red")

_COLUMNS = {
    "alerts": ("level", "state", "case", "rule", "over", "due_at", "agency"),
    "cases": ("case", "state", "late", "item", "received_at", "statutory_due_at"),
    "rerun": ("level", "case", "subject", "over", "since", "issued"),
}
