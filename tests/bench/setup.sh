#!/bin/sh
# Brings the peer that one benchmark stands beside, where that is allowed: nats-server. Nothing is started or configured
# here.
#
# Allowed: with apt-get, as root or where sudo asks no password. Elsewhere it names the package; relay.vs_jetstream then
# has no result.
set -eu

server() {
    command -v nats-server >/dev/null 2>&1 || [ -x /usr/sbin/nats-server ]
}

if server; then
    exit 0
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root='sudo -n'
fi

if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
    echo 'Installing nats-server for the benchmarks (apt-get install nats-server).'
    # The package would otherwise start it as a service: a policy that says no stands until it is installed.
    $as_root env DEBIAN_FRONTEND=noninteractive sh -eu -c "
        policy=/usr/sbin/policy-rc.d
        if [ ! -e \$policy ]; then
            printf '#!/bin/sh\nexit 101\n' >\$policy
            chmod 755 \$policy
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        apt-get -qq -o DPkg::Lock::Timeout=300 update
        apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends nats-server
    " >/dev/null || true
fi

if ! server; then
    echo 'nats-server is not installed: install it (on Debian and Ubuntu: apt-get install nats-server).' >&2
fi
