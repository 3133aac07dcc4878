"""Janus (Debian's package) as the peer of the video benchmarks: its streaming plugin, fed over RTP with the same access units at the same pace."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from clip import FPS, load
from watchers_pool import own_address

from federation.trunk.frame import VIDEO, Codec, Frame
from node.media.webrtc.ring import Track

_GENERAL = """
general: {{ configs_folder = "{folder}", protected_folders = [], debug_level = 2, log_to_stdout = true, session_timeout = 600, daemonize = false }}
media: {{ ipv6 = false, rtp_port_range = "40000-60000" }}
nat: {{ nice_debug = false, ice_enforce_list = "{address}", ice_consent_freshness = true }}
plugins: {{ disable = "libjanus_audiobridge.so,libjanus_echotest.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_nosip.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,libjanus_voicemail.so,libjanus_lua.so,libjanus_duktape.so" }}
transports: {{ disable = "libjanus_websockets.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_rabbitmq.so,libjanus_pfunix.so" }}
"""

_STREAMING = """
hall: {{
  type = "rtp", id = 1, description = "hall", audio = false, video = true, videoport = {port}, videohost = "127.0.0.1",
  videopt = 96, videocodec = "h264", videofmtp = "profile-level-id=42e01f;packetization-mode=1", videobufferkf = true
}}
"""

_HTTP = """
general: {{ json = "plain", base_path = "/janus", http = true, port = {port}, ip = "127.0.0.1", https = false }}
admin: {{ admin_http = false }}
"""


def _free(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def janus(folder: Path, clip: Path) -> Iterator[tuple[int, str]]:
    """Janus with one mountpoint that shows the clip; its pid and the address of its API."""
    program = shutil.which("janus")
    if program is None:
        raise RuntimeError("janus is not installed: apt-get install janus")
    folder.mkdir()
    media, api = _free(socket.SOCK_DGRAM), _free(socket.SOCK_STREAM)
    for name, text in (
        ("janus.jcfg", _GENERAL.format(folder=folder, address=own_address())),
        ("janus.plugin.streaming.jcfg", _STREAMING.format(port=media)),
        ("janus.transport.http.jcfg", _HTTP.format(port=api)),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    over = threading.Event()
    feeding = threading.Thread(target=_feed, args=(clip, media, over))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-F", str(folder), "-C", str(folder / "janus.jcfg")], stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{api}/janus"
    try:
        _answers(url, process, folder)
        feeding.start()
        yield process.pid, url
    finally:
        over.set()
        if feeding.is_alive():
            feeding.join()
        process.terminate()
        process.wait(30)


def _answers(url: str, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/info", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"janus did not start: {(folder / 'log').read_text(errors='replace')[-2_000:]}")


def _feed(clip: Path, port: int, over: threading.Event) -> None:
    units, track = load(clip), Track(7, 0)
    began, number = time.monotonic(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while not over.wait(max(0.0, began + number / FPS - time.monotonic())):
            keyframe, unit = units[number % len(units)]
            frame = Frame(VIDEO, number, number * 90_000 // FPS, 0, keyframe, Codec.H264, unit)
            number += 1
            if sent := track.put(frame, time.monotonic()):
                for packet in track.take(sent.first, sent.after, 96):
                    out.sendto(packet, ("127.0.0.1", port))
