"""A real RTSP camera for tests: GStreamer's server, playing files. Run by the system's Python, which has GStreamer's bindings.

    /usr/bin/python3 serve.py [--port PORT] [--user NAME --password WORD] /path=FILE.mp4 …

Prints its port on loopback as soon as it listens, and serves until it is ended. With a name it asks for digest authentication (RFC 7616). What it
serves is sent in real time from the beginning of the file for each client, and ends with the file.
"""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PAYLOADERS = {
    "h264": "qtdemux ! h264parse ! rtph264pay config-interval=0",
    "h265": "qtdemux ! h265parse ! rtph265pay config-interval=0",
}
"""Parameter sets are in the session description alone, as many cameras do it."""

SOUND = {
    "opus": "opusparse ! rtpopuspay",
    "aac": "aacparse ! rtpmp4gpay",
    "pcma": "opusdec ! audioconvert ! audioresample ! alawenc ! rtppcmapay",
}
"""Files have Opus for `opus` and `pcma`, AAC for `aac`."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="0")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--codec", default="h264", choices=sorted(PAYLOADERS))
    parser.add_argument("--sound", choices=sorted(SOUND))
    parser.add_argument("mounts", nargs="+")
    asked = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(asked.port)
    if asked.user:
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        token = GstRtspServer.RTSPToken()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
        auth.add_digest(asked.user, asked.password, token)
        server.set_auth(auth)
    for mount in asked.mounts:
        path, _, file = mount.partition("=")
        factory = GstRtspServer.RTSPMediaFactory()
        launch = f"filesrc location={file} ! {PAYLOADERS[asked.codec]} name=pay0 pt=96"
        if asked.sound:
            launch = launch.replace("qtdemux", "qtdemux name=file file. ! queue", 1)
            launch += f" file. ! queue ! {SOUND[asked.sound]} name=pay1"
        factory.set_launch(f"( {launch} )")
        factory.set_shared(False)
        if asked.user:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
            permissions.add_permission_for_role(
                "viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True
            )
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    sys.exit(main())
