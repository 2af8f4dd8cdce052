//! What telling outcomes costs: the rate beside a daemon that tells none, with an API of 5 ms.
//!
//! Not here: what is told (`tests/outcomes.rs`).

use std::time::Duration;

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions};
use lapin::types::FieldTable;

use super::figures::{Bar, Figure, median};
use super::interleaved;
use super::runner::{Paced, Run, Runner};
use super::stage::{Api, Place, Stage};

const EXCHANGE: &str = "crm.outcomes";
const QUEUE: &str = "crm.outcomes.read";

/// What the API takes for an answer.
const TAKES: Duration = Duration::from_millis(5);

/// Events a second, of which nine tenths are to be left where their outcomes are told.
const WANTED: u32 = 4_000;
/// Channels for outcomes at that pace.
const CHANNELS: u16 = 64;

/// At the wanted pace, then interleaved at full speed. The rate without outcomes is that of a daemon whose configuration names none.
pub async fn outcomes(stage: &Stage, rounds: usize) -> Vec<Figure> {
    let runners = [Runner::daemon(256), Runner::telling(256, 16), Runner::telling(256, 64), Runner::telling(256, 256)];
    let [without, few, more, many] =
        interleaved(stage, rounds.min(3), runners, Api::After(TAKES), stage.events / 2).await;
    let best = few.better(more).better(many);
    vec![
        at_the_wanted_pace(stage, rounds).await,
        Figure::told("events/s with outcomes told at full speed, of those without", best.rate() / without.rate()),
        Figure::least(
            "events/s with outcomes told, the highest",
            best.rate(),
            Bar::new(0.9 * f64::from(WANTED), 400.0),
        ),
        Figure::told("CPU of an event with its outcome told, of one without", best.cpu() / without.cpu()),
        Figure::told("MiB beyond, with outcomes told", best.memory() - without.memory()),
    ]
}

/// How many events a second are processes while so many are published, with outcomes told and without, in turn.
async fn at_the_wanted_pace(stage: &Stage, rounds: usize) -> Figure {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..rounds.min(3) {
        for (runner, rates) in [(Runner::daemon(256), &mut without), (Runner::telling(256, CHANNELS), &mut with)] {
            let Paced { offered, in_time, cpu, behind } = Run::paced(stage, &runner, Api::After(TAKES), WANTED).await;
            let rate = offered * in_time;
            println!(
                "{runner}: {offered:.0} published a second, {rate:.0} processes a second meanwhile, the last {behind:.2} s after; \
                 {cpu:.1} s of a processor"
            );
            rates.push(rate);
        }
    }
    Figure::least(
        "events/s with outcomes told at 4,000 published, of those without",
        median(with) / median(without),
        Bar::new(0.9, 0.5),
    )
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
