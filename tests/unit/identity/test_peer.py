"""Who is let in over real TLS: gRPC checks signatures, we check names and keys."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import pytest
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError, abort, from_rpc
from federation.identity.authority import Authority, new_key
from federation.identity.credentials import Identity, MutualTls
from federation.identity.membership import Membership, der
from federation.identity.peer import peer_of
from tests.certified import DAYS, Certifying, now

CALL = "/test.Who/Ask"


class City:
    """A server that answers who the peer is, as its gate sees it."""

    def __init__(self) -> None:
        self.certified = Certifying("city", "330100")
        self.calls = 0
        self.port = 0

    async def answer(self, request: bytes, context: Any) -> bytes:
        self.calls += 1
        try:
            if request:
                await self.certified.gate.admit(context, NodeCard(node=request.decode()))
            peer = peer_of(context, lambda: self.certified.authority.anchors)
        except ZonghengError as error:
            await abort(context, error)
        return str(peer.name).encode()

    async def ask(self, credentials: MutualTls, node: str = "") -> str:
        """The answer to somebody. Raises ZonghengError, or AioRpcError `UNAVAILABLE` when TLS failed."""
        async with credentials.channel(
            f"127.0.0.1:{self.port}", (("grpc.use_local_subchannel_pool", 1),)
        ) as channel:
            try:
                answer: bytes = await channel.unary_unary(CALL)(node.encode(), timeout=10)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNAVAILABLE:
                    raise
                raise from_rpc(error) from None
        return answer.decode()


@asynccontextmanager
async def serving(city: City, credentials: MutualTls | None = None) -> AsyncIterator[City]:
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(city.answer)
    service, method = CALL.strip("/").split("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    city.port = (credentials or city.certified.credentials).server_port(server, "127.0.0.1:0")
    await server.start()
    try:
        yield city
    finally:
        await server.stop(None)


@pytest.fixture
async def city() -> AsyncIterator[City]:
    async with serving(City()) as city:
        yield city


def holding(key: Any, membership: Membership) -> MutualTls:
    """Somebody who has this key and these certificates."""
    authority = Certifying("village", "00").authority
    server = authority.certify_server(key.public_key(), now(), DAYS)
    identity = Identity(key, authority, server, membership)
    return MutualTls(lambda: identity)


async def test_a_child_is_who_its_certificate_says(city: City) -> None:
    county = city.certified.child("county", "330101")
    said = await city.ask(county.credentials, "330101")
    assert said == "spiffe://330100.zongheng.internal/city/330100/county/330101"


async def test_a_town_that_names_a_sibling_county_is_accepted_by_grpc_and_refused_by_us(city: City) -> None:
    county = city.certified.child("county", "330101")
    member = county.membership
    assert member is not None
    # The county's CA signs, past its own program, a certificate that names another county.
    parent = Authority(county.authority.key, county.authority.anchor, (city.certified.authority.anchor,))
    key = new_key()
    sibling = city.certified.authority.name.child("county", "330102")
    forged = replace(
        member, node=parent.certify_node(key.public_key(), sibling, now(), DAYS), chain=county.authority.chain
    )
    for node in ("", "330102"):
        with pytest.raises(ZonghengError, match="may not name") as refused:
            await city.ask(holding(key, forged), node)
        assert refused.value.code == "untrusted"
    assert city.calls == 2, "gRPC let it through both times"


async def test_another_key_than_the_registered_one_is_refused_with_the_best_of_certificates(
    city: City,
) -> None:
    county = city.certified.child("county", "330101")
    assert county.membership is not None
    key = new_key()
    # As if the city had signed for a second key: the register knows the first.
    again = city.certified.authority.certify_node(key.public_key(), county.membership.name, now(), DAYS)
    with pytest.raises(ZonghengError) as refused:
        await city.ask(holding(key, replace(county.membership, node=again)), "330101")
    assert refused.value.code == "not_enrolled"


async def test_a_stolen_and_revoked_certificate_is_refused_to_whoever_has_it(city: City) -> None:
    county = city.certified.child("county", "330101")
    assert county.membership is not None
    thief = holding(county.tls_key, county.membership)
    assert await city.ask(thief, "330101")
    city.certified.gate.revoked.add(city.certified.gate.keys["330101"])
    for credentials in (thief, county.credentials):
        with pytest.raises(ZonghengError) as refused:
            await city.ask(credentials, "330101")
        assert refused.value.code == "revoked"


async def test_a_child_cannot_speak_as_another(city: City) -> None:
    county = city.certified.child("county", "330101")
    city.certified.child("county", "330102")
    with pytest.raises(ZonghengError) as refused:
        await city.ask(county.credentials, "330102")
    assert refused.value.code == "untrusted"


@pytest.mark.parametrize("days", [-100, 5])
async def test_a_certificate_out_of_its_time_does_not_get_through_tls(city: City, days: int) -> None:
    city.certified.at = now() + timedelta(days=days)
    county = city.certified.child("county", "330101")
    with pytest.raises(grpc.aio.AioRpcError):
        await city.ask(county.credentials)
    assert city.calls == 0


async def test_a_stranger_without_a_certificate_does_not_get_through_tls(city: City) -> None:
    root = city.certified.authority
    stranger = Certifying("city", "330100").child("county", "330101")
    assert stranger.membership is not None
    # It knows the city's CA, as everybody may, and has a certificate of somebody else.
    knowing = holding(stranger.tls_key, replace(stranger.membership, anchor=root.anchor))
    with pytest.raises(grpc.aio.AioRpcError):
        await city.ask(knowing)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{city.port}") as channel:
        with suppress(TimeoutError), pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary(CALL)(b"", timeout=5)
    assert city.calls == 0


async def test_a_child_says_nothing_to_a_server_that_is_not_its_parent() -> None:
    parent = Certifying("city", "330100")
    county = parent.child("county", "330101")
    other = Certifying("city", "330100")
    sibling = parent.child("county", "330102")
    for pretending in (other.credentials, sibling.credentials):
        async with serving(City(), pretending) as city:
            with pytest.raises(grpc.aio.AioRpcError, match=r"VERIFY_FAILED|Hostname Verification"):
                await city.ask(county.credentials)
            assert city.calls == 0


async def test_a_certificate_that_was_renewed_is_shown_from_the_next_handshake_on(city: City) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])

    def shown() -> bytes | None:
        with (
            socket.create_connection(("127.0.0.1", city.port), 10) as plain,
            context.wrap_socket(plain) as secured,
        ):
            return secured.getpeercert(binary_form=True)

    before = city.certified.identity.server
    assert await asyncio.to_thread(shown) == der(before)
    city.certified.refresh()
    assert city.certified.identity.server != before
    assert await asyncio.to_thread(shown) == der(city.certified.identity.server)
