"""Quarantine: a child whose journal forked, what is kept of it, and what a person decides (DESIGN §4).

From the moment a fork is found nothing of that child's journal is taken; both signed heads are kept, and an entry of the own journal
(``ForkFound``) rises to the top. The child hands its branch over meanwhile: entries after the last common size, proven against its own signed
head, kept apart and never projected. Then a person decides, and that is an entry too:

- *refuse*: it stays closed, and its branch is not taken any further;
- *mend*: the child adopts what is held here and enters its own again behind it. For a node that was put back from a backup and wrote while it was
  offline;
- *accept*: the child goes on in another log, with its journal as it has it. For a child whose journal is right although it is another one: what is held
  here is kept apart as evidence. A person at the child begins the other log (`renewal`).

The operator's words are what `zongheng status` and `zongheng quarantine` show at either side.
"""

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog
from zongheng.v1.entry_pb2 import Entry, ForkFound
from zongheng.v1.mending_pb2 import (
    QUARANTINE_DECISION_ACCEPT,
    QUARANTINE_DECISION_MEND,
    QUARANTINE_DECISION_REFUSE,
    ChildMended,
    QuarantineDecided,
    QuarantineDecision,
)

from federation.errors import ZonghengError
from federation.journal.checkpoint import CheckpointError, Verifier, log_id, open_note
from federation.journal.tile import TileBuilder
from node.mending.renewed import learn
from node.mending.telling import Telling
from node.store.forks import MENDED, MENDING, OPEN, REFUSED, RENEWING, REPLACED, UNKNOWN, Fork
from node.store.journal import leaf_hashes
from node.store.store import Session, Store
from node.wallclock import Now

log = structlog.get_logger()

DECISIONS: Final = {
    "accept": (QUARANTINE_DECISION_ACCEPT, RENEWING),
    "refuse": (QUARANTINE_DECISION_REFUSE, REFUSED),
    "mend": (QUARANTINE_DECISION_MEND, MENDING),
}
"""What may be decided → the entry's word for it, and the state it leads to."""

MAX_BRANCHES: Final = 64
"""Most branches of one child that are kept apart."""

_TREES: Final = 64
"""Branches whose right edge is kept in memory."""


