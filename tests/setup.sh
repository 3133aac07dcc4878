#!/bin/sh
# Brings the system packages that the tests need, where that is allowed: PostgreSQL's server programs, of which the
# tests start one of their own, ip, which makes network namespaces, openssl,
# which verifies our certificates, a font with Chinese letters, with which reports are drawn, for cameras ffmpeg and GStreamer's
# RTSP server with its Python bindings, and for those who watch Chromium with its driver and GStreamer's webrtcbin. Nothing is started or configured here.
#
# Allowed: with apt-get, as root or where sudo asks no password. Elsewhere it names the package; the tests that need it
# then skip and say so, except where CI=true, where nothing is left out.
set -eu

server() {
    command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

font() {
    ls /usr/share/fonts/truetype/wqy/*.ttc /usr/share/fonts/wqy-*/*.ttc 2>/dev/null | grep -q .
}

cameras() {
    command -v ffmpeg >/dev/null 2>&1 &&
        /usr/bin/python3 -c "import gi; gi.require_version('GstRtspServer', '1.0')" >/dev/null 2>&1 &&
        ls /usr/lib/*/gstreamer-1.0/libgstvideoparsersbad.so /usr/lib/*/gstreamer-1.0/libgstrtp.so >/dev/null 2>&1
}

players() {
    command -v chromedriver >/dev/null 2>&1 && { command -v chromium || command -v chromium-browser; } >/dev/null 2>&1 &&
        /usr/bin/python3 -c "import gi; gi.require_version('GstWebRTC', '1.0')" >/dev/null 2>&1 &&
        ls /usr/lib/*/gstreamer-1.0/libgstnice.so /usr/lib/*/gstreamer-1.0/libgstlibav.so \
            /usr/lib/*/gstreamer-1.0/libgstx264.so /usr/lib/*/gstreamer-1.0/libgstwebrtc.so >/dev/null 2>&1
}

there() {
    server && font && cameras && players && command -v ip >/dev/null 2>&1 && command -v openssl >/dev/null 2>&1
}

if there; then
    exit 0
fi

packages='iproute2 openssl fonts-wqy-zenhei ffmpeg python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad'
# Who watches: a browser with its driver, and GStreamer's webrtcbin with a decoder and an encoder.
packages="$packages chromium chromium-driver gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice gstreamer1.0-libav gstreamer1.0-plugins-ugly"

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root='sudo -n'
fi

if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
    echo "Installing what the tests need (apt-get install postgresql $packages)."
    fetch='apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends'
    $as_root env DEBIAN_FRONTEND=noninteractive sh -eu -c "
        apt-get -qq -o DPkg::Lock::Timeout=300 update
        $fetch $packages
        $fetch postgresql-common
        # The package would otherwise make a database cluster and start it.
        mkdir -p /etc/postgresql-common/createcluster.d
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/zongheng-tests.conf
        trap 'rm -f /etc/postgresql-common/createcluster.d/zongheng-tests.conf' EXIT
        $fetch postgresql
    " >/dev/null || true
fi

if there; then
    exit 0
fi

echo "Not everything is installed: install what is missing (on Debian and Ubuntu: apt-get install postgresql $packages)." >&2
if [ "${CI:-}" = true ]; then
    exit 1
fi
echo 'The tests that need it are skipped.' >&2
