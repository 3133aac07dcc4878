"""What guards the entries of the own journal, looked at in the transaction that appends them: one entry for each (source, serial), one
alert for each finding, and the numbers of entries that are for somebody below, each of which names the place of the one before it.
"""

from collections.abc import Sequence

from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry

from federation.link.descent import Last, Stream
from node.store.addressed import AddressedRow, row_of
from node.store.alerts import alert_key
from node.store.drafts import Draft
from node.store.journal import leaf_hashes
from node.store.store import Session


async def numbered(
    session: Session, node: str, drafts: Sequence[Draft], hashes: list[bytes], first: int
) -> tuple[Sequence[Draft], list[bytes]]:
    """Give every entry for somebody below its number and the place of the one before it, and enter it in the guard."""
    if all(draft.addressed is None for draft in drafts):
        return drafts, hashes
    drafts = list(drafts)
    rows: list[AddressedRow] = []
    last: dict[Stream, Last] = {}
    for at, draft in enumerate(drafts):
        if draft.addressed is None:
            continue
        if draft.addressed.HasField("address"):
            entry = Entry()
            entry.CopyFrom(draft.addressed)
            stream = Stream(node, entry.address.node, entry.address.subtree)
            before = last.get(stream) or await session.addressed.last(stream)
            entry.address.number, entry.address.previous = before.number + 1, before.index + 1
            last[stream] = Last(before.number + 1, first + at)
            drafts[at] = draft._replace(leaf=entry.SerializeToString(), addressed=entry)
            hashes[at] = leaf_hashes([drafts[at].leaf])[0]
        row = row_of(node, first + at, drafts[at].addressed or draft.addressed)
        if row is not None:
            rows.append(row)
    await session.addressed.put(rows)
    return drafts, hashes


async def repeated_of(session: Session, node: str, drafts: Sequence[Draft], first: int) -> dict[int, int]:
    """Positions of drafts whose serial or alert the journal, or an earlier draft, has already; with its index."""
    by_source: dict[str, list[str]] = {}
    for draft in drafts:
        if draft.serial:
            by_source.setdefault(draft.source, []).append(draft.serial)
    known = {
        (source, serial): index
        for source, serials in by_source.items()
        for serial, index in (await session.journal.seen(source, serials)).items()
    }
    raised = {draft.alert.case_id for draft in drafts if draft.alert is not None}
    present = await session.alerts.of_cases(node, sorted(raised))
    keys = {alert_key(alert): alert.idx for alert in present}
    ids = {alert.alert_id: alert.idx for alert in present}
    repeated: dict[int, int] = {}
    index = first
    for position, draft in enumerate(drafts):
        found = known.get((draft.source, draft.serial)) if draft.serial else None
        if found is None and draft.alert is not None:
            found = keys.get(alert_key(draft.alert), ids.get(draft.alert.alert_id))
        if found is not None:
            repeated[position] = found
            continue
        if draft.serial:
            known[draft.source, draft.serial] = index
        if draft.alert is not None:
            keys[alert_key(draft.alert)] = ids[draft.alert.alert_id] = index
        index += 1
    return repeated


def serials_of(leaves: Sequence[bytes], first: int) -> list[tuple[str, str, int]]:
    """What the guard of serials has to know of leaves that were written once before; unreadable ones have none."""
    rows = []
    for index, leaf in enumerate(leaves, first):
        try:
            entry = Entry.FromString(leaf)
        except DecodeError:
            continue
        if entry.serial:
            rows.append((entry.source, entry.serial, index))
    return rows
