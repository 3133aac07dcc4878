"""A player of another make: GStreamer's webrtcbin as a WHEP client, run by the system's Python, which has GStreamer's bindings.

    python3 gst_player.py URL PICTURES [--publish [FILE]]

Offers to URL, decodes until so many pictures came and prints how many; with `--publish` it sends as many packets of a test pattern instead (WHIP), or of
the H.264 and the Opus of a Matroska file, at the speed at which they are to be played.
Ends with 1 when that takes longer than two minutes.
"""

import contextlib
import sys
import urllib.error
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

H264 = "application/x-rtp,media=video,encoding-name=H264,payload=96"
OPUS = "application/x-rtp,media=audio,encoding-name=OPUS,payload=97"
CAPS = "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,packetization-mode=(string)1,profile-level-id=(string)42e01f"


class Player:
    def __init__(self, url, pictures, publish, file):
        self.url, self.wanted, self.count, self.session = url, pictures, 0, ""
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline.new()
        self.peer = Gst.ElementFactory.make("webrtcbin")
        self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.peer)
        self.peer.connect("on-ice-candidate", lambda *_: None)
        self.peer.connect("notify::ice-gathering-state", self.gathered)
        if file:
            source = Gst.parse_bin_from_description(
                f"filesrc location={file} ! matroskademux name=parts "
                "parts.video_0 ! queue ! h264parse config-interval=-1 ! identity sync=true "
                f"! rtph264pay config-interval=-1 pt=96 ! {H264} ! identity name=seen signal-handoffs=true "
                f"parts.audio_0 ! queue ! opusparse ! identity sync=true ! rtpopuspay pt=97 ! {OPUS} ! identity name=heard",
                False,
            )
            self.pipeline.add(source)
            for name in ("seen", "heard"):
                pad = Gst.GhostPad.new(name, source.get_by_name(name).get_static_pad("src"))
                source.add_pad(pad)
                pad.link(self.peer.request_pad_simple("sink_%u"))
            source.get_by_name("seen").connect("handoff", self.seen)
        elif publish:
            source = Gst.parse_bin_from_description(
                "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 "
                "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! video/x-h264,profile=constrained-baseline "
                "! rtph264pay config-interval=-1 pt=96 ! "
                f"{H264} ! identity name=seen signal-handoffs=true",
                True,
            )
            source.get_by_name("seen").connect("handoff", self.seen)
            self.pipeline.add(source)
            source.link(self.peer)
        else:
            self.peer.connect("pad-added", self.shown)
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.peer.emit("add-transceiver", direction, Gst.Caps.from_string(CAPS))
        self.peer.connect("on-negotiation-needed", self.offer)

    def offer(self, peer):
        def made(promise, _):
            # Held as long as what lies in it: the bindings copy nothing out of it.
            reply = promise.get_reply()
            peer.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(made, None))

    def gathered(self, peer, _):
        if peer.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        text = peer.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(self.url, text.encode(), {"Content-Type": "application/sdp"})
        try:
            with urllib.request.urlopen(request, timeout=60) as told:
                self.session, answer = told.headers["Location"], told.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                print(refused.code, refused.read().decode(), file=sys.stderr)
            self.loop.quit()
            return
        _, sdp = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        peer.emit("set-remote-description", description, Gst.Promise.new())

    def shown(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        sink = Gst.parse_bin_from_description(
            "rtph264depay ! h264parse ! avdec_h264 ! fakesink name=seen signal-handoffs=true sync=false", True
        )
        sink.get_by_name("seen").connect("handoff", self.seen)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def seen(self, *_):
        self.count += 1
        if self.count == self.wanted:
            GLib.idle_add(self.loop.quit)

    def run(self):
        GLib.timeout_add_seconds(120, self.loop.quit)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect(
            "message::error", lambda _, told: (print(told.parse_error(), file=sys.stderr), self.loop.quit())
        )
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        if self.session:
            base = "/".join(self.url.split("/", 3)[:3])
            request = urllib.request.Request(base + self.session, method="DELETE")
            # A session that ended by itself is not there any more.
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(request, timeout=60).close()
        print(self.count)
        return 0 if self.count >= self.wanted else 1


if __name__ == "__main__":
    Gst.init(None)
    publishing = sys.argv[3:4] == ["--publish"]
    sys.exit(
        Player(sys.argv[1], int(sys.argv[2]), publishing, sys.argv[4] if len(sys.argv) > 4 else "").run()
    )