class Quarantine:
    """The quarantines of one node's children."""

    def __init__(self, store: Store, telling: Telling, now: Now) -> None:
        self._store = store
        self._telling = telling
        self._now = now
        self._edges: OrderedDict[tuple[str, int], TileBuilder] = OrderedDict()

    async def open(self, node: str, held: str, shown: str, reason: str) -> None:
        """Take nothing more of a child, and keep both heads. Does nothing where it is closed off already."""
        async with self._store.read() as session:
            newest = await session.forks.newest(node)
            if await session.forks.standing(node) is not None:
                return
        n = newest.n + 1 if newest else 1
        fork = Fork(node, n, self._now(), OPEN, reason, held, shown, UNKNOWN, 0, "", "", "")
        log.error("journal.fork", child=node, reason=reason)

        async def beside(session: Session) -> None:
            if await session.forks.standing(node) is None:
                await session.forks.put(fork)

        found = ForkFound(origin=node, held=held, shown=shown, reason=reason)
        await self._telling.tell(f"fork/{node}/{n}", Entry(fork_found=found), beside)

    async def diverted(self, node: str) -> int:
        """Where what is kept of a child's branch ends; 0: nothing is kept."""
        async with self._store.read() as session:
            fork = await session.forks.standing(node)
        return fork.common + fork.kept if fork is not None and fork.kept else 0

    async def divert(
        self, node: str, verifier: str, common: int, first: int, leaves: Sequence[bytes], note: str
    ) -> int:
        """Keep a stretch of a branch apart; see `ports.ParentInbox.divert`."""
        try:
            shown = open_note(note, [Verifier.parse(verifier)])
        except CheckpointError as error:
            raise ZonghengError("bad_signature", str(error)) from error
        async with self._store.write() as session:
            fork = await session.forks.standing(node)
            if fork is None or fork.state != OPEN:
                raise ZonghengError("quarantined", f"the branch of {node} is not wanted any further")
            head = await session.journal.head(node)
            if head is None or not 0 <= common <= head.size:
                raise ZonghengError("protocol", f"{common} entries are not held of {node}")
            if fork.kept and first == common:
                fork = await self._another(session, fork, note)
            end = fork.common + fork.kept if fork.kept else common
            if first != end or (fork.kept and common != fork.common):
                raise ZonghengError("gap", f"the branch of {node} goes on at {end}, not at {first}")
            edge = self._edges.pop((node, fork.n), None)
            if edge is None or edge.size != end:
                edge = await session.journal.reader(node, head.size).builder_at(common)
                rows = await session.forks.kept_apart(node, fork.n, common, fork.kept)
                edge.extend(leaf_hashes([leaf for _, leaf in rows]))
            edge.extend(leaf_hashes(leaves))
            if (shown.origin, shown.size, shown.root) != (head.log_id, edge.size, edge.root()):
                raise ZonghengError(
                    "root_mismatch",
                    f"the branch of {node} does not continue the first {common} entries held here",
                )
            await session.forks.keep_apart(node, fork.n, first, leaves)
            kept = replace(fork, common=common, kept=edge.size - common, note=note)
            await session.forks.put(kept)
        self._edges[node, fork.n] = edge
        while len(self._edges) > _TREES:
            self._edges.popitem(last=False)
        return edge.size

    async def _another(self, session: Session, fork: Fork, note: str) -> Fork:
        """A child that was put back once more shows another branch; the one before stays as it is kept."""
        if fork.n >= MAX_BRANCHES:
            raise ZonghengError(
                "quarantined", f"{fork.origin} has shown {MAX_BRANCHES} branches: decide first"
            )
        await session.forks.put(replace(fork, state=REPLACED))
        other = replace(fork, n=fork.n + 1, shown=note, common=UNKNOWN, kept=0, note="")
        await session.forks.put(other)
        log.warning("quarantine.another_branch", child=fork.origin, n=other.n)
        return other

    async def decide(self, node: str, decision: str, by: str, reason: str) -> Fork:
        """A person decides; returns how it stands then.

        Raises ZonghengError `not_found` where that child is in no quarantine, `bad_request` where it cannot be decided so.
        """
        if decision not in DECISIONS:
            raise ZonghengError("bad_request", f"decide one of: {', '.join(DECISIONS)}")
        if not by.strip() or not reason.strip():
            raise ZonghengError("bad_request", "say who decides (--by) and why (--reason): both are entered")
        word, state = DECISIONS[decision]
        async with self._store.read() as session:
            fork = await session.forks.standing(node)
        if fork is None:
            raise ZonghengError("not_found", f"{node} is not in quarantine here")
        if fork.state not in (OPEN, REFUSED):
            raise ZonghengError("bad_request", f"about {node} it was decided already: it is {fork.state}")
        decided = replace(fork, state=state, decided_by=by.strip(), why=reason.strip())
        entry = _entry(decided, word)
        if state == RENEWING:
            entry.log_id = log_id(node, secrets.token_hex(4))

        async def beside(session: Session) -> None:
            await session.forks.put(decided)
            if entry.log_id:
                await learn(session, self._telling.node, node, entry.log_id)

        log.warning("quarantine.decided", child=node, decision=decision, by=decided.decided_by)
        await self._telling.tell(f"decided/{node}/{fork.n}/{state}", Entry(quarantine_decided=entry), beside)
        return decided

    async def mended(self, node: str, note: str) -> None:
        """The child shows the held history again."""
        async with self._store.read() as session:
            fork = await session.forks.standing(node)
        if fork is None or fork.state != MENDING:
            return

        async def beside(session: Session) -> None:
            await session.forks.put(replace(fork, state=MENDED))

        log.warning("quarantine.mended", child=node)
        told = Entry(child_mended=ChildMended(origin=node, checkpoint=note))
        await self._telling.tell(f"mended/{node}/{fork.n}", told, beside)


def instruction(fork: Fork, node: str) -> str:
    """What an operator of this parent should know and do about a quarantine."""
    match fork.state:
        case "open":
            return f"{fork.reason}. Look at it: zongheng quarantine DIR {node}; then decide with --refuse, --mend or --accept"
        case "refused":
            return f"closed by {fork.decided_by}: {fork.why}. Nothing of {node} is taken until it is decided otherwise"
        case "renewing":
            return f"{fork.decided_by} decided that {node} goes on in another log: its operator begins it with zongheng renew-log"
        case _:
            return (
                f"{fork.decided_by} decided that {node} be mended: it does so by itself when it is connected"
            )


def told_to_child(fork: Fork) -> str:
    """What the child's operator should know and do."""
    match fork.state:
        case "open":
            return (
                f"{fork.reason}. Work may go on here; the parent keeps it apart until an operator there decides"
                " (zongheng quarantine)"
            )
        case "refused":
            return f"the parent refuses this journal: {fork.why} ({fork.decided_by}). Speak with the parent's operator"
        case "renewing":
            return (
                f"the parent's operator decided that this node goes on in another log: {fork.why} ({fork.decided_by})."
                " Stop this node, then run zongheng renew-log DIR --by NAME --reason …"
            )
        case _:
            return (
                f"the parent's operator decided that this journal be mended: {fork.why} ({fork.decided_by})"
            )


def _entry(fork: Fork, word: QuarantineDecision.ValueType) -> QuarantineDecided:
    return QuarantineDecided(
        origin=fork.origin,
        decision=word,
        by=fork.decided_by,
        reason=fork.why,
        common_size=max(0, fork.common),
        kept_apart=fork.kept,
        held=fork.held,
        shown=fork.note or fork.shown,
    )
