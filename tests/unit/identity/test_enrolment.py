"""A parent and a child as opened nodes: inviting, joining, approving, revoking, renewing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from zongheng.v1.identity_pb2 import (
    ENROLMENT_STATE_ENROLLED,
    ENROLMENT_STATE_WAITING,
)

from federation.errors import ZonghengError
from federation.identity.authority import fingerprint, new_key
from federation.identity.credentials import MutualTls
from federation.identity.enrolment import ENROLMENT_OPTIONS, Enrolment, Keys, ask, read, renewal
from federation.identity.invitation import Invitation
from federation.identity.membership import Membership
from node import config
from node.keyring import KeyRing
from node.run import Node
from tests.unit.identity.pair import COUNTY, PARENT, TOWN, Pair, entries, made


def other_keys(pair: Pair) -> Keys:
    return replace(pair.town.keyring.keys, tls=new_key())


async def test_a_child_joins_and_both_sides_enter_it(pair: Pair) -> None:
    invitation = await pair.invited()
    assert await pair.joining.join(PARENT, str(invitation))
    member = pair.town.keyring.identity.membership
    assert member is not None
    assert str(member.name) == f"spiffe://{COUNTY}.zongheng.internal/county/{COUNTY}/town/{TOWN}"
    [invited] = await entries(pair.county, "invited")
    [enrolled] = await entries(pair.county, "enrolled")
    [joined] = await entries(pair.town, "joined")
    assert (invited.invited.node, invited.invited.by) == (TOWN, "operator")
    assert enrolled.enrolled.state == ENROLMENT_STATE_ENROLLED
    assert enrolled.enrolled.tls_key == fingerprint(pair.town.keyring.keys.tls.public_key())
    assert enrolled.enrolled.verifier == pair.town.writer.verifier
    assert joined.joined.parent_authority == fingerprint(pair.county.keyring.identity.authority.public_key)
    assert pair.redialled == 1


async def test_a_membership_survives_a_restart(pair: Pair) -> None:
    await pair.joined()
    before = pair.town.keyring.identity
    after = KeyRing.open(pair.town.folder, config.load(pair.town.folder), pair.clock).identity
    assert after.membership == before.membership
    assert after.authority.chain == before.authority.chain
    settings = config.load(pair.town.folder)
    assert (settings.parent, settings.parent_enrolment) == (PARENT, "127.0.0.1:7503")


async def test_a_token_is_the_parents_secret_only_as_a_digest(pair: Pair) -> None:
    invitation = await pair.invited()
    [invited] = await entries(pair.county, "invited")
    assert invitation.secret not in invited.SerializeToString()
    async with pair.county.store.read() as session:
        row = await session.children.invitation(invitation.id)
    assert row is not None
    assert invitation.secret not in (row.digest, row.used_by)


async def test_a_token_used_twice_is_refused_with_other_keys_and_answered_again_with_the_same(
    pair: Pair,
) -> None:
    token = str(await pair.invited())
    assert await pair.joining.join(PARENT, token)
    assert await pair.joining.join(PARENT, token), "an answer that was lost is asked for again"
    assert len(await entries(pair.county, "enrolled")) == 1
    assert len(await entries(pair.town, "joined")) == 1
    pair.town.keyring.keys = other_keys(pair)
    with pytest.raises(ZonghengError, match="used already") as refused:
        await pair.joining.join(PARENT, token)
    assert refused.value.code == "invitation"


async def test_an_expired_token_is_refused(pair: Pair) -> None:
    token = str(await pair.invited(ttl_s=0.000001))
    with pytest.raises(ZonghengError, match="was good until") as refused:
        await pair.joining.join(PARENT, token)
    assert refused.value.code == "invitation"


async def test_a_token_for_another_code_is_refused_by_the_joiner_and_by_the_parent(pair: Pair) -> None:
    invitation = await pair.invited(node="330101002")
    with pytest.raises(ZonghengError, match="is for the town 330101002") as refused:
        await pair.joining.join(PARENT, str(invitation))
    assert refused.value.code == "invitation"
    altered = replace(invitation, node=TOWN)
    with pytest.raises(ZonghengError, match="not for the town") as refused:
        await pair.joining.join(PARENT, str(altered))
    assert refused.value.code == "invitation"


@pytest.mark.parametrize("alter", [{"secret": bytes(16)}, {"invitation": bytes(8)}])
async def test_a_guessed_token_is_refused(pair: Pair, alter: dict[str, bytes]) -> None:
    altered = replace(await pair.invited(), **alter)  # type: ignore[arg-type]
    with pytest.raises(ZonghengError, match="was not given here"):
        await pair.joining.join(PARENT, str(altered))
    assert await entries(pair.county, "enrolled") == []


@pytest.mark.parametrize("token", ["", "zongheng-1.", "zongheng-1.!!!", "zongheng-1.AAAA", "x" * 5_000])
async def test_what_is_no_token_is_said_to_be_none(pair: Pair, token: str) -> None:
    with pytest.raises(ZonghengError, match="copy it whole"):
        await pair.joining.join(PARENT, token)


async def test_with_approval_nothing_is_certified_until_somebody_approves(pair: Pair) -> None:
    token = str(await pair.invited(approval=True))
    assert not await pair.joining.join(PARENT, token)
    assert pair.town.keyring.identity.membership is None
    with pytest.raises(ZonghengError, match="waits for approval"):
        await pair.renew("", new_key().public_key(), renewal(TOWN, pair.town.keyring.keys))
    await pair.county.register.approve(TOWN, "1001")
    assert await pair.joining.join(PARENT, token)
    states = [(entry.enrolled.state, entry.enrolled.by) for entry in await entries(pair.county, "enrolled")]
    assert states == [(ENROLMENT_STATE_WAITING, ""), (ENROLMENT_STATE_ENROLLED, "1001")]


async def test_a_revoked_child_is_refused_everywhere_and_comes_back_with_new_keys_alone(pair: Pair) -> None:
    token = str(await pair.invited())
    await pair.joining.join(PARENT, token)
    await pair.county.register.revoke(TOWN, "stolen", "1001")
    await pair.county.register.revoke(TOWN, "again")
    [revoked] = await entries(pair.county, "revoked")
    assert (revoked.revoked.reason, revoked.revoked.by) == ("stolen", "1001")
    for attempt in (pair.joining.join(PARENT, token), pair.joining.renew()):
        with pytest.raises(ZonghengError, match="stolen") as refused:
            await attempt
        assert refused.value.code == "revoked"


async def test_a_new_token_does_not_bring_a_revoked_key_back(pair: Pair) -> None:
    await pair.joining.join(PARENT, str(await pair.invited()))
    await pair.county.register.revoke(TOWN, "stolen", "1001")
    token = str(await pair.invited())
    with pytest.raises(ZonghengError, match="a key that was revoked") as refused:
        await pair.joining.join(PARENT, token)
    assert refused.value.code == "revoked"
    keys = pair.town.keyring.keys
    for partly in (replace(keys, tls=new_key()), replace(keys, tls=new_key(), authority=new_key())):
        with pytest.raises(ZonghengError, match="a key that was revoked"):
            await pair.county.register.enrol(read(ask(Invitation.parse(token), pair.town.tree.own, partly)))
    fresh = replace(keys, tls=new_key(), authority=new_key(), sealing=X25519PrivateKey.generate())
    await pair.county.register.enrol(read(ask(Invitation.parse(token), pair.town.tree.own, fresh)))


async def test_revoking_voids_what_was_invited_and_not_used(pair: Pair) -> None:
    token = str(await pair.invited(approval=True))
    await pair.joining.join(PARENT, token)
    await pair.county.register.revoke(TOWN, "nobody we know")
    with pytest.raises(ZonghengError):
        await pair.joining.join(PARENT, token)


async def test_a_journal_of_somebody_else_is_not_enrolled(pair: Pair) -> None:
    pair.town.tree.own.log_id = pair.county.settings.log_id
    with pytest.raises(ZonghengError) as refused:
        await pair.joined()
    assert refused.value.code == "not_enrolled"


@pytest.mark.parametrize(
    ("node", "tier"),
    [(COUNTY, "town"), (TOWN, "city"), (TOWN, "county"), ("not a code", "town"), (TOWN, "hamlet")],
)
async def test_who_cannot_be_a_child_is_not_invited(pair: Pair, node: str, tier: str) -> None:
    with pytest.raises(ZonghengError) as refused:
        await pair.county.register.invite(node, tier, 3_600)
    assert refused.value.code == "bad_request"


async def test_who_is_enrolled_is_not_invited_again(pair: Pair) -> None:
    await pair.joined()
    with pytest.raises(ZonghengError, match="--replace"):
        await pair.invited()


async def test_a_child_of_one_parent_does_not_join_another(pair: Pair, tmp_path: Path) -> None:
    await pair.joined()
    async with Node.opened(made(tmp_path / "other", "county", "330102"), clock=pair.clock) as other:
        invitation = await other.register.invite(TOWN, "town", 3_600)
        with pytest.raises(ZonghengError, match=f"child of {COUNTY} already"):
            await pair.joining.join(PARENT, str(invitation))


# Departments.


async def test_an_agencys_node_is_a_child_of_its_territorys_node_and_has_none(
    pair: Pair, tmp_path: Path
) -> None:
    folder = made(tmp_path / "agency", "county", COUNTY, agency="A01")
    async with Node.opened(folder, clock=pair.clock) as agency:
        invitation = await pair.county.register.invite(f"{COUNTY}.A01", "department", 3_600)
        answer = await pair.county.register.enrol(read(ask(invitation, agency.tree.own, agency.keyring.keys)))
        member = Membership.from_wire(answer.certificates)
        assert str(member.name).endswith(f"/county/{COUNTY}/department/A01")
        await pair.county.children.enrol(agency.tree.own)
        with pytest.raises(ZonghengError, match="have no children"):
            await agency.register.invite(TOWN, "town", 3_600)


@pytest.mark.parametrize("node", ["330102.A01", "A01", f"{COUNTY}.A 01"])
async def test_an_agency_of_elsewhere_is_not_invited(pair: Pair, node: str) -> None:
    with pytest.raises(ZonghengError) as refused:
        await pair.county.register.invite(node, "department", 3_600)
    assert refused.value.code == "bad_request"


# Renewal: ninety days, from day thirty.


async def test_certificates_hold_ninety_days_and_are_renewed_from_day_thirty(pair: Pair) -> None:
    await pair.joined()
    begun = pair.expires()
    assert begun - pair.clock() == pytest.approx(timedelta(days=90), abs=timedelta(minutes=5))
    pair.clock.go(29.9)
    await pair.joining.look()
    assert pair.expires() == begun
    pair.clock.go(0.2)
    await pair.joining.look()
    assert pair.expires() - begun == pytest.approx(timedelta(days=30.1), abs=timedelta(minutes=5))
    assert pair.redialled == 2
    [renewed] = await entries(pair.county, "renewed")
    assert (renewed.renewed.node, renewed.renewed.late) == (TOWN, False)


async def test_the_own_server_is_certified_again_in_time(pair: Pair) -> None:
    before = pair.town.keyring.identity.server
    pair.clock.go(29)
    await pair.joining.look()
    assert pair.town.keyring.identity.server == before
    pair.clock.go(2)
    await pair.joining.look()
    assert pair.town.keyring.identity.server.not_valid_after_utc > before.not_valid_after_utc


async def test_a_renewal_that_is_repeated_is_no_entry(pair: Pair) -> None:
    await pair.joined()
    before = pair.expires()
    for _ in range(3):
        await pair.joining.renew()
    assert pair.expires() == before
    assert await entries(pair.county, "renewed") == []


async def test_what_ran_out_is_renewed_by_proof_of_the_same_key(pair: Pair) -> None:
    await pair.joined()
    pair.clock.go(200)
    assert pair.expires() < pair.clock()
    await pair.joining.look()
    assert pair.expires() > pair.clock()
    [renewed] = await entries(pair.county, "renewed")
    assert renewed.renewed.late


async def test_another_key_renews_nothing(pair: Pair) -> None:
    await pair.joined()
    pair.clock.go(40)
    pair.town.keyring.keys = other_keys(pair)
    with pytest.raises(ZonghengError) as refused:
        await pair.joining.renew()
    assert refused.value.code == "not_enrolled"


async def test_what_ran_out_and_is_revoked_is_not_renewed(pair: Pair) -> None:
    await pair.joined()
    await pair.county.register.revoke(TOWN, "stolen")
    pair.clock.go(200)
    with pytest.raises(ZonghengError) as refused:
        await pair.joining.renew()
    assert refused.value.code == "revoked"


# Over the network.


async def serving(node: Node, credentials: MutualTls) -> tuple[grpc.aio.Server, int]:
    server = grpc.aio.server(options=ENROLMENT_OPTIONS)
    Enrolment(node.register).add_to(server)
    port = credentials.enrolment_port(server, "127.0.0.1:0")
    await server.start()
    return server, port


async def test_joining_over_the_enrolment_port(pair: Pair) -> None:
    server, port = await serving(pair.county, MutualTls(lambda: pair.county.keyring.identity))
    try:
        invitation = replace(await pair.invited(), enrolment=f"0.0.0.0:{port}")
        assert await pair.town.joining.join(PARENT, str(invitation))
        await pair.town.joining.renew()
    finally:
        await server.stop(None)
    assert config.load(pair.town.folder).parent_enrolment == f"127.0.0.1:{port}"


async def test_a_joiner_sends_nothing_to_whoever_has_not_the_ca_key_of_the_token(pair: Pair) -> None:
    server, port = await serving(pair.county, MutualTls(lambda: pair.county.keyring.identity))
    try:
        invitation = await pair.invited()
        elsewhere = replace(invitation, authority=new_key().public_key(), enrolment=f"127.0.0.1:{port}")
        with pytest.raises(ZonghengError, match="nothing was sent") as refused:
            await pair.town.joining.join(PARENT, str(elsewhere))
        assert refused.value.code == "untrusted"
    finally:
        await server.stop(None)
    async with pair.county.store.read() as session:
        assert await session.children.get(TOWN) is None
        row = await session.children.invitation(invitation.id)
    assert row is not None
    assert row.used_by == b"", "the secret was never shown"


async def test_a_parent_that_is_away_is_said_to_be(pair: Pair) -> None:
    invitation = replace(await pair.invited(), enrolment="127.0.0.1:1")
    with pytest.raises(ZonghengError) as refused:
        await pair.town.joining.join(PARENT, str(invitation))
    assert refused.value.code == "unreachable"
