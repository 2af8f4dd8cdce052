//! The queues, checked, or made where they are missing and the configuration says so.
//!
//! Not here: which there should be (`wanted_queues`), consuming from them, or changing one that exists: it is left as it is, and
//! looked at as any other.

use lapin::{Channel, Connection};

use super::connect::Connections;
use super::error::{BrokerError, is_locked, is_other, is_refused};
use super::notices::Notices;
use super::questions::{durable, exists, refused_publish, try_declare};
use super::queue_warnings::{self, Findings, OfQueue};
use super::wanted_queues::{delay_queue_name, delay_queues, of_delay_queue, rights, wanted};
use super::{Config, Topology};
use crate::core::delay_queue::DELAY_QUEUES;
use crate::states::queues::QueueWarning;

/// What follows where the delay queues will not do.
pub(super) const MEMORY_ONLY: &str = "events wait in memory only, none is delayed";

/// What was found of queues that can be worked with.
pub(super) struct Prepared {
    /// What stands in the way of delaying events, if anything does.
    pub(super) obstacle: Option<String>,
    /// What is risky about the queues.
    pub(super) warnings: Vec<QueueWarning>,
}

/// Makes or checks the queues, and names every one that is missing. `asking` is a channel of the publishing connection that
/// confirms.
pub(super) async fn prepare(
    config: &Config,
    connections: &Connections,
    asking: &Channel,
    notices: &mut Notices,
) -> Result<Prepared, BrokerError> {
    let connection = &connections.consuming;
    let mut missing = Missing::look(config, connection).await?;
    let mut unmade = Unmade::default();
    if config.topology == Topology::Declare {
        unmade = declare(config, connection, &mut missing).await?;
    }
    if let Some(missing) = missing.to_consume(config) {
        return Err(BrokerError::new(unmade.why(&missing)));
    }
    let warnings = tell(config, queue_warnings::find(config, connection).await?, notices)?;
    let obstacle = obstacle(config, connections, asking, &missing).await?.map(|missing| unmade.why(&missing));
    if let Some(obstacle) = &obstacle {
        let words = format!("{MEMORY_ONLY}: {obstacle}");
        if notices.is_new(&words) {
            tracing::warn!("{words}");
        }
    }
    Ok(Prepared { obstacle, warnings })
}

/// Tells each warning that is new. What cannot be worked with is an error.
fn tell(config: &Config, findings: Findings, notices: &mut Notices) -> Result<Vec<QueueWarning>, BrokerError> {
    let words = "the broker does not let this user see how the queues are made";
    if findings.is_hidden && notices.is_new(words) {
        tracing::info!(queue = config.queue, "{words}: let `check --online` run once as a user who may configure them");
    }
    let (refused, warnings): (Vec<_>, Vec<_>) = findings.list.into_iter().partition(OfQueue::is_refused);
    let mut told = Vec::new();
    for warning in warnings {
        let which = if warning.queue == config.queue { "work" } else { "dead-letter" };
        let words = format!("queue warning: the {which} queue {}", warning.finding.words);
        if notices.is_new(&words) {
            tracing::warn!(queue = warning.queue, argument = warning.finding.argument, "{words}");
        }
        told.push(QueueWarning { is_loss: warning.finding.weight.is_loss(), words: warning.to_string() });
    }
    let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
    if refused.is_empty() { Ok(told) } else { Err(BrokerError::new(refused.join("; "))) }
}

/// What stands in the way of delaying, if anything does.
async fn obstacle(
    config: &Config,
    connections: &Connections,
    asking: &Channel,
    missing: &Missing,
) -> Result<Option<String>, BrokerError> {
    if let Some(missing) = missing.to_delay(config) {
        return Ok(Some(missing));
    }
    if let Some(wrong) = wrong_delay_queue(config, &connections.consuming, missing).await? {
        return Ok(Some(wrong));
    }
    refused_publish(config, asking, &connections.publishing).await
}

/// Which of the queues that are to be there are not.
pub(super) struct Missing(Vec<String>);

