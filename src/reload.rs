//! Rules of a running daemon: at SIGHUP, or when a file that they were read from holds something else, the whole
//! configuration is checked, and new rules take the place of those before. A file with mistakes changes nothing.
//!
//! Not here: mapping by them (`core::mapping`), and any key outside the rules but `log.level`: a restart takes those in, and that is
//! said.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

use crate::clock::epoch_ms;
use crate::config::{Mistakes, RuleChanges, Source, needs_restart, rule_changes};
use crate::core::mapping::rules::Rules;
use crate::files::{self, Change, FileWatch};
use crate::metrics::Metrics;
use crate::ready::{Promise, Ready, load_to_run};
use crate::states::in_force::InForce;
use crate::states::rules::RulesState;

/// After a refusal the file is checked again so often, quietly: what was wrong may have been beside it, such as a secret that
/// could not be read at that moment.
const AGAIN: Duration = Duration::from_secs(10);

const BY_SIGNAL: &str = "SIGHUP";
const BY_CHANGE: &str = "a changed file";
const BY_ITSELF: &str = "another check";

/// Where new rules and the word of them go.
pub struct Endpoints {
    /// The rules in force.
    pub rules: watch::Sender<Arc<Rules>>,
    /// The level of the log.
    pub level: watch::Sender<LevelFilter>,
    /// What may be shown of the configuration in force.
    pub in_force: watch::Sender<Arc<InForce>>,
    /// What is told of them outside.
    pub state: watch::Sender<RulesState>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether the daemon is stopping: nothing is reloaded then.
    pub stop: watch::Receiver<bool>,
}

/// A file without a mistake, and what is new in it.
struct Checked {
    rules: Rules,
    source: Source,
    changes: RuleChanges,
    /// What is promised for the rules that changed.
    promises: Vec<String>,
    needs_restart: Vec<String>,
    level: LevelFilter,
    in_force: InForce,
}

impl Checked {
    fn of(ready: Ready, start: &Source, in_force: &Source, promise: Promise) -> Self {
        let shown = ready.in_force(start, promise);
        let Ready { rules, source, config, .. } = ready;
        let changes = rule_changes(in_force, &source);
        let changed = changes.changed.iter().filter_map(|name| rules.named(name));
        let promises = changed.map(|rule| promise.of(rule)).collect();
        let level = config.log.level;
        let needs_restart = needs_restart(start, &source);
        Self { needs_restart, rules, source, changes, promises, level, in_force: shown }
    }
}

/// Why a file is not taken.
enum Refusal {
    /// It is a pipe, a device or a folder, or it is gone: reading it could take for ever.
    NoFile(String),
    Mistakes(Box<Mistakes>),
}

/// Reads and checks the whole file. Blocks.
fn checked(path: &Path, start: &Source, in_force: &Source, promise: Promise) -> Result<Checked, Refusal> {
    files::check(path).map_err(|error| Refusal::NoFile(format!("{}: cannot be read: {error}", path.display())))?;
    let ready = load_to_run(path).and_then(|ready| promise.kept_by(ready)).map_err(Refusal::Mistakes)?;
    Ok(Checked::of(ready, start, in_force, promise))
}

/// See the head of this file.
pub struct Reload {
    endpoints: Endpoints,
    path: PathBuf,
    /// The file as the daemon was started with it: all but its rules is in force until the end.
    start: Arc<Source>,
    /// The file that the rules in force were read from.
    in_force: Arc<Source>,
    promise: Promise,
    files: FileWatch,
    /// When the file was refused last, and in which words; none while it is good.
    refusal: Option<(Instant, Vec<String>)>,
}

impl Reload {
    /// Follows the file of a configuration that the daemon starts with.
    #[must_use]
    pub fn new(source: Source, promise: Promise, endpoints: Endpoints) -> Self {
        let files = FileWatch::new(source.seen());
        endpoints.metrics.rules_loaded(endpoints.state.borrow().loaded_s);
        let (path, source) = (source.path().to_owned(), Arc::new(source));
        Self { endpoints, path, start: Arc::clone(&source), in_force: source, promise, files, refusal: None }
    }

