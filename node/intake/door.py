"""The door: what is let into the journal, and as which bytes.

Turned away is only what is marked as a state secret, unreadable, unattributable (no case, no agency, no time), of a kind or domain that nobody
knows or that this tier does not supervise, more than five minutes in the future, too large, or a new case of an item that is withdrawn; the duplicate is found by the journal's own guard
(``service``). Everything else passes: what is wrong in the world becomes a finding.

Nothing personal passes. An attribute that the vocabulary does not know is dropped; free text leaves a digest and an
applicant a random handle, both from the vault; so does free text that a sender put among the attributes. A reason for
turning something away never quotes it.

The door reads no clock and does no input or output: it says what the vault has to be asked, and is told the answers.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Final, NamedTuple

from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.entry_pb2 import Entry, Rejected
from zongheng.v1.intake_pb2 import Submission

from federation.errors import CATALOGUE
from node.intake.identity import counts_for_identity, derived_serial
from node.intake.secrecy import is_marked, may_be_marked
from node.intake.supervised import refusal
from node.intake.times import micros, zone_of
from node.intake.vocabulary import Sense, UnknownDomain, vocabulary
from node.store.drafts import Draft
from node.supervision.gathering import MARK

AHEAD_US: Final = 5 * 60 * 1_000_000
"""How far a clock elsewhere may be ahead of ours."""

LONGEST: Final = 300
"""Characters of an id, a code or a name; what is longer cannot be a key in every database."""

LARGEST: Final = 64 << 10
"""Bytes of one entry."""

LARGEST_TEXTS: Final = 1 << 20
"""Bytes of the free texts of one event together, as UTF-8."""

_EARLIEST_US: Final = micros(datetime(1900, 1, 1, tzinfo=UTC))
_LATEST_US: Final = micros(datetime(2200, 1, 1, tzinfo=UTC))
_DAY_US: Final = 86_400_000_000
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")

_RANGES: Final[Mapping[Sense, tuple[int, int]]] = {
    Sense.INSTANT: (_EARLIEST_US, _LATEST_US),
    Sense.DAY: (_EARLIEST_US // _DAY_US, _LATEST_US // _DAY_US),
    Sense.COUNT: (-1_000_000, 1_000_000),
    Sense.MONEY: (-(10**15), 10**15),
}


class Refused(NamedTuple):
    """Why something is turned away."""

    code: str
    reason: str


_CLASSIFIED: Final = Refused(
    "classified", "it is marked as a state secret (涉密): it does not belong into this system"
)
_WITHDRAWN: Final = Refused(
    "withdrawn",
    "its item is withdrawn, and no case of it begins any more: see which items there are, `zongheng item list`",
)


@dataclass(frozen=True, slots=True)
class Held:
    """An event that is let in once the vault has answered for its applicant and its texts."""

    serial: str
    event: CaseEvent
    name: str = ""
    id_number: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_applicant(self) -> bool:
        return bool(self.name or self.id_number)


class _Expected(NamedTuple):
    """How an attribute has to come."""

    sense: Sense
    which: str
    low: int = 0
    high: int = 0


def _expected(sense: Sense) -> _Expected:
    if sense in _RANGES:
        return _Expected(sense, "integer", *_RANGES[sense])
    return _Expected(sense, "flag" if sense is Sense.FLAG else "text")


@lru_cache(maxsize=4096)
def _attributes_of(domain: str, kind: str, zone: str) -> Mapping[str, _Expected] | Refused:
    """The attributes of a kind, or why an event of this kind and zone is turned away."""
    try:
        words = vocabulary(domain)
    except UnknownDomain:
        return Refused("unknown_kind", "its domain is not one of this node's")
    if kind not in words.kinds:
        return Refused("unknown_kind", f"its kind is none of the domain {domain}")
    try:
        if zone:
            zone_of(zone)
    except ValueError:
        return Refused("unreadable", "its time zone is none")
    return {name: _expected(sense) for name, sense in words.kinds[kind].items()}


class Door:
    """The door for one batch: one source, one import or none, one reading of the clock."""

    def __init__(
        self,
        source: str,
        import_id: str,
        now_us: int,
        closed: Collection[str] = (),
        supervised: Collection[str] | None = None,
    ) -> None:
        """``closed``: cases that may not begin (`node.intake.withdrawn`). ``supervised``: the domains that are let in; None: all."""
        self._supervised = supervised
        self._source, self._import_id, self._closed = source, import_id, closed
        self._now_us, self._latest_us = now_us, now_us + AHEAD_US
        self._before_serial = Entry(noted_at_us=now_us, source=source).SerializeToString() + b"\x1a"
        self._after_serial = Entry(import_id=import_id).SerializeToString() + b"\x5a"

    def admit(self, submission: Submission) -> Draft | Held | Refused:
        """Let one submission in: as the draft of its entry, or held for the vault, or refused.

        The submission is not changed. Its unknown protobuf fields must have been discarded.
        """
        if submission.HasField("unreadable"):
            told = submission.unreadable
            if told.code not in CATALOGUE:
                return Refused("unreadable", "its sender could not read it")
            return Refused(told.code, told.reason[:500])
        if submission.classified:
            return _CLASSIFIED
        event = submission.event
        at_us = event.at_us
        attributes = _attributes_of(event.domain, event.kind, event.zone)
        if isinstance(attributes, Refused):
            return attributes
        if self._supervised is not None and event.domain not in self._supervised:
            return Refused("not_supervised", refusal(event.domain, self._supervised))
        case_id = event.case_id
        if case_id in self._closed:
            return _WITHDRAWN
        if not case_id or not event.agency or not at_us:
            return Refused("unattributable", "it names no case, no agency or no time")
        if case_id[0] == MARK:
            return Refused("unattributable", f"no case's id begins with {MARK}")
        if not (_EARLIEST_US <= at_us <= self._latest_us and 0 <= event.received_at_us <= self._latest_us):
            return self._bad_time(event.kind, at_us, event.received_at_us)
        for said in event.attributes:
            known = attributes.get(said.name)
            if known is None or known.sense is Sense.TEXT or known.which != said.WhichOneof("value"):
                return self._with_care(submission)
            if known.low != known.high and not known.low <= said.integer <= known.high:
                return Refused("unreadable", f"{said.name} is out of all bounds")
        if submission.texts or event.applicant or submission.HasField("applicant"):
            return self._with_care(submission)
        serial = submission.serial
        number, encoded = serial.encode(), event.SerializeToString()
        size = len(encoded)
        if (
            size > LONGEST
            or not 0 < len(number) < 128
            or b"\0" in encoded
            or b"\0" in number
            or may_be_marked(encoded)
        ):
            return self._with_care(submission)
        # The same bytes as Entry(...).SerializeToString() gives, in a third of the time (a test holds it to that).
        length = bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))
        leaf = b"".join(
            (self._before_serial, bytes((len(number),)), number, self._after_serial, length, encoded)
        )
        return Draft(leaf, self._source, serial)

    def finish(
        self,
        held: Held,
        handle: str,
        digests: Mapping[str, str],
        fingerprints: Mapping[str, str] | None = None,
    ) -> Draft | Refused:
        """The draft of a held event, with the vault's answers: the applicant's handle, a digest for each text, fingerprints by attribute."""
        event = CaseEvent()
        event.CopyFrom(held.event)
        event.applicant = handle
        for name, fingerprint in (fingerprints or {}).items():
            said = next((one for one in event.attributes if one.name == name), None)
            (said if said is not None else event.attributes.add(name=name)).text = fingerprint
        for name, digest in digests.items():
            event.attributes.add(name=name, text=digest)
        return self._draft(held.serial, event)

    def rejected(self, submission: Submission, refused: Refused) -> tuple[Draft, Rejected]:
        """The entry that says so. The same submission refused again for the same reason gives the same serial."""
        # Of what is classified nothing is kept: a digest of something short can be guessed.
        kept = b""
        if submission.HasField("event") and refused.code != _CLASSIFIED.code:
            kept = cleaned(submission.event).SerializeToString()
        told = Rejected(
            code=refused.code,
            reason=refused.reason,
            row=submission.row,
            sha256=sha256(kept).hexdigest() if kept else "",
        )
        identity = blake2b(digest_size=12)
        for part in (self._import_id, str(submission.row), submission.serial, *refused):
            identity.update(part.encode("utf-8", "surrogatepass") + b"\x1f")
        identity.update(kept)
        serial = f"rejected:{identity.hexdigest()}"
        entry = Entry(
            noted_at_us=self._now_us,
            source=self._source,
            serial=serial,
            import_id=self._import_id,
            rejected=told,
        )
        return Draft(entry.SerializeToString(), self._source, serial), told

    def _bad_time(self, kind: str, at_us: int, received_at_us: int) -> Refused:
        if at_us < _EARLIEST_US or received_at_us < 0:
            return Refused(
                "unreadable", f"the {kind}: its time is before 1900, or that of its receipt before 1970"
            )
        which = "it was received" if at_us <= self._latest_us else "it happened"
        return Refused("future", f"the {kind}: {which} more than five minutes from now")

    def _with_care(self, submission: Submission) -> Draft | Held | Refused:
        """The uncommon path: something has to be dropped, vaulted, derived, or looked at one by one."""
        event = submission.event
        known = _attributes_of(event.domain, event.kind, event.zone)
        if isinstance(known, Refused):
            return known
        texts = {name: text for name, text in submission.texts.items() if text and _is_text(known.get(name))}
        for said in event.attributes:
            expected, which = known.get(said.name), said.WhichOneof("value")
            if expected is None or which is None:
                continue
            if which != expected.which:
                return Refused("unreadable", f"{said.name} is not {expected.sense.value}")
            if expected.low != expected.high and not expected.low <= said.integer <= expected.high:
                return Refused("unreadable", f"{said.name} is out of all bounds")
            if expected.sense is Sense.TEXT and said.text and not _DIGEST.fullmatch(said.text):
                texts.setdefault(said.name, said.text)
        if sum(len(text.encode()) for text in texts.values()) > LARGEST_TEXTS:
            return Refused("too_large", f"its texts are larger than {LARGEST_TEXTS} bytes")
        person = submission.applicant
        kept = cleaned(event)
        if any(map(is_marked, (*texts.values(), *_codes(kept)))):
            return _CLASSIFIED
        for text in (submission.serial, person.name, person.id_number, *_codes(kept)):
            if len(text) > LONGEST:
                return Refused("too_large", f"a code or name is longer than {LONGEST} characters")
            if "\0" in text:
                return Refused("unreadable", "a text holds a NUL character")
        serial = submission.serial or _derived(kept)
        if texts or person.name or person.id_number:
            return Held(serial, kept, person.name, person.id_number, texts)
        return self._draft(serial, kept)

    def _draft(self, serial: str, event: CaseEvent) -> Draft | Refused:
        leaf = Entry(
            noted_at_us=self._now_us,
            source=self._source,
            serial=serial,
            import_id=self._import_id,
            case_event=event,
        ).SerializeToString()
        if len(leaf) > LARGEST:
            return Refused("too_large", f"its entry is larger than {LARGEST} bytes")
        return Draft(leaf, self._source, serial)


def cleaned(event: CaseEvent) -> CaseEvent:
    """The event without what must not be journalled: unknown attributes, plain free text, whatever its header calls the
    applicant (only the vault gives handles). A digest of free text stays."""
    known = _attributes_of(event.domain, event.kind, event.zone)
    kept = CaseEvent()
    kept.CopyFrom(event)
    kept.applicant = ""
    del kept.attributes[:]
    if isinstance(known, Refused):
        return kept
    seen: set[str] = set()
    for said in event.attributes:
        expected = known.get(said.name)
        if expected is None or said.name in seen or said.WhichOneof("value") != expected.which:
            continue
        if expected.sense is Sense.TEXT and not _DIGEST.fullmatch(said.text):
            continue
        seen.add(said.name)
        kept.attributes.append(said)
    return kept


def _is_text(expected: _Expected | None) -> bool:
    return expected is not None and expected.sense is Sense.TEXT


def _codes(event: CaseEvent) -> Sequence[str]:
    header = (event.case_id, event.agency, event.actor, event.item, event.step, event.zone, event.applicant)
    return (*header, *(said.text for said in event.attributes))


def _derived(event: CaseEvent) -> str:
    distinct = counts_for_identity(vocabulary(event.domain).kinds[event.kind])
    sums = [said.integer for said in event.attributes if said.name in distinct]
    return derived_serial(
        event.case_id, event.kind, event.step, event.at_us, event.day_only, event.actor, sums
    )
