//! The previous release and this one, swapped for each other twice under load, with delayed events about: an update, a
//! rollback, and both again. None is lost, doubled or unexpected.
//!
//! Each swap is what an orchestrator does: the next daemon consumes before the other is told to end, in the middle of its
//! requests. What the one delayed is then the other's. The two run as they are on one machine, each with a file of its own
//! keys.
//!
//! Not here: which release is the previous one (`upgrade/previous.rs`), and replicas of one build (`image/rolls.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "upgrade/previous.rs"]
mod previous;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use support::account::Account;
use support::daemon::{Daemon, Setup, announced, says};
use support::deadline::within;
use support::results;
use support::scene::Scene;
use support::setup::QUICK;
use support::standin::{Fault, Rule};

/// Events that are published before a swap, and again while both run.
const EVENTS: usize = 120;
/// Of them so many ask for a wait: one of each six, in two shares.
const DELAYED: usize = EVENTS / 6;
/// Events of the other release that a daemon makes processes of before it is swapped itself.
const TAKEN_OVER: usize = 5;
/// What each answer takes: a daemon is told to end in the middle of its requests.
const SLOW_MS: u64 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Release {
    Previous,
    This,
}

/// An update, a rollback, and both again.
const LIVES: [Release; 5] = [Release::Previous, Release::This, Release::Previous, Release::This, Release::Previous];

impl Release {
    fn sections(self) -> &'static str {
        match self {
            Self::Previous => previous::SECTIONS,
            // `upgrade/previous.toml` says the same in the keys of the previous one.
            Self::This => QUICK,
        }
    }

    /// What a line tells of an event's result, if it does.
    fn result(self, line: &Value) -> Option<&str> {
        let [field, _] = if self == Self::Previous { previous::SAID } else { ["result", "delayed"] };
        line[field].as_str()
    }

    fn is_delayed(self, line: &Value) -> bool {
        let [_, word] = if self == Self::Previous { previous::SAID } else { ["result", "delayed"] };
        self.result(line) == Some(word)
    }

    fn is_done(self, line: &Value) -> bool {
        self.result(line).is_some_and(|result| ["created", "found"].contains(&result))
    }

    /// The keys of those lines.
    fn keys(self, log: &[Value], wanted: fn(Self, &Value) -> bool) -> BTreeSet<String> {
        log.iter()
            .filter(|line| wanted(self, line))
            .filter_map(|line| line["key"].as_str().map(str::to_owned))
            .collect()
    }
}

/// A place on the broker, the API, and the programs of both releases.
struct Stage {
    scene: Scene,
    previous: PathBuf,
    published: Vec<String>,
    /// What each daemon said, in the order of their ends.
    logs: Vec<(Release, Vec<Value>)>,
}

impl Stage {
    async fn new(previous: PathBuf) -> Self {
        let scene = Scene::shared().await;
        scene.api.set_lag(Duration::from_secs(3));
        let slow = Rule::anywhere(Fault::Delay { ms: SLOW_MS });
        scene.api.plan([slow].into_iter().chain(results::plan()).collect());
        Self { scene, previous, published: Vec::new(), logs: Vec::new() }
    }

    fn setup(&self, release: Release) -> Setup {
        let setup = self.scene.setup().sections(release.sections()).sections(results::RULE);
        setup.broker("topology = \"declare\"\nprefetch = 24").impatient()
    }

    /// A daemon of that release, which consumes.
    async fn start(&self, release: Release) -> Daemon {
        let this = Path::new(env!("CARGO_BIN_EXE_chakra-bridge"));
        let program = if release == Release::This { this } else { &self.previous };
        let (mut command, folder) = Daemon::command(program, &self.setup(release));
        // A key that the previous release does not know.
        command.env_remove("CHAKRA_BRIDGE__RETRY__RESEND_AFTER");
        let daemon = Daemon::start_by(command, folder);
        let mut daemon = if release == Release::This { daemon } else { daemon.of_another_release() };
        within(60, "consuming", daemon.consuming()).await;
        daemon
    }

