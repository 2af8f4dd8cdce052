//! The demonstration behind `make demo`: a real RabbitMQ, the real daemon, the stand-in of the API, one event of every
//! result, and a table of what became of each. Ends 0 only if every event published is accounted for.
//!
//! Not here: installing a broker (`tests/support/ready.sh` does that before).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "a demonstration stops at the first thing that is not as it says"
)]

#[path = "../support/mod.rs"]
mod support;

mod events;
mod results;
mod told;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use chakra_bridge::core::delay_queue::DELAY_QUEUES;
use events::{RULES, samples};
use results::Report;
use support::broker::{Broker, Client};
use support::daemon::{Daemon, Setup};
use support::deadline::within;
use support::standin::{Canned, Rule, StandIn};

const QUEUE: &str = "crm.events";
const DEAD: &str = "crm.events.dead";
/// The exchange that producers are told by, and the queue that listens.
const OUTCOMES: &str = "crm.outcomes";
const LISTENER: &str = "crm.outcomes.read";
/// The key of the sample that is published twice.
const TWICE: &str = "case-7";
/// Bulk beside the samples, so that there is something to see in the metrics.
const MORE: usize = 200;

#[tokio::main]
async fn main() -> ExitCode {
    println!("1. looking for a RabbitMQ: one named in CHAKRA_BRIDGE_TEST_AMQP, a local rabbitmq-server, Docker");
    let broker = Broker::start().await;
    let place = broker.vhost().await;
    let (queue, dead) = (place.name_of(QUEUE), place.name_of(DEAD));
    let (exchange, listener) = (place.name_of(OUTCOMES), place.name_of(LISTENER));

    let api = StandIn::start().await;
    api.plan(vec![Rule::always(Canned::new(429).retry_after("1")).attribute("event_key", "flaky-1").times(1)]);
    api.set_states("ticket", &["NEW", "DONE"]);
    println!("2. the stand-in of the API is up: {}/control/created", api.url());

    let kept = tempfile::tempdir().expect("a folder");
    let ledger = format!("[ledger]\nurl = \"sqlite://{}\"", kept.path().join("ledger.db").display());
    let setup = Setup::new(&place.url, &queue, &api.url(), StandIn::TOKEN)
        .broker(&format!("dead_letter_queue = \"{dead}\"\ntopology = \"declare\""))
        .sections(&ledger)
        .sections(&format!("[outcomes]\nexchange = \"{exchange}\""))
        .sections(RULES);
    let mut daemon = Daemon::start_at(&beside(), &setup);
    within(30, "the daemon to consume", daemon.consuming()).await;
    let admin = within(5, "its admin port", daemon.admin()).await;
    println!("3. the daemon runs: {admin}/readyz {admin}/metrics");

    let client = place.client().await;
    told::listen(&client, &exchange, &listener).await;
    let samples = samples();
    println!("4. publishing {} events of every result, and {MORE} leads besides", samples.len());
    for sample in &samples {
        client.publish("", &queue, sample.body.as_bytes(), sample.properties.clone()).await;
    }
    client.publish_many("", &queue, more()).await;
    let all = samples.len() + MORE;
    within(60, "every event's result", settled(&mut daemon, all)).await;

    println!("5. what the ledger knows of the ticket that was published twice: chakra-bridge trace {TWICE}");
    trace(&daemon.config());
    println!("6. stopping the daemon");
    daemon.signal("TERM");
    let (code, log) = within(30, "the daemon's end", daemon.ended()).await;
    println!("7. what the producers were told, by the exchange {exchange}");
    let outcomes = client.drain(&listener).await;
    told::print(&outcomes);
    let report = Report {
        published: all,
        code,
        results: results::results(&samples, &log),
        created: api.created().len(),
        dead: client.drain(&dead).await.len(),
        skipped: log.iter().filter(|line| line["result"] == "skipped").count(),
        duplicates: log.iter().filter(|line| line["result"] == "duplicate").count(),
        told: outcomes.len(),
        queued: client.depth(&queue).await.map_or(0, |depth| depth.messages as usize),
    };
    keep_for_a_lookup().await;
    tidy_up(&client, &queue, &[&dead, &listener]).await;
    told::forget(&client, &exchange).await;
    client.close().await;
    report.print()
}

/// A broker that is not ours is left as it was found.
async fn tidy_up(client: &Client, queue: &str, others: &[&str]) {
    client.delete(queue).await;
    for name in others {
        client.delete(name).await;
    }
    for delay_queue in DELAY_QUEUES {
        client.delete(&format!("{queue}.wait.{}", delay_queue.label)).await;
    }
}

/// The daemon's program, built beside this one.
fn beside() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this program");
    let folder = own.parent().and_then(|examples| examples.parent()).expect("the folder `examples` beside it");
    folder.join("chakra-bridge")
}

/// Prints what `trace` says, each line set in.
fn trace(config: &Path) {
    let said = Command::new(beside()).arg("--config").arg(config).args(["trace", TWICE]).output().expect("it runs");
    String::from_utf8_lossy(&said.stdout).lines().for_each(|line| println!("   {line}"));
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

fn more() -> Vec<(Vec<u8>, lapin::BasicProperties)> {
    let lead = |number| {
        let id = format!("more-{number}");
        let properties = lapin::BasicProperties::default().with_message_id(id.into()).with_type("lead.created".into());
        (br#"{"first": "Barney", "phone": "7701214829"}"#.to_vec(), properties.with_delivery_mode(2))
    };
    (0..MORE).map(lead).collect()
}

async fn settled(daemon: &mut Daemon, all: usize) {
    daemon.until_count(all, |line| line["result"].is_string()).await;
}

/// On request, leaves broker and stand-in up for a while.
async fn keep_for_a_lookup() {
    let Some(seconds) = std::env::var("KEEP").ok().and_then(|text| text.parse().ok()) else { return };
    println!("keeping broker and stand-in up for {seconds} s (KEEP)");
    tokio::time::sleep(Duration::from_secs(seconds)).await; // tidy: allow sleep, the user asked for it
}
