//! The metrics of rules: which are known, whether their lookups are verified, and how often they were reloaded.
//!
//! Not here: reading them again (`reload`).

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;

use super::{Metrics, Ruled, Settled};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Reloaded {
    result: &'static str,
}

const DONE: Reloaded = Reloaded { result: "done" };
const REFUSED: Reloaded = Reloaded { result: "refused" };

impl Metrics {
    pub(super) fn foresee_reloads(&self) {
        drop(self.rules_reloads.get_or_create(&DONE));
        drop(self.rules_reloads.get_or_create(&REFUSED));
    }

    /// Shows a label set of [`Metrics::settled`] at nought: for what is known once the rules are.
    pub fn foresee_settled(&self, result: &'static str, rule: &str, reason: &'static str) {
        drop(self.settled.get_or_create(&Settled { result, rule: rule.to_owned(), reason }));
    }

    /// The lookup of this rule is unverified, or verified with this lag.
    pub fn lookup_verified(&self, rule: &str, lag: Option<Duration>) {
        let ruled = Ruled { rule: rule.to_owned() };
        self.lookup_verified.get_or_create(&ruled).set(u64::from(lag.is_some()));
        self.lookup_lag.get_or_create(&ruled).set(lag.unwrap_or_default().as_secs_f64());
    }

    /// Shows at nought what producers that repeat themselves may come to for this rule.
    pub fn foresee_repeats(&self, rule: &str) {
        self.foresee_settled("duplicate", rule, "");
        drop(self.keys_reused.get_or_create(&Ruled { rule: rule.to_owned() }));
    }

    /// An event of this rule is created though another event had its key.
    pub fn key_reused(&self, rule: &str) {
        self.keys_reused.get_or_create(&Ruled { rule: rule.to_owned() }).inc();
    }

    /// Whether a run of rejections holds this rule.
    pub fn rule_held(&self, rule: &str, is_held: bool) {
        self.rule_held.get_or_create(&Ruled { rule: rule.to_owned() }).set(is_held.into());
    }

    /// These are the rules that may be held, and none is: those before them are shown no more.
    pub fn foresee_held<'n>(&self, rules: impl IntoIterator<Item = &'n str>) {
        self.rule_held.clear();
        rules.into_iter().for_each(|rule| self.rule_held(rule, false));
    }

    /// So many events wait for the window of their lookup, at most.
    pub fn lookup_waits(&self, events: usize) {
        self.lookup_waits.set(events as u64);
    }

    /// No rule of this name has a lookup any more. Its counters stay, since a counter that ends reads as a reset.
    pub fn lookup_gone(&self, rule: &str) {
        let ruled = Ruled { rule: rule.to_owned() };
        self.lookup_verified.remove(&ruled);
        self.lookup_lag.remove(&ruled);
    }

    /// Rules were read at the start, at this time in seconds since the Unix epoch.
    pub fn rules_loaded(&self, unix_seconds: u64) {
        self.rules_loaded.set(unix_seconds);
        self.rules_outdated.set(0);
    }

    /// Rules were read again at this time, in seconds since the Unix epoch, and are in force.
    pub fn rules_reloaded(&self, unix_seconds: u64) {
        self.rules_reloads.get_or_create(&DONE).inc();
        self.rules_loaded(unix_seconds);
    }

    /// The file has mistakes: the rules before it stay in force.
    pub fn rules_refused(&self) {
        self.rules_reloads.get_or_create(&REFUSED).inc();
        self.rules_outdated.set(1);
    }
}
