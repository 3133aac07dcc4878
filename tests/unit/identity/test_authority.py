"""What a node's CA certifies, and what a chain is worth."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from federation.errors import ZonghengError
from federation.identity.authority import (
    Authority,
    Certificate,
    fingerprint,
    name_in,
    new_key,
    point,
    public_from_point,
    verified,
)
from federation.identity.membership import Membership, pem
from federation.identity.names import Name
from tests.certified import DAYS, Certifying, now


@pytest.fixture
def line() -> list[Certifying]:
    """A city, a county, a town and a village, each certified by the one before."""
    nodes = [Certifying("city", "330100")]
    for tier, code in (("county", "330101"), ("town", "330101001"), ("village", "330101001001")):
        nodes.append(nodes[-1].child(tier, code))
    return nodes


def member(node: Certifying) -> Membership:
    assert node.membership is not None
    return node.membership


def openssl(
    folder: Path, leaf: Certificate, between: tuple[Certificate, ...], root: Certificate, *options: str
) -> str:
    """What `openssl verify` says."""
    for name, certificates in (("leaf", (leaf,)), ("between", between), ("root", (root,))):
        (folder / f"{name}.pem").write_bytes(pem(*certificates))
    words = ["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "between.pem", *options, "leaf.pem"]
    if not between:
        words.remove("-untrusted")
        words.remove("between.pem")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else f"refused: {done.stderr.strip()}"


def test_openssl_verifies_a_chain_of_four_tiers(line: list[Certifying], tmp_path: Path) -> None:
    village = member(line[-1])
    root = line[0].authority.anchor
    assert (
        openssl(tmp_path, village.node, village.chain[:-1], root, "-purpose", "sslclient") == "leaf.pem: OK"
    )
    assert openssl(tmp_path, village.authority, village.chain[:-1], root) == "leaf.pem: OK"
    for node in line:
        said = openssl(tmp_path, node.identity.server, (), node.authority.anchor, "-purpose", "sslserver")
        assert said == "leaf.pem: OK"


def test_a_chain_leads_from_a_village_to_the_root(line: list[Certifying]) -> None:
    village = member(line[-1])
    name = verified(village.node, village.chain[:-1], [line[0].authority.anchor], now())
    assert str(name).endswith("/city/330100/county/330101/town/330101001/village/330101001001")


def test_nobody_is_the_child_of_a_ca_that_did_not_sign(line: list[Certifying]) -> None:
    village = member(line[-1])
    stranger = Certifying("city", "330100")
    for above, anchor in (
        (village.chain[:-1], stranger.authority.anchor),
        ((), line[0].authority.anchor),
        (member(stranger.child("county", "330101")).chain, line[0].authority.anchor),
    ):
        with pytest.raises(ZonghengError) as refused:
            verified(village.node, above, [anchor], now())
        assert refused.value.code == "untrusted"


def test_a_town_that_names_a_siblings_county_is_refused_though_every_signature_is_right(
    line: list[Certifying], tmp_path: Path
) -> None:
    city, county, town = line[:3]
    sibling = city.authority.name.child("county", "330102")
    # What the town's CA can sign with its own key, past its own program.
    forging = Authority(
        town.authority.key, town.authority.anchor, (Authority.founded(city.authority.name, now()).anchor,)
    )
    forged = forging.certify_node(new_key().public_key(), sibling, now(), DAYS)
    chain = town.authority.chain
    assert openssl(tmp_path, forged, chain[:-1], chain[-1], "-purpose", "sslclient") == "leaf.pem: OK"
    with pytest.raises(ZonghengError, match="may not name") as refused:
        verified(forged, chain[:-1], [city.authority.anchor], now())
    assert refused.value.code == "untrusted"
    assert county.authority.name != sibling


def test_a_ca_cannot_pose_as_its_parents_server(line: list[Certifying], tmp_path: Path) -> None:
    city, county = line[:2]
    names = city.identity.server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    posing = (
        x509.CertificateBuilder()
        .subject_name(city.identity.server.subject)
        .issuer_name(county.authority.anchor.subject)
        .public_key(county.tls_key.public_key())
        .serial_number(7)
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + DAYS)
        .add_extension(names, critical=False)
        .sign(county.authority.key, SHA256())
    )
    said = openssl(tmp_path, posing, county.authority.chain[:-1], city.authority.anchor)
    assert "permitted subtree violation" in said


def test_a_node_certificate_certifies_nobody(line: list[Certifying]) -> None:
    town, village = line[2], line[3]
    leaf = member(town).node
    forging = Authority(town.tls_key, leaf, (leaf,))
    forged = forging.certify_node(new_key().public_key(), village.authority.name, now(), DAYS)
    with pytest.raises(ZonghengError):
        verified(forged, (leaf, *member(town).chain), [line[0].authority.anchor], now())


@pytest.mark.parametrize("days", [-3, 91])
def test_certificates_hold_for_their_time_alone(line: list[Certifying], days: int) -> None:
    village = member(line[-1])
    with pytest.raises(ZonghengError, match="holds from"):
        verified(village.node, village.chain[:-1], [line[0].authority.anchor], now() + timedelta(days=days))


def test_a_neighbours_clock_may_be_hours_late(line: list[Certifying]) -> None:
    village = member(line[-1])
    verified(village.node, village.chain[:-1], [line[0].authority.anchor], now() - timedelta(hours=20))


def test_a_ca_is_known_by_its_old_name_and_by_its_new_one() -> None:
    county = Certifying("county", "330101")
    before = county.child("town", "330101001")
    city = Certifying("city", "330100")
    city.adopt(county)
    after = county.child("town", "330101002")
    for town in (before, after):
        leaf = member(town).node
        assert verified(leaf, (), county.authority.anchors, now()) == name_in(leaf)
    assert str(name_in(member(after).node)).startswith("spiffe://330100.")
    assert fingerprint(county.authority.chain[-1].public_key()) == fingerprint(city.authority.public_key)


def test_a_ca_refuses_to_name_what_is_not_directly_below() -> None:
    city = Certifying("city", "330100").authority
    grandchild = city.name.child("county", "330101").child("town", "330101001")
    for certify in (city.certify_node, city.certify_authority):
        with pytest.raises(ZonghengError):
            certify(new_key().public_key(), grandchild, now(), DAYS)
    with pytest.raises(ZonghengError):
        city.certify_authority(new_key().public_key(), city.name, now(), DAYS)
    with pytest.raises(ZonghengError):
        city.certify_node(new_key().public_key(), Name.root("county", "330101"), now(), DAYS)


def test_a_key_survives_its_short_form() -> None:
    key = new_key().public_key()
    assert public_from_point(point(key)) == key
    with pytest.raises(ZonghengError):
        public_from_point(b"\x02" + bytes(31))
