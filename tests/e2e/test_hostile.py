"""A hostile child, a thief and a stranger at a real parent's port: nothing gets in, the parent stays up, and each leaves a trace.

Beside every attack an honest child goes on handing in, and afterwards the parent holds all of its journal and nothing of the attacker's.
"""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import grpc.aio
import psutil
import pytest
from zongheng.v1.link_pb2_grpc import LinkServiceStub
from zongheng.v1.rollup_pb2 import RollupTable
from zongheng.v1.tree_pb2 import NodeCard

from federation.link import channel as limits
from federation.rollup.row import RollupRow, pack
from tests.chaos.line import case_events
from tests.e2e import raw
from tests.e2e.hall import Hall
from tests.e2e.hostile import Hostile, Said, misshapen, rewritten
from tests.e2e.tree import Node, Tree, caught_up, until

COUNTY, HONEST, BAD, OTHER = "330101", "330101001", "330101002", "330101003"

IDLE = 2_000
"""Connections that nobody says anything on."""


class Scene:
    """A county, an honest town that hands in all the time, and a stopped town whose folder somebody has."""

    def __init__(self, county: Node, honest: Node, bad: Node) -> None:
        self.county, self.honest, self.bad = county, honest, bad
        self.hostile = Hostile(bad, county)
        self.held = len(county.leaves(BAD))

    def unharmed(self) -> None:
        """What was held of the bad town is what was held before, the honest one is served, and the county is the same process."""
        assert self.county.running, "the county is down"
        assert self.county.leaves(BAD) == self.hostile.journal.leaves[: self.held]
        caught_up(self.honest, self.county)

    def traced(self, *words: str) -> None:
        """The log names it."""
        log = self.county.log()
        assert all(word in log for word in words), f"{words} left no trace"


@pytest.fixture
def scene(tree: Tree) -> Iterator[Scene]:
    county = tree.add("county", COUNTY, confirm=False).start()
    honest = tree.add("town", HONEST, county, confirm=False).start()
    bad = tree.add("town", BAD, county, confirm=False).start()
    with Hall(bad, case_events(BAD)) as hall:
        until("some entries", lambda: len(hall.acknowledged) >= 100)
        hall.finish()
    caught_up(bad, county)
    bad.stop()
    with Hall(honest, case_events(HONEST), rest_s=0.2):
        yield Scene(county, honest, bad)


async def test_nobody_speaks_for_a_sibling(scene: Scene) -> None:
    bad = scene.hostile
    # As the sibling, with its own certificate.
    assert (await bad.sent_away(bad.journal, node=HONEST)).code in ("untrusted", "not_enrolled", "wrong_log")
    # With the sibling's journal.
    honest = scene.honest.status()["journal"]["log_id"]
    assert (await bad.sent_away(bad.journal, log_id=honest)).code in ("bad_signature", "wrong_log")
    row = RollupRow(HONEST, 20_000, "approval", "A1", "", "I1", {"received": 9}, b"", b"", 1 << 40)
    async with bad.linked(bad.journal) as conversation:
        told = await conversation.report(journal_size=scene.held, table=pack([row]), rows=1)
        assert told.code == "protocol", told
        stolen = NodeCard(node=HONEST, tier="town", parent=BAD)
        told = await conversation.report(journal_size=scene.held, cards=[stolen], table=RollupTable())
        assert told.code == "protocol", told
    scene.unharmed()
    assert not [row for row in scene.county.get("/api/rollup/rows", node=HONEST) if row["day"] == 20_000]
    scene.traced("link.refused", "link.report_refused")


