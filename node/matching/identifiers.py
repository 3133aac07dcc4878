"""Identifiers in the one form in which two sources that mean the same thing write it, or none at all. Pure.

What identifies nobody for certain gives nothing: a number whose check digit is wrong, a date that is none, a row of equal signs that fills
a form's field. So a slip of the pen, or "000000" in a hundred forms, makes no two people one.

| role | what | form |
| --- | --- | --- |
| person, representative | resident identity number (GB 11643), of 15 digits too; else a travel document | 18 signs; letters and digits |
| company | unified social credit code (GB 32100), or the organisation code in it (GB 11714); a person's number for a sole trader | organisation code |
| phone | mobile or fixed number of China | digits, without +86 |
| account | bank account or card | digits |
| guarantee, machine, household | number of a guarantee, of a device, of a household register | letters and digits |
| address | an address | without spaces and signs |
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

_PERSON_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PERSON_CHECK: Final = "10X98765432"
_CREDIT_SIGNS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_DOCUMENT: Final = re.compile(r"[A-Z]{1,3}\d{6,10}")
_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_FIXED: Final = re.compile(r"0\d{9,11}")
_ACCOUNT: Final = re.compile(r"\d{9,32}")
_CODE: Final = re.compile(r"[0-9A-Z]{6,64}")
_CENTURY: Final = "19"
"""A number of 15 digits is older than the ones of 18: it says two digits of the year."""

LONGEST: Final = 500


def normal(role: str, text: str) -> str:
    """The identifier in its one form; empty: it identifies nobody. Raises KeyError for a role that is none."""
    form = _FORMS[role]
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).upper()
    return form(plain)


def person(text: str) -> str:
    """A person's number, from text in capitals without full-width signs."""
    number = _bare(text)
    if len(number) == 15 and number.isdigit():
        longer = number[:6] + _CENTURY + number[6:]
        number = longer + _person_check(longer)
    if len(number) == 18 and number[:17].isdigit():
        return number if _is_resident(number) else ""
    digits = number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f"D:{number}" if _DOCUMENT.fullmatch(number) and not _is_filler(digits) else ""


def company(text: str) -> str:
    """A company's organisation code."""
    code = _bare(text)
    if len(code) == 18 and _is_credit_code(code):
        code = code[8:17]
    if len(code) == 9 and _is_organisation_code(code):
        return f"O:{code}"
    return person(text)


def phone(text: str) -> str:
    """A telephone number."""
    digits = re.sub(r"\D", "", text)
    for country in ("0086", "86"):
        if digits.startswith(country) and len(digits) > 11:
            digits = digits.removeprefix(country)
            break
    if (_MOBILE.fullmatch(digits) or _FIXED.fullmatch(digits)) and not _is_filler(digits[-7:]):
        return digits
    return ""


def account(text: str) -> str:
    """A bank account."""
    digits = re.sub(r"[\s\-]", "", text)
    return digits if _ACCOUNT.fullmatch(digits) and not _is_filler(digits) else ""


def code(text: str) -> str:
    """A number of a guarantee, a device or a household."""
    bare = _bare(text)
    return bare if _CODE.fullmatch(bare) and not _is_filler(bare) else ""


def address(text: str) -> str:
    """An address; one that names no number of a house or a room is too wide to tell anybody."""
    bare = "".join(sign for sign in text if sign.isalnum())
    return bare if len(bare) >= 8 and any(map(str.isdigit, bare)) else ""


_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "person": person,
    "representative": person,
    "household": code,
    "company": company,
    "phone": phone,
    "account": account,
    "guarantee": code,
    "machine": code,
    "address": address,
}

ROLES: Final = frozenset(_FORMS)


def _bare(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isalnum())


def _is_filler(text: str) -> bool:
    """One sign over and over, or the digits in their order."""
    return len(set(text)) <= 1 or text in "01234567890123456789012345678901"


def _person_check(digits: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(digits, _PERSON_WEIGHTS, strict=False))
    return _PERSON_CHECK[total % 11]


def _is_resident(number: str) -> bool:
    """GB 11643—1999: a date of birth, and the check digit of ISO 7064 MOD 11-2."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return number[6:8] in ("18", "19", "20") and _person_check(number[:17]) == number[17]


def _is_credit_code(code: str) -> bool:
    """GB 32100—2015, ISO 7064 MOD 31-3."""
    if any(sign not in _CREDIT_SIGNS for sign in code):
        return False
    total = sum(
        _CREDIT_SIGNS.index(sign) * weight for sign, weight in zip(code, _CREDIT_WEIGHTS, strict=False)
    )
    return _CREDIT_SIGNS[(31 - total % 31) % 31] == code[17]


def _is_organisation_code(code: str) -> bool:
    """GB 11714—1997, ISO 7064 MOD 11-10 with a remainder of ten written X."""
    body = code[:8]
    if any(sign not in _ORGANISATION_SIGNS for sign in body) or _is_filler(body):
        return False
    total = sum(
        _ORGANISATION_SIGNS.index(sign) * weight
        for sign, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[(11 - total % 11) % 11] == code[8]
