//! What only the management API shows beside policies: queues that this user may not look at, who holds one, other clusters; and
//! an API that is away. On every version that is supported (`policies.rs`).
//!
//! Not here: policies (`policies.rs`), and the API over TLS (`tls/broker.rs`).

use lapin::options::BasicConsumeOptions;
use lapin::types::{AMQPValue, FieldTable};

use super::online::check;
use super::policies::{MINUTE, degraded, makes_queues, managed, scene};
use super::scene::Scene;
use crate::support::broker::{Broker, eventually, shared};
use crate::support::daemon::{Daemon, says};
use crate::support::deadline::within;
use crate::support::standin::{Fault, Rule};

#[tokio::test(flavor = "multi_thread")]
async fn a_management_api_that_is_away_or_refuses_is_a_warning_by_name_and_stops_nothing() {
    let scene = within(240, "a broker", async { scene(shared().await).await }).await;
    let (user, _) = scene.place.management().login();
    let away = "management.url = \"http://127.0.0.1:1\"\nmanagement.interval = \"1s\"".to_owned();
    let refuses = format!(
        "management.url = \"{}\"\nmanagement.user = \"{user}\"\nmanagement.password = \"wrong\"",
        scene.place.management().url()
    );
    for (more, words) in [(away, "refused"), (refuses, "give the user the tag `management`")] {
        let setup = scene.setup().broker(&more);
        let (code, said) = check(&setup, &[]).await;
        assert!(code == Some(0) && said.contains("warning: broker.management.url") && said.contains(words), "{said}");
        let mut daemon = Daemon::start(&setup);
        let admin = within(60, "its port", daemon.admin()).await;
        let told = daemon.until(|line| says(line, "the management API") && says(line, words));
        within(60, "why it cannot be asked", told).await;
        within(60, "consuming", daemon.consuming()).await;
        assert_eq!(within(60, "readiness", degraded(&admin)).await, ["management_away"]);
        assert_eq!(daemon.count(|line| says(line, "the management API")), 1, "told once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_the_daemon_is_to_make_is_not_told_as_one_that_the_management_api_does_not_know() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let setup = managed(&scene, scene.setup().broker("topology = \"declare\""));
    let (code, said) = check(&setup, &[]).await;
    assert!(code == Some(0) && !said.contains("not known to the management API"), "{said}");
    let mut daemon = Daemon::start(&setup);
    let admin = within(60, "its port", daemon.admin()).await;
    within(60, "consuming", daemon.consuming()).await;
    eventually(MINUTE, "its first look", async || {
        let text = reqwest::get(format!("{admin}/metrics")).await.unwrap().text().await.unwrap();
        text.contains("chakra_bridge_management_up 1")
    })
    .await;
    assert_eq!(daemon.count(|line| says(line, "not known to the management API")), 0);
}

/// A stream, which AMQP does not show to whoever may not configure it.
pub(super) async fn a_stream(broker: &Broker) {
    let scene = within(120, "a place", scene(broker)).await;
    scene.client.delete(&scene.queue()).await;
    scene.client.declare_stream(&scene.queue()).await;
    let setup = scene.limited(scene.setup(), ".*").await;
    let setup = managed(&scene, setup);
    let (code, said) = check(&setup, &[]).await;
    assert!(code == Some(78) && said.contains("is a stream"), "{said}");
    let mut daemon = Daemon::start(&setup);
    let told = daemon.until(|line| says(line, "broker lost") && says(line, "is a stream"));
    within(60, "that it is refused", told).await;
}

