"""What rows with one token, or beside one party, come to: the comparison itself. Pure.

A *match* is what a rule measures and the rows that it rests on. It is a node's own to raise when the rows reach it by more than one way (two children,
a child and its own journal): what lies below one child is that child's, which sees it too. So of a payee in three towns of two counties each
county finds its own towns, the city all three, and nobody is accused of the same thing by everybody above.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from node.matching.rules import CEILING, COMPETING, DECEASED, NEAR, SAME, STRONG, TWICE, WEAK
from node.matching.tokens import DEATHS
from node.store.linkage import LinkRow

COMMON: Final = 50
"""Parties that share one identifier before it tells nothing any more: an agent's telephone, an office building."""

_DAY_US: Final = 86_400_000_000

Branch = Callable[[str], str]
"""The way by which rows of a node come here: the child that it is below, or the node itself."""


@dataclass(frozen=True, slots=True)
class Match:
    """Something found."""

    about: str
    """What stands in the place of a case: the same for the same token, or the same two parties."""
    rule: str
    subject: str
    measure: int
    since_us: int
    rows: tuple[LinkRow, ...]


def about(kind: str, own: str, key: str, *members: str) -> str:
    """An id that says nothing of the token."""
    text = "\x1f".join((own, key, *sorted(members)))
    return f"@matching.{kind}/{sha256(text.encode()).hexdigest()[:20]}"


