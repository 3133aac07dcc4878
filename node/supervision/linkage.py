"""What of a domain's events is compared across nodes (`node.matching`): a domain declares it beside its vocabulary and knows nothing else of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from node.supervision import domains

APPLICANT: Final = "applicant"
"""Source of an identifier: the number of the applicant, whom the vault knows."""


@dataclass(frozen=True, slots=True)
class Link:
    """Identifiers in events of one kind."""

    purpose: str
    """Whose key makes the tokens."""
    kind: str
    roles: tuple[tuple[str, str], ...]
    """(role of the identifier, where it is): `APPLICANT`, or an attribute; a free text is looked up in the vault."""
    groups: tuple[tuple[str, ...], ...]
    """What is compared within: the first of these of which the event states all. One that states none is compared with nothing of its kind."""
    party: str = ""
    """The role that says who the others stand beside."""
    amount: str = "amount"
    undone: tuple[str, ...] = ()
    """Kinds that take one back, and give it again: a payment that bounced, and was sent again. In that order."""
    serial: str = ""
    """The attribute by which those know it, within the case."""


@cache
def links() -> Mapping[tuple[str, str], Link]:
    """By (domain, kind), of every domain there is."""
    found: dict[tuple[str, str], Link] = {}
    for package in iter_modules(domains.__path__):
        if package.ispkg:
            events = import_module(f"{domains.__name__}.{package.name}.events")
            for link in getattr(events, "LINKS", ()):
                found[package.name, link.kind] = link
    return found


@cache
def purposes(domain_codes: tuple[str, ...]) -> frozenset[str]:
    """The purposes for which a node with these domains computes tokens."""
    return frozenset(link.purpose for (domain, _), link in links().items() if domain in domain_codes)
