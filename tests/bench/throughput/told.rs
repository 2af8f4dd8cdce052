//! What telling outcomes costs: the rate beside a daemon that tells none, with an API of 5 ms.
//!
//! Not here: what is told (`tests/outcomes.rs`).

use std::time::Duration;

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions};
use lapin::types::FieldTable;

use super::figures::{Bar, Figure};
use super::interleaved;
use super::runner::Runner;
use super::stage::{Api, Place, Stage};

const EXCHANGE: &str = "crm.outcomes";
const QUEUE: &str = "crm.outcomes.read";

/// What the API takes for an answer.
const TAKES: Duration = Duration::from_millis(5);

/// Events a second, of which nine tenths are to be left where their outcomes are told.
const WANTED: f64 = 4_000.0;

/// Interleaved, at full speed. The rate without outcomes is that of a daemon whose configuration names none.
pub async fn outcomes(stage: &Stage, rounds: usize) -> Vec<Figure> {
    let runners = [Runner::daemon(256), Runner::telling(256, 16), Runner::telling(256, 64), Runner::telling(256, 256)];
    let [without, few, more, many] =
        interleaved(stage, rounds.min(3), runners, Api::After(TAKES), stage.events / 2).await;
    let best = few.better(more).better(many);
    vec![
        Figure::least(
            "events/s with outcomes told, of those without",
            best.rate() / without.rate(),
            Bar::new(0.9, 0.3),
        ),
        Figure::least("events/s with outcomes told, the highest", best.rate(), Bar::new(0.9 * WANTED, 400.0)),
        Figure::told("CPU of an event with its outcome told, of one without", best.cpu() / without.cpu()),
        Figure::told("MiB beyond, with outcomes told", best.memory() - without.memory()),
    ]
}

impl Place {
    /// The exchange and a queue behind it that takes all, and the section that names it.
    pub async fn outcomes(&self, channels: u16) -> String {
        let channel = self.client.connection().create_channel().await.expect("a channel");
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let made = channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Topic, options, FieldTable::default());
        made.await.expect("an exchange");
        self.client.declare_quorum(QUEUE, FieldTable::default()).await;
        let (options, table) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(QUEUE.into(), EXCHANGE.into(), "#".into(), options, table).await.expect("a binding");
        format!("[outcomes]\nexchange = \"{EXCHANGE}\"\nchannels = {channels}\n")
    }

    /// Until each event has its outcome.
    pub async fn until_told(&self, events: usize) {
        let count = u32::try_from(events).expect("not so many");
        self.client.until_depth(QUEUE, count, Duration::from_secs(60)).await;
    }
}
