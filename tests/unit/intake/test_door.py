"""What the door lets in, as which bytes, and what it turns away."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import Entry, Rejected
from zongheng.v1.intake_pb2 import Person, Submission

from node.intake.door import AHEAD_US, LARGEST_TEXTS, Door, Held, Refused, cleaned
from node.intake.times import micros
from node.store.drafts import Draft

NOW = micros(datetime(2026, 1, 1, tzinfo=UTC))
AT = micros(datetime(2025, 6, 1, tzinfo=UTC))


def event(**said: object) -> CaseEvent:
    fields = {"case_id": "c1", "domain": "approval", "kind": "step", "at_us": AT, "agency": "A01"} | said
    return CaseEvent(**fields)  # type: ignore[arg-type]


def submission(serial: str = "1", **said: object) -> Submission:
    return Submission(serial=serial, event=event(**said), row=7)


def admit(one: Submission, import_id: str = "") -> Draft | Held | Refused:
    return Door("dept", import_id, NOW).admit(one)


def entry_of(draft: Draft | Held | Refused) -> Entry:
    assert isinstance(draft, Draft), draft
    return Entry.FromString(draft.leaf)


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@given(
    serial=texts,
    case_id=texts.filter(bool),
    agency=texts.filter(bool),
    actor=texts,
    item=texts,
    at=st.integers(1, NOW),
    received=st.integers(0, NOW),
    import_id=st.sampled_from(["", "i" * 32]),
    role=st.none() | texts,
    limit=st.none() | st.integers(-1000, 1000),
)
def test_a_leaf_is_what_protobuf_would_write(
    serial: str, case_id: str, agency: str, actor: str, item: str, at: int, received: int, import_id: str,
    role: str | None, limit: int | None,
) -> None:  # fmt: skip
    said = [] if role is None else [Attribute(name="role", text=role)]
    said += [] if limit is None else [Attribute(name="limit_days", integer=limit)]
    one = submission(
        serial,
        case_id=case_id,
        agency=agency,
        actor=actor,
        item=item,
        at_us=at,
        received_at_us=received,
        attributes=said,
    )
    draft = admit(one, import_id)
    if isinstance(draft, Refused):
        assert "\0" in serial + case_id + agency + actor + item + (role or "")
        return
    assert isinstance(draft, Draft)
    written = Entry(
        noted_at_us=NOW, source="dept", serial=draft.serial, import_id=import_id, case_event=one.event
    )
    assert draft.leaf == written.SerializeToString()
    assert draft.serial == serial or not serial
    assert draft.source == "dept"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"case_id": ""}, "unattributable"),
        ({"agency": ""}, "unattributable"),
        ({"at_us": 0}, "unattributable"),
        ({"kind": "stepp"}, "unknown_kind"),
        ({"kind": ""}, "unknown_kind"),
        ({"domain": "nothing"}, "unknown_kind"),
        ({"domain": "../approval"}, "unknown_kind"),
        ({"zone": "Mars/Olympus"}, "unreadable"),
        ({"zone": "../../etc/passwd"}, "unreadable"),
        ({"at_us": -(2**62)}, "unreadable"),
        ({"at_us": 2**62}, "future"),
        ({"at_us": NOW + AHEAD_US + 1}, "future"),
        ({"received_at_us": NOW + AHEAD_US + 1}, "future"),
        ({"case_id": "c" * 301}, "too_large"),
        ({"actor": "c" * 100_000}, "too_large"),
        ({"case_id": "a\0b"}, "unreadable"),
        ({"attributes": [Attribute(name="limit_days", text="5")]}, "unreadable"),
        ({"attributes": [Attribute(name="limit_days", integer=2**40)]}, "unreadable"),
        ({"attributes": [Attribute(name="started_at", integer=2**62)]}, "unreadable"),
        ({"attributes": [Attribute(name="role", integer=1)]}, "unreadable"),
    ],
)
def test_what_is_turned_away(said: dict[str, object], code: str) -> None:
    refused = admit(submission(**said))
    assert isinstance(refused, Refused)
    assert refused.code == code


def test_a_clock_ahead_by_five_minutes_is_believed() -> None:
    assert entry_of(admit(submission(at_us=NOW + AHEAD_US, received_at_us=NOW + AHEAD_US)))


def test_what_is_wrong_in_the_world_is_let_in() -> None:
    entry = entry_of(admit(submission(kind="completion", item="no such item", at_us=1, received_at_us=NOW)))
    assert entry.case_event.item == "no such item"


def test_an_attribute_that_nobody_knows_is_dropped() -> None:
    said = [
        Attribute(name="phone", text="555"),
        Attribute(name="role", text="handle"),
        Attribute(name="outcome"),
    ]
    kept = entry_of(admit(submission(attributes=said))).case_event.attributes
    assert [attribute.name for attribute in kept] == ["role"]


def test_a_name_in_the_header_is_no_handle() -> None:
    assert entry_of(admit(submission(applicant="张三"))).case_event.applicant == ""


def test_persons_and_texts_are_held_for_the_vault() -> None:
    one = submission(attributes=[Attribute(name="opinion", text="因为张三")])
    one.applicant.CopyFrom(Person(name="张三", id_number="1"))
    one.texts["phone"] = "dropped"
    held = admit(one)
    assert isinstance(held, Held)
    assert held.texts == {"opinion": "因为张三"}
    assert "张三".encode() not in held.event.SerializeToString()
    entry = entry_of(Door("dept", "", NOW).finish(held, "handle", {"opinion": "sha256:" + "0" * 64}))
    assert entry.case_event.applicant == "handle"
    assert [(a.name, a.text) for a in entry.case_event.attributes] == [("opinion", "sha256:" + "0" * 64)]


def test_a_digest_passes_as_a_digest() -> None:
    digest = "sha256:" + "a" * 64
    entry = entry_of(admit(submission(attributes=[Attribute(name="opinion", text=digest)])))
    assert entry.case_event.attributes[0].text == digest


def test_texts_have_a_limit() -> None:
    one = submission()
    one.texts["opinion"] = "长" * (LARGEST_TEXTS // 3 + 1)
    refused = admit(one)
    assert isinstance(refused, Refused)
    assert refused.code == "too_large"


def test_without_a_serial_the_content_is_the_serial() -> None:
    first, again, other = (admit(submission("", step=step)) for step in ("a", "a", "b"))
    assert entry_of(first).serial == entry_of(again).serial != entry_of(other).serial
    assert len(entry_of(first).serial) == 24


def test_a_rejection_says_why_and_nothing_of_whom() -> None:
    one = submission(case_id="", applicant="张三", attributes=[Attribute(name="opinion", text="因为张三")])
    one.applicant.CopyFrom(Person(name="张三", id_number="310"))
    door = Door("dept", "imp", NOW)
    refused = door.admit(one)
    assert isinstance(refused, Refused)
    draft, told = door.rejected(one, refused)
    assert (told.code, told.row, len(told.sha256)) == ("unattributable", 7, 64)
    assert "张三".encode() not in draft.leaf
    assert Entry.FromString(draft.leaf).rejected == told
    bare = submission(case_id="")
    assert door.rejected(bare, refused)[1].sha256 == told.sha256, (
        "the digest must not give away what was dropped"
    )


def test_the_same_rejection_has_the_same_serial() -> None:
    one, other = submission(case_id=""), submission(case_id="", step="x")
    refused = Refused("unattributable", "it names no case")
    serials = [
        Door("dept", "", NOW + later).rejected(sent, refused)[0].serial
        for later, sent in enumerate((one, one, other))
    ]
    assert serials[0] == serials[1] != serials[2]


@pytest.mark.parametrize(
    ("code", "kept"), [("future", "future"), ("made up", "unreadable"), ("", "unreadable")]
)
def test_what_the_sender_could_not_read_is_rejected_with_its_reason(code: str, kept: str) -> None:
    refused = admit(Submission(row=3, unreadable=Rejected(code=code, reason="a reason")))
    assert isinstance(refused, Refused)
    assert refused.code == kept


def test_cleaning_keeps_what_is_known_and_leaves_the_original_alone() -> None:
    one = event(
        applicant="x", attributes=[Attribute(name="role", text="a"), Attribute(name="role", text="b")]
    )
    kept = cleaned(one)
    assert [a.text for a in kept.attributes] == ["a"]
    assert one.applicant == "x"


def test_what_the_tier_does_not_supervise_is_turned_away_with_what_to_do() -> None:
    door = Door("dept", "", NOW, supervised={"openness", "complaint"})
    refused = door.admit(submission(domain="penalty", kind="filing"))
    assert isinstance(refused, Refused)
    assert (refused.code, "'penalty'" in refused.reason) == ("not_supervised", True)
    assert "complaint, openness" in refused.reason
    assert isinstance(door.admit(submission(domain="complaint", kind="received")), Draft)
    # A domain that nobody knows is still that.
    unknown = door.admit(submission(domain="nothing", kind="filing"))
    assert isinstance(unknown, Refused)
    assert unknown.code == "unknown_kind"
