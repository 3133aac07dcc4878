"""``zongheng import``: a log file into the node, through a mapping."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from node.cli.app import Json, err, out, run
from node.cli.nodes import Folder
from node.cli.reach import Reach, reach
from node.intake.ports import IntakePort

SHOWN = 20
"""Rejected rows shown to a person; --json prints all that the report keeps."""


def register(app: typer.Typer) -> None:
    app.command("import")(import_file)


def import_file(
    folder: Folder,
    file: Annotated[Path, typer.Argument(help=".xes, .csv, .xlsx or .jsonl; .gz too.")],
    mapping: Annotated[
        Path, typer.Option(metavar="MAP.toml", help="What columns and activities mean: docs/import.md.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Import a log. Checked whole before anything is written; run again after a cut to resume. Exit 1 when rows were rejected."""

    async def work() -> int:
        from federation.errors import ZonghengError
        from node.intake.checking import check
        from node.intake.import_run import report, run_import
        from node.intake.mapping import BadMapping, load
        from node.intake.readers.record import UnreadableFile
        from node.views.present import time_us

        if not file.is_file():
            raise ZonghengError("not_found", f"{file} is not a file")
        try:
            rules = load(mapping)
            async with reach(folder) as node:
                status = await node.get("/api/status")
                now_us, zone = time_us(status["now"], "UTC"), status["zone"]
                _supervised(rules.domain, status["tier"])
                with _bar(quiet=as_json) as bar:
                    tasks: dict[str, object] = {}

                    def progress(stage: str, done: int, total: int) -> None:
                        if stage not in tasks:
                            tasks[stage] = bar.add_task(stage, total=total or None)
                        bar.update(tasks[stage], completed=done, total=total or None)  # type: ignore[arg-type]

                    if dry_run:
                        told = report(
                            check(file, rules, now_us=now_us, zone=zone, on_progress=progress), "dry_run"
                        )
                    else:
                        async with _intake(node) as port:
                            told = await run_import(
                                file, rules, port, now_us=now_us, zone=zone, on_progress=progress
                            )
                if not dry_run and node.local is not None:
                    await node.local.projector.settled()
        except (BadMapping, UnreadableFile) as error:
            raise ZonghengError("unreadable", str(error)) from error
        if as_json:
            print(orjson.dumps(told.as_json()).decode())
        else:
            out.print(
                f"{told.outcome.replace('_', ' ')}: {told.rows} rows, {told.cases} cases, {sum(told.events.values())} events; "
                f"accepted {told.accepted}, known before {told.repeated}, rejected {told.rejected}",
                highlight=False,
            )
            if told.rejections:
                table = Table("row", "code", "reason", box=None, pad_edge=False)
                for rejection in told.rejections[:SHOWN]:
                    table.add_row(str(rejection.row), rejection.code, rejection.reason)
                out.print(table)
                if told.rejected > SHOWN:
                    out.print(f"… and {told.rejected - SHOWN} more: --json lists them", style="dim")
        return int(told.exit_code)

    run(work)


def _supervised(domain: str, tier: str) -> None:
    """Refuse a log that this tier would keep and never look at. Raises BadMapping."""
    from node.intake.mapping import BadMapping
    from node.intake.supervised import refusal, supervised_by

    if domain not in supervised_by(tier):
        raise BadMapping(f"domain: {refusal(domain, supervised_by(tier))}")


@contextlib.asynccontextmanager
async def _intake(node: Reach) -> AsyncIterator[IntakePort]:
    """The running node's intake over gRPC, the stopped node's in this process."""
    if node.local is not None:
        yield node.local.intake
        return
    import grpc.aio
    from zongheng.v1.intake_pb2_grpc import IntakeServiceStub

    from node import control
    from node.intake.ports import RemoteIntake

    with control.short_path(node.folder, control.INTAKE) as path:
        async with grpc.aio.insecure_channel(f"unix:{path}", options=control.DOOR_OPTIONS) as channel:
            yield RemoteIntake(IntakeServiceStub(channel))


def _bar(*, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=quiet or not err.is_terminal,
    )
