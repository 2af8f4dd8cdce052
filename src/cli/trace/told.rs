//! What is known of one event, for eyes and as JSON; and what is not.
//!
//! Not here: asking.

use serde_json::{Value, json};

use super::lookups::{Found, LookedUp, Lookups};
use crate::cli::dead_letters::of_keys::Said;
use crate::clock::date_of;
use crate::core::ledger::{Hold, RowEnd};
use crate::ledger::read;
use crate::ready::Ready;

/// What was learned of a key.
pub(super) struct Told<'t> {
    pub(super) key: &'t str,
    pub(super) ready: &'t Ready,
    /// Its rows, or why they cannot be read; none without a ledger.
    pub(super) rows: Option<Result<Vec<read::Found>, String>>,
    pub(super) looked_up: Vec<LookedUp>,
    pub(super) lookups: &'t Lookups,
    /// Its dead letters, or why they cannot be known; none where they were not looked for.
    pub(super) letters: Option<Result<&'t [Said], &'t str>>,
}

impl Told<'_> {
    /// Whether anything is known.
    pub(super) fn is_known(&self) -> bool {
        self.rows().next().is_some() || self.is_found() || self.letters().next().is_some()
    }

    /// Whether it is a process, and nothing else by any of its rows: then no letter of it is there.
    pub(super) fn is_process(&self) -> bool {
        let is_created = |found: &read::Found| matches!(found.row.end, Some(RowEnd::Created(_)));
        self.is_found() || (self.rows().next().is_some() && self.rows().all(is_created))
    }

    fn is_found(&self) -> bool {
        self.looked_up.iter().any(|looked_up| matches!(looked_up.found, Found::Process(..)))
    }

    fn letters(&self) -> impl Iterator<Item = &Said> {
        self.letters.iter().flatten().copied().flatten()
    }

    fn rows(&self) -> impl Iterator<Item = &read::Found> {
        self.rows.iter().flatten().flatten()
    }

    /// For eyes.
    pub(super) fn page(&self) -> String {
        let mut lines = vec![self.key.to_owned()];
        for found in self.rows() {
            lines.extend(facts(found).into_iter().map(|(at, what)| format!("  {at:20}  {what}")));
        }
        lines.extend(self.looked_up.iter().map(|looked_up| format!("  {:20}  {}", "now", answer(looked_up))));
        let dead = &self.ready.config.broker.dead_letter_queue;
        lines.extend(self.letters().map(|said| format!("  {:20}  is a letter in {dead}: {}", said.died, said.words)));
        lines.extend(self.unknown().into_iter().map(|what| format!("  not known: {what}")));
        lines.join("\n")
    }

    /// One object.
    pub(super) fn json(&self) -> Value {
        let rows = self.rows.as_ref().and_then(|rows| rows.as_ref().ok());
        let looked_up: Vec<_> = self.looked_up.iter().map(looked_up).collect();
        json!({
            "key": self.key,
            "known": self.is_known(),
            "ledger": rows.map(|rows| rows.iter().map(row).collect::<Vec<_>>()),
            "looked_up": looked_up,
            "dead_letters": self.letters.and_then(Result::ok).map(|letters| letters.iter().map(|said| &said.json).collect::<Vec<_>>()),
            "not_known": self.unknown(),
        })
    }

    /// What this cannot tell, and why.
    fn unknown(&self) -> Vec<String> {
        let config = &self.ready.config;
        let mut unknown = Vec::new();
        match &self.rows {
            None => unknown.push(
                "attempts, times and replicas: no ledger is configured (ledger.url)".to_owned(),
            ),
            Some(Err(why)) => unknown.push(format!("what the ledger has of it: {why}")),
            Some(Ok(rows)) if rows.is_empty() => unknown.push(
                "whether it was ever received: the ledger has no row of it. None is made before its first create, none for an event \
                 that is known by a hash of its body, and an ended one is kept for ledger.keep"
                    .to_owned(),
            ),
            Some(Ok(_)) => return unknown.into_iter().chain(self.letters_unknown()).collect(),
        }
        if !self.lookups.without.is_empty() {
            let rules = self.lookups.without.join(", ");
            unknown.push(format!(
                "whether a process was made by these rules, which name no reconcile_by or no procedure: {rules}"
            ));
        }
        unknown.extend(self.letters_unknown());
        let work = &config.broker.queue;
        unknown.push(format!(
            "whether it is still in the queue {work} or in one of its delay queues: they are not looked into"
        ));
        unknown
    }

    /// What the dead-letter queue leaves open.
    fn letters_unknown(&self) -> Option<String> {
        let dead = &self.ready.config.broker.dead_letter_queue;
        let became = self.rows().any(|found| matches!(found.row.end, Some(RowEnd::Dead(_))));
        match self.letters? {
            Err(why) => Some(format!("whether it is a dead letter in {dead}: {why}")),
            Ok([]) if became => {
                Some(format!("where its dead letter is: it is not in {dead}; somebody retried it, or took it out"))
            }
            Ok(_) => None,
        }
    }
}

