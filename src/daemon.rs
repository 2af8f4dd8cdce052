//! The daemon: joins the consumer, the API client, the dispatcher and the admin server, and takes them down in order.
//!
//! Not here: signals and exit codes (`main`), and whatever the modules do.

mod certificates;
mod served;
mod shown;
mod traces;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

use self::served::Served;
use crate::admin::health::Health;
use crate::admin::pause::PauseControl;
use crate::admin::resume;
use crate::admin::server::{self, View};
use crate::admin::status::Status;
use crate::amqp;
use crate::amqp::connection;
use crate::amqp::endpoints::Endpoints;
use crate::chakra::{self, Client, token, trust};
use crate::clock::{epoch_ms, seconds};
use crate::config::Config;
use crate::core::decode::Limits;
use crate::core::delivery::Setup;
use crate::core::ledger::LedgerPolicy;
use crate::core::mapping::rules::{Rule, Rules};
use crate::dispatch::commands::Commands;
use crate::dispatch::{self, Parts, Ways};
use crate::handover::prefetch::WantedPrefetch;
use crate::management;
use crate::metrics::Metrics;
use crate::photos::Fetcher;
use crate::ready::Ready;
use crate::reload::{self, Reload};
use crate::states::broker::{BrokerState, BrokerStatus};
use crate::states::dead_letters::DeadLetters;
use crate::states::lookups::LookupWaits;
use crate::states::phase::{Phase, Pulse, stopped};
use crate::states::rules::RulesState;
use crate::telemetry::{self, Levels};

/// The most of the drain deadline that is kept for settling with the broker and closing.
const CLOSING_MAX: Duration = Duration::from_secs(2);

const REPORT: &str = "please report it with the log";

/// How the daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Requests cut off at the deadline; their events were handed back.
    pub cut_off: usize,
    /// Whether the broker had taken every answer when the deadline passed.
    pub is_settled: bool,
}

impl Report {
    /// Whether everything under way was finished in time.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.cut_off == 0 && self.is_settled
    }
}

/// Runs until `shutdown`, then drains; each `hangup` reloads the rules. Counts in `metrics`, and logs by `levels`.
///
/// # Errors
/// Says what cannot be begun (the admin port, the HTTP client), or that the consumer ended by a panic.
pub async fn run(
    ready: Ready,
    metrics: Arc<Metrics>,
    levels: Levels,
    hangup: Signal,
    shutdown: impl Future<Output = ()>,
) -> Result<Report, String> {
    let (promise, places) = (ready.promise(), usize::from(ready.config.broker.prefetch));
    let (in_force, in_force_seen) = watch::channel(Arc::new(ready.in_force(&ready.source, promise)));
    let Ready { config, limits, rules, source, .. } = ready;
    let ((phase, phase_seen), (stopping, stop_seen)) = (watch::channel(Phase::Starting), watch::channel(false));
    let (state, state_seen) = watch::channel(BrokerStatus::from(BrokerState::Connecting));
    let ((shut, shut_seen), (gates, gates_seen)) = (watch::channel(Vec::new()), watch::channel(Vec::new()));
    let (waits, waits_seen) = watch::channel(LookupWaits::default());
    let (letters, letters_seen) = watch::channel(DeadLetters::default());
    let mut served = Served::begin(&config, &metrics, stop_seen.clone())?;
    let (intake, inbound) = mpsc::channel(places);
    let (wanted_prefetch, wanted_prefetch_seen) = watch::channel(WantedPrefetch::Full);
    let (rules, pulse) = (Arc::new(rules), Arc::new(Pulse::new(Instant::now())));
    let (new_rules, rules_seen) = watch::channel(Arc::clone(&rules));
    let (loaded, loaded_seen) = watch::channel(RulesState::loaded(epoch_ms() / 1000));
    let (pause_control, commands, changes) = commands(&config, rules_seen);

    let health = Health {
        phase: phase_seen,
        broker: state_seen,
        gate: shut_seen,
        gates: gates_seen,
        waits: waits_seen,
        letters: letters_seen,
        ledger: served.status.clone(),
        rules: loaded_seen,
        log: metrics.log(),
        descriptors: metrics.descriptors(),
        pulse: Arc::clone(&pulse),
    };
    foresee(&metrics, &rules);
    let mut watchers = JoinSet::new();
    let level = log_level(levels, &config, pause_control.as_ref(), &mut watchers);
    let (ways, setup) = (ways(&config)?, setup(&config, limits, rules, places));
    let status = shown::status(&config.broker, ways.client.host(), &metrics, &health, in_force_seen);
    let _admin = open_admin(&config, (Arc::clone(&metrics), health, pause_control, status), &mut watchers)?;
    watch_peers(&config, &ways.client, &state, &metrics, &mut watchers);
    let (stop, counted, wanted_prefetch_too) = (stop_seen.clone(), Arc::clone(&metrics), wanted_prefetch_seen);
    let endpoints = Endpoints { intake, stop, wanted_prefetch: wanted_prefetch_too, state, metrics: counted };
    let mut consumer = consume(config.broker, endpoints);
    phase.send_replace(Phase::Running);

    let (counted, stop) = (Arc::clone(&metrics), stop_seen.clone());
    let endpoints = reload::Endpoints { rules: new_rules, level, in_force, state: loaded, metrics: counted, stop };
    let (ledger, traces, limit) = (served.ledger.clone(), served.traces.take(), config.dispatch.drain_deadline);
    watch_files(&ways.client, config.api, changes, &mut watchers);
    watchers.spawn(Reload::new(source, promise, endpoints).run(hangup));
    let parts =
        Parts { ways, setup, ledger, commands, wanted_prefetch, metrics, pulse, shut, gates, waits, letters, traces };
    let (closing, mut told, mut said) = (CLOSING_MAX.min(limit / 5), stop_seen.clone(), None);
    let dispatcher = dispatch::run(parts, inbound, stopped(&mut told), limit.saturating_sub(closing));
    let (drained, deadline) = tokio::select! {
        both = async { tokio::join!(dispatcher, stop_after(shutdown, limit, &phase, &stopping)) } => both,
        why = broken(&mut consumer, stop_seen, &mut said) => return Err(why),
        why = crashed(&mut watchers) => return Err(why),
        why = served.broken() => return Err(why),
    };
    let (is_settled, ()) = tokio::join!(settled(said, &mut consumer, deadline), served.end(deadline));
    phase.send_replace(Phase::Stopped);
    Ok(Report { cut_off: drained.cut_off, is_settled })
}

