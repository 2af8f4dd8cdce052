#!/usr/bin/env bash
# Runs what takes longer than CI, and writes the tables that it prints into EVIDENCE.md, each between its markers.
#
#   tests/evidence.sh               all tables; some hours
#   tests/evidence.sh kill …        these
#   tests/evidence.sh --quick …     as short as they go, into target/evidence/EVIDENCE.md: tries the commands and this script
#   tests/evidence.sh --list        the names of the tables
#   tests/evidence.sh --from FILE NAME   writes what an earlier run printed, into the copy as --quick does; nothing is run
#
# A table is every line that begins with `|`; all that a command prints stands in target/evidence/NAME.log. What fails is not
# written, and the next one is run. Not here: what is measured.
set -euo pipefail
cd "$(dirname "$0")/.."

tables=(kill kill-unread kill-sqlite kill-postgres kill-photos kill-outcomes retry-killed many-letters outage-token outage-away replicas repeats cluster upgrade walks bench-mapping bench-admin bench-neighbours)
logs=${CARGO_TARGET_DIR:-target}/evidence
page=EVIDENCE.md
is_quick=no
from=

# The command of a table, as a person types it: the long one, or the short one.
command_of() { # name
  local test="cargo test --test" shown="-- --nocapture" bench="cargo bench --bench" quick=$is_quick
  short() { [ "$quick" = yes ] && echo "$1" || echo "$2"; }
  case $1 in
    kill) echo "KILLS=$(short 1 100) $test kill $shown killed_at_every_point_nothing" ;;
    kill-unread) echo "KILLS=$(short 1 100) $test kill $shown full_log_pipe" ;;
    kill-sqlite) echo "KILLS=$(short 1 50) $test kill $shown write_with_sqlite" ;;
    kill-postgres) echo "KILLS=$(short 1 50) $test kill $shown write_with_postgres" ;;
    kill-photos) echo "PHOTO_KILLS=$(short 6 200) $test photos $shown kills::" ;;
    kill-outcomes) echo "OUTCOMES_KILLS=$(short 6 200) $test outcomes $shown killed::" ;;
    retry-killed) echo "KILLS=$(short 1 50) $test broker $shown night_killed" ;;
    many-letters)
      echo "cargo build --release && LETTERS=$(short 3000 100000) CHAKRA_BRIDGE_TEST_PROGRAM=target/release/chakra-bridge $test broker $shown many_letters" ;;
    outage-token) echo "OUTAGE_SECONDS=$(short 60 600) OUTAGE_EVENTS=$(short 100 1000) $test outage $shown bad_token" ;;
    outage-away) echo "OUTAGE_SECONDS=$(short 60 300) OUTAGE_EVENTS=$(short 400 5000) $test outage $shown away" ;;
    repeats) echo "REPEATS_EVENTS=$(short 400 5000) $test repeats $shown" ;;
    replicas) echo "$test replicas $shown" ;;
    cluster) echo "$test faults $shown cluster::" ;;
    upgrade) echo "$test upgrade $shown" ;;
    walks) echo "MODEL_WALKS=$(short 200 100000) $test model --config .ci/bench.toml $shown long_random_walks" ;;
    bench-mapping) echo "$bench mapping" ;;
    bench-admin) echo "$bench admin" ;;
    bench-neighbours) echo "NEIGHBOURS_SECONDS=$(short 5 60) $bench neighbours$(short " -- A.1" "")" ;;
    *) echo "no table \"$1\"; there are: ${tables[*]}" >&2; return 64 ;;
  esac | sed 's/  */ /g'
}

elapsed() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Runs it, and says every half minute how long it has taken.
run() { # name, command
  local log=$logs/$1.log began=$SECONDS running
  echo "$1: $2" >&2
  bash -c "$2" >"$log" 2>&1 &
  running=$!
  while kill -0 "$running" 2>/dev/null; do
    for _ in $(seq 30); do kill -0 "$running" 2>/dev/null || break; sleep 1; done
    echo "  $1 at $(elapsed $((SECONDS - began))): $(tail -n 1 "$log" | cut -c 1-120)" >&2
  done
  wait "$running" || { echo "$1 FAILED; its output is $log:" >&2; tail -n 20 "$log" >&2; return 1; }
}

# The tables of an output, a head that is printed again left out; and under them the command, the source and the time.
table() { # output, command, how long
  local source; source=$(git describe --always --dirty 2>/dev/null || echo "no history")
  awk '/^\| --- / { if (head != kept) { if (kept) print ""; print head; print; kept = head } head = ""; next }
       /^\|/ { if (head) print head; head = $0; next }
       { if (head) print head; head = "" }
       END { if (head) print head }' "$1"
  printf '\n`%s`, of %s, on %s%s.\n' "$2" "$source" "$(date -u +%F)" "$3"
}

write() { # name, file with the text
  grep -q "^<!-- evidence: $1 -->$" "$page" || { echo "$page has no marker of $1" >&2; return 1; }
  awk -v mark="<!-- evidence: $1 -->" -v file="$2" '
    $0 == mark { print; while ((getline line < file) > 0) print line; skips = 1; next }
    $0 == "<!-- end -->" { skips = 0 }
    !skips { print }' "$page" >"$page.new"
  mv "$page.new" "$page"
}

make_table() { # name
  local command output took="" began=$SECONDS
  command=$(command_of "$1")
  if [ -n "$from" ]; then output=$from; else
    run "$1" "$command" || return 1
    output=$logs/$1.log
    took=", in $(elapsed $((SECONDS - began)))"
  fi
  grep -q '^| --- ' "$output" || { echo "$1: no table in $output" >&2; return 1; }
  table "$output" "$command" "$took" >"$logs/$1.md"
  write "$1" "$logs/$1.md" || return 1
  echo "$1: written to $page" >&2
}

mkdir -p "$logs"
wanted=()
while [ $# -gt 0 ]; do
  case $1 in
    --list) printf '%s\n' "${tables[@]}"; exit 0 ;;
    --quick) is_quick=yes ;;
    --from) from=$2; shift ;;
    *) command_of "$1" >/dev/null; wanted+=("$1") ;;
  esac
  shift
done
[ ${#wanted[@]} -gt 0 ] || wanted=("${tables[@]}")
if [ "$is_quick" = yes ] || [ -n "$from" ]; then
  cp EVIDENCE.md "$logs/EVIDENCE.md"
  page=$logs/EVIDENCE.md
fi
failed=()
for name in "${wanted[@]}"; do make_table "$name" || failed+=("$name"); done
[ ${#failed[@]} -eq 0 ] || { echo "not written: ${failed[*]}" >&2; exit 1; }
