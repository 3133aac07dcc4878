"""``zongheng quarantine | renew-log | unseal``: what an operator does about journals that disagree (docs/mending.md)."""

from typing import Annotated, Any

import orjson
import typer

from federation.errors import ZonghengError
from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

By = Annotated[str, typer.Option(help="Who decides; it is entered.")]
Reason = Annotated[str, typer.Option(help="Why; it is entered.")]


def register(app: typer.Typer) -> None:
    app.command("quarantine")(quarantine)
    app.command("renew-log")(renew_log)
    app.command("unseal")(unseal)


def quarantine(
    folder: Folder,
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="The child's node id.")] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Take nothing more of it.")] = False,
    mend: Annotated[
        bool, typer.Option("--mend", help="It adopts what is held here and enters its own again.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="It goes on in another log, with its journal as it has it.")
    ] = False,
    by: By = "",
    reason: Reason = "",
    limit: Annotated[int, typer.Option(help="Entries kept apart to show.")] = 20,
    as_json: Json = False,
) -> None:
    """List children whose journals forked, show one, or decide about it."""

    async def work() -> int:
        chosen = [word for word, on in (("refuse", refuse), ("mend", mend), ("accept", accept)) if on]
        if len(chosen) > 1 or (chosen and code is None):
            raise ZonghengError(
                "bad_request", "decide one thing about one CODE: --refuse, --mend or --accept"
            )
        async with reach(folder) as node:
            if code is None:
                answer = await node.get("/api/quarantines")
            elif chosen:
                body = {"decision": chosen[0], "by": by, "reason": reason}
                answer = await node.post(f"/api/quarantines/{code}/decision", body)
            else:
                answer = await node.get(f"/api/quarantines/{code}", limit=limit)
        if as_json:
            for one in answer if isinstance(answer, list) else [answer]:
                print(orjson.dumps(one).decode())
        elif isinstance(answer, list):
            for one in answer:
                _print_line(one)
            if not answer:
                out.print("no child is in quarantine")
        else:
            _print_detail(answer)
        return 0

    run(work)


def renew_log(
    folder: Folder,
    by: By,
    reason: Reason,
    log_id: Annotated[
        str | None, typer.Option("--log-id", help="The log to begin, where the parent could not say it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Begin the log that the parent's operator let this stopped node go on in."""

    async def work() -> int:
        from node import config
        from node.control import FolderLock
        from node.mending.renewing import begin
        from node.wallclock import system, ticking_from

        start = config.load(folder).clock.start
        now = ticking_from(start) if start is not None else system
        with FolderLock(folder):
            begun = await begin(folder, by, reason, now, log_id or "")
        answer = {"node": begun.node, "log_id": begun.log_id, "previous": begun.previous, "journal_size": begun.journal_size}  # fmt: skip
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"the journal goes on in {begun.log_id}, from {begun.journal_size} entries on",
                highlight=False,
            )
            out.print(f"  run it: zongheng run {folder}", highlight=False)
        return 0

    run(work)


def unseal(folder: Folder, by: By, reason: Reason, as_json: Json = False) -> None:
    """Open the sealed journal of a node that has no parent."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post("/api/unsealing", {"by": by, "reason": reason})
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(f"the journal is open, at {answer['journal_size']} entries", highlight=False)
        return 0

    run(work)


def _print_line(one: dict[str, Any]) -> None:
    out.print(f"{one['node']}  {one['state']}  since {one['found_at']}", highlight=False)
    out.print(f"  {one['instruction'] or one['reason']}", highlight=False)


def _print_detail(one: dict[str, Any]) -> None:
    _print_line(one)
    common = one["common_size"]
    out.print(f"why: {one['reason']}", highlight=False)
    if one["decided_by"]:
        out.print(f"decided by {one['decided_by']}: {one['why']}", highlight=False)
    where = "not known yet" if common is None else f"{common} entries"
    out.print(f"the same up to: {where}; kept apart: {one['kept_apart']}", highlight=False)
    for name in ("held", "shown"):
        out.print(f"signed head, {name}:", highlight=False)
        out.print(one[name] or "(none)", highlight=False)
        if one.get(f"differs_{name}"):
            first = one[f"differs_{name}"]
            out.print(f"first entry that differs, {name}: {first['index']} {first['entry']}", highlight=False)
    for entry in one.get("branch", ()):
        out.print(f"kept apart: {entry['index']} {entry['entry']}", highlight=False)