    async fn publish(&mut self) {
        let from = self.published.len();
        let keys = within(60, "publishing", results::publish(&self.scene, "e", from..from + EVENTS)).await;
        self.published.extend(keys);
    }

    /// Tells it to end, and keeps its log. It finishes what it has begun.
    async fn end(&mut self, release: Release, daemon: Daemon) {
        daemon.signal("TERM");
        let (code, log) = within(60, "its end", daemon.ended()).await;
        assert_eq!(code, Some(0), "{release:?}: {log:#?}");
        self.logs.push((release, log));
    }

    /// Waits until it has made processes of some events that the other release delayed, if there were any.
    async fn until_taken_over(&self, release: Release, daemon: &mut Daemon) {
        let others = self.logs.iter().filter(|(other, _)| *other != release);
        let delayed: BTreeSet<_> = others.flat_map(|(other, log)| other.keys(log, Release::is_delayed)).collect();
        let is_taken =
            |line: &Value| release.is_done(line) && line["key"].as_str().is_some_and(|key| delayed.contains(key));
        let wanted = delayed.len().min(TAKEN_OVER);
        within(60, "what the other delayed", daemon.until_count(wanted, is_taken)).await;
    }

    /// Swaps a daemon that has delayed some events for one of the other release, under load.
    async fn swap(&mut self, release: Release, mut daemon: Daemon, next: Release) -> Daemon {
        self.until_taken_over(release, &mut daemon).await;
        self.publish().await;
        let delayed = daemon.until_count(DELAYED, |line| release.is_delayed(line));
        within(60, "delayed events", delayed).await;
        let new = self.start(next).await;
        self.publish().await;
        let waiting = self.scene.client.depth(&format!("{}.wait.10s", self.scene.queue())).await.unwrap().messages;
        self.end(release, daemon).await;
        let log = &self.logs.last().expect("its log").1;
        let told = log.iter().position(|line| says(line, "stopping")).expect("it was told to end");
        let finished = log[told..].iter().filter(|line| release.is_done(line)).count();
        println!("{release:?} to {next:?}: {waiting} events delayed, {finished} finished after it was told to end");
        assert!(waiting > 0, "no event was in a delay queue");
        assert!(finished > 0, "it was told to end in the middle of its requests");
        new
    }

    /// How many events that the one release delayed became processes by the other, at any later time.
    fn taken_over(&self, from: Release, by: Release) -> usize {
        let mut delayed = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for (release, log) in &self.logs {
            match *release == from {
                true => delayed.extend(from.keys(log, Release::is_delayed)),
                false => taken.extend(by.keys(log, Release::is_done).intersection(&delayed).cloned()),
            }
        }
        taken.len()
    }
}

async fn swapped(previous: PathBuf) {
    let mut stage = Stage::new(previous).await;
    let mut daemon = stage.start(LIVES[0]).await;
    for swap in LIVES.windows(2) {
        daemon = stage.swap(swap[0], daemon, swap[1]).await;
    }
    within(180, "rest", stage.scene.at_rest()).await;
    stage.end(LIVES[LIVES.len() - 1], daemon).await;
    let account = Account::of(&stage.scene, &stage.published).await;
    println!("{account}");
    for (from, by) in [(Release::Previous, Release::This), (Release::This, Release::Previous)] {
        let taken = stage.taken_over(from, by);
        println!("{taken} events that {from:?} delayed became processes by {by:?}");
        assert!(taken >= TAKEN_OVER, "nothing of {from:?} was taken over by {by:?}");
    }
    assert!(account.is_clean(), "{account}");
    assert!(account.is_whole(), "each event is a process or a dead letter: {account}");
    let doubts: Vec<_> = stage.logs.iter().flat_map(|(_, log)| announced(log)).collect();
    assert_eq!(doubts, Vec::<String>::new(), "with reconcile_by nothing is doubtful");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_previous_release_and_this_one_swapped_twice_lose_and_double_nothing() {
    let Some(previous) = within(1500, "the previous release", previous::program()).await else { return };
    within(600, "the swaps", Box::pin(swapped(previous))).await;
}
