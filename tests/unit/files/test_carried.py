"""What entries carry, and to whom: read from a child's own words, and from what is proven in the own journal."""

from zongheng.v1.disclosure_pb2 import Disclosure
from zongheng.v1.entry_pb2 import Address, Entry, Forwarded, Received
from zongheng.v1.files_pb2 import FileAdded
from zongheng.v1.sealed_pb2 import Sealed

from node.files.carried import PORTAL, Carried, addressee
from node.projection.entries import read

CHILD, BELOW = "330101001", "330101001001"
FILE = FileAdded(sha256="0" * 64, size=3, reader=PORTAL)


def forwarded(entry: Entry) -> Entry:
    return Entry(forwarded=Forwarded(origin=BELOW, index=7, leaf=entry.SerializeToString()))


def test_a_disclosure_names_its_files() -> None:
    carried = Carried()
    carried.take(CHILD, 5, Entry(disclosure=Disclosure(title="t", files=[FILE])), own=False)
    assert [(named.origin, named.idx, named.file) for named in carried.files] == [(CHILD, 5, FILE)]
    # A child's is listed only when it has risen here, with its proof.
    assert [one.own_idx for one in carried.disclosures] == [-1]
    carried.take("330100", 9, forwarded(Entry(disclosure=Disclosure(title="t"))), own=True)
    assert [(one.origin, one.idx, one.own_idx) for one in carried.disclosures[1:]] == [(BELOW, 7, 9)]


def test_what_a_child_says_to_have_come_from_below_is_not_taken_from_its_journal() -> None:
    carried = Carried()
    carried.take(CHILD, 5, forwarded(Entry(file_added=FILE)), own=False)
    assert carried.files == []
    carried.take("330100", 5, Entry(forwarded=Forwarded(origin=BELOW, leaf=b"\xff")), own=True)
    assert carried.files == []


def test_an_answer_is_known_by_the_way_it_came() -> None:
    carried = Carried()
    leaf = Entry(sealed=Sealed(to=BELOW)).SerializeToString()
    carried.take(BELOW, 3, Entry(received=Received(origin="330101", index=8, leaf=leaf)), own=True)
    [text] = carried.sealed
    assert (text.origin, text.idx, text.came_down) == ("330101", 8, True)


def test_who_an_entry_is_for() -> None:
    assert addressee(Entry(sealed=Sealed(to="330100"))) == "330100"
    assert addressee(Entry(file_added=FileAdded(reader="330100"))) == "330100"
    assert addressee(Entry(file_added=FILE)) == ""
    assert addressee(Entry(disclosure=Disclosure())) == ""


def test_what_goes_down_does_not_rise_and_what_is_for_above_does() -> None:
    entries = [
        Entry(sealed=Sealed(to="330100")),
        Entry(sealed=Sealed(to=BELOW), address=Address(node=BELOW)),
        Entry(file_added=FILE),
        Entry(disclosure=Disclosure()),
        Entry(received=Received(origin="330100", leaf=b"")),
    ]
    reading = read(CHILD, 0, [entry.SerializeToString() for entry in entries], own=False)
    assert reading.rises == [0, 2, 3]
    assert len(reading.carried.sealed) == 2