    /// Reloads at each signal and each change, for ever.
    pub async fn run(mut self, mut hangup: Signal) -> Infallible {
        loop {
            tokio::select! {
                Some(()) = hangup.recv() => self.asked(BY_SIGNAL).await,
                change = self.files.check() => self.checked(change).await,
            }
        }
    }

    /// A change counts once two checks have seen it: what is being written is left in peace until it rests.
    async fn checked(&mut self, change: Change) {
        if change == Change::Settled {
            self.asked(BY_CHANGE).await;
        } else if self.refusal.as_ref().is_some_and(|(at, _)| at.elapsed() >= AGAIN) {
            self.asked(BY_ITSELF).await;
        }
    }

    async fn asked(&mut self, by: &'static str) {
        if *self.endpoints.stop.borrow() {
            tracing::info!(by, "stopping: the rules are not reloaded");
        } else {
            self.reload(by).await;
        }
    }

    /// Checks the whole file, and takes its rules or none.
    async fn reload(&mut self, by: &'static str) {
        let (path, promise) = (self.path.clone(), self.promise);
        let (start, in_force) = (Arc::clone(&self.start), Arc::clone(&self.in_force));
        let mut checking = JoinSet::new();
        // Reads files, compiles and compares: not for the task that moves events.
        checking.spawn_blocking(move || checked(&path, &start, &in_force, promise));
        match checking.join_next().await {
            Some(Ok(Ok(checked))) => self.take(by, checked),
            Some(Ok(Err(Refusal::Mistakes(mistakes)))) => self.refuse(by, &mistakes),
            Some(Ok(Err(Refusal::NoFile(why)))) => self.unread(by, why),
            // What a panic says may quote the file.
            _ => self.unread(by, "checking the file crashed; please report it with its rules".to_owned()),
        }
    }

    fn take(&mut self, by: &'static str, checked: Checked) {
        let Checked { rules, source, changes, promises, needs_restart, level, in_force } = checked;
        let RuleChanges { changed, gone } = changes;
        let (now_s, count) = (epoch_ms() / 1000, rules.names().count());
        self.endpoints.rules.send_replace(Arc::new(rules));
        self.endpoints.level.send_replace(level);
        self.endpoints.in_force.send_replace(Arc::new(in_force));
        self.endpoints.metrics.rules_reloaded(now_s);
        let (changed, gone) = (changed.join(", "), gone.join(", "));
        tracing::info!(by, rules = count, changed, gone, "rules reloaded: what comes in from now on is mapped by them");
        promises.iter().for_each(|words| tracing::info!("{words}"));
        if !needs_restart.is_empty() {
            let keys = needs_restart.join(", ");
            tracing::warn!(keys, "the file differs in keys that only a restart takes in: restart, or change them back");
        }
        self.endpoints.state.send_replace(RulesState { needs_restart, ..RulesState::loaded(now_s) });
        self.files.take(source.seen());
        self.in_force = Arc::new(source);
        self.refusal = None;
    }

    fn refuse(&mut self, by: &'static str, found: &Mistakes) {
        self.refused(by, found.list.iter().map(|mistake| found.source.told(mistake)).collect());
        self.files.take(found.source.seen());
    }

    /// Nothing is known of the file but what the last look saw of it.
    fn unread(&mut self, by: &'static str, why: String) {
        self.refused(by, vec![why]);
        self.files.accept();
    }

    /// Tells of a refusal, unless nobody asked and it is the one before.
    fn refused(&mut self, by: &'static str, told: Vec<String>) {
        let is_news = by != BY_ITSELF || self.refusal.as_ref().is_none_or(|(_, before)| *before != told);
        if is_news {
            self.endpoints.metrics.rules_refused();
            self.endpoints.state.send_modify(|state| state.mistakes = told.len());
            let state = self.endpoints.state.borrow().to_string();
            tracing::error!(by, mistakes = told.len(), "rules not reloaded: {state}. Correct the file");
            told.iter().for_each(|mistake| tracing::error!("mistake: {mistake}"));
        }
        self.refusal = Some((Instant::now(), told));
    }
}
