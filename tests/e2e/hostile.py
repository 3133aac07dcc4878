"""A child gone bad: its certificate, its keys and its journal in the hands of somebody who writes a client of their own.

What it says on the wire is up to the test. It has everything that a real child has, so whatever is refused is refused for what it does and
not for a key it lacks.
"""

import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc.aio
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.link_pb2_grpc import LinkServiceStub
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import from_rpc
from federation.identity.credentials import Identity, MutualTls
from federation.journal.checkpoint import Checkpoint, Signer, sign
from federation.journal.merkle import leaf_hash
from federation.link.channel import CHILD_OPTIONS
from federation.link.hello import PROTOCOL
from federation.link.memory import MemoryTree
from node import config
from node.keyring import KeyRing
from tests.e2e.tree import Node

PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Said:
    """How a call ended: nothing, or the code of the catalogue and the words."""

    code: str
    words: str = ""


class Journal:
    """Leaves, and heads over them, as the child's key signs them: true or not."""

    def __init__(self, log_id: str, signer: Signer, leaves: Iterable[bytes]) -> None:
        self.log_id = log_id
        self.signer = signer
        self.tree = MemoryTree(leaves)

    @property
    def leaves(self) -> list[bytes]:
        return self.tree.leaves

    @property
    def root(self) -> bytes:
        return self.tree.builder.root()

    def note(self, size: int | None = None, root: bytes | None = None) -> str:
        """A signed head; of another size or root where the test says so."""
        checkpoint = Checkpoint(
            self.log_id, len(self.leaves) if size is None else size, self.root if root is None else root
        )
        return sign(checkpoint, self.signer)

    def first(self, size: int) -> "Journal":
        return Journal(self.log_id, self.signer, self.leaves[:size])

    def and_then(self, leaves: Iterable[bytes]) -> "Journal":
        return Journal(self.log_id, self.signer, [*self.leaves, *leaves])

    async def root_at(self, size: int) -> bytes:
        return await self.tree.reader().root(size)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        return await self.tree.reader().consistency_proof(old, new)


class Conversation:
    """One Link stream that was welcomed, and calls beside it."""

    def __init__(self, stub: Any, link: Any, session: str, welcome: wire.Welcome) -> None:
        self.stub, self.link, self.session, self.welcome = stub, link, session, welcome

    async def frame(self, **frame: Any) -> None:
        await self.link.write(wire.LinkRequest(**frame))

    async def ended(self) -> Said:
        """What the parent says when it ends the link."""
        while True:
            response = await self.link.read()
            if response is grpc.aio.EOF:
                return Said("eof")
            if response.WhichOneof("frame") == "goodbye":
                return Said(response.goodbye.code, response.goodbye.reason)

    async def push(self, first: int, leaves: Sequence[bytes], note: str) -> int | Said:
        """The size that is acknowledged, or why it is not."""
        request = wire.PushRequest(session=self.session, first=first, leaves=leaves, checkpoint=note)
        call = self.stub.Push()
        try:
            await call.write(request)
            response = await call.read()
            return Said("eof") if response is grpc.aio.EOF else int(response.size)
        except grpc.aio.AioRpcError as error:
            return _said(error)
        except grpc.aio.UsageError as error:
            return Said("usage", str(error))
        finally:
            call.cancel()

    async def report(self, **message: Any) -> Said:
        call = self.stub.Report()
        try:
            await call.write(wire.ReportRequest(session=self.session, **message))
            await call.done_writing()
            await call
        except grpc.aio.AioRpcError as error:
            return _said(error)
        finally:
            call.cancel()
        return Said("")


class Hostile:
    """Somebody with a stopped child's folder."""

    def __init__(self, child: Node, parent: Node) -> None:
        settings = config.load(child.folder)
        self.code, self.tier = child.code, child.tier
        self.parent = parent.grpc
        self.identity: Identity = KeyRing.open(child.folder, settings).identity
        self.signer = config.journal_signer(child.folder, settings)
        self.journal = Journal(settings.log_id, self.signer, child.leaves())

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[grpc.aio.Channel]:
        channel = MutualTls(lambda: self.identity).channel(self.parent, CHILD_OPTIONS)
        try:
            yield channel
        finally:
            await channel.close(None)

    def hello(self, journal: Journal, **instead: Any) -> wire.Hello:
        card = NodeCard(
            node=self.code,
            tier=self.tier,
            log_id=journal.log_id,
            verifier=str(journal.signer.verifier),
            checkpoint=journal.note(),
        )
        hello = wire.Hello(
            card=card,
            size=len(journal.leaves),
            root=journal.root,
            session=secrets.token_hex(16),
            protocol=PROTOCOL,
            at_us=time.time_ns() // 1_000,
        )
        for name, value in instead.items():
            setattr(hello.card if name in ("node", "tier", "log_id", "verifier") else hello, name, value)
        return hello

    @asynccontextmanager
    async def linked(self, journal: Journal, **instead: Any) -> AsyncIterator[Conversation]:
        """Welcomed with this journal and these lies; AioRpcError where it is sent away at once."""
        hello = self.hello(journal, **instead)
        async with self.channel() as channel:
            stub: Any = LinkServiceStub(channel)
            link = stub.Link(timeout=PATIENCE_S)
            try:
                await link.write(wire.LinkRequest(hello=hello))
                response = await link.read()
                assert response is not grpc.aio.EOF, "neither welcomed nor sent away"
                yield Conversation(stub, link, hello.session, response.welcome)
            finally:
                link.cancel()

    async def sent_away(self, journal: Journal, **instead: Any) -> Said:
        """Why it is sent away."""
        try:
            async with self.linked(journal, **instead):
                return Said("welcomed")
        except grpc.aio.AioRpcError as error:
            return _said(error)


def rewritten(journal: Journal, at: int, more: Iterable[bytes] = ()) -> Journal:
    """Another past: one entry differs, and everything after it is hashed and signed as if it had always been so."""
    leaves = list(journal.leaves)
    leaves[at] = leaves[at] + b"\x00"
    return Journal(journal.log_id, journal.signer, [*leaves, *more])


def misshapen(proof: Sequence[bytes], root: bytes) -> list[list[bytes]]:
    """Proofs that say themselves which way to go: too long, too short, turned round, or with the wished root at the end."""
    filler = leaf_hash(b"filler")
    return [
        [*proof, root],
        [root, *proof],
        [*proof, filler],
        list(reversed(proof)),
        list(proof[:-1]),
        [root],
        [],
    ]


def _said(error: grpc.aio.AioRpcError) -> Said:
    told = from_rpc(error)
    return Said(told.code, told.detail)
