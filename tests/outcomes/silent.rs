//! A queue of which no confirm ever comes, as of one without its majority: its outcomes wait and are told again under the same id, and
//! after `broker.call_timeout` no other outcome waits for them.
//!
//! Not here: what is refused in words (`refused`).

use std::collections::{BTreeSet, HashSet};

use lapin::BasicProperties;

use crate::stage::{Stage, Told};
use crate::support::daemon::{Daemon, Setup};
use crate::support::deadline::within;
use crate::support::relay::{Doing, From, Relay, Verdict};

const RULES: &str = "channels = 2\n[[rule]]\nname = \"silent\"\ntype = \"silent\"\nprocedure = \"lead\"\n\
                     data = { event_key = \"{{ key }}\" }\n[[rule]]\nname = \"any\"\nprocedure = \"lead\"\n\
                     data = { event_key = \"{{ key }}\" }\n";

/// Events of each rule.
const EVENTS: usize = 8;

async fn publish(stage: &Stage, kind: &str) {
    for number in 0..EVENTS {
        let properties = BasicProperties::default().with_type(kind.into());
        stage.publish(&format!("{kind}{number}"), b"{}", properties).await;
    }
}

/// Lets no confirm of what goes to this queue or by this routing key come through.
fn silence(relay: &Relay, key: &'static str) {
    let mut silent = HashSet::new();
    relay.arm(Box::new(move |seen| {
        let channel = (seen.connection, seen.channel);
        match &seen.doing {
            Doing::Publishes(to) if to == key => drop(silent.insert(channel)),
            Doing::Publishes(_) => drop(silent.remove(&channel)),
            Doing::Acknowledges if seen.from == From::Broker && silent.contains(&channel) => return Verdict::Swallowed,
            _ => {}
        }
        Verdict::Passes
    }));
}

/// A stage whose daemon reaches its broker through the relay, and waits a second for a confirm.
async fn by_way_of_a_relay(more: &str) -> (Stage, Relay) {
    let mut stage = Stage::new(&format!("{more}{RULES}"), "prefetch = 64\ncall_timeout = \"1s\"").await;
    let relay = Relay::start(stage.scene.listens()).await;
    stage.setup = Setup { amqp: stage.scene.by_way_of(relay.address().port()), ..stage.setup };
    (stage, relay)
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_that_are_never_confirmed_hold_up_no_others_and_are_told_again_under_the_same_id() {
    let (stage, relay) = by_way_of_a_relay("").await;
    let mut daemon = stage.daemon().await;
    silence(&relay, "silent.created");
    publish(&stage, "silent").await;
    publish(&stage, "any").await;
    within(60, "all created", stage.scene.until_created(2 * EVENTS)).await;
    let line = "chakra_bridge_outcomes_total{outcome=\"created\",result=\"told\"}";
    stage.until_metric(&mut daemon, line, 8.0).await;
    stage.until_metric(&mut daemon, "chakra_bridge_outcomes_waiting", 1.0).await;
    relay.disarm();
    within(60, "all told", stage.until_metric(&mut daemon, line, 16.0)).await;
    stage.at_rest().await;
    let told: Vec<Told> = stage.scene.client.drain(&stage.queue()).await.iter().map(Told::of).collect();
    let ids: BTreeSet<(&str, String)> = told.iter().map(|told| (told.id(), told.subject())).collect();
    let keys: BTreeSet<String> = told.iter().map(Told::subject).collect();
    assert_eq!((ids.len(), keys.len()), (2 * EVENTS, 2 * EVENTS), "one id for each");
    assert!(told.len() > ids.len(), "the broker kept what it did not confirm");
    assert_eq!(stage.scene.api.created().len(), 2 * EVENTS, "each is asked for once");
    assert_eq!(daemon.count(|line| line["message"] == "broker lost"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_never_confirmed_hold_up_one_event_of_their_queue_in_a_minute() {
    let (stage, relay) = by_way_of_a_relay("reply_to = true\n").await;
    let answers = stage.scene.place.name_of("answers");
    stage.scene.client.declare_classic(&answers, lapin::types::FieldTable::default()).await;
    let mut daemon: Daemon = stage.daemon().await;
    silence(&relay, String::leak(answers.clone()));
    for number in 0..40 {
        let properties = BasicProperties::default().with_reply_to(answers.as_str().into());
        stage.publish(&format!("e{number}"), b"{}", properties).await;
    }
    drop(within(30, "outcomes", stage.told(40)).await);
    let line = "chakra_bridge_outcome_replies_total{result=\"unconfirmed\"}";
    stage.until_metric(&mut daemon, line, 40.0).await;
    stage.at_rest().await;
    let tried = stage.scene.client.drain(&answers).await.len();
    assert!((1..=2).contains(&tried), "as many as there are channels: {tried}");
}
