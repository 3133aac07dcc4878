"""Datagrams out of a socket in as few calls as the kernel allows.

Linux cuts one message into datagrams of a given size (UDP GSO, udp(7) ``UDP_SEGMENT``): a frame whose packets have one size costs one
call instead of twenty. Where the kernel or the interface cannot, each packet is a call of its own, and nothing else changes.
"""

import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Final

_SOL_UDP: Final = 17
_UDP_SEGMENT: Final = 103

_MOST_SEGMENTS: Final = 50
"""The kernel's own bound is 64, and 65,507 bytes: 50 of 1,256 fit."""

_UNABLE: Final = frozenset({errno.EIO, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOPROTOOPT, errno.EMSGSIZE})


class Wire:
    """Sends for one viewer; remembers whether runs work on the way to them."""

    def __init__(self, *, runs: bool = True) -> None:
        self.runs = runs

    def send(self, out: socket.socket, address: tuple[str, int], packets: Sequence[bytes]) -> int:
        """How many of them the kernel took: all, or those before its buffer was full. OSError when the way is closed."""
        gone = 0
        for run in _runs(packets) if self.runs else ([packet] for packet in packets):
            try:
                if len(run) == 1:
                    out.sendto(run[0], address)
                else:
                    out.sendmsg(run, [(_SOL_UDP, _UDP_SEGMENT, struct.pack("=H", len(run[0])))], 0, address)
            except BlockingIOError:
                return gone
            except OSError as error:
                if len(run) == 1 or error.errno not in _UNABLE:
                    raise
                self.runs = False
                return gone + self.send(out, address, packets[gone:])
            gone += len(run)
        return gone


def _runs(packets: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Stretches of packets of one size, each with at most one shorter packet at its end."""
    start = 0
    while start < len(packets):
        size = len(packets[start])
        end = start + 1
        while end < len(packets) and end - start < _MOST_SEGMENTS and len(packets[end]) == size:
            end += 1
        if end < len(packets) and end - start < _MOST_SEGMENTS and len(packets[end]) < size:
            end += 1
        yield packets[start:end]
        start = end
