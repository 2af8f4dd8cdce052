#!/bin/sh
# Runs every test. Those that mostly wait (for images, brokers that die, windows that end, outages) run beside the others, in two lanes.
# Not here: what the tests need (tests/support/ready.sh), and what takes hours (tests/evidence.sh).
set -eu
cd "$(dirname "$0")/.."

one="compose faults kill"
other="broker outage page repeats replicas rights shutdown tls upgrade"

say() { printf '%s\n' "$*" >&2; }
is_waiting() { case " $one $other " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# The arguments of cargo for these tests.
named() {
    for name; do
        [ -f "tests/$name.rs" ] || { say "tests/run.sh: there is no test $name"; exit 1; }
        printf -- '--test %s ' "$name"
    done
}

first="--lib --bins"
for file in tests/*.rs tests/*/main.rs; do
    name=${file#tests/}; name=${name%.rs}; name=${name%/main}
    is_waiting "$name" || first="$first --test $name"
done
# shellcheck disable=SC2086 # words on purpose
one=$(named $one) other=$(named $other)

run() { cargo test --locked --no-fail-fast "$@"; }

# Built once, or the lanes would wait for each other.
run --no-run --quiet
said=$(mktemp -d)
# Each lane is a group of its own, so that its tests end with it.
# shellcheck disable=SC2086 # words on purpose
setsid cargo test --locked --no-fail-fast $one >"$said/one" 2>&1 &
lanes=$!
# shellcheck disable=SC2086 # words on purpose
setsid cargo test --locked --no-fail-fast $other >"$said/other" 2>&1 &
lanes="$lanes $!"
trap 'for lane in $lanes; do kill -- "-$lane" 2>/dev/null || true; done; rm -rf "$said"' EXIT
trap 'exit 130' INT TERM

code=0
# shellcheck disable=SC2086 # words on purpose
run $first || code=$?
run --doc || code=$?
say "waiting for the tests that run beside"
for lane in $lanes; do wait "$lane" || code=$?; done
cat "$said/one" "$said/other"
[ "$code" -eq 0 ] || say "some tests failed; see above"
exit "$code"