def of_payee(own: str, rows: Sequence[LinkRow], branch: Branch, ceilings: Mapping[str, int]) -> list[Match]:
    """Matches of the rows of one token of the purpose `payee`."""
    deaths = [row for row in rows if row.role == DEATHS]
    found: list[Match] = []
    for role, kind in (("person", "payee"), ("household", "household")):
        paid = [row for row in rows if row.role == role]
        if not paid:
            continue
        name = about(kind, own, paid[0].key, paid[0].token)
        if role == "person" and deaths:
            found += _deceased(name, own, deaths, paid, branch)
        groups: dict[str, list[LinkRow]] = {}
        for row in paid:
            if row.grp:
                groups.setdefault(row.grp, []).append(row)
        for group, members in sorted(groups.items()):
            standing = _standing(members)
            if role == "person" and len(standing) > 1 and len({branch(row.origin) for row in standing}) > 1:
                since = sorted(row.at_us for row in standing)[1]
                found.append(Match(name, TWICE, f"payee:{group}", len(standing), since, tuple(standing)))
            ceiling = ceilings.get(group.partition("/")[0], 0)
            if role == "household" and ceiling and _is_ours(own, standing, branch):
                total = sum(row.amount for row in standing)
                percent = -(-total * 100 // ceiling)
                since = max((row.at_us for row in standing), default=0)
                found.append(Match(name, CEILING, f"household:{group}", percent, since, tuple(standing)))
    return found


def _deceased(
    name: str, own: str, deaths: Sequence[LinkRow], paid: Sequence[LinkRow], branch: Branch
) -> list[Match]:
    died = min(deaths, key=lambda row: row.at_us)
    after = [row for row in _standing(paid) if row.at_us >= died.at_us + _DAY_US]
    if not after or not _is_ours(own, [died, *after], branch):
        return []
    last = max(row.at_us for row in after)
    since = min(row.at_us for row in after)
    return [
        Match(name, DECEASED, "payee:deceased", (last - died.at_us) // _DAY_US, since, (died, *after)),
    ]


def _standing(rows: Iterable[LinkRow]) -> list[LinkRow]:
    """The payments that were not taken back, each once: two nodes may both tell of one payment of one case."""
    by_payment: dict[tuple[str, int, int], LinkRow] = {}
    back: dict[tuple[str, str, int], int] = {}
    for row in sorted(rows, key=lambda row: (row.at_us, row.origin, row.idx)):
        if row.amount < 0:
            name = (row.origin, row.case_id, -row.amount)
            back[name] = back.get(name, 0) + 1
        else:
            by_payment.setdefault((row.case_id, row.at_us, row.amount), row)
    kept = []
    for row in by_payment.values():
        name = (row.origin, row.case_id, row.amount)
        if back.get(name, 0):
            back[name] -= 1
        else:
            kept.append(row)
    return kept


def of_tender(own: str, key: str, tender: str, rows: Sequence[LinkRow], branch: Branch) -> list[Match]:
    """Matches among the bidders of one tender; ``rows`` are everything that was bid for it."""
    if not _is_ours(own, rows, branch):
        return []
    found: list[Match] = []
    name = about("tender", own, key, tender)
    one_hand = _together(rows, STRONG)
    near = [group for group in _together(rows, WEAK) if not any(group <= other for other in one_hand)]
    for rule, roles, groups in ((SAME, STRONG, one_hand), (NEAR, WEAK, near)):
        if groups:
            largest = max(groups, key=lambda group: (len(group), sorted(group)))
            evidence = [row for row in _shared(rows, roles) if row.party in largest]
            since = max(row.at_us for row in evidence)
            found.append(Match(name, rule, f"tender:{tender}", len(largest), since, tuple(evidence)))
    return found


def of_bidder(own: str, key: str, party: str, rows: Sequence[LinkRow], branch: Branch) -> list[Match]:
    """Matches of one bidder with others; ``rows`` are everything that stands beside it, and beside those who share something with it."""
    tenders: dict[str, dict[str, list[LinkRow]]] = {}
    for row in rows:
        tenders.setdefault(row.party, {}).setdefault(row.grp, []).append(row)
    shown: dict[str, list[LinkRow]] = {}
    for by_party in _holders(rows, STRONG):
        for other in by_party.keys() - {party} if party in by_party else ():
            shown.setdefault(other, []).extend((*by_party[party], *by_party[other]))
    found: list[Match] = []
    for other, evidence in sorted(shown.items()):
        # A tender in which both show it themselves is that tender's own matter (`of_tender`).
        open_in = {
            tender
            for tender in tenders[party].keys() & tenders[other].keys()
            if {party, other}
            <= {row.party for row in _shared(tenders[party][tender] + tenders[other][tender], STRONG)}
        }
        common = sorted((tenders[party].keys() & tenders[other].keys()) - open_in)
        bids = [row for tender in common for one in (party, other) for row in tenders[one][tender][:1]]
        together = (*bids, *evidence)
        if common and _is_ours(own, together, branch):
            since = max(row.at_us for row in together)
            name = about("bidders", own, key, party, other)
            found.append(Match(name, COMPETING, "bidders", len(common), since, together))
    return found


def _holders(rows: Iterable[LinkRow], roles: Collection[str]) -> list[dict[str, list[LinkRow]]]:
    """For each identifier of these roles that several parties show, the rows of each; what too many show is left out."""
    holders: dict[tuple[str, str], dict[str, list[LinkRow]]] = {}
    for row in rows:
        if row.role in roles:
            holders.setdefault((row.role, row.token), {}).setdefault(row.party, []).append(row)
    return [by_party for _, by_party in sorted(holders.items()) if 1 < len(by_party) <= COMMON]


def _shared(rows: Iterable[LinkRow], roles: Collection[str]) -> list[LinkRow]:
    return [row for by_party in _holders(rows, roles) for of_it in by_party.values() for row in of_it]


def _together(rows: Iterable[LinkRow], roles: Collection[str]) -> list[set[str]]:
    """Parties that hang together by what they share."""
    groups: list[set[str]] = []
    for by_party in _holders(rows, roles):
        joined = set(by_party)
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined]
    return groups


def _is_ours(own: str, rows: Sequence[LinkRow], branch: Branch) -> bool:
    """Whether these come here by more than one way, or all out of the own journal."""
    ways = {branch(row.origin) for row in rows}
    return len(ways) > 1 or ways == {own}
