"""Which roles go together, what they give, and whose cases a person sees."""

import itertools

import pytest
from zongheng.v1.catalogue_pb2 import Agency

from node.people.caller import OPERATOR, agencies_seen, person
from node.people.masking import masked_name, masked_number
from node.people.roles import APART, GRANTS, ROLE_WORDS, Act, Role, RolesRefused, acts_of, check_roles

AGENCIES = {
    code: Agency(code=code, name=code, node="990121", line=line)
    for code, line in (("ZR", "land"), ("MZ", ""), ("ZR-2", "land"))
}


@pytest.mark.parametrize("pair", list(itertools.combinations(sorted(APART), 2)))
def test_nobody_holds_two_of_the_three_administrators_roles(pair: tuple[Role, Role]) -> None:
    with pytest.raises(RolesRefused, match="stands alone"):
        check_roles(pair, "", "")


@pytest.mark.parametrize("role", sorted(APART))
def test_who_administers_neither_supervises_nor_handles_cases(role: Role) -> None:
    check_roles({role}, "", "")
    with pytest.raises(RolesRefused):
        check_roles({role, Role.SUPERVISOR}, "", "")
    assert not GRANTS[role] & {Act.DECIDE_ALERTS, Act.ENTER_CASES, Act.READ_PERSONS, Act.ANSWER_ALERTS}


def test_making_accounts_giving_roles_and_reading_the_trail_are_three_peoples_work() -> None:
    holders = {act: {role for role in Role if act in GRANTS[role]} for act in Act}
    assert holders[Act.MANAGE_ACCOUNTS] == {Role.SYSTEM_ADMINISTRATOR}
    assert holders[Act.GIVE_ROLES] == {Role.SECURITY_ADMINISTRATOR}
    assert holders[Act.READ_AUDIT] == {Role.AUDITOR}


def test_every_role_has_grants_and_a_chinese_name() -> None:
    assert set(GRANTS) == set(ROLE_WORDS) == set(Role)
    assert acts_of(()) == frozenset()


@pytest.mark.parametrize("role", [Role.EMBEDDED_SUPERVISOR, Role.OFFICER, Role.CLERK])
def test_some_roles_belong_to_an_agency_or_a_line(role: Role) -> None:
    with pytest.raises(RolesRefused, match="say which"):
        check_roles({role}, "", "")
    check_roles({role}, "ZR", "")
    check_roles({role}, "", "land")


def test_an_embedded_supervisor_sees_their_agency_and_a_line_goes_across() -> None:
    embedded = person("1", [Role.EMBEDDED_SUPERVISOR], "MZ", "", None, "")
    assert agencies_seen(embedded, AGENCIES) == {"MZ"}
    across = person("1", [Role.EMBEDDED_SUPERVISOR], "", "land", None, "")
    assert agencies_seen(across, AGENCIES) == {"ZR", "ZR-2"}
    assert agencies_seen(person("1", [Role.SUPERVISOR], "MZ", "", None, ""), AGENCIES) is None
    assert agencies_seen(OPERATOR, AGENCIES) is None


def test_a_token_narrows_and_never_widens() -> None:
    narrowed = person("1", [Role.CLERK], "MZ", "", [Act.ENTER_CASES, Act.DECIDE_ALERTS], "")
    assert narrowed.acts == {Act.ENTER_CASES}


def test_masking_leaves_enough_to_tell_two_people_apart() -> None:
    assert masked_name("王小明") == "王**"
    assert masked_name("王") == "*"
    assert masked_name("") == ""
    assert masked_number("110101199003070011") == "110***********0011"
    assert masked_number("13800138000") == "138****8000"
    assert masked_number("12345") == "*****"