async def test_replayed_batches_are_acknowledged_and_written_once(scene: Scene) -> None:
    bad = scene.hostile
    journal = bad.journal
    async with bad.linked(journal) as conversation:
        for _ in range(3):
            at = await conversation.push(5, journal.leaves[5:20], journal.first(20).note())
            assert at == scene.held
        # Entries that were never written, at an index that leaves a gap.
        further = journal.and_then([b"x" * 20] * 5)
        told = await conversation.push(scene.held + 4, further.leaves[-1:], further.note())
        assert isinstance(told, Said)
        assert told.code == "gap"
    scene.unharmed()
    assert len(scene.county.leaves(BAD)) == scene.held
    assert not scene.county.entries("fork_found")
    scene.traced("link.batch_refused")


async def test_a_rewritten_past_whose_every_proof_fits_is_found_and_kept_as_evidence(scene: Scene) -> None:
    bad = scene.hostile
    other = rewritten(bad.journal, 7, [b"one more"] * 3)
    async with bad.linked(other) as conversation:
        held = conversation.welcome.held_size
        proof = await other.consistency(held, len(other.leaves))
        await conversation.frame(
            prefix={"size": held, "root": await other.root_at(held), "consistency": proof}
        )
        assert (await conversation.ended()).code == "quarantined"
        assert isinstance(await conversation.push(held, other.leaves[held:], other.note()), Said)
    scene.unharmed()
    [found] = [entry.fork_found for entry in scene.county.entries("fork_found")]
    assert found.origin == BAD
    assert found.shown == other.note()
    # From now on the true journal is not taken either, until somebody decides.
    async with bad.linked(bad.journal) as conversation:
        assert conversation.welcome.instruction
        told = await conversation.push(scene.held, [b"more"], bad.journal.and_then([b"more"]).note())
        assert isinstance(told, Said)
        assert told.code == "quarantined"
    scene.unharmed()
    scene.traced("journal.fork")


async def test_a_proof_that_carries_its_own_shape_proves_nothing(scene: Scene) -> None:
    bad = scene.hostile
    other = rewritten(bad.journal, 7, [b"one more"] * 3)
    held_root = await bad.journal.root_at(scene.held)
    proof = await other.consistency(scene.held, len(other.leaves))
    for shape in misshapen(proof, held_root):
        async with bad.linked(other) as conversation:
            # The parent's own root as the prefix: true, if only the rest of the tree followed from it.
            await conversation.frame(prefix={"size": scene.held, "root": held_root, "consistency": shape})
            assert (await conversation.ended()).code == "protocol"
            told = await conversation.push(scene.held, other.leaves[scene.held :], other.note())
            assert isinstance(told, Said)
    scene.unharmed()
    assert len(scene.county.leaves(BAD)) == scene.held
    scene.traced("the prefix proves nothing")


async def test_a_forged_root_is_refused_and_kept_as_evidence(scene: Scene) -> None:
    bad = scene.hostile
    further = bad.journal.and_then([b"new entry"])
    forged = further.note(root=bytes(32))
    async with bad.linked(bad.journal) as conversation:
        told = await conversation.push(scene.held, [b"new entry"], forged)
        assert isinstance(told, Said)
        assert told.code in ("root_mismatch", "quarantined")
    scene.unharmed()
    [found] = [entry.fork_found for entry in scene.county.entries("fork_found")]
    assert (found.origin, found.shown) == (BAD, forged)


async def test_a_stolen_certificate_ends_with_its_revocation(scene: Scene) -> None:
    bad = scene.hostile
    async with bad.linked(bad.journal) as conversation:
        scene.county.run("revoke", BAD, "--reason", "stolen").ended(0)
        # The link that stands ends at once.
        assert (await conversation.ended()).code in ("revoked", "untrusted", "not_enrolled", "eof")
        further = bad.journal.and_then([b"x"])
        assert isinstance(await conversation.push(scene.held, [b"x"], further.note()), Said)
    assert (await bad.sent_away(bad.journal)).code in ("revoked", "untrusted", "not_enrolled")
    scene.unharmed()
    assert len(scene.county.leaves(BAD)) == scene.held
    scene.traced("child.revoked", "link.refused")


