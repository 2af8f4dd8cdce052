//! Queues that exist already, and users who may do only a part: what is there is left as it is, what is missing is made, and
//! what this user may not do is said with the right that mends it. On every version that is supported.
//!
//! Not here: kinds of queues (`queues.rs`).

use lapin::ExchangeKind;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};

use super::online::check;
use super::scene::Scene;
use crate::support::broker::{Broker, shared, shared_image};
use crate::support::daemon::{Daemon, Setup, says};
use crate::support::deadline::within;

const USER: &str = "limited";
const PASSWORD: &str = "of-limited";
const NONE: &str = "^$";
const ALL: &str = ".*";

/// The classic queue of a company, with a length and a dead-letter exchange of its own.
pub(super) async fn of_the_company(scene: &Scene) {
    let channel = scene.client.connection().create_channel().await.unwrap();
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare("company.dlx".into(), ExchangeKind::Fanout, durable, FieldTable::default()).await.unwrap();
    scene.client.declare_classic(&scene.queue(), arguments_of_the_company()).await;
}

pub(super) fn arguments_of_the_company() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("company.dlx".into()));
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(5000));
    arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exists_is_left_as_it_is_and_only_what_is_missing_is_made() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    within(60, "the queue", of_the_company(&scene)).await;
    let setup = scene.setup().broker("topology = \"declare\"");
    let (code, said) = check(&setup, &[]).await;
    assert!(code == Some(0) && !said.contains("names no dead-letter exchange"), "{said}");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    scene.publish(3, 100).await;
    within(60, "all created", scene.until_created(3)).await;
    assert_eq!(daemon.count(|line| says(line, "broker lost") || says(line, "wait in memory only")), 0);
    for queue in [scene.dead(), format!("{}.wait.10s", scene.queue()), format!("{}.wait.1h", scene.queue())] {
        assert!(scene.client.depth(&queue).await.is_some(), "{queue}");
    }
    // Declared again as it was: it would be refused if it were made otherwise now.
    scene.client.declare_classic(&scene.queue(), arguments_of_the_company()).await;
}

/// The company's queue differs in much from what is asked for first: the broker closes a channel at each difference.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_closed_its_channel_costs_no_later_one_the_connection() {
    let broker = within(240, "a broker", Broker::private()).await;
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    within(60, "the queue", of_the_company(&scene)).await;
    // So few that the numbers of channels begin anew while the daemon asks.
    within(60, "few channels", broker.ctl(&["eval", "application:set_env(rabbit, channel_max, 12)."])).await;
    let setup = scene.setup().broker("topology = \"declare\"");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    assert_eq!(daemon.count(|line| says(line, "broker lost")), 0);
    let (code, said) = check(&setup, &[]).await;
    assert_eq!(code, Some(0), "{said}");
}

/// What this user may do in the place of the scene.
async fn may(broker: &Broker, scene: &Scene, [configure, write, read]: [&str; 3]) {
    let rights = ["set_permissions", "-p", &scene.place.name, USER, configure, write, read];
    within(60, "rights", broker.ctl(&rights)).await;
}

fn as_user(broker: &Broker, scene: &Scene, topology: &str) -> Setup {
    let amqp = broker.url_as(USER, PASSWORD, &scene.place.name);
    Setup { amqp, ..scene.setup() }.broker(&format!("topology = \"{topology}\""))
}

fn holds(said: &str, all: &[&str]) {
    let missing: Vec<_> = all.iter().filter(|words| !said.contains(**words)).collect();
    assert!(missing.is_empty(), "{missing:?} is not in:\n{said}");
}

async fn rights(broker: &Broker) {
    println!("RabbitMQ {}", broker.version());
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    within(60, "a user", broker.ctl(&["add_user", USER, PASSWORD])).await;
    may(broker, &scene, [NONE, ALL, ALL]).await;
    nothing_is_there(broker, &scene).await;
    scene.client.declare_quorum(&scene.queue(), FieldTable::default()).await;
    scene.client.declare_quorum(&scene.dead(), FieldTable::default()).await;
    delay_queues_are_missing(broker, &scene).await;
    let mut maker = Daemon::start(&scene.setup().broker("topology = \"declare\""));
    within(60, "consuming", maker.consuming()).await;
    maker.signal("TERM");
    within(60, "its end", maker.ended()).await;
    all_is_there(broker, &scene).await;
    may(broker, &scene, [NONE, ALL, "^.*\\.wait\\..*$"]).await;
    it_may_not_be_read(broker, &scene).await;
}

async fn nothing_is_there(broker: &Broker, scene: &Scene) {
    let setup = as_user(broker, scene, "declare");
    let mut daemon = Daemon::start(&setup);
    let told = daemon.until_count(2, |line| {
        says(line, "missing in the broker") && says(line, "may not make it") && says(line, "to configure and read")
    });
    within(60, "what is missing, and which right mends it", told).await;
    let (code, said) = check(&setup, &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &[&format!("queue `{}` is missing", scene.queue()), "may not make it", "to write to `amq.default`"]);
    assert_eq!(scene.client.depth(&scene.queue()).await, None, "no question makes a queue");
    let (code, said) = check(&scene.setup().broker("topology = \"declare\""), &[]).await;
    assert_eq!(code, Some(0), "who may make them is told of no mistake: {said}");
    assert_eq!(scene.client.depth(&scene.queue()).await, None, "no question makes a queue");
}

async fn delay_queues_are_missing(broker: &Broker, scene: &Scene) {
    let setup = as_user(broker, scene, "declare");
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    let told = daemon.count(|line| says(line, "events wait in memory only") && says(line, "may not make it"));
    assert_eq!((told, daemon.count(|line| says(line, "broker lost"))), (1, 0));
}

async fn all_is_there(broker: &Broker, scene: &Scene) {
    for topology in ["declare", "verify"] {
        let setup = as_user(broker, scene, topology);
        let (code, said) = check(&setup, &[]).await;
        assert_eq!(code, Some(0), "{said}");
        let mut daemon = Daemon::start(&setup);
        within(60, "consuming", daemon.consuming()).await;
        assert_eq!(daemon.count(|line| says(line, "broker lost") || says(line, "in memory only")), 0, "{topology}");
    }
}

async fn it_may_not_be_read(broker: &Broker, scene: &Scene) {
    let setup = as_user(broker, scene, "verify");
    let (code, said) = check(&setup, &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &["may not read queue", &scene.queue(), "lacks a right"]);
    let mut daemon = Daemon::start(&setup);
    let told = daemon.until_count(2, |line| says(line, "broker lost") && says(line, "lacks a right"));
    within(60, "that it may not be read", told).await;
    assert_eq!(daemon.count(|line| says(line, "broker lost") && says(line, "password")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_missing_right_is_named_and_none_is_needed_for_what_is_there() {
    let broker = within(240, "a broker", Broker::private()).await;
    within(300, "the rights", rights(&broker)).await;
}

async fn in_a_container(image: usize) {
    if let Some(broker) = within(240, "a broker", shared_image(image)).await {
        within(300, "the rights", rights(broker)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_missing_right_is_named_on_rabbitmq_4_0() {
    in_a_container(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_missing_right_is_named_on_rabbitmq_4_3() {
    in_a_container(1).await;
}
