//! Whether the lookup of a rule finds what was just created, and how long that takes: verified on its first creates.
//!
//! Not here: asking, and what an answer to a lookup means (`lookup`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::core::backoff::ceiling;
use crate::core::gate::Moment;
use crate::core::judge::Judgement;
use crate::core::lookup::Lookup;
use crate::core::policy::Policy;

/// After a check that failed, the next is not begun before this: it costs requests, and somebody has to act first.
const AGAIN: Duration = Duration::from_secs(60);

/// How the lookups of all rules stand. A rule without a lookup is not in it.
#[derive(Debug, Default)]
pub struct LookupChecks {
    rules: BTreeMap<Arc<str>, LookupCheck>,
}

/// What the lookup of a rule asks for, as the rule writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupTarget {
    /// The rule's name.
    pub rule: Arc<str>,
    /// The procedure; none where each event names its own.
    pub procedure: Option<String>,
    /// The attribute that carries the event's key.
    pub attribute: String,
}

impl LookupTarget {
    /// Whether this is a lookup of the rule as it stands now, and not of what it was before a reload.
    fn is_of(&self, lookup: &Lookup) -> bool {
        let procedure = self.procedure.as_deref();
        self.attribute == lookup.attribute && procedure.is_none_or(|procedure| procedure == lookup.procedure.as_str())
    }
}

/// What became of the lookups when other rules took the place of those before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Rules whose lookup is new or asks for something else: unverified.
    pub begun: Vec<Arc<str>>,
    /// Rules without a lookup from now on.
    pub gone: Vec<Arc<str>>,
}

#[derive(Debug)]
struct LookupCheck {
    lookup_target: LookupTarget,
    standing: Standing,
}

#[derive(Debug)]
enum Standing {
    /// It waits for a create to be checked with.
    Unverified {
        not_before: Moment,
    },
    Trying(Trial),
    Verified,
}

#[derive(Debug)]
struct Trial {
    lookup: Arc<Lookup>,
    created: Moment,
    due: Moment,
    lookups: u32,
    is_asking: bool,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// The lookup found it, at most so long after it was created.
    Found {
        /// An upper bound of the lag until a process shows.
        lag: Duration,
    },
    /// No lookup found it for the whole window.
    NotFound,
    /// The API does not allow the lookup.
    Unavailable,
}

impl LookupChecks {
    /// The lookups of these rules, none verified.
    #[must_use]
    pub fn of(rules: impl IntoIterator<Item = LookupTarget>) -> Self {
        let mut lookup_checks = Self::default();
        lookup_checks.replace(rules);
        lookup_checks
    }

    /// Other rules take the place of those before. A lookup that asks for the same keeps its standing.
    pub fn replace(&mut self, rules: impl IntoIterator<Item = LookupTarget>) -> Replaced {
        let mut before = std::mem::take(&mut self.rules);
        let mut replaced = Replaced::default();
        for lookup_target in rules {
            let rule = Arc::clone(&lookup_target.rule);
            let lookup_check = before
                .remove(&rule)
                .filter(|lookup_check| lookup_check.lookup_target == lookup_target)
                .unwrap_or_else(|| {
                    replaced.begun.push(Arc::clone(&rule));
                    LookupCheck { lookup_target, standing: Standing::Unverified { not_before: Moment::ZERO } }
                });
            self.rules.insert(rule, lookup_check);
        }
        replaced.gone = before.into_keys().collect();
        replaced
    }

    /// An event of this rule was created, and is looked up by `lookup`: a check begins, if one is due. What was sent by an
    /// earlier rule of this name proves nothing of this one.
    pub fn created(&mut self, rule: &str, lookup: &Arc<Lookup>, now: Moment) {
        if let Some(LookupCheck { lookup_target, standing }) = self.rules.get_mut(rule)
            && matches!(standing, Standing::Unverified { not_before } if *not_before <= now)
            && lookup_target.is_of(lookup)
        {
            let lookup = Arc::clone(lookup);
            *standing = Standing::Trying(Trial { lookup, created: now, due: now, lookups: 0, is_asking: false });
        }
    }

    /// Whether the lookup of this rule has found what was just created.
    #[must_use]
    pub fn is_verified(&self, rule: &str) -> bool {
        matches!(self.rules.get(rule).map(|lookup_check| &lookup_check.standing), Some(Standing::Verified))
    }

    /// Whether an answer to this lookup is still waited for.
    #[must_use]
    pub fn waits_for(&self, rule: &str, lookup: &Arc<Lookup>) -> bool {
        let standing = self.rules.get(rule).map(|lookup_check| &lookup_check.standing);
        matches!(standing, Some(Standing::Trying(trial)) if Arc::ptr_eq(&trial.lookup, lookup))
    }

    /// The lookups that are due.
    #[must_use]
    pub fn due(&self, now: Moment) -> Vec<(Arc<str>, Arc<Lookup>)> {
        let due = self.trials().filter(|(_, trial)| trial.due <= now);
        due.map(|(rule, trial)| (Arc::clone(rule), Arc::clone(&trial.lookup))).collect()
    }

    /// When the next lookup is due, if one is.
    #[must_use]
    pub fn wake(&self) -> Option<Moment> {
        self.trials().map(|(_, trial)| trial.due).min()
    }

    fn trials(&self) -> impl Iterator<Item = (&Arc<str>, &Trial)> {
        self.rules.iter().filter_map(|(rule, lookup_check)| match &lookup_check.standing {
            Standing::Trying(trial) if !trial.is_asking => Some((rule, trial)),
            _ => None,
        })
    }

    /// The lookup of this rule is being asked.
    pub fn asked(&mut self, rule: &str) {
        if let Some(Standing::Trying(trial)) = self.rules.get_mut(rule).map(|lookup_check| &mut lookup_check.standing) {
            trial.is_asking = true;
        }
    }

    /// Takes an answer in; none where the request ended without one. Answers what the check came to, if it is at its end.
    pub fn answered(
        &mut self,
        rule: &str,
        outcome: Option<&Judgement>,
        now: Moment,
        policy: &Policy,
    ) -> Option<CheckResult> {
        let standing = &mut self.rules.get_mut(rule)?.standing;
        let Standing::Trying(trial) = standing else { return None };
        trial.is_asking = false;
        trial.lookups = trial.lookups.saturating_add(1);
        let age = now.saturating_sub(trial.created);
        let check_result = match outcome {
            Some(Judgement::Found { .. }) => CheckResult::Found { lag: age },
            Some(Judgement::Unavailable { .. }) => CheckResult::Unavailable,
            Some(Judgement::Absent) if age >= policy.lookup_window => CheckResult::NotFound,
            _ if age >= policy.lookup_window => {
                // The API did not answer, which proves nothing.
                *standing = Standing::Unverified { not_before: now.saturating_add(AGAIN) };
                return None;
            }
            _ => {
                let wait = ceiling(policy.initial, policy.multiplier, policy.max_interval, trial.lookups - 1);
                let left = policy.lookup_window.saturating_sub(age).max(policy.initial);
                trial.due = now.saturating_add(wait.min(left));
                return None;
            }
        };
        *standing = match check_result {
            CheckResult::Found { .. } => Standing::Verified,
            CheckResult::NotFound | CheckResult::Unavailable => {
                Standing::Unverified { not_before: now.saturating_add(AGAIN) }
            }
        };
        Some(check_result)
    }
}

#[cfg(test)]
mod tests;
