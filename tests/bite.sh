#!/usr/bin/env bash
# Breaks the daemon in one way at a time, and runs the tests that must notice. A break that no test notices is a failure.
#
#   tests/bite.sh            all of them, and a table
#   tests/bite.sh window …   those whose name holds a word
#   tests/bite.sh --applies  only whether each break still fits the source; a test runs this
#
# What is broken here by hand checks the tests and the tool that breaks everything else: `make mutants`.
# Not here: the tests. It works on a copy of the sources in a temporary folder and needs what `make test` needs.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/bite} CARGO_TERM_COLOR=never
applies=no
if [ "${1:-}" = --applies ]; then applies=yes; shift; fi
wanted=("$@")
lives=0
table=()

is_wanted() { # name
  [ ${#wanted[@]} -eq 0 ] && return 0
  local word
  for word in "${wanted[@]}"; do [[ $1 == *"$word"* ]] && return 0; done
  return 1
}

bite() { # name, file, what stands there, what is put there, the arguments of cargo test…
  local name=$1 file=$copy/$2 old=$3 new=$4 whole
  shift 4
  is_wanted "$name" || return 0
  whole=$(cat "$file")
  if [[ $whole != *"$old"* ]]; then
    echo "$name: $file does not hold: $old" >&2
    exit 1
  fi
  if [ "$applies" = yes ]; then table+=("$name"); return 0; fi
  printf '%s\n' "${whole/"$old"/"$new"}" >"$file"
  printf '%s … ' "$name" >&2
  local log=$copy/bite.log caught
  if (cd "$copy" && env KILLS=2 timeout 900 cargo test --quiet --locked "$@" >"$log" 2>&1); then
    caught="NOT noticed"
    lives=$((lives + 1))
  elif grep -q '^error\(\[E[0-9]*\]\)\?:.*\(could not compile\|expected\|cannot find\)' "$log"; then
    echo "it does not compile:" >&2
    grep -m 5 -A 6 '^error' "$log" >&2
    exit 1
  else
    caught=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p; s/^\([a-z0-9_:]*\) --- FAILED$/\1/p' "$log" | sort -u | sed 's/^.*:://; s/.*/`&`/' | head -n 3 | paste -sd ' ')
    [ -n "$caught" ] || caught=$(tail -n 1 "$log")
    # The last three columns of the account that tests/kill.rs prints.
    caught+=$(sed -n 's/^\(| [0-9]* \)\{6\}| \([0-9]*\) | \([0-9]*\) | \([0-9]*\) |$/: lost \2, duplicated \3, unexpected \4/p' "$log" | head -n 1)
  fi
  echo "$caught" >&2
  table+=("| $name | $caught |")
  printf '%s\n' "$whole" >"$file"
}

progress=src/core/progress.rs
pure=(--lib --test model --test path)

bite "no lookup before a repeat" src/core/delivery/open.rs \
  'let lookup = sent.or(request.lookup.as_ref()).cloned()' 'let lookup = sent.or(request.lookup.as_ref()).filter(|_| false).cloned()' --test kill
bite "acknowledged before the confirm" src/amqp/settle.rs \
  'self.delay(number, delay_queue, &delayed_state),' '{ self.delay(number, delay_queue, &delayed_state); drop(done.insert(number)); }' --test kill
bite "a redelivered event is created at once" $progress \
  'if can_look_up && !is_fresh {' 'if can_look_up && !is_fresh && !redelivered {' "${pure[@]}"
bite "the window of a lookup is cut short" $progress \
  'if !left.is_zero() {' 'if left > policy.initial * 1000 {' "${pure[@]}"
bite "a third create" $progress \
  'pub const CREATES_MAX: u32 = 2;' 'pub const CREATES_MAX: u32 = 3;' "${pure[@]}"
bite "what was refused with an error text is created again" $progress \
  'self.refused = Some(refused);' 'drop(refused);' "${pure[@]}"
bite "a request that was cut off is forgotten" $progress \
  'self.unsure_creates = self.unsure_creates.saturating_add(1);
            self.since_create' 'self.since_create' "${pure[@]}"
bite "a 500 is taken for a refusal to begin" src/core/judge.rs \
  '500..=599 => Judgement::Unsure {' '500..=599 => Judgement::Retry {' "${pure[@]}"
bite "a bad token is the event's fault" src/core/judge.rs \
  '401 | 419 | 440 | 498 =>' '419 | 440 | 498 =>' "${pure[@]}"
bite "any row is a find" src/core/lookup.rs \
  'is_some_and(|value| is_same(value, &lookup.value))' 'is_some()' "${pure[@]}"
bite "a message of an event goes beside the other" src/core/delivery/repeats.rs \
  'if !self.held.copies(id).any(goes_first) {' 'if self.held.copies(id).filter(|other| goes_first(other)).nth(9).is_none() {' "${pure[@]}"
bite "what is published again is created again" src/core/delivery/open.rs \
  'Known::Created(process) if has_returned || !is_retry' 'Known::Created(process) if has_returned' "${pure[@]}"
bite "what a schema refuses is sent" src/core/mapping/rules.rs \
  'schemas.refuse(&head.procedure, &content, |name| rule.writes(name))' \
  'schemas.refuse(&head.procedure, &content, |name| rule.writes(name)).filter(|_| false)' "${pure[@]}"
bite "a case never fails" src/core/case.rs \
  'self.wrong.is_empty()' 'self.wrong.len() < 99' --lib --test verbs
bite "what is left of a wait is forgotten" src/core/delay_queue.rs \
  '(delay_queue, wait.saturating_sub(delay_queue.wait))' '(delay_queue, Duration::ZERO)' "${pure[@]}"
bite "what comes back is looked up by the rule of now" src/core/delivery/open.rs \
  'last.as_deref().or(sent)' 'last.as_deref().and(sent)' --test path
bite "a create is looked up where an earlier one went" src/core/delivery/begin.rs \
  'event.goes_out();' '' --test path

bite "one event that a firewall refuses shuts its procedure again and again" src/core/gate/evidence.rs \
  'if !seen.is_alone && ' 'if ' "${pure[@]}"
bite "a failing procedure holds every place" src/core/delivery/places.rs \
  'if self.has_others(procedure) {
            self.quarter()' 'if self.has_others(procedure) {
            usize::MAX' "${pure[@]}"
bite "a run of rejections holds no rule" src/core/delivery/brake.rs \
  'limit == 0 || brake.rejections < limit' 'limit == 0 || brake.rejections < limit.saturating_mul(99)' "${pure[@]}"
bite "an outage spends the repeats" src/core/delivery/begin.rs \
  'if self.waits_in_doubt(id) {' 'if self.waits_in_doubt(id) && false {' "${pure[@]}"

bite "a process is created before its upload has ended" src/core/delivery/begin.rs \
  'self.begins_photo(id)' '(self.begins_photo(id) && false)' --test model pictured
bite "an upload without an answer is taken for done" src/core/photo/judge.rs \
  '(Judgement::Unsure { cause, after }, _) => Judgement::Retry { cause, after }' \
  '(Judgement::Unsure { .. }, _) => Judgement::Created { process: None }' --test model pictured
bite "what one message of an event goes without the other names" src/core/delivery/event.rs \
  'self.leave_photos_out();' '' --lib delivery::tests::photos
bite "a late claim of a photo hides a create" src/core/ledger/claimed.rs \
  'claim.sends.is_some() && is_the_next' 'is_the_next' --lib

bite "recorded after the ack" src/core/delivery/walk.rs \
  'let Some((context, ended)) = self.record_process(context, ended, progress) else { return };' '' "${pure[@]}"
bite "a claim is ignored" src/core/ledger/claimed.rs \
  'if row.hold != Hold::Free && *row.owner != *asker.owner && !asker.lease.is_zero() {' \
  'if row.hold != Hold::Free && *row.owner != *asker.owner && asker.lease.is_zero() {' "${pure[@]}"
bite "what an earlier owner sent is forgotten" src/core/ledger/claimed.rs \
  'left.unsure_creates > known' 'left.unsure_creates > known + 9' "${pure[@]}"
bite "as many creates as a message brought are taken for those of its row" src/core/ledger/claimed.rs \
  'if can_look_up && left.since_sent.is_some() { 0 } else { claim.unsure_creates }' 'claim.unsure_creates' --lib

bite "a dead letter ends the row that another message has" src/core/ledger/recorded.rs \
  'let lives = *row.owner == *asker.owner || !asker.lease.is_zero();' \
  'let lives = *row.owner != *asker.owner && !asker.lease.is_zero();' --lib
bite "a claim that is applied late takes a row that was given back" src/core/ledger/recorded.rs \
  'let was_free = row.hold == Hold::Free && row.ticket < record.claim.ticket;' \
  'let was_free = row.hold == Hold::Free && row.ticket > record.claim.ticket;' --lib
bite "what was sent is forgotten with another's verdict" src/core/delivery/repeats.rs \
  'let dead = dead.after((&event.progress, sent.cloned().map(Box::new)));' 'let _: Option<_> = sent;' "${pure[@]}"
bite "a row is ended whatever became of it" src/ledger/once_sqlite.rs \
  'AND l.revision = x.revision - 1)) \' 'AND true)) \' --test ledger both
bite "a claim is answered before it is committed" src/ledger/once.rs \
  'let counts = asked.fetch_all(connection).await' 'let counts = futures_util::TryStreamExt::try_next(&mut asked.fetch(connection)).await.map(Vec::from_iter)' --test ledger

if [ "$applies" = yes ]; then echo "${#table[@]} breaks fit the source"; exit 0; fi
printf '| broken so | noticed by |\n| --- | --- |\n'
printf '%s\n' "${table[@]}"
[ "$lives" -eq 0 ] || { echo "$lives of ${#table[@]} were not noticed" >&2; exit 1; }
