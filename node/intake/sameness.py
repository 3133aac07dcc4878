"""Whether what comes again under a serial says what it said before.

Compared is what the sender says happened, not when it was received or noted (a form sent twice was received twice): the event, the applicant and the texts, which the journal holds as a handle and as
digests and the vault as themselves. What was erased from the vault since cannot be compared and is taken for the same.
"""

from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.entry_pb2 import Entry

from node.intake.copies import copied
from node.intake.door import Held
from node.intake.vocabulary import Sense, UnknownDomain, vocabulary
from node.store.store import Session
from node.store.vault import Person, Vault


def bare(event: CaseEvent) -> tuple[CaseEvent, str, dict[str, str]]:
    """The event without what the vault gave it; the applicant's handle; the digests by attribute."""
    made = copied(event.domain, event.kind)
    try:
        known = vocabulary(event.domain).kinds.get(event.kind, {})
    except UnknownDomain:
        known = {}
    kept = CaseEvent()
    kept.CopyFrom(event)
    kept.applicant = ""
    kept.received_at_us = 0
    del kept.attributes[:]
    digests: dict[str, str] = {}
    for said in event.attributes:
        if known.get(said.name) is Sense.TEXT:
            digests[said.name] = said.text
        elif made is None or said.name != made[1]:
            kept.attributes.append(said)
    return kept, event.applicant, digests


def same_entry(journalled: bytes, drafted: bytes) -> bool:
    """Whether two entries that the vault had no part in say the same, but for when and through which import they came."""
    before, now = Entry.FromString(journalled), Entry.FromString(drafted)
    for entry in (before, now):
        entry.ClearField("noted_at_us")
        entry.ClearField("import_id")
        entry.ClearField("address")
        entry.case_event.received_at_us = 0
    return before == now


async def same_held(session: Session, vault: Vault, journalled: bytes, held: Held) -> bool:
    """Whether a journalled entry says what a submission with an applicant or texts says."""
    before = Entry.FromString(journalled)
    if not before.HasField("case_event"):
        return False
    event, handle, digests = bare(before.case_event)
    now, _, kept = bare(held.event)
    if event != now or digests.keys() != kept.keys() | held.texts.keys():
        return False
    if any(digests[name] != digest for name, digest in kept.items() if name not in held.texts):
        return False
    if bool(handle) != held.has_applicant:
        return False
    if handle:
        person = await vault.person(session.vault, handle)
        if person is not None and person != Person(held.name, held.id_number):
            return False
    for name, text in held.texts.items():
        known = await vault.text(session.vault, digests[name])
        if known is not None and known != text:
            return False
    return True
