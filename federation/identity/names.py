"""What a node is called in a certificate: a SPIFFE ID that spells its way down the tree.

`spiffe://330100.zongheng.internal/city/330100/county/330101/department/A01`: a step a node, each its tier and division code,
a department last and named by its agency. The trust domain is the root's.

A CA may name only itself and nodes directly below itself. TLS libraries do not know this rule: path length alone let a town's CA name a
sibling's county, and gRPC accepted it. So the names along a chain must nest, and it is we who check (`nest`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple, Self

from federation.errors import ZonghengError
from tiers.tier import Tier

DEPARTMENT: Final = "department"
"""Kind of a node that an agency runs below the node of its tier."""

_SCHEME: Final = "spiffe://"
_DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,254}")
_CODE: Final = re.compile(r"[0-9A-Z]{2,24}")
_AGENCY: Final = re.compile(r"[0-9A-Za-z_-]{1,32}")


class Step(NamedTuple):
    """One node on the way down."""

    kind: str
    """Its tier, or `department`."""
    code: str
    """Its division code; of a department the agency's code."""


@dataclass(frozen=True, slots=True)
class Name:
    """A node's name. Raises ZonghengError `untrusted` when it cannot be one."""

    domain: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not _DOMAIN.fullmatch(self.domain) or not self.steps:
            raise ZonghengError("untrusted", f"{self} names no node")
        rank = 1_000
        for step in self.steps:
            if step.kind == DEPARTMENT:
                good = step is self.steps[-1] and len(self.steps) > 1 and bool(_AGENCY.fullmatch(step.code))
            elif step.kind in tuple(Tier):
                good = Tier(step.kind).rank < rank and bool(_CODE.fullmatch(step.code))
                rank = Tier(step.kind).rank
            else:
                good = False
            if not good:
                raise ZonghengError("untrusted", f"{self} does not lead down the tiers to a node")

    @classmethod
    def root(cls, tier: str, code: str) -> Self:
        """A node that has no parent: its trust domain is its own."""
        return cls(f"{code.lower()}.zongheng.internal", (Step(tier, code),))

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Inverse of `str`. Raises ZonghengError `untrusted`."""
        domain, *parts = uri.removeprefix(_SCHEME).split("/")
        if not uri.startswith(_SCHEME) or len(parts) % 2:
            raise ZonghengError("untrusted", f"{uri} is not the name of a node")
        return cls(domain, tuple(map(Step, parts[::2], parts[1::2])))

    def __str__(self) -> str:
        return _SCHEME + "/".join((self.domain, *(part for step in self.steps for part in step)))

    @property
    def node(self) -> str:
        """The id of the node that is named."""
        last = self.steps[-1]
        return f"{self.steps[-2].code}.{last.code}" if last.kind == DEPARTMENT else last.code

    @property
    def kind(self) -> str:
        """Its tier, or `department`."""
        return self.steps[-1].kind

    @property
    def above(self) -> "Name":
        """The node directly above. Raises ZonghengError `untrusted` for a root."""
        return Name(self.domain, self.steps[:-1])

    def child(self, kind: str, node: str) -> "Name":
        """The name of a node directly below; `node` is its id. Raises ZonghengError `untrusted` for one that cannot be below."""
        prefix = f"{self.node}."
        if kind == DEPARTMENT and not node.startswith(prefix):
            raise ZonghengError("untrusted", f"a department below {self.node} is called {prefix}<agency>")
        code = node.removeprefix(prefix) if kind == DEPARTMENT else node
        return Name(self.domain, (*self.steps, Step(kind, code)))

    def is_directly_above(self, other: "Name") -> bool:
        return self.domain == other.domain and self.steps == other.steps[:-1]


def nest(names: Sequence[Name]) -> None:
    """Raise ZonghengError `untrusted` unless each name may be given by the next: the first is a node's, the others are those of the CAs
    above it, lowest first. A CA names itself, for its own server, or a node directly below.
    """
    for place, (name, above) in enumerate(pairwise(names)):
        if not (above.is_directly_above(name) or (place == 0 and name == above)):
            raise ZonghengError("untrusted", f"the CA of {above} may not name {name}")
