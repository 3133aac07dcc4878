"""Runs the benchmarks of this folder: ``make bench`` or ``make bench ONLY=name,…``.

Prints a table and writes ``bench-results.json`` in the repository's root, one row for each benchmark that was run and
gave a result; the file is replaced whole, at the end. Ends with 0 when every benchmark gave a result (whether or not it
reached its aim), 1 when one failed, 2 when ONLY names one that is not there.
"""

import argparse
import asyncio
import gc
import importlib.util
import json
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from measure import REGISTRY, Benchmark, Measured, Result, Workspace, as_json  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402


def discover(folder: Path) -> None:
    """Imports every ``bench_*.py`` of the folder, which registers what is in it."""
    for path in sorted(folder.glob("bench_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)


def chosen(only: str) -> tuple[list[Benchmark], list[str]]:
    """The benchmarks that were asked for, in the order of their names, and the names that nobody has."""
    names = {name.strip() for name in only.split(",") if name.strip()}
    if not names:
        return [REGISTRY[name] for name in sorted(REGISTRY)], []
    return [REGISTRY[name] for name in sorted(names & set(REGISTRY))], sorted(names - set(REGISTRY))


def measure(benchmark: Benchmark, repository: Path) -> Result:
    """One benchmark in a folder of its own. Raises whatever it raises."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=repository / "build") as folder:
        gc.collect()
        answer = benchmark.function(
            Workspace(Path(folder), repository, repository.parent / "shared" / "data")
        )
        measured = asyncio.run(_awaited(answer)) if isinstance(answer, Awaitable) else answer
        return benchmark.result(measured)


async def _awaited(answer: Awaitable[Measured]) -> Measured:
    return await answer


def number(value: float | None) -> str:
    """Four figures that count, and no false ones behind them."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def table(rows: Iterable[tuple[Benchmark, Result]]) -> Table:
    """The results for a reader."""
    shown = Table(title="Benchmarks", title_justify="left")
    for heading in ("name", "value", "unit", "aim", "beside", "beside value", "ratio"):
        shown.add_column(heading, justify="left" if heading in {"name", "unit", "beside"} else "right")
    for benchmark, result in rows:
        mark = {True: "[green]", False: "[red]", None: ""}[benchmark.reached(result.value)]
        sign = "≥ " if benchmark.better == "higher" else "≤ "
        shown.add_row(
            result.name,
            f"{mark}{number(result.value)}",
            result.unit,
            "-" if result.aim is None else sign + number(result.aim),
            result.beside or "-",
            number(result.beside_value),
            number(result.ratio),
        )
    return shown


def main(arguments: Sequence[str], *, folder: Path = HERE, repository: Path = HERE.parents[1]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench", description="Runs the benchmarks.")
    parser.add_argument("--only", default="", help="names of benchmarks, separated by commas")
    asked = parser.parse_args(arguments)
    console = Console()

    discover(folder)
    benchmarks, unknown = chosen(asked.only)
    if unknown:
        console.print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(sorted(REGISTRY))}")
        return 2

    (repository / "build").mkdir(exist_ok=True)
    rows: list[tuple[Benchmark, Result]] = []
    failed: list[str] = []
    for benchmark in benchmarks:
        console.print(f"[dim]{benchmark.name} …")
        try:
            rows.append((benchmark, measure(benchmark, repository)))
        except Exception:
            traceback.print_exc()
            failed.append(benchmark.name)

    results = [as_json(result) for _, result in rows]
    (repository / "bench-results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    console.print(table(rows))
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