/// Follows the level of the log in a task of its own; answers where a reload says another.
fn log_level(
    levels: Levels,
    config: &Config,
    pause_control: Option<&PauseControl>,
    watchers: &mut JoinSet<Infallible>,
) -> watch::Sender<LevelFilter> {
    let (level, seen) = watch::channel(config.log.level);
    let wanted = pause_control.map_or_else(|| watch::channel(None).1, PauseControl::levels);
    watchers.spawn(levels.run(seen, wanted));
    level
}

/// Follows what the broker tells beside AMQP, and until when certificates hold.
fn watch_peers(
    config: &Config,
    client: &Client,
    state: &watch::Sender<BrokerStatus>,
    metrics: &Arc<Metrics>,
    watchers: &mut JoinSet<Infallible>,
) {
    watchers.spawn(certificates::watch(config, client, metrics));
    watchers.spawn(management::watch::run(config.management.clone(), state.clone(), Arc::clone(metrics)));
}

/// Follows the files of the token and of certificates.
fn watch_files(
    client: &Client,
    api: chakra::Config,
    [token_changes, certificate_changes]: [watch::Sender<u64>; 2],
    watchers: &mut JoinSet<Infallible>,
) {
    watchers.spawn(token::watch(client.clone(), token_changes));
    watchers.spawn(trust::watch(api, client.clone(), certificate_changes));
}

/// The ways to the API and to pictures. Connects to nothing.
fn ways(config: &Config) -> Result<Ways, String> {
    Ok(Ways { client: Client::new(&config.api)?, fetcher: Fetcher::new(&config.photos)? })
}

/// What the delivery machine is built of.
fn setup(config: &Config, limits: Limits, rules: Arc<Rules>, places: usize) -> Setup {
    let (policy, gate, request_limits) = (config.policy, config.gate, config.request_limits);
    let ledger = config.ledger.as_ref().map(|_| LedgerPolicy { timeout: config.api.timeout });
    let (outcomes, photos, repeats) = (config.outcomes, config.photo_policy, config.repeats);
    Setup { limits, rules, policy, gate, request_limits, repeats, ledger, outcomes, photos, places }
}

