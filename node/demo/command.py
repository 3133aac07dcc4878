"""`zongheng demo`: start the federation, feed it, let it come to rest, count again, and then show it or report and end.

Whatever happens (a fault, Ctrl-C, SIGTERM), every process that was started is ended before this returns, and a folder that was
made for the occasion is removed. The exit code is 1 when anything disagreed: roots, figures, an unproven answer, planted ≠ found.
"""

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson
from rich.console import Console

from federation.errors import ZonghengError
from node.demo.federation import Federation, first_error
from node.demo.generator import Demo, generate
from node.demo.questions import ask_three
from node.demo.report import Report, compare
from node.demo.settled import figures_arrive, matches_arrive, settle
from node.demo.tour import show_findings, show_tour

INTERRUPTED: Final = 130

_LOG_WIDTH: Final = 120


async def run_demo(
    *, headless: bool, report: Path | None, cases: int, seed: int, directory: Path | None
) -> int:
    """Run the demo; the exit code.

    ``headless`` ends by itself, else it stays up after the tour until Ctrl-C. ``report`` is written in both cases. ``directory``
    keeps the nodes' folders; None: a fresh temporary one that is removed. ``ZonghengError`` when a node fails, with the end of
    its log, or when what is asked for cannot be done.
    """
    _require_parent(report)
    try:
        demo = generate(cases, seed)
    except ValueError as error:
        raise ZonghengError("bad_request", str(error)) from error
    out = _console()
    with _Interrupt() as interrupt:
        try:
            with _folder(directory) as folder:
                return await _run(out, demo, folder, report, None if headless else interrupt)
        except asyncio.CancelledError:
            if not interrupt.asked:
                raise
            out.print("\ninterrupted: every node that was started has ended")
            return INTERRUPTED
        except BaseExceptionGroup as group:
            raise first_error(group) from None


async def _run(out: Console, demo: Demo, folder: Path, file: Path | None, stay: "_Interrupt | None") -> int:
    began = time.monotonic()

    def tell(line: str) -> None:
        out.print(f"[dim]{time.monotonic() - began:6.1f} s[/dim]  {line}")

    plan = demo.plan
    tell(
        f"seed {plan.seed}: {plan.filed.total()} cases of approval and those of the other domains, {plan.events.total()} events,"
        f" {len(plan.planted)} faults planted; nodes in {folder}"
    )
    async with Federation(folder, tell) as federation:
        await federation.publish()
        await federation.feed(demo.sent)
        tell("every case is taken in; waiting until all is judged, relayed and counted")
        await settle(federation, tell)
        await matches_arrive(federation, plan, tell)
        await settle(federation, tell)
        await figures_arrive(federation, tell)
        asked = await ask_three(federation, plan)
        found = await compare(federation, plan, asked, await settle(federation, tell), began)
        _write(file, found)
        show_findings(out, found)
        if stay is not None:
            await show_tour(out, federation, plan)
            await stay.wait()
            tell("ending every node")
    return 1 if found.disagreements else 0


def _require_parent(file: Path | None) -> None:
    """Better now than after minutes of work."""
    if file is not None and not file.absolute().parent.is_dir():
        raise ZonghengError(
            "not_found", f"{file.absolute().parent} does not exist: the report cannot be written there"
        )


def _console() -> Console:
    """The terminal, or wide enough lines for a log."""
    out = Console(soft_wrap=True, highlight=False)
    return out if out.is_terminal else Console(soft_wrap=True, highlight=False, width=_LOG_WIDTH)


def _write(file: Path | None, found: Report) -> None:
    if file is None:
        return
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_bytes(orjson.dumps(found.content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    fresh.rename(file)


@contextlib.contextmanager
def _folder(directory: Path | None) -> Iterator[Path]:
    """The folder of the nodes' folders; a temporary one goes when the demo does."""
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        yield directory.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="zongheng-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


class _Interrupt:
    """Ctrl-C and SIGTERM while the demo runs: the first ends what it is doing, and more of them change nothing.

    While the demo only stays up, that is simply the end of it; before, the work is cancelled.
    """

    def __init__(self) -> None:
        self.asked = False
        self._staying = asyncio.Event()
        self._is_staying = False
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)

    async def wait(self) -> None:
        """Stay until a signal comes."""
        self._is_staying = True
        await self._staying.wait()

    def _on_signal(self) -> None:
        if self.asked:
            return
        self.asked = True
        if self._is_staying:
            self._staying.set()
        elif self._task is not None:
            self._task.cancel()
