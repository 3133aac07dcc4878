"""What may be said about a case, by domain: the event kinds and the attributes that each may carry.

The door, the mappings and the desk look words up here, so that none of them knows a domain by name. A domain that is
added brings its own ``node/supervision/domains/<domain>/events.py`` and is found by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib import import_module
from importlib.util import find_spec

UNITS = ("working", "natural", "hour")
"""How a limit counts: working days, natural days, working hours."""


class Sense(Enum):
    """What the value of an attribute means, and so how a mapping reads a cell of it."""

    INSTANT = "an instant"
    """Microseconds since the epoch; names end in ``_at``."""
    DAY = "a day"
    """Days since 1970-01-01; names end in ``_day``."""
    COUNT = "a whole number"
    MONEY = "an amount of money"
    """分."""
    FLAG = "yes or no"
    UNIT = "a unit of time limits"
    """One of :data:`UNITS`; names end in ``_unit``."""
    CODE = "a code"
    TEXT = "free text"
    """Leaves only a digest in the journal; the text goes to the vault."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one domain."""

    domain: str
    kinds: Mapping[str, Mapping[str, Sense]]
    copies: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Kind → (text, attribute that says which texts are copies of each other), which the door fills in."""

    def due_pair(self, kind: str, name: str) -> bool:
        """Whether ``name`` stands for ``name_at`` or ``name_day``, whichever the source's value is."""
        known = self.kinds[kind]
        return f"{name}_at" in known and f"{name}_day" in known


class UnknownDomain(LookupError):
    """No domain of this name is installed."""


@cache
def vocabulary(domain: str) -> Vocabulary:
    """The words of ``domain``.

    :raises UnknownDomain: when there is no such domain.
    """
    name = f"node.supervision.domains.{domain}.events"
    try:
        known = domain.isidentifier() and find_spec(name) is not None
    except ModuleNotFoundError:
        known = False
    if not known:
        raise UnknownDomain(f"there is no domain {domain!r}")
    events = import_module(name)
    money: frozenset[str] = getattr(events, "MONEY", frozenset())
    texts: frozenset[str] = getattr(events, "TEXTS", frozenset())
    kinds: dict[str, dict[str, type]] = events.KINDS
    return Vocabulary(
        domain,
        {
            kind: {name: _sense(name, held, money, texts) for name, held in attributes.items()}
            for kind, attributes in kinds.items()
        },
        getattr(events, "COPIES", {}),
    )


def _sense(name: str, held: type, money: frozenset[str], texts: frozenset[str]) -> Sense:
    if held is bool:
        return Sense.FLAG
    if held is str:
        if name in texts:
            return Sense.TEXT
        return Sense.UNIT if name.endswith("_unit") else Sense.CODE
    if name in money:
        return Sense.MONEY
    if name.endswith("_at"):
        return Sense.INSTANT
    return Sense.DAY if name.endswith("_day") else Sense.COUNT
