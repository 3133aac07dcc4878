"""Datagrams: a run of packets in one call arrives as the packets it was made of."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.media.webrtc.wire import Wire

packets = st.lists(st.sampled_from([12, 100, 1_000, 1_228]), min_size=1, max_size=120).map(
    lambda sizes: [bytes((number % 256,)) * size for number, size in enumerate(sizes)]
)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to,
    ):
        to.bind(("127.0.0.1", 0))
        to.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        to.settimeout(60)
        out.setblocking(False)
        yield out, to


@given(packets, st.booleans())
@settings(max_examples=60)
def test_each_packet_arrives_as_it_was_and_in_its_order(
    pair: tuple[socket.socket, socket.socket], sent: list[bytes], runs: bool
) -> None:
    out, to = pair
    wire = Wire(runs=runs)
    assert wire.send(out, to.getsockname(), sent) == len(sent)
    assert [to.recv(2_000) for _ in sent] == sent


def test_what_the_kernel_does_not_take_is_said() -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there,
    ):
        there.bind("\0zongheng-test-wire")
        here.setblocking(False)
        sent = [b"x" * 100] * 5_000
        gone = Wire(runs=False).send(here, "\0zongheng-test-wire", sent)  # type: ignore[arg-type]
        assert 0 < gone < len(sent)


def test_a_way_that_cannot_carry_a_run_carries_its_packets_one_by_one(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    out, to = pair
    wire = Wire()
    # Together more than one datagram may be, so the kernel refuses the run.
    sent = [b"a" * 33_000, b"b" * 33_000]
    assert wire.send(out, to.getsockname(), sent) == 2
    assert not wire.runs
    assert [to.recv(40_000) for _ in sent] == sent


def test_a_way_that_is_closed_is_an_error() -> None:
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        Wire().send(out, ("127.0.0.1", 9), [b"x"])
