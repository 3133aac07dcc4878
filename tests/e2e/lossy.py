"""A line between a browser and a node that loses packets: a relay of datagrams on loopback, which an answer is made to name.

The pattern is the same at every run: packet n of the media is lost when a multiplicative hash of n says so. What sets the connection up
(STUN, DTLS, RTCP) passes, as in a network where what matters is sent again until it arrives.
"""

import selectors
import socket
import threading
from types import TracebackType
from typing import Final, Self

from tests.e2e.browser import Browser

THROUGH: Final = """
(() => {
  const ask = window.fetch;
  // Our addresses are not told: else the node would find a way past the line.
  window.fetch = (url, options) => {
    if (options && typeof options.body === "string") {
      options = { ...options, body: options.body.replace(/a=candidate:.*\\r\\n/g, "") };
    }
    return ask(url, options);
  };
  const set = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
    window.nodePort = Number(description.sdp.match(/ 127\\.0\\.0\\.1 (\\d+) typ host/)[1]);
    while (window.relayed !== window.nodePort) { await new Promise((later) => setTimeout(later, 20)); }
    const sdp = description.sdp.replaceAll(` 127.0.0.1 ${window.nodePort} typ host`, " 127.0.0.1 RELAY typ host");
    return set.call(this, { type: description.type, sdp });
  };
})();
"""


class Lossy:
    """Loses ``share`` of the media that goes from the node to the browser, or from the browser to the node."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far.bind(("127.0.0.1", 0))
        for one in (self._near, self._far):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._ending, self._end = socket.socketpair()
        self._node: tuple[str, int] | None = None
        self._browser: tuple[str, int] | None = None
        self._thread = threading.Thread(target=self._carry, name="lossy")
        self.passed = 0
        self.lost = 0

    @property
    def port(self) -> int:
        """What the browser is to send to."""
        return int(self._near.getsockname()[1])

    def script(self) -> str:
        """What a page runs before its own scripts, so that its next connection goes over this line."""
        return THROUGH.replace("RELAY", str(self.port))

    def carry(self, browser: Browser) -> None:
        """Carry the connection that the page is about to make."""
        port = browser.until("the node's answer", "return window.nodePort || 0")
        self._node = ("127.0.0.1", port)
        browser.run("window.relayed = arguments[0]", port)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.send(b"x")
        self._thread.join()
        for one in (self._near, self._far, self._ending, self._end):
            one.close()

    def _carry(self) -> None:
        with selectors.DefaultSelector() as ready:
            for one in (self._near, self._far, self._ending):
                ready.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is self._ending:
                        return
                    if key.fileobj is self._near:
                        packet, self._browser = self._near.recvfrom(4_096)
                        if self._node is not None and not self._is_lost(packet):
                            self._far.sendto(packet, self._node)
                    else:
                        packet, _ = self._far.recvfrom(4_096)
                        if self._browser is not None and not self._is_lost(packet):
                            self._near.sendto(packet, self._browser)

    def _is_lost(self, packet: bytes) -> bool:
        is_media = 128 <= packet[0] < 192 and not 64 <= packet[1] & 0x7F <= 95
        if not is_media:
            return False
        self.passed += 1
        if (self.passed * 2_654_435_761 & 0xFFFFFFFF) / 2**32 < self._share:
            self.lost += 1
            return True
        return False
