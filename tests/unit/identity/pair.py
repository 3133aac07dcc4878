"""A county and a town as opened nodes that talk without a network; certificates are judged by a clock of the test's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.identity_pb2 import Certificates, EnrolRequest, EnrolResponse, RenewRequest

from federation.identity.authority import PublicKey
from federation.identity.enrolment import read, renewing_key
from federation.identity.invitation import Invitation
from node import config
from node.joining import Joining
from node.run import Node

COUNTY, TOWN = "330101", "330101001"
PARENT = "127.0.0.1:7403"


class Machine:
    """The machine's clock, as the test has it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, days: float) -> None:
        self.now += timedelta(days=days)


class Pair:
    """A county and a town that talk without a network."""

    def __init__(self, county: Node, town: Node, clock: Machine) -> None:
        self.county, self.town, self.clock = county, town, clock
        self.redialled = 0
        self.joining = Joining(
            town.folder,
            town.settings,
            town.keyring,
            lambda: town.tree.own,
            town.write_entries,
            clock,
            self._redial,
            self.enrol,
            self.renew,
        )

    def _redial(self, elsewhere: bool) -> None:
        self.redialled += 1

    async def enrol(self, address: str, parent: PublicKey, request: EnrolRequest) -> EnrolResponse:
        return await self.county.register.enrol(read(request))

    async def renew(self, address: str, parent: PublicKey, request: RenewRequest) -> Certificates:
        return await self.county.register.renew(request.node, renewing_key(request))

    async def invited(self, *, ttl_s: float = 3_600, approval: bool = False, node: str = TOWN) -> Invitation:
        return await self.county.register.invite(node, "town", ttl_s, approval=approval, by="operator")

    async def joined(self) -> None:
        assert await self.joining.join(PARENT, str(await self.invited()))

    def expires(self) -> datetime:
        member = self.town.keyring.identity.membership
        assert member is not None
        return member.expires


def made(folder: Path, tier: str, code: str, agency: str | None = None) -> Path:
    """A node's folder."""
    config.initialise(
        folder,
        tier=tier,
        name=f"{tier} {code}",
        division=code,
        agency=agency,
        grpc=None,
        http=None,
        calendar="weekdays",
    )
    return folder


async def entries(node: Node, kind: str) -> list[Entry]:
    """The entries of one kind in its journal."""
    async with node.store.read() as session:
        leaves = await session.journal.leaves(node.settings.node, 0, node.writer.size)
    return [entry for entry in map(Entry.FromString, leaves) if entry.HasField(kind)]
