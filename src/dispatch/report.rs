//! What the machine tells, as log lines and metrics.
//!
//! Not here: deciding anything, and the lines of single events (`events`). Keys, rules and ids are told; payloads and secrets
//! never.

mod events;
mod gates;
mod outcomes;
mod photos;
mod warnings;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{epoch_ms, seconds};
use crate::core::delivery::{Doubt, GateReport, LettersState, Report};
use crate::core::event::Key;
use crate::core::gate::{Change, Moment, Why};
use crate::core::lookup_check::{CheckResult, Replaced};
use crate::core::mapping::rules::Rules;
use crate::core::next_step::next_step;
use crate::core::thinning::Thinning;
use crate::handover::prefetch::WantedPrefetch;
use crate::metrics::Metrics;
use crate::states::dead_letters::DeadLetters;
use crate::states::lookups::LookupWaits;
pub(super) use gates::Gates;
use warnings::Of;

/// What readiness says of a rule that is held begins with this.
const RULE: &str = "rule ";

/// Outcomes that say that the API took the token.
const ACCEPTED: [&str; 5] = ["created", "error_reply", "reject", "found", "absent"];

fn held(rule: &str) -> String {
    format!("{RULE}{rule}: held after a run of rejections")
}

/// Tells.
pub(super) struct Reporter {
    metrics: Arc<Metrics>,
    shut: watch::Sender<Vec<String>>,
    gates: Gates,
    waits: watch::Sender<LookupWaits>,
    thinning: Thinning,
    letters: watch::Sender<DeadLetters>,
}

impl Reporter {
    /// One that shows from the start what it may come to tell, so that an alert on a rate sees the first increase.
    pub(super) fn new(
        metrics: Arc<Metrics>,
        shut: watch::Sender<Vec<String>>,
        gates: Gates,
        waits: watch::Sender<LookupWaits>,
        letters: watch::Sender<DeadLetters>,
    ) -> Self {
        Doubt::ALL.iter().for_each(|doubt| metrics.foresee_possible_duplicate(doubt.as_str()));
        Self { metrics, shut, gates, waits, letters, thinning: Thinning::default() }
    }

    /// Tells what a storm left out, if it is over by `now`.
    pub(super) fn catch_up(&mut self, now: Moment) {
        self.tell_left_out(now);
    }

    /// The levels of now: events held, those of them with a request under way, requests under way, and what the ramp allows.
    pub(super) fn levels(&self, held: usize, running: usize, requests: usize, ramp: u32) {
        self.metrics.unacknowledged(held);
        self.metrics.in_flight(requests);
        self.metrics.waiting(held.saturating_sub(running));
        self.metrics.ramp(ramp);
    }

    /// So many dead letters wait for a queue that takes them.
    pub(super) fn letters(&self, waiting: usize) {
        self.metrics.dead_letters_waiting(waiting);
    }

    /// Tells. `now` is for the lines of which a storm leaves some out.
    pub(super) fn tell(&mut self, report: Report, now: Moment) {
        match report {
            Report::Received => self.metrics.received(),
            Report::Traced(_) => {}
            Report::Settled(settled) => self.settled(&settled, now),
            Report::TryFailed(failed) => self.try_failed(&failed, now),
            Report::NoDescriptors => self.metrics.descriptors().short("api", epoch_ms()),
            Report::CameBack(returns) => events::came_back(&returns),
            Report::Answered { outcome, status, took } => self.answered(outcome, status, took),
            Report::Photos(report) => self.photo_told(&report),
            Report::Probe => self.metrics.probe(),
            Report::PossibleDuplicate { doubt, key, rule, trace } => {
                self.metrics.possible_duplicate(doubt.as_str());
                warnings::possible_duplicate(doubt, &Of::event(key.as_ref(), rule.as_deref(), trace));
            }
            Report::Duplicates { key, rule, trace, copies } => {
                self.metrics.duplicate_seen();
                warnings::duplicates(copies, &Of::event(key.as_ref(), rule.as_deref(), trace));
            }
            Report::KeyReused { key, rule, trace, process, is_first } => {
                self.metrics.key_reused(rule.as_deref().unwrap_or_default());
                if is_first {
                    warnings::key_reused(process.as_deref(), &Of::event(key.as_ref(), rule.as_deref(), trace));
                }
            }
            Report::LookupRefused { key, rule, trace, status } => {
                warnings::lookup_refused(status, &Of::event(key.as_ref(), rule.as_deref(), trace));
            }
            Report::Unrecorded { key, rule, trace } => {
                self.metrics.ledger_unrecorded();
                warnings::unrecorded(&Of::event(key.as_ref(), rule.as_deref(), trace));
            }
            Report::Outcome(kind, told) => self.metrics.outcome_told(kind.as_str(), told.as_str()),
            Report::OutcomesWait(waits) => self.outcomes_wait(waits),
            Report::Gate(report) => self.gate(*report),
            Report::RuleHeld { rule, rejections } => {
                self.metrics.rule_held(&rule, true);
                self.shut.send_modify(|shut| shut.push(held(&rule)));
                tracing::warn!(
                    %rule,
                    rejections,
                    "rule held: so many of its events in a row were rejected; the others wait, and one asks each 5 s. It goes on when one is created, when the rules are reloaded (SIGHUP), or by `chakra-bridge resume --rule`"
                );
            }
            Report::RuleReleased { rule, after } => self.rule_released(&rule, after),
            Report::Checked { rule, result } => self.checked(&rule, result),
            Report::Rules(rules, replaced) => self.rules(&rules, &replaced),
            Report::Windows { events, left, is_news } => self.windows(events, left, is_news),
            Report::Letters(state) => self.letters_told(state),
            Report::Wanted(wanted, release_after) => wanted_told(wanted, release_after),
            Report::FromNewer => {
                tracing::warn!(
                    "an event was delayed by a newer chakra-bridge: it is kept for one; update this replica"
                );
            }
        }
    }

