"""The child's end of another log: its operator begins it, with the node stopped (docs/mending.md).

The parent's decision names the log; what is here stays as it is, leaf for leaf, and from now on its heads bear the new log's name. One transaction signs the
present head again under that name and keeps an entry that says so (``LogRenewed``, with the last head of the log before), which is entered when the
parent was asked. Then the settings are written. Killed in between, the same command does the rest.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.mending_pb2 import LogRenewed

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, CheckpointError, Signer, parse_log_id, sign
from node import config
from node.mending.telling import keep_waiting
from node.store.store import Session, Store
from node.wallclock import Now

log = structlog.get_logger()

OFFERED: Final = "journal.offered"
"""The log that the parent's operator decided on, until it is begun."""

LOGS: Final = "journal.logs"
"""The logs before the present one, in order."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The log that was begun."""

    node: str
    log_id: str
    previous: str
    journal_size: int


async def logs_before(session: Session) -> list[str]:
    """The log ids of the own journal before the present one, in order."""
    return list(await session.links.get_json(LOGS) or [])


async def begin(folder: Path, by: str, reason: str, now: Now, log_id: str = "") -> Begun:
    """Begin the log that the parent's operator decided on, or the one that is named. The caller holds the folder's lock.

    Raises ZonghengError `bad_request` where nothing was decided, or nobody says who and why.
    """
    if not by.strip() or not reason.strip():
        raise ZonghengError("bad_request", "say who begins it (--by) and why (--reason): both are entered")
    settings = config.load(folder)
    place = settings.store if "://" in settings.store else str(folder / settings.store)
    key = config.read_secret(folder / "keys" / "journal.key")
    store = await Store.open(place)
    try:
        async with store.write() as session:
            head = await session.journal.own()
            if head is None:
                raise ZonghengError("bad_request", f"the node in {folder} has no journal yet: run it first")
            before = await logs_before(session)
            if before and before[-1] == settings.log_id:  # begun, and killed before the settings were written
                begun = Begun(head.origin, head.log_id, before[-1], head.size)
            else:
                wanted = log_id or (await session.links.get(OFFERED) or b"").decode()
                _check(wanted, head.origin, [*before, head.log_id])
                signer = Signer.from_bytes(wanted, key)
                if str(Signer.from_bytes(head.log_id, key).verifier) != head.verifier:
                    raise ZonghengError(
                        "bad_request",
                        f"{folder} has another journal key than signed its newest head: start the node once, then stop it",
                    )
                note = sign(Checkpoint(wanted, head.size, head.root), signer) if head.size else ""
                renewed = replace(
                    head, log_id=wanted, verifier=str(signer.verifier), note=note, signed_at_us=now()
                )
                await session.journal.rename(renewed)
                await session.rollups.renew(head.origin)
                await session.links.put_json(LOGS, [*before, head.log_id])
                await session.links.delete(OFFERED)
                told = LogRenewed(
                    previous=head.note, verifier=head.verifier, log_id=wanted, by=by.strip(), reason=reason.strip()
                )  # fmt: skip
                await keep_waiting(session, f"log/{wanted}", Entry(noted_at_us=now(), log_renewed=told))
                begun = Begun(head.origin, wanted, head.log_id, head.size)
    finally:
        await store.close()
    path = folder / config.SETTINGS_FILE
    text = config.overridden(path.read_text(encoding="utf-8"), {"log_id": begun.log_id})
    config.replace(path, text.encode())
    log.warning("journal.log_renewed", before=begun.previous, log_id=begun.log_id)
    return begun


def _check(wanted: str, node: str, known: list[str]) -> None:
    if not wanted:
        raise ZonghengError(
            "bad_request",
            "no other log was decided on: the parent's operator decides with `zongheng quarantine DIR CODE --accept`",
        )
    try:
        named = parse_log_id(wanted).node
    except CheckpointError as error:
        raise ZonghengError("bad_request", str(error)) from error
    if named != node or wanted in known:
        raise ZonghengError("bad_request", f"{wanted} cannot be another log of {node}")
