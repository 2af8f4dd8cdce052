//! A dispatcher under test: messages in by hand, answers out by hand, the API real.
//!
//! Not here: tests.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chakra_bridge::admin::resume::{self, ResumeRule, RuleResumed};
use chakra_bridge::chakra::{Client, token};
use chakra_bridge::config::Config;
use chakra_bridge::core::decode::Limits;
use chakra_bridge::core::delivery::Setup;
use chakra_bridge::core::mapping::rules::Rules;
use chakra_bridge::core::message::Message;
use chakra_bridge::core::settlement::{DeadLetter, Settlement};
use chakra_bridge::dispatch::{self, Drained, Parts, Ways};
use chakra_bridge::handover::inbound::Inbound;
use chakra_bridge::handover::prefetch::WantedPrefetch;
use chakra_bridge::handover::receipt::{Answer, Receipt};
use chakra_bridge::metrics::Metrics;
use chakra_bridge::photos::Fetcher;
use chakra_bridge::ready::load_with;
use chakra_bridge::states::dead_letters::DeadLetters;
use chakra_bridge::states::lookups::LookupWaits;
use chakra_bridge::states::phase::Pulse;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::configuration::ready;
use crate::support::deadline::within;
use crate::support::standin::StandIn;

/// What differs between dispatchers.
pub struct Commands {
    pub api: &'static str,
    pub timeout: &'static str,
    pub gate: &'static str,
    pub retry: &'static str,
    pub drain: Duration,
    pub places: usize,
}

impl Default for Commands {
    fn default() -> Self {
        Self {
            api: "",
            timeout: "600ms",
            gate: "probe_initial = \"20ms\"\nprobe_max = \"60ms\"",
            retry: "",
            drain: Duration::from_secs(5),
            places: 64,
        }
    }
}

/// One connection generation of a consumer that is played by the test.
pub struct Session {
    line: mpsc::Sender<Answer>,
    pub answers: mpsc::Receiver<Answer>,
    /// Where it says that the broker keeps what is published.
    intake: OnceLock<mpsc::Sender<Inbound>>,
}

impl Session {
    pub fn new() -> Self {
        let (line, answers) = mpsc::channel(64);
        Self { line, answers, intake: OnceLock::new() }
    }

    /// The next answer. What it asks to publish is kept.
    pub async fn answer(&mut self) -> (u64, Settlement) {
        let answer = within(10, "an answer", self.answers.recv()).await.expect("the line is open");
        let settlement = answer.settlement.expect("answered, not abandoned");
        if matches!(settlement, Settlement::DeadLetter(_) | Settlement::Delay(..))
            && let Some(intake) = self.intake.get()
        {
            // A dispatcher that has ended needs no word of it.
            drop(intake.send(Inbound::Kept(answer.number)).await);
        }
        (answer.number, settlement)
    }

    /// The next answer, which is a dead letter.
    pub async fn dead_letter(&mut self) -> DeadLetter {
        match self.answer().await.1 {
            Settlement::DeadLetter(dead_letter) => *dead_letter,
            other => panic!("expected a dead letter, got {other:?}"),
        }
    }
}

/// The dispatcher, its API, and the ends of its channels.
pub struct Stage {
    pub api: StandIn,
    intake: mpsc::Sender<Inbound>,
    stop: watch::Sender<bool>,
    running: JoinSet<Drained>,
    pub shut: watch::Receiver<Vec<String>>,
    pub metrics: Arc<Metrics>,
    pub paused: watch::Sender<bool>,
    resume_rule: mpsc::Sender<ResumeRule>,
    pub wanted_prefetch: watch::Receiver<WantedPrefetch>,
    rules: watch::Sender<Arc<Rules>>,
    folder: TempDir,
}

