#!/bin/sh
# Runs every test, in three lanes beside each other: those that need the image, for which two images are built; those that mostly
# wait (for brokers that die, windows that end, outages), with the walks of the model, which need nothing; and all others.
# Not here: what the tests need (tests/support/ready.sh), and what takes hours (tests/evidence.sh).
set -eu
cd "$(dirname "$0")/.."

images="compose image"
waiting="faults kill outage page repeats replicas shutdown tls upgrade model"

say() { printf '%s\n' "$*" >&2; }
is_beside() { case " $images $waiting " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# The arguments that name these tests.
targets() {
    for name; do
        [ -f "tests/$name.rs" ] || { say "tests/run.sh: there is no test $name"; exit 1; }
        printf -- '--test %s ' "$name"
    done
}

others="--lib --bins"
for file in tests/*.rs tests/*/main.rs; do
    name=${file#tests/}; name=${name%.rs}; name=${name%/main}
    is_beside "$name" || others="$others --test $name"
done

run() { cargo test --locked --no-fail-fast "$@"; }

# shellcheck disable=SC2086 # words on purpose
of_images=$(targets $images)
# shellcheck disable=SC2086
of_waiting=$(targets $waiting)
# Built once, or they would wait for each other.
run --no-run --quiet
said=$(mktemp -d)
# Each in a group of its own, so that its tests end with it.
# shellcheck disable=SC2086
setsid cargo test --locked --no-fail-fast $of_images >"$said/images" 2>&1 &
lane_of_images=$!
# shellcheck disable=SC2086
setsid cargo test --locked --no-fail-fast $of_waiting >"$said/waiting" 2>&1 &
lane_that_waits=$!
trap 'kill -- "-$lane_of_images" "-$lane_that_waits" 2>/dev/null || true; rm -rf "$said"' EXIT
trap 'exit 130' INT TERM

code=0
# shellcheck disable=SC2086 # words on purpose
run $others || code=$?
run --doc || code=$?
say "waiting for the tests that run beside: $images $waiting"
wait "$lane_of_images" || code=$?
wait "$lane_that_waits" || code=$?
cat "$said/images" "$said/waiting"
[ "$code" -eq 0 ] || say "some tests failed; see above"
exit "$code"
