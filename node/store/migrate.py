"""The schema comes from numbered SQL files, and a database knows how many of them it has seen.

Each file is one transaction together with its row in ``schema_version``: a process killed in between leaves the database at a
whole version. A database newer than the program is refused before anything is read from it. A migrated database equals a fresh
one, because both are made by the same files in the same order; there is no second description of the schema.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.store.engine import Engine, Transaction
from node.store.errors import SchemaMissing, SchemaTooNew

SCHEMA: Final = Path(__file__).resolve().parent / "schema"

_NAME: Final = re.compile(r"(\d{4})\.sql")


@dataclass(frozen=True, slots=True)
class Step:
    """One file of the schema."""

    version: int
    statements: str


def steps(folder: Path) -> list[Step]:
    """The files of a folder in order. Raises ValueError when their numbers do not run 1, 2, 3…"""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path.name} is not a numbered schema file like 0001.sql")
        found.append(Step(int(match[1]), path.read_text(encoding="utf-8")))
    if [step.version for step in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"the schema files of {folder} do not run from 0001 without a gap")
    return found


async def version(transaction: Transaction, dialect: str) -> int:
    """The number of the last file this database has seen; 0: none."""
    if dialect == "sqlite":
        table = await transaction.one("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'")
    else:
        table = await transaction.one(
            "SELECT 1 FROM information_schema.tables"
            " WHERE table_schema = current_schema() AND table_name = 'schema_version'"
        )
    if table is None:
        return 0
    row = await transaction.one("SELECT COALESCE(MAX(version), 0) FROM schema_version")
    return 0 if row is None else int(row[0])


async def migrate(engine: Engine, folder: Path | None = None, *, upto: int | None = None) -> int:
    """Bring the database to the newest version, or to ``upto``; returns that version.

    Raises SchemaTooNew when it is past it already, SchemaMissing when it is behind and only open for reading.
    """
    wanted = steps(folder or SCHEMA / engine.dialect)[:upto]
    newest = wanted[-1].version if wanted else 0
    async with engine.read() as transaction:
        present = await version(transaction, engine.dialect)
    if present > newest:
        raise SchemaTooNew(
            f"the database has schema {present}, this program knows {newest}: install the newer version of the program"
        )
    if present < newest and engine.read_only:
        raise SchemaMissing(
            f"the database has schema {present}, this program needs {newest}: start the node once, which brings it up to date"
        )
    for step in wanted[present:]:
        async with engine.write() as transaction:
            if step.version == 1:
                await transaction.script(
                    "CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);"
                )
            await transaction.script(step.statements)
            await transaction.run("INSERT INTO schema_version (version) VALUES (?)", step.version)
    await engine.refresh()
    return newest