/// What happened to a row, each with its time.
pub(in crate::cli) fn facts(found: &read::Found) -> Vec<(String, String)> {
    let row = &found.row;
    let mut facts = vec![(
        date(row.first_ms),
        format!(
            "claimed first; by now {} (rule {:?}, procedure {}, {})",
            times(row.epoch, "claim"),
            row.rule,
            row.procedure,
            attempts(row.attempts)
        ),
    )];
    if row.sent_ms > 0 {
        facts.push((date(row.sent_ms), format!("create sent last, by {}", row.owner)));
    }
    match &row.end {
        Some(RowEnd::Created(Some(process))) => facts.push((date(row.ended_ms), format!("is the process {process}"))),
        Some(RowEnd::Created(None)) => {
            facts.push((date(row.ended_ms), "is a process whose id the API did not tell".to_owned()));
        }
        Some(RowEnd::Dead(reason)) => facts.push((date(row.ended_ms), format!("became a dead letter: {reason}"))),
        None => facts.push((date(found.now_ms), open(found))),
    }
    if row.unsure_creates > 0 {
        let creates = times(row.unsure_creates.into(), "create");
        facts.push((String::new(), format!("{creates} may have been applied, and nobody has the answer")));
    }
    facts
}

/// How it stands with a row that has not ended.
fn open(found: &read::Found) -> String {
    let owner = &found.row.owner;
    match (found.row.hold, found.lease.is_zero()) {
        (Hold::Free, _) => format!("has not ended; {owner} gave it back, and whoever receives it next goes on"),
        (_, true) => format!("has not ended; {owner} is gone, and whoever receives it next goes on from here"),
        (_, false) => format!("has not ended; {owner} has it, and its lease runs for {} s", found.lease.as_secs()),
    }
}

fn answer(looked_up: &LookedUp) -> String {
    let LookedUp { procedure, attribute, found } = looked_up;
    match found {
        Found::Process(Some(process), 1) => format!("is the process {process} of {procedure}, found by {attribute}"),
        Found::Process(None, 1) => format!("is a process of {procedure}, found by {attribute}"),
        Found::Process(_, copies) => format!("is {copies} processes of {procedure}, found by {attribute}"),
        Found::Absent => format!("{procedure} has no process of it, by {attribute}"),
        Found::Unclear(why) => format!("{procedure} could not be asked: {why}"),
    }
}

/// The same for programs.
pub(in crate::cli) fn row(found: &read::Found) -> Value {
    let row = &found.row;
    let (process, reason) = match &row.end {
        Some(RowEnd::Created(process)) => (process.as_deref(), None),
        Some(RowEnd::Dead(reason)) => (None, Some(reason.as_str())),
        None => (None, None),
    };
    let end = row.end.as_ref().map(|end| if matches!(end, RowEnd::Dead(_)) { "dead_letter" } else { "process" });
    json!({
        "rule": &*row.rule,
        "procedure": &*row.procedure,
        "first_claimed_at": date(row.first_ms),
        "claims": row.epoch,
        "attempts": row.attempts,
        "create_sent_at": (row.sent_ms > 0).then(|| date(row.sent_ms)),
        "unsure_creates": row.unsure_creates,
        "owner": &*row.owner,
        "lease_left_s": found.lease.as_secs(),
        "end": end,
        "ended_at": (row.ended_ms > 0).then(|| date(row.ended_ms)),
        "process": process,
        "reason": reason,
    })
}

fn looked_up(looked_up: &LookedUp) -> Value {
    let (process, copies, error) = match &looked_up.found {
        Found::Process(process, copies) => (process.as_deref(), Some(*copies), None),
        Found::Absent => (None, Some(0), None),
        Found::Unclear(why) => (None, None, Some(why.as_str())),
    };
    json!({
        "procedure": looked_up.procedure,
        "attribute": looked_up.attribute,
        "processes": copies,
        "process": process,
        "error": error,
    })
}

fn date(epoch_ms: i64) -> String {
    date_of(u64::try_from(epoch_ms).unwrap_or(0))
}

fn attempts(count: u32) -> String {
    if count == 0 { "no request answered yet".to_owned() } else { times(count.into(), "answered request") }
}

fn times(count: i64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
