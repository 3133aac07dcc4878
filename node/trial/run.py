"""Starts the process in which a draft is tried, gives it a copy of the history, and takes its answer or its end.

Nothing is written to the journal. The process has a folder of its own, no more than a minute of processor time and bounded memory; when it
exceeds them, or does not answer in time, the trial is refused with what to do, and the node goes on.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from federation.errors import ZonghengError
from node.projection.context import Pieces
from node.supervision.frame import write_segment

PATIENCE_S: Final = 120.0

_MOST_TOLD: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried on what."""

    origin: str
    pieces: Pieces
    """What is published in the journal."""
    draft: Mapping[str, Sequence[bytes]]
    """What would be published besides."""
    rules: tuple[str, ...]
    """Codes of the rules that it is about."""
    as_of_us: int
    size: int


async def run_trial(trial: Trial, events: pl.DataFrame) -> dict[str, Any]:
    """{"now": {rule: counts}, "draft": {rule: counts}}; ``ZonghengError`` ``bad_request`` when it takes too much."""
    with tempfile.TemporaryDirectory(prefix="zongheng-trial-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        await asyncio.to_thread(write_segment, events, folder / "events.parquet")
        (folder / "trial.json").write_bytes(orjson.dumps(_told(trial)))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "node.trial.work",
            str(folder),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "POLARS_MAX_THREADS": "1"},
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer, complaint = await process.communicate()
        except TimeoutError:
            raise _too_much(f"it gave no answer within {PATIENCE_S:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
    if process.returncode != 0:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2][:300]
        raise _too_much(f"its process ended with {process.returncode}: {last}")
    if len(answer) > _MOST_TOLD:
        raise _too_much("its answer is too long")
    told: dict[str, Any] = orjson.loads(answer)
    return told


def _told(trial: Trial) -> dict[str, Any]:
    return {
        "origin": trial.origin,
        "pieces": {
            kind: [b64encode(body).decode() for body in bodies] for kind, bodies in trial.pieces.items()
        },
        "draft": {
            kind: [b64encode(body).decode() for body in bodies] for kind, bodies in trial.draft.items()
        },
        "rules": list(trial.rules),
        "as_of_us": trial.as_of_us,
        "size": trial.size,
    }


def _too_much(why: str) -> ZonghengError:
    return ZonghengError(
        "bad_request",
        f"the trial takes too much: {why}; try it on a shorter period, or say the rule more simply",
    )
