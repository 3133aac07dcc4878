"""Names spell the way down the tree, and who may give which follows from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ZonghengError
from federation.identity.names import DEPARTMENT, Name, nest

CITY = Name.root("city", "330100")
COUNTY = CITY.child("county", "330101")
TOWN = COUNTY.child("town", "330101001")


def test_a_name_is_a_spiffe_id_by_tier_and_code() -> None:
    assert str(TOWN) == "spiffe://330100.zongheng.internal/city/330100/county/330101/town/330101001"
    assert (TOWN.node, TOWN.kind) == ("330101001", "town")


def test_tiers_may_be_skipped() -> None:
    assert CITY.child("village", "330101001001").node == "330101001001"


def test_a_department_is_named_by_its_agency_below_its_territory() -> None:
    name = COUNTY.child(DEPARTMENT, "330101.A01")
    assert str(name).endswith("/county/330101/department/A01")
    assert (name.node, name.kind) == ("330101.A01", DEPARTMENT)


@pytest.mark.parametrize(
    "uri",
    [
        "https://x/city/330100",
        "spiffe://x",
        "spiffe://x/city",
        "spiffe://x/city/330100/",
        "spiffe://x/town/330101001/city/330100",
        "spiffe://x/city/330100/city/330200",
        "spiffe://x/department/A01",
        "spiffe://x/city/330100/department/A01/town/330101001",
        "spiffe://x/hamlet/330101001",
        "spiffe://x/city/../county/330101",
        "spiffe://X/city/330100",
        "spiffe://x/city/33 01",
        "spiffe:///city/330100",
        "",
    ],
)
def test_what_leads_nowhere_is_no_name(uri: str) -> None:
    with pytest.raises(ZonghengError) as refused:
        Name.parse(uri)
    assert refused.value.code == "untrusted"


@pytest.mark.parametrize("node", ["330102.A01", "330101", "330101.", "330101.A/1", "330101.A.1"])
def test_a_department_of_another_territory_cannot_be_below(node: str) -> None:
    with pytest.raises(ZonghengError):
        COUNTY.child(DEPARTMENT, node)


CODES = st.text("0123456789ABCDEF", min_size=2, max_size=24)


@given(st.lists(CODES, min_size=1, max_size=5), st.sampled_from(["", "A01", "tax_2"]))
def test_reading_a_name_gives_it_back(codes: list[str], agency: str) -> None:
    tiers = ("province", "city", "county", "town", "village")
    name = Name.root(tiers[0], codes[0])
    for tier, code in zip(tiers[1:], codes[1:], strict=False):
        name = name.child(tier, code)
    if agency:
        name = name.child(DEPARTMENT, f"{name.node}.{agency}")
    assert Name.parse(str(name)) == name


def test_a_ca_names_itself_for_its_server_and_nodes_directly_below() -> None:
    nest([CITY, CITY])
    nest([TOWN, COUNTY, CITY])


@pytest.mark.parametrize(
    "names",
    [
        [CITY.child("county", "330102"), COUNTY, CITY],
        [CITY, COUNTY, CITY],
        [TOWN, CITY],
        [TOWN, TOWN, TOWN, COUNTY],
        [Name("elsewhere", TOWN.steps), COUNTY, CITY],
    ],
    ids=["a sibling", "the parent", "a grandchild", "itself as a CA", "another domain"],
)
def test_a_ca_may_name_nobody_else(names: list[Name]) -> None:
    with pytest.raises(ZonghengError) as refused:
        nest(names)
    assert refused.value.code == "untrusted"