def test_a_token_used_twice_enrols_once(scene: Scene, tree: Tree) -> None:
    token = scene.county.post("/api/invitations", {"node": OTHER, "tier": "town"})["token"]
    first = tree.add("town", OTHER).start()
    assert first.post("/api/join", {"parent": scene.county.grpc, "token": token})["joined"]
    first.stop()
    with Tree(tree.folder / "thief") as elsewhere:
        thief = elsewhere.add("town", OTHER).start()
        refused = thief.client.post("/api/join", json={"parent": scene.county.grpc, "token": token})
        assert refused.status_code >= 400
        assert not thief.enrolled
    scene.unharmed()
    scene.traced("enrolment.refused")


def test_a_message_of_four_gigabytes_is_refused_by_its_length(scene: Scene) -> None:
    assert scene.county.process is not None
    process = psutil.Process(scene.county.process.pid)
    before = process.memory_info().rss
    with raw.tls(scene.county.grpc, scene.bad) as connection:
        connection.sendall(raw.begin_call("/zongheng.v1.LinkService/Push") + raw.message_of_four_gigabytes())
        told = raw.answer(connection)
    assert b"grpc-status" in told or not told
    assert process.memory_info().rss - before < 64e6

    async def large() -> Said:
        async with scene.hostile.channel() as channel:
            call = LinkServiceStub(channel).Push()  # type: ignore[no-untyped-call]
            try:
                await call.write(_oversized())
                await call.read()
            except grpc.aio.AioRpcError as error:
                return Said(error.code().name)
            finally:
                call.cancel()
        return Said("taken")

    # Which of the two it is depends on how much was written when the parent ended the stream.
    assert asyncio.run(large()).code in ("RESOURCE_EXHAUSTED", "INTERNAL")
    scene.unharmed()
    scene.traced("link.call_broken")


def _oversized() -> object:
    from zongheng.v1.link_pb2 import PushRequest

    return PushRequest(session="s" * 32, leaves=[bytes(limits.MAX_MESSAGE_BYTES)])


@pytest.mark.parametrize("door", ["grpc", "enrolment"])
def test_garbage_on_the_port_disturbs_nobody(scene: Scene, door: str) -> None:
    address = getattr(scene.county, door)
    client_hello = bytes.fromhex("16030100c8010000c40303") + bytes(20)
    with ExitStack() as open_:
        for said in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 64, raw.PREFACE, client_hello):
            connection = open_.enter_context(raw.plain(address))
            connection.sendall(said)
        # Half a handshake, a letter at a time, for as long as the rest takes.
        slow = open_.enter_context(raw.plain(address))
        for byte in client_hello[:8]:
            slow.sendall(bytes([byte]))
            time.sleep(0.05)
        if door == "grpc":
            quiet = open_.enter_context(raw.tls(address, scene.bad))
            for byte in raw.PREFACE[:8]:
                quiet.sendall(bytes([byte]))
                time.sleep(0.05)
        scene.unharmed()
    scene.traced("Handshake failed")


def test_thousands_of_idle_connections_disturb_nobody(scene: Scene) -> None:
    assert scene.county.process is not None
    process = psutil.Process(scene.county.process.pid)
    before = process.memory_info().rss
    with ExitStack() as open_:
        for _ in range(IDLE):
            open_.enter_context(raw.plain(scene.county.grpc))
        scene.unharmed()
        # A child that was away gets in between them.
        scene.honest.stop()
        scene.honest.start()
        scene.unharmed()
        assert process.memory_info().rss - before < 300e6
    until("the connections are gone", lambda: process.num_fds() < IDLE / 2)


def test_the_parent_answers_while_its_port_is_under_attack(scene: Scene) -> None:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with socket.create_connection(tuple(_pair(scene.county.grpc))) as connection:
            connection.sendall(b"\x16\x03\x01" + bytes(64))
        assert scene.county.get("/readyz")["status"] == "ready"
    scene.unharmed()


def _pair(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