fn setup(config: &Config, limits: Limits, rules: Arc<Rules>, places: usize) -> Setup {
    let (policy, gate, request_limits) = (config.policy, config.gate, config.request_limits);
    Setup {
        limits,
        rules,
        policy,
        gate,
        request_limits,
        repeats: config.repeats,
        ledger: None,
        outcomes: None,
        photos: config.photo_policy,
        places,
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(Commands::default()).await
    }

    pub async fn with(commands: Commands) -> Self {
        let api = StandIn::start().await;
        let folder = tempfile::tempdir().unwrap();
        let ready = ready(&api, folder.path(), &commands);
        let (shut, shut_seen) = watch::channel(Vec::new());
        let (wanted_prefetch, wanted_prefetch_seen) = watch::channel(WantedPrefetch::Full);
        let (stop, mut stopped) = watch::channel(false);
        let (intake, inbound) = mpsc::channel(64);
        let metrics = Arc::new(Metrics::new());
        let (paused, paused_seen) = watch::channel(false);
        let (resume_rule, resumed_rules) = resume::channel();
        let (token_changes, token_seen) = watch::channel(0);
        let (rules, rules_seen) = watch::channel(Arc::new(ready.rules));
        let client = Client::new(&ready.config.api).unwrap();
        let parts = Parts {
            ways: Ways { client: client.clone(), fetcher: Fetcher::new(&ready.config.photos).unwrap() },
            ledger: None,
            setup: setup(&ready.config, ready.limits, Arc::clone(&rules.borrow()), commands.places),
            wanted_prefetch,
            commands: dispatch::commands::Commands {
                paused: paused_seen,
                resumed_rules,
                token: token_seen,
                rules: rules_seen,
                certificates: watch::channel(0).1,
            },
            metrics: Arc::clone(&metrics),
            pulse: Arc::new(Pulse::new(tokio::time::Instant::now())),
            shut,
            gates: watch::channel(Vec::new()).0,
            waits: watch::channel(LookupWaits::default()).0,
            letters: watch::channel(DeadLetters::default()).0,
            traces: None,
        };
        let stopping = async move { drop(stopped.wait_for(|stop| *stop).await) };
        let mut running = JoinSet::new();
        running.spawn(async move {
            tokio::select! {
                drained = dispatch::run(parts, inbound, stopping, commands.drain) => drained,
                never = token::watch(client, token_changes) => match never {},
            }
        });
        Self {
            api,
            intake,
            stop,
            running,
            shut: shut_seen,
            metrics,
            paused,
            resume_rule,
            wanted_prefetch: wanted_prefetch_seen,
            rules,
            folder,
        }
    }

    /// Hands a message in, which came by `session` under this number.
    pub async fn send(&self, session: &Session, number: u64, message: Message) {
        let receipt = Receipt::new(number, &session.line).expect("a free place");
        session.intake.get_or_init(|| self.intake.clone());
        self.intake.send(Inbound::Message(Box::new(message), receipt)).await.expect("it runs");
    }

    /// Puts another token in the place of the one before, in one go.
    pub fn rotate(&self, token: &str) {
        std::fs::write(self.folder.path().join("next"), token).unwrap();
        std::fs::rename(self.folder.path().join("next"), self.folder.path().join("token")).unwrap();
    }

    /// Puts other rules in force: the file with `from` replaced by `to`.
    pub fn reload(&self, from: &str, to: &str) {
        let path = self.folder.path().join("config.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "nothing to replace");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        self.rules.send_replace(Arc::new(load_with(&path, []).unwrap().rules));
    }

    /// Says that the rules were read again, and are the same.
    pub fn reload_unchanged(&self) {
        let same = Arc::clone(&self.rules.borrow());
        self.rules.send_replace(same);
    }

    /// Asks for a held rule to go on, and says what came of it; none from a dispatcher that stops.
    pub async fn resume_rule(&self, rule: &str) -> Option<RuleResumed> {
        let (answer, answered) = oneshot::channel();
        self.resume_rule.send(ResumeRule { rule: rule.to_owned(), answer }).await.ok()?;
        within(10, "what came of it", answered).await.ok()
    }

    /// The value of a number without labels.
    pub fn level(&self, name: &str) -> u64 {
        let (text, start) = (self.metrics.text(), format!("chakra_bridge_{name} "));
        let line = text.lines().find_map(|line| line.strip_prefix(&start)).expect("such a number");
        line.parse().expect("a whole number")
    }

    /// Says that a connection stands, and whether it lets events be delayed.
    pub async fn connected(&self, can_delay: bool) {
        self.intake.send(Inbound::Connected { can_delay }).await.expect("it runs");
    }

    /// Says that the connection died.
    pub async fn disconnected(&self) {
        self.intake.send(Inbound::Disconnected).await.expect("it runs");
    }

    /// Tells it to stop, and waits for nothing.
    pub fn begin_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops it, and says how it ended.
    pub async fn stop(mut self) -> (Drained, StandIn) {
        self.stop.send_replace(true);
        (within(10, "the drain", self.running.join_next()).await.unwrap().unwrap(), self.api)
    }

    /// Waits until the gate is shut, or open again.
    pub async fn gate(&mut self, is_shut: bool) {
        let wanted = self.shut.wait_for(|shut| shut.is_empty() != is_shut);
        within(10, "the gate", wanted).await.unwrap();
    }
}

/// A lead named `name`, under this message id.
pub fn lead(id: &str, name: &str) -> Message {
    event(id, "lead.new", &format!(r#"{{"name": "{name}"}}"#))
}

/// A plain JSON event.
pub fn event(id: &str, kind: &str, body: &str) -> Message {
    Message {
        body: Arc::new(body.as_bytes().to_vec()),
        message_id: Some(id.to_owned()),
        kind: Some(kind.to_owned()),
        ..Message::default()
    }
}

/// The same, delivered again.
pub fn again(message: Message) -> Message {
    Message { redelivered: true, ..message }
}
