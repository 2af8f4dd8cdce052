//! Rules of a running daemon: at SIGHUP, or when a file that they were read from holds something else, the whole
//! configuration is checked, and new rules take the place of those before. A file with mistakes changes nothing.
//!
//! Not here: mapping by them (`bridge`), and any key outside the rules: a restart takes those in, and that is said.

mod files;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::clock::epoch_ms;
use crate::config::{Mistakes, RuleChanges, Source, needs_restart, rule_changes};
use crate::core::mapping::rules::Rules;
use crate::metrics::Metrics;
use crate::ready::{Promise, Ready, load_to_run};
use crate::states::rules::RulesState;
use files::{Files, Seen};

/// How often the files are read. A change counts once two checks have seen it.
const EVERY: Duration = Duration::from_secs(1);

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
}

impl Checked {
    fn of(Ready { rules, source, .. }: Ready, start: &Source, in_force: &Source, promise: Promise) -> Self {
        let changes = rule_changes(in_force, &source);
        let changed = changes.changed.iter().filter_map(|name| rules.named(name));
        let promises = changed.map(|rule| promise.of(rule)).collect();
        Self { needs_restart: needs_restart(start, &source), rules, source, changes, promises }
    }
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
    files: Files,
    /// When the file was refused last, and in which words; none while it is good.
    refusal: Option<(Instant, Vec<String>)>,
}

impl Reload {
    /// Follows the file of a configuration that the daemon starts with.
    pub async fn new(source: Source, promise: Promise, endpoints: Endpoints) -> Self {
        let files = Files::new(Seen::of(source.paths()).await);
        endpoints.metrics.rules_loaded(endpoints.state.borrow().loaded_s);
        let (path, source) = (source.path().to_owned(), Arc::new(source));
        Self { endpoints, path, start: Arc::clone(&source), in_force: source, promise, files, refusal: None }
    }

    /// Reloads at each signal and each change, for ever.
    pub async fn run(mut self, mut hangup: Signal) -> Infallible {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(()) = hangup.recv() => self.asked(BY_SIGNAL).await,
                _ = ticks.tick() => self.looked().await,
            }
        }
    }

    async fn looked(&mut self) {
        if self.files.have_changed().await {
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
        let seen = self.files.read().await;
        let (path, promise) = (self.path.clone(), self.promise);
        let (start, in_force) = (Arc::clone(&self.start), Arc::clone(&self.in_force));
        let mut checking = JoinSet::new();
        // Reads files, compiles and compares: not for the task that moves events.
        checking.spawn_blocking(move || {
            let ready = load_to_run(&path).and_then(|ready| promise.kept_by(ready))?;
            Ok::<_, Box<Mistakes>>(Checked::of(ready, &start, &in_force, promise))
        });
        let paths = match checking.join_next().await {
            Some(Ok(Ok(checked))) => self.take(by, checked),
            Some(Ok(Err(mistakes))) => self.refuse(by, &mistakes),
            // What a panic says may quote the file.
            _ => self.crashed(by),
        };
        self.files.take(seen, paths).await;
    }

    fn take(&mut self, by: &'static str, checked: Checked) -> Vec<PathBuf> {
        let Checked { rules, source, changes: RuleChanges { changed, gone }, promises, needs_restart } = checked;
        let (now_s, count) = (epoch_ms() / 1000, rules.names().count());
        self.endpoints.rules.send_replace(Arc::new(rules));
        self.endpoints.metrics.rules_reloaded(now_s);
        let (changed, gone) = (changed.join(", "), gone.join(", "));
        tracing::info!(by, rules = count, changed, gone, "rules reloaded: what comes in from now on is mapped by them");
        promises.iter().for_each(|words| tracing::info!("{words}"));
        if !needs_restart.is_empty() {
            let keys = needs_restart.join(", ");
            tracing::warn!(keys, "the file differs in keys that only a restart takes in: restart, or change them back");
        }
        self.endpoints.state.send_replace(RulesState { needs_restart, ..RulesState::loaded(now_s) });
        let paths = source.paths();
        self.in_force = Arc::new(source);
        self.refusal = None;
        paths
    }

    fn refuse(&mut self, by: &'static str, found: &Mistakes) -> Vec<PathBuf> {
        self.refused(by, found.list.iter().map(|mistake| found.source.told(mistake)).collect());
        found.source.paths()
    }

    fn crashed(&mut self, by: &'static str) -> Vec<PathBuf> {
        self.refused(by, vec!["checking the file crashed; please report it with its rules".to_owned()]);
        self.in_force.paths()
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
