//! A configuration that is loaded whole and has no mistake, and what is promised for each of its rules.
//!
//! Not here: opening a connection. Only the files that the configuration names are read.

mod in_force;

use std::path::Path;
use std::time::Duration;

use crate::config::{self, Config, Memory, Mistakes, Reading, Source, Use};
use crate::core::case::{self, Case};
use crate::core::decode::Limits;
use crate::core::event::KeyOrigin;
use crate::core::mapping::key::KeyExpression;
use crate::core::mapping::rules::{Rule, Rules};
use crate::core::mapping::schemas::Schemas;
use crate::core::mistake::Mistake;
use crate::core::policy::{OnAbsent, OnUnknown, Policy};

/// A configuration without a mistake.
pub struct Ready {
    /// What the modules need.
    pub config: Config,
    /// What an event may be.
    pub limits: Limits,
    /// What becomes of it.
    pub rules: Rules,
    /// The mapping cases beside the rules.
    pub cases: Vec<Case>,
    /// The file, for printing what turns out to be wrong later.
    pub source: Source,
}

impl Ready {
    /// What deserves a word before going live, as sentences.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let proxies = config::ignored_proxies(variables()).filter(|_| self.config.api.proxy.is_none());
        let secrets = self.config.open_secrets(&self.source);
        let strange = config::strange_variables(variables());
        self.config.warnings().into_iter().chain(secrets).chain(proxies).chain(strange).collect()
    }

    /// What a replica needs of memory.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory::of(&self.config, &self.rules, &self.source)
    }

    /// What is promised for each rule, as a text.
    #[must_use]
    pub fn guarantees(&self) -> Vec<String> {
        let promise = self.promise();
        self.rules.iter().map(|rule| promise.of(rule)).collect()
    }

    /// What the promises of rules rest on beside the rules.
    #[must_use]
    pub fn promise(&self) -> Promise {
        let key = self.limits.key.as_ref();
        Promise {
            policy: self.config.policy,
            may_hash: key.is_none(),
            key_is_hashed: key.is_some_and(|key| key.is_hashed()),
            kept: self.config.ledger.as_ref().map(|ledger| ledger.keep),
        }
    }
}

/// What the promises of rules rest on beside the rules: it stays as it was at the start, whatever is reloaded.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    policy: Policy,
    may_hash: bool,
    key_is_hashed: bool,
    /// How long a ledger keeps what became of an event, if there is one.
    kept: Option<Duration>,
}

impl Promise {
    /// The same, if it can be kept by these rules under the `event.key` of the start.
    ///
    /// # Errors
    /// That a rule is to look up what is a hash until a restart.
    pub fn kept_by(&self, ready: Ready) -> Result<Ready, Box<Mistakes>> {
        if !self.key_is_hashed || ready.rules.iter().all(|rule| rule.reconcile_by().is_none()) {
            return Ok(ready);
        }
        let what = "was a hash when the daemon started, and rules are to look it up now (`reconcile_by`)".to_owned();
        let mistake = Mistake { expected: "a restart".to_owned(), ..ready.source.mistake("event.key", what) };
        Err(Box::new(Mistakes::new(ready.source, vec![mistake])))
    }

    /// What is promised for this rule, as a text.
    #[must_use]
    pub fn of(&self, rule: &Rule) -> String {
        let lost = after_a_lost_answer(rule, &self.policy, self.may_hash);
        if rule.is_skip() { lost } else { format!("{lost}; {}", self.of_repeats(rule)) }
    }

    /// What is promised for one that is published again.
    fn of_repeats(&self, rule: &Rule) -> String {
        if let Some(kept) = self.kept {
            let kept = in_days(kept);
            return format!(
                "one that is published again is no second process for {kept} (ledger), over replicas and restarts"
            );
        }
        if rule.looks_first(KeyOrigin::CloudEvents) {
            return "one that is published again is looked up first".to_owned();
        }
        "one that is published again is no second process while this replica remembers it (duplicates.memory)"
            .to_owned()
    }
}

/// As a person writes it.
fn in_days(time: Duration) -> String {
    let hours = time.as_secs() / 3600;
    if hours.is_multiple_of(24) { format!("{} days", hours / 24) } else { format!("{hours} hours") }
}

