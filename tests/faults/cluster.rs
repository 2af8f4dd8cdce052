//! A cluster of three nodes with quorum queues: nodes are killed under the daemon, the leader of its queue among them, until
//! too few are left, and come back.
//!
//! Not here: a single broker that is killed (`broker/survives.rs`).

use std::time::Duration;

use super::SECTIONS;
use super::wire::Wire;
use crate::support::broker::{Broker, Vhost, eventually};
use crate::support::daemon::{Daemon, Setup, says};
use crate::support::deadline::within;
use crate::support::scene::{Scene, listens};
use crate::support::standin::{Canned, Fault, Rule};

const EVENTS: usize = 4_000;
/// How long a restarted node may take to be a member again.
const REJOIN: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn on_the_broker_that_is_here() {
    if let Some(nodes) = within(300, "a cluster", Broker::cluster()).await {
        nodes_die(&nodes).await;
    }
}

/// The nodes are named in the file, and no balancer stands before them: the death of the leader costs one reconnect.
#[tokio::test(flavor = "multi_thread")]
async fn the_leader_of_nodes_that_are_named_dies_under_load() {
    if let Some(nodes) = within(300, "a cluster", Broker::cluster()).await {
        the_leader_dies(&nodes).await;
    }
}

async fn the_leader_dies(nodes: &[Broker]) {
    let [one, leader, witness] = nodes else { panic!("three nodes") };
    let scene = within(60, "a place", async { Scene::empty(witness.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 60 })]);
    let hosts: Vec<_> = [one, witness].map(|node| format!("\"{}\"", listens(node.url()))).into();
    let setup = Setup { amqp: leader.url_in(&scene.place), ..scene.setup() }.sections(SECTIONS);
    let setup = setup.broker("topology = \"declare\"\nprefetch = 12\ncall_timeout = \"5s\"");
    declare(leader, &scene.place, &setup).await;
    until_all_online(&scene, 3).await;
    let mut daemon = Daemon::start(&setup.broker(&format!("hosts = [{}]", hosts.join(", "))));
    within(60, "consuming", daemon.consuming()).await;
    within(60, "publishing", scene.publish(EVENTS / 4, 200)).await;
    within(60, "some", scene.until_created(EVENTS / 40)).await;
    leader.kill9().await;
    scene.ends_well(EVENTS / 4).await;
    let connects = daemon.logged(|line| line["message"] == "consuming");
    assert!(connects.len() <= 2, "one reconnect at most: {connects:#?}");
    let address = listens(leader.url());
    assert!(connects.iter().skip(1).all(|line| line["broker"] != address), "not where nobody is: {connects:#?}");
    leader.restart().await;
}

/// The daemon is led to the first node that takes it. The queue is led by the second; nobody kills the third.
async fn nodes_die(nodes: &[Broker]) {
    let [near, leader, witness] = nodes else { panic!("three nodes") };
    println!("three nodes of RabbitMQ {}", witness.version());
    let scene = within(60, "a place", async { Scene::empty(witness.vhost().await).await }).await;
    let wire = Wire::to_one_of(nodes.iter().map(|node| listens(node.url())).collect()).await;
    scene
        .api
        .plan(vec![Rule::always(Canned::new(423).retry_after("12")).every(40), Rule::always(Fault::Delay { ms: 60 })]);
    let setup = Setup { amqp: scene.by_way_of(wire.address().port()), ..scene.setup() };
    let setup = setup.sections(SECTIONS).broker("topology = \"declare\"\nprefetch = 12\ncall_timeout = \"5s\"");
    declare(leader, &scene.place, &setup).await;
    let mut daemon = Daemon::start(&setup);
    within(60, "consuming", daemon.consuming()).await;
    until_all_online(&scene, 3).await;
    within(60, "publishing", scene.publish(EVENTS, 200)).await;

    within(60, "some", scene.until_created(EVENTS / 10)).await;
    leader.kill9().await;
    within(90, "more without its leader", scene.until_created(EVENTS * 3 / 10)).await;
    leader.restart().await;
    until_all_online(&scene, 3).await;

    near.kill9().await;
    within(90, "more on another node", scene.until_created(EVENTS * 6 / 10)).await;
    near.restart().await;
    until_all_online(&scene, 3).await;

    leader.kill9().await;
    near.kill9().await;
    within(90, "a word", daemon.until(|line| says(line, "too few members of a quorum queue"))).await;
    tokio::join!(near.restart(), leader.restart());
    scene.ends_well(EVENTS).await;
    println!("| nodes | killed | events | lost | duplicated | dead letters |\n| --- | --- | --- | --- | --- | --- |");
    println!("| 3 | the leader, the node of the daemon, then both | {EVENTS} | 0 | 0 | 0 |");
}

/// A daemon by way of this node makes the queues there, and goes.
async fn declare(leader: &Broker, place: &Vhost, setup: &Setup) {
    let mut daemon = Daemon::start(&Setup { amqp: leader.url_in(place), ..setup.clone() });
    within(60, "consuming", daemon.consuming()).await;
    daemon.signal("TERM");
    within(60, "its end", daemon.ended()).await;
}

/// Waits until so many members of the queue are there.
async fn until_all_online(scene: &Scene, count: usize) {
    let online = async || scene.place.online(&scene.queue()).await == count;
    eventually(REJOIN, &format!("{count} members"), online).await;
}
