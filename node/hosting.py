"""Hosts nodes in one process: one, as in a county's machine room, or a hundred villages on a city's server.

Signals are handled once, for all of them. Of many nodes each stands alone: one that fails is closed, said in the log with its name, and started again
from what is durable after a rest that grows while it keeps failing; the others notice nothing. A node that is alone in its process ends the
process with its error, and whoever supervises processes starts it again.

A folder that holds no node, or another process's, is a mistake of whoever gave the command: nothing is started then.
"""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from federation.errors import ZonghengError, of
from node import config, control
from node.run import Node

log = structlog.get_logger()

LET_GO_S: Final = 3.0
"""How long a node waits for a short command that has its folder open."""

FIRST_REST_S: Final = 1.0
LONGEST_REST_S: Final = 60.0

WELL_S: Final = 60.0
"""A node that ran for so long before it failed was well: its rest is the first again."""


async def host(folders: Sequence[Path], stop: asyncio.Event | None = None) -> None:
    """Run the nodes in these folders until SIGTERM or SIGINT, or until ``stop`` is set.

    Raises ZonghengError when one of the folders holds no node or is given twice; what the node failed with where there is only one.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ZonghengError(
                "not_found", f"{folder} does not exist: `zongheng init {folder} …` makes a node"
            )
        config.load(folder)
    if len({folder.resolve() for folder in folders}) != len(folders):
        raise ZonghengError("bad_request", "a folder is given twice")
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if len(folders) == 1:
        await _run(folders[0], stop)
        return
    async with asyncio.TaskGroup() as nodes:
        for folder in folders:
            nodes.create_task(_keep(folder, stop), name=str(folder))


async def _run(folder: Path, stop: asyncio.Event) -> None:
    with control.FolderLock(folder, patience_s=LET_GO_S):
        again = True
        while again:
            async with Node.opened(folder) as node:
                again = await node.serve(stop)


async def _keep(folder: Path, stop: asyncio.Event) -> None:
    """Run one node among others, again and again."""
    structlog.contextvars.bind_contextvars(folder=str(folder))
    loop = asyncio.get_running_loop()
    rest_s = FIRST_REST_S
    while not stop.is_set():
        began = loop.time()
        try:
            # A task of its own: what a failing task group leaves behind ends with it.
            async with asyncio.TaskGroup() as one:
                one.create_task(_run(folder, stop))
        except* Exception as group:
            error = of(group)
            log.error("node.failed", code=error.code, words=error.detail, rest_s=rest_s, exc_info=group)
        else:
            return
        if loop.time() - began >= WELL_S:
            rest_s = FIRST_REST_S
        try:
            async with asyncio.timeout(rest_s):
                await stop.wait()
        except TimeoutError:
            rest_s = min(2 * rest_s, LONGEST_REST_S)