/// `may_hash`: an event that carries no id is known by a hash of its body.
fn after_a_lost_answer(rule: &Rule, policy: &Policy, may_hash: bool) -> String {
    let name = rule.name();
    if rule.is_skip() {
        return format!("rule \"{name}\": its events are acknowledged, and nothing is created");
    }
    let Some(attribute) = rule.reconcile_by() else {
        let unknown = match policy.on_unknown {
            OnUnknown::Resend => "is sent once more (a possible duplicate, announced and counted), then dead-lettered",
            OnUnknown::DeadLetter => "is dead-lettered as unknown",
        };
        return format!("rule \"{name}\": an event whose answer is lost {unknown}");
    };
    let absent = match policy.on_absent {
        OnAbsent::Create => "is created again, once",
        OnAbsent::DeadLetter => "is dead-lettered as unknown",
    };
    let window = policy.lookup_window.as_secs_f32();
    let hashed =
        if may_hash { "; one without an id of its own is not looked up, unless event.key names one" } else { "" };
    format!(
        "rule \"{name}\": an event whose answer is lost, or that is delivered again, is looked up by `{attribute}` \
         before anything is sent (unverified until its first create is found so); one that no lookup finds for {window} s \
         {absent}{hashed}"
    )
}

/// Reads the configuration with everything in it that can be checked without a connection.
///
/// # Errors
/// Every mistake, each with its place.
pub fn load(path: &Path) -> Result<Ready, Box<Mistakes>> {
    load_with(path, variables())
}

/// As [`load`], for a verb that sends nothing: the files of secrets and certificates need not be there.
///
/// # Errors
/// Every mistake, each with its place.
pub fn load_for_dry_run(path: &Path) -> Result<Ready, Box<Mistakes>> {
    ready(Use::DryRun, config::read_for(Use::DryRun, path, variables()))
}

/// As [`load`], to run by it: mapping cases are for dry runs, and what they name need not be there.
///
/// # Errors
/// Every mistake, each with its place.
pub fn load_to_run(path: &Path) -> Result<Ready, Box<Mistakes>> {
    ready(Use::Run, config::read_for(Use::Run, path, variables()))
}

/// The variables that are text; no other can be one of ours.
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// As [`load`], under these variables.
///
/// # Errors
/// Every mistake, each with its place.
pub fn load_with(path: &Path, variables: impl IntoIterator<Item = (String, String)>) -> Result<Ready, Box<Mistakes>> {
    ready(Use::Check, config::read(path, variables))
}

fn ready(what_for: Use, mut reading: Reading) -> Result<Ready, Box<Mistakes>> {
    let key = reading.event_key.as_ref().map(|key| KeyExpression::compile(key, "event.key")).transpose();
    let rules = Rules::compile(&reading.rules).map(|rules| rules.located(|at| reading.source.line(at)));
    let schemas = Schemas::compile(&reading.schemas);
    reading.mistakes.extend(key.as_ref().err().into_iter().flatten().cloned());
    reading.mistakes.extend(rules.as_ref().err().into_iter().flatten().cloned());
    reading.mistakes.extend(schemas.as_ref().err().into_iter().flatten().cloned());
    let hashed = key.as_ref().ok().and_then(Option::as_ref).is_some_and(KeyExpression::is_hashed);
    if hashed && rules.as_ref().is_ok_and(|rules| rules.iter().any(|rule| rule.reconcile_by().is_some())) {
        reading.mistakes.push(hashed_key(&reading));
    }
    let cases = std::mem::take(&mut reading.cases);
    let (config, source) = reading.finish()?;
    let limits = key.map(|key| Limits { bounds: config.bounds, key });
    // What failed is already among the mistakes above.
    let (Ok(limits), Ok(rules), Ok(schemas)) = (limits, rules, schemas) else {
        return Err(Box::new(Mistakes::new(source, Vec::new())));
    };
    let rules = rules.with(schemas);
    // In a dry run it is shown what becomes of each.
    let tried = if what_for == Use::Check { &cases[..] } else { &[] };
    let refused = case::refused(tried, &limits, &rules);
    if !refused.is_empty() {
        return Err(Box::new(Mistakes::new(source, refused)));
    }
    Ok(Ready { config, limits, rules, cases, source })
}

/// A lookup would take the copy of an event for the event itself.
fn hashed_key(reading: &Reading) -> Mistake {
    Mistake {
        span: reading.event_key.as_ref().map(|key| key.span.clone()),
        key: "event.key".to_owned(),
        what: "is a hash, and rules look it up (`reconcile_by`): events of equal content are one".to_owned(),
        expected: "an id of the event, such as `event.order.id`".to_owned(),
    }
}
