//! A call to the broker that hangs holds up nothing that does not need its answer.
//!
//! Not here: a broker that answers nothing at all (`survives.rs`).

use std::time::Duration;

use tokio::sync::watch;

use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, Setup, says};
use crate::support::deadline::within;
use crate::support::relay::{Breakpoint, Doing, From, Relay, Seen, Verdict};
use crate::support::standin::{Fault, Rule};

/// Of the connections of a daemon the first consumes.
const CONSUMES: usize = 0;

async fn scene() -> (Scene, Relay) {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let relay = Relay::start(scene.listens()).await;
    (scene, relay)
}

fn setup(scene: &Scene, relay: &Relay, more: &str) -> Setup {
    let setup = Setup { amqp: scene.by_way_of(relay.address().port()), ..scene.setup() };
    setup.broker("call_timeout = \"5m\"\nheartbeat = \"5m\"\ntopology = \"declare\"").broker(more)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_consumer_that_hangs_while_it_is_begun() {
    let (scene, mut relay) = scene().await;
    let is_question = |seen: &Seen| matches!(&seen.doing, Doing::Publishes(to) if to.ends_with(".wait.nowhere"));
    relay.arm(Box::new(move |seen| if is_question(seen) { Verdict::Held } else { Verdict::Passes }));
    let daemon = Daemon::start(&setup(&scene, &relay, ""));
    within(60, "the question that hangs", relay.reached()).await;
    assert_eq!(daemon.count(|line| says(line, "consuming")), 0);
    daemon.signal("TERM");
    let (code, log) = within(20, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_does_not_wait_for_a_question_that_hangs() {
    let (scene, relay) = scene().await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 4000 })]);
    let mut daemon = Daemon::start(&setup(&scene, &relay, "stall_timeout = \"1s\""));
    within(60, "consuming", daemon.consuming()).await;
    // Once an event was delivered, no channel that is opened on that connection is ever answered.
    let mut known = None;
    relay.arm(Box::new(move |seen| {
        if seen.connection != CONSUMES || seen.channel == 0 {
            return Verdict::Passes;
        }
        if seen.doing == Doing::Delivers {
            known = Some(seen.channel);
        }
        let is_new = known.is_some_and(|known| seen.channel != known);
        if is_new && seen.from == From::Broker { Verdict::Swallowed } else { Verdict::Passes }
    }));
    scene.publish(1, 100).await;
    within(60, "the process", scene.until_created(1)).await;
    scene.place.until_unacked(&scene.queue(), 0, Duration::from_secs(30)).await;
    assert_eq!(daemon.count(|line| says(line, "broker lost")), 0, "the question still hangs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_subscription_that_hangs_while_it_is_made_again() {
    let (scene, relay) = scene().await;
    scene.api.set_tokens(&["another"]);
    let setup = setup(&scene, &relay, "").sections("[gate]\nrelease_after = \"1s\"");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    let (breakpoint, mut hangs) = swallows_calls();
    relay.arm(breakpoint);
    // Refused for long enough, it wants one event: the subscription is ended, and its end is never answered.
    scene.publish(2, 100).await;
    within(60, "the end that hangs", hangs.wait_for(|hangs| *hangs)).await.unwrap();
    daemon.signal("TERM");
    let (code, log) = within(20, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_does_not_wait_for_the_end_of_the_subscription_at_the_stop() {
    let (scene, relay) = scene().await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 3000 })]);
    let mut daemon = Daemon::start(&setup(&scene, &relay, ""));
    within(60, "consuming", daemon.consuming()).await;
    let (breakpoint, mut hangs) = swallows_calls();
    relay.arm(breakpoint);
    scene.publish(1, 100).await;
    within(60, "the request", scene.api.until(|books| !books.requests.is_empty())).await;
    daemon.signal("TERM");
    within(60, "the end that hangs", hangs.wait_for(|hangs| *hangs)).await.unwrap();
    within(60, "the process", scene.until_created(1)).await;
    scene.place.until_unacked(&scene.queue(), 0, Duration::from_secs(15)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(5)).await;
}

/// Once something was delivered: the first call of the daemon on the channel that delivers, which is the end of its subscription;
/// and whether there was one.
fn swallows_calls() -> (Breakpoint, watch::Receiver<bool>) {
    let (hangs, seen_to_hang) = watch::channel(false);
    let mut known = None;
    let breakpoint = move |seen: &Seen| {
        if seen.connection != CONSUMES || seen.channel == 0 {
            return Verdict::Passes;
        }
        if seen.doing == Doing::Delivers {
            known = Some(seen.channel);
        }
        let is_call = known == Some(seen.channel) && seen.from == From::Daemon && seen.doing == Doing::Else;
        if !is_call || *hangs.borrow() {
            return Verdict::Passes;
        }
        hangs.send_replace(true);
        Verdict::Swallowed
    };
    (Box::new(breakpoint), seen_to_hang)
}