impl Missing {
    /// Asks for each once, which is enough for one connect.
    pub(super) async fn look(config: &Config, connection: &Connection) -> Result<Self, BrokerError> {
        let mut missing = Vec::new();
        for queue in [config.queue.clone(), config.dead_letter_queue.clone()].into_iter().chain(delay_queues(config)) {
            if !exists(config, connection, &queue).await? {
                missing.push(queue);
            }
        }
        Ok(Self(missing))
    }

    pub(super) fn has(&self, queue: &str) -> bool {
        self.0.iter().any(|missing| missing == queue)
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.0
    }

    fn was_made(&mut self, queue: &str) {
        self.0.retain(|missing| missing != queue);
    }

    /// The work queue and the dead-letter queue, in words.
    pub(super) fn to_consume(&self, config: &Config) -> Option<String> {
        self.words(config, [config.queue.clone(), config.dead_letter_queue.clone()])
    }

    /// The delay queues, in words.
    pub(super) fn to_delay(&self, config: &Config) -> Option<String> {
        self.words(config, delay_queues(config))
    }

    fn words(&self, config: &Config, of: impl IntoIterator<Item = String>) -> Option<String> {
        let missing = of.into_iter().filter(|queue| self.has(queue)).map(|queue| format!("queue `{queue}`"));
        let missing: Vec<_> = missing.collect();
        let remedy = match config.topology {
            Topology::Verify => "; make what is missing, or set broker.topology = \"declare\"",
            Topology::Declare => "",
        };
        (!missing.is_empty()).then(|| format!("missing in the broker: {}{remedy}", missing.join(" and ")))
    }
}

/// What is wrong with each delay queue that is there and could drop an event or never give it back: asked by declaring it as it should be,
/// which changes nothing about one that is there.
pub(super) async fn wrong_delay_queue(
    config: &Config,
    connection: &Connection,
    missing: &Missing,
) -> Result<Option<String>, BrokerError> {
    let mut wrong = Vec::new();
    for delay_queue in DELAY_QUEUES {
        let queue = delay_queue_name(&config.queue, delay_queue);
        // Looking at one that is missing would make it.
        if missing.has(&queue) {
            continue;
        }
        let arguments = of_delay_queue(config, delay_queue);
        match try_declare(config, connection, &queue, durable(), arguments).await? {
            Ok(()) => {}
            Err(error) if is_other(&error) || is_locked(&error) => {
                wrong.push(format!("queue `{queue}` could drop or keep them: {error}; make it again"));
            }
            // That this user may not see how queues are made is told once for all.
            Err(error) if is_refused(&error) => break,
            Err(error) => return Err(BrokerError::during(&format!("looking at queue `{queue}`"), &error)),
        }
    }
    Ok((!wrong.is_empty()).then(|| wrong.join("; ")))
}

/// Which queues this user may not make, and which rights that would take.
#[derive(Default)]
struct Unmade(Vec<String>);

impl Unmade {
    /// Why something is missing.
    fn why(&self, missing: &str) -> String {
        if self.0.is_empty() {
            return missing.to_owned();
        }
        format!(
            "{missing}; this user may not make it: make it by hand, or give the user the right {}",
            self.0.join(", ")
        )
    }
}

/// Makes each queue that is missing, and touches none that is there. What this user may not make is left to the checks.
async fn declare(config: &Config, connection: &Connection, missing: &mut Missing) -> Result<Unmade, BrokerError> {
    let mut unmade = Unmade::default();
    for (queue, arguments) in wanted(config) {
        if !missing.has(&queue) {
            continue;
        }
        match try_declare(config, connection, &queue, durable(), arguments).await? {
            Ok(()) => {
                missing.was_made(&queue);
                tracing::info!(queue, "queue made");
            }
            Err(error) if is_refused(&error) => unmade.0.push(rights(config, &queue)),
            Err(error) => return Err(BrokerError::during(&format!("declaring queue `{queue}`"), &error)),
        }
    }
    Ok(unmade)
}

#[cfg(test)]
mod tests;