/// A delay queue whose events go elsewhere, which AMQP does not show to whoever may not configure it.
pub(super) async fn a_delay_queue_that_leads_elsewhere(broker: &Broker) {
    let scene = within(120, "a place", scene(broker)).await;
    let wait = format!("{}.wait.10s", scene.queue());
    scene.client.delete(&wait).await;
    let mut arguments = FieldTable::default();
    let text = |text: &str| AMQPValue::LongString(text.into());
    arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(10_000));
    for (name, value) in [
        ("x-dead-letter-exchange", ""),
        ("x-dead-letter-routing-key", "another"),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ] {
        arguments.insert(name.into(), text(value));
    }
    scene.client.declare_quorum(&wait, arguments).await;
    let setup = scene.limited(scene.setup(), ".*").await;
    let (code, said) = check(&setup, &[]).await;
    assert!(code == Some(0) && !said.contains(&wait), "AMQP does not show it: {said}");
    let (code, said) = check(&managed(&scene, setup.clone()), &[]).await;
    assert!(code == Some(78) && said.contains(&format!("queue `{wait}` is not made as a delay queue")), "{said}");
    let mut daemon = Daemon::start(&managed(&scene, setup));
    let told = daemon.until(|line| says(line, "wait in memory only") && says(line, &wait));
    within(60, "that nothing is delayed", told).await;
    let admin = within(60, "its port", daemon.admin()).await;
    assert!(within(60, "readiness", degraded(&admin)).await.contains(&"no_delays".to_owned()));
    scene.client.publish("", &scene.queue(), b"{}", lapin::BasicProperties::default()).await;
    within(60, "one that is not delayed", scene.until_created(1)).await;
    assert_eq!(daemon.count(|line| says(line, "broker lost")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_delayed_in_a_queue_that_leads_elsewhere_once_the_management_api_shows_it() {
    let broker = within(240, "a broker", Broker::private()).await;
    within(240, "a delay queue", a_delay_queue_that_leads_elsewhere(&broker)).await;
}

/// A classic queue that one consumer holds for itself.
pub(super) async fn a_holder(broker: &Broker) {
    let scene = within(120, "a place", scene(broker)).await;
    scene.client.delete(&scene.queue()).await;
    scene.client.declare_classic(&scene.queue(), FieldTable::default()).await;
    let channel = scene.client.connection().create_channel().await.unwrap();
    let options = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
    let held = channel.basic_consume(scene.queue().into(), "".into(), options, FieldTable::default());
    let _held = within(60, "the other consumer", held).await.unwrap();
    eventually(MINUTE, "its holder", async || {
        scene.place.management().queue(&scene.place.name, &scene.queue()).await["consumer_details"][0]["exclusive"]
            == true
    })
    .await;
    let (code, said) = check(&managed(&scene, scene.setup()), &[]).await;
    assert!(code == Some(78) && said.contains("is held by another consumer"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_refused_without_the_right_to_configure_once_the_management_api_shows_it() {
    let broker = within(240, "a broker", Broker::private()).await;
    within(240, "a stream", a_stream(&broker)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_another_consumer_holds_is_refused_by_the_online_check() {
    let broker = within(240, "a broker", shared()).await;
    within(240, "its holder", a_holder(broker)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_cluster_than_that_of_the_management_api_is_told() {
    let one = within(240, "a broker", async { scene(shared().await).await }).await;
    let broker = within(240, "another broker", Broker::private()).await;
    let vhost = within(60, "the same virtual host there", broker.vhost_named(&one.place.name)).await;
    let other = within(60, "the same queues there", Scene::quorum(vhost)).await;
    // Whichever address is asked first, what it needs is there.
    within(60, "and the delay queues", makes_queues(&other)).await;
    let mut well = Daemon::start(&managed(&one, one.setup()));
    within(60, "consuming", well.consuming()).await;
    let admin = within(60, "its port", well.admin()).await;
    let mut daemon = Daemon::start(&managed(&one, other.setup()));
    within(60, "consuming", daemon.consuming()).await;
    let words = format!("but at {}: broker.management.url and that address are two clusters", other.listens());
    let told = daemon.until(|line| says(line, "queue warning: the work queue") && says(line, &words));
    within(60, "the word", told).await;
    let (_, said) = check(&managed(&one, other.setup()), &[]).await;
    let words = format!("warning: the management API shows no connection to {}:", other.listens());
    assert!(said.contains(&words) && said.contains("two clusters"), "{said}");
    let (user, password) = one.place.management().login();
    within(60, "the same login there", broker.ctl(&["change_password", &user, &password])).await;
    let both = format!("hosts = [\"{}\", \"{}\"]", one.listens(), other.listens());
    let (code, said) = check(&managed(&one, one.setup()).broker(&both), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&words) && !said.contains(&format!("no connection to {}:", one.listens())), "{said}");
    // That one has consumed for longer, and was looked at as often.
    let others: Vec<_> = within(60, "readiness", degraded(&admin)).await;
    assert!(others.is_empty(), "{others:?}");
    // While it drains, it has no subscription that could be shown.
    one.api.plan(vec![Rule::always(Fault::Delay { ms: 4_000 })]);
    one.client.publish("", &one.queue(), b"{}", lapin::BasicProperties::default()).await;
    within(60, "a request on its way", one.api.until(|books| !books.requests.is_empty())).await;
    well.signal("TERM");
    let (_, log) = within(60, "its end", well.ended()).await;
    assert!(!log.iter().any(|line| says(line, "two clusters")), "{log:?}");
}
