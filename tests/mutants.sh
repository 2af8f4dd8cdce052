#!/usr/bin/env bash
# Breaks the delivery machine, the gate and the AMQP room in every way that cargo-mutants knows, one at a time, and runs the
# tests that must notice. First those of the library: for `core`, which knows no other room, in a package that is nothing else and
# so is compiled in seconds. What they let live meets the model and the tests of the path, in the whole.
#
#   tests/mutants.sh              all of them: a night
#   tests/mutants.sh -f 'src/core/gate/**' --shard 1/8    a part: what is behind the name goes to cargo-mutants
#   tests/mutants.sh --change     those on the lines of a change, for MUTANTS_SECONDS (240): since CHAKRA_BRIDGE_BASE, the commit
#                                 where this branch left origin/main, or the commit before this one
#
# It works on a copy of the sources, and shares the compiled crates with the tests. What survives stands in
# target/mutants/in-all/mutants.out/missed.txt: kill it by a law, or explain it in .cargo/mutants.toml. `make mutants` sets the tool up.
# Not here: the breaks by hand that show that the tests bite (tests/bite.sh).
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
out=$target/mutants
PATH=$out/bin:$PATH
# The programs of the mutants lie apart; the crates are compiled once. Without lines in backtraces the builds are quicker.
export CARGO_TARGET_DIR=$out/build CARGO_BUILD_BUILD_DIR=$target CARGO_PROFILE_DEV_DEBUG=false CARGO_TERM_COLOR=never
seconds=${MUTANTS_SECONDS:-}
arguments=("$@")

# How many of a kind: caught, missed, timeout or unviable.
count() { # kind, passes…
  local kind=$1 pass sum=0; shift
  for pass in "$@"; do
    if [ -f "$out/$pass/mutants.out/$kind.txt" ]; then sum=$((sum + $(wc -l <"$out/$pass/mutants.out/$kind.txt"))); fi
  done
  echo "$sum"
}

# A package of this name that is `core` alone.
make_core() {
  rm -rf "$out/core"
  mkdir -p "$out/core/src" "$out/core/.cargo"
  sed '/^\[\[/,/^$/d' Cargo.toml >"$out/core/Cargo.toml"
  cp Cargo.lock "$out/core/"
  cp .cargo/mutants.toml "$out/core/.cargo/"
  cp -r src/core "$out/core/src/"
  mkdir "$out/core/tests" && cp -r tests/image "$out/core/tests/"
  printf '//! What decides, alone.\n#![allow(dead_code)]\npub mod core;\n' >"$out/core/src/lib.rs"
}

# A pass over the mutants with these targets of the tests, of which each run may take so long: one that never ends is noticed by
# that. That some live, and that time was up, is told at the end.
pass() { # name, how long, how long each, arguments of cargo-mutants…
  local name=$1 limit=$2 each=$3 code=0; shift 3
  mkdir -p "$out/$name"
  RUST_BACKTRACE=0 timeout --signal INT --kill-after 60 "$limit" nice cargo mutants --output "$out/$name" --baseline skip \
    --timeout "$each" --no-shuffle --colors never "${arguments[@]}" "$@" || code=$?
  case $code in 0 | 2 | 3) ;; 1 | 124 | 130) is_short=yes ;; *) return "$code" ;; esac
}

if [ "${1:-}" = --change ]; then
  base=${CHAKRA_BRIDGE_BASE:-$(git merge-base HEAD origin/main 2>/dev/null || true)}
  [ -n "$base" ] && [ "$(git rev-parse "$base")" != "$(git rev-parse HEAD)" ] || base=$(git rev-parse HEAD^)
  mkdir -p "$out"
  git diff "$base" -- src >"$out/change.diff"
  arguments=(--in-diff "$out/change.diff")
  seconds=${seconds:-240}
  echo "the lines that changed since $(git log -1 --format='%h, %s' "$base")"
fi
total=$(cargo mutants --list "${arguments[@]}" 2>/dev/null | grep -c . || true)
if [ "$total" -eq 0 ]; then echo "mutants: none on these lines"; exit 0; fi

is_short=no
rm -rf "$out/in-core" "$out/in-rooms" "$out/in-all"
first=${seconds:-604800}
make_core
began=$SECONDS
# Those of the tests that are about these; the others take ten times as long.
pass in-core $((first * 2 / 3)) 30 --dir "$out/core" --cargo-arg=--lib -- -- core::delivery core::gate core::ledger core::progress core::recent
left=$((first * 2 / 3 - SECONDS + began))
[ "$left" -lt 30 ] || pass in-rooms "$left" 120 --exclude 'src/core/**' --cargo-arg=--lib
firsts=(in-core in-rooms)
tried=0
for kind in caught missed timeout unviable; do tried=$((tried + $(count "$kind" "${firsts[@]}"))); done
suspects=$(count missed "${firsts[@]}")
if [ "$suspects" -gt 0 ]; then
  # Only what the library's tests let live.
  cat "$out"/in-{core,rooms}/mutants.out/missed.txt 2>/dev/null \
    | sed 's/^\([^:]*:[0-9]*:[0-9]*\): .*/\1/' | sort -u >"$out/suspects"
  mapfile -t names < <(sed 's/[][().*+?^$\\|{}]/\\&/g; s/^/^/; s/$/:/' "$out/suspects")
  filters=(); for name in "${names[@]}"; do filters+=(--re "$name"); done
  pass in-all $((first / 3)) 120 --cargo-arg=--test --cargo-arg=model --cargo-arg=--test --cargo-arg=path "${filters[@]}"
fi
left=$((suspects - $(count caught in-all) - $(count timeout in-all)))
echo "mutants: $total; tried $tried, not tried for want of time $((total - tried)); the library's tests let $suspects live, all let $left live"
[ "$left" -eq 0 ] || { sed 's/^/  lives: /' "$out/in-all/mutants.out/missed.txt"; echo "kill each by a law, or explain it in .cargo/mutants.toml"; exit 1; }
