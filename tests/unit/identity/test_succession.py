"""A parent's box was replaced and has another CA key: its children find it again by the CA above, and nobody else in its place."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from zongheng.v1 import identity_pb2 as wire

from federation.errors import ZonghengError
from federation.identity.authority import Authority, PublicKey, fingerprint, name_in, new_key, verified
from federation.identity.credentials import Identity, MutualTls
from federation.identity.enrolment import Asked, Enrolment, Keys, renew, renew_with_successor, renewal
from federation.identity.membership import Membership
from federation.identity.names import Name
from node.joining import Joining, Renew, RenewWithSuccessor
from node.run import Node
from tests.certified import DAYS, Certifying, now
from tests.unit.identity.pair import COUNTY, PARENT, TOWN, Pair, entries, made

VILLAGE = "330101001001"


class Answering:
    """A parent that certifies whoever comes."""

    def __init__(self, parent: Certifying, child: Certifying) -> None:
        self.parent, self.child = parent, child
        self.heard = 0

    async def enrol(self, asked: Asked) -> wire.EnrolResponse:
        raise AssertionError("nobody enrols here")

    async def renew(self, node: str, key: PublicKey) -> wire.Certificates:
        self.heard += 1
        self.parent.adopt(self.child)
        return member(self.child).to_wire()


def member(node: Certifying) -> Membership:
    assert node.membership is not None
    return node.membership


@pytest.fixture
def line() -> tuple[Certifying, Certifying, Certifying]:
    """County, town and village, certified an hour ago."""
    county = Certifying("county", COUNTY, at=now() - timedelta(hours=1))
    town = county.child("town", TOWN)
    return county, town, town.child("village", VILLAGE)


def replaced(county: Certifying, node: str = TOWN) -> Certifying:
    """A new box with new keys, certified now."""
    county.at = now()
    return county.child("town", node)


@asynccontextmanager
async def served(identity: Callable[[], Identity], answering: Answering) -> AsyncIterator[str]:
    """The enrolment port of a node, "host:port"."""
    server = grpc.aio.server()
    Enrolment(answering).add_to(server)
    port = MutualTls(identity).enrolment_port(server, "127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def request(node: Certifying) -> wire.RenewRequest:
    return renewal(node.node, Keys(node.tls_key, node.authority.key, X25519PrivateKey.generate()))


async def test_the_new_box_is_found_by_the_ca_above_over_real_tls(
    line: tuple[Certifying, Certifying, Certifying],
) -> None:
    county, town, village = line
    before = member(village)
    above = before.above_parent
    assert above is not None
    box = replaced(county)
    answering = Answering(box, village)
    async with served(lambda: box.identity, answering) as address:
        with pytest.raises(ZonghengError) as refused:
            await renew(address, before.parent_key, request(village))
        assert (refused.value.code, answering.heard) == ("untrusted", 0)
        told = await renew_with_successor(address, above, name_in(before.chain[0]), request(village))
    key = before.succeeded(Membership.from_wire(told), now())
    assert fingerprint(key) == fingerprint(box.authority.public_key) != fingerprint(town.authority.public_key)
    after = Membership.from_wire(told)
    after.check(key, village.tls_key.public_key(), village.authority.public_key, VILLAGE, "village", now())
    # From then on the old box is nobody, though its certificate has not run out.
    with pytest.raises(ZonghengError, match="not newer"):
        after.succeeded(before, now())


async def test_a_sibling_hears_nothing_even_if_it_gives_its_server_the_place(
    line: tuple[Certifying, Certifying, Certifying],
) -> None:
    county, town, village = line
    above = member(village).above_parent
    assert above is not None
    sibling = replaced(county, "330101002")
    answering = Answering(sibling, village)
    # What the sibling's CA can sign past its own program: a server in the town's place.
    posing = replace(sibling.authority, chain=(town.authority.chain[0], *sibling.authority.chain[1:]))
    forged = posing.certify_server(sibling.tls_key.public_key(), now(), DAYS)
    for shown in (sibling.identity, replace(sibling.identity, server=forged)):
        async with served(lambda shown=shown: shown, answering) as address:  # type: ignore[misc]
            with pytest.raises(ZonghengError) as refused:
                await renew_with_successor(address, above, town.authority.name, request(village))
        assert refused.value.code in ("untrusted", "unreachable")
    assert answering.heard == 0


def test_another_place_and_another_ca_above_are_refused(
    line: tuple[Certifying, Certifying, Certifying],
) -> None:
    county, _, village = line
    before = member(village)
    sibling = replaced(county, "330101002")
    other = Certifying("village", "330101002001", at=now())
    sibling.adopt(other)
    with pytest.raises(ZonghengError, match="the CA above named"):
        before.succeeded(member(other), now())
    stranger = Certifying("county", COUNTY, at=now())
    posing = replaced(stranger)
    posing.adopt(other := Certifying("village", VILLAGE, at=now()))
    with pytest.raises(ZonghengError, match="not certified by"):
        before.succeeded(member(other), now())


def test_nobody_says_who_succeeds_a_root(line: tuple[Certifying, Certifying, Certifying]) -> None:
    _, town, _ = line
    before = member(town)
    assert before.above_parent is None
    with pytest.raises(ZonghengError, match="nobody is above"):
        before.succeeded(before, now())


async def stranger(address: str, parent: PublicKey, request: wire.RenewRequest) -> wire.Certificates:
    raise ZonghengError("untrusted", f"whoever answers at {address} does not have the CA key of the parent")


def joining(pair: Pair, renew: Renew, successor: RenewWithSuccessor) -> Joining:
    """The town's, with somebody else at the parent's address."""
    town = pair.town
    return Joining(
        town.folder,
        town.settings,
        town.keyring,
        lambda: town.tree.own,
        town.write_entries,
        pair.clock,
        lambda elsewhere: None,
        pair.enrol,
        renew,
        successor,
    )


async def test_a_node_below_a_root_that_was_replaced_goes_on_refusing_it(pair: Pair) -> None:
    await pair.joined()
    before = pair.town.keyring.identity.membership

    async def successor(
        address: str, above: PublicKey, place: Name, request: wire.RenewRequest
    ) -> wire.Certificates:
        raise AssertionError("nobody is above")

    with pytest.raises(ZonghengError, match="does not have the CA key"):
        await joining(pair, stranger, successor).renew()
    assert pair.town.keyring.identity.membership == before


async def test_a_node_takes_the_new_box_and_enters_it_once(pair: Pair) -> None:
    await pair.joined()
    town, keys = pair.town, pair.town.keyring.keys
    # The county got a city above it; then its box was replaced.
    city = Certifying("city", "330100", at=pair.clock())
    boxes = []
    for _ in range(2):
        pair.clock.go(1 / 12)
        city.at = pair.clock()
        county = city.child("county", COUNTY)
        name = county.authority.name.child("town", TOWN)
        boxes.append(
            Membership(
                county.authority.certify_node(keys.tls.public_key(), name, city.at, DAYS),
                county.authority.certify_authority(keys.authority.public_key(), name, city.at, DAYS),
                county.authority.chain,
                county.authority.anchor,
            )
        )
    old, new = boxes
    town.keyring.adopt(old)

    async def successor(
        address: str, above: PublicKey, place: Name, request: wire.RenewRequest
    ) -> wire.Certificates:
        assert (address, place.node) == ("127.0.0.1:7503", COUNTY)
        assert fingerprint(above) == fingerprint(city.authority.public_key)
        return new.to_wire()

    await joining(pair, stranger, successor).renew()
    assert town.keyring.identity.membership == new
    # Killed before the certificates were written: the same again.
    town.keyring.adopt(old)
    await joining(pair, stranger, successor).renew()
    assert town.keyring.identity.membership == new
    joined = [entry.joined for entry in await entries(town, "joined")]
    assert [one.parent_authority for one in joined[1:]] == [fingerprint(new.parent_key)]

    # And the old box, should somebody have it, is not taken back.
    async def thief(
        address: str, above: PublicKey, place: Name, request: wire.RenewRequest
    ) -> wire.Certificates:
        return old.to_wire()

    with pytest.raises(ZonghengError, match="not newer"):
        await joining(pair, stranger, thief).renew()
    assert town.keyring.identity.membership == new


def test_only_the_key_above_makes_a_name_of_the_place(
    line: tuple[Certifying, Certifying, Certifying],
) -> None:
    county, town, _ = line
    forging = Authority(new_key(), county.authority.anchor, county.authority.chain)
    assert forging.name == county.authority.name
    certificate = forging.certify_authority(new_key().public_key(), town.authority.name, now(), DAYS)
    with pytest.raises(ZonghengError, match="not certified by"):
        verified(certificate, (), [county.authority.anchor], now())


async def test_a_token_leads_to_the_new_box_of_the_parent_and_to_no_other_parent(
    pair: Pair, tmp_path: Path
) -> None:
    await pair.joined()
    for code, refused in (("330102", "rises to one parent"), (COUNTY, "")):
        async with Node.opened(made(tmp_path / f"new-{code}", "county", code), clock=pair.clock) as box:
            pair.county = box
            token = str(await pair.invited())
            if refused:
                with pytest.raises(ZonghengError, match=refused):
                    await pair.joining.join(PARENT, token)
                continue
            assert await pair.joining.join(PARENT, token)
            after = pair.town.keyring.identity.membership
            assert after is not None
            assert fingerprint(after.parent_key) == fingerprint(box.keyring.identity.authority.public_key)
