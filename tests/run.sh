#!/bin/sh
# Runs every test. Those that mostly wait (for images, brokers that die, windows that end, outages) run beside the others.
# Not here: what the tests need (tests/support/ready.sh), and what takes hours (tests/evidence.sh).
set -eu
cd "$(dirname "$0")/.."

waiting="compose faults kill outage page repeats replicas shutdown"

say() { printf '%s\n' "$*" >&2; }
is_waiting() { case " $waiting " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

for name in $waiting; do
    [ -f "tests/$name.rs" ] || { say "tests/run.sh: there is no test $name"; exit 1; }
    beside="${beside:-} --test $name"
done
first="--lib --bins"
for file in tests/*.rs tests/*/main.rs; do
    name=${file#tests/}; name=${name%.rs}; name=${name%/main}
    is_waiting "$name" || first="$first --test $name"
done

run() { cargo test --locked --no-fail-fast "$@"; }

# Built once, or the two would wait for each other.
run --no-run --quiet
said=$(mktemp)
# shellcheck disable=SC2086 # words on purpose
setsid cargo test --locked --no-fail-fast $beside >"$said" 2>&1 &
lane=$!
# A group of its own, so that its tests end with it.
trap 'kill -- "-$lane" 2>/dev/null || true; rm -f "$said"' EXIT
trap 'exit 130' INT TERM

code=0
# shellcheck disable=SC2086 # words on purpose
run $first || code=$?
run --doc || code=$?
say "waiting for the tests that run beside: $waiting"
wait "$lane" || code=$?
cat "$said"
[ "$code" -eq 0 ] || say "some tests failed; see above"
exit "$code"
