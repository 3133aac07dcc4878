"""The reports that the schedule has filed, as their entries name them."""

import asyncio
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.schedule.reports import FILED, FOLDER, PROBLEM
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node


class FiledReport(BaseModel):
    """A report that the schedule filed, as its entry says."""

    index: int
    subtree: str
    period: str
    label: str
    format: str
    file: str
    sha256: str
    size: int
    filed_at: str | None
    there: bool
    """The file is where it was put, with this digest."""


class FiledReports(BaseModel):
    filed: list[FiledReport]
    """The newest first."""
    problem: str
    """Why the last one that was due could not be made; empty: nothing is wrong."""
    problem_at: str | None


async def filed(node: "Node") -> FiledReports:
    """What the schedule has filed."""
    async with node.store.read() as session:
        problem = await session.links.get_json(PROBLEM)
    found = [
        one.model_copy(
            update={
                "there": await asyncio.to_thread(_read, node.folder / FOLDER / one.file, one.sha256)
                is not None
            }
        )
        for one in await _filed(node)
    ]
    return FiledReports(
        filed=found,
        problem=problem["words"] if problem else "",
        problem_at=time_text(problem["at_us"], node.settings.zone) if problem else None,
    )


async def filed_content(node: "Node", file: str) -> bytes:
    """The content of one, as its entry's digest says. ``ZonghengError`` ``not_found``, ``changed``."""
    named = next((one for one in await _filed(node) if one.file == file), None)
    if named is None:
        raise ZonghengError(
            "not_found", f"no report {file} was filed here: `zongheng report DIR --filed` lists them"
        )
    content = await asyncio.to_thread(_read, node.folder / FOLDER / named.file, named.sha256)
    if content is None:
        raise ZonghengError(
            "changed", f"{FOLDER}/{file} is not what entry {named.index} names: bring it back from a backup"
        )
    return content


async def _filed(node: "Node") -> list[FiledReport]:
    found = []
    async with node.store.read() as session:
        for index in reversed(await session.links.get_json(FILED) or []):
            for leaf in await session.journal.leaves(node.settings.node, index, index + 1):
                entry = Entry.FromString(leaf)
                one = entry.report_filed
                found.append(
                    FiledReport(
                        index=index, subtree=one.subtree, period=one.period, label=one.label, format=one.format, file=one.file,
                        sha256=one.sha256, size=one.size, filed_at=time_text(entry.noted_at_us, node.settings.zone), there=False,
                    )
                )  # fmt: skip
    return found


def _read(path: Path, sha256: str) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None
