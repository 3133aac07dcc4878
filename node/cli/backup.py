"""``zongheng backup | recovery-key | restore``: a node outlives its box."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import orjson
import typer

from federation.errors import ZonghengError
from node.cli.app import Json, err, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

KEY_VARIABLE = "ZONGHENG_RECOVERY_KEY"
"""Environment variable that `restore` takes the recovery key from."""


def register(app: typer.Typer) -> None:
    app.command("backup")(backup)
    app.command("recovery-key")(recovery_key)
    app.command("restore")(restore)


def backup(
    folder: Folder,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write it to a file, the journal with it.")
    ] = None,
    to_parent: Annotated[bool, typer.Option("--to-parent", help="Send it to the parent.")] = False,
    as_json: Json = False,
) -> None:
    """What a journal does not give back, sealed to the recovery key: to a file, or to the parent."""

    async def work() -> int:
        if (to is None) == (not to_parent):
            raise ZonghengError("bad_request", "say where to: --to FILE, or --to-parent")
        async with reach(folder) as node:
            answer = await node.post("/api/backups", {"to_parent": to_parent})
        if to is not None:
            _move(folder / "files" / "parts" / answer.pop("part"), to)
        else:
            answer.pop("part")
        if as_json:
            print(orjson.dumps(answer).decode())
        elif to is not None:
            out.print(f"{to}: {answer['size']} bytes, journal size {answer['journal_size']}", highlight=False)
        else:
            out.print(
                f"on its way to {answer['reader']}: {answer['size']} bytes, {answer['sha256']}",
                highlight=False,
            )
        return 0

    run(work)


def _move(part: Path, to: Path) -> None:
    """Put a backup where it was asked for: whole, or not at all."""
    from node.files.shelf import disk_full

    fresh = to.with_name(f"{to.name}.part")
    try:
        with disk_full(f"no room for {to}"), part.open("rb") as source, fresh.open("wb") as target:
            shutil.copyfileobj(source, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
        fresh.chmod(0o600)
        fresh.rename(to)
    except OSError as error:
        raise ZonghengError("bad_request", f"{to} cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
        part.unlink(missing_ok=True)


def recovery_key(
    folder: Folder,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Make another one; backups taken before still need the one before."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the recovery key and show it, once: keep it on paper, away from the box."""

    async def work() -> int:
        from node.backup.recovery import RecoveryKey

        key = RecoveryKey.new()
        async with reach(folder) as node:
            answer = await node.post("/api/recovery-key", {"public": key.public.hex(), "replace": replace})
        if as_json:
            print(orjson.dumps({**answer, "recovery_key": str(key)}).decode())
        else:
            say_key(str(key))
        return 0

    run(work)


def say_key(key: str) -> None:
    """Show a recovery key, and what to do with it."""
    out.print(f"recovery key  {key}", style="bold", highlight=False)
    err.print(
        "write it on paper and keep it away from this box: it is shown this once, and without it no backup can be opened",
        highlight=False,
    )


def restore(
    folder: Folder,
    from_file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A backup in a file.")
    ] = None,
    from_parent: Annotated[
        str | None,
        typer.Option(
            "--from-parent", metavar="HOST:PORT", help="The parent keeps the backup: fetch it there."
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(help="What `zongheng invite DIR --replace` printed at the parent."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--recovery-key", metavar="KEY", help=f"Better: in {KEY_VARIABLE}, or typed when asked."
        ),
    ] = None,
    grpc: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Another address than before.")
    ] = None,
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Another address than before.")
    ] = None,
    enrolment: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Another address than before.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="Another PostgreSQL database than before.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring a node back on a new box; its journal comes back from the parent when it runs."""

    async def work() -> int:
        from node.backup.fetching import fetch
        from node.backup.recovery import RecoveryKey
        from node.backup.restoring import Restoring, refuse_a_node
        from node.control import FolderLock

        if (from_file is None) == (from_parent is None):
            raise ZonghengError(
                "bad_request", "say where from: --from FILE, or --from-parent HOST:PORT --token TOKEN"
            )
        if from_parent is not None and token is None:
            raise ZonghengError(
                "bad_request",
                "--from-parent needs --token: `zongheng invite DIR --replace` at the parent prints one",
            )
        refuse_a_node(folder)
        typed = key or os.environ.get(KEY_VARIABLE) or typer.prompt("recovery key", hide_input=True)
        recovery = RecoveryKey.parse(typed)
        given = {"grpc": grpc, "http": http, "enrolment": enrolment, "store": store}
        overrides = {name: value for name, value in given.items() if value is not None}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        with FolderLock(folder):
            sealed = from_file
            if from_parent is not None:
                fetched = await fetch(folder, from_parent, token or "")
                sealed = fetched.sealed
                overrides |= {"parent": fetched.parent, "parent_enrolment": fetched.enrolment}
            assert sealed is not None
            head = await Restoring(folder, recovery, overrides).restore(sealed)
            shutil.rmtree(folder / "restoring", ignore_errors=True)
        answer = {"node": head.node, "log_id": head.log_id, "journal_size": head.journal_size}
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"{head.node} is back in {folder}, as it was at journal size {head.journal_size}",
                highlight=False,
            )
            out.print(f"  run it: zongheng run {folder}", highlight=False)
        return 0

    run(work)
