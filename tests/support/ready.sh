#!/bin/sh
# Makes sure that the tests and the demonstration find Rust, a C compiler, a RabbitMQ and a Postgres, and says what is missing.
# A broker is looked for as the tests look for it: named in CHAKRA_BRIDGE_TEST_AMQP, a local rabbitmq-server, Docker.
# Where there is none, it comes from the package manager; on a terminal only after a yes. Postgres and Chromium are for `ready.sh tests` alone.
# Not here: starting a broker. Each test starts and ends its own, and a system's own node is left alone.
set -eu

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
fail() { say "$*"; exit 1; }

systemd_runs() { [ -d /run/systemd/system ] && have systemctl; }
server_is_here() { [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || have rabbitmq-server; }

# An engine that cannot get the image is no broker.
docker_has_image() {
    have docker && docker version >/dev/null 2>&1 || return 1
    image=${CHAKRA_BRIDGE_TEST_IMAGE:-rabbitmq:3-management}
    docker image inspect "$image" >/dev/null 2>&1 && return
    say "fetching the image $image"
    docker pull --quiet "$image" >&2
}

broker_is_here() {
    [ -n "${CHAKRA_BRIDGE_TEST_AMQP:-}" ] || server_is_here || docker_has_image
}

# The tests of the ledger start private servers of it; without one they say that they are skipped.
postgres_is_here() {
    for initdb in /usr/lib/postgresql/*/bin/initdb; do [ -x "$initdb" ] && return; done
    return 1
}

# The tests of the status page drive it; without one they say that they are skipped.
browser_is_here() { have chromium || have chromium-browser || have google-chrome; }
browser_is_a_package() { grep -q '^ID=debian$' /etc/os-release 2>/dev/null; }

# Sets `root` to the command in front of apt-get.
may_install() {
    have apt-get || return 1
    if [ "$(id -u)" -eq 0 ]; then root=''
    elif have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then root=sudo
    else return 1
    fi
}

agrees() {
    [ -t 0 ] || { say "installing with apt-get: $missing"; return; }
    printf 'Install with apt-get: %s? [y/N] ' "$missing" >&2
    read -r answer || return 1
    case $answer in [yYjJ]*) ;; *) return 1 ;; esac
}

# What a test uses is private: a service that the package has just started is of no use to it.
stop_new_service() {
    if systemd_runs && systemctl is-active --quiet "$1"; then
        say "stopping and disabling the service that the new package $1 started"
        $root systemctl disable --now --quiet "$1"
    fi
}

install_missing() {
    $root apt-get update -qq
    # shellcheck disable=SC2086 # words on purpose
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
    for service in rabbitmq-server postgresql; do
        case " $missing " in *" $service "*) stop_new_service "$service" ;; esac
    done
}

have cargo || fail "no cargo found: install Rust (https://rustup.rs), or put ~/.cargo/bin on the PATH"

missing=''
have cc || missing="gcc libc6-dev"
broker_is_here || missing="${missing:+$missing }rabbitmq-server"
if [ "${1:-}" = tests ] && ! postgres_is_here; then
    if may_install; then missing="${missing:+$missing }postgresql"; else say "no Postgres: the tests of a ledger on it are skipped"; fi
fi
if [ "${1:-}" = tests ] && ! browser_is_here; then
    if browser_is_a_package && may_install; then missing="${missing:+$missing }chromium"; else say "no Chromium: the test of the status page is skipped"; fi
fi
[ -n "$missing" ] || exit 0

by_hand="missing: $missing. Install them"
case " $missing " in
*" rabbitmq-server "*) by_hand="$by_hand (or start Docker, or set CHAKRA_BRIDGE_TEST_AMQP to the URL of a broker)" ;;
esac
may_install || fail "$by_hand; this script can only do it with apt-get, as root or with sudo"
agrees || fail "$by_hand"
install_missing
have cc || fail "there is still no C compiler named cc"
broker_is_here || fail "there is still no RabbitMQ"