/// Consumes in a task of its own, which answers whether the broker took every answer.
fn consume(broker: amqp::Config, endpoints: Endpoints) -> JoinSet<bool> {
    let mut consumer = JoinSet::new();
    consumer.spawn(connection::run(broker, endpoints));
    consumer
}

/// Resolves if one of those ends that watch files and the broker, which only a panic can do.
async fn crashed(watchers: &mut JoinSet<Infallible>) -> String {
    match watchers.join_next().await {
        Some(Ok(never)) => match never {},
        ended => format!("a watcher of files or of the broker ended ({ended:?}); {REPORT}"),
    }
}

/// Tells everybody to stop after `shutdown`, and answers until when they may take.
async fn stop_after(
    shutdown: impl Future<Output = ()>,
    limit: Duration,
    phase: &watch::Sender<Phase>,
    stop: &watch::Sender<bool>,
) -> Instant {
    shutdown.await;
    tracing::info!(deadline_s = seconds(limit), "stopping: finishing what is under way");
    phase.send_replace(Phase::Draining);
    stop.send_replace(true);
    Instant::now() + limit.saturating_sub(telemetry::flush_share(limit))
}

/// What is known once the rules are is counted from nought.
fn foresee(metrics: &Metrics, rules: &Rules) {
    rules
        .iter()
        .filter_map(Rule::lookup_target)
        .for_each(|lookup_target| metrics.lookup_verified(&lookup_target.rule, None));
    rules.names().for_each(|rule| metrics.foresee_settled("created", rule, ""));
    rules.creating().for_each(|rule| metrics.foresee_repeats(rule));
    metrics.foresee_held(rules.creating());
}

/// The pause control, the commands as the dispatcher receives them, and the senders for new tokens and certificates.
fn commands(
    config: &Config,
    rules: watch::Receiver<Arc<Rules>>,
) -> (Option<PauseControl>, Commands, [watch::Sender<u64>; 2]) {
    let (paused, paused_seen) = watch::channel(false);
    let (token_changes, token) = watch::channel(0);
    let (certificate_changes, certificates) = watch::channel(0);
    let (resume_rule, resumed_rules) = resume::channel();
    let pause_control = config.admin.token.clone().map(|token| PauseControl::new(token, paused, resume_rule));
    let commands = Commands { paused: paused_seen, resumed_rules, token, rules, certificates };
    (pause_control, commands, [token_changes, certificate_changes])
}

fn open_admin(
    config: &Config,
    (metrics, health, pause_control, status): (Arc<Metrics>, Health, Option<PauseControl>, Status),
    watchers: &mut JoinSet<Infallible>,
) -> Result<JoinSet<()>, String> {
    let view = View { metrics, health, pause_control, status };
    let listener = server::bind(&config.admin)
        .map_err(|error| format!("admin.listen {}: {error}; choose a free port, or 0 for any", config.admin.listen))?;
    let address = listener.local_addr().map_err(|error| format!("admin.listen: {error}"))?;
    let more = if view.pause_control.is_some() { " /pause /resume /log-level" } else { "" };
    tracing::info!(%address, "health checks, metrics and the status page: /livez /readyz /metrics /status{more}");
    watchers.spawn(view.status.clone().watch());
    let mut admin = JoinSet::new();
    admin.spawn(server::serve(listener, view, std::future::pending()));
    Ok(admin)
}

/// Resolves if the consumer ends although nobody stopped it: without it the daemon would receive nothing. What it said at
/// a proper end is put into `settled`.
async fn broken(session: &mut JoinSet<bool>, stopped: watch::Receiver<bool>, settled: &mut Option<bool>) -> String {
    let ended = session.join_next().await;
    let is_stopped = *stopped.borrow();
    if let (true, Some(Ok(is_settled))) = (is_stopped, &ended) {
        *settled = Some(*is_settled);
        std::future::pending::<()>().await;
    }
    format!("the consumer ended by itself ({ended:?}); {REPORT}")
}

/// Waits until the consumer has ended, at most until the deadline: whether the broker took every answer. `said` is its answer, if it
/// has ended before.
async fn settled(said: Option<bool>, session: &mut JoinSet<bool>, deadline: Instant) -> bool {
    match said {
        Some(is_settled) => is_settled,
        None => matches!(tokio::time::timeout_at(deadline, session.join_next()).await, Ok(Some(Ok(true)))),
    }
}
