"""What a stretch of a journal says to the matching. Pure.

Of a child's journal its own words count; of the own journal also what rose to it (`Forwarded`) and what came down (`Received`), each proven
when it was entered. Most entries say nothing to the matching: those are passed over by their bytes, unparsed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.matching_pb2 import DrawSeed, LinkageKey, LinkageTokens, Linked, MatchNotice

from node.matching.identifiers import ROLES
from node.matching.tokens import PURPOSES, REGISTERS, TOKEN_BYTES, KeyName
from node.projection.entries import LATEST_US, event_row
from node.store.linkage import LinkRow
from node.store.rows import EventRow
from node.supervision.linkage import Link, links

_ROLES: Final = ROLES | REGISTERS.keys()
_LONGEST: Final = 700
"""Characters of a case, a group, a name: a group is two codes."""
_MOST_FEN: Final = 10**15
_LARGEST: Final = 1 << 62

_BODIES: Final = ("linkage_key", "linkage_tokens", "match_notice", "draw_seed")


def _tag(body: str) -> bytes:
    """The bytes with which a field of `Entry` begins, as a message (protobuf wire type 2)."""
    value = Entry.DESCRIPTOR.fields_by_name[body].number << 3 | 2
    return bytes((value & 127 | 128, value >> 7))


_ANY: Final = tuple(map(_tag, _BODIES))
_ERASED: Final = _tag("person_erased")
_REGISTER: Final = _tag("register_loaded")
_REQUESTED: Final = _tag("draw_requested")


@dataclass(slots=True)
class Said:
    """What one stretch says."""

    tokens: list[LinkRow] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    """(origin, handle) of persons who were erased."""
    keys: list[tuple[KeyName, LinkageKey]] = field(default_factory=list)
    notices: list[tuple[str, MatchNotice]] = field(default_factory=list)
    """(sender, notice) for this node."""
    seeds: list[tuple[DrawSeed, int]] = field(default_factory=list)
    """Seeds for this node's draws, with the index of the receipt."""
    requests: list[int] = field(default_factory=list)
    """Indexes of a child's requests of a draw."""


def said(origin: str, lo: int, leaves: Iterable[bytes], *, own: bool) -> Said:
    """Read leaves that start at index ``lo``; ``own``: it is this node's journal. What cannot be parsed is passed over."""
    found = Said()
    for idx, leaf in enumerate(leaves, lo):
        if not any(tag in leaf for tag in _ANY) and (own or _REQUESTED not in leaf):
            continue
        try:
            entry = Entry.FromString(leaf)
            if own and entry.HasField("received"):
                if entry.received.here:
                    inner = Entry.FromString(entry.received.leaf)
                    _from_above(found, entry.received.origin, idx, inner)
            elif own and entry.HasField("forwarded"):
                inner = Entry.FromString(entry.forwarded.leaf)
                if inner.HasField("linkage_tokens"):
                    _tokens(found, entry.forwarded.origin, inner)
            elif entry.HasField("linkage_tokens"):
                _tokens(found, origin, entry)
            elif own and entry.HasField("linkage_key"):
                _key(found, origin, entry.linkage_key)
            elif not own and entry.HasField("draw_requested"):
                found.requests.append(idx)
        except DecodeError:
            continue
    return found


@dataclass(slots=True)
class Own:
    """What of a stretch of the own journal has identifiers."""

    events: list[tuple[EventRow, Link]] = field(default_factory=list)
    undone: list[tuple[EventRow, Link]] = field(default_factory=list)
    """Events that take an earlier one back, or give it again."""
    registers: list[tuple[int, str, str, int]] = field(default_factory=list)
    """(index of the entry, register, handle, day)."""
    erased: list[str] = field(default_factory=list)


def identified(own: str, lo: int, leaves: Iterable[bytes], domains: Iterable[bytes]) -> Own:
    """The events, register rows and erasures of a stretch of the own journal; ``domains`` are those whose events are linked."""
    found = Own()
    wanted = (*domains, _REGISTER, _ERASED)
    known = links()
    taking_back = {(domain, kind): link for (domain, _), link in known.items() for kind in link.undone}
    for idx, leaf in enumerate(leaves, lo):
        if not any(sign in leaf for sign in wanted):
            continue
        try:
            entry = Entry.FromString(leaf)
        except DecodeError:
            continue
        match entry.WhichOneof("body"):
            case "case_event":
                name = (entry.case_event.domain, entry.case_event.kind)
                if name in known:
                    found.events.append((event_row(own, idx, entry), known[name]))
                elif name in taking_back:
                    found.undone.append((event_row(own, idx, entry), taking_back[name]))
            case "register_loaded":
                loaded = entry.register_loaded
                found.registers.append((idx, loaded.register, loaded.handle, loaded.day))
            case "person_erased":
                found.erased.append(entry.person_erased.handle)
    return found


def _from_above(found: Said, sender: str, idx: int, inner: Entry) -> None:
    match inner.WhichOneof("body"):
        case "linkage_key":
            _key(found, sender, inner.linkage_key)
        case "match_notice":
            found.notices.append((sender, inner.match_notice))
        case "draw_seed":
            found.seeds.append((inner.draw_seed, idx))


def _key(found: Said, issuer: str, told: LinkageKey) -> None:
    found.keys.append((KeyName(issuer, told.purpose, told.number), told))


def _tokens(found: Said, origin: str, entry: Entry) -> None:
    told: LinkageTokens = entry.linkage_tokens
    found.forgotten += [(origin, handle) for handle in told.forgotten]
    # Entered again after a branch was given up, its indexes are of the branch: the tokens are made once more.
    if entry.HasField("reappended"):
        return
    name = str(KeyName(told.issuer, told.purpose, told.number))
    if told.purpose not in PURPOSES or not _is_text(told.issuer) or "/" in told.issuer:
        return
    found.tokens += [
        LinkRow(
            name, one.token.hex(), one.role, origin, one.index, one.case_id, one.group, one.party, one.handle,
            one.at_us, one.amount, one.agency, one.actor,
        )
        for one in told.links
        if _is_sound(one)
    ]  # fmt: skip


def _is_sound(one: Linked) -> bool:
    """Whether it is a token as this version makes them: what another node's journal says may be anything."""
    texts = (one.case_id, one.group, one.party, one.handle, one.agency, one.actor)
    return (
        one.role in _ROLES
        and len(one.token) == TOKEN_BYTES
        and 0 <= one.at_us <= LATEST_US
        and one.index < _LARGEST
        and abs(one.amount) <= _MOST_FEN
        and all(map(_is_text, texts))
    )


def _is_text(text: str) -> bool:
    return len(text) <= _LONGEST and "\0" not in text
