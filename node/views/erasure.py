"""A person forgotten (个人信息保护法 §47): who a handle stands for is deleted, and what was written about their cases where that is asked.

The tree stays as it is: the journal has a random handle and digests with random salts, which say nothing once the vault has forgotten them. That
it was done is an entry, in the transaction of the deletion. Backups made before still hold the mapping until they are replaced.
"""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.entry_pb2 import Entry, PersonErased

from federation.errors import ZonghengError
from node.people.caller import Caller
from node.store.drafts import Draft
from node.store.facts import OPEN
from node.store.store import Session
from node.store.vault import Person

if TYPE_CHECKING:
    from node.run import Node

_SOURCE = "erased"


class Erase(BaseModel):
    """Whom to forget: by handle, or by name and number as the source gave them."""

    model_config = ConfigDict(extra="forbid")

    handle: str = ""
    name: str = ""
    id_number: str = ""
    by: str = ""
    reason: str = Field(min_length=1, max_length=1_000)
    """On what ground: the person's request, or that the time for keeping it is over."""
    texts: bool = False
    """Also the free texts of their cases."""


class Erased(BaseModel):
    """What was forgotten."""

    handle: str
    cases: int
    """Cases of theirs at this node; they stay, without a name."""
    texts: int
    index: int
    """Journal index of the entry."""


async def erase(node: "Node", caller: Caller, form: Erase) -> Erased:
    """Forget a person. ``not_found`` when nobody is known by that; ``bad_request`` while a case of theirs is open."""
    by = caller.signing(form.by)
    if not by.strip():
        raise ZonghengError("bad_request", "say who erases: a staff number")
    if not await node.projector.settled():
        raise ZonghengError("busy", "the node is still reading its journal; try again when it has caught up")
    handle, own = form.handle, node.settings.node
    async with node.store.read() as session:
        if not handle:
            handle = await node.vault.find(session.vault, Person(form.name, form.id_number)) or ""
        if not handle or await session.vault.get(handle) is None:
            raise ZonghengError("not_found", "nobody is known here by that handle, or that name and number")
        facts = await session.facts.of_applicant(own, handle)
        events = await session.events.of_cases(own, [row.case_id for row in facts]) if form.texts else []
    running = [row.case_id for row in facts if row.state in OPEN]
    if running:
        raise ZonghengError(
            "bad_request",
            f"case {running[0]} of theirs is still open: a person is forgotten when it has ended",
        )
    digests = sorted(
        {
            value
            for event in events
            for value in event.attributes.values()
            if isinstance(value, str) and value.startswith("sha256:")
        }
    )
    forgotten = 0

    async def beside(session: Session) -> None:
        nonlocal forgotten
        forgotten = 0
        await node.vault.erase(session.vault, handle)
        for digest in digests:
            forgotten += await session.vault.erase_text(digest)

    entry = Entry(
        noted_at_us=node.now(),
        source=_SOURCE,
        serial=handle,
        person_erased=PersonErased(handle=handle, by=by, reason=form.reason),
    )
    appended = await node.writer.append([Draft.of(entry)], beside)
    return Erased(handle=handle, cases=len(facts), texts=forgotten, index=appended.indexes[0])