    fn rule_released(&self, rule: &str, after: Duration) {
        self.metrics.rule_held(rule, false);
        self.shut.send_modify(|shut| shut.retain(|other| *other != held(rule)));
        tracing::info!(%rule, after_s = seconds(after), "rule released: its events go on");
    }

    fn answered(&self, outcome: &'static str, status: Option<u16>, took: Duration) {
        self.metrics.answered(outcome, status.unwrap_or(0), took);
        if ACCEPTED.contains(&outcome) {
            self.metrics.token_accepted(epoch_ms() / 1000);
        }
    }

    /// Says how many events wait for the window of their lookup, which may be a whole backlog.
    fn windows(&self, events: usize, left: Duration, is_news: bool) {
        let waits = LookupWaits { events, until_s: epoch_ms() / 1000 + left.as_secs() };
        self.metrics.lookup_waits(events);
        self.waits.send_replace(waits);
        match waits.until().filter(|_| is_news) {
            Some(until) => tracing::warn!(
                events,
                until,
                "events were looked for and not found yet: each waits until the window of its lookup ends (lookup.window), so \
                 that none is created twice. After a restart of the broker these are the whole backlog of a classic queue"
            ),
            None if is_news => tracing::info!("no event waits for the window of its lookup any more"),
            None => {}
        }
    }

    /// Says what the check of a rule's lookup came to.
    fn checked(&self, rule: &str, result: CheckResult) {
        match result {
            CheckResult::Found { lag } => {
                self.metrics.lookup_verified(rule, Some(lag));
                tracing::info!(rule, lag_s = seconds(lag), "lookup verified: it finds what was just created");
            }
            CheckResult::NotFound => tracing::warn!(
                rule,
                "lookup unverified: it does not find what was just created; check `reconcile_by`, the role of the token, and lookup.lag"
            ),
            CheckResult::Unavailable => tracing::warn!(
                rule,
                "lookup unverified: the API does not allow it; grant the token `process/list`, or lost answers follow retry.on_unknown"
            ),
        }
    }

    /// What the queue says stands in `publishes_refused`; this is what it comes to.
    fn letters_told(&self, state: LettersState) {
        self.letters.send_modify(|told| told.set_letters(state));
        let told = *self.letters.borrow();
        match told.what() {
            Some(what) if state == LettersState::StandStill => tracing::error!("{what}"),
            Some(what) => tracing::warn!("{what}"),
            None => tracing::info!("no dead letter waits any more"),
        }
    }

    fn rules(&self, rules: &Rules, replaced: &Replaced) {
        replaced.begun.iter().for_each(|rule| self.metrics.lookup_verified(rule, None));
        replaced.gone.iter().for_each(|rule| self.metrics.lookup_gone(rule));
        rules.names().for_each(|rule| self.metrics.foresee_settled("created", rule, ""));
        rules.creating().for_each(|rule| self.metrics.foresee_repeats(rule));
        // The machine tells that a rule is released before it tells of its rules.
        self.metrics.foresee_held(rules.creating());
    }

    /// Says what became of the gate.
    fn gate(&self, report: GateReport) {
        self.gates.tell(&report);
        let GateReport { changes, shut, .. } = &report;
        for change in changes {
            change_told(change, &report);
        }
        self.metrics.gates(shut.iter().map(|(scope, why)| (scope.as_str(), why.as_str())));
        let shut = shut.iter().map(|(scope, why)| format!("{scope}: {}", why.as_str()));
        self.shut.send_modify(|told| {
            let rules = told.drain(..).filter(|other| other.starts_with(RULE));
            *told = shut.chain(rules.collect::<Vec<_>>()).collect();
        });
    }
}

fn text(key: Option<&Key>) -> &str {
    key.map_or("", |key| key.text.as_str())
}

fn wanted_told(wanted: WantedPrefetch, release_after: Duration) {
    let after_s = seconds(release_after);
    match wanted {
        WantedPrefetch::One => {
            tracing::warn!(after_s, "shut for long: one event is held, the others wait in the broker");
        }
        WantedPrefetch::Double => {
            tracing::warn!("what no queue takes holds places: up to twice broker.prefetch events are held");
        }
        WantedPrefetch::Full => tracing::info!("events are taken again up to the prefetch"),
    }
}

fn change_told(change: &Change, report: &GateReport) {
    match change {
        Change::Shut { why, scope, probes, wait, .. } => {
            let next = match why {
                Why::Halt(reason) => Some(next_step(*reason, report.status, report.redirects_to.as_deref())),
                Why::Failing(_) | Why::Paused => None,
            };
            let (status, detail) = (report.status, report.detail.as_deref());
            let (why, probe_in_s, probes) = (why.as_str(), seconds(*wait), *probes);
            tracing::warn!(
                scope,
                why,
                status,
                detail,
                next,
                probes,
                probe_in_s,
                "gate shut: events wait, nothing is spent"
            );
        }
        Change::Opened { scope, after } => {
            tracing::info!(scope, after_s = seconds(*after), "gate open: what passes grows step by step");
        }
        Change::Paused => tracing::warn!("paused: events wait until an operator resumes, nothing is spent"),
        Change::Resumed { after } => tracing::info!(after_s = seconds(*after), "resumed"),
    }
}
