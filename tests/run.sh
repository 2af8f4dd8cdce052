#!/bin/sh
# Runs every test, in lanes side by side: those that mostly wait (for brokers that die, windows that end, outages), those that wait for
# an image to be built, and the rest.
# Not here: what the tests need (tests/support/ready.sh), and what takes hours (tests/evidence.sh).
set -eu
cd "$(dirname "$0")/.."

images="compose image"
brokers="broker page repeats replicas rights shutdown"
outages="faults kill outage tls upgrade"
# Those that whoever asks runs in another way.
elsewhere=${TESTS_ELSEWHERE:-}

say() { printf '%s\n' "$*" >&2; }
run() { cargo test --locked --no-fail-fast "$@"; }
is_apart() { case " $images $brokers $outages $elsewhere " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# What cargo is told of these tests.
named() {
    for name; do
        [ -f "tests/$name.rs" ] || { say "tests/run.sh: there is no test $name"; exit 1; }
        printf -- '--test %s ' "$name"
    done
}

# A lane of its own, in a group of its own so that its tests end with it.
begin() { # its name, what cargo is told
    # shellcheck disable=SC2086 # words on purpose
    setsid cargo test --locked --no-fail-fast $2 >"$said/$1" 2>&1 &
    lanes="$lanes $!"
}

rest="--lib --bins"
for file in tests/*.rs tests/*/main.rs; do
    name=${file#tests/}; name=${name%.rs}; name=${name%/main}
    is_apart "$name" || rest="$rest --test $name"
done
# shellcheck disable=SC2086 # words on purpose
images=$(named $images) brokers=$(named $brokers) outages=$(named $outages)

# Built once, or the lanes would wait for each other.
run --no-run --quiet
said=$(mktemp -d)
lanes=
trap 'for lane in $lanes; do kill -- "-$lane" 2>/dev/null || true; done; rm -rf "$said"' EXIT
trap 'exit 130' INT TERM
begin images "$images"
begin brokers "$brokers"
begin outages "$outages"

[ -z "$elsewhere" ] || say "not here, since they are run in another way: $elsewhere"
code=0
# shellcheck disable=SC2086 # words on purpose
run $rest || code=$?
run --doc || code=$?
say "waiting for the tests that run beside"
for lane in $lanes; do wait "$lane" || code=$?; done
cat "$said"/*
[ "$code" -eq 0 ] || say "some tests failed; see above"
exit "$code"
