"""Personal data as far as a reader needs it: a name by its first character, a number by its ends.

Who handles or supervises a case sees both in full when they say why; everybody else sees enough to tell two people apart. (个人信息保护法 §6:
the least that the purpose needs.)
"""

from node.people.roles import Role

UNMASKED = frozenset({Role.SUPERVISOR, Role.EMBEDDED_SUPERVISOR, Role.OFFICER})
"""Roles that may see a person in full, with a purpose, as far as they see the case."""


def masked_name(name: str) -> str:
    """王小明 → 王**; a name of one character → *."""
    return name[0] + "*" * (len(name) - 1) if len(name) > 1 else "*" * len(name)


def masked_number(number: str) -> str:
    """110101199003070011 → 110***********0011: the first three and the last four of what is long enough, else stars."""
    if len(number) < 11:
        return "*" * len(number)
    return number[:3] + "*" * (len(number) - 7) + number[-4:]
