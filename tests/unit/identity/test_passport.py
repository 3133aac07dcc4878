"""A passport says who its node is to whoever knows the root, and to nobody who was lied to."""

from datetime import timedelta

import pytest
from zongheng.v1.passport_pb2 import Passport
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.passport import check, issue, read_again
from federation.journal.checkpoint import Signer, log_id
from tests.certified import Certifying, now

SEALING = bytes(range(32))


@pytest.fixture
def line() -> list[Certifying]:
    nodes = [Certifying("city", "330100")]
    for tier, code in (("county", "330101"), ("town", "330101001")):
        nodes.append(nodes[-1].child(tier, code))
    return nodes


def card(node: Certifying) -> NodeCard:
    signer = Signer.generate(log_id(node.node, "0123456789"))
    return NodeCard(
        node=node.node, tier=node.tier, name="云溪", log_id=signer.name, verifier=str(signer.verifier)
    )


def passport(node: Certifying, said: NodeCard | None = None) -> bytes:
    return issue(node.identity, said or card(node), SEALING, 7)


def test_whoever_knows_the_root_knows_the_node(line: list[Certifying]) -> None:
    city, _, town = line
    said = card(town)
    holder = check(passport(town, said), [(city.authority.anchor,)], now())
    assert holder.node == "330101001"
    assert str(holder.name).endswith("/city/330100/county/330101/town/330101001")
    assert (holder.verifier, holder.log_id, holder.sealing_key) == (said.verifier, said.log_id, SEALING)
    assert (holder.title, holder.tier, holder.issued_at_us) == ("云溪", "town", 7)
    assert read_again(passport(town, said)) == holder


def test_the_roots_own_passport_checks_under_the_root(line: list[Certifying]) -> None:
    city = line[0]
    assert check(passport(city), [(city.authority.anchor,)], now()).node == "330100"


def test_a_node_on_the_way_knows_who_is_below_by_its_own_ca(line: list[Certifying]) -> None:
    _, county, town = line
    assert check(passport(town), [county.authority.anchors], now()).node == "330101001"


def test_a_stranger_of_the_same_name_is_nobody(line: list[Certifying]) -> None:
    other = Certifying("city", "330100").child("county", "330101").child("town", "330101001")
    with pytest.raises(ZonghengError) as refused:
        check(passport(other), [(line[0].authority.anchor,)], now())
    assert refused.value.code == "untrusted"


def test_a_passport_speaks_of_its_own_node_alone(line: list[Certifying]) -> None:
    city, county, town = line
    for said in (
        card(county),
        NodeCard(node="330101001", log_id=card(county).log_id, verifier=card(town).verifier),
    ):
        with pytest.raises(ZonghengError):
            check(passport(town, said), [(city.authority.anchor,)], now())


def test_a_letter_changed_is_a_passport_refused(line: list[Certifying]) -> None:
    city, _, town = line
    read = Passport.FromString(passport(town))
    read.statement = read.statement.replace(SEALING, SEALING[::-1])
    with pytest.raises(ZonghengError, match="not signed by its key"):
        check(read.SerializeToString(), [(city.authority.anchor,)], now())


@pytest.mark.parametrize("spoil", [b"", b"\xff\xff", bytes(20_000)])
def test_what_is_no_passport_is_refused(line: list[Certifying], spoil: bytes) -> None:
    with pytest.raises(ZonghengError) as refused:
        check(spoil, [(line[0].authority.anchor,)], now())
    assert refused.value.code == "untrusted"


def test_a_passport_is_checked_while_its_certificates_hold(line: list[Certifying]) -> None:
    city, _, town = line
    with pytest.raises(ZonghengError, match="holds from"):
        check(passport(town), [(city.authority.anchor,)], now() + timedelta(days=91))
