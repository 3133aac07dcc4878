"""``zongheng policy …``: the rules that are applied, the facts a rule may be written about, and drafts tried on history."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import publication_file, reach

policy = typer.Typer(help="Rules, thresholds and libraries.", no_args_is_help=True)

Domain = Annotated[str, typer.Option(help="Only this domain.")]
RuleFile = Annotated[
    Path, typer.Option("--rule", metavar="FILE", help="TOML: rules, libraries or a policy, as for `publish`.")
]


def register(app: typer.Typer) -> None:
    app.add_typer(policy, name="policy")


@policy.command("rules")
def list_rules(folder: Folder, domain: Domain = "", as_json: Json = False) -> None:
    """The rules that are applied here, with the thresholds in force."""

    async def work() -> int:
        async with reach(folder) as node:
            rules = await node.get("/api/rules", domain=domain)
        if as_json:
            for rule in rules:
                print(orjson.dumps(rule).decode())
            return 0
        table = Table(
            "rule", "subject", "notice", "yellow", "red", "days", "name", "law", box=None, pad_edge=False
        )
        for rule in rules:
            levels = (str(rule["thresholds"].get(level, "")) for level in ("notice", "yellow", "red"))
            days = "" if rule["limit_days"] is None else str(rule["limit_days"])
            name = rule["name_zh"] if rule["applied"] else f"({rule['name_zh']})"
            table.add_row(rule["rule"], rule["subject"], *levels, days, name, rule["legal_basis"])
        out.print(table)
        return 0

    run(work)


@policy.command("show")
def show(folder: Folder, as_json: Json = False) -> None:
    """The policy of this node, what came from above, and what each node below goes by."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/policy")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        out.print(
            f"{answer['node']}: own policy {answer['version']}, digest {answer['digest']}", highlight=False
        )
        for piece in answer["received"]:
            out.print(
                f"from above: {_piece(piece)}, received {(piece['received_at'] or '')[:16]}", highlight=False
            )
        if answer["lane"]:
            out.print(answer["lane"], style="red", highlight=False, markup=False)
        rules = Table("rule", "applies", "thresholds", "own", "mandated", "limit", box=None, pad_edge=False)
        for rule in answer["rules"]:
            if rule["own"] or rule["mandated"] or not rule["applies"]:
                rules.add_row(
                    rule["rule"],
                    "yes" if rule["applies"] else "no",
                    *(_named(rule[key]) for key in ("thresholds", "own", "mandated")),
                    "" if rule["limit_days"] is None else str(rule["limit_days"]),
                )
        if rules.row_count:
            out.print(rules)
        days = ", ".join(f"{one['step']} {one['days']}" for one in answer["deadlines"])
        out.print(f"working days for the steps of an alert: {days}", highlight=False)
        for one in answer["audiences"]:
            out.print(f"told of {one['level']}: {', '.join(one['roles'])}", highlight=False)
        for words in answer["ignored"]:
            out.print(f"does not hold: {words}", style="yellow", highlight=False, markup=False)
        for piece in answer["sent"]:
            out.print(f"sent: {_piece(piece | {'sender': answer['node']})}", highlight=False)
        below = Table("node", "tier", "name", "own", "from above", "digest", "", box=None, pad_edge=False)
        for one in answer["below"]:
            received = ", ".join(_piece(piece) for piece in one["received"] if piece["kind"] == "policy")
            state = {None: "", True: "current", False: "not yet"}[one["current"]]
            if one["ignored"]:
                state = f"{state} {one['ignored']} ignored".strip()
            below.add_row(
                one["node"], one["tier"], one["name"], str(one["version"]), received, one["digest"], state
            )
        if below.row_count:
            out.print(below)
        return 0

    run(work)


def _named(thresholds: dict[str, int]) -> str:
    return " ".join(f"{level} {value}" for level, value in thresholds.items())


def _piece(piece: dict[str, Any]) -> str:
    whom = piece["to"] + (" and below" if piece["subtree"] else "")
    what = " ".join(filter(None, (piece["kind"], piece["code"], str(piece["version"] or ""))))
    return f"{what} of {piece['sender']} for {whom}"


@policy.command("facts")
def list_facts(folder: Folder, domain: Domain = "", as_json: Json = False) -> None:
    """The facts that a rule of one's own may be written about."""

    async def work() -> int:
        async with reach(folder) as node:
            facts = await node.get("/api/facts", domain=domain)
        if as_json:
            for fact in facts:
                print(orjson.dumps(fact).decode())
            return 0
        table = Table("domain", "fact", "sense", "中文", "English", box=None, pad_edge=False)
        for fact in facts:
            table.add_row(fact["domain"], fact["fact"], fact["sense"], fact["zh"], fact["en"])
        out.print(table)
        return 0

    run(work)


@policy.command("try")
def try_draft(
    folder: Folder,
    rule: RuleFile,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Cases received at or after.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="TIME", help="Received before; judged as of then.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What a draft would have raised over a period; publishes nothing."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(
                "/api/trials", {"draft": publication_file(rule), "from": from_, "to": to}
            )
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        _show(answer)
        return 0

    run(work)


@policy.command("publish")
def publish_draft(folder: Folder, rule: RuleFile, as_json: Json = False) -> None:
    """Publish what was tried: from now on it is judged by it, here and at the parent."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post("/api/publications", publication_file(rule))
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            version = "" if answer["policy"] is None else f", policy version {answer['policy']}"
            out.print(
                f"published: {answer['rules']} rules, {answer['libraries']} libraries{version}",
                highlight=False,
            )
        return 0

    run(work)


def _show(answer: Any) -> None:
    out.print(f"{answer['words']}; {answer['cases']} cases, as of {answer['as_of']}", highlight=False)
    table = Table(
        "rule", "checked", "undetermined", "findings", "in force", "cases", box=None, pad_edge=False
    )
    for rule in answer["rules"]:
        draft, now = rule["draft"], rule["now"]
        table.add_row(
            rule["rule"],
            str(draft["checked"]),
            str(draft["undetermined"]),
            _levels(draft),
            _levels(now),
            ", ".join(draft["cases"][:3]),
        )
    out.print(table)


def _levels(counts: Any) -> str:
    return ", ".join(f"{number} {level}" for level, number in counts["levels"].items()) or "0"
