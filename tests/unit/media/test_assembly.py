"""Packets put together to frames: in order, as soon as they are whole, and nothing broken is handed on."""

import random

from hypothesis import given
from hypothesis import strategies as st

from node.media.webrtc.assembly import Assembly, Part, Whole


def pictures(count: int, parts: int = 3, first: int = 65_530) -> list[Part]:
    """So many frames of so many packets, over an overflow of their numbers."""
    return [
        Part((first + frame * parts + part) & 0xFFFF, frame * 3_600, part == parts - 1, bytes([frame, part]))
        for frame in range(count)
        for part in range(parts)
    ]


def whole(count: int, parts: int = 3) -> list[Whole]:
    return [
        Whole(frame * 3_600, b"".join(bytes([frame, part]) for part in range(parts)))
        for frame in range(count)
    ]


def video() -> Assembly:
    return Assembly(whole=False, most=64, patience_s=0.5)


def test_a_picture_is_handed_on_with_its_last_packet() -> None:
    assembly = video()
    for part in pictures(10):
        found, lost = assembly.add(part, 0.0)
        assert (len(found), lost) == (int(part.last), False)


def test_without_a_marker_a_picture_ends_where_the_next_begins() -> None:
    assembly = video()
    found: list[Whole] = []
    for part in pictures(5):
        found += assembly.add(Part(part.number, part.timestamp, False, part.content), 0.0)[0]
    assert found == whole(4)


@given(st.randoms(use_true_random=False))
def test_whatever_the_order_within_a_while_pictures_come_out_whole_and_in_order(
    chance: random.Random,
) -> None:
    parts = pictures(20)
    # The first is where the sequence begins; the others are late by up to eight packets, and some come twice.
    order = sorted(range(1, len(parts)), key=lambda at: at + chance.uniform(0, 8))
    assembly, found = video(), []
    for at in [0, *(at for one in order for at in ([one, one] if chance.random() < 0.2 else [one]))]:
        told, lost = assembly.add(parts[at], 0.0)
        assert not lost
        found += told
    assert found == whole(20)


def test_a_packet_that_never_comes_costs_its_picture_and_is_told_once() -> None:
    assembly, found, losses = video(), [], 0
    for number, part in enumerate(pictures(40)):
        if number == 16:
            continue
        told, lost = assembly.add(part, number * 0.02)
        found += told
        losses += lost
    assert losses == 1
    assert set(found) < set(whole(40))
    assert 5 not in [one.timestamp // 3_600 for one in found]
    assert found == sorted(found, key=lambda one: one.timestamp)
    assert found[-20:] == whole(40)[-20:]


def test_so_many_packets_are_kept_and_no_more() -> None:
    assembly = video()
    parts = pictures(200)
    told = [assembly.add(part, 0.0)[1] for number, part in enumerate(parts) if number != 1]
    assert told.index(True) <= 65
    assert len(assembly._parts) < 64


def test_a_picture_without_end_is_dropped() -> None:
    assembly = video()
    for number in range(10_000):
        assert assembly.add(Part(number, 0, False, b"x"), 0.0) == ([], False)
        assert len(assembly._pending) <= 256
    assert assembly.add(Part(10_000, 3_600, True, b"y"), 0.0)[0] == [Whole(3_600, b"y")]


def test_a_voice_is_handed_on_at_once_and_waits_for_a_missing_packet_for_no_longer_than_80_ms() -> None:
    assembly = Assembly(whole=True, most=4, patience_s=0.5)
    voice = [Part(number, number * 960, False, bytes([number])) for number in range(20)]
    came = {}
    for at, part in enumerate(voice):
        if at in (5, 10):
            continue
        told, _ = assembly.add(part, at * 0.02)
        if at == 11:
            told += assembly.add(voice[10], at * 0.02)[0]
        came |= {one.timestamp // 960: at for one in told}
    assert {number: at - number for number, at in came.items() if at != number} == {6: 3, 7: 2, 8: 1, 10: 1}
    assert 5 not in came


def test_another_sequence_begins_anew() -> None:
    assembly = video()
    for part in pictures(3):
        assembly.add(part, 0.0)
    first, *others = pictures(3, first=30_000)
    assert assembly.add(first, 1.0) == ([], True)
    found = [one for part in others for one in assembly.add(part, 1.0)[0]]
    assert found == whole(3)


def test_packets_that_only_probe_the_line_are_no_picture() -> None:
    assembly = video()
    for part in pictures(1, first=0):
        assembly.add(part, 0.0)
    assert assembly.add(Part(3, 0, False, b""), 0.0) == ([], False)
    assert assembly.add(Part(4, 3_600, True, b"x"), 0.0) == ([Whole(3_600, b"x")], False)
