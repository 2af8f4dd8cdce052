//! A consumer that has stalled is noticed and subscribes anew, and the standby of a single active consumer is left alone.
//!
//! Not here: when silence is a stall; `amqp/stalls.rs` says and tests that.

use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable};

use super::SECTIONS;
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, Setup, says};
use crate::support::deadline::within;
use crate::support::relay::{Doing, From, Relay, Verdict};
use crate::support::scene::Scene;
use crate::support::standin::{Fault, Rule};

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_consumer_is_noticed_and_hears_again() {
    const HEARD: usize = 5;
    const EVENTS: usize = 40;
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let relay = Relay::start(scene.listens()).await;
    let setup = Setup { amqp: scene.by_way_of(relay.address().port()), ..scene.setup() }.sections(SECTIONS);
    let mut daemon = Daemon::start(&setup.broker("prefetch = 4\nstall_timeout = \"2s\""));
    within(60, "consuming", daemon.consuming()).await;
    let (mut heard, mut stalls) = (0, None);
    relay.arm(Box::new(move |seen| {
        if seen.from == From::Daemon {
            return Verdict::Passes;
        }
        if seen.doing == Doing::Delivers {
            heard += 1;
            if heard > HEARD && stalls.is_none() {
                stalls = Some(seen.connection);
            }
        }
        let is_message = matches!(seen.doing, Doing::Delivers | Doing::Content);
        if is_message && stalls == Some(seen.connection) { Verdict::Swallowed } else { Verdict::Passes }
    }));
    scene.publish(EVENTS, 100).await;
    within(60, "a word", daemon.until(|line| says(line, "broker lost") && says(line, "nothing arrives"))).await;
    within(60, "all created", scene.until_created(EVENTS)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(30)).await;
    scene.assert_none_lost_and_doubles_announced(EVENTS, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standby_of_a_single_active_consumer_is_left_alone_and_takes_over() {
    const EVENTS: usize = 24;
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.client.delete(&scene.queue()).await;
    let mut single = FieldTable::default();
    single.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    scene.client.declare_quorum(&scene.queue(), single).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 500 })]);
    let setup = scene.setup().sections(SECTIONS).broker("prefetch = 1\nstall_timeout = \"1s\"");
    let [mut active, mut standby] = [Daemon::start(&setup), Daemon::start(&setup)];
    within(60, "consuming", active.consuming()).await;
    within(60, "consuming", standby.consuming()).await;
    scene.publish(EVENTS, 100).await;
    within(60, "half of them", scene.until_created(EVENTS / 2)).await;
    let served = |daemon: &Daemon| daemon.count(|line| line["result"] == "created");
    let [first, second] = [&active, &standby].map(served);
    assert!(first == 0 || second == 0, "{first} and {second} created: the queue has two active consumers");
    for daemon in [&active, &standby] {
        assert_eq!(daemon.count(|line| says(line, "broker lost")), 0);
    }
    let dies = if first > 0 { active } else { standby };
    dies.signal("KILL");
    within(60, "all created", scene.until_created(EVENTS)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
    scene.assert_none_lost_and_doubles_announced(EVENTS, &[]);
}
