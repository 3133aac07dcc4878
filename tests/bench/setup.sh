#!/bin/sh
# Brings the peers that benchmarks stand beside, where that is allowed: nats-server and Janus. Nothing is started or
# configured here.
#
# Allowed: with apt-get, as root or where sudo asks no password. Elsewhere it names the packages; relay.vs_jetstream,
# video.viewer_ms and video.vs_janus then have no result.
set -eu

there() {
    { command -v nats-server >/dev/null 2>&1 || [ -x /usr/sbin/nats-server ]; } && command -v janus >/dev/null 2>&1
}

if there; then
    exit 0
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root='sudo -n'
fi

if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
    echo 'Installing nats-server and Janus for the benchmarks (apt-get install nats-server janus).'
    # The packages would otherwise start them as services: a policy that says no stands until they are installed.
    $as_root env DEBIAN_FRONTEND=noninteractive sh -eu -c "
        policy=/usr/sbin/policy-rc.d
        if [ ! -e \$policy ]; then
            printf '#!/bin/sh\nexit 101\n' >\$policy
            chmod 755 \$policy
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        apt-get -qq -o DPkg::Lock::Timeout=300 update
        apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends nats-server janus
    " >/dev/null || true
fi

if ! there; then
    echo 'Not everything is installed: install what is missing (on Debian and Ubuntu: apt-get install nats-server janus).' >&2
fi
