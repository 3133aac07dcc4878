"""Commands that ask or tell the node one thing and show what it answers."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from node.cli.app import run
from node.cli.files import shelve
from node.cli.reach import reach

Show = Callable[[Any, bool], None]
"""Prints an answer; true: as JSON."""


def ask(folder: Path, path: str, show: Show, as_json: bool, **params: Any) -> None:
    """GET ``path`` of the node in ``folder`` and show the answer."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(path, **params)
        show(answer, as_json)
        return 0

    run(work)


def send(
    folder: Path, path: str, body: dict[str, Any], show: Show, as_json: bool, files: Sequence[Path] = ()
) -> None:
    """POST ``body`` to ``path`` and show the answer; ``files`` are kept in the node's folder first, and named in the body."""

    async def work() -> int:
        async with reach(folder) as node:
            if files:
                body["files"] = [await asyncio.to_thread(shelve, folder, one) for one in files]
            answer = await node.post(path, body)
        show(answer, as_json)
        return 0

    run(work)
