"""The command line's root: its groups, its exit codes, its way of saying what went wrong.

Exit codes: 0 done; 1 something disagreed or was rejected; 2 wrong use. An error of the node is one line that says what to do; never a
traceback, unless ``ZONGHENG_DEBUG`` is set.
"""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.text import Text

from federation.errors import of
from node.logs import configure

app = typer.Typer(
    name="zongheng",
    help="Electronic supervision (电子监察) for a hierarchy of administrations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_COLLECT = (50_000, 20, 20)
"""When Python looks for cycles. With its own thresholds it does so a thousand times while modules are loaded, a sixth of a node's start."""

_PIPED = 160
"""Columns where nobody's terminal says how many there are."""

_UNSHOWN = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"},
    **dict.fromkeys((*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}
"""Control characters and those that turn the direction of writing, with what is shown in their place."""


class _Plain(Console):
    """What a source sends is printed, not obeyed: a case called "[/x]" or ":smile:" is no markup, and one that holds an escape
    sequence does not reach the terminal's settings. Colour is given with `style` and `Text`."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(text.translate(_UNSHOWN), **options)


out = _Plain(soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED, markup=False, emoji=False)
err = _Plain(stderr=True, soft_wrap=True, markup=False, emoji=False)

WRONG_USE = {"bad_request", "not_found", "not_loopback", "protocol", "invitation"}
"""Error codes that mean the command itself was off (exit 2); all others exit 1."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON, stable and documented in docs/commands.md.")]


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Run a command's coroutine and leave with its exit code; an error of the catalogue becomes one line and 1 or 2."""
    try:
        code = asyncio.run(work())
    except Exception as error:
        told = of(error)
        if told.code == "internal" or os.environ.get("ZONGHENG_DEBUG"):
            raise
        err.print(f"zongheng: {told.detail}", style="red", markup=False, highlight=False)
        code = 2 if told.code in WRONG_USE else 1
    except KeyboardInterrupt:
        code = 130
    if code:
        raise typer.Exit(code)


def told(answer: dict[str, Any], words: str, as_json: bool) -> None:
    """Print what was done: the answer, or words for it."""
    if as_json:
        print(orjson.dumps(answer).decode())
    else:
        out.print(words, highlight=False)


def groups() -> tuple[ModuleType, ...]:
    """The modules of commands, in the order in which `--help` lists them."""
    from node.cli import (
        accountability,
        alert,
        ask,
        backup,
        cameras,
        cases,
        children,
        demo,
        directives,
        draw,
        files,
        imports,
        insight,
        items,
        journal,
        lane,
        libraries,
        matching,
        meetings,
        mending,
        nodes,
        patrol,
        policy,
        report,
        resupervision,
        score,
        sealed,
        streams,
        supervision,
        users,
    )

    return (
        nodes,
        children,
        imports,
        supervision,
        policy,
        items,
        libraries,
        alert,
        accountability,
        score,
        streams,
        draw,
        cases,
        resupervision,
        directives,
        matching,
        ask,
        report,
        insight,
        journal,
        lane,
        mending,
        files,
        sealed,
        backup,
        cameras,
        patrol,
        meetings,
        users,
        demo,
    )


def main() -> None:
    """Entry point of the command ``zongheng``."""
    gc.set_threshold(*_COLLECT)
    configure(logging.WARNING)
    for group in groups():
        group.register(app)
    # A reader that goes away (| head) ends the command quietly.
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
