"""``zongheng demo``: a whole federation on this machine, with planted faults that it counts again."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.app import run


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Run, ask, report and end by itself.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as JSON.")] = None,
    cases: Annotated[int, typer.Option(help="Number of cases in all.")] = 600,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 1,
    directory: Annotated[Path | None, typer.Option("--dir", help="Keep the nodes' folders here.")] = None,
) -> None:
    """Start village, town, county and city nodes as real processes with believable cases and a short tour."""

    async def work() -> int:
        from node.demo.command import run_demo

        return await run_demo(headless=headless, report=report, cases=cases, seed=seed, directory=directory)

    run(work)
