"""A branch that the own journal gives up, and how nothing of it is lost (DESIGN §4, the divergent uncosigned tail).

A node that was put back from a backup and wrote before its parent answered has two truths: what its parent holds, and what it wrote. A
person at the parent decided; this node then goes back to the last common size, takes the parent's entries, and enters its own again behind
them:

1. *give up*: one transaction sets the branch aside, cuts the journal and drops the projections;
2. *adopt*: batch after batch comes back from the parent (`adopt`), each with its guards;
3. *enter again*: what was set aside is appended in its old order, each leaf the old leaf's bytes with a mark behind them (``Reappended``), and leaves
   the aside in the same transaction. What the adopted history has already, by serial or as the same alert, is left out; what has
   a serial that is taken by something else gets one of its own.

The journal is sealed from the first step to the last. Killed anywhere, the next handshake goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import ALERT_STATE_CORRECTED, Entry
from zongheng.v1.mending_pb2 import JournalMended, Reappended

from federation.journal.merkle import leaf_hash
from node.intake.sameness import bare
from node.mending.noted import own_noted
from node.projection.entries import alert_record, read
from node.projection.projector import Projector
from node.store.drafts import Beside, Draft, Move
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.wallclock import Now

log = structlog.get_logger()

AT_ONCE: Final = 500
"""Entries in one transaction."""

_BRANCH: Final = 0
"""Number of the own branch among entries kept apart."""

_MENDING: Final = "journal.mending"


class Branch:
    """Gives up a branch of one node's own journal and enters it again."""

    def __init__(self, store: Store, writer: JournalWriter, projector: Projector, now: Now) -> None:
        self._store = store
        self._writer = writer
        self._projector = projector
        self._now = now
        self._own = writer.node

    async def adopt(self, first: int, leaves: Sequence[bytes], root: bytes) -> int:
        """Take entries back with all that guards them; see `JournalWriter.adopt`."""
        reading = read(self._own, first, leaves)

        async def guards(session: Session) -> None:
            await session.alerts.insert(reading.alerts)
            await session.alerts.set_states(self._own, reading.moves)
            await own_noted(session, self._own, leaves)

        return await self._writer.adopt(first, leaves, root, guards)

    async def give_up(self, size: int) -> None:
        """Set aside what lies beyond ``size``."""
        if size == self._writer.size:
            return

        async def cut(drop: Beside) -> None:
            async def beside(session: Session) -> None:
                leaves = await session.journal.leaves(self._own, size, self._writer.size)
                await session.forks.keep_apart(self._own, _BRANCH, size, leaves)
                await session.links.put_json(_MENDING, {"common": size, "again": 0, "repeated": 0})
                await drop(session)

            await self._writer.cut(size, beside)

        log.warning("journal.branch_given_up", common=size, size=self._writer.size)
        await self._projector.begin_again(cut)

    async def is_set_aside(self) -> bool:
        """Whether something waits to be entered again."""
        async with self._store.read() as session:
            return await session.links.get_json(_MENDING) is not None

    async def enter_again(self) -> None:
        """Append what was set aside, and an entry that says so. The parent's entries are adopted; the journal is still sealed."""
        # The guard against raising an alert twice is among the rows that are read again.
        while self._projector.rebuilding:
            await self._projector.settled()
        async with self._store.read() as session:
            told = await session.links.get_json(_MENDING)
        if told is not None:
            told.setdefault("adopted", self._writer.size)
            while await self._some(told):
                pass

    async def _some(self, told: dict[str, int]) -> bool:
        """Enter some of it and count it in ``told``; False: nothing was left, and that is entered too."""
        async with self._store.read() as session:
            rows = await session.forks.kept_apart(self._own, _BRANCH, 0, AT_ONCE)
            found = [await self._draft(session, index, leaf) for index, leaf in rows]
        if not rows:
            await self._finish(told)
            return False
        drafts = [draft for draft in found if draft is not None]
        told["again"] += len(drafts)
        told["repeated"] += len(rows) - len(drafts)

        async def beside(session: Session) -> None:
            await session.forks.drop_apart(self._own, _BRANCH, rows[-1][0] + 1)
            await session.links.put_json(_MENDING, told)

        appended = await self._writer.append(drafts, beside, under_seal=True)
        # Alerts that the adopted history raised already; written down with the next batch.
        told["again"] -= len(appended.repeated)
        told["repeated"] += len(appended.repeated)
        return True

    async def _finish(self, told: Mapping[str, int]) -> None:
        mended = JournalMended(
            common_size=told["common"],
            adopted_size=told["adopted"],
            reappended=told["again"],
            repeated=told["repeated"],
        )

        async def beside(session: Session) -> None:
            await session.links.delete(_MENDING)

        await self._writer.append(
            [Draft.of(Entry(noted_at_us=self._now(), journal_mended=mended))], beside, under_seal=True
        )
        log.warning("journal.mended", **{name: told[name] for name in ("common", "again", "repeated")})

    async def _draft(self, session: Session, index: int, leaf: bytes) -> Draft | None:
        """The entry once more with its mark; None: the adopted history has it."""
        mark = Reappended(index=index, length=len(leaf), leaf_hash=leaf_hash(leaf))
        try:
            entry = Entry.FromString(leaf)
        except DecodeError:
            return Draft(leaf + Entry(reappended=mark).SerializeToString())
        serial = entry.serial
        if serial:
            taken = (await session.journal.seen(entry.source, [serial])).get(serial)
            held = None if taken is None else await session.journal.leaf(self._own, taken)
            if held is not None and _same(Entry.FromString(held), entry):
                return None
            if held is not None:
                serial = f"{serial}~{index}"
        if entry.HasField("address"):
            mark.length = 0  # it gets a new number in its lane, so its bytes change
        other = serial if serial != entry.serial else ""
        again = leaf + Entry(serial=other, reappended=mark).SerializeToString()
        draft = Draft.of(Entry.FromString(again))._replace(leaf=again)
        kind = entry.WhichOneof("body")
        if kind == "alert_raised":
            alert = alert_record(self._own, 0, entry.noted_at_us, entry.alert_raised)
            return draft._replace(alert=alert)
        if kind == "alert_moved":
            return draft._replace(move=Move(entry.alert_moved.alert_id, entry.alert_moved.state))
        if kind == "alert_corrected":
            return draft._replace(move=Move(entry.alert_corrected.alert_id, ALERT_STATE_CORRECTED))
        return draft


def _same(before: Entry, now: Entry) -> bool:
    """Whether two entries under one serial say the same. What the node says itself under a serial is the same by its serial."""
    if not now.HasField("case_event"):
        return before.WhichOneof("body") == now.WhichOneof("body")
    (event, handle, digests), (again, other, texts) = bare(before.case_event), bare(now.case_event)
    return event == again and bool(handle) == bool(other) and digests.keys() == texts.keys()
