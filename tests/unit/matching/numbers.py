"""Identity numbers and credit codes of nobody, with the check digits that the standards ask for."""

from node.matching.identifiers import _CREDIT_SIGNS, _CREDIT_WEIGHTS, _ORGANISATION_WEIGHTS, _person_check


def resident(serial: int, birth: str = "19700101", division: str = "990102") -> str:
    """A resident identity number."""
    digits = f"{division}{birth}{serial:03d}"
    return digits + _person_check(digits)


def credit_code(serial: int) -> str:
    """A unified social credit code."""
    body = f"{serial:08d}"
    total = sum(int(sign) * weight for sign, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    code = f"91990102{body}{'0123456789X'[(11 - total % 11) % 11]}"
    check = sum(
        _CREDIT_SIGNS.index(sign) * weight for sign, weight in zip(code, _CREDIT_WEIGHTS, strict=True)
    )
    return code + _CREDIT_SIGNS[(31 - check % 31) % 31]
